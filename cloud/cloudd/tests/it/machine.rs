//! What machines ask: health, metrics, and the audit that nobody may have touched.

use cloudd::hub::store::Store;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{ADMIN, BOX, Cloud, EPOCH, PASSWORD, answer, interval, north, row};

#[tokio::test]
async fn a_well_daemon_says_so() {
    let cloud = Cloud::start().await;
    let (status, body) = answer(cloud.bare(Method::GET, "/healthz").send().await.unwrap()).await;
    assert_eq!((status, &body["well"]), (StatusCode::OK, &json!(true)));
}

#[tokio::test]
async fn metrics_count_requests_sign_ins_and_rows_and_name_nobody() {
    let cloud = Cloud::start().await;
    cloud.try_sign_in("marked.person@example.org", "wrong horse battery").await;
    cloud.try_sign_in(ADMIN, PASSWORD).await;
    cloud.bare(Method::GET, "/api/me").send().await.unwrap();
    let rows = || vec![row(1, &interval(0, "sales", 1))];
    for _ in 0..2 {
        cloud.shelf().ingest(BOX, &north(), EPOCH, rows()).await.unwrap();
    }
    let text = cloud.bare(Method::GET, "/metrics").send().await.unwrap().text().await.unwrap();
    for line in [
        "cloudd_http_requests_total{route=\"/api/me\",status=\"401\"} 1",
        "cloudd_sign_ins_total{outcome=\"refused\"} 1",
        "cloudd_sign_ins_total{outcome=\"signed_in\"} 1",
        "cloudd_outbox_rows_total{outcome=\"fresh\"} 1",
        "cloudd_outbox_rows_total{outcome=\"repeated\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    assert!(!text.contains("marked") && !text.contains('@'), "{text}");
}

#[tokio::test]
async fn the_audit_tells_what_was_done_and_when_it_was_touched() {
    let cloud = Cloud::start().await;
    let ann = cloud.sign_in(ADMIN).await;
    let (status, body) = ann.get("/api/audit").await;
    assert_eq!((status, &body["broken_at"]), (StatusCode::OK, &json!(null)));
    let newest = &body["entries"][0];
    assert_eq!((&newest["who"], &newest["what"]), (&json!(ADMIN), &json!("session.open")));
    cloud
        .write(move |conn| {
            crate::unguard(conn);
            conn.execute("UPDATE audit SET who = 'eve' WHERE seq = 1", &[])
        })
        .await;
    assert_eq!(ann.get("/api/audit").await.1["broken_at"], json!(1));
}
