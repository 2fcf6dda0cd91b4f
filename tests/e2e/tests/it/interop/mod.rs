//! Foreign phones, carriers and proxies against a real box, each using what its make uses; tshark is the referee of what
//! was on the wire. Audio is proved where both ends can speak and listen.

mod by_name;
mod certified;
pub(crate) mod kamailio;
mod linphone;
mod recorders;
mod scanners;
mod secure;
pub(crate) mod sipp;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use e2e::{company, stage};
use harness::baresip::{Account, Phone};
use harness::company::{Branch, BranchPlan, PHONE_PASSWORD};
use harness::process::{Program, free_ports, wait_for};
use harness::proof;
use sipp::{Script, answer, body_has, maybe, passed, proof as proved, reference, request, sdp, status};

const PATIENCE: Duration = Duration::from_secs(20);

fn branch(folder: &Path, carrier: u16, change: impl FnOnce(&mut BranchPlan)) -> Branch {
    let prompts = stage::prompts(&folder.join("prompts")).expect("prompts");
    let mut plan = company::direct("branch-a", carrier).expect("a plan");
    change(&mut plan);
    Branch::start(&folder.join("branch-a"), &plan, None, &prompts).expect("a branch")
}

fn phone(folder: &Path, branch: &Branch, user: &str, says: &str) -> Phone {
    let folder = folder.join(format!("baresip-{user}"));
    std::fs::create_dir_all(&folder).expect("a folder");
    let microphone = folder.join("microphone.wav");
    proof::speak(says, 60, &microphone).expect("a voice");
    let account = Account::Phone {
        user,
        password: PHONE_PASSWORD,
        domain: &branch.domain,
        registrar: &branch.sip,
        transport: "udp",
    };
    let phone = Phone::start(&folder.join("phone"), &account, &microphone, true).expect("a phone");
    // The event may come before its control port can be read; the log has it.
    let bound = || std::fs::read_to_string(phone.folder.join("baresip.log")).ok()?.contains("binding]").then_some(());
    wait_for("a registration", PATIENCE, bound).expect("registered");
    phone
}

/// Everything that the box says and hears by UDP, from here on.
struct Capture {
    program: Program,
    file: PathBuf,
    port: u16,
}

impl Capture {
    fn start(folder: &Path, port: u16) -> Self {
        let file = folder.join("wire.pcapng");
        let mut command = Command::new("tshark");
        command.args(["-q", "-i", "lo", "-f", &format!("udp port {port}"), "-w"]).arg(&file);
        let program = Program::start("tshark", command, &folder.join("tshark.log")).expect("tshark");
        let listens = || std::fs::metadata(&file).is_ok_and(|data| data.len() > 0).then_some(());
        wait_for("tshark to listen", PATIENCE, listens).expect("tshark");
        Self { program, file, port }
    }

    /// SIP's reader finds nothing wrong in all of it.
    fn judge(mut self, at_least: usize) {
        // What was said last is written down a little later.
        let all = || sipp::referee(&self.file, self.port).ok().filter(|(messages, _)| *messages >= at_least);
        wait_for("the whole capture", PATIENCE, all).expect("all messages");
        self.program.stop();
        let (messages, bad) = sipp::referee(&self.file, self.port).expect("a verdict");
        assert_eq!(bad, "", "malformed among {messages}");
    }
}

fn run(folder: &Path, script: &Script<'_>) {
    let mut program = sipp::start(folder, script).expect("SIPp");
    passed(folder, &mut program).expect("every step is met");
}

