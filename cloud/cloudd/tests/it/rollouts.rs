//! Changes of many sites at once: looked at first, rolled out wave after wave, and taken back by themselves.

use std::sync::Arc;

use cloudd::{
    app::App,
    clock, documents,
    hub::{Presence, store::Store},
    rollouts, settings,
};
use db::change::Of;
use model::{
    BoxId, Millis, SiteId,
    change::Doc,
    config::Config,
    leaving::{Fare, Leaving, Running},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    configuration::file,
    support::{ADMIN, ANALYST, Cloud, EPOCH, Person, START, answer, row, token},
};

const SITES: [&str; 3] = ["canary", "east", "west"];
const BETH: &str = "beth@example.org";

fn site(name: &str) -> SiteId {
    name.parse().unwrap()
}

fn box_of(name: &str) -> BoxId {
    BoxId(100 + SITES.iter().position(|site| *site == name).unwrap() as u128)
}

/// Three more sites with a queue, each with a box that is linked.
async fn fleet() -> Cloud {
    let cloud = Cloud::start().await;
    for name in SITES {
        let mut file = file();
        file["site"]["id"] = json!(name);
        let config: Config = serde_json::from_value(file).unwrap();
        let edited = documents::draft(&site(name), &config::changes_from(&config), Millis(START)).unwrap().unwrap();
        cloud
            .write(move |conn| {
                db::site::add(conn, &site(name), Millis(START))?;
                db::boxes::add(conn, box_of(name), &site(name), Millis(START))?;
                edited.store(conn, "cloudd", Millis(START))
            })
            .await;
    }
    let beth = db::user::User {
        login: BETH.into(),
        password: String::new(),
        role: db::user::Role::Administrator,
        scope: db::user::Scope::All,
    };
    cloud.write(move |conn| db::user::add(conn, &beth, Millis(START))).await;
    link(&cloud.app, &SITES);
    cloud
}

fn link(app: &App, names: &[&str]) {
    let presence = |name: &&str| Presence {
        box_id: box_of(name),
        site: site(name),
        address: "127.0.0.1:9".parse().unwrap(),
        since: Millis(START),
        heard: clock::now(),
        software: [0, 1, 0],
        skew_ms: 0,
        behind: 0,
        media: false,
    };
    app.others.put(names.iter().map(presence).collect());
}

/// The box says that it runs by what its site's documents are, and how callers fare; `seq` is its next row.
async fn runs(cloud: &Cloud, name: &'static str, seq: u64, (taken, calls): (bool, Fare)) {
    let app = Arc::clone(&cloud.app);
    let heads = cloud.app.db.read(move |conn| app.documents.effective(conn, &site(name))).await.unwrap().unwrap();
    let heads = u64::from_str_radix(&heads.heads, 16).unwrap();
    let said = Leaving::Running(Running { at: Millis(START), heads, taken, calls });
    cloud.shelf().ingest(box_of(name), &site(name), EPOCH, vec![row(seq, &said)]).await.unwrap();
}

fn wrap_up(seconds: u32) -> Value {
    json!([{ "set": "queue_wrap_up", "queue": "sales", "seconds": seconds }])
}

fn wanted(changes: Value) -> Value {
    json!({
        "label": "Longer wrap-up", "changes": changes, "overrule": false, "sites": SITES, "canaries": ["canary"], "shares": [50, 100],
        "soak_s": 0, "patience_s": 600, "wants_calls": true
    })
}

async fn begun(ann: &Person<'_>, body: &Value) -> i64 {
    let (status, answer) = ann.post("/api/rollouts", body).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    answer["rollout"].as_i64().unwrap()
}

async fn turn(cloud: &Cloud) {
    rollouts::turn(&cloud.app).await.unwrap();
}

/// What each site's plan says of the wrap-up.
async fn wrap_ups(ann: &Person<'_>) -> Vec<i64> {
    let mut found = Vec::new();
    for name in SITES {
        let config = ann.get(&format!("/api/sites/{name}/config")).await.1;
        found.push(config["config"]["queues"]["sales"]["wrap_up_s"].as_i64().unwrap());
    }
    found
}

async fn first(ann: &Person<'_>) -> Value {
    ann.get("/api/rollouts").await.1[0].clone()
}

