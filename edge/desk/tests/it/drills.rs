//! Outage drills at the desk: a supervisor reads what came of them, an agent does not.

use model::{
    Millis,
    drill::{Calls, Drill, Function, Mark, Report, Verdict, Why},
    leaving::Figures,
};
use serde_json::{Value, json};

use crate::rig::Rig;

pub fn report() -> Report {
    let calls = |offered| Some(Calls { offered, answered: offered, ..Calls::default() });
    Report {
        drill: Drill { at: Millis(1_000), minutes: 5 },
        began: Millis(1_000),
        ended: Millis(301_000),
        lasted_ms: 300_000,
        why: Why::Deadline,
        joined: Some(Millis(302_000)),
        delivered: None,
        rows: 3,
        during: calls(4),
        before: calls(5),
        alone: Vec::new(),
        marks: vec![Mark { function: Function::Delivery, verdict: Verdict::Broken }],
        told: Figures::default(),
    }
}

#[tokio::test]
async fn a_supervisor_reads_what_came_of_drills_with_their_calls_and_an_agent_does_not() {
    let rig = Rig::start().await;
    let cookie = rig.sign_in("zhao").await;
    let told: Value = rig.get("/api/drills").header("cookie", &cookie).send().await.unwrap().json().await.unwrap();
    assert_eq!(told["ordered"], Value::Null);
    let first = &told["reports"][0];
    assert_eq!(first["outcome"], "not_passed");
    assert_eq!((&first["during"]["offered"], &first["delivered"]), (&json!(4), &Value::Null));
    assert_eq!(first["marks"], json!([{ "function": "delivery", "verdict": "broken" }]));
    let cookie = rig.sign_in("li").await;
    assert_eq!(rig.get("/api/drills").header("cookie", &cookie).send().await.unwrap().status(), 403);
    assert_eq!(rig.get("/api/drills").send().await.unwrap().status(), 401);
}
