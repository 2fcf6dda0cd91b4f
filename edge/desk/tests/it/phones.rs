//! The telephones of the house: supervisors see and manage them, an agent forwards the own one alone.

use model::{change::Change, forward::Forward};
use reqwest::Method;
use serde_json::{Value, json};

use crate::rig::{Rig, agent};

#[tokio::test]
async fn a_supervisor_sees_where_each_phone_is_registered_and_what_it_fetched() {
    let rig = Rig::start().await;
    let cookie = rig.sign_in("zhao").await;
    let phones: Value = rig.get("/api/phones").header("cookie", &cookie).send().await.unwrap().json().await.unwrap();
    let line = phones["phones"].as_array().unwrap().iter().find(|line| line["phone"] == "201").unwrap();
    let registered = &line["registered"][0];
    assert_eq!((&registered["transport"], &registered["private"]), (&json!("tls"), &json!(true)));
    assert_eq!(registered["user_agent"], "Yealink SIP-T46U 108.86.0.45");
    assert_eq!((&line["enrolled"]["make"], &line["enrolled"]["model"]), (&json!("yealink"), &json!("SIP-T46U")));
    assert_eq!(line["enrolled"]["open_until"], Value::Null);
}

#[tokio::test]
async fn an_agent_neither_sees_nor_manages_phones() {
    let rig = Rig::start().await;
    let cookie = rig.sign_in("li").await;
    let status = rig.get("/api/phones").header("cookie", &cookie).send().await.unwrap().status();
    assert_eq!(status, 403);
    for act in ["enrol", "rotate", "dismiss"] {
        let body = json!({ "mac": "001565abcdef", "make": "yealink" });
        let asked = rig.write(Method::POST, &format!("/api/phones/201/{act}")).header("cookie", &cookie).json(&body);
        assert_eq!(asked.send().await.unwrap().status(), 403, "{act}");
    }
    assert!(rig.phones.done.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_supervisor_enrols_rotates_and_dismisses_phones_that_there_are() {
    let rig = Rig::start().await;
    let cookie = rig.sign_in("zhao").await;
    let ask = async |path: &str, body: Value| {
        let asked = rig.write(Method::POST, path).header("cookie", &cookie).json(&body);
        let answer = asked.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let (status, text) = ask("/api/phones/201/enrol", json!({ "mac": "001565abcdef", "make": "yealink" })).await;
    assert_eq!((status, text.contains("https://192.0.2.1:8443/token/")), (200, true), "{text}");
    assert_eq!(ask("/api/phones/201/rotate", json!({})).await.0, 204);
    assert_eq!(ask("/api/phones/201/dismiss", json!({})).await.0, 204);
    assert_eq!(ask("/api/phones/201/enrol", json!({ "mac": "1", "make": "fax" })).await.0, 400);
    assert_eq!(ask("/api/phones/999/dismiss", json!({})).await.0, 404);
    assert_eq!(ask("/api/phones/..%2f201/dismiss", json!({})).await.0, 404);
    let done = ["zhao enrols 001565abcdef as 201", "rotate 201", "zhao dismisses 201"];
    assert_eq!(*rig.phones.done.lock().unwrap(), done);
}

#[tokio::test]
async fn an_agent_forwards_the_own_phone_and_no_other() {
    let rig = Rig::start().await;
    let cookie = rig.sign_in("li").await;
    let body = json!({ "busy": "5551234", "after_s": 15 });
    let asked = rig.write(Method::POST, "/api/forward").header("cookie", &cookie).json(&body);
    assert_eq!(asked.send().await.unwrap().status(), 200);
    let forward = Forward { busy: Some("5551234".parse().unwrap()), after_s: 15, ..Forward::default() };
    let change = Change::PhoneForward { phone: "201".parse().unwrap(), forward };
    assert_eq!(*rig.floor.changed.lock().unwrap(), [(agent("li"), vec![change])]);
    // A number that is none, and somebody without a phone.
    let asked = rig.write(Method::POST, "/api/forward").header("cookie", &cookie).json(&json!({ "busy": "sip:x@y" }));
    assert_eq!(asked.send().await.unwrap().status(), 400);
    let zhao = rig.sign_in("zhao").await;
    assert_eq!(rig.get("/api/forward").header("cookie", &zhao).send().await.unwrap().status(), 409);
}