async fn say(ann: &Person<'_>, id: i64, word: &str) -> StatusCode {
    ann.post(&format!("/api/rollouts/{id}/say"), &json!({ "say": word })).await.0
}

async fn audited(ann: &Person<'_>) -> Vec<String> {
    let audit = ann.get("/api/audit").await.1;
    let lines = audit["entries"].as_array().unwrap().iter().rev();
    lines.map(|line| line["what"].as_str().unwrap().to_owned()).filter(|what| what.starts_with("rollout")).collect()
}

#[tokio::test]
async fn a_good_change_reaches_every_site_each_wave_after_the_one_before() {
    let cloud = fleet().await;
    let ann = cloud.session(ADMIN, 60_000).await;
    begun(&ann, &wanted(wrap_up(45))).await;
    turn(&cloud).await;
    assert_eq!(wrap_ups(&ann).await, [45, 20, 20], "the canary alone");
    runs(&cloud, "canary", 1, (true, Fare::Few)).await;
    turn(&cloud).await;
    assert_eq!(wrap_ups(&ann).await, [45, 20, 20], "too few have called");
    runs(&cloud, "canary", 2, (true, Fare::AsBefore)).await;
    turn(&cloud).await;
    assert_eq!(wrap_ups(&ann).await, [45, 45, 20]);
    runs(&cloud, "east", 1, (true, Fare::Few)).await;
    turn(&cloud).await;
    assert_eq!(wrap_ups(&ann).await, [45, 45, 45]);
    assert_eq!(first(&ann).await["state"], "running");
    runs(&cloud, "west", 1, (true, Fare::Few)).await;
    turn(&cloud).await;
    assert_eq!(first(&ann).await["state"], "done");
    let history = ann.get("/api/sites/west/history").await.1;
    assert_eq!(
        (&history["entries"][0]["author"], &history["entries"][0]["change"]["rollout"]),
        (&json!(ADMIN), &json!(1))
    );
    let told = ["begin", "write", "wave", "write", "wave", "write", "wave", "done"];
    assert_eq!(audited(&ann).await, told.map(|what| format!("rollout.{what}")));
}

#[tokio::test]
async fn a_site_that_is_watched_is_read_again_only_when_something_of_it_was_touched() {
    let cloud = fleet().await;
    let ann = cloud.session(ADMIN, 60_000).await;
    let mut order = wanted(wrap_up(45));
    (order["canaries"], order["shares"], order["soak_s"]) = (json!([]), json!([100]), json!(3_600));
    begun(&ann, &order).await;
    turn(&cloud).await;
    turn(&cloud).await;
    let read = || cloud.app.metrics.evidence_read.get();
    let before = read();
    for _ in 0..20 {
        turn(&cloud).await;
    }
    assert_eq!(read(), before, "twenty looks at three sites that say nothing");
    runs(&cloud, "east", 1, (true, Fare::Few)).await;
    turn(&cloud).await;
    assert_eq!(
        (read(), first(&ann).await["waves"][0][1]["is"].clone()),
        (before + 1, json!("runs")),
        "and one that does"
    );
    // What others have written to the database counts as well, and who is linked is not asked of it.
    cloud.write(|conn| db::boxes::revoke(conn, box_of("west"), Millis(START))).await;
    link(&cloud.app, &["east"]);
    turn(&cloud).await;
    let waves = first(&ann).await["waves"][0].clone();
    assert_eq!((read(), &waves[0]["linked"], &waves[2]["linked"]), (before + 2, &json!(false), &json!(false)));
}

#[tokio::test]
async fn when_callers_fare_worse_at_the_canary_it_is_taken_back_and_goes_no_further() {
    let cloud = fleet().await;
    let ann = cloud.session(ADMIN, 60_000).await;
    begun(&ann, &wanted(wrap_up(45))).await;
    turn(&cloud).await;
    runs(&cloud, "canary", 1, (true, Fare::Worse)).await;
    turn(&cloud).await;
    let seen = first(&ann).await;
    assert_eq!(
        (&seen["state"], &seen["why"], &seen["site"]),
        (&json!("reverted"), &json!("calls_fell"), &json!("canary"))
    );
    assert_eq!(wrap_ups(&ann).await, [20, 20, 20]);
    let audit = audited(&ann).await;
    assert!(
        audit.iter().any(|what| what == "rollout.halt") && audit.iter().any(|what| what == "rollout.take_back"),
        "{audit:?}"
    );
    // The sites are free for another.
    begun(&ann, &wanted(wrap_up(30))).await;
}

