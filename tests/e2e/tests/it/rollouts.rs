//! A change on its way to three branches, with real calls: a bad one reaches the first branch alone and is taken back by
//! itself; a good one reaches all, though the server dies under it.

use std::time::Duration;

use e2e::company::{self, Company};
use harness::{company::Branch, process::wait_for, web::Session};
use serde_json::{Value, json};

/// A back-off, a session, and calls that are made meanwhile.
const PATIENCE: Duration = Duration::from_secs(120);
const SITES: [&str; 3] = ["branch-a", "branch-b", "branch-c"];

fn newest(console: &Session) -> Option<Value> {
    console.get("/api/rollouts").ok()?.get(0).cloned()
}

fn wanted(label: &str, changes: Value) -> Value {
    json!({
        "label": label, "changes": changes, "overrule": false, "sites": SITES, "canaries": ["branch-a"],
        "shares": [100], "soak_s": 2, "patience_s": 600, "wants_calls": true
    })
}

fn standings(seen: &Value) -> Vec<&str> {
    let waves = seen["waves"].as_array().into_iter().flatten().filter_map(Value::as_array).flatten();
    waves.filter_map(|site| site["is"].as_str()).collect()
}

fn start_of_flow(console: &Session, site: &str) -> Value {
    let seen = console.get(&format!("/api/sites/{site}/config")).expect("a configuration");
    seen["config"]["flows"]["direct"]["start"].clone()
}

#[test]
fn a_bad_change_is_taken_back_at_the_first_branch_and_a_good_one_reaches_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut company = Company::start(folder.path(), |_| {}).expect("a company");
    let more: Vec<Branch> = SITES[1..]
        .iter()
        .map(|site| {
            let plan = company::direct(site, e2e::stage::carrier_port()).expect("a plan");
            let at = folder.path().join(site);
            Branch::start(&at, &plan, Some(&company.cloud), &folder.path().join("prompts")).expect("a branch")
        })
        .collect();
    company.linked().expect("all are linked");
    let callers = company.callers(6, "5550111").expect("callers");
    company.served(callers).expect("callers are served");

    let console = company.console().expect("a console");
    let hangs_up = json!({ "label": "Straight out", "start": "end", "steps": { "end": { "do": "hangup" } } });
    let bad = json!([{ "set": "flow_put", "flow": "direct", "value": hangs_up }]);
    let looked = json!({ "changes": bad, "sites": SITES, "overrule": false });
    let looked = console.post("/api/rollouts/look", &looked).expect("a dry run");
    let each = looked["sites"].as_array().expect("sites");
    assert!(each.iter().all(|site| site["fits"] == true && site["differences"] != json!([])), "{looked}");
    let begun = console.post("/api/rollouts", &wanted("A flow that hangs up", bad)).expect("begun");
    assert_eq!(begun["awaits_second"], true, "it leads callers elsewhere");
    let beth = json!({ "login": "beth@example.org", "role": "administrator", "sites": null });
    let beth = console.post("/api/people", &beth).expect("a second person");
    let second = Session::sign_in(&company.cloud.http, &beth).expect("signed in");
    second.post(&format!("/api/rollouts/{}/agreement", begun["rollout"]), &json!({})).expect("agreed");
    wait_for("the first branch runs by it", PATIENCE, || {
        (standings(&newest(&console)?) == ["runs", "waiting", "waiting"]).then_some(())
    })
    .unwrap_or_else(|error| panic!("{error:#}\n{:?}\n{}", newest(&console), company.branch.tail()));
    // Nobody answers them: the carrier's own verdict is that they failed.
    let mut lost = company.callers(4, "5550222").expect("callers");
    let reverted =
        wait_for("it is taken back", PATIENCE, || newest(&console).filter(|seen| seen["state"] == "reverted"))
            .unwrap_or_else(|error| panic!("{error:#}\n{:?}\n{}", newest(&console), company.branch.tail()));
    let _ = lost.wait(PATIENCE);
    assert_eq!((&reverted["why"], &reverted["site"]), (&json!("calls_fell"), &json!("branch-a")));
    assert_eq!(standings(&reverted), ["taken_back", "waiting", "waiting"]);
    for site in SITES {
        assert_eq!(start_of_flow(&console, site), "queue", "{site}");
    }
    wait_for("the box runs by what stood before", PATIENCE, || {
        let seen = console.get("/api/sites/branch-a/config").ok()?;
        (seen["pending"] == false).then_some(())
    })
    .expect("the branch has it back");
    let callers = company.callers(1, "5550333").expect("a caller");
    company.served(callers).expect("callers are served again");

    let good = json!([{ "set": "queue_wrap_up", "queue": "service", "seconds": 1 }]);
    console.post("/api/rollouts", &wanted("A breath between calls", good)).expect("begun");
    wait_for("the first branch runs by it", PATIENCE, || {
        (standings(&newest(&console)?) == ["runs", "waiting", "waiting"]).then_some(())
    })
    .expect("applied");
    company.cloud.kill_hard();
    company.cloud.launch().expect("the server again");
    let callers = company.callers(10, "5550444").expect("callers");
    company.served(callers).expect("callers are served while it dies and comes back");
    wait_for("it is everywhere", PATIENCE, || newest(&console).filter(|seen| seen["state"] == "done"))
        .unwrap_or_else(|error| panic!("{error:#}\n{:?}\n{}", newest(&console), company.branch.tail()));
    for site in SITES {
        let seen = console.get(&format!("/api/sites/{site}/config")).expect("a configuration");
        assert_eq!(seen["config"]["queues"]["service"]["wrap_up_s"], 1, "{site}");
        assert_eq!(seen["pending"], false, "{site} has it");
    }
    drop(more);
}
