//! The auditor's page: a supervisor reads what left, an agent does not.

use serde_json::{Value, json};

use crate::rig::Rig;

#[tokio::test]
async fn a_supervisor_reads_what_left_and_takes_it_along() {
    let rig = Rig::start().await;
    let cookie = rig.sign_in("zhao").await;
    let get = |path: &'static str| rig.get(path).header("cookie", &cookie).send();
    let sums: Value = get("/api/egress?from=0&until=2000").await.unwrap().json().await.unwrap();
    assert_eq!(sums["classes"], json!([["health", 2, 180]]));
    assert_eq!((&sums["cloud"]["line"], &sums["customer"]), (&json!(1), &Value::Null));
    let sums: Value = get("/api/egress?from=2000&until=3000").await.unwrap().json().await.unwrap();
    assert_eq!(sums["classes"], json!([]));
    let lines: Value = get("/api/egress/lines?from=0&until=2000&before=1").await.unwrap().json().await.unwrap();
    assert_eq!((&lines[0]["line"], &lines[0]["said"]["item"]), (&json!(0), &json!("health")));
    let file = get("/api/egress/file").await.unwrap();
    assert!(file.headers()["content-disposition"].to_str().unwrap().contains("egress.jsonl"));
    assert_eq!(file.text().await.unwrap(), "{\"line\":0}\n");
    assert_eq!(get("/api/egress?from=yesterday&until=0").await.unwrap().status(), 400);
}

#[tokio::test]
async fn an_agent_does_not() {
    let rig = Rig::start().await;
    let cookie = rig.sign_in("li").await;
    for path in ["/api/egress?from=0&until=1", "/api/egress/lines?from=0&until=1", "/api/egress/file"] {
        assert_eq!(rig.get(path).header("cookie", &cookie).send().await.unwrap().status(), 403, "{path}");
        assert_eq!(rig.get(path).send().await.unwrap().status(), 401, "{path}");
    }
}
