//! A compliance officer who trusts nothing: what left the box is listed, signed, counter-signed by the cloud and kept by a
//! witness of the customer's own; a program that is not ours reads the list and its proof; and whoever cuts the list or
//! changes what is in it is found out, by us and by that program.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

use e2e::stage;
use harness::{
    company::{ADMIN, ADMIN_PASSWORD, Branch, BranchPlan, Cloud},
    process::wait_for,
    web::Session,
};
use serde_json::{Value, json};

/// A checkpoint comes a minute after the first line under it.
const WITNESSED: Duration = Duration::from_secs(200);

struct Officer {
    folder: PathBuf,
    ca: PathBuf,
    witness: PathBuf,
}

impl Officer {
    /// The program in another language, over an exported file.
    fn checks(&self, file: &Path) -> Output {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the root");
        let program = root.join("deploy/verify/egress.py");
        let mut command = Command::new("python3");
        command.arg("-B").arg(program).arg(file).arg("--ca").arg(&self.ca).arg("--witness").arg(&self.witness);
        command.output().expect("Python runs")
    }

    fn is_told(&self, lines: &[Value], wrong: &str) {
        let file = self.folder.join("forged.jsonl");
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        fs::write(&file, text).expect("a file");
        let found = self.checks(&file);
        let said = String::from_utf8_lossy(&found.stderr).into_owned();
        assert_eq!(found.status.code(), Some(1), "{said}");
        assert!(said.contains(wrong), "{said}");
    }
}

fn verified(branch: &Branch, witness: &Path) -> anyhow::Result<String> {
    branch.command(&["ledger", "verify", "--witness", witness.to_str().expect("UTF-8")], None)
}

#[test]
fn what_left_is_witnessed_and_another_program_finds_what_was_cut_or_changed() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let cloud = Cloud::start(&folder.join("cloud")).expect("a cloud");
    let prompts = stage::prompts(&folder.join("prompts")).expect("prompts");
    let witness = folder.join("witness.jsonl");
    let mut plan = BranchPlan::example("branch-a", stage::carrier_port()).expect("a plan");
    plan.more = format!("[witness]\nfile = \"{}\"\n", witness.display());
    let mut branch = Branch::start(&folder.join("branch-a"), &plan, Some(&cloud), &prompts).expect("it enrols");
    let officer =
        Officer { folder: folder.to_owned(), ca: folder.join("cloud/data/ca/ca.pem"), witness: witness.clone() };

    let said = wait_for("the cloud's counter-signature", WITNESSED, || {
        let said = verified(&branch, &witness).ok()?;
        (!said.contains("by the cloud: nothing") && !said.contains("saw it: 0")).then_some(said)
    })
    .unwrap_or_else(|error| panic!("{error:#}: {}", branch.tail()));
    assert!(said.contains("the chain is whole"), "{said}");

    // The console and the desk say the same.
    let console = Session::sign_in(&cloud.http, &json!({ "login": ADMIN, "password": ADMIN_PASSWORD })).expect("in");
    let boxes = console.get("/api/boxes").expect("boxes");
    assert_eq!(boxes[0]["egress"]["disputed"], 0, "{boxes}");
    let desk = stage::sign_in(&branch, "a-101").expect("a supervisor");
    let sums = desk.get(&format!("/api/egress?from=0&until={}", i64::MAX)).expect("sums");
    assert!(sums["cloud"]["line"].as_u64() >= boxes[0]["egress"]["line"].as_u64(), "{sums} {boxes}");
    let lines = desk.get(&format!("/api/egress/lines?from=0&until={}", i64::MAX)).expect("lines");
    let health = lines.as_array().expect("lines").iter().find(|line| line["class"] == "health").expect("its health");
    assert_eq!(health["said"]["item"], "health", "{health}");
    let hello = lines.as_array().expect("lines").iter().find(|line| line["class"] == "handshake").expect("a hello");
    assert_eq!(hello["said"]["frame"], "hello", "{hello}");

    branch.stop();
    let file = folder.join("egress.jsonl");
    branch.command(&["ledger", "export", "--out", file.to_str().expect("UTF-8")], None).expect("an export");
    let found = officer.checks(&file);
    let said = String::from_utf8_lossy(&found.stdout).into_owned();
    assert!(found.status.success(), "{said}{}", String::from_utf8_lossy(&found.stderr));
    assert!(said.contains("signed by the cloud: up to line") && said.contains("as your witness saw it"), "{said}");

    // Forgeries of the file, one at a time.
    let text = fs::read_to_string(&file).expect("the export");
    let honest: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let forged = |forge: &dyn Fn(&mut Vec<Value>)| {
        let mut lines = honest.clone();
        forge(&mut lines);
        lines
    };
    officer.is_told(&forged(&|lines| drop(lines.remove(3))), "line 2 is missing");
    officer.is_told(&forged(&|lines| lines[2]["at"] = json!(1)), "line 1 is not the one");
    officer.is_told(&forged(&|lines| lines[2]["body"] = json!("AAAA")), "the contents are not those that left");
    let signed = honest.iter().position(|line| line["witness"].is_string()).expect("a counter-signed checkpoint");
    let other = |key: &'static str| {
        move |lines: &mut Vec<Value>| {
            let text = lines[signed][key].as_str().expect("a signature").to_owned();
            let end = if text.ends_with("00") { "01" } else { "00" };
            lines[signed][key] = json!(format!("{}{end}", &text[..text.len() - 2]));
        }
    };
    officer.is_told(&forged(&other("signature")), "the box did not sign");
    officer.is_told(&forged(&other("witness")), "the cloud did not counter-sign");
    officer
        .is_told(&forged(&|lines| lines.retain(|line| line.get("checkpoint").is_none())), "another list was witnessed");

    // The ledger itself: whoever has the disk cuts it cleanly, and the witness tells.
    let db = rusqlite::Connection::open(branch.folder.join("data/ledger.db")).expect("the ledger");
    let first: i64 = db
        .query_row("SELECT max(first) FROM testimonies WHERE witness = 3", [], |row| row.get(0))
        .expect("a witnessed checkpoint");
    for cut in ["egress WHERE line", "egress_bodies WHERE line", "checkpoints WHERE first", "testimonies WHERE first"] {
        db.execute(&format!("DELETE FROM {cut} >= {first}"), []).expect("a cut");
    }
    drop(db);
    assert!(branch.command(&["ledger", "verify"], None).is_ok(), "by itself a cut list is whole");
    let told = verified(&branch, &witness).expect_err("the witness remembers");
    assert!(format!("{told:#}").contains("were witnessed and are not here"), "{told:#}");

    // It goes on from there, and the cloud hears two stories.
    branch.launch().expect("it starts");
    let disputed = || {
        let boxes = console.get("/api/boxes").ok()?;
        (boxes[0]["egress"]["disputed"].as_i64()? > 0).then_some(())
    };
    wait_for("the contradiction at the console", WITNESSED, disputed)
        .unwrap_or_else(|error| panic!("{error:#}: {}", branch.tail()));
    let audit = console.get("/api/audit").expect("the audit");
    assert!(audit.to_string().contains("egress.contradiction"), "{audit}");
}
