//! How long a box can run cut off: the box counts the days of what ends, and says so to whoever looks after it.

use std::{process::Command, time::Duration};

use e2e::stage::{self, PATIENCE};
use harness::{
    company::{ADMIN, ADMIN_PASSWORD, Branch, BranchPlan, Cloud},
    process::wait_for,
    web::Session,
};
use serde_json::{Value, json};

/// An interval of a minute, and its way to the cloud.
const INTERVAL_PATIENCE: Duration = Duration::from_secs(150);

fn certificate(alone: &Value) -> Option<u64> {
    alone.as_array()?.iter().find(|end| end["until"] == "certificate")?["days"].as_u64()
}

#[test]
fn a_certificate_that_ends_in_six_days_is_told_in_the_health_file_at_the_desk_and_at_the_console() {
    let folder = tempfile::tempdir().expect("a folder");
    let prompts = stage::prompts(&folder.path().join("prompts")).expect("prompts");
    let cloud = Cloud::start(&folder.path().join("cloud")).expect("a cloud");
    let mut plan = BranchPlan::example("branch-a", stage::carrier_port()).expect("a plan");
    let (file, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "6"])
        .args(["-subj", "/CN=branch-a.example", "-addext", "subjectAltName=DNS:branch-a.example,IP:127.0.0.1"])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&file)
        .output()
        .expect("openssl");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    plan.more = format!("[tls]\ncertificate = \"{}\"\nkey = \"{}\"\n", file.display(), key.display());
    let branch = Branch::start(&folder.path().join("branch-a"), &plan, Some(&cloud), &prompts).expect("a branch");

    let days = wait_for("the health file", PATIENCE, || certificate(&branch.health()?["alone"]));
    assert_eq!(days.unwrap_or_else(|error| panic!("{error:#}\n{:?}", branch.health())), 5, "whole days");
    assert!(branch.log().contains("cannot run cut off for long"), "and it warns");
    let desk = stage::sign_in(&branch, "a-101").expect("a supervisor");
    let shown = wait_for("the desk", PATIENCE, || certificate(&desk.get("/api/config").ok()?["alone"]));
    assert_eq!(shown.expect("told at the desk"), 5);
    let console =
        Session::sign_in(&cloud.http, &json!({ "login": ADMIN, "password": ADMIN_PASSWORD })).expect("console");
    let told = wait_for("the console", INTERVAL_PATIENCE, || {
        certificate(&console.get("/api/sites").ok()?[0]["health"]["alone"])
    });
    assert_eq!(told.expect("told at the console"), 5);
}
