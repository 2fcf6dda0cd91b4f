//! Who sees and hears what: every role against everything the desk gives out.

use desk::CommandError;
use floor::board::{Ask, Refused};
use model::RecordingId;
use reqwest::Method;
use serde_json::Value;

use crate::rig::{
    LI_CALLER, LI_RECORDING, REPAIRS_MESSAGE, Rig, SALES_MESSAGE, WANG_CALLER, WANG_RECORDING, WAV, XSS_NAME, agent,
};

#[tokio::test]
async fn an_agent_sees_the_own_caller_and_nobody_elses() {
    let rig = Rig::start().await;
    let cookie = rig.sign_in("li").await;
    let (board, text) = rig.live(&cookie).await.hear("board").await;
    assert_eq!(board["agents"][0]["contact"]["caller_number"], LI_CALLER);
    assert_eq!(board["agents"][1]["state"], "talking", "a colleague's state is shown");
    assert_eq!(board["agents"][1]["contact"], Value::Null);
    assert!(!text.contains(WANG_CALLER));

    let contacts = rig.get("/api/contacts").header("cookie", &cookie).send().await.unwrap().text().await.unwrap();
    assert!(contacts.contains(LI_CALLER) && !contacts.contains(WANG_CALLER), "{contacts}");
}

#[tokio::test]
async fn a_supervisor_sees_every_caller_of_the_site() {
    let rig = Rig::start().await;
    let cookie = rig.sign_in("zhao").await;
    let (board, _) = rig.live(&cookie).await.hear("board").await;
    let numbers: Vec<_> = [0, 1].map(|n| board["agents"][n]["contact"]["caller_number"].clone()).into();
    assert_eq!(numbers, [LI_CALLER, WANG_CALLER]);
    let contacts = rig.get("/api/contacts?limit=1").header("cookie", &cookie).send().await.unwrap();
    let contacts: Value = contacts.json().await.unwrap();
    assert_eq!(contacts["contacts"][0]["caller"]["number"], WANG_CALLER);
    assert_eq!(contacts["more"], true);
}

