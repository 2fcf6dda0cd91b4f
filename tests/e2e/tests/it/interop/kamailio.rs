//! Kamailio as the carrier: the box registers there and proves its calls; its own callers come by the registration.

use std::net::UdpSocket;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use harness::process::{Program, free_ports, wait_for};
use serde_json::json;

use super::sipp::{self, Script, answer, maybe, passed, request, sdp, status};
use super::{Capture, PATIENCE, branch, phone};

const PASSWORD: &str = "trunk-secret-1";

/// Registrar with digest, a proxy that records its route, and a challenge (407) for what the branch sends out.
fn config(port: u16, uas: u16) -> String {
    format!(
        r#"#!KAMAILIO
debug=1
log_stderror=yes
children=1
disable_tcp=yes
auto_aliases=no
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
listen=udp:127.0.0.1:{port}
alias="carrier.example"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
request_route {{
  if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
  if (is_method("CANCEL")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
  if (has_totag()) {{
    if (loose_route()) {{ t_relay(); exit; }}
    if (is_method("ACK") && t_check_trans()) {{ t_relay(); }}
    exit;
  }}
  if (is_method("OPTIONS")) {{ sl_send_reply("200", "OK"); exit; }}
  $var(pw) = "{PASSWORD}";
  if (is_method("REGISTER")) {{
    if (!pv_auth_check("carrier.example", "$var(pw)", "0", "0")) {{ auth_challenge("carrier.example", "1"); exit; }}
    save("location");
    exit;
  }}
  record_route();
  if ($ua =~ "^Branchline") {{
    if (!pv_auth_check("carrier.example", "$var(pw)", "0", "0")) {{ proxy_challenge("carrier.example", "1"); exit; }}
    consume_credentials();
    $du = "sip:127.0.0.1:{uas}";
    t_relay();
    exit;
  }}
  $var(called) = $rU;
  $ru = "sip:account@carrier.example";
  if (!lookup("location")) {{ sl_send_reply("404", "Not Found"); exit; }}
  $rU = $var(called);
  t_relay();
}}
"#
    )
}

/// `port` is one of UDP.
pub(super) fn start(folder: &Path, config: &str, port: u16) -> Program {
    let file = folder.join("kamailio.cfg");
    std::fs::write(&file, config).expect("written");
    let mut command = Command::new("kamailio");
    command.args(["-DD", "-E", "-m", "64", "-M", "8", "-f"]).arg(&file).arg("-Y").arg(folder);
    let program = Program::start("kamailio", command, &folder.join("kamailio.log")).expect("kamailio");
    let probe = UdpSocket::bind("127.0.0.1:0").expect("a port");
    probe.set_read_timeout(Some(Duration::from_millis(100))).expect("a limit");
    let ask = format!(
        "OPTIONS sip:127.0.0.1:{port} SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bKprobe\r\nMax-Forwards: 70\r\n\
         From: <sip:probe@127.0.0.1>;tag=1\r\nTo: <sip:127.0.0.1>\r\nCall-ID: probe\r\nCSeq: 1 OPTIONS\r\n\
         Content-Length: 0\r\n\r\n",
        probe.local_addr().expect("an address")
    );
    let answers = || {
        probe.send_to(ask.as_bytes(), ("127.0.0.1", port)).ok()?;
        probe.recv(&mut [0; 1_500]).ok()
    };
    wait_for("kamailio's answer", PATIENCE, answers).unwrap_or_else(|error| panic!("{error:#}\n{}", program.tail()));
    program
}

/// A caller behind Kamailio, who follows its route.
pub(super) fn incoming() -> String {
    let by =
        |cseq: u32, method: &str, body: &str| request("5550100", "[remote_ip]:[remote_port]", (cseq, method), "", body);
    let routed = |text: String| text.replacen("Max-Forwards: 70", "[routes]\nMax-Forwards: 70", 1);
    let steps = [
        by(1, "INVITE", &sdp("sendrecv")) + &maybe(100) + "<recv response=\"200\" rrs=\"true\"/>\n",
        routed(by(1, "ACK", "")).replacen("ACK sip:[service]@[remote_ip]:[remote_port]", "ACK [next_url]", 1),
        "<pause milliseconds=\"300\"/>\n".to_owned(),
        routed(by(3, "BYE", "")).replacen("BYE sip:[service]@[remote_ip]:[remote_port]", "BYE [next_url]", 1),
        status(200, ""),
    ];
    steps.concat()
}

/// Who is called behind Kamailio.
pub(super) fn outgoing() -> String {
    let steps = [
        "<recv request=\"INVITE\" rrs=\"true\"/>\n".to_owned(),
        answer("180 Ringing", "Contact: <sip:uas@[local_ip]:[local_port]>\n[last_Record-Route:]\n").replacen(
            "[last_To:]",
            "[last_To:];tag=uas",
            1,
        ),
        format!(
            "<send retrans=\"500\"><![CDATA[\n\nSIP/2.0 200 OK\n[last_Via:]\n[last_From:]\n[last_To:];tag=uas\n[last_Call-ID:]\n\
             [last_CSeq:]\n[last_Record-Route:]\nContact: <sip:uas@[local_ip]:[local_port]>\n\
             Content-Type: application/sdp\nContent-Length: [len]\n\n{}]]></send>\n",
            sdp("sendrecv")
        ),
        "<recv request=\"ACK\"/>\n<recv request=\"BYE\"/>\n".to_owned(),
        answer("200 OK", ""),
    ];
    steps.concat()
}

#[test]
fn the_box_registers_at_kamailio_and_calls_go_both_ways() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let (port, uas, uac) = (free_ports(2), free_ports(2), free_ports(2));
    let proxy = start(folder, &config(port, uas), port);
    let branch = branch(folder, port, |plan| {
        plan.config["trunks"]["carrier"]["kind"] = json!({
            "by": "registration", "peer": format!("127.0.0.1:{port}"), "transport": "udp",
            "user": "account", "domain": "carrier.example", "expires_s": 600,
        });
        plan.secrets.push(("carrier".into(), PASSWORD.into()));
    });
    let capture = Capture::start(folder, branch.sip_port);
    let to_proxy = format!("127.0.0.1:{port}");

    // In: a caller at Kamailio reaches the branch by the registration.
    let comes_in = || {
        let script = Script { name: "in", steps: incoming(), to: Some(&to_proxy), port: uac, service: "4001" };
        let mut program = sipp::start(folder, &script).ok()?;
        passed(folder, &mut program).ok()
    };
    // The registration is there soon after the start.
    wait_for("a call in", PATIENCE, comes_in).unwrap_or_else(|error| panic!("{error:#}\n{}", proxy.tail()));

    // Out: a real phone calls over the trunk, which asks for the box's proof.
    let script = Script { name: "out", steps: outgoing(), to: None, port: uas, service: "x" };
    let mut carrier = sipp::start(folder, &script).expect("SIPp");
    let mut caller = phone(folder, &branch, "101", "hello");
    caller.dial(&format!("sip:0301234567@{}", branch.domain)).expect("dialled");
    caller.wait_event("CALL_ESTABLISHED", PATIENCE).unwrap_or_else(|error| panic!("{error:#}\n{}", proxy.tail()));
    caller.hang_up().expect("hung up");
    passed(folder, &mut carrier).expect("the carrier's steps are met");
    capture.judge(30);
}