#[test]
fn sipp_s_phones_and_carriers_use_what_their_makes_use() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let carrier = stage::carrier_port();
    let branch = branch(folder, carrier, |_| {});
    let capture = Capture::start(folder, branch.sip_port);
    let phone_port = free_ports(2);
    let domain = branch.domain.as_str();
    let say = |cseq: u32, method: &str, more: &str, body: &str| request("102", domain, (cseq, method), more, body);
    let offer = sdp("sendrecv");

    // Digest, hold and its end by re-INVITE, a refresh by UPDATE, a key by INFO, a ping within the call.
    let steps = [
        say(1, "INVITE", "", &offer) + &maybe(100) + &status(401, "") + &say(1, "ACK", "", ""),
        say(2, "INVITE", &proved("102"), &offer) + &maybe(100) + &status(200, "") + &say(2, "ACK", "", ""),
        say(3, "INVITE", "", &sdp("sendonly")) + &maybe(100),
        status(200, &body_has("a=recvonly", "held")) + &say(3, "ACK", "", ""),
        say(4, "INVITE", "", &sdp("inactive")) + &maybe(100),
        status(200, &body_has("a=inactive", "quiet")) + &say(4, "ACK", "", ""),
        say(5, "INVITE", "", &offer) + &maybe(100),
        status(200, &body_has("a=sendrecv", "back")) + &say(5, "ACK", "", ""),
        say(6, "UPDATE", "Session-Expires: 1800;refresher=uac\nSupported: timer\n", "") + &status(200, ""),
        say(7, "UPDATE", "", &sdp("sendonly")) + &status(200, &body_has("a=recvonly", "updated")),
        say(8, "INFO", "Content-Type: application/dtmf-relay\n", "Signal=5\nDuration=160\n") + &status(200, ""),
        say(9, "INFO", "Content-Type: application/vnd.nobody\n", "x\n") + &status(415, ""),
        say(10, "OPTIONS", "", "") + &status(200, ""),
        say(11, "BYE", "", "") + &status(200, "") + &reference("held,quiet,back,updated"),
    ];
    let to = Some(branch.sip.as_str());
    run(folder, &Script { name: "phone", steps: steps.concat(), to, port: phone_port, service: "4001" });

    // A delayed offer: ours in the 200, theirs in the ACK; then the same in a re-INVITE, as third parties do (RFC 3725).
    let by = |cseq: u32, method: &str, more: &str, body: &str| {
        request("5550100", "[remote_ip]:[remote_port]", (cseq, method), more, body)
    };
    let steps = [
        by(1, "INVITE", "", "") + &maybe(100) + &status(200, &body_has("m=audio", "offered")),
        by(1, "ACK", "", &offer) + "<pause milliseconds=\"300\"/>\n",
        by(3, "INVITE", "", "") + &maybe(100) + &status(200, &body_has("m=audio", "again")),
        by(3, "ACK", "", &offer),
        by(4, "BYE", "", "") + &status(200, "") + &reference("offered,again"),
    ];
    run(folder, &Script { name: "delayed", steps: steps.concat(), to, port: carrier, service: "4001" });

    // A call out. The carrier wants its progress acknowledged, offers anew before its answer, rings, answers; the phone
    // wants ours acknowledged too.
    let steps = carrier_with_every_extension();
    let mut uas =
        sipp::start(folder, &Script { name: "carrier", steps, to: None, port: carrier, service: "x" }).expect("SIPp");
    let steps = [
        say(1, "INVITE", "", &offer) + &maybe(100) + &status(401, "") + &say(1, "ACK", "", ""),
        say(2, "INVITE", &format!("Supported: 100rel\n{}", proved("102")), &offer) + &maybe(100),
        status(183, "<action><ereg regexp=\"[0-9]+\" search_in=\"hdr\" header=\"RSeq:\" assign_to=\"rseq\"/></action>"),
        say(3, "PRACK", "RAck: [$rseq] 2 INVITE\n", "") + &status(200, "") + &maybe(180),
        status(200, "") + &say(2, "ACK", "", "") + "<pause milliseconds=\"300\"/>\n",
        say(4, "BYE", "", "") + &status(200, ""),
    ];
    run(folder, &Script { name: "caller", steps: steps.concat(), to, port: phone_port, service: "0301234567" });
    passed(folder, &mut uas).expect("the carrier's steps are met");

    // A lamp: SIPp watches a real phone that calls and hangs up.
    let mut watched = phone(folder, &branch, "101", "hello");
    let mut lamp =
        sipp::start(folder, &Script { name: "lamp", steps: lamp(domain), to, port: phone_port, service: "101" })
            .expect("SIPp");
    wait_for("the lamp's first word", PATIENCE, || said(&folder.join("lamp"), "terminated")).expect("a NOTIFY");
    watched.dial(&format!("sip:4001@{domain}")).expect("dialled");
    watched.wait_event("CALL_ESTABLISHED", PATIENCE).expect("the box answers");
    wait_for("the lamp to be on", PATIENCE, || said(&folder.join("lamp"), "confirmed")).expect("a NOTIFY");
    watched.hang_up().expect("hung up");
    passed(folder, &mut lamp).expect("the lamp follows the phone");
    capture.judge(70);
}

