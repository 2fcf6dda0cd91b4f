//! What people at the centre must see soon: taken in from a box, shown, and seen by somebody.

use cloudd::hub::store::Store;
use model::{
    Millis, NoticeId,
    leaving::{Leaving, Notice, What},
};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{ADMIN, ANALYST, BOX, Cloud, EPOCH, START, north, row};

const NOTICES: &str = "/api/notices";

fn notice(n: u128, what: What) -> Leaving {
    let place = "annex".parse().ok();
    Leaving::Notice(Notice { notice: NoticeId(n), at: Millis(START), what, place, trunk: "carrier".parse().ok() })
}

#[tokio::test]
async fn a_notice_goes_on_under_its_name_is_shown_to_all_and_seen_by_an_administrator_once() {
    let cloud = Cloud::start().await;
    let (ann, ben) = (cloud.session(ADMIN, 60_000).await, cloud.session(ANALYST, 60_000).await);
    assert_eq!(ben.get(NOTICES).await, (StatusCode::OK, json!([])));
    let rows = vec![row(1, &notice(1, What::EmergencyCalled)), row(2, &notice(2, What::TestPassed))];
    cloud.shelf().ingest(BOX, &north(), EPOCH, rows).await.unwrap();
    cloud.shelf().ingest(BOX, &north(), EPOCH, vec![row(3, &notice(1, What::EmergencyAnswered))]).await.unwrap();
    let shown = ben.get(NOTICES).await.1;
    assert_eq!(shown.as_array().unwrap().len(), 2);
    let line = |shown: &Value, n: u128| {
        let name = json!(NoticeId(n));
        shown.as_array().unwrap().iter().find(|line| line["notice"] == name).unwrap().clone()
    };
    let call = line(&shown, 1);
    assert_eq!((&call["what"], &call["alarm"]), (&json!("emergency_answered"), &json!(true)));
    assert_eq!((&call["site"], &call["place"], &call["at"]), (&json!("north"), &json!("annex"), &json!(START)));
    assert_eq!(call["trunk"], json!("carrier"), "its id, while the cloud has no name for it");
    assert_eq!((&call["seen_by"], &line(&shown, 2)["alarm"]), (&Value::Null, &json!(false)));

    let path = format!("{NOTICES}/north/{}/seen", NoticeId(1));
    assert_eq!(ben.post(&path, &json!({})).await.0, StatusCode::FORBIDDEN);
    for _ in 0..2 {
        assert_eq!(ann.post(&path, &json!({})).await.0, StatusCode::NO_CONTENT);
    }
    let seen = line(&ann.get(NOTICES).await.1, 1);
    assert_eq!(seen["seen_by"], json!(ADMIN));
    assert!(seen["seen"].is_i64());
    for unknown in [format!("{NOTICES}/north/{}/seen", NoticeId(9)), format!("{NOTICES}/south/{}/seen", NoticeId(1))] {
        assert_eq!(ann.post(&unknown, &json!({})).await.0, StatusCode::NOT_FOUND, "{unknown}");
    }
    let entries = ann.get("/api/audit").await.1["entries"].clone();
    assert!(entries.as_array().unwrap().iter().any(|entry| entry["what"] == "notice.see" && entry["who"] == ADMIN));
}