#[tokio::test]
async fn what_somebody_wrote_since_is_left_when_the_rest_is_taken_back() {
    let cloud = fleet().await;
    let ann = cloud.session(ADMIN, 60_000).await;
    let changes = json!([
        { "set": "queue_wrap_up", "queue": "sales", "seconds": 45 },
        { "set": "queue_ring", "queue": "sales", "seconds": 25 },
        { "set": "queue_ring", "queue": "sales", "seconds": 30 },
    ]);
    let id = begun(&ann, &wanted(changes)).await;
    turn(&cloud).await;
    let by_hand = json!({ "doc": "site", "changes": wrap_up(50) });
    assert_eq!(ann.post("/api/sites/canary/changes", &by_hand).await.0, StatusCode::OK);
    assert_eq!(say(&ann, id, "take_back").await, StatusCode::NO_CONTENT);
    turn(&cloud).await;
    let config = ann.get("/api/sites/canary/config").await.1;
    let sales = &config["config"]["queues"]["sales"];
    assert_eq!((&sales["wrap_up_s"], &sales["ring_s"]), (&json!(50), &json!(15)));
    let site = &first(&ann).await["waves"][0][0];
    assert_eq!((&site["is"], &site["left"]), (&json!("taken_back"), &json!(1)));
}

#[tokio::test]
async fn what_a_branch_says_itself_stands_unless_it_is_overruled_and_comes_back_with_the_rest() {
    let cloud = fleet().await;
    let ann = cloud.session(ADMIN, 60_000).await;
    let of_branch = json!({ "doc": "local", "changes": wrap_up(60) });
    assert_eq!(ann.post("/api/sites/canary/changes", &of_branch).await.0, StatusCode::OK);
    let id = begun(&ann, &wanted(wrap_up(45))).await;
    turn(&cloud).await;
    assert_eq!(wrap_ups(&ann).await, [60, 20, 20]);
    assert_eq!(say(&ann, id, "take_back").await, StatusCode::NO_CONTENT);
    turn(&cloud).await;
    let beth = cloud.session(BETH, 60_000).await;
    let mut body = wanted(wrap_up(45));
    body["overrule"] = json!(true);
    let ask = json!({ "changes": wrap_up(45), "sites": ["canary"], "overrule": true });
    let looked = ann.post("/api/rollouts/look", &ask).await.1;
    assert_eq!(looked["sites"][0]["differences"][0]["after"], json!(45));
    let id = begun(&ann, &body).await;
    turn(&cloud).await;
    assert_eq!(wrap_ups(&ann).await, [60, 20, 20], "a second person has not agreed");
    assert_eq!(beth.post(&format!("/api/rollouts/{id}/agreement"), &json!({})).await.0, StatusCode::NO_CONTENT);
    turn(&cloud).await;
    assert_eq!(wrap_ups(&ann).await, [45, 20, 20]);
    assert_eq!(say(&ann, id, "take_back").await, StatusCode::NO_CONTENT);
    turn(&cloud).await;
    assert_eq!(wrap_ups(&ann).await, [60, 20, 20]);
}

#[tokio::test]
async fn it_goes_on_where_it_was_in_another_life_of_the_server() {
    let cloud = fleet().await;
    let ann = cloud.session(ADMIN, 60_000).await;
    let id = begun(&ann, &wanted(wrap_up(45))).await;
    turn(&cloud).await;
    assert_eq!(say(&ann, id, "pause").await, StatusCode::NO_CONTENT);
    runs(&cloud, "canary", 1, (true, Fare::AsBefore)).await;
    let text = format!("data = \".\"\n[http]\nlisten = \"{}\"", cloud.address);
    let settings = settings::parse(&text, std::path::Path::new("/")).unwrap();
    let next = Arc::new(App::new(settings, cloud.app.db.clone(), cloud.address, [7; 32]).unwrap());
    link(&next, &SITES);
    rollouts::turn(&next).await.unwrap();
    assert_eq!(wrap_ups(&ann).await, [45, 20, 20], "it is held");
    assert_eq!(say(&ann, id, "resume").await, StatusCode::NO_CONTENT);
    rollouts::turn(&next).await.unwrap();
    assert_eq!(wrap_ups(&ann).await, [45, 45, 20]);
}

