//! Phones on TLS: a real one registers and is called, and nothing of it can be read on the wire.

use std::{fs, process::Command, time::Duration};

use e2e::{company, stage};
use harness::{
    baresip::{Account, Phone},
    company::{Branch, PHONE_PASSWORD},
    process::{Program, wait_for},
    proof,
};

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn a_phone_on_tls_registers_and_is_called_and_the_wire_shows_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let prompts = stage::prompts(&folder.path().join("prompts")).expect("prompts");
    let plan = company::direct("branch-a", stage::carrier_port()).expect("a plan");
    let branch = Branch::start(&folder.path().join("branch-a"), &plan, None, &prompts).expect("a branch");
    let tls_port = branch.sip_port + 1;

    let (capture, said) = (folder.path().join("tls.pcap"), folder.path().join("tshark.log"));
    let mut tshark = Command::new("tshark");
    tshark.args(["-q", "-i", "lo", "-f", &format!("tcp port {tls_port}"), "-w"]).arg(&capture);
    let mut tshark = Program::start("tshark", tshark, &said).expect("tshark");
    wait_for("the capture", PATIENCE, || fs::metadata(&capture).ok().filter(|file| file.len() > 0)).expect("capturing");

    let secure = folder.path().join("phone-101");
    fs::create_dir_all(&secure).expect("a folder");
    let ca = secure.join("ca.pem");
    let shown = branch.command(&["tls", "--ca-out", ca.to_str().expect("UTF-8")], None).expect("a CA");
    assert!(shown.contains("SHA-256"), "{shown}");
    let microphone = folder.path().join("microphone.wav");
    proof::speak("we will repair it tomorrow", 60, &microphone).expect("speech");
    let registrar = format!("127.0.0.1:{tls_port}");
    let account = |user: &'static str, registrar: &'static str, transport: &'static str| Account::Phone {
        user,
        password: PHONE_PASSWORD,
        domain: "branch-a.example",
        registrar,
        transport,
    };
    let (registrar, plain): (&str, &str) = (registrar.leak(), branch.sip.clone().leak());
    let mut called = Phone::start(&secure, &account("101", registrar, "tls"), &microphone, true).expect("a phone");
    wait_for("101 registers", PATIENCE, || branch.log().contains("phone registration phone=101 up=true").then_some(()))
        .unwrap_or_else(|error| panic!("{error:#}\n{}", branch.tail()));
    let mut caller = Phone::start(&folder.path().join("phone-102"), &account("102", plain, "udp"), &microphone, false)
        .expect("a phone");
    wait_for("102 registers", PATIENCE, || branch.log().contains("phone registration phone=102 up=true").then_some(()))
        .expect("registered");
    caller.dial("sip:101@branch-a.example").expect("dialled");
    caller.wait_event("CALL_ESTABLISHED", PATIENCE).expect("answered");
    caller.hang_up().expect("hung up");
    called.wait_event("CALL_CLOSED", PATIENCE).expect("the BYE came over TLS");

    tshark.stop();
    let wire = fs::read(&capture).expect("a capture");
    assert!(wire.len() > 4_000, "a registration and a call were on the wire: {}", wire.len());
    for word in ["SIP/2.0", "REGISTER", "INVITE", "branch-a.example\r", "nonce"] {
        assert!(!wire.windows(word.len()).any(|bytes| bytes == word.as_bytes()), "{word} can be read");
    }
}
