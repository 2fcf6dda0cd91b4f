//! A stolen password is worth no more than the caps (S-140): whoever has one dials abroad at speed, and the carrier hears
//! of what was allowed and paid for, and of nothing else, also when the process that counts is killed meanwhile.

use std::{path::Path, time::Duration};

use e2e::{
    company,
    stage::{self, PATIENCE},
};
use harness::{
    company::{Branch, PHONE_PASSWORD},
    process::{kill_hard, wait_for},
    sipp,
    web::Live,
};
use serde_json::json;

/// S-140: how soon somebody must know.
const ALARM_WITHIN: Duration = Duration::from_secs(60);

#[test]
fn a_stolen_password_is_worth_no_more_than_the_caps() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let prompts = stage::prompts(&at("prompts")).expect("prompts");
    let carrier = stage::carrier_port();
    let mut plan = company::direct("branch-a", carrier).expect("a plan");
    plan.config["trunks"]["carrier"]["carrier"] = json!({ "health": { "every_s": 0 } });
    // One country is allowed, at 0.90 a minute, and a phone may spend 2.00 in an hour: two minutes of one call each.
    plan.config["site"]["dialling"] = json!({
        "country": "86", "abroad": ["44"], "tariffs": { "44": 90 }, "phone_hour_cents_max": 200, "phone_calls_max": 100,
    });
    let branch = Branch::start(&at("branch-a"), &plan, None, &prompts).expect("a branch");
    let centre = sipp::Answering::start(&at("carrier"), carrier).expect("a carrier");
    let desk = stage::sign_in(&branch, "a-101").expect("a supervisor");
    let mut live = desk.live().expect("a desk");

    // What is not allowed by name never leaves, and somebody hears of it.
    for (name, number) in [("abroad", "0033145678900"), ("premium", "09001234567")] {
        steal(&branch, &at(name), number, 10);
    }
    assert_eq!(centre.invites().len(), 0, "nothing left the house");
    alarmed(&mut live, "outward_pattern");

    // What is allowed leaves until the money is spent.
    steal(&branch, &at("allowed"), "00442079460000", 12);
    let left = centre.invites().len();
    assert_eq!(left, 2, "two first minutes at 0.90 are within 2.00");
    alarmed(&mut live, "outward_cap");

    // A thief who can crash the box gains nothing by it.
    let calls = branch.pids()["calls"];
    kill_hard(calls);
    wait_for("calls are back", PATIENCE, || {
        let fresh = branch.pids().get("calls").is_some_and(|pid| *pid != calls);
        let checks = branch.health()?["checks"].as_object()?.values().all(|check| check == true);
        (fresh && checks).then_some(())
    })
    .expect("restarted");
    steal(&branch, &at("again"), "00442079460001", 5);
    assert_eq!(centre.invites().len(), left, "nothing more left the house");
}

fn steal(branch: &Branch, folder: &Path, number: &str, count: u32) {
    let thief = sipp::Thief {
        to: &branch.sip,
        domain: &branch.domain,
        user: "101",
        password: PHONE_PASSWORD,
        number,
        count,
        rate: 5,
        stay: Duration::from_secs(2),
    };
    let mut program = thief.start(folder).expect("a thief");
    let code = program.wait(Duration::from_secs(60)).expect("the thief is done");
    assert_eq!(code, 0, "{number}: {}\n{}", program.tail(), branch.tail());
}

fn alarmed(live: &mut Live, what: &str) {
    let told = live.wait(ALARM_WITHIN, |seen| {
        let notices = seen.get("board").and_then(|board| board["notices"].as_array());
        notices.is_some_and(|notices| notices.iter().any(|notice| notice["what"] == what))
    });
    told.unwrap_or_else(|error| panic!("{what}: {error:#}"));
}