#[tokio::test]
async fn a_box_that_refuses_what_it_was_given_halts_it_and_one_that_is_silent_does_not_pass() {
    let cloud = fleet().await;
    let ann = cloud.session(ADMIN, 60_000).await;
    begun(&ann, &wanted(wrap_up(45))).await;
    turn(&cloud).await;
    link(&cloud.app, &["east", "west"]);
    runs(&cloud, "canary", 1, (true, Fare::AsBefore)).await;
    turn(&cloud).await;
    let site = first(&ann).await["waves"][0][0].clone();
    assert_eq!((&site["is"], &site["linked"]), (&json!("written"), &json!(false)), "a box that is lost passes nothing");
    link(&cloud.app, &SITES);
    runs(&cloud, "canary", 2, (false, Fare::Few)).await;
    turn(&cloud).await;
    assert_eq!(first(&ann).await["why"], "refused");
    assert_eq!(wrap_ups(&ann).await, [20, 20, 20]);
}

#[tokio::test]
async fn what_takes_something_away_waits_for_a_second_person() {
    let cloud = fleet().await;
    let (ann, beth) = (cloud.session(ADMIN, 60_000).await, cloud.session(BETH, 60_000).await);
    let closing = json!([{ "set": "queue_closed", "queue": "sales", "closed": true }]);
    let (status, begun) = ann.post("/api/rollouts", &wanted(closing)).await;
    assert_eq!((status, &begun["awaits_second"]), (StatusCode::OK, &json!(true)));
    turn(&cloud).await;
    assert_eq!(first(&ann).await["waves"][0][0]["is"], "waiting");
    let agreement = "/api/rollouts/1/agreement";
    assert_eq!(ann.post(agreement, &json!({})).await.0, StatusCode::CONFLICT, "not by who began it");
    let token = token("ci", db::user::Role::Administrator);
    cloud.write(move |conn| db::token::add(conn, &cloudd::secret::sha256("bl_x"), &token)).await;
    let program = cloud.bare(Method::POST, agreement).bearer_auth("bl_x").json(&json!({}));
    assert_eq!(answer(program.send().await.unwrap()).await.0, StatusCode::FORBIDDEN, "nor by a program");
    assert_eq!(beth.post(agreement, &json!({})).await.0, StatusCode::NO_CONTENT);
    turn(&cloud).await;
    assert_eq!(first(&ann).await["waves"][0][0]["is"], "written");
}

