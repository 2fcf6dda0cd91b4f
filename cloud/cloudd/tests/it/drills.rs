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
async fn one_that_runs_is_not_touched_from_the_centre_and_nonsense_is_refused() {
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
    assert_eq!(call_off(&ann).await, StatusCode::CONFLICT);
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
        why: Why::Deadline,
        joined: Some(drill.until()),
        delivered: Some(drill.until()),
        rows: 2,
        during: None,
        before: None,
        alone: Vec::new(),
        marks: vec![Mark { function: Function::Help, verdict: Verdict::Kept }],
        told: Figures { offered: told, ..Figures::default() },
    };
    let said = |told| Leaving::Drill(Box::new(report(told)));
    let rows = vec![row(1, &closed(0, 1)), row(2, &said(0))];
    cloud.shelf().ingest(BOX, &north(), EPOCH, rows).await.unwrap();
    let ben = cloud.session(ANALYST, 60_000).await;
    let seen = ben.get("/api/drills").await.1;
    let first = &seen["reports"][0];
    assert_eq!((&first["site"], &first["passed"], &first["whole"]), (&json!("north"), &json!(true), &json!(true)));
    assert_eq!(first["report"]["marks"], json!([{ "function": "help", "verdict": "kept" }]));
    cloud.shelf().ingest(BOX, &north(), EPOCH, vec![row(3, &said(4))]).await.unwrap();
    let again = ben.get("/api/drills").await.1["reports"].clone();
    assert_eq!(
        (again.as_array().unwrap().len(), &again[0]["equal"], &again[0]["passed"]),
        (1, &json!(false), &json!(false))
    );
}
