//! The document of the interface: it has every route, and what is served has the shape that it says.

mod client;
mod shape;

use std::collections::BTreeSet;

use cloudd::{
    access::ROUTES,
    documents,
    http::document::{Answer, Operation, operations, whole},
    hub::store::Store,
};
use model::{
    Millis, NoticeId,
    config::Config,
    drill::{Drill, Function, Mark, Report, Verdict, Why},
    leaving::{Figures, Leaving, Notice, What},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use shape::Shapes;

use crate::{
    configuration::file,
    support::{ADMIN, BOX, Cloud, EPOCH, PASSWORD, Person, START, answer, closed, health, interval, north, row},
};

#[test]
fn every_route_is_in_the_document_and_nothing_else_is() {
    let known: BTreeSet<(String, &str)> =
        ROUTES.iter().map(|row| (row.method.as_str().to_lowercase(), row.path)).collect();
    let told: BTreeSet<(String, &str)> = operations().iter().map(|one| (one.method.to_owned(), one.path)).collect();
    assert_eq!(told, known);
    assert_eq!(operations().len(), known.len(), "each once");
    let names: BTreeSet<String> = operations().iter().map(Operation::name).collect();
    assert_eq!(names.len(), known.len(), "each has a name of its own");
}

#[test]
fn whatever_is_pointed_at_is_there_and_no_name_stands_for_two_shapes() {
    let document = whole();
    let shapes = Shapes(&document);
    shapes.points(&document);
    let mut seen = std::collections::BTreeMap::new();
    for operation in operations() {
        for (name, schema) in operation.takes.iter().chain(operation.answer.shape()).flat_map(|shape| shape.parts()) {
            let known = seen.entry(name.clone()).or_insert_with(|| schema.clone());
            assert_eq!(*known, schema, "two types are called {name}");
        }
    }
    assert_eq!(document["openapi"], "3.1.0");
}

/// A site with everything that can be told of one.
async fn full() -> Cloud {
    let cloud = Cloud::start().await;
    let config: Config = serde_json::from_value(file()).unwrap();
    let edited = documents::draft(&north(), &config::changes_from(&config), Millis(START)).unwrap().unwrap();
    cloud.write(move |conn| edited.store(conn, ADMIN, Millis(START))).await;
    let place = Some("hall".parse().unwrap());
    let notice = Notice { notice: NoticeId(7), at: Millis(START), what: What::EmergencyCalled, place, trunk: None };
    let drill = Drill { at: Millis(START), minutes: 5 };
    let report = Report {
        drill,
        began: drill.at,
        ended: drill.until(),
        lasted_ms: drill.until().since(drill.at),
        why: Why::Deadline,
        joined: None,
        delivered: None,
        rows: 2,
        during: None,
        before: None,
        alone: Vec::new(),
        marks: vec![Mark { function: Function::Help, verdict: Verdict::Kept }],
        told: Figures::default(),
    };
    let rows = [
        interval(0, "sales", 7),
        closed(0, 1),
        health(1),
        Leaving::Notice(notice),
        Leaving::Drill(Box::new(report)),
        // Late: a correction.
        interval(0, "sales", 9),
    ];
    let rows = (1..).zip(&rows).map(|(seq, said)| row(seq, said)).collect();
    cloud.shelf().ingest(BOX, &north(), EPOCH, rows).await.unwrap();
    cloud
        .write(|conn| {
            let bundle = db::bundle::Bundle {
                name: "box-1.2.3.raucb".into(),
                version: "1.2.3".into(),
                sha256: "ab".repeat(32),
                size: 5,
            };
            db::bundle::offer(conn, &bundle, &north(), Millis(START))
        })
        .await;
    cloud
}

/// Asks with what the document says, and holds the answer against it.
async fn ask(
    person: &Person<'_>,
    shapes: &Shapes<'_>,
    (method, path): (&str, &str),
    query: &str,
    body: Option<Value>,
) -> Value {
    let all = operations();
    let operation = all.iter().find(|one| one.method == method && one.path == path).unwrap();
    let filled = path
        .replace("{site}", "north")
        .replace("{box}", &BOX.to_string())
        .replace("{flow}", "main")
        .replace("{rollout}", "1")
        .replace("{token}", "ci")
        .replace("{notice}", &NoticeId(7).to_string())
        .replace("{login}", "beth@example.org")
        .replace("{template}", "calm");
    let request = person.request(Method::from_bytes(method.to_uppercase().as_bytes()).unwrap(), &(filled + query));
    let request = match &body {
        Some(body) => {
            let takes = operation.takes.as_ref().unwrap_or_else(|| panic!("{method} {path} takes nothing"));
            shapes.holds(&takes.schema, body, &format!("{method} {path} takes"));
            request.json(body)
        }
        None => {
            assert!(operation.takes.is_none(), "{method} {path} takes something");
            request
        }
    };
    let (status, told) = answer(request.send().await.unwrap()).await;
    match &operation.answer {
        Answer::Json(shape) => {
            assert_eq!(status, StatusCode::OK, "{method} {path}: {told}");
            shapes.holds(&shape.schema, &told, &format!("{method} {path} answers"));
        }
        Answer::Nothing => assert_eq!(status, StatusCode::NO_CONTENT, "{method} {path}: {told}"),
        Answer::Elsewhere | Answer::Socket | Answer::Text(_) => panic!("{method} {path} answers no page"),
    }
    told
}

#[tokio::test]
async fn what_every_route_takes_and_answers_has_the_shape_that_the_document_says() {
    let cloud = full().await;
    let ann = cloud.session(ADMIN, 600_000).await;
    let document = whole();
    let shapes = Shapes(&document);
    let mut asked = BTreeSet::new();
    let mut say = async |method: &'static str, path: &'static str, query: &str, body: Option<Value>| {
        asked.insert((method, path));
        ask(&ann, &shapes, (method, path), query, body).await
    };
    let wrap_up = json!([{ "set": "queue_wrap_up", "queue": "sales", "seconds": 45 }]);
    let span = format!("?from={START}&to={}", START + 3_600_000);
    say("get", "/api/me", "", None).await;
    say("get", "/api/single-sign-on", "", None).await;
    say("get", "/healthz", "", None).await;
    say("get", "/api/sites", "", None).await;
    say("put", "/api/sites/{site}/tags", "", Some(json!({ "tags": ["coast"] }))).await;
    let known = say("get", "/api/sites/{site}/config", "", None).await;
    say("post", "/api/sites/{site}/changes", "", Some(json!({ "doc": "site", "changes": wrap_up }))).await;
    say("get", "/api/sites/{site}/history", "", None).await;
    say("get", "/api/sites/{site}/blame", "?under=queues", None).await;
    say("get", "/api/sites/{site}/diff", &format!("?from={START}"), None).await;
    let history = say("get", "/api/sites/{site}/history", "?under=queues/sales", None).await;
    let undo = json!({ "doc": "site", "seq": history["entries"][0]["seq"] });
    say("post", "/api/sites/{site}/undo", "", Some(undo)).await;
    let both = json!({ "doc": "local", "changes": [{ "set": "queue_ring", "queue": "sales", "seconds": 33 }] });
    say("post", "/api/sites/{site}/changes", "", Some(both)).await;
    say("get", "/api/sites/{site}/merge", "", None).await;
    let decision = json!({ "follow_plan": { "path": "queues/sales/ring_s" } });
    say("post", "/api/sites/{site}/merge", "", Some(decision)).await;
    let mut wanted = known["config"].clone();
    wanted["queues"]["sales"]["label"] = json!("Sales and more");
    let plan = say("post", "/api/sites/{site}/plan", "", Some(json!({ "config": wanted }))).await;
    assert_ne!(plan["differences"], json!([]));
    let apply = json!({ "base": plan["base"], "config": wanted });
    say("post", "/api/sites/{site}/apply", "", Some(apply)).await;
    let flow = |label: &str| {
        json!({
            "label": label, "start": "bye", "variables": { "gold": true }, "shown": {}, "steps": { "bye": { "do": "hangup" } }
        })
    };
    let drawn = say("post", "/api/flows/print", "", Some(flow("Main"))).await;
    say("post", "/api/flows/read", "", Some(json!({ "text": drawn["text"] }))).await;
    for label in ["Main", "Other"] {
        let put = json!({ "doc": "site", "changes": [{ "set": "flow_put", "flow": "main", "value": flow(label) }] });
        say("post", "/api/sites/{site}/changes", "", Some(put)).await;
    }
    say("get", "/api/sites/{site}/flows/{flow}/versions", "", None).await;

    say("post", "/api/sites/{site}/enrolment", "", None).await;
    say("get", "/api/bundles", "", None).await;
    say("post", "/api/sites/{site}/bundle", "", Some(json!({ "sha256": "ab".repeat(32) }))).await;
    say("get", "/api/boxes", "", None).await;
    let later = cloudd::clock::now().0 + 3_600_000;
    say("put", "/api/sites/{site}/drill", "", Some(json!({ "at": later, "minutes": 5 }))).await;
    say("get", "/api/drills", "", None).await;
    say("delete", "/api/sites/{site}/drill", "", None).await;
    say("put", "/api/templates/{template}", "", Some(json!({ "label": "Calm", "changes": wrap_up }))).await;
    say("get", "/api/templates", "", None).await;
    say("delete", "/api/templates/{template}", "", None).await;
    let look = json!({ "changes": wrap_up, "sites": ["north"], "overrule": false });
    say("post", "/api/rollouts/look", "", Some(look)).await;
    let beth = json!({ "login": "beth@example.org", "role": "administrator", "sites": null });
    say("post", "/api/people", "", Some(beth)).await;
    let begin = json!({
        "label": "Calm", "changes": wrap_up, "overrule": true, "sites": ["north"], "canaries": [], "shares": [100],
        "soak_s": 1, "patience_s": 60, "wants_calls": false
    });
    let begun = say("post", "/api/rollouts", "", Some(begin)).await;
    assert_eq!(begun["awaits_second"], true);
    say("get", "/api/rollouts", "", None).await;
    asked.insert(("post", "/api/rollouts/{rollout}/agreement"));
    let second = cloud.session("beth@example.org", 600_000).await;
    ask(&second, &shapes, ("post", "/api/rollouts/{rollout}/agreement"), "", None).await;
    cloudd::rollouts::turn(&cloud.app).await.unwrap();
    let mut say = async |method: &'static str, path: &'static str, query: &str, body: Option<Value>| {
        asked.insert((method, path));
        ask(&ann, &shapes, (method, path), query, body).await
    };
    say("post", "/api/rollouts/{rollout}/say", "", Some(json!({ "say": "pause" }))).await;
    let held = say("get", "/api/rollouts", "", None).await;
    assert_eq!((&held[0]["state"], &held[0]["why"]), (&json!("held"), &json!("person")));

    say("get", "/api/figures", &format!("{span}&length_s=900"), None).await;
    let trends = format!("{span}&length_s=900&queues=sales&apart=sites");
    say("get", "/api/trends", &trends, None).await;
    say("get", "/api/corrections", "?since=0", None).await;
    say("get", "/api/notices", "", None).await;
    say("post", "/api/notices/{site}/{notice}/seen", "", None).await;
    say("get", "/api/notices", "", None).await;
    say("get", "/api/audit", "", None).await;
    say("get", "/api/people", "", None).await;
    say("put", "/api/people/{login}", "", Some(json!({ "role": "viewer", "sites": ["north"], "disabled": false })))
        .await;
    say("post", "/api/people/{login}/password", "", None).await;
    say("post", "/api/tokens", "", Some(json!({ "name": "ci", "role": "viewer", "sites": null, "days": 3 }))).await;
    say("get", "/api/tokens", "", None).await;
    say("post", "/api/tokens/{token}/revocation", "", None).await;
    say("post", "/api/boxes/{box}/revocation", "", None).await;
    say("post", "/api/session", "", Some(json!({ "login": ADMIN, "password": PASSWORD }))).await;
    let weak = json!({ "old": PASSWORD, "new": "another correct horse battery" });
    say("put", "/api/me/password", "", Some(weak)).await;
    let again = cloud.session(ADMIN, 60_000).await;
    asked.insert(("delete", "/api/session"));
    ask(&again, &shapes, ("delete", "/api/session"), "", None).await;

    let other = [Answer::Elsewhere, Answer::Socket, Answer::Text("")].map(|answer| std::mem::discriminant(&answer));
    let all = operations();
    let left = all.iter().filter(|one| !other.contains(&std::mem::discriminant(&one.answer)));
    let left: Vec<_> = left.filter(|one| !asked.contains(&(one.method, one.path))).map(Operation::name).collect();
    assert_eq!(left, Vec::<String>::new(), "nobody has asked these");
}

#[tokio::test]
async fn a_refusal_has_its_shape_and_the_document_is_served_to_anybody() {
    let cloud = Cloud::start().await;
    let document = whole();
    let served = cloud.bare(Method::GET, "/api/openapi.json").send().await.unwrap();
    assert_eq!(served.json::<Value>().await.unwrap(), document);
    let shapes = Shapes(&document);
    let fault = json!({ "$ref": "#/components/schemas/Fault" });
    let ann = cloud.session(ADMIN, 60_000).await;
    let changes = json!({ "doc": "site", "changes": [{ "set": "nothing" }] });
    for (status, told) in [
        answer(cloud.bare(Method::GET, "/api/sites").send().await.unwrap()).await,
        ann.get("/api/sites/south/config").await,
        ann.post("/api/sites/north/changes", &changes).await,
    ] {
        assert!(status.is_client_error());
        shapes.holds(&fault, &told, "a refusal");
    }
}
