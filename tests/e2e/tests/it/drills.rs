//! Outage drills (N-04): the box cuts its own link, goes on serving, and says afterwards what came of it; and whoever may
//! end one ends it at once.

use std::{process::Command, time::Duration};

use e2e::{
    company::Company,
    stage::{self, PATIENCE},
};
use harness::{
    process::{kill_hard, wait_for},
    sipp,
    web::Session,
};
use serde_json::{Value, json};

/// A back-off, a session, the end of the interval, and the way of its figures to the cloud.
const REPORT_PATIENCE: Duration = Duration::from_secs(240);

/// What the console has been told of the drill, once it has.
fn reported(console: &Session, count: usize) -> Option<Value> {
    let seen = console.get("/api/drills").ok()?;
    let reports = seen["reports"].as_array()?;
    (reports.len() >= count).then(|| reports[0].clone())
}

fn verdict<'a>(report: &'a Value, function: &str) -> &'a str {
    let marks = report["marks"].as_array().into_iter().flatten();
    marks.filter(|mark| mark["function"] == function).find_map(|mark| mark["verdict"].as_str()).unwrap_or("")
}

/// Whether *sync* has a link, by its own figures.
fn linked(company: &Company) -> Option<bool> {
    let page = company.branch.figures(harness::company::Process::Sync).ok()?;
    let line = page.lines().find(|line| line.starts_with("branchline_sync_linked "))?;
    Some(line.ends_with(" 1"))
}

fn cut_off(company: &Company) {
    wait_for("the box cuts its link", PATIENCE, || (!linked(company)?).then_some(()))
        .unwrap_or_else(|error| panic!("{error:#}\n{}", company.branch.tail()));
}

#[test]
fn calls_go_on_through_a_drill_and_the_centre_comes_to_the_same_figures() {
    let folder = tempfile::tempdir().expect("a folder");
    // The carrier of this town is there only while it calls.
    let mut company = Company::start(folder.path(), |plan| {
        plan.config["trunks"]["carrier"]["carrier"] = json!({ "health": { "every_s": 0 } });
    })
    .expect("a company");
    let before = company.callers(6, "5550111").expect("callers");
    company.served(before).expect("callers are served");
    let console = company.console().expect("a console");
    let activated = stage::facts(&company.branch, "config_activated").len();
    console.put("/api/sites/branch-a/drill", &json!({ "minutes": 1 })).expect("ordered");
    cut_off(&company);
    assert_eq!(
        stage::facts(&company.branch, "config_activated").len(),
        activated,
        "an order changes nothing that runs"
    );
    let during = company.callers(6, "5550222").expect("callers");
    company.apart().expect("the centre sees that it is cut off");
    let seen = console.get("/api/drills").expect("drills");
    assert_eq!((&seen["ordered"][0]["site"], &seen["ordered"][0]["apart"]), (&json!("branch-a"), &json!(true)));
    // A process that begins again in its midst stays apart.
    let sync = company.branch.pids()["sync"];
    kill_hard(sync);
    wait_for("another sync", PATIENCE, || {
        (company.branch.pids().get("sync").is_some_and(|pid| *pid != sync) && linked(&company).is_some()).then_some(())
    })
    .expect("sync is back");
    assert_eq!(linked(&company), Some(false), "and has no link");
    company.served(during).expect("callers are served as if nothing were");

    let told = wait_for("the report", REPORT_PATIENCE, || reported(&console, 1))
        .unwrap_or_else(|error| panic!("{error:#}\n{}", company.branch.tail()));
    let report = &told["report"];
    assert_eq!(told["outcome"], "passed", "{told}");
    assert_eq!((&told["whole"], &told["equal"], &report["why"]), (&json!(true), &json!(true), &json!("deadline")));
    assert_eq!((&report["during"], &report["before"]), (&Value::Null, &Value::Null), "no count leaves but intervals'");
    let lasted = report["ended"].as_i64().zip(report["began"].as_i64()).map(|(ended, began)| ended - began);
    assert!(lasted.is_some_and(|ms| (50_000..=70_000).contains(&ms)), "{report}");
    for function in ["incoming", "waiting", "recording", "records", "phones", "lines", "help", "delivery"] {
        assert_eq!(verdict(report, function), "kept", "{function}: {report}");
    }
    assert!(report["rows"].as_u64() >= Some(1), "something waited for the link: {report}");
    assert_eq!((verdict(report, "centre"), verdict(report, "overflow")), ("less", "less"));
    let desk = company.supervisor().expect("a supervisor").get("/api/drills").expect("the branch's own report");
    let during = &desk["reports"][0]["during"];
    assert_eq!((&during["offered"], &during["answered"], &during["abandoned"]), (&json!(6), &json!(6), &json!(0)));
    let contacts = company.contacts().expect("contacts").len() as u64;
    assert_eq!(company.counted(contacts).expect("counted")["offered"], json!(contacts), "totals are equal");
    company.delivered().expect("every row is delivered");
    let audit = console.get("/api/audit").expect("the audit").to_string();
    assert!(audit.contains("drill.order"), "{audit}");
}

