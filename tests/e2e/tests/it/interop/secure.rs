//! TLS with makes that are not ours: phones that register and call under TLS and SRTP.

use std::time::Duration;

use harness::baresip::{Account, Phone};
use harness::company::PHONE_PASSWORD;
use harness::process::{free_ports, wait_for};
use harness::proof;

use super::{PATIENCE, Path, branch, phone};

fn secure_phone(folder: &Path, user: &str, domain: &str, registrar: &str, ca: &Path) -> Phone {
    let home = folder.join(format!("secure-{user}"));
    std::fs::create_dir_all(&home).expect("a folder");
    let microphone = home.join("microphone.wav");
    proof::speak("my washing machine is broken", 60, &microphone).expect("a voice");
    let account = Account::Phone { user, password: PHONE_PASSWORD, domain, registrar, transport: "tls" };
    let lines = format!("sip_cafile {}", ca.display());
    Phone::start_as(&home.join("phone"), &account, &microphone, true, free_ports(2), (";mediaenc=srtp-mand", &lines))
        .expect("a phone")
}

fn log(phone: &Phone) -> String {
    std::fs::read_to_string(phone.folder.join("baresip.log")).unwrap_or_default()
}

#[test]
fn baresip_registers_over_tls_and_calls_under_srtp_both_ways() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let branch = branch(folder, free_ports(2), |plan| {
        plan.config["phones"]["101"]["protection"] = "required".into();
    });
    let ca = folder.join("ca.pem");
    branch.command(&["tls", "--ca-out", ca.to_str().expect("UTF-8")], None).expect("the box's CA");
    let registrar = format!("127.0.0.1:{}", branch.sip_port + 1);
    let mut caller = secure_phone(folder, "101", &branch.domain, &registrar, &ca);
    let bound = || log(&caller).contains("{0/TLS/v4} 200 OK").then_some(());
    wait_for("a registration over TLS", PATIENCE, bound).unwrap_or_else(|error| panic!("{error:#}\n{}", log(&caller)));

    // The other phone speaks UDP and knows no SRTP; they hear one another.
    let mut called = phone(folder, &branch, "102", "this is the service desk how can i help you");
    caller.dial(&format!("sip:102@{}", branch.domain)).expect("dialled");
    called.wait_event("CALL_ESTABLISHED", PATIENCE).unwrap_or_else(|error| panic!("{error:#}\n{}", branch.tail()));
    caller.wait_event("CALL_ESTABLISHED", PATIENCE).expect("both ends");
    std::thread::sleep(Duration::from_secs(6));
    caller.hang_up().expect("hung up");
    called.wait_event("CALL_CLOSED", PATIENCE).expect("the other end too");
    let heard = proof::words(&called.heard().expect("a recording"), 1).expect("recognised");
    assert!(heard.contains("washing machine"), "the called one heard: {heard}");
    let heard = proof::words(&caller.heard().expect("a recording"), 1).expect("recognised");
    assert!(heard.contains("service desk"), "the caller heard: {heard}");

    // And it calls in the other direction, over the connection that the phone opened.
    called.dial(&format!("sip:101@{}", branch.domain)).expect("dialled");
    caller.wait_event("CALL_ESTABLISHED", PATIENCE).unwrap_or_else(|error| panic!("{error:#}\n{}", branch.tail()));
    called.hang_up().expect("hung up");
    caller.wait_event("CALL_CLOSED", PATIENCE).expect("ended");
}
