//! Outage drills at the console: ordered for a site, called off, and reported of.

use cloudd::{clock, documents, hub::store::Store};
use db::user::{Role, Scope, User};
use model::{
    Millis,
    config::Config,
    drill::{Drill, Function, Mark, Report, Verdict, Why},
    leaving::{Figures, Leaving},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    configuration::file,
    support::{ADMIN, ANALYST, BOX, Cloud, EPOCH, Person, START, answer, closed, north, row},
};

const MINUTE: i64 = 60_000;

/// The site `north` with a configuration.
async fn cloud() -> Cloud {
    let cloud = Cloud::start().await;
    let config: Config = serde_json::from_value(file()).unwrap();
    let edited = documents::draft(&north(), &config::changes_from(&config), Millis(START)).unwrap().unwrap();
    cloud.write(move |conn| edited.store(conn, "cloudd", Millis(START))).await;
    cloud
}

async fn order(person: &Person<'_>, body: &Value) -> (StatusCode, Value) {
    let request = person.request(Method::PUT, "/api/sites/north/drill").json(body);
    answer(request.send().await.unwrap()).await
}

async fn call_off(person: &Person<'_>) -> StatusCode {
    person.request(Method::DELETE, "/api/sites/north/drill").send().await.unwrap().status()
}

#[tokio::test]
async fn a_drill_is_ordered_replaced_and_called_off_and_each_is_in_the_audit() {
    let cloud = cloud().await;
    let ann = cloud.session(ADMIN, 60_000).await;
    assert_eq!(call_off(&ann).await, StatusCode::NO_CONTENT, "there is none");
    let later = clock::now().0 + 60 * MINUTE;
    for at in [later, later + MINUTE] {
        let (status, told) = order(&ann, &json!({ "at": at, "minutes": 30 })).await;
        assert_eq!((status, told), (StatusCode::OK, json!({ "at": at, "minutes": 30 })));
    }
    let (_, seen) = ann.get("/api/drills").await;
    let ordered = json!([{
        "site": "north", "label": "North", "drill": { "at": later + MINUTE, "minutes": 30 },
        "until": later + 31 * MINUTE, "apart": false,
    }]);
    assert_eq!(seen, json!({ "ordered": ordered, "reports": [] }));
    assert_eq!(call_off(&ann).await, StatusCode::NO_CONTENT);
    assert_eq!(ann.get("/api/drills").await.1["ordered"], json!([]));
    let (_, audit) = ann.get("/api/audit").await;
    let told = audit.to_string();
    assert_eq!((told.matches("drill.order").count(), told.matches("drill.call_off").count()), (2, 1), "{told}");
}

