//! The branch key in a TPM, and the way back when the machine is lost (S-180, S-182).

use std::{fs, path::Path, process::Command};

use e2e::{
    company,
    stage::{self, Agent, PATIENCE},
};
use harness::{company::Branch, process::wait_for, tpm::SoftTpm};

/// Everything that another machine finds on the disk.
fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").arg(from).arg(to).status().expect("cp").success());
}

fn says(branch: &Branch, args: &[&str], input: &str) -> String {
    match branch.command(args, Some(input)) {
        Ok(said) => said,
        Err(error) => format!("{error:#}"),
    }
}

#[test]
fn a_stolen_disk_opens_nothing_and_two_of_three_shares_open_everything_on_another_machine() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let prompts = stage::prompts(&at("prompts")).expect("prompts");
    let carrier = stage::carrier_port();
    let (mut tpm, elsewhere) = (SoftTpm::start().expect("a TPM"), SoftTpm::start().expect("another TPM"));
    let mut plan = company::direct("branch-a", carrier).expect("a plan");
    plan.more = tpm.section();
    let mut branch = Branch::start(&at("branch-a"), &plan, None, &prompts).expect("a branch");

    // A call, recorded; the process that handles it is killed and comes back, with the chip asked by nobody.
    let mut agent =
        Agent::start(&branch, &at("agent"), "a-101", "101", "we will repair it tomorrow").expect("an agent");
    let mut desk = agent.desk.live().expect("the live desk");
    desk.ask("sign_in").expect("signed in");
    desk.ask("ready").expect("ready");
    tpm.stop();
    let mut caller = stage::caller(&at("caller"), "5550100", "the invoice is wrong", carrier).expect("a caller");
    caller.dial(&format!("sip:4001@{}", branch.sip)).expect("dialled");
    agent.phone.wait_event("CALL_ESTABLISHED", PATIENCE).expect("the agent answers");
    std::thread::sleep(std::time::Duration::from_secs(5));
    stage::kill_calls(&branch).expect("restarted without the chip");
    caller.hang_up().expect("hung up");
    agent.phone.wait_event("CALL_CLOSED", PATIENCE).expect("the agent's leg ends");
    let files = || branch.recordings().into_iter().next();
    let recording = wait_for("a recording", PATIENCE, files).expect("recorded");
    branch.stop();

    let key = branch.folder.join("data/branch.key");
    let sealed = fs::read(&key).expect("the key file");
    assert!(sealed.len() > 100, "the chip's seal lies on the disk, and no key: {} bytes", sealed.len());
    let without = says(&branch, &["key", "show"], "");
    assert!(without.contains("does not open the branch key"), "the chip is gone: {without}");
    drop((desk, agent, caller));

    // The machine starts again without its chip: nothing is recorded, phones cannot prove themselves, and callers are
    // answered all the same.
    branch.launch_ailing().expect("it starts");
    let mut caller = stage::caller(&at("second"), "5550101", "the invoice is wrong", carrier).expect("a caller");
    caller.dial(&format!("sip:4001@{}", branch.sip)).expect("dialled");
    caller.wait_event("CALL_ESTABLISHED", PATIENCE).unwrap_or_else(|error| panic!("{error:#}\n{}", branch.tail()));
    caller.hang_up().expect("hung up");
    assert_eq!(branch.recordings().len(), 1, "nothing new is recorded");
    drop(caller);
    branch.stop();
    assert_eq!(fs::read(&key).expect("the key file"), sealed, "nothing was changed");

    // The disk in another machine, whose TPM is another.
    copy(&branch.folder, &at("thief"));
    let mut thief = company::direct("branch-a", carrier).expect("a plan");
    thief.more = elsewhere.section();
    let moved = recording.strip_prefix(&branch.folder).expect("a file of the box");
    let stolen = Branch::written_over(&at("thief"), &thief, &prompts).expect("the files of the box");
    let stolen_recording = at("thief").join(moved);
    let file = stolen_recording.to_str().expect("UTF-8");
    let refused = says(&stolen, &["recording", "verify", file], "");
    assert!(refused.contains("does not open the branch key") && refused.contains("boxd key recover"), "{refused}");
    assert_eq!(fs::read(at("thief/data/branch.key")).expect("the key file"), sealed, "nothing was changed");
}

/// Shares of another branch's key.
fn foreign(folder: &Path, carrier: u16, prompts: &Path) -> String {
    let plan = company::direct("branch-b", carrier).expect("a plan");
    let mut other = Branch::start(folder, &plan, None, prompts).expect("another branch");
    other.stop();
    says(&other, &["key", "split"], "")
}