#[test]
fn a_supervisor_or_a_call_for_help_ends_a_drill_at_once_and_a_bad_certificate_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"])
        .args(["-subj", "/CN=branch-a.example", "-addext", "subjectAltName=DNS:branch-a.example,IP:127.0.0.1"])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&file)
        .output()
        .expect("openssl");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let tls = format!("[tls]\ncertificate = \"{}\"\nkey = \"{}\"\n", file.display(), key.display());
    let mut company = Company::start(folder.path(), |plan| {
        plan.more = tls;
        plan.config["trunks"]["carrier"]["carrier"] = json!({ "health": { "every_s": 0 } });
    })
    .expect("a company");
    let console = company.console().expect("a console");
    let now = || {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock");
        since.as_millis() as i64
    };
    let order = |desk: &Session, drill: Value| {
        let changes = json!({ "changes": [{ "set": "site_drill", "drill": drill }] });
        desk.post("/api/changes", &changes).expect("an edit");
    };
    let desk = company.supervisor().expect("a supervisor");
    order(&desk, json!({ "at": now(), "minutes": 30 }));
    cut_off(&company);
    // The whole box begins again, and is still apart.
    company.branch.stop();
    company.branch.launch().expect("it starts");
    let desk = wait_for("the desk again", PATIENCE, || company.supervisor().ok()).expect("a supervisor");
    let seen = wait_for("figures of sync", PATIENCE, || linked(&company)).expect("figures");
    assert!(!seen, "a drill outlives a restart");
    assert_eq!(stage::facts(&company.branch, "drill_began").len(), 1, "and does not begin anew");
    order(&desk, Value::Null);
    company.linked().expect("linked again");
    let told = wait_for("the report", REPORT_PATIENCE, || reported(&console, 1))
        .unwrap_or_else(|error| panic!("{error:#}\n{}", company.branch.tail()));
    assert_eq!((&told["report"]["why"], &told["outcome"]), (&json!("person"), &json!("not_passed")), "{told}");
    assert_eq!(verdict(&told["report"], "certificate"), "broken", "it ends today: {told}");

    let _centre = sipp::Answering::start(&folder.path().join("centre"), company.carrier).expect("a centre");
    order(&desk, json!({ "at": now(), "minutes": 30 }));
    cut_off(&company);
    let (agent, _) = &mut company.agents[0];
    agent.phone.dial(&format!("sip:112@{}", company.branch.sip)).expect("dialled");
    company.linked().expect("linked again, for somebody calls for help");
    let ends = stage::facts(&company.branch, "drill_ended");
    let why: Vec<&Value> = ends.iter().map(|fact| &fact["kind"]["why"]).collect();
    assert_eq!(why, ["person", "emergency"]);
    assert_eq!(ends[0]["kind"]["by"], "a-101", "who ended it is told by name");
}
