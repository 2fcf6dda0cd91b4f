//! What a desk asks of the floor, and when it is told that it happened.

use desk::CommandError;
use floor::board::{Ask, DeskCommand, Refused};
use reqwest::Method;
use serde_json::json;

use crate::rig::{Rig, agent, until};

#[tokio::test]
async fn a_command_is_acknowledged_only_after_its_facts_are_durable() {
    let rig = Rig::start().await;
    let cookie = rig.sign_in("li").await;
    let mut live = rig.live(&cookie).await;
    live.say(r#"{"id":7,"ask":"ready"}"#).await;
    until("the floor has it", || rig.floor.seen.lock().unwrap().len() == 1).await;
    assert_eq!(rig.floor.seen.lock().unwrap()[0], DeskCommand { agent: agent("li"), ask: Ask::Ready });

    // Two boards pass by, and still no word of the command.
    for waiting in [41, 42] {
        rig.floor.board.send_modify(|board| {
            let mut next = (**board).clone();
            next.board.queues[0].waiting = waiting;
            *board = next.into();
        });
        live.hear_board_before_any_answer(waiting).await;
    }
    rig.floor.durable.add_permits(1);
    assert_eq!(live.hear("ack").await.0, json!({ "id": 7 }));
}

#[tokio::test]
async fn every_refusal_of_the_floor_reaches_the_page_under_its_own_code() {
    let rig = Rig::start().await;
    let cookie = rig.sign_in("li").await;
    let mut live = rig.live(&cookie).await;
    let cases = [
        (CommandError::Refused(Refused::UnknownAgent), "unknown_agent"),
        (CommandError::Refused(Refused::SignedOut), "signed_out"),
        (CommandError::Refused(Refused::PhoneNotRegistered), "phone_not_registered"),
        (CommandError::Refused(Refused::WrongState), "wrong_state"),
        (CommandError::Refused(Refused::NoCall), "no_call"),
        (CommandError::Refused(Refused::Forbidden), "forbidden"),
        (CommandError::Refused(Refused::PauseNeeded), "pause_needed"),
        (CommandError::Refused(Refused::DispositionNeeded), "disposition_needed"),
        (CommandError::Refused(Refused::UnknownDisposition), "unknown_disposition"),
        (CommandError::Unavailable(desk::Unavailable), "unavailable"),
    ];
    for (id, (error, code)) in cases.into_iter().enumerate() {
        *rig.floor.answer.lock().unwrap() = Err(error);
        rig.floor.durable.add_permits(1);
        live.say(&format!(r#"{{"id":{id},"ask":"hang_up"}}"#)).await;
        assert_eq!(live.hear("refused").await.0, json!({ "id": id, "code": code }));
    }
}

#[tokio::test]
async fn what_is_no_command_is_refused_and_never_reaches_the_floor() {
    let rig = Rig::start().await;
    let cookie = rig.sign_in("li").await;
    let mut live = rig.live(&cookie).await;
    for bad in ["", "{}", "null", r#"{"id":1,"ask":"barge"}"#, r#"{"ask":"ready"}"#, r#"{"id":1,"ask":"dial"}"#] {
        live.say(bad).await;
        assert_eq!(live.hear("refused").await.0, json!({ "id": null, "code": "bad_request" }), "{bad}");
    }
    live.say(r#"{"id":2,"ask":"dial","number":"sip:eve@evil.example"}"#).await;
    assert_eq!(live.hear("refused").await.0, json!({ "id": 2, "code": "bad_number" }));
    assert!(rig.floor.seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn one_desk_has_no_more_than_eight_commands_under_way() {
    let rig = Rig::start().await;
    let cookie = rig.sign_in("li").await;
    let mut live = rig.live(&cookie).await;
    for id in 0..9 {
        live.say(&format!(r#"{{"id":{id},"ask":"hold"}}"#)).await;
    }
    assert_eq!(live.hear("refused").await.0, json!({ "id": 8, "code": "too_many" }));
    rig.floor.durable.add_permits(8);
    let mut acknowledged = Vec::new();
    while acknowledged.len() < 8 {
        acknowledged.push(live.hear("ack").await.0["id"].as_u64().unwrap());
    }
    acknowledged.sort_unstable();
    assert_eq!(acknowledged, (0..8).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_oversized_message_ends_the_connection() {
    let rig = Rig::start().await;
    let cookie = rig.sign_in("li").await;
    let mut live = rig.live(&cookie).await;
    live.hear("me").await;
    live.say(&format!(r#"{{"id":1,"ask":"dial","number":"{}"}}"#, "1".repeat(5000))).await;
    assert!(live.ended().await);
    assert!(rig.floor.seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_supervisors_edit_reaches_the_local_document_and_a_refused_one_says_which() {
    let rig = Rig::start().await;
    let cookie = rig.sign_in("zhao").await;
    let ring = json!({ "set": "queue_ring", "queue": "sales", "seconds": 25 });
    let label = json!({ "set": "site_label", "label": "Elsewhere" });
    let post = |body: serde_json::Value| rig.write(Method::POST, "/api/changes").header("cookie", &cookie).json(&body);

    let done = post(json!({ "changes": [ring] })).send().await.unwrap();
    assert_eq!(done.status(), 200);
    let settings: serde_json::Value = done.json().await.unwrap();
    assert_eq!(settings["config"]["queues"]["sales"]["ring_s"], 15);
    assert_eq!(settings["findings"][0]["problem"]["is"], "nobody_serves");
    let (by, changes) = rig.floor.changed.lock().unwrap()[0].clone();
    assert_eq!((by, changes.len()), (agent("zhao"), 1));

    let refused = post(json!({ "changes": [ring, label] })).send().await.unwrap();
    assert_eq!(refused.status(), 422);
    let told: serde_json::Value = refused.json().await.unwrap();
    assert_eq!(told["index"], 1);
    assert_eq!(told["error"], json!({ "code": "not_yours", "message": "the centre plans this", "fault": "request" }));

    for count in [0, 101] {
        let many = vec![ring.clone(); count];
        assert_eq!(post(json!({ "changes": many })).send().await.unwrap().status(), 422, "{count}");
    }
    assert_eq!(post(json!({ "changes": [{ "set": "no_such" }] })).send().await.unwrap().status(), 400);
    assert_eq!(rig.floor.changed.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_supervisor_decides_what_waits_in_the_merge_report() {
    let rig = Rig::start().await;
    let cookie = rig.sign_in("zhao").await;
    let told = rig.get("/api/merge").header("cookie", &cookie).send().await.unwrap();
    let told: model::history::Report = told.json().await.unwrap();
    assert_eq!(told.waiting, [crate::rig::waiting()]);
    let decision =
        |body: serde_json::Value| rig.write(Method::POST, "/api/merge").header("cookie", &cookie).json(&body);
    let take = decision(json!({ "take": { "path": "queues/sales/ring_s", "seq": 2 } })).send().await.unwrap();
    assert_eq!(take.status(), 200);
    let wanted = model::history::Decision::Take { path: "queues/sales/ring_s".into(), seq: 2 };
    assert_eq!(*rig.floor.decided.lock().unwrap(), [(agent("zhao"), wanted)]);
    for bad in [json!({}), json!({ "take": { "path": "x" } }), json!({ "follow_plan": { "path": "x".repeat(201) } })] {
        assert_eq!(decision(bad.clone()).send().await.unwrap().status(), 400, "{bad}");
    }
}
