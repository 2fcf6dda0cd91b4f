//! A trunk that is known by name (RFC 3263), with a name server that answers, moves the carrier, and dies.

use std::net::TcpListener;
use std::process::Command;

use harness::dns::NameServer;
use harness::process::{Program, free_ports, wait_for};
use serde_json::json;

use super::sipp::{self, Script, answer, passed, sdp};
use super::{Branch, PATIENCE, Path, branch, phone};

/// A carrier that takes one call.
fn carrier(folder: &Path, name: &str, port: u16) -> Program {
    let steps = [
        "<recv request=\"INVITE\"/>\n".to_owned(),
        answer("180 Ringing", "Contact: <sip:uas@[local_ip]:[local_port];transport=tcp>\n").replacen(
            "[last_To:]",
            "[last_To:];tag=uas",
            1,
        ),
        format!(
            "<send><![CDATA[\n\nSIP/2.0 200 OK\n[last_Via:]\n[last_From:]\n[last_To:];tag=uas\n[last_Call-ID:]\n\
             [last_CSeq:]\nContact: <sip:uas@[local_ip]:[local_port];transport=tcp>\n\
             Content-Type: application/sdp\nContent-Length: [len]\n\n{}]]></send>\n",
            sdp("sendrecv")
        ),
        "<recv request=\"ACK\"/>\n<recv request=\"BYE\"/>\n".to_owned(),
        answer("200 OK", ""),
    ];
    let script = Script { name, steps: steps.concat(), to: None, port, service: "x" };
    let program = sipp::start_by(folder, &script, "t1").expect("SIPp");
    // A connection that comes too soon would be refused.
    let listens = || {
        let seen = Command::new("ss").args(["-Htln", &format!("sport = :{port}")]).output().ok()?;
        (!seen.stdout.is_empty()).then_some(())
    };
    wait_for("SIPp to listen", PATIENCE, listens).expect("SIPp listens");
    program
}

fn call(folder: &Path, branch: &Branch, carrier: &mut Program, phone: &mut harness::baresip::Phone) {
    phone.dial(&format!("sip:0301234567@{}", branch.domain)).expect("dialled");
    phone.wait_event("CALL_ESTABLISHED", PATIENCE).unwrap_or_else(|error| panic!("{error:#}\n{}", branch.tail()));
    phone.hang_up().expect("hung up");
    passed(folder, carrier).expect("the carrier's steps are met");
}

#[test]
fn calls_go_where_dns_says_past_an_address_that_refuses_and_on_when_dns_is_dead() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    // Nobody listens at the first address.
    let refusing = TcpListener::bind("127.0.0.1:0").and_then(|taken| taken.local_addr()).expect("a port").port();
    let uas = free_ports(2);
    let zone = format!(
        "cut\n\
         sip.carrier.test 60 NAPTR 10 10 SIP+D2T _sip._tcp.sip.carrier.test\n\
         _sip._tcp.sip.carrier.test 60 SRV 0 1 {refusing} a.carrier.test\n\
         _sip._tcp.sip.carrier.test 60 SRV 10 1 {uas} a.carrier.test\n\
         a.carrier.test 60 A 127.0.0.1\n"
    );
    let mut dns = NameServer::start(&zone).expect("a name server");
    let mut branch = branch(folder, 9, |plan| {
        let trunk = &mut plan.config["trunks"]["carrier"];
        trunk["kind"] = json!({ "by": "address", "peer": "0.0.0.0:5060", "transport": "udp" });
        trunk["carrier"] = json!({ "name": "sip.carrier.test", "health": { "every_s": 0 } });
        plan.more = format!("[dns]\nservers = [\"{}\"]\n", dns.address);
    });
    let located = |branch: &Branch| branch.log().matches("DNS says where").count();
    wait_for("the carrier's place", PATIENCE, || (located(&branch) == 1).then_some(())).expect("located");
    let mut caller = phone(folder, &branch, "101", "hello");
    call(folder, &branch, &mut carrier(folder, "first", uas), &mut caller);

    // DNS dies; so does the box. What was known goes on.
    dns.stop();
    call(folder, &branch, &mut carrier(folder, "second", uas), &mut caller);
    branch.stop();
    branch.launch().expect("the box is back");
    call(folder, &branch, &mut carrier(folder, "third", uas), &mut caller);
    assert!(!branch.log().contains("panicked"), "{}", branch.tail());
}
