//! The contact card: who sees a customer's history and notes, who writes, and what is left when the ledger is dark.

use std::sync::atomic::Ordering;

use desk::{Earlier, Known, Note, NoteRefused, NoteWritten, Unavailable};
use floor::{
    board::Refused,
    correcting::{Correction, Reach},
};
use model::{ContactId, Millis};
use reqwest::Method;
use serde_json::{Value, json};

use crate::rig::{Rig, XSS_NAME, agent, rows};

/// On the board: the contact that li talks to, and wang's.
pub const LI_NOW: u128 = 12;
pub const WANG_NOW: u128 = 14;

/// What the ledger knows, for the double: a live contact of li's and of wang's, and the past ones of `rows`.
pub fn known(contact: ContactId) -> Option<Known> {
    let note = |who: &str, text: &str| Note {
        agent: agent(who),
        at: Millis(1_700_000_050_000),
        version: 3,
        text: text.into(),
    };
    let who = match contact.0 {
        LI_NOW | 1 => "li",
        WANG_NOW | 2 => "wang",
        _ => return None,
    };
    let earlier = rows().into_iter().map(|row| Earlier { cdr: row.cdr, notes: vec![note("wang", XSS_NAME)] });
    Some(Known {
        handled_by: [agent(who)].into(),
        queue: Some("sales".parse().unwrap()),
        shown: vec![("Account".into(), XSS_NAME.into())],
        notes: vec![note("li", "Wants blue"), note("wang", XSS_NAME), note("zhao", "")],
        earlier: earlier.collect(),
        more: true,
    })
}

/// As the ledger answers: what is made of another version than the third is refused.
pub fn written(written: &NoteWritten) -> Result<u64, NoteRefused> {
    match (known(written.contact), written.base) {
        (Some(_), 3) => Ok(4),
        (Some(_), _) => Err(NoteRefused::Changed { version: 3 }),
        (None, _) => Err(Unavailable.into()),
    }
}

fn path(contact: u128, what: &str) -> String {
    format!("/api/contacts/{contact:032x}/{what}")
}