#[tokio::test]
async fn who_stands_before_the_page_is_told_that_nobody_can_be_called_for_help_and_nothing_else() {
    let rig = Rig::start().await;
    let answer = rig.get("/api/help").send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (200, r#"{"help":"no_line"}"#));
    let (board, _) = rig.live(&rig.sign_in("li").await).await.hear("board").await;
    assert_eq!(board["help"], "no_line");
}

#[tokio::test]
async fn a_script_in_a_callers_name_arrives_as_text_of_a_json_string() {
    let rig = Rig::start().await;
    let cookie = rig.sign_in("li").await;
    let (board, _) = rig.live(&cookie).await.hear("board").await;
    assert_eq!(board["agents"][0]["contact"]["caller_name"], XSS_NAME);
    let contacts = rig.get("/api/contacts").header("cookie", &cookie).send().await.unwrap();
    assert_eq!(contacts.headers()["content-type"], "application/json");
    assert_eq!(contacts.headers()["x-content-type-options"], "nosniff");
}

#[tokio::test]
async fn a_message_is_for_agents_of_its_queue_and_for_supervisors() {
    let rig = Rig::start().await;
    let (li, wang, zhao) = (rig.sign_in("li").await, rig.sign_in("wang").await, rig.sign_in("zhao").await);
    let get = async |cookie: &str, path: &str| rig.get(path).header("cookie", cookie).send().await.unwrap();
    let listed = async |cookie: &str| {
        let list: Value = get(cookie, "/api/messages").await.json().await.unwrap();
        list["messages"].as_array().unwrap().iter().map(|one| one["queue"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(listed(&li).await, ["sales"]);
    assert_eq!(listed(&wang).await, Vec::<Value>::new());
    assert_eq!(listed(&zhao).await, ["sales", "repairs"]);
    let sales = format!("/api/recordings/{SALES_MESSAGE}.wav");
    for (cookie, expected) in [(&li, 200), (&wang, 404), (&zhao, 200)] {
        assert_eq!(get(cookie, &sales).await.status(), expected);
    }
    assert_eq!(get(&li, &format!("/api/recordings/{REPAIRS_MESSAGE}.wav")).await.status(), 404);
    let heard = rig.records.heard.lock().unwrap().clone();
    assert_eq!(heard, [("li", SALES_MESSAGE), ("zhao", SALES_MESSAGE)].map(|(who, id)| (agent(who), id)));

    let done = async |cookie: &str, recording: RecordingId| {
        let path = format!("/api/messages/{recording}/done");
        rig.write(Method::POST, &path).header("cookie", cookie).send().await.unwrap().status()
    };
    rig.floor.durable.add_permits(3);
    assert_eq!(done(&wang, SALES_MESSAGE).await, 404);
    assert_eq!(done(&li, REPAIRS_MESSAGE).await, 404);
    assert_eq!(done(&li, SALES_MESSAGE).await, 200);
    let asked: Vec<_> = rig.floor.seen.lock().unwrap().iter().map(|asked| asked.ask.clone()).collect();
    assert_eq!(asked, [Ask::MessageDone { recording: SALES_MESSAGE }]);
    *rig.floor.answer.lock().unwrap() = Err(CommandError::Refused(Refused::NoMessage));
    assert_eq!(done(&zhao, SALES_MESSAGE).await, 409, "somebody was first");
}

#[tokio::test]
async fn a_recording_is_heard_by_its_agent_and_the_supervisor_and_every_time_is_reported() {
    let rig = Rig::start().await;
    let (li, zhao) = (rig.sign_in("li").await, rig.sign_in("zhao").await);
    let listen = async |cookie: &str, file: &str| {
        rig.get(&format!("/api/recordings/{file}")).header("cookie", cookie).send().await.unwrap()
    };
    for (cookie, recording) in [(&li, LI_RECORDING), (&zhao, LI_RECORDING), (&zhao, WANG_RECORDING)] {
        let response = listen(cookie, &format!("{recording}.wav")).await;
        assert_eq!(
            (response.status().as_u16(), &response.headers()["content-type"]),
            (200, &"audio/wav".parse().unwrap())
        );
        assert_eq!(response.bytes().await.unwrap(), WAV);
    }
    let wangs = format!("{WANG_RECORDING}.wav");
    for file in [wangs.as_str(), "00000000000000000000000000000bad.wav", "x.wav", &LI_RECORDING.to_string()] {
        assert_eq!(listen(&li, file).await.status(), 404, "{file}");
    }
    let heard = rig.records.heard.lock().unwrap().clone();
    let expected = [("li", LI_RECORDING), ("zhao", LI_RECORDING), ("zhao", WANG_RECORDING)];
    assert_eq!(heard, expected.map(|(who, recording)| (agent(who), recording)));
}

#[tokio::test]
async fn how_loud_a_recording_is_where_is_shown_to_whom_it_is_played_and_is_no_listening() {
    let rig = Rig::start().await;
    let (li, zhao) = (rig.sign_in("li").await, rig.sign_in("zhao").await);
    let look = async |cookie: &str, recording: RecordingId| {
        rig.get(&format!("/api/recordings/{recording}.peaks")).header("cookie", cookie).send().await.unwrap()
    };
    for (cookie, recording) in [(&li, LI_RECORDING), (&zhao, WANG_RECORDING)] {
        let shown = look(cookie, recording).await.text().await.unwrap();
        assert_eq!(shown, r#"{"ms":20,"caller":[0,255],"agent":[128,0]}"#);
    }
    assert_eq!(look(&li, WANG_RECORDING).await.status(), 404);
    assert!(rig.records.heard.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_part_of_a_recording_is_reported_as_well() {
    let rig = Rig::start().await;
    let cookie = rig.sign_in("li").await;
    let path = format!("/api/recordings/{LI_RECORDING}.wav");
    let part = rig.get(&path).header("cookie", &cookie).header("range", "bytes=4-7").send().await.unwrap();
    assert_eq!((part.status().as_u16(), &part.headers()["content-range"]), (206, &"bytes 4-7/26".parse().unwrap()));
    assert_eq!(part.bytes().await.unwrap(), &WAV[4..8]);
    let beyond = rig.get(&path).header("cookie", &cookie).header("range", "bytes=99-").send().await.unwrap();
    assert_eq!((beyond.status().as_u16(), &beyond.headers()["content-range"]), (416, &"bytes */26".parse().unwrap()));
    assert_eq!(rig.records.heard.lock().unwrap().len(), 2);
}

/// Everything the desk answers, for nobody, an agent and a supervisor (S-112).
#[tokio::test]
async fn every_address_answers_each_role_as_the_matrix_says() {
    let rig = Rig::start().await;
    let own = format!("/api/recordings/{LI_RECORDING}.wav");
    let others = format!("/api/recordings/{WANG_RECORDING}.wav");
    let waveform = format!("/api/recordings/{WANG_RECORDING}.peaks");
    let [own_card, own_note, others_card, others_note] =
        [(1, "card"), (1, "note"), (2, "card"), (2, "note")].map(|(n, what)| format!("/api/contacts/{n:032x}/{what}"));
    let change = r#"{"changes":[{"set":"queue_ring","queue":"sales","seconds":25}]}"#;
    let matrix = [
        (Method::GET, "/", "", [200, 200, 200]),
        (Method::GET, "/api/me", "", [401, 200, 200]),
        (Method::GET, "/api/contacts", "", [401, 200, 200]),
        (Method::GET, "/api/contacts?limit=x", "", [401, 400, 400]),
        (Method::GET, "/api/contacts?of=wang", "", [401, 400, 400]),
        (Method::GET, own_card.as_str(), "", [401, 200, 200]),
        (Method::GET, others_card.as_str(), "", [401, 404, 200]),
        (Method::POST, own_note.as_str(), r#"{"text":"x","base":3}"#, [401, 200, 200]),
        (Method::POST, others_note.as_str(), r#"{"text":"x","base":3}"#, [401, 404, 200]),
        (Method::GET, own.as_str(), "", [401, 200, 200]),
        (Method::GET, others.as_str(), "", [401, 404, 200]),
        (Method::GET, waveform.as_str(), "", [401, 404, 200]),
        (Method::GET, "/api/config", "", [401, 403, 200]),
        (Method::POST, "/api/changes", change, [401, 403, 200]),
        (Method::GET, "/api/merge", "", [401, 403, 200]),
        (Method::POST, "/api/merge", r#"{"follow_plan":{"path":"queues/sales/ring_s"}}"#, [401, 403, 200]),
        (Method::GET, "/api/desk", "", [401, 400, 400]),
        (Method::DELETE, "/api/session", "", [401, 204, 204]),
    ];
    let cookies = [String::new(), rig.sign_in("li").await, rig.sign_in("zhao").await];
    for (method, path, body, expected) in matrix {
        for (cookie, expected) in cookies.iter().zip(expected) {
            let request = rig.write(method.clone(), path).header("cookie", cookie);
            let request = request.header("content-type", "application/json").body(body);
            let status = request.send().await.unwrap().status().as_u16();
            assert_eq!(status, expected, "{method} {path} as {:?}", cookie.get(..20));
        }
    }
}