/// A trunk over TLS: what comes from the box goes to `uas`, what comes by UDP goes to the box.
pub(super) fn secure_config(folder: &Path, (udp, tls): (u16, u16), uas: u16, to_box: u16) -> String {
    let folder = folder.display();
    format!(
        r#"#!KAMAILIO
debug=1
log_stderror=yes
children=1
tcp_children=1
enable_tls=yes
tcp_accept_aliases=yes
auto_aliases=no
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
listen=udp:127.0.0.1:{udp}
listen=tls:127.0.0.1:{tls}
loadmodule "tls.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
modparam("tls", "tls_method", "TLSv1.2+")
modparam("tls", "certificate", "{folder}/carrier.pem")
modparam("tls", "private_key", "{folder}/carrier.key")
modparam("rr", "enable_double_rr", 1)
request_route {{
  if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
  if (is_method("CANCEL")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
  if (has_totag()) {{
    if (loose_route()) {{ t_relay(); exit; }}
    if (is_method("ACK") && t_check_trans()) {{ t_relay(); }}
    exit;
  }}
  if (is_method("OPTIONS")) {{ sl_send_reply("200", "OK"); exit; }}
  record_route();
  if ($proto == "tls") {{ $du = "sip:127.0.0.1:{uas}"; }} else {{ $du = "sip:127.0.0.1:{to_box};transport=tls"; }}
  t_relay();
}}
"#
    )
}

pub(super) fn openssl(folder: &Path, args: &str) -> Vec<u8> {
    let output = Command::new("openssl").args(args.split(' ')).current_dir(folder).output().expect("openssl");
    assert!(output.status.success(), "openssl {args}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Another certificate for `carrier.key`, which is made anew.
pub(super) fn signed(folder: &Path, name: &str, days: i32) {
    certificate(folder, "carrier", name, days);
}

/// `ca.pem`, which signs the others.
pub(crate) fn authority(folder: &Path) {
    let new = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30";
    openssl(folder, &format!("req -x509 {new} -keyout ca.key -out ca.pem -subj /CN=Carriers"));
}

/// A key and a certificate for this name, in these files.
pub(crate) fn certificate(folder: &Path, file: &str, name: &str, days: i32) {
    let new = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(folder, &format!("req {new} -keyout {file}.key -out {file}.csr -subj /CN={file}"));
    std::fs::write(folder.join("names"), format!("subjectAltName=DNS:{name}\n")).expect("written");
    let sign = format!("x509 -req -in {file}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile names");
    openssl(folder, &format!("{sign} -days {days} -out {file}.pem"));
}

/// A CA, a certificate for `sip.carrier.example`, and the SHA-256 of its public key.
pub(super) fn certificates(folder: &Path) -> String {
    authority(folder);
    signed(folder, "sip.carrier.example", 30);
    let public = openssl(folder, "x509 -in carrier.pem -noout -pubkey");
    std::fs::write(folder.join("public.pem"), public).expect("written");
    openssl(folder, "pkey -pubin -in public.pem -outform der -out public.der");
    let digest = openssl(folder, "dgst -sha256 -r public.der");
    String::from_utf8_lossy(&digest).split(' ').next().unwrap_or_default().to_owned()
}

#[test]
fn calls_go_both_ways_over_one_tls_connection_to_kamailio_and_another_name_is_refused_with_its_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let (udp, tls, uas, uac) = (free_ports(2), free_ports(2), free_ports(2), free_ports(2));
    let pin = certificates(folder);
    let mut branch = branch(folder, tls, |plan| {
        plan.config["trunks"]["carrier"]["kind"] =
            json!({ "by": "address", "peer": format!("127.0.0.1:{tls}"), "transport": "tls" });
        // SIPp knows no SRTP.
        plan.config["trunks"]["carrier"]["protection"] = "clear".into();
        plan.more = format!(
            "[tls]\ntrunk_ca = \"{}\"\n[tls.trunks.carrier]\nname = \"sip.carrier.example\"\npin = \"{pin}\"\n",
            folder.join("ca.pem").display()
        );
    });
    let text = secure_config(folder, (udp, tls), uas, branch.sip_port + 1);
    let proxy = start(folder, &text, udp);

    // Out first: the box opens the connection.
    let script = Script { name: "out", steps: outgoing(), to: None, port: uas, service: "x" };
    let mut carrier = sipp::start(folder, &script).expect("SIPp");
    let mut caller = phone(folder, &branch, "101", "hello");
    caller.dial(&format!("sip:0301234567@{}", branch.domain)).expect("dialled");
    caller
        .wait_event("CALL_ESTABLISHED", PATIENCE)
        .unwrap_or_else(|error| panic!("{error:#}\n{}\n{}", proxy.tail(), branch.tail()));
    caller.hang_up().expect("hung up");
    passed(folder, &mut carrier).expect("the carrier's steps are met");

    // In, over the same connection (RFC 5923): only there the box knows its trunk, for the address is one of its own.
    let to_proxy = format!("127.0.0.1:{udp}");
    let script = Script { name: "in", steps: incoming(), to: Some(&to_proxy), port: uac, service: "4001" };
    let mut program = sipp::start(folder, &script).expect("SIPp");
    passed(folder, &mut program).unwrap_or_else(|error| panic!("{error:#}\n{}\n{}", proxy.tail(), branch.tail()));
    let open = Command::new("ss").args(["-Htn", "state", "established"]).output().expect("ss");
    let ports = [tls, branch.sip_port + 1].map(|port| format!("127.0.0.1:{port}"));
    let ends = String::from_utf8_lossy(&open.stdout)
        .lines()
        .filter(|line| line.split_whitespace().any(|word| ports.iter().any(|port| word == port)))
        .count();
    assert_eq!(ends, 2, "one connection, seen from both ends: {}", String::from_utf8_lossy(&open.stdout));
    let shown: serde_json::Value =
        serde_json::from_str(&branch.command(&["trunk", "show"], None).expect("shown")).expect("JSON");
    assert_eq!(shown["carrier"]["tls"], json!({}), "{shown}");

    // The same peer where another name is expected.
    branch.stop();
    let text = std::fs::read_to_string(&branch.config).expect("box.toml");
    std::fs::write(&branch.config, text.replace("sip.carrier.example", "sip.other.example")).expect("written");
    branch.launch().expect("the box is back");
    let reason = || {
        let shown = branch.command(&["trunk", "show"], None).ok()?;
        (shown.contains("not valid for name") && shown.contains("sip.other.example")).then_some(())
    };
    wait_for("the reason in the trunk's state", PATIENCE, reason)
        .unwrap_or_else(|error| panic!("{error:#}\n{:?}\n{}", branch.command(&["trunk", "show"], None), branch.tail()));
    caller.dial(&format!("sip:0301234567@{}", branch.domain)).expect("dialled");
    caller.wait_event("CALL_CLOSED", PATIENCE).expect("no call goes out there");
}
