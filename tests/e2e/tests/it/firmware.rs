//! `otad` against a real RAUC service: two slots as image files, a private D-Bus, real signatures. Needs root (RAUC
//! loop-mounts the bundle) and the packages of `deploy/install/packages`.

use std::time::Duration;

use harness::{
    company::{ADMIN, ADMIN_PASSWORD, Branch, Cloud},
    process::wait_for,
    rauc::{Rig, Signer},
    web::Session,
};
use serde_json::json;

#[test]
fn a_good_bundle_is_tried_and_committed() {
    let mut rig = Rig::new("good");
    rig.offer("1.1.0", Signer::Release, "branchline-test-box");
    rig.healthy(true, 0);
    let agent = rig.start_agent();
    rig.wait_for_reboot(agent);
    assert_eq!(rig.primary(), "B", "the new slot boots next");
    assert_eq!(rig.slot_text("b"), "1.1.0");
    let agent = rig.reboot("1.1.0");
    let state = rig.wait_for_outcome("committed");
    assert_eq!(state["slot"], "B");
    assert_eq!(rig.boot_state("B"), "good");
    rig.stop(agent);
}

#[test]
fn an_unhealthy_system_goes_back_to_the_old_slot_and_says_so() {
    let mut rig = Rig::new("unhealthy");
    rig.offer("1.1.0", Signer::Release, "branchline-test-box");
    rig.healthy(true, 0);
    let agent = rig.start_agent();
    rig.wait_for_reboot(agent);
    rig.healthy(false, 0);
    let agent = rig.reboot("1.1.0");
    rig.wait_for_reboot(agent);
    assert_eq!(rig.primary(), "A");
    let agent = rig.reboot("1.0.0");
    let state = rig.wait_for_outcome("rolled_back");
    assert_eq!(state["last"]["reason"], "unhealthy");
    assert_eq!(state["slot"], "A");
    assert_eq!(rig.boot_state("B"), "bad", "a stray mark must not re-arm the bad slot");
    rig.stop(agent);
}

#[test]
fn no_reboot_while_somebody_talks() {
    let mut rig = Rig::new("talking");
    rig.offer("1.1.0", Signer::Release, "branchline-test-box");
    rig.healthy(true, 1);
    let mut agent = rig.start_agent();
    rig.wait_for_update_state("awaiting_reboot");
    rig.healthy(true, 1);
    rig.let_rounds_pass(&mut agent, 3);
    rig.healthy(true, 0);
    rig.wait_for_reboot(agent);
}

#[test]
fn a_stranger_s_signature_is_refused_and_nothing_changes() {
    refused("rogue", Signer::Rogue, "branchline-test-box", |_| {}, "signature");
}

#[test]
fn a_bundle_for_other_hardware_is_refused() {
    refused("other", Signer::Release, "somebody-else", |_| {}, "Compatible mismatch");
}

#[test]
fn a_truncated_bundle_is_refused() {
    refused("cut", Signer::Release, "branchline-test-box", Rig::truncate_bundle, "signature");
}

#[test]
fn a_bundle_that_changed_on_the_way_is_refused_before_rauc_sees_it() {
    refused("flip", Signer::Release, "branchline-test-box", Rig::flip_bundle, "SHA-256");
}

fn refused(name: &str, signer: Signer, compatible: &str, spoil: fn(&mut Rig), words: &str) {
    let mut rig = Rig::new(name);
    rig.offer("1.1.0", signer, compatible);
    spoil(&mut rig);
    rig.healthy(true, 0);
    let before = rig.slot_digest("b");
    let agent = rig.start_agent();
    let state = rig.wait_for_outcome("refused");
    let why = state["last"]["why"].as_str().expect("a reason").to_owned();
    assert!(why.to_lowercase().contains(&words.to_lowercase()), "{why}");
    assert_eq!(rig.primary(), "A");
    assert_eq!(rig.slot_digest("b"), before, "the other slot is untouched");
    rig.stop(agent);
}

/// The way of an update: the administrator offers it, the box fetches it, RAUC installs it, the box proves itself in the
/// new slot, and the console shows what runs.
#[test]
fn a_bundle_offered_by_the_cloud_is_fetched_installed_tried_and_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let cloud = Cloud::start(&folder.path().join("cloud")).expect("a cloud");
    let mut plan = e2e::company::direct("branch-a", 5080).expect("a plan");
    let mut rig = Rig::of_box("offered", &folder.path().join("branch-a/run/health.json"));
    plan.firmware = Some((rig.spool(), rig.state_file()));
    let prompts = e2e::stage::prompts(&folder.path().join("prompts")).expect("prompts");
    let mut branch = Branch::start(&folder.path().join("branch-a"), &plan, Some(&cloud), &prompts).expect("a branch");
    let offer = |bundle: &std::path::Path| {
        let file = bundle.to_str().expect("UTF-8");
        cloud.command(&["bundle", "offer", file, "--site", "branch-a"], None)
    };
    let agent = rig.start_agent();

    let said = offer(&rig.make("1.1.0", Signer::Release, "branchline-test-box")).expect("offered");
    assert!(said.contains("branch-a is offered box-1.1.0.raucb"), "{said}");
    rig.wait_for_reboot(agent);
    assert_eq!(rig.primary(), "B", "the new slot boots next");
    assert_eq!(rig.slot_text("b"), "1.1.0");
    branch.stop();
    let agent = rig.reboot("1.1.0");
    branch.launch().expect("the box comes up in the new slot");
    let state = rig.wait_for_outcome("committed");
    assert_eq!(state["slot"], "B");
    let login = json!({ "login": ADMIN, "password": ADMIN_PASSWORD });
    let console = Session::sign_in(&cloud.http, &login).expect("signed in");
    wait_for("the console to show what runs", Duration::from_secs(60), || {
        let boxes = console.get("/api/boxes").ok()?;
        (boxes.as_array()?.first()?["software"] == "1.1.0").then_some(())
    })
    .unwrap_or_else(|error| panic!("{error:#}: {:?}", console.get("/api/boxes")));

    // One that a stranger signed arrives and goes no further; calls are answered on.
    offer(&rig.make("1.2.0", Signer::Rogue, "branchline-test-box")).expect("offered");
    let state = rig.wait_for_outcome("refused");
    let why = state["last"]["why"].as_str().expect("a reason").to_owned();
    assert!(why.to_lowercase().contains("signature"), "{why}");
    assert_eq!((rig.primary().as_str(), state["slot"].as_str()), ("B", Some("B")));
    assert!(branch.health().is_some_and(|health| health["checks"]["registrar"] == true));
    let wrong = rig.make("1.3.0", Signer::Release, "branchline-test-box").with_file_name("new.raucb");
    std::fs::write(&wrong, "x").expect("a file");
    let refused = format!("{:#}", offer(&wrong).expect_err("no version in the name"));
    assert!(refused.contains("with its version"), "{refused}");
    rig.stop(agent);
}
