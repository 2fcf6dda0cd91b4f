//! The nightly test of the emergency path through a real box, a real line and a real cloud (N-19): what the console shows
//! in the morning, of a branch whose line works and of one whose line is dead.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use e2e::{
    company,
    stage::{self, PATIENCE},
};
use harness::{
    company::{ADMIN, ADMIN_PASSWORD, Branch, BranchPlan, Cloud},
    process::{free_ports, wait_for},
    sipp,
    web::Session,
};
use serde_json::{Value, json};

const TEST_NUMBER: &str = "0309999";
/// The hour is looked at once a minute; the dead line is given up after 20 s.
const NIGHT: Duration = Duration::from_secs(150);

/// A time zone in which it is not just about to be another hour, and the hour there.
fn this_hour() -> (&'static str, u64) {
    let minutes = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs() / 60;
    match minutes % 60 {
        0..50 => ("UTC", minutes / 60 % 24),
        _ => ("Asia/Kolkata", (minutes + 330) / 60 % 24),
    }
}

fn tested(name: &str, carrier: u16) -> BranchPlan {
    let mut plan = company::direct(name, carrier).expect("a plan");
    let (zone, hour) = this_hour();
    plan.config["site"]["time_zone"] = zone.into();
    plan.config["site"]["dialling"] =
        json!({ "test_number": TEST_NUMBER, "test_hour": hour, "place": "house", "confirm_days": 0 });
    plan.config["places"] =
        json!({ "house": { "label": "Main house", "country": "DE", "floor": "2", "send_location": true } });
    plan
}

/// What was said of a branch, the youngest first.
fn told(console: &Session, site: &str) -> Vec<String> {
    let lines = console.get("/api/notices").ok().and_then(|lines| lines.as_array().cloned()).unwrap_or_default();
    let of_site = lines.into_iter().filter(|line| line["site"] == site);
    of_site.filter_map(|line| line["what"].as_str().map(str::to_owned)).collect()
}

#[test]
fn the_console_shows_whose_emergency_path_passed_the_night_and_whose_line_is_dead() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let prompts = stage::prompts(&at("prompts")).expect("prompts");
    let cloud = Cloud::start(&at("cloud")).expect("a cloud");
    let carrier = stage::carrier_port();
    let centre = sipp::Answering::start(&at("centre"), carrier).expect("who answers the test number");
    let well = Branch::start(&at("branch-a"), &tested("branch-a", carrier), Some(&cloud), &prompts).expect("a branch");
    // Nobody listens there.
    let dead = tested("branch-b", free_ports(2));
    let dead = Branch::start(&at("branch-b"), &dead, Some(&cloud), &prompts).expect("another branch");

    let credentials = json!({ "login": ADMIN, "password": ADMIN_PASSWORD });
    let console = wait_for("the console", PATIENCE, || Session::sign_in(&cloud.http, &credentials).ok());
    let console = console.expect("signed in");
    let passed = || told(&console, "branch-a").contains(&"test_passed".to_owned()).then_some(());
    wait_for("the test's result", NIGHT, passed)
        .unwrap_or_else(|error| panic!("{error:#}\n{:?}\n{}", told(&console, "branch-a"), well.tail()));
    let invites = centre.invites();
    assert_eq!(invites.len(), 1, "one place, one call: {invites:?}");
    assert!(invites[0].starts_with(&format!("INVITE sip:{TEST_NUMBER}@")), "{}", invites[0]);
    assert!(invites[0].contains("<ca:FLR>2</ca:FLR>"), "with the place in it: {}", invites[0]);

    let broken = || told(&console, "branch-b").contains(&"test_line".to_owned()).then_some(());
    wait_for("the dead line", NIGHT, broken)
        .unwrap_or_else(|error| panic!("{error:#}\n{:?}\n{}", told(&console, "branch-b"), dead.tail()));
    assert!(!told(&console, "branch-b").contains(&"test_passed".to_owned()));
    // What leaves the house names no telephone.
    let lines = console.get("/api/notices").expect("notices");
    assert!(lines.as_array().is_some_and(|lines| lines.iter().all(|line: &Value| line.get("phone").is_none())));
}