async fn card(rig: &Rig, cookie: &str, contact: u128) -> (u16, Value) {
    let answer = rig.get(&path(contact, "card")).header("cookie", cookie).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn write(rig: &Rig, cookie: &str, contact: u128, body: &Value) -> (u16, Value) {
    let request = rig.write(Method::POST, &path(contact, "note")).header("cookie", cookie).json(body);
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test]
async fn an_agent_sees_the_history_of_contacts_of_the_own_and_of_no_other() {
    let rig = Rig::start().await;
    let li = rig.sign_in("li").await;
    for contact in [LI_NOW, 1] {
        let (status, card) = card(&rig, &li, contact).await;
        assert_eq!(status, 200);
        assert_eq!(card["known"]["earlier"].as_array().unwrap().len(), 2, "{card}");
        assert_eq!(card["known"]["more"], true);
    }
    for contact in [WANG_NOW, 2, 99] {
        let (status, told) = card(&rig, &li, contact).await;
        assert_eq!((status, &told["error"]["code"]), (404, &json!("not_found")), "{contact}: not even that it exists");
        assert_eq!(write(&rig, &li, contact, &json!({ "text": "x", "base": 3 })).await.0, 404);
    }
    let zhao = rig.sign_in("zhao").await;
    for contact in [LI_NOW, WANG_NOW, 1, 2] {
        assert_eq!(card(&rig, &zhao, contact).await.0, 200, "a supervisor sees {contact}");
    }
    assert_eq!(card(&rig, "", LI_NOW).await.0, 401);
    assert_eq!(rig.get("/api/contacts/x/card").header("cookie", &li).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn a_card_tells_own_notes_from_others_and_links_only_what_may_be_heard() {
    let rig = Rig::start().await;
    let (status, of_li) = card(&rig, &rig.sign_in("li").await, LI_NOW).await;
    assert_eq!(status, 200);
    assert_eq!(of_li["dispositions"], json!({ "later": "Call again", "sold": "Sold", "evil": crate::reports::EVIL }));
    assert_eq!(of_li["known"]["note"], json!({ "version": 3, "text": "Wants blue" }));
    let notes = of_li["known"]["notes"].as_array().unwrap();
    assert_eq!(notes.len(), 1, "what was taken back is no note: {notes:?}");
    assert_eq!((&notes[0]["agent"], &notes[0]["text"]), (&json!("wang"), &json!(XSS_NAME)), "text of a JSON string");
    let heard = |card: &Value| {
        let earlier = card["known"]["earlier"].as_array().unwrap().clone();
        earlier
            .iter()
            .map(|one| (one["agent"].as_str().unwrap().to_owned(), !one["recording"].is_null()))
            .collect::<Vec<_>>()
    };
    assert_eq!(heard(&of_li), [("wang".to_owned(), false), ("li".to_owned(), true)]);
    let (_, of_zhao) = card(&rig, &rig.sign_in("zhao").await, LI_NOW).await;
    assert_eq!(heard(&of_zhao), [("wang".to_owned(), true), ("li".to_owned(), true)]);
    assert_eq!(of_zhao["known"]["note"], json!({ "version": 3, "text": "" }));
}

#[tokio::test]
async fn a_note_is_answered_with_its_version_and_a_stale_one_with_a_conflict() {
    let rig = Rig::start().await;
    let li = rig.sign_in("li").await;
    let kept = write(&rig, &li, LI_NOW, &json!({ "text": "one\r\ntwo\u{7}\tthree", "base": 3 })).await;
    assert_eq!(kept, (200, json!({ "version": 4 })));
    let (status, told) = write(&rig, &li, LI_NOW, &json!({ "text": "late", "base": 2 })).await;
    assert_eq!((status, &told["error"]["code"]), (409, &json!("note_changed")));
    let longest = "语".repeat(desk::api::NOTE_CHARS_MAX);
    assert_eq!(write(&rig, &li, LI_NOW, &json!({ "text": longest, "base": 3 })).await.0, 200);
    let longer = longest + "x";
    for bad in [json!({ "text": longer, "base": 3 }), json!({ "text": "x" }), json!({ "text": 1, "base": 3 })] {
        assert_eq!(write(&rig, &li, LI_NOW, &bad).await.0, 400);
    }
    let seen = rig.records.notes.lock().unwrap().clone();
    assert_eq!(seen.len(), 3);
    assert_eq!((seen[0].by.clone(), seen[0].text.as_str()), (agent("li"), "one\ntwo\tthree"));
    let unmarked = rig.unmarked(Method::POST, &path(LI_NOW, "note")).header("cookie", &li);
    assert_eq!(unmarked.json(&json!({ "text": "x", "base": 3 })).send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn while_the_ledger_cannot_be_read_who_has_the_contact_is_told_what_is_missing() {
    let rig = Rig::start().await;
    let li = rig.sign_in("li").await;
    rig.records.dark.store(true, Ordering::SeqCst);
    let (status, told) = card(&rig, &li, LI_NOW).await;
    assert_eq!((status, &told["known"]), (200, &Value::Null));
    assert_eq!(told["dispositions"]["sold"], "Sold", "what comes of it can be named all the same");
    assert_eq!(card(&rig, &li, 1).await.0, 503, "whether it was li's cannot be said");
    assert_eq!(write(&rig, &li, LI_NOW, &json!({ "text": "x", "base": 3 })).await.0, 503);
}

#[tokio::test]
async fn past_contacts_carry_notes_for_whom_may_see_them() {
    let rig = Rig::start().await;
    let listed = async |who: &str| {
        let cookie = rig.sign_in(who).await;
        rig.get("/api/contacts").header("cookie", &cookie).send().await.unwrap().json::<Value>().await.unwrap()
    };
    let of_li = listed("li").await;
    assert_eq!(of_li["contacts"][0]["notes"][0]["text"], "Wants blue");
    assert_eq!(of_li["contacts"][0]["disposition"], json!({ "code": "sold" }));
    assert_eq!(of_li["dispositions"]["sold"], "Sold");
    assert_eq!(listed("zhao").await["contacts"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn contacts_are_listed_by_what_came_of_them() {
    let rig = Rig::start().await;
    let zhao = rig.sign_in("zhao").await;
    let listed = async |query: &str| {
        let answer = rig.get(&format!("/api/contacts?{query}")).header("cookie", &zhao).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap()["contacts"].as_array().map(Vec::len))
    };
    assert_eq!(listed("disposition=sold").await, (200, Some(2)));
    assert_eq!(listed("disposition=later").await, (200, Some(0)));
    assert_eq!(listed("disposition=none_chosen").await, (200, Some(0)));
    assert_eq!(listed("disposition=so%20ld").await.0, 400);
}

#[tokio::test]
async fn what_came_of_a_past_contact_is_said_anew_with_the_reach_of_the_role() {
    let rig = Rig::start().await;
    let correct = async |who: &str, body: Value| {
        let cookie = rig.sign_in(who).await;
        let request = rig.write(Method::POST, &path(1, "disposition")).header("cookie", &cookie).json(&body);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap_or_default()["error"]["code"].clone())
    };
    assert_eq!(correct("li", json!({ "disposition": "later" })).await, (204, Value::Null));
    assert_eq!(correct("zhao", json!({ "disposition": "later" })).await.0, 204);
    let seen = rig.floor.corrected.lock().unwrap().clone();
    let said = |who: &str, reach| Correction {
        by: agent(who),
        contact: ContactId(1),
        disposition: "later".parse().unwrap(),
        reach,
    };
    assert_eq!(seen, [said("li", Reach::Own), said("zhao", Reach::Any)]);
    for (refused, status, code) in [
        (Refused::TooLate, 409, "too_late"),
        (Refused::WrongState, 409, "goes_on"),
        (Refused::UnknownDisposition, 422, "unknown_disposition"),
        (Refused::NoCall, 404, "not_found"),
    ] {
        *rig.floor.answer.lock().unwrap() = Err(refused.into());
        assert_eq!(correct("li", json!({ "disposition": "sold" })).await, (status, json!(code)));
    }
    for bad in [json!({}), json!({ "disposition": "no such!" }), json!({ "disposition": "sold", "by": "zhao" })] {
        assert_eq!(correct("li", bad).await.0, 400);
    }
    let unmarked = rig.unmarked(Method::POST, &path(1, "disposition")).json(&json!({ "disposition": "sold" }));
    assert_eq!(unmarked.send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn a_note_on_a_contact_that_one_no_longer_has_is_written_with_the_reach_of_the_role() {
    let rig = Rig::start().await;
    let (li, zhao) = (rig.sign_in("li").await, rig.sign_in("zhao").await);
    let note = json!({ "text": "x", "base": 3 });
    for (cookie, contact, later) in [
        (&li, LI_NOW, None),
        (&li, 1, Some(Reach::Own)),
        (&zhao, 1, Some(Reach::Any)),
        (&zhao, LI_NOW, Some(Reach::Any)),
    ] {
        assert_eq!(write(&rig, cookie, contact, &note).await.0, 200);
        assert_eq!(rig.records.notes.lock().unwrap().last().unwrap().later, later, "{contact}");
    }
}
