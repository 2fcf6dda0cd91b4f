//! The page's own telephone: who is lent an account, for how long, and who may speak on its line.

use std::{sync::atomic::Ordering, time::Duration};

use reqwest::Method;
use serde_json::Value;

use crate::rig::{Rig, agent};

const SIP: &str = "/api/phone/sip";

async fn lend(rig: &Rig, cookie: &str) -> reqwest::Response {
    rig.write(Method::POST, "/api/phone").header("cookie", cookie).send().await.unwrap()
}

async fn taken_back(rig: &Rig) -> Vec<String> {
    for _ in 0..200 {
        let back = rig.softphones.taken_back.lock().unwrap().clone();
        if !back.is_empty() {
            return back;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Vec::new()
}

#[tokio::test]
async fn a_page_is_lent_its_agents_account_and_speaks_sip_on_a_line_of_its_own() {
    let rig = Rig::start().await;
    let li = rig.sign_in("li").await;
    let account: Value = lend(&rig, &li).await.json().await.unwrap();
    assert_eq!((&account["extension"], &account["name"]), (&"201".into(), &"201-1".into()));
    assert_eq!((&account["domain"], &account["password"]), (&"north.example".into(), &"secret".into()));
    assert_eq!(*rig.softphones.lent.lock().unwrap(), [agent("li")]);
    let mut line = rig.try_socket(SIP, &li, Some(&rig.origin)).await.unwrap();
    line.say("REGISTER sip:north.example SIP/2.0\r\n\r\n").await;
    assert_eq!(line.hear_text().await, "REGISTER sip:north.example SIP/2.0\r\n\r\n");
}

#[tokio::test]
async fn nobody_has_a_line_without_a_session_an_account_and_a_page_of_ours() {
    let rig = Rig::start().await;
    let li = rig.sign_in("li").await;
    let origin = Some(rig.origin.as_str());
    assert_eq!(rig.try_socket(SIP, "branchline_desk=x", origin).await.err(), Some(401));
    assert_eq!(rig.try_socket(SIP, &li, origin).await.err(), Some(409), "no account was lent");
    assert_eq!(lend(&rig, &li).await.status(), 200);
    for foreign in [Some("http://evil.example"), None] {
        assert_eq!(rig.try_socket(SIP, &li, foreign).await.err(), Some(403), "{foreign:?}");
    }
    let unmarked = rig.unmarked(Method::POST, "/api/phone").header("cookie", &li).send().await.unwrap();
    assert_eq!(unmarked.status(), 403);
    let nobody = rig.write(Method::POST, "/api/phone").send().await.unwrap();
    assert_eq!(nobody.status(), 401);
    let zhao = rig.sign_in("zhao").await;
    let none: Value = lend(&rig, &zhao).await.json().await.unwrap();
    assert_eq!(none["error"]["code"], "no_phone");
    assert_eq!(rig.softphones.connected.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn the_account_is_taken_back_at_sign_out_and_the_line_ends() {
    let rig = Rig::start().await;
    let li = rig.sign_in("li").await;
    lend(&rig, &li).await;
    let mut line = rig.try_socket(SIP, &li, Some(&rig.origin)).await.unwrap();
    rig.write(Method::DELETE, "/api/session").header("cookie", &li).send().await.unwrap();
    assert_eq!(taken_back(&rig).await, ["201-1"]);
    // Whichever is noticed first: the session's end, or the account's.
    assert!(matches!(line.closed_with().await, Some(4001 | 4002)));
}

#[tokio::test]
async fn a_password_that_changes_takes_the_account_back_too() {
    let rig = Rig::start().await;
    let li = rig.sign_in("li").await;
    lend(&rig, &li).await;
    rig.desk.end_sessions_of(&agent("li"));
    assert_eq!(taken_back(&rig).await, ["201-1"]);
}

#[tokio::test]
async fn the_latest_page_of_a_session_has_the_telephone() {
    let rig = Rig::start().await;
    let li = rig.sign_in("li").await;
    lend(&rig, &li).await;
    let mut first = rig.try_socket(SIP, &li, Some(&rig.origin)).await.unwrap();
    // The same page over another network: the old line is given up at once.
    let mut second = rig.try_socket(SIP, &li, Some(&rig.origin)).await.unwrap();
    assert_eq!(first.closed_with().await, Some(4002));
    // Another page.
    lend(&rig, &li).await;
    assert_eq!(second.closed_with().await, Some(4002));
    assert_eq!(taken_back(&rig).await, ["201-1"]);
    let given = rig.write(Method::DELETE, "/api/phone").header("cookie", &li).send().await.unwrap();
    assert_eq!(given.status(), 204);
    assert_eq!(*rig.softphones.taken_back.lock().unwrap(), ["201-1", "201-2"]);
}
