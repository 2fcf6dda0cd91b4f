//! Calls for help and the configuration (S-150): the last good one runs whatever comes after it; a box that never had one
//! has no line, and says so before anybody needs it. Nobody was asked for a licence, a cloud or an account for any of it.

use std::{path::Path, process::Command, time::Duration};

use e2e::{
    company,
    stage::{self, PATIENCE},
};
use harness::{
    baresip::{Account, Phone},
    company::{ADMIN, ADMIN_PASSWORD, Branch, Cloud, PHONE_PASSWORD},
    process::{kill_hard, wait_for},
    proof, sipp,
    web::Session,
};
use serde_json::{Value, json};

#[test]
fn a_box_without_a_configuration_says_that_nobody_can_call_for_help() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let prompts = stage::prompts(&at("prompts")).expect("prompts");
    let carrier = stage::carrier_port();
    let centre = sipp::Answering::start(&at("centre"), carrier).expect("a centre");
    let mut plan = company::direct("branch-a", carrier).expect("a plan");
    plan.config["trunks"]["carrier"]["carrier"] = json!({ "health": { "every_s": 0 } });
    let branch = Branch::bare(&at("branch-a"), &plan, &prompts).expect("a box");
    let mut phone = unproved(&at("phone"));

    // Never configured: a call for help is refused with 503, so that the phone may try elsewhere, and all can see it.
    says(&branch, "no_line");
    let closed = help(&branch, &mut phone).expect_err("nobody helps");
    assert!(closed.contains("503"), "{closed}");
    let told = || branch.command(&["ledger", "facts"], None).ok().filter(|facts| facts.contains("emergency_failed"));
    wait_for("it is written down", PATIENCE, told).unwrap_or_else(|error| panic!("{error:#}\n{}", branch.log()));
    assert!(branch.log().contains("no call for help can go out"), "{}", branch.tail());

    // The first configuration is in force at once.
    branch.import(&plan.config).expect("written");
    says(&branch, "ready");
    help(&branch, &mut phone).unwrap_or_else(|closed| panic!("{closed}\n{}", branch.tail()));
    assert_eq!(centre.invites().len(), 1, "once");
    assert!(!branch.folder.join("data/identity/cert.pem").exists(), "and no cloud has ever known this box");
}

#[test]
fn the_last_good_configuration_carries_calls_for_help_whatever_comes_after_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let prompts = stage::prompts(&at("prompts")).expect("prompts");
    let carrier = stage::carrier_port();
    let centre = sipp::Answering::start(&at("centre"), carrier).expect("a centre");
    let mut plan = company::direct("branch-a", carrier).expect("a plan");
    plan.config["trunks"]["carrier"]["carrier"] = json!({ "health": { "every_s": 0 } });
    let cloud = Cloud::start(&at("cloud")).expect("a cloud");
    let branch = Branch::start(&at("branch-a"), &plan, Some(&cloud), &prompts).expect("a branch");
    let mut phone = known(&branch, &at("101"));

    // Somebody at the centre takes away what a number leads to.
    let console = json!({ "login": ADMIN, "password": ADMIN_PASSWORD });
    let console = Session::sign_in(&cloud.http, &console).expect("the console");
    let changes = json!({ "doc": "site", "changes": [{ "set": "flow_remove", "flow": "direct" }] });
    console.post("/api/sites/branch-a/changes", &changes).expect("written");
    wait_for("the configuration is looked at", PATIENCE, || branch.log().contains("fatal finding").then_some(()))
        .expect("refused");
    says(&branch, "ready");
    help(&branch, &mut phone).unwrap_or_else(|closed| panic!("{closed}\n{}", branch.tail()));

    // A process that begins with it does no worse.
    let calls = branch.pids()["calls"];
    kill_hard(calls);
    let back = || branch.pids().get("calls").is_some_and(|pid| *pid != calls).then_some(());
    wait_for("calls are back", PATIENCE, back).expect("restarted");
    says(&branch, "ready");
    assert_eq!(branch.health().expect("health")["checks"]["config"], false, "and what is wrong is not hidden");
    help(&branch, &mut phone).unwrap_or_else(|closed| panic!("{closed}\n{}", branch.tail()));
    assert_eq!(centre.invites().len(), 2, "each of them once");
}

/// The health file and the desk's page, for anybody, say the same.
fn says(branch: &Branch, word: &str) {
    wait_for(word, PATIENCE, || {
        let health = branch.health()?["emergency"] == word;
        let page = Command::new("curl").args(["--silent", &format!("{}/api/help", branch.desk)]).output().ok()?;
        let page: Value = serde_json::from_slice(&page.stdout).ok()?;
        (health && page["help"] == word).then_some(())
    })
    .unwrap_or_else(|error| panic!("{error:#}: {:?}\n{}", branch.health(), branch.tail()));
}

/// A call for help that is answered and ended; else how it closed.
fn help(branch: &Branch, phone: &mut Phone) -> Result<(), String> {
    phone.dial(&format!("sip:112@{}", branch.sip)).expect("dialled");
    let event = phone.wait_any(&["CALL_ESTABLISHED", "CALL_CLOSED"], PATIENCE).expect("an outcome");
    if event["type"] == "CALL_CLOSED" {
        return Err(event.to_string());
    }
    phone.hang_up().expect("hung up");
    phone.wait_event("CALL_CLOSED", Duration::from_secs(10)).expect("ended");
    Ok(())
}

/// A device of the house without any account.
fn unproved(folder: &Path) -> Phone {
    phone(folder, &Account::Trunk { user: "drawer" })
}

/// A telephone of the house.
fn known(branch: &Branch, folder: &Path) -> Phone {
    let account = Account::Phone {
        user: "101",
        password: PHONE_PASSWORD,
        domain: &branch.domain,
        registrar: &branch.sip,
        transport: "udp",
    };
    let phone = phone(folder, &account);
    phone.registered(PATIENCE).expect("registered");
    phone
}

fn phone(folder: &Path, account: &Account<'_>) -> Phone {
    std::fs::create_dir_all(folder).expect("a folder");
    let microphone = folder.join("microphone.wav");
    proof::speak("help", 120, &microphone).expect("spoken");
    Phone::start(folder, account, &microphone, false).expect("a phone")
}