#[tokio::test]
async fn whoever_made_a_programs_token_is_not_the_second_person() {
    let cloud = fleet().await;
    let (ann, beth) = (cloud.session(ADMIN, 60_000).await, cloud.session(BETH, 60_000).await);
    let token = token("ci", db::user::Role::Administrator);
    cloud.write(move |conn| db::token::add(conn, &cloudd::secret::sha256("bl_x"), &token)).await;
    let closing = json!([{ "set": "queue_closed", "queue": "sales", "closed": true }]);
    let program = cloud.bare(Method::POST, "/api/rollouts").bearer_auth("bl_x").json(&wanted(closing));
    assert_eq!(answer(program.send().await.unwrap()).await.0, StatusCode::OK);
    let agreement = "/api/rollouts/1/agreement";
    assert_eq!(ann.post(agreement, &json!({})).await.0, StatusCode::CONFLICT, "she made the token");
    assert_eq!(beth.post(agreement, &json!({})).await.0, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_take_back_is_signed_by_who_took_back_or_by_the_machine() {
    let cloud = fleet().await;
    let (ann, beth) = (cloud.session(ADMIN, 60_000).await, cloud.session(BETH, 60_000).await);
    let id = begun(&ann, &wanted(wrap_up(45))).await;
    turn(&cloud).await;
    assert_eq!(say(&beth, id, "take_back").await, StatusCode::NO_CONTENT);
    turn(&cloud).await;
    let author = async || ann.get("/api/sites/canary/history").await.1["entries"][0]["author"].clone();
    assert_eq!(author().await, BETH);
    begun(&ann, &wanted(wrap_up(30))).await;
    turn(&cloud).await;
    runs(&cloud, "canary", 1, (true, Fare::Worse)).await;
    turn(&cloud).await;
    assert_eq!(first(&ann).await["state"], "reverted");
    assert_eq!(author().await, "cloudd");
}

#[tokio::test]
async fn what_is_done_is_not_taken_back_under_another_that_has_its_sites() {
    let cloud = fleet().await;
    let ann = cloud.session(ADMIN, 60_000).await;
    let mut body = wanted(wrap_up(20));
    body["wants_calls"] = json!(false);
    let done = begun(&ann, &body).await;
    turn(&cloud).await;
    assert_eq!(first(&ann).await["state"], "done", "it was so already");
    let next = begun(&ann, &wanted(wrap_up(45))).await;
    assert_eq!(say(&ann, done, "take_back").await, StatusCode::CONFLICT);
    assert_eq!(say(&ann, next, "take_back").await, StatusCode::NO_CONTENT);
    turn(&cloud).await;
    assert_eq!(say(&ann, done, "take_back").await, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn when_somebody_else_wrote_there_since_a_bad_word_holds_it_for_a_person() {
    let cloud = fleet().await;
    let ann = cloud.session(ADMIN, 60_000).await;
    begun(&ann, &wanted(wrap_up(45))).await;
    turn(&cloud).await;
    runs(&cloud, "canary", 1, (true, Fare::AsBefore)).await;
    turn(&cloud).await;
    let theirs = json!({ "doc": "site", "changes": [{ "set": "queue_ring", "queue": "sales", "seconds": 25 }] });
    assert_eq!(ann.post("/api/sites/canary/changes", &theirs).await.0, StatusCode::OK);
    runs(&cloud, "canary", 2, (true, Fare::Worse)).await;
    turn(&cloud).await;
    let seen = first(&ann).await;
    assert_eq!((&seen["state"], &seen["why"]), (&json!("held"), &json!("calls_fell")));
    assert_eq!(wrap_ups(&ann).await, [45, 45, 20], "nothing is taken back");
}

#[tokio::test]
async fn one_that_cannot_be_read_is_shown_as_that_and_hides_no_other() {
    let cloud = fleet().await;
    let ann = cloud.session(ADMIN, 60_000).await;
    begun(&ann, &wanted(wrap_up(45))).await;
    assert!(cloud.write(|conn| db::rollout::step(conn, 1, 1, "{}", true)).await);
    turn(&cloud).await;
    assert_eq!(first(&ann).await["state"], "unreadable");
    let (status, answer) = ann.post("/api/rollouts", &wanted(wrap_up(30))).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "it may go to any site: {answer}");
}

#[tokio::test]
async fn one_site_that_cannot_be_read_keeps_no_other_from_being_taken_back() {
    let cloud = fleet().await;
    let ann = cloud.session(ADMIN, 60_000).await;
    let mut body = wanted(wrap_up(45));
    (body["canaries"], body["shares"]) = (json!([]), json!([100]));
    let id = begun(&ann, &body).await;
    turn(&cloud).await;
    assert_eq!(wrap_ups(&ann).await, [45, 45, 45]);
    let spoil = "UPDATE config_change SET bytes = ?2 WHERE site = ?1";
    let row = [db::Value::Text("east"), db::Value::Bytes(b"no")];
    let spoilt = cloud.write(move |conn| conn.execute(spoil, &row)).await;
    assert!(spoilt > 0);
    assert_eq!(say(&ann, id, "take_back").await, StatusCode::NO_CONTENT);
    turn(&cloud).await;
    let seen = first(&ann).await;
    let is = |n: usize| &seen["waves"][0][n]["is"];
    assert_eq!((&seen["state"], is(0)), (&json!("reverted"), &json!("taken_back")));
    assert_eq!((is(1), is(2)), (&json!("stuck"), &json!("taken_back")));
}

#[tokio::test]
async fn a_dry_run_says_what_each_site_would_be_and_writes_nothing() {
    let cloud = fleet().await;
    let (ann, ben) = (cloud.session(ADMIN, 60_000).await, cloud.session(ANALYST, 60_000).await);
    let of_east = json!([{ "set": "queue_remove", "queue": "sales" }]);
    assert_eq!(
        ann.post("/api/sites/east/changes", &json!({ "doc": "site", "changes": of_east })).await.0,
        StatusCode::OK
    );
    let of_west = json!({ "doc": "local", "changes": wrap_up(60) });
    assert_eq!(ann.post("/api/sites/west/changes", &of_west).await.0, StatusCode::OK);
    let ask = json!({ "changes": wrap_up(45), "sites": SITES, "overrule": false });
    let (status, answer) = ann.post("/api/rollouts/look", &ask).await;
    assert_eq!((status, &answer["destructive"]), (StatusCode::OK, &json!(false)));
    let of = |n: usize| &answer["sites"][n];
    assert_eq!((&of(0)["fits"], &of(0)["differences"][0]["path"]), (&json!(true), &json!("queues/sales/wrap_up_s")));
    assert_eq!((&of(1)["fits"], &of(1)["refused"][0]), (&json!(false), &json!(0)), "there is no such queue");
    assert_eq!((&of(2)["fits"], &of(2)["differences"]), (&json!(true), &json!([])), "the branch says otherwise");
    let (status, refused) = ann.post("/api/rollouts", &wanted(wrap_up(45))).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused["error"]["message"].as_str().unwrap().contains("east"), "{refused}");
    assert_eq!(ben.get("/api/rollouts").await, (StatusCode::OK, json!([])));
    assert_eq!(ben.post("/api/rollouts/look", &ask).await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_site_is_part_of_one_roll_out_at_a_time_and_a_strange_order_is_refused() {
    let cloud = fleet().await;
    let ann = cloud.session(ADMIN, 60_000).await;
    begun(&ann, &wanted(wrap_up(45))).await;
    let (status, answer) = ann.post("/api/rollouts", &wanted(wrap_up(30))).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
    for (key, value) in [
        ("label", json!("")),
        ("changes", json!([])),
        ("changes", json!([{ "set": "nothing" }])),
        ("sites", json!([])),
        ("canaries", json!(["north"])),
        ("shares", json!([100, 50])),
        ("patience_s", json!(0)),
        ("soak_s", json!(700_000)),
    ] {
        let mut body = wanted(wrap_up(30));
        body[key] = value;
        assert_eq!(ann.post("/api/rollouts", &body).await.0, StatusCode::UNPROCESSABLE_ENTITY, "{key}");
    }
    let mut unknown = wanted(wrap_up(30));
    unknown["sites"] = json!(["nowhere"]);
    unknown["canaries"] = json!([]);
    assert_eq!(ann.post("/api/rollouts", &unknown).await.0, StatusCode::NOT_FOUND);
    assert_eq!(say(&ann, 99, "pause").await, StatusCode::NOT_FOUND);
    assert_eq!(say(&ann, 1, "resume").await, StatusCode::CONFLICT);
}

#[tokio::test]
async fn two_who_step_at_once_write_once() {
    let cloud = fleet().await;
    let ann = cloud.session(ADMIN, 60_000).await;
    begun(&ann, &wanted(wrap_up(45))).await;
    let text = format!("data = \".\"\n[http]\nlisten = \"{}\"", cloud.address);
    let settings = settings::parse(&text, std::path::Path::new("/")).unwrap();
    let other = Arc::new(App::new(settings, cloud.app.db.clone(), cloud.address, [7; 32]).unwrap());
    link(&other, &SITES);
    let (one, two) = tokio::join!(rollouts::turn(&cloud.app), rollouts::turn(&other));
    one.unwrap();
    two.unwrap();
    let written = audited(&ann).await.into_iter().filter(|what| what == "rollout.write").count();
    assert_eq!(written, 1);
    let made =
        cloud.write(|conn| db::rollout::made_at(conn, 1, Of { site: &site("canary"), doc: Doc::Site })).await.unwrap();
    assert_eq!(made.0, made.1);
}

#[tokio::test]
async fn templates_and_tags_are_kept_and_have_limits() {
    let cloud = fleet().await;
    let ann = cloud.session(ADMIN, 60_000).await;
    let put = async |name: &str, body: Value| {
        answer(ann.request(Method::PUT, &format!("/api/templates/{name}")).json(&body).send().await.unwrap()).await.0
    };
    assert_eq!(put("calm", json!({ "label": "Calm", "changes": wrap_up(45) })).await, StatusCode::NO_CONTENT);
    assert_eq!(put("calm", json!({ "label": "Calmer", "changes": wrap_up(60) })).await, StatusCode::NO_CONTENT);
    assert_eq!(put("NO", json!({ "label": "x", "changes": [] })).await, StatusCode::UNPROCESSABLE_ENTITY);
    let kept = ann.get("/api/templates").await.1;
    assert_eq!((kept.as_array().unwrap().len(), &kept[0]["label"]), (1, &json!("Calmer")));
    let gone = ann.request(Method::DELETE, "/api/templates/calm").send().await.unwrap();
    assert_eq!(gone.status(), StatusCode::NO_CONTENT);

    let tag = async |tags: Value| {
        let request = ann.request(Method::PUT, "/api/sites/east/tags").json(&json!({ "tags": tags }));
        request.send().await.unwrap().status()
    };
    assert_eq!(tag(json!(["pilot", "沿海"])).await, StatusCode::NO_CONTENT);
    assert_eq!(tag(json!([" pilot"])).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(tag(json!(["x".repeat(40)])).await, StatusCode::NO_CONTENT);
    assert_eq!(tag(json!(["x".repeat(41)])).await, StatusCode::UNPROCESSABLE_ENTITY);
    let many = |count: usize| json!((0..count).map(|n| n.to_string()).collect::<Vec<_>>());
    assert_eq!(tag(many(21)).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(tag(many(20)).await, StatusCode::NO_CONTENT);
    assert_eq!(tag(json!(["pilot"])).await, StatusCode::NO_CONTENT);
    let sites = ann.get("/api/sites").await.1;
    let east = sites.as_array().unwrap().iter().find(|line| line["site"] == "east").unwrap();
    assert_eq!(east["tags"], json!(["pilot"]));
}

#[tokio::test]
async fn an_older_box_that_does_not_say_what_it_runs_passes_by_what_it_has() {
    let cloud = fleet().await;
    let ann = cloud.session(ADMIN, 60_000).await;
    let mut body = wanted(wrap_up(45));
    body["wants_calls"] = json!(false);
    begun(&ann, &body).await;
    turn(&cloud).await;
    assert_eq!(first(&ann).await["waves"][0][0]["is"], "written");
    // As the sync protocol leaves it when both have all there is.
    for doc in [Doc::Org, Doc::Site, Doc::Local] {
        let heads = cloud.shelf().config_heads(&site("canary"), doc).await.unwrap();
        let mut state = vec![0x43, u8::try_from(heads.len()).unwrap()];
        heads.iter().for_each(|head| state.extend(head));
        cloud.shelf().sync_state_put(box_of("canary"), doc, state).await.unwrap();
    }
    turn(&cloud).await;
    assert_eq!(wrap_ups(&ann).await, [45, 45, 20]);
}

#[tokio::test]
async fn no_roll_out_begins_where_a_drill_is_ordered_and_no_drill_where_one_runs() {
    let cloud = fleet().await;
    let ann = cloud.session(ADMIN, 60_000).await;
    let at = clock::now().0 + 3_600_000;
    let drill = async |site: &str| {
        let request = ann.request(Method::PUT, &format!("/api/sites/{site}/drill"));
        request.json(&json!({ "at": at, "minutes": 5 })).send().await.unwrap().status()
    };
    assert_eq!(drill("east").await, StatusCode::OK);
    let (status, told) = ann.post("/api/rollouts", &wanted(wrap_up(30))).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{told}");
    assert!(told.to_string().contains("drill"), "{told}");
    let off = ann.request(Method::DELETE, "/api/sites/east/drill").send().await.unwrap();
    assert_eq!(off.status(), StatusCode::NO_CONTENT);
    assert_eq!(ann.post("/api/rollouts", &wanted(wrap_up(30))).await.0, StatusCode::OK);
    assert_eq!(drill("east").await, StatusCode::CONFLICT);
}