#[tokio::test]
async fn one_that_runs_is_followed_by_no_other_but_may_be_called_off_and_nonsense_is_refused() {
    let cloud = cloud().await;
    let ann = cloud.session(ADMIN, 60_000).await;
    let far = clock::now().0 + 61 * 24 * 60 * MINUTE;
    for body in [json!({ "minutes": 0 }), json!({ "minutes": 481 }), json!({ "at": far, "minutes": 5 })] {
        assert_eq!(order(&ann, &body).await.0, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
    }
    let (status, told) = order(&ann, &json!({ "minutes": 5 })).await;
    assert_eq!(status, StatusCode::OK, "{told}");
    assert_eq!(ann.get("/api/drills").await.1["ordered"][0]["apart"], true, "no box is linked");
    assert_eq!(order(&ann, &json!({ "minutes": 7 })).await.0, StatusCode::CONFLICT);
    assert_eq!(call_off(&ann).await, StatusCode::NO_CONTENT, "the branch ends it as soon as it hears of it");
    assert_eq!(ann.get("/api/drills").await.1["ordered"], json!([]));
    assert!(ann.get("/api/audit").await.1.to_string().contains("drill.call_off"));
}

#[tokio::test]
async fn a_supervisor_orders_for_an_own_site_and_an_analyst_for_none() {
    let cloud = cloud().await;
    let of = |login: &str, site: &str| User {
        login: login.into(),
        password: String::new(),
        role: Role::Supervisor,
        scope: Scope::Sites([site.parse().unwrap()].into()),
    };
    let (own, other) = (of("sue@example.org", "north"), of("tim@example.org", "south"));
    cloud
        .write(move |conn| {
            db::user::add(conn, &own, Millis(START))?;
            db::user::add(conn, &other, Millis(START))
        })
        .await;
    let body = json!({ "at": clock::now().0 + 60 * MINUTE, "minutes": 5 });
    let try_as = async |login| order(&cloud.session(login, 60_000).await, &body).await.0;
    assert_eq!(try_as("sue@example.org").await, StatusCode::OK);
    assert_eq!(try_as("tim@example.org").await, StatusCode::NOT_FOUND);
    assert_eq!(try_as(ANALYST).await, StatusCode::FORBIDDEN);
    let seen = cloud.session("tim@example.org", 60_000).await.get("/api/drills").await.1;
    assert_eq!(seen, json!({ "ordered": [], "reports": [] }));
}

#[tokio::test]
async fn what_a_box_reports_is_shown_with_what_is_judged_here() {
    let cloud = cloud().await;
    let drill = Drill { at: Millis(START + MINUTE), minutes: 5 };
    let report = |told| Report {
        drill,
        began: drill.at,
        ended: drill.until(),
        lasted_ms: 300_000,
        why: Why::Deadline,
        joined: Some(drill.until()),
        delivered: Some(drill.until()),
        rows: 2,
        during: None,
        before: None,
        alone: Vec::new(),
        marks: Function::ALL.map(|function| Mark { function, verdict: Verdict::Kept }).to_vec(),
        told: Figures { offered: told, ..Figures::default() },
    };
    let said = |told| Leaving::Drill(Box::new(report(told)));
    let rows = vec![row(1, &closed(0, 1)), row(2, &said(0))];
    cloud.shelf().ingest(BOX, &north(), EPOCH, rows).await.unwrap();
    let ben = cloud.session(ANALYST, 60_000).await;
    let seen = ben.get("/api/drills").await.1;
    let first = &seen["reports"][0];
    assert_eq!((&first["site"], &first["outcome"], &first["whole"]), (&json!("north"), &json!("passed"), &json!(true)));
    assert_eq!(first["report"]["marks"][7], json!({ "function": "help", "verdict": "kept" }));
    cloud.shelf().ingest(BOX, &north(), EPOCH, vec![row(3, &said(4))]).await.unwrap();
    let again = ben.get("/api/drills").await.1["reports"].clone();
    assert_eq!(
        (again.as_array().unwrap().len(), &again[0]["equal"], &again[0]["outcome"]),
        (1, &json!(false), &json!("not_passed"))
    );
}

/// What the box at `north` says of a drill that did not run.
fn not_run(drill: Drill) -> Leaving {
    Leaving::Drill(Box::new(Report {
        drill,
        began: drill.at,
        ended: drill.at,
        lasted_ms: 0,
        why: Why::NotRunDisk,
        joined: None,
        delivered: None,
        rows: 0,
        during: None,
        before: None,
        alone: Vec::new(),
        marks: Vec::new(),
        told: Figures::default(),
    }))
}

#[tokio::test]
async fn an_order_is_over_once_its_report_is_here() {
    let cloud = cloud().await;
    let ann = cloud.session(ADMIN, 60_000).await;
    let (_, told) = order(&ann, &json!({ "minutes": 300 })).await;
    let drill: Drill = serde_json::from_value(told).unwrap();
    let later = json!({ "at": clock::now().0 + 600 * MINUTE, "minutes": 5 });
    assert_eq!(order(&ann, &later).await.0, StatusCode::CONFLICT, "its report is outstanding");
    cloud.shelf().ingest(BOX, &north(), EPOCH, vec![row(1, &not_run(drill))]).await.unwrap();
    assert_eq!(ann.get("/api/drills").await.1["ordered"], json!([]));
    assert_eq!(order(&ann, &later).await.0, StatusCode::OK);
}

#[tokio::test]
async fn no_other_way_leads_to_a_drill_past_its_checks() {
    let cloud = cloud().await;
    let ann = cloud.session(ADMIN, 60_000).await;
    let at = clock::now().0 + 60 * MINUTE;
    let change = json!({ "set": "site_drill", "drill": { "at": at, "minutes": 5 } });
    let body = json!({ "doc": "local", "changes": [change] });
    let (status, _) =
        answer(ann.request(Method::POST, "/api/sites/north/changes").json(&body).send().await.unwrap()).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    // Nor does taking back that it was called off.
    order(&ann, &json!({ "at": at, "minutes": 5 })).await;
    call_off(&ann).await;
    let history = ann.get("/api/sites/north/history").await.1;
    let last = &history["entries"][0];
    let body = json!({ "doc": last["doc"], "seq": last["seq"] });
    let asked = ann.request(Method::POST, "/api/sites/north/undo").json(&body).send().await.unwrap();
    let (status, told) = answer(asked).await;
    assert_eq!((status, &told["undone"]["restored"]), (StatusCode::OK, &json!([])), "{told} {history}");
    assert_eq!(ann.get("/api/drills").await.1["ordered"], json!([]));
}
