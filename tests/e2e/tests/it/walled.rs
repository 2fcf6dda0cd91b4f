//! A branch whose firewall lets no UDP pass: it joins its cloud and works with it through a WebSocket, and goes over to
//! QUIC by itself once somebody opens the wall.

use std::time::Duration;

use e2e::stage;
use harness::{
    company::{ADMIN, ADMIN_PASSWORD, Branch, BranchPlan, Cloud, Process},
    process::wait_for,
    wan::Wan,
    web::Session,
};
use serde_json::json;

/// UDP's silence, then the other way.
const LINK_PATIENCE: Duration = Duration::from_secs(60);
/// UDP is tried again within a minute, then within two.
const RETURN_PATIENCE: Duration = Duration::from_secs(200);
const ROWS_PATIENCE: Duration = Duration::from_secs(150);

/// Whether the link is up, and through a WebSocket.
fn link(branch: &Branch) -> Option<(bool, bool)> {
    let text = branch.figures(Process::Sync).ok()?;
    let is_one = |name: &str| text.lines().any(|line| line == format!("branchline_sync_{name} 1"));
    Some((is_one("linked"), is_one("web")))
}

fn edited(console: &Session, seconds: u64) {
    stage::edited(console, seconds, LINK_PATIENCE).expect("the edit arrives");
}

#[test]
fn a_branch_behind_a_wall_joins_through_the_web_and_returns_to_quic_when_the_wall_opens() {
    let folder = tempfile::tempdir().expect("a folder");
    let cloud = Cloud::start(&folder.path().join("cloud")).expect("a cloud");
    let wan = Wan::to(&cloud.link).expect("a line");
    wan.cut();
    let prompts = stage::prompts(&folder.path().join("prompts")).expect("prompts");
    let mut plan = BranchPlan::example("branch-a", stage::carrier_port()).expect("a plan");
    plan.cloud_at = vec![wan.address.clone()];
    plan.cloud_web = vec![format!("{}/link", cloud.http.replace("http://", "ws://"))];
    let branch = Branch::start(&folder.path().join("branch-a"), &plan, Some(&cloud), &prompts).expect("it enrols");

    wait_for("a link through the web", LINK_PATIENCE, || (link(&branch)? == (true, true)).then_some(()))
        .unwrap_or_else(|error| panic!("{error:#}: {}", branch.tail()));
    let console = Session::sign_in(&cloud.http, &json!({ "login": ADMIN, "password": ADMIN_PASSWORD })).expect("in");
    edited(&console, 41);
    assert_eq!(wan.moved(), 0, "the wall is a wall");

    wan.mend();
    wait_for("a link by QUIC", RETURN_PATIENCE, || (link(&branch)? == (true, false)).then_some(()))
        .unwrap_or_else(|error| panic!("{error:#}: {}", branch.tail()));
    edited(&console, 42);
    assert!(wan.moved() > 0, "it goes by UDP");

    stage::outbox_emptied(&branch, ROWS_PATIENCE).expect("every row is acknowledged");
}