#[test]
fn shares_bring_the_key_back_and_rekeying_makes_them_worthless() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let prompts = stage::prompts(&at("prompts")).expect("prompts");
    let carrier = stage::carrier_port();
    // A key that lay open, as boxes have it that were set up before there was a TPM.
    let plan = company::direct("branch-a", carrier).expect("a plan");
    let mut branch = Branch::start(&at("branch-a"), &plan, None, &prompts).expect("a branch");
    let mut agent =
        Agent::start(&branch, &at("agent"), "a-101", "101", "we will repair it tomorrow").expect("an agent");
    let mut desk = agent.desk.live().expect("the live desk");
    desk.ask("sign_in").expect("signed in");
    desk.ask("ready").expect("ready");
    let mut caller = stage::caller(&at("caller"), "5550100", "the invoice is wrong", carrier).expect("a caller");
    caller.dial(&format!("sip:4001@{}", branch.sip)).expect("dialled");
    agent.phone.wait_event("CALL_ESTABLISHED", PATIENCE).expect("the agent answers");
    std::thread::sleep(std::time::Duration::from_secs(5));
    caller.hang_up().expect("hung up");
    agent.phone.wait_event("CALL_CLOSED", PATIENCE).expect("the agent's leg ends");
    let recording = stage::sealed_recording(&branch, 1).expect("a recording");
    let heard = at("heard.wav");
    stage::export(&branch, &recording, &heard).expect("exported");
    branch.stop();
    drop((desk, agent, caller));

    assert!(says(&branch, &["key", "show"], "").contains("no shares"));
    let printed = says(&branch, &["key", "split"], "");
    let shares: Vec<&str> = printed.lines().filter(|line| line.starts_with("BLK1-")).collect();
    assert_eq!(shares.len(), 3, "{printed}");
    let shown = says(&branch, &["key", "show"], "");
    assert!(shown.contains("3 shares, any 2 of which make it again"), "{shown}");
    let name = shown.lines().next().and_then(|line| line.strip_prefix("key ")).expect("a name").to_owned();

    // The chip is built in: the key that lay open is sealed when somebody says so.
    let tpm = SoftTpm::start().expect("a TPM");
    let mut sealed = company::direct("branch-a", carrier).expect("a plan");
    sealed.more = tpm.section();
    let key = at("branch-a/data/branch.key");
    assert_eq!(fs::read(&key).expect("the key file").len(), 32);
    drop(branch);
    let mut branch = Branch::written_over(&at("branch-a"), &sealed, &prompts).expect("the files of the box");
    let open = says(&branch, &["key", "show"], "");
    assert!(open.contains("it lies open on the disk"), "{open}");
    let done = says(&branch, &["key", "seal"], "");
    assert!(done.contains("the key is sealed"), "{done}");
    branch.launch().expect("it starts with the chip");
    let running = says(&branch, &["key", "seal"], "");
    assert!(running.contains("the box runs"), "{running}");
    branch.stop();
    assert!(fs::read(&key).expect("the key file").len() > 100, "sealed");
    let shown = says(&branch, &["key", "show"], "");
    assert!(shown.starts_with(&format!("key {name}\n")), "the same key: {shown}");

    // The mainboard burns; the disk goes into another machine. With one share, with a wrong one, with two.
    copy(&at("branch-a"), &at("new"));
    let (other, spare) = (SoftTpm::start().expect("another TPM"), at("new"));
    let mut anew = company::direct("branch-a", carrier).expect("a plan");
    anew.more = other.section();
    let mut new = Branch::written_over(&spare, &anew, &prompts).expect("the files of the box");
    let (one, three) = (shares[0], shares[2]);
    let too_few = says(&new, &["key", "recover"], one);
    assert!(too_few.contains("2 different shares are needed, and there are 1"), "{too_few}");
    let mut typed: Vec<char> = one.chars().collect();
    typed[7] = if typed[7] == 'A' { 'B' } else { 'A' };
    let typed: String = typed.into_iter().collect();
    let wrong = says(&new, &["key", "recover"], &format!("{typed}\n{three}\n"));
    assert!(wrong.contains("line 1") && wrong.contains("slip of the pen"), "{wrong}");
    let of_others = says(&new, &["key", "recover"], &foreign(&at("foreign"), carrier, &prompts));
    assert!(of_others.contains("opens none of the 1 recordings"), "{of_others}");
    let back = says(&new, &["key", "recover"], &format!("Share 1 of 3\n{one}\n\n{}\n", three.to_lowercase()));
    assert!(back.contains(&format!("key {name} is here again")), "{back}");
    assert!(fs::read(spare.join("data/branch.key")).expect("the key file").len() > 100, "sealed by the new chip");
    let moved = spare.join(recording.strip_prefix(at("branch-a")).expect("a file of the box"));
    stage::export(&new, &moved, &at("again.wav")).expect("the recording opens");
    assert_eq!(fs::read(at("again.wav")).expect("a file"), fs::read(&heard).expect("a file"), "the very same sound");
    new.launch().expect("the new machine runs");
    let supervisor = wait_for("the desk", PATIENCE, || stage::sign_in(&new, "a-101").ok()).expect("passwords too");
    let rows = stage::contacts(&supervisor).expect("contacts");
    assert!(rows.iter().any(|row| row.to_string().contains("5550100")), "who called is known: {rows:?}");
    new.stop();

    // Another key: the old shares open nothing of this box any more, and the box says so.
    says(&new, &["recording", "rekey"], "");
    let shown = says(&new, &["key", "show"], "");
    assert!(!shown.contains(&name) && shown.contains("no shares"), "{shown}");
    stage::export(&new, &moved, &at("rekeyed.wav")).expect("the recording opens by the new key");
    let refused = says(&new, &["key", "recover"], &shares.join("\n"));
    assert!(refused.contains("opens none of the 1 recordings"), "{refused}");
}
