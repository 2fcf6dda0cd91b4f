//! Editing a site's configuration from the console.

use cloudd::{
    documents,
    hub::store::{ConfigChange, Store},
};
use model::{
    Millis,
    change::{Change, Doc},
    config::Config,
};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{ADMIN, ANALYST, BOX, Cloud, START, north};

const CONFIG: &str = "/api/sites/north/config";
const CHANGES: &str = "/api/sites/north/changes";

/// The same with what it leaves out.
fn whole() -> Value {
    let config: Config = serde_json::from_value(file()).unwrap();
    json!(config)
}

/// A site as `cloudd site add` takes it.
pub fn file() -> Value {
    json!({
        "site": { "id": "north", "label": "North", "time_zone": "Europe/Berlin", "emergency": ["112"], "outward": null },
        "queues": { "sales": {
            "label": "Sales", "skills": {}, "music": "waltz", "position_every_s": 30, "ring_s": 15, "wrap_up_s": 20,
            "service_level_s": 20, "hours": null, "recorded": true,
            "overflow": { "locality": "local_only", "after_s": 20, "to": [] }
        } },
        "agents": { "a1": { "badge": "A1", "phone": "201", "skills": {}, "queues": ["sales"] } },
        "phones": { "201": { "label": "Desk 1" } },
        "trunks": {}, "numbers": {}, "flows": {}, "hours": {}
    })
}

pub async fn with_sales() -> Cloud {
    let cloud = Cloud::start().await;
    let config: Config = serde_json::from_value(file()).unwrap();
    let edited = documents::draft(&north(), &config::changes_from(&config), Millis(START)).unwrap().unwrap();
    cloud.write(move |conn| edited.store(conn, "cloudd", Millis(START))).await;
    cloud
}

fn wrap_up(seconds: u32) -> Value {
    json!({ "doc": "local", "changes": [{ "set": "queue_wrap_up", "queue": "sales", "seconds": seconds }] })
}

#[tokio::test]
async fn an_edit_is_seen_by_everybody_and_told_in_the_history() {
    let cloud = with_sales().await;
    let (ann, ben) = (cloud.session(ADMIN, 60_000).await, cloud.session(ANALYST, 60_000).await);
    let before = ben.get(CONFIG).await.1;
    assert_eq!(before["config"], whole(), "the file is what the site runs by");
    let (status, answer) = ann.post(CHANGES, &wrap_up(45)).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let after = ben.get(CONFIG).await.1;
    assert_eq!(after["config"]["queues"]["sales"]["wrap_up_s"], json!(45));
    assert_eq!(after["heads"], answer["heads"]);
    assert_ne!(after["heads"], before["heads"]);
    let history = ben.get("/api/sites/north/history").await.1;
    let line = &history["entries"][0];
    assert_eq!((&line["author"], &line["change"]["set"]), (&json!(ADMIN), &json!("queue_wrap_up")));
    let audit = ann.get("/api/audit").await.1;
    assert_eq!(audit["entries"][0]["what"], json!("config.change"));
}

