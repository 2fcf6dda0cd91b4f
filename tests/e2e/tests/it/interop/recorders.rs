//! A recording client of another make (RFC 7866), played by SIPp: what it sends is written as the RFC prints it.

use std::{net::UdpSocket, time::Duration};

use e2e::stage::{self, Agent, PATIENCE, facts};
use harness::{
    company::{Branch, BranchPlan},
    process::{free_ports, wait_for},
};

use super::sipp::{Script, passed, start};

/// RFC 7866 §9.1 and RFC 7865 §10.1 (appendix), for one call of two people.
const METADATA: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<recording xmlns='urn:ietf:params:xml:ns:recording:1'>
<datamode>complete</datamode>
<session session_id=\"hVpd7YQgRW2nD22h7q60JQ==\"><start-time>2010-12-16T23:41:07Z</start-time></session>
<participant participant_id=\"srfBElmCRp2QB23b7Mpk0w==\"><nameID aor=\"sip:bob@biloxi.com\"><name xml:lang=\"it\">Bob</name></nameID></participant>
<participant participant_id=\"zSfPoSvdSDCmU3A3TRDxAw==\"><nameID aor=\"sip:Paul@biloxi.com\"/></participant>
<stream stream_id=\"UAAMm5GRQKSCMVvLyl4rFw==\" session_id=\"hVpd7YQgRW2nD22h7q60JQ==\"><label>96</label></stream>
<stream stream_id=\"i1Pz3to5hGk8fuXl+PbwCw==\" session_id=\"hVpd7YQgRW2nD22h7q60JQ==\"><label>97</label></stream>
</recording>";

fn streams(direction: &str) -> String {
    let stream = |port: &str, label: &str| {
        format!("m=audio {port} RTP/AVP 8 0\na=rtpmap:8 PCMA/8000\na=label:{label}\na={direction}\n")
    };
    let (first, second) = (stream("[media_port]", "96"), stream("[media_port+2]", "97"));
    format!("v=0\no=SRC 1 1 IN IP4 [local_ip]\ns=-\nc=IN IP4 [local_ip]\nt=0 0\n{first}{second}")
}

fn request(cseq: u32, method: &str, content_type: &str, body: &str) -> String {
    let to_tag = if method == "INVITE" && cseq == 1 { "" } else { "[peer_tag_param]" };
    let retrans = if method == "ACK" { "" } else { " retrans=\"500\"" };
    let require = if method == "INVITE" { "Require: siprec\n" } else { "" };
    let kind = if body.is_empty() { String::new() } else { format!("Content-Type: {content_type}\n") };
    format!(
        "<send{retrans}><![CDATA[\n\n{method} sip:[remote_ip]:[remote_port] SIP/2.0\n\
         Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\nMax-Forwards: 70\n\
         From: <sip:src@[local_ip]>;tag=[pid]x[call_number]\nTo: <sip:[remote_ip]:[remote_port]>{to_tag}\n\
         Call-ID: [call_id]\nCSeq: {cseq} {method}\nContact: <sip:src@[local_ip]:[local_port]>;+sip.src\n\
         Allow: INVITE, ACK, BYE, UPDATE, OPTIONS\n{require}{kind}Content-Length: [len]\n\n{body}\n]]></send>\n"
    )
}

fn both(direction: &str) -> String {
    format!(
        "--foobar\nContent-Type: application/sdp\n\n{}\n--foobar\nContent-Type: application/rs-metadata+xml\n\
         Content-Disposition: recording-session\n\n{METADATA}\n--foobar--",
        streams(direction)
    )
}

/// A 200 in which each of these is found.
fn accepted(wanted: &[&str]) -> String {
    let checks: String = wanted
        .iter()
        .enumerate()
        .map(|(n, regexp)| {
            format!("<ereg regexp=\"{regexp}\" search_in=\"msg\" check_it=\"true\" assign_to=\"{}\"/>", n + 1)
        })
        .collect();
    let names: Vec<String> = (1..=wanted.len()).map(|n| n.to_string()).collect();
    format!(
        "<recv response=\"100\" optional=\"true\"/>\n<recv response=\"200\"><action>{checks}</action></recv>\n\
         <Reference variables=\"{}\"/>\n",
        names.join(",")
    )
}

