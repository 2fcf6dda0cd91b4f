//! No personal datum reaches the cloud: marked people call, and the marks are looked for in all it stored and logged.

use std::time::Duration;

use e2e::company::Company;
use harness::{canary, process::wait_for};
use serde_json::json;

/// A caller's number: a number that nobody else has.
const NUMBER: &str = "491555017734";
const NAME: &str = "Quentin Zwölfinger";

fn in_the_cloud(company: &Company) -> Vec<canary::Found> {
    let mut found = canary::in_folder(&company.cloud.folder, &[NUMBER, NAME]).expect("the cloud's files");
    // What the cloud tells, too: the documents as it understands them, and what it heard of the branch.
    let console = company.console().expect("signed in");
    let pages = ["/api/sites", "/api/sites/branch-a/config", "/api/sites/branch-a/history", "/api/audit"];
    for page in pages {
        let answer = console.get(page).expect("an answer").to_string();
        found.extend(canary::in_bytes(page, answer.as_bytes(), &[NUMBER, NAME]));
    }
    found
}

#[test]
fn a_marked_caller_is_found_nowhere_in_the_cloud_and_a_planted_leak_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut company = Company::start(folder.path(), |_| {}).expect("a company");
    company.agents_ready().expect("agents");
    let callers = company.callers_named(2, NUMBER, NAME).expect("callers");
    company.served(callers).expect("served");
    company.counted(2).expect("the figures of both calls");
    company.delivered().expect("delivered");

    // The mark is where it belongs, so it can be found.
    let contacts = company.contacts().expect("contacts");
    assert!(contacts.iter().all(|row| row["caller"]["number"] == NUMBER), "{contacts:#?}");
    assert!(contacts.iter().all(|row| row["caller"]["name"] == NAME), "{contacts:#?}");
    assert_eq!(in_the_cloud(&company), Vec::new());

    // Somebody writes a caller into a label, which goes to the cloud as settings do: the same look finds it.
    let supervisor = company.supervisor().expect("signed in");
    let leak = json!({ "set": "agent_badge", "agent": "a-102", "badge": format!("call {NUMBER} back") });
    supervisor.post("/api/changes", &json!({ "changes": [leak] })).expect("an edit");
    wait_for("the planted leak", Duration::from_secs(60), || (!in_the_cloud(&company).is_empty()).then_some(()))
        .expect("the look finds what is there");
    let found = in_the_cloud(&company);
    assert!(found.iter().any(|found| found.place.contains("cloud.db")), "{found:?}");
}
