//! SIPp with scripts of our own: each a phone or a carrier of a make that uses one more extension than the last.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use harness::company::PHONE_PASSWORD;
use harness::process::{Program, free_ports};

/// What one SIPp does.
pub struct Script<'a> {
    pub name: &'a str,
    /// The scenario's steps.
    pub steps: String,
    /// Whom to send to; None waits for who comes.
    pub to: Option<&'a str>,
    /// Its own SIP port.
    pub port: u16,
    /// The user part of whom it calls.
    pub service: &'a str,
}

pub fn start(folder: &Path, script: &Script<'_>) -> anyhow::Result<Program> {
    start_by(folder, script, "u1")
}

/// Over TCP with `t1`.
pub fn start_by(folder: &Path, script: &Script<'_>, transport: &str) -> anyhow::Result<Program> {
    let folder = folder.join(script.name);
    std::fs::create_dir_all(&folder)?;
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<scenario name=\"{}\">\n{}\n</scenario>\n",
        script.name, script.steps
    );
    std::fs::write(folder.join("scenario.xml"), text)?;
    let mut command = Command::new("sipp");
    command.current_dir(&folder).args(script.to).args([
        "-sf",
        "scenario.xml",
        "-i",
        "127.0.0.1",
        "-m",
        "1",
        "-t",
        transport,
    ]);
    command.args(["-p", &script.port.to_string(), "-s", script.service, "-mp", &free_ports(4).to_string()]);
    command.args(["-nostdin", "-timeout", "20s", "-timeout_error", "-trace_err", "-trace_msg"]);
    Program::start(script.name, command, &folder.join("sipp.log"))
}

/// Every step was met.
pub fn passed(folder: &Path, program: &mut Program) -> anyhow::Result<()> {
    let code = program.wait(Duration::from_secs(25))?;
    let said = || {
        let files = std::fs::read_dir(folder.join(&program.name)).into_iter().flatten().flatten();
        let logs = files.filter(|file| file.path().extension().is_some_and(|ending| ending == "log"));
        logs.filter_map(|file| std::fs::read_to_string(file.path()).ok()).collect::<Vec<_>>().join("\n")
    };
    ensure!(code == 0, "{} ended with {code}\n{}", program.name, said());
    Ok(())
}

pub fn sdp(direction: &str) -> String {
    format!(
        "v=0\no=- 1 1 IN IP4 [local_ip]\ns=-\nc=IN IP4 [local_ip]\nt=0 0\nm=audio [media_port] RTP/AVP 8 101\n\
         a=rtpmap:8 PCMA/8000\na=rtpmap:101 telephone-event/8000\na={direction}\n"
    )
}

/// A request of the one who called; from CSeq 3 on within the dialog.
pub fn request(user: &str, domain: &str, (cseq, method): (u32, &str), more: &str, body: &str) -> String {
    let to_tag = if cseq < 3 && method != "ACK" { "" } else { "[peer_tag_param]" };
    let retrans = if method == "ACK" { "" } else { " retrans=\"500\"" };
    let media = if body.is_empty() || more.contains("Content-Type") { "" } else { "Content-Type: application/sdp\n" };
    format!(
        "<send{retrans}><![CDATA[\n\n{method} sip:[service]@{domain} SIP/2.0\n\
         Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\nMax-Forwards: 70\n\
         From: <sip:{user}@{domain}>;tag=[pid]x[call_number]\nTo: <sip:[service]@{domain}>{to_tag}\n\
         Call-ID: [call_id]\nCSeq: {cseq} {method}\nContact: <sip:{user}@[local_ip]:[local_port]>\n{more}{media}\
         Content-Length: [len]\n\n{body}]]></send>\n"
    )
}

pub fn proof(user: &str) -> String {
    format!("[authentication username={user} password={PHONE_PASSWORD}]\n")
}

/// Waits for a status, with other steps inside.
pub fn status(status: u16, inside: &str) -> String {
    let auth = if status == 401 { " auth=\"true\"" } else { "" };
    format!("<recv response=\"{status}\"{auth}>{inside}</recv>\n")
}

pub fn maybe(status: u16) -> String {
    format!("<recv response=\"{status}\" optional=\"true\"/>\n")
}

/// What must stand in the body.
pub fn body_has(what: &str, name: &str) -> String {
    format!("<action><ereg regexp=\"{what}\" search_in=\"body\" check_it=\"true\" assign_to=\"{name}\"/></action>")
}

pub fn answer(status: &str, more: &str) -> String {
    format!(
        "<send><![CDATA[\n\nSIP/2.0 {status}\n[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\n{more}\
         Content-Length: 0\n\n]]></send>\n"
    )
}

/// SIPp wants a word about every variable.
pub fn reference(names: &str) -> String {
    format!("<Reference variables=\"{names}\"/>\n")
}

/// What tshark's reader of SIP and SDP finds malformed in a capture; how many SIP messages it read.
pub fn referee(capture: &Path, port: u16) -> anyhow::Result<(usize, String)> {
    let read = |filter: &str| -> anyhow::Result<String> {
        let mut command = Command::new("tshark");
        command.arg("-r").arg(capture);
        command.arg("-d").arg(format!("udp.port=={port},sip"));
        let output = command.args(["-Y", filter]).output().context("tshark")?;
        ensure!(output.status.success(), "tshark: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let messages = read("sip")?.lines().count();
    let bad = read("sip && (_ws.malformed || _ws.expert.severity == \"Error\" || sdp.invalid)")?;
    Ok((messages, bad))
}