#[test]
fn a_foreign_client_brings_a_call_tells_who_takes_part_pauses_and_ends_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let client = free_ports(2);
    let prompts = stage::prompts(&folder.path().join("prompts")).expect("prompts");
    let mut plan = BranchPlan::example("branch-a", stage::carrier_port()).expect("a plan");
    plan.more = format!("[[siprec]]\nname = \"sbc\"\npeer = \"udp:127.0.0.1:{client}\"\nbrings = true\n");
    let branch = Branch::start(&folder.path().join("branch"), &plan, None, &prompts).expect("a branch");

    let mixed = "multipart/mixed;boundary=foobar";
    let answer = accepted(&["sip.srs", "a=recvonly.*a=recvonly", "m=audio.*m=audio"]);
    let steps = [
        request(1, "INVITE", mixed, &both("sendonly")),
        answer,
        request(1, "ACK", "", ""),
        "<pause milliseconds=\"1500\"/>\n".to_owned(),
        request(2, "UPDATE", "application/rs-metadata+xml", METADATA),
        "<recv response=\"200\"/>\n".to_owned(),
        request(3, "INVITE", mixed, &both("inactive")),
        accepted(&["a=inactive.*a=inactive"]),
        request(3, "ACK", "", ""),
        "<pause milliseconds=\"1500\"/>\n".to_owned(),
        request(4, "BYE", "", ""),
        "<recv response=\"200\"/>\n".to_owned(),
    ];
    let script =
        Script { name: "src", steps: steps.concat(), to: Some(&branch.sip), port: client, service: "recorder" };
    let mut program = start(folder.path(), &script).expect("SIPp");
    passed(folder.path(), &mut program).unwrap_or_else(|error| panic!("{error:#}\n{}", branch.tail()));

    let [brought] = facts(&branch, "brought").try_into().expect("one call");
    assert_eq!(brought["kind"]["by"], "sbc");
    for (kind, count) in [("held", 1), ("ended", 1), ("recording_started", 1)] {
        assert_eq!(facts(&branch, kind).len(), count, "{kind}");
    }
    stage::sealed_recording(&branch, 1).expect("a recording");
    let supervisor = stage::sign_in(&branch, "a-101").expect("a desk");
    let row = wait_for("the record", PATIENCE, || stage::contacts(&supervisor).ok()?.into_iter().next());
    let row = row.expect("listed");
    assert_eq!((&row["caller"]["number"], &row["caller"]["name"]), (&"bob".into(), &"Bob".into()), "{row}");
}

/// SIPp takes a ping for a call of its own: what stands before it answers pings, and passes everything else on.
fn answers_pings(port: u16, behind: u16) {
    let front = UdpSocket::bind(("127.0.0.1", port)).expect("a port");
    std::thread::spawn(move || {
        let (mut client, mut bytes) = (None, vec![0; 65_536]);
        while let Ok((len, from)) = front.recv_from(&mut bytes) {
            let text = String::from_utf8_lossy(&bytes[..len]).into_owned();
            if from.port() == behind {
                let _sent = client.map(|client| front.send_to(&bytes[..len], client));
            } else if text.starts_with("OPTIONS ") {
                let echoed = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
                let lines = text.lines().filter(|line| echoed.iter().any(|name| line.starts_with(name)));
                let head: String = lines.map(|line| format!("{line}\r\n")).collect();
                let _sent =
                    front.send_to(format!("SIP/2.0 200 OK\r\n{head}Content-Length: 0\r\n\r\n").as_bytes(), from);
            } else {
                client = Some(from);
                let _sent = front.send_to(&bytes[..len], ("127.0.0.1", behind));
            }
        }
    });
}

