//! Looking back at the configuration, taking changes back, and what both sides wrote while apart.

use cloudd::clock;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    configuration::{edited_at_the_branch, with_sales},
    support::{ADMIN, ANALYST, Cloud, Person},
};

const CONFIG: &str = "/api/sites/north/config";
const CHANGES: &str = "/api/sites/north/changes";
const HISTORY: &str = "/api/sites/north/history";
const UNDO: &str = "/api/sites/north/undo";
const MERGE: &str = "/api/sites/north/merge";
const WRAP_UP: &str = "queues/sales/wrap_up_s";

async fn wrap_up(ann: &Person<'_>, seconds: u32) {
    let change = json!({ "set": "queue_wrap_up", "queue": "sales", "seconds": seconds });
    let (status, answer) = ann.post(CHANGES, &json!({ "doc": "local", "changes": [change] })).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
}

async fn stands(who: &Person<'_>) -> Value {
    who.get(CONFIG).await.1["config"]["queues"]["sales"]["wrap_up_s"].clone()
}

#[tokio::test]
async fn every_change_is_told_field_by_field_with_who_made_it() {
    let cloud = with_sales().await;
    let (ann, ben) = (cloud.session(ADMIN, 60_000).await, cloud.session(ANALYST, 60_000).await);
    wrap_up(&ann, 45).await;
    wrap_up(&ann, 50).await;
    let told = ben.get(&format!("{HISTORY}?under={WRAP_UP}")).await.1;
    let fields: Vec<&Value> = told["entries"].as_array().unwrap().iter().map(|entry| &entry["fields"][0]).collect();
    let field = |before, after, stands| {
        let mut field = json!({ "path": WRAP_UP, "after": after, "stands": stands });
        if let Some(before) = before {
            field["before"] = json!(before);
        }
        field
    };
    let expected = [field(Some(45), 50, true), field(None, 45, false), field(None::<u32>, 20, true)];
    assert_eq!(fields, expected.iter().collect::<Vec<_>>());
    assert_eq!(told["entries"][0]["author"], json!(ADMIN));
    assert_eq!(told["entries"][2]["doc"], json!("site"));
    let all = ben.get(HISTORY).await.1;
    assert_eq!(all["more"], json!(false));
    assert!(all["entries"].as_array().unwrap().len() > 3);
    assert_eq!(ben.get(&format!("{HISTORY}?skip=1000")).await.1, json!({ "entries": [], "more": false }));
    let blame = ben.get("/api/sites/north/blame?under=queues/sales").await.1;
    let line = blame.as_array().unwrap().iter().find(|line| line["path"] == json!(WRAP_UP)).unwrap();
    assert_eq!((&line["value"], &line["author"], &line["doc"]), (&json!(50), &json!(ADMIN), &json!("local")));
    for bad in ["history?skip=x", "diff?from=x", "diff", "config?at=never"] {
        assert_eq!(ben.get(&format!("/api/sites/north/{bad}")).await.0, StatusCode::BAD_REQUEST, "{bad}");
    }
    for path in ["history", "blame", "diff?from=0", "merge", "config?at=0"] {
        assert_eq!(ben.get(&format!("/api/sites/nowhere/{path}")).await.0, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn the_configuration_of_another_moment_is_there_and_what_changed_since() {
    let cloud = with_sales().await;
    let ann = cloud.session(ADMIN, 60_000).await;
    wrap_up(&ann, 45).await;
    let between = clock::now().0;
    tokio::time::sleep(std::time::Duration::from_millis(3)).await;
    wrap_up(&ann, 50).await;
    let then = ann.get(&format!("{CONFIG}?at={between}")).await.1;
    assert_eq!(then["config"]["queues"]["sales"]["wrap_up_s"], json!(45));
    assert_eq!(stands(&ann).await, json!(50));
    let diff = ann.get(&format!("/api/sites/north/diff?from={between}")).await.1;
    assert_eq!(diff["differences"], json!([{ "path": WRAP_UP, "before": 45, "after": 50 }]));
    let before = ann.get(&format!("{CONFIG}?at=0")).await.1;
    assert_eq!(before["findings"][0]["severity"], json!("warning"));
    assert_eq!(before["config"]["queues"], json!({}));
}

#[tokio::test]
async fn an_undo_gives_back_what_stood_and_tells_what_it_left() {
    let cloud = with_sales().await;
    let (ann, ben) = (cloud.session(ADMIN, 60_000).await, cloud.session(ANALYST, 60_000).await);
    wrap_up(&ann, 45).await;
    let change = json!({ "doc": "local", "seq": 1 });
    assert_eq!(ben.post(UNDO, &change).await.0, StatusCode::FORBIDDEN);
    let (status, answer) = ann.post(UNDO, &change).await;
    assert_eq!((status, &answer["undone"]), (StatusCode::OK, &json!({ "restored": [WRAP_UP], "left": [] })));
    assert_eq!(stands(&ann).await, json!(20), "the plan counts again");
    let history = ann.get(HISTORY).await.1;
    assert_eq!(history["entries"][0]["change"], json!({ "undo": { "doc": "local", "seq": 1 } }));
    assert_eq!(ann.get("/api/audit").await.1["entries"][0]["what"], json!("config.undo"));
    // Somebody wrote since.
    wrap_up(&ann, 60).await;
    wrap_up(&ann, 61).await;
    let (_, answer) = ann.post(UNDO, &json!({ "doc": "local", "seq": 3 })).await;
    assert_eq!(answer["undone"]["restored"], json!([]));
    assert_eq!(answer["undone"]["left"][0]["by"]["seq"], json!(4));
    assert_eq!(stands(&ann).await, json!(61));
    assert_eq!(ann.post(UNDO, &json!({ "doc": "local", "seq": 99 })).await.0, StatusCode::NOT_FOUND);
    assert_eq!(ann.post(UNDO, &json!({ "doc": "org", "seq": 1 })).await.0, StatusCode::UNPROCESSABLE_ENTITY);
}

/// Two hours ago the branch wrote 33, a moment ago the centre wrote 45, and now they meet.
async fn met() -> Cloud {
    let cloud = with_sales().await;
    let ann = cloud.session(ADMIN, 60_000).await;
    wrap_up(&ann, 45).await;
    edited_at_the_branch(&cloud, 33, clock::now().0 - 7_200_000).await;
    cloud
}

#[tokio::test]
async fn what_both_wrote_while_apart_waits_for_somebody_who_decides() {
    let cloud = met().await;
    let (ann, ben) = (cloud.session(ADMIN, 60_000).await, cloud.session(ANALYST, 60_000).await);
    let told = ben.get(MERGE).await.1;
    let waits = &told["waiting"][0];
    assert_eq!((&waits["path"], &waits["rule"]), (&json!(WRAP_UP), &json!("ask")));
    let branch = waits["said"].as_array().unwrap().iter().find(|said| said["side"] == json!("branch")).unwrap();
    assert_eq!(branch["value"], json!(33));
    let meeting = &told["meetings"][0];
    assert_eq!((meeting["branch"].as_array().unwrap().len(), meeting["centre"].as_array().unwrap().len()), (1, 1));
    let decision = json!({ "take": { "path": WRAP_UP, "seq": branch["seq"] } });
    assert_eq!(ben.post(MERGE, &decision).await.0, StatusCode::FORBIDDEN);
    let (status, answer) = ann.post(MERGE, &decision).await;
    assert_eq!((status, &answer["findings"]), (StatusCode::OK, &json!([])), "{answer}");
    assert_eq!(stands(&ann).await, json!(33));
    let told = ann.get(MERGE).await.1;
    assert_eq!(told["waiting"], json!([]));
    assert_eq!(told["meetings"][0]["outcomes"][0]["decided"]["author"], json!(ADMIN));
    // The branch now differs from the plan, until the plan is to count.
    assert_eq!(told["differs"][0]["kept"], json!(33));
    assert_eq!(ann.post(MERGE, &json!({ "follow_plan": { "path": WRAP_UP } })).await.0, StatusCode::OK);
    assert_eq!(stands(&ann).await, json!(20));
    assert_eq!(ann.get(MERGE).await.1["differs"], json!([]));
    let unknown = json!({ "take": { "path": WRAP_UP, "seq": 77 } });
    assert_eq!(ann.post(MERGE, &unknown).await.0, StatusCode::NOT_FOUND);
}
