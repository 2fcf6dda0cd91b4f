//! Figures with their completeness.

use cloudd::hub::store::Store;
use reqwest::StatusCode;
use serde_json::json;

use crate::support::{ANALYST, BOX, Cloud, EPOCH, START, health, interval, north, row};

#[tokio::test]
async fn figures_are_summed_and_say_how_complete_they_are() {
    let cloud = Cloud::start().await;
    let ben = cloud.session(ANALYST, 60_000).await;
    let rows = vec![row(1, &interval(0, "sales", 3)), row(2, &interval(1, "sales", 4)), row(3, &health(4))];
    cloud.shelf().ingest(BOX, &north(), EPOCH, rows).await.unwrap();
    let path = format!("/api/figures?from={START}&to={}&length_s=3600", START + 3_600_000);
    let (status, body) = ben.get(&path).await;
    assert_eq!(status, StatusCode::OK);
    let cell = &body["figures"][0];
    assert_eq!((&cell["site"], &cell["queue"], &cell["length_s"]), (&json!("north"), &json!("sales"), &json!(3600)));
    assert_eq!((&cell["figures"]["offered"], &cell["start"]), (&json!(7), &json!(START)));
    assert_eq!(body["completeness"], json!({ "north": 0.5 }));
    let rows = vec![row(4, &interval(2, "sales", 0)), row(5, &interval(3, "sales", 0))];
    cloud.shelf().ingest(BOX, &north(), EPOCH, rows).await.unwrap();
    assert_eq!(ben.get(&path).await.1["completeness"], json!({ "north": 1.0 }));
}

#[tokio::test]
async fn a_site_that_closed_nothing_yet_has_no_completeness() {
    let cloud = Cloud::start().await;
    let ben = cloud.session(ANALYST, 60_000).await;
    let path = format!("/api/figures?from={START}&to={}&length_s=900", START + 1);
    assert_eq!(ben.get(&path).await.1, json!({ "figures": [], "completeness": { "north": null } }));
}

#[tokio::test]
async fn a_question_that_cannot_be_answered_names_what_is_wrong() {
    let cloud = Cloud::start().await;
    let ben = cloud.session(ANALYST, 60_000).await;
    for (query, expected, words) in [
        ("to=1&length_s=900", 400, "from is missing"),
        ("from=x&to=1&length_s=900", 400, "from is not"),
        ("from=2&to=1&length_s=900", 422, "from must be before to"),
        ("from=-5&to=1&length_s=900", 422, "1970"),
        ("from=0&to=1&length_s=0", 422, "length_s"),
        ("from=0&to=9223372036854775807&length_s=60", 422, "more than"),
    ] {
        let (status, body) = ben.get(&format!("/api/figures?{query}")).await;
        assert_eq!(status.as_u16(), expected, "{query}");
        assert!(body["error"]["message"].as_str().unwrap().contains(words), "{query}: {body}");
    }
}