/// A recording server of another make, played by SIPp: it wants a password, and is told what RFC 7866 asks for.
#[test]
fn a_foreign_server_asks_for_a_password_and_gets_two_streams_with_their_metadata() {
    let folder = tempfile::tempdir().expect("a folder");
    let (server, behind) = (free_ports(2), free_ports(2));
    answers_pings(server, behind);
    let secret = folder.path().join("vault.password");
    std::fs::write(&secret, "vault-secret-1\n").expect("written");
    let has = |what: &str, name: &str| {
        format!("<ereg regexp=\"{what}\" search_in=\"msg\" check_it=\"true\" assign_to=\"{name}\"/>")
    };
    let says = |status: &str, more: &str, body: &str| {
        format!(
            "<send><![CDATA[\n\nSIP/2.0 {status}\n[last_Via:]\n[last_From:]\n[last_To:];tag=[pid]v[call_number]\n[last_Call-ID:]\n\
             [last_CSeq:]\nContact: <sip:vault@[local_ip]:[local_port]>;+sip.srs\n{more}Content-Length: [len]\n\n{body}]]></send>\n"
        )
    };
    let stream = |port: &str, label: &str| {
        format!("m=audio {port} RTP/AVP 8\na=rtpmap:8 PCMA/8000\na=label:{label}\na=recvonly\n")
    };
    let answer = format!(
        "v=0\no=vault 1 1 IN IP4 [local_ip]\ns=-\nc=IN IP4 [local_ip]\nt=0 0\n{}{}",
        stream("[media_port]", "1"),
        stream("[media_port+2]", "2")
    );
    let challenge = "WWW-Authenticate: Digest realm=\"vault\", nonce=\"8f2b7c\", algorithm=MD5, qop=\"auth\"\n";
    let checks = [
        has("Require: siprec", "1"),
        has("multipart/mixed", "2"),
        has("application/rs-metadata.xml", "3"),
        has("a=sendonly.*a=sendonly", "4"),
        has("a=label:.*a=label:", "5"),
        has("sip.src", "6"),
        has("urn:ietf:params:xml:ns:recording:1", "7"),
    ];
    let proved = "<verifyauth assign_to=\"8\" username=\"box\" password=\"vault-secret-1\"/>";
    let steps = [
        format!("<recv request=\"INVITE\"><action>{}</action></recv>\n", checks.concat()),
        says("401 Unauthorized", challenge, ""),
        "<recv request=\"ACK\"/>\n".to_owned(),
        format!("<recv request=\"INVITE\"><action>{proved}</action></recv>\n"),
        "<nop condexec=\"8\" condexec_inverse=\"true\"><action><error message=\"no proof of the password\"/></action></nop>\n".to_owned(),
        says("200 OK", "Content-Type: application/sdp\n", &answer),
        "<recv request=\"ACK\"/>\n<recv request=\"BYE\" timeout=\"60000\"/>\n".to_owned(),
        says("200 OK", "", ""),
        super::sipp::reference("1,2,3,4,5,6,7"),
    ];
    let script = Script { name: "srs", steps: steps.concat(), to: None, port: behind, service: "vault" };
    let mut program = start(folder.path(), &script).expect("SIPp");

    let carrier = stage::carrier_port();
    let more = format!(
        "[[siprec]]\nname = \"vault\"\npeer = \"udp:127.0.0.1:{server}\"\nrecords = {{}}\n\
         account = {{ user = \"box\", realm = \"vault\", password = \"{}\" }}\n",
        secret.display()
    );
    let branch = super::branch(folder.path(), carrier, |plan| plan.more = more);
    let mut agent = Agent::start(&branch, &folder.path().join("agent"), "a-101", "101", "hello").expect("an agent");
    let mut desk = agent.desk.live().expect("the live desk");
    desk.ask("sign_in").expect("signed in");
    desk.ask("ready").expect("ready");
    let mut caller = stage::caller(&folder.path().join("caller"), "5550100", "hello", carrier).expect("a caller");
    caller.dial(&format!("sip:4001@{}", branch.sip)).expect("dialled");
    agent.phone.wait_event("CALL_ESTABLISHED", PATIENCE).expect("the agent's phone answers");
    let copied = || facts(&branch, "copy_started").into_iter().next();
    wait_for("a copy", PATIENCE, copied).unwrap_or_else(|error| panic!("{error:#}\n{}", branch.tail()));
    std::thread::sleep(Duration::from_secs(2));
    caller.hang_up().expect("hung up");
    agent.phone.wait_event("CALL_CLOSED", PATIENCE).expect("the agent's leg ends");
    passed(folder.path(), &mut program).unwrap_or_else(|error| panic!("{error:#}\n{}", branch.tail()));
}