fn said(folder: &Path, what: &str) -> Option<()> {
    let files = std::fs::read_dir(folder).ok()?.flatten();
    let mut logs = files.filter(|file| file.file_name().to_string_lossy().ends_with("_messages.log"));
    logs.any(|log| std::fs::read_to_string(log.path()).is_ok_and(|text| text.contains(what))).then_some(())
}

fn lamp(domain: &str) -> String {
    let say = |cseq: u32, more: &str| request("102", domain, (cseq, "SUBSCRIBE"), more, "");
    let event = "Event: dialog\nAccept: application/dialog-info+xml\nExpires: 600\n";
    let until_it_says = |state: &str, label: u32| {
        format!(
            "<label id=\"{label}\"/>\n<recv request=\"NOTIFY\"><action><ereg regexp=\"{state}\" search_in=\"body\" \
             assign_to=\"v{label}\"/></action></recv>\n{}<nop next=\"{}\" test=\"v{label}\"/>\n<nop next=\"{label}\"/>\n\
             <label id=\"{}\"/>\n",
            answer("200 OK", ""),
            label + 1,
            label + 1
        )
    };
    [
        say(1, event) + &status(401, ""),
        say(2, &format!("{event}{}", proved("102"))) + &status(200, ""),
        until_it_says("terminated", 1),
        until_it_says("confirmed", 3),
        until_it_says("terminated", 5),
        reference("v1,v3,v5"),
    ]
    .concat()
}

fn carrier_with_every_extension() -> String {
    let keep = |header: &str, name: &str| {
        format!("<ereg regexp=\".*\" search_in=\"hdr\" header=\"{header}:\" assign_to=\"{name}\"/>")
    };
    let kept = [keep("Via", "via"), keep("From", "from"), keep("To", "to"), keep("CSeq", "cseq")].concat();
    let invite = format!(
        "<recv request=\"INVITE\"><action>{kept}\
         <ereg regexp=\"sip:[^>]*\" search_in=\"hdr\" header=\"Contact:\" assign_to=\"target\"/>\
         <ereg regexp=\"100rel\" search_in=\"hdr\" header=\"Supported:\" check_it=\"true\" assign_to=\"rel\"/>\
         </action></recv>\n"
    );
    let reply = |line: &str, more: &str, body: &str| {
        let media = if body.is_empty() { "" } else { "Content-Type: application/sdp\n" };
        format!(
            "<send><![CDATA[\n\nSIP/2.0 {line}\nVia:[$via]\nFrom:[$from]\nTo:[$to];tag=uas\n[last_Call-ID:]\nCSeq:[$cseq]\n\
             Contact: <sip:uas@[local_ip]:[local_port]>\nAllow: INVITE, ACK, BYE, CANCEL, PRACK, UPDATE\n{more}{media}\
             Content-Length: [len]\n\n{body}]]></send>\n"
        )
    };
    let prack = |rack: &str, name: &str| {
        format!(
            "<recv request=\"PRACK\"><action><ereg regexp=\"{rack}\" search_in=\"hdr\" header=\"RAck:\" check_it=\"true\" \
             assign_to=\"{name}\"/></action></recv>\n{}",
            answer("200 OK", "")
        )
    };
    let update = format!(
        "<send retrans=\"500\"><![CDATA[\n\nUPDATE [$target] SIP/2.0\nVia: SIP/2.0/[transport] [local_ip]:[local_port];\
         branch=[branch]\nMax-Forwards: 70\nFrom:[$to];tag=uas\nTo:[$from]\n[last_Call-ID:]\nCSeq: 1 UPDATE\n\
         Contact: <sip:uas@[local_ip]:[local_port]>\nContent-Type: application/sdp\nContent-Length: [len]\n\n{}]]></send>\n",
        sdp("sendrecv")
    );
    [
        invite,
        reply("183 Session Progress", "Require: 100rel\nRSeq: 7\n", &sdp("sendrecv")),
        prack("7 1 INVITE", "first"),
        update,
        status(200, &body_has("m=audio", "answered")),
        reply("180 Ringing", "Require: 100rel\nRSeq: 8\n", ""),
        prack("8 1 INVITE", "second"),
        reply("200 OK", "", &sdp("sendrecv")),
        "<recv request=\"ACK\"/>\n<recv request=\"BYE\"/>\n".to_owned(),
        answer("200 OK", ""),
        reference("rel,first,second,answered"),
    ]
    .concat()
}
