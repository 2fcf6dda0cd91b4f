//! Two equal instances of a cloud on one PostgreSQL: either serves every box and every console, and one may die.

use std::time::Duration;

use e2e::stage::{self, PATIENCE};
use harness::{
    company::{ADMIN, ADMIN_PASSWORD, Branch, BranchPlan, Cloud},
    postgres::Postgres,
    process::wait_for,
    web::Session,
};
use serde_json::{Value, json};

/// An idle connection is missed, and the next endpoint tried after a back-off.
const LINK_PATIENCE: Duration = Duration::from_secs(90);
/// An interval of a minute, and its way.
const ROWS_PATIENCE: Duration = Duration::from_secs(150);

fn console(cloud: &Cloud) -> Session {
    Session::sign_in(&cloud.http, &json!({ "login": ADMIN, "password": ADMIN_PASSWORD })).expect("signed in")
}

fn linked(console: &Session) -> Option<bool> {
    console.get("/api/sites").ok()?[0]["linked"].as_bool()
}

fn edited(console: &Session, seconds: u64) {
    stage::edited(console, seconds, LINK_PATIENCE).expect("the edit arrives");
}

#[test]
fn a_box_goes_on_with_the_other_instance_when_one_is_killed_and_every_row_counts_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = Postgres::start().expect("PostgreSQL");
    let database = server.database("cloud").expect("a database");
    let mut first = Cloud::on(&database, &folder.path().join("first")).expect("the first instance");
    let mut second = first.beside(&database, &folder.path().join("second")).expect("the second instance");
    let prompts = stage::prompts(&folder.path().join("prompts")).expect("prompts");
    let mut plan = BranchPlan::example("branch-a", stage::carrier_port()).expect("a plan");
    plan.cloud_at = vec![first.link.clone(), second.link.clone()];
    let branch = Branch::start(&folder.path().join("branch-a"), &plan, Some(&first), &prompts).expect("a branch");

    let (at_first, at_second) = (console(&first), console(&second));
    for (name, console) in [("its own", &at_first), ("the other", &at_second)] {
        wait_for(&format!("the link on {name} console"), LINK_PATIENCE, || (linked(console)?).then_some(()))
            .expect("linked");
    }
    // Edited where the box is not linked: the other instance is told.
    edited(&at_second, 41);
    edited(&at_first, 42);

    first.kill_hard();
    // Until the dead instance's word is void, and the box has come over.
    wait_for("an edit through the instance that lives", LINK_PATIENCE, || {
        let seen = server.sql("cloud", "SELECT count(*) FROM presence JOIN instance USING (instance)").ok()?;
        let one = server.sql("cloud", "SELECT count(*) FROM instance").ok()?;
        (seen == "1" && one == "1").then_some(())
    })
    .expect("the box is linked to the instance that lives");
    edited(&at_second, 43);

    // The database goes away and comes back; nobody loses anything by that.
    server.stop();
    assert!(at_second.get("/api/sites").is_err(), "a console without a database says so");
    server.launch().expect("PostgreSQL again");
    first.launch().expect("the first instance again");
    wait_for("the console", PATIENCE, || at_second.get("/api/sites").ok()).expect("the session outlived it");
    edited(&console(&first), 44);

    let position = stage::outbox_emptied(&branch, ROWS_PATIENCE).expect("every row is acknowledged");
    let mark = server.sql("cloud", "SELECT seq FROM watermark").expect("one life of one outbox");
    assert_eq!(position["written"], json!(mark.parse::<u64>().expect("a number")));
    assert_eq!(server.sql("cloud", "SELECT count(*) FROM poison").expect("the rows aside"), "0");
    let audit = console(&second).get("/api/audit").expect("the audit");
    assert_eq!(audit["broken_at"], Value::Null, "two instances wrote one chain");
    second.stop();
    first.stop();
}