#[tokio::test]
async fn the_same_edit_again_changes_nothing() {
    let cloud = with_sales().await;
    let ann = cloud.session(ADMIN, 60_000).await;
    let first = ann.post(CHANGES, &wrap_up(45)).await.1;
    let again = ann.post(CHANGES, &wrap_up(45)).await.1;
    assert_eq!(first, again);
    let history = ann.get("/api/sites/north/history?under=queues/sales/wrap_up_s").await.1;
    assert_eq!(history["entries"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_bad_edit_names_the_field_and_its_place_and_none_of_the_others_is_made() {
    let cloud = with_sales().await;
    let ann = cloud.session(ADMIN, 60_000).await;
    let before = ann.get(CONFIG).await.1;
    let good = json!({ "set": "queue_ring", "queue": "sales", "seconds": 20 });
    let cases = [
        (json!({ "set": "queue_wrap_up", "queue": "sales", "seconds": 99_999 }), "wrap_up_s"),
        (json!({ "set": "queue_wrap_up", "queue": "sales" }), "seconds"),
        (json!({ "set": "queue_wrapup", "queue": "sales", "seconds": 5 }), "queue_wrapup"),
        (json!({ "set": "queue_wrap_up", "queue": "No Such", "seconds": 5 }), "No Such"),
        (json!({ "set": "queue_wrap_up", "queue": "service", "seconds": 5 }), "service"),
        (json!({ "set": "queue_hours", "queue": "sales", "hours": "none" }), "none"),
        (json!(7), "7"),
    ];
    for (bad, names) in cases {
        let (status, answer) = ann.post(CHANGES, &json!({ "doc": "local", "changes": [good, bad] })).await;
        assert_eq!((status, &answer["index"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!(1)), "{bad}: {answer}");
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains(names), "{bad}: {message}");
    }
    assert_eq!(ann.get(CONFIG).await.1, before);
    let org = json!({ "doc": "org", "changes": [] });
    assert_eq!(ann.post(CHANGES, &org).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    let many = json!({ "doc": "local", "changes": vec![good; 501] });
    assert_eq!(ann.post(CHANGES, &many).await.0, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn an_analyst_edits_nothing() {
    let cloud = with_sales().await;
    let ben = cloud.session(ANALYST, 60_000).await;
    assert_eq!(ben.post(CHANGES, &wrap_up(45)).await.0, StatusCode::FORBIDDEN);
    assert_eq!(ben.get(CONFIG).await.1["config"], whole());
}

#[tokio::test]
async fn edits_at_once_are_all_made() {
    let cloud = with_sales().await;
    let ann = cloud.session(ADMIN, 60_000).await;
    let edits = [
        json!({ "set": "queue_wrap_up", "queue": "sales", "seconds": 41 }),
        json!({ "set": "queue_ring", "queue": "sales", "seconds": 42 }),
        json!({ "set": "queue_service_level", "queue": "sales", "seconds": 43 }),
        json!({ "set": "queue_position_every", "queue": "sales", "seconds": 44 }),
    ];
    let posts = edits.map(|change| json!({ "doc": "site", "changes": [change] }));
    let posts = futures_util::future::join_all(posts.iter().map(|body| ann.post(CHANGES, body))).await;
    assert!(posts.iter().all(|(status, _)| *status == StatusCode::OK), "{posts:?}");
    let sales = &ann.get(CONFIG).await.1["config"]["queues"]["sales"];
    let fields =
        ["wrap_up_s", "ring_s", "service_level_s", "position_every_s"].map(|field| sales[field].as_u64().unwrap());
    assert_eq!(fields, [41, 42, 43, 44]);
}

/// The branch has the centre's documents and edits its own, without having heard of what the centre wrote there.
pub async fn edited_at_the_branch(cloud: &Cloud, wrap_up: u32, at: i64) -> config::Documents {
    let shelf = cloud.shelf();
    let mut branch = config::Documents::new(north(), [9; 16]);
    let site = shelf.config_changes(&north(), Doc::Site, 0).await.unwrap();
    branch.document_mut(Doc::Site).load(site.iter().map(|kept| kept.change.bytes.as_slice())).unwrap();
    let deps = branch.document(Doc::Local).heads().0;
    let edit = Change::QueueWrapUp { queue: "sales".parse().unwrap(), seconds: wrap_up };
    let bytes = branch.edit(Doc::Local, &edit, config::Author::Branch, Millis(at)).unwrap().unwrap();
    let hash = branch.document(Doc::Local).heads().0[0];
    shelf.config_append(&north(), Doc::Local, vec![ConfigChange { hash, deps, bytes }]).await.unwrap();
    branch
}

#[tokio::test]
async fn a_branchs_own_edit_shows_in_the_console() {
    let cloud = with_sales().await;
    let ann = cloud.session(ADMIN, 60_000).await;
    let branch = edited_at_the_branch(&cloud, 33, START).await;
    let seen = ann.get(CONFIG).await.1;
    assert_eq!(seen["config"]["queues"]["sales"]["wrap_up_s"], json!(33));
    assert_eq!(seen["heads"], json!(config::effective(&branch).heads), "both sides name the same state");
    let line = &ann.get("/api/sites/north/history").await.1["entries"][0];
    assert_eq!((&line["side"], &line["author"], &line["written"]), (&json!("branch"), &Value::Null, &json!(START)));
}

#[tokio::test]
async fn an_edit_is_pending_until_the_box_shares_it() {
    let cloud = with_sales().await;
    let ann = cloud.session(ADMIN, 60_000).await;
    assert_eq!(ann.get(CONFIG).await.1["pending"], json!(true));
    let shelf = cloud.shelf();
    // A box that syncs with the cloud until neither has anything to say.
    let mut centre = config::Documents::new(north(), [8; 16]);
    let mut branch = config::Documents::new(north(), [9; 16]);
    let kept = shelf.config_changes(&north(), Doc::Site, 0).await.unwrap();
    centre.document_mut(Doc::Site).load(kept.iter().map(|kept| kept.change.bytes.as_slice())).unwrap();
    let mut at_cloud = centre.site.sync_begin(config::Peer::Box);
    let mut at_box = branch.site.sync_begin(config::Peer::Cloud);
    for _ in 0..10 {
        if let Some(message) = centre.site.generate(&mut at_cloud) {
            branch.site.receive(&mut at_box, &message).unwrap();
        }
        if let Some(message) = branch.site.generate(&mut at_box) {
            centre.site.receive(&mut at_cloud, &message).unwrap();
        }
    }
    shelf.sync_state_put(BOX, Doc::Site, at_cloud.encode()).await.unwrap();
    assert_eq!(ann.get(CONFIG).await.1["pending"], json!(false));
    let site = json!({ "doc": "site", "changes": [{ "set": "queue_ring", "queue": "sales", "seconds": 20 }] });
    ann.post(CHANGES, &site).await;
    assert_eq!(ann.get(CONFIG).await.1["pending"], json!(true));
}

#[tokio::test]
async fn the_list_of_sites_says_what_is_known_and_no_more() {
    let cloud = with_sales().await;
    let ben = cloud.session(ANALYST, 60_000).await;
    let (status, sites) = ben.get("/api/sites").await;
    assert_eq!(status, StatusCode::OK);
    let expected = json!([{
        "site": "north", "label": "North", "tags": [], "drill": null, "drill_apart": false, "linked": false, "last_heard_ms_ago": null,
        "data_age_s": null, "completeness": 0.0, "software": null, "health": null,
        "findings": { "repaired": 0, "warning": 0, "fatal": 0 }
    }]);
    assert_eq!(sites, expected);
    let rows = vec![crate::support::row(1, &crate::support::health(4))];
    cloud.shelf().ingest(BOX, &north(), crate::support::EPOCH, rows).await.unwrap();
    let site = &ben.get("/api/sites").await.1[0];
    assert_eq!((&site["software"], &site["completeness"]), (&json!("1.2.3"), &json!(0.0)));
    assert_eq!(site["health"]["phones_registered"], json!(4));
    assert!(site["data_age_s"].as_u64().unwrap() < 60, "{site}");
}

#[tokio::test]
async fn a_flow_is_written_as_text_published_replaced_and_rolled_back_to() {
    let cloud = with_sales().await;
    let ann = cloud.session(ADMIN, 60_000).await;
    let text = "label: Main\nstart: hello\nsteps:\n  hello: { do: play, prompt: hello, next: sales }\n  sales: { do: queue, queue: sales }\n";
    let (status, read) = ann.post("/api/flows/read", &json!({ "text": text })).await;
    assert_eq!((status, &read["found"]), (StatusCode::OK, &json!([])), "{read}");
    assert_eq!(read["ends"], json!([{ "at": "sales", "road": ["hello", "sales"] }]));
    let (_, printed) = ann.post("/api/flows/print", &read["flow"]).await;
    let again = ann.post("/api/flows/read", &json!({ "text": printed["text"] })).await.1;
    assert_eq!(again["flow"], read["flow"]);
    let publish =
        |value: &Value| json!({ "doc": "site", "changes": [{ "set": "flow_put", "flow": "main", "value": value }] });
    assert_eq!(ann.post(CHANGES, &publish(&read["flow"])).await.0, StatusCode::OK);
    let mut second = read["flow"].clone();
    second["label"] = json!("Second");
    assert_eq!(ann.post(CHANGES, &publish(&second)).await.0, StatusCode::OK);
    let versions = ann.get("/api/sites/north/flows/main/versions").await.1;
    assert_eq!(versions[0]["flow"], read["flow"]);
    let back = json!({ "set": "flow_roll_back", "flow": "main", "replaced": versions[0]["replaced"] });
    assert_eq!(ann.post(CHANGES, &json!({ "doc": "site", "changes": [back] })).await.0, StatusCode::OK);
    assert_eq!(ann.get(CONFIG).await.1["config"]["flows"]["main"], read["flow"]);
    let versions = ann.get("/api/sites/north/flows/main/versions").await.1;
    assert_eq!(versions[1]["flow"]["label"], "Second");
}

#[tokio::test]
async fn a_flow_that_leads_nowhere_is_refused_with_the_road_to_the_fault() {
    let cloud = with_sales().await;
    let ann = cloud.session(ADMIN, 60_000).await;
    let flow = json!({ "label": "Main", "start": "a", "steps": { "a": { "do": "play", "prompt": "p", "next": "b" }, "b": { "do": "play", "prompt": "p", "next": "c" } } });
    let (_, looked) = ann.post("/api/flows/print", &flow).await;
    let problem = json!({ "is": "flow", "fault": "dangling", "to": "c", "road": ["a", "b"] });
    assert_eq!(looked["found"], json!([{ "at": "b", "grave": true, "problem": problem }]), "{looked}");
    let put = json!({ "doc": "site", "changes": [{ "set": "flow_put", "flow": "main", "value": flow }] });
    let (status, refused) = ann.post(CHANGES, &put).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{refused}");
    assert!(refused["error"]["message"].as_str().is_some_and(|why| why.contains("a > b")), "{refused}");
    let (status, refused) = ann.post("/api/flows/read", &json!({ "text": "label: [" })).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{refused}");
}
