//! A real carrier: SIPp with streamed G.711. Each run is one scenario; the exit code says whether every call passed.

use std::{fs, path::Path, process::Command, time::Duration};

use anyhow::{Context, ensure};

use crate::process::Program;

/// A call from the outside: INVITE, speech, hang-up after a while.
pub struct Calls<'a> {
    /// `127.0.0.1:5060` of the box.
    pub to: &'a str,
    /// The number that is called, and the caller's.
    pub number: &'a str,
    pub caller: &'a str,
    /// The caller's name on the display.
    pub name: &'a str,
    /// Our own SIP port: the trunk is known by it.
    pub local_port: u16,
    /// µ-law, 8 kHz, raw; spoken from the answer on.
    pub speech: &'a Path,
    /// How long a caller stays after the answer.
    pub stay: Duration,
    pub count: u32,
    /// From one call to the next.
    pub every: Duration,
}

/// Makes SIPp's raw µ-law out of a WAV.
pub fn ulaw(wav: &Path, raw: &Path) -> anyhow::Result<()> {
    let status = Command::new("sox")
        .arg(wav)
        .args(["-t", "raw", "-r", "8000", "-c", "1", "-e", "u-law"])
        .arg(raw)
        .status()
        .context("sox is not installed")?;
    ensure!(status.success(), "sox could not convert {}", wav.display());
    Ok(())
}

/// Starts the calls; `Program::wait` gives 0 when all passed.
pub fn start(folder: &Path, calls: &Calls<'_>) -> anyhow::Result<Program> {
    fs::create_dir_all(folder)?;
    let scenario = folder.join("carrier.xml");
    fs::write(&scenario, scenario_text(calls))?;
    let media_port = crate::process::free_ports(64);
    let mut command = Command::new("sipp");
    command
        .current_dir(folder)
        .arg(calls.to)
        .args(["-sf", "carrier.xml", "-i", "127.0.0.1", "-mi", "127.0.0.1", "-nostdin", "-trace_err"])
        .args(["-p", &calls.local_port.to_string(), "-s", calls.number])
        .args(["-m", &calls.count.to_string(), "-r", "1", "-rp", &calls.every.as_millis().to_string()])
        .args(["-mp", &media_port.to_string(), "-rtp_payload", "0"])
        .args(["-timeout", "180s"]);
    Program::start("sipp", command, &folder.join("sipp.log"))
}

fn scenario_text(calls: &Calls<'_>) -> String {
    let (caller, name, speech, stay) = (calls.caller, calls.name, calls.speech.display(), calls.stay.as_millis());
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<scenario name="carrier">
  <send retrans="500"><![CDATA[
    INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
    Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
    From: "{name}" <sip:{caller}@[local_ip]:[local_port]>;tag=[pid]c[call_number]
    To: <sip:[service]@[remote_ip]:[remote_port]>
    Call-ID: [call_id]
    CSeq: 1 INVITE
    Contact: <sip:{caller}@[local_ip]:[local_port]>
    Max-Forwards: 70
    Content-Type: application/sdp
    Content-Length: [len]

    v=0
    o=carrier 1 1 IN IP4 [local_ip]
    s=-
    c=IN IP4 [media_ip]
    t=0 0
    m=audio [rtpstream_audio_port] RTP/AVP 0 101
    a=rtpmap:0 PCMU/8000
    a=rtpmap:101 telephone-event/8000
    a=ptime:20
  ]]></send>
  <recv response="100" optional="true"/>
  <recv response="180" optional="true"/>
  <recv response="183" optional="true"/>
  <recv response="200" rtd="true" timeout="20000"/>
  <send><![CDATA[
    ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0
    Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
    From: "{name}" <sip:{caller}@[local_ip]:[local_port]>;tag=[pid]c[call_number]
    To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
    Call-ID: [call_id]
    CSeq: 1 ACK
    Max-Forwards: 70
    Content-Length: 0
  ]]></send>
  <nop><action><exec rtp_stream="{speech},-1,0"/></action></nop>
  <pause milliseconds="{stay}"/>
  <send retrans="500"><![CDATA[
    BYE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
    Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
    From: "{name}" <sip:{caller}@[local_ip]:[local_port]>;tag=[pid]c[call_number]
    To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
    Call-ID: [call_id]
    CSeq: 2 BYE
    Max-Forwards: 70
    Content-Length: 0
  ]]></send>
  <recv response="200"/>
</scenario>
"#
    )
}

/// An answering party on the carrier's side: takes each call at once, and keeps it until the caller hangs up. What it
/// was told lies in [`Answering::invites`].
pub struct Answering {
    pub program: Program,
    folder: std::path::PathBuf,
}

impl Answering {
    pub fn start(folder: &Path, port: u16) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)?;
        fs::write(folder.join("answer.xml"), ANSWERING)?;
        let mut command = Command::new("sipp");
        command
            .current_dir(folder)
            .args(["-sf", "answer.xml", "-i", "127.0.0.1", "-mi", "127.0.0.1", "-nostdin", "-nd"])
            .args(["-p", &port.to_string(), "-mp", &crate::process::free_ports(64).to_string()])
            .args(["-trace_msg", "-message_file", "messages.log", "-message_overwrite", "false"]);
        let program = Program::start("sipp", command, &folder.join("sipp.log"))?;
        Ok(Self { program, folder: folder.into() })
    }

    /// Every INVITE that came, as it was on the wire, repetitions too.
    pub fn invites(&self) -> Vec<String> {
        let log = fs::read(self.folder.join("messages.log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log).into_owned();
        let messages = log.split("----------------------------------------------- ");
        let received = messages.filter(|message| message.contains("message received"));
        let invites = received.filter_map(|message| message.find("INVITE sip:").and_then(|at| message.get(at..)));
        invites.map(str::to_owned).collect()
    }
}

const ANSWERING: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<scenario name="answering">
  <recv request="INVITE" crlf="true"/>
  <send><![CDATA[
    SIP/2.0 180 Ringing
    [last_Via:]
    [last_From:]
    [last_To:];tag=[pid]a[call_number]
    [last_Call-ID:]
    [last_CSeq:]
    Contact: <sip:[local_ip]:[local_port]>
    Content-Length: 0
  ]]></send>
  <send retrans="500"><![CDATA[
    SIP/2.0 200 OK
    [last_Via:]
    [last_From:]
    [last_To:];tag=[pid]a[call_number]
    [last_Call-ID:]
    [last_CSeq:]
    Contact: <sip:[local_ip]:[local_port]>
    Content-Type: application/sdp
    Content-Length: [len]

    v=0
    o=centre 1 1 IN IP4 [local_ip]
    s=-
    c=IN IP4 [media_ip]
    t=0 0
    m=audio [media_port] RTP/AVP 0 8
    a=rtpmap:0 PCMU/8000
    a=rtpmap:8 PCMA/8000
  ]]></send>
  <recv request="ACK"/>
  <recv request="BYE" timeout="120000"/>
  <send><![CDATA[
    SIP/2.0 200 OK
    [last_Via:]
    [last_From:]
    [last_To:]
    [last_Call-ID:]
    [last_CSeq:]
    Content-Length: 0
  ]]></send>
</scenario>
"#;

/// Somebody who knows a phone's password, and dials with it as fast as it goes. A call that is answered is kept for `stay`.
pub struct Thief<'a> {
    /// `127.0.0.1:5060` of the box.
    pub to: &'a str,
    pub domain: &'a str,
    pub user: &'a str,
    pub password: &'a str,
    pub number: &'a str,
    pub count: u32,
    /// Calls begun in a second.
    pub rate: u32,
    pub stay: Duration,
}

impl Thief<'_> {
    /// `Program::wait` gives 0 when each call was either refused or answered.
    pub fn start(&self, folder: &Path) -> anyhow::Result<Program> {
        fs::create_dir_all(folder)?;
        fs::write(folder.join("thief.xml"), self.scenario())?;
        let ports = crate::process::free_ports(2);
        let mut command = Command::new("sipp");
        command
            .current_dir(folder)
            .arg(self.to)
            .args(["-sf", "thief.xml", "-i", "127.0.0.1", "-mi", "127.0.0.1", "-nostdin", "-trace_err", "-nd"])
            .args(["-p", &ports.to_string(), "-s", self.number, "-m", &self.count.to_string()])
            .args(["-r", &self.rate.to_string(), "-au", self.user, "-ap", self.password, "-timeout", "60s"]);
        Program::start("sipp", command, &folder.join("sipp.log"))
    }

    fn scenario(&self) -> String {
        let (user, domain, stay) = (self.user, self.domain, self.stay.as_millis());
        let invite = |cseq: u32, more: &str| {
            format!(
                r#"<send retrans="500"><![CDATA[
    INVITE sip:[service]@{domain} SIP/2.0
    Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
    From: <sip:{user}@{domain}>;tag=[pid]t[call_number]
    To: <sip:[service]@{domain}>
    Call-ID: [call_id]
    CSeq: {cseq} INVITE
    Contact: <sip:{user}@[local_ip]:[local_port]>
    Max-Forwards: 70{more}
    Content-Type: application/sdp
    Content-Length: [len]

    v=0
    o=thief 1 1 IN IP4 [local_ip]
    s=-
    c=IN IP4 [media_ip]
    t=0 0
    m=audio [media_port] RTP/AVP 0
    a=rtpmap:0 PCMU/8000
  ]]></send>"#
            )
        };
        let ack = |cseq: u32| {
            format!(
                r#"<send><![CDATA[
    ACK sip:[service]@{domain} SIP/2.0
    Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
    From: <sip:{user}@{domain}>;tag=[pid]t[call_number]
    To: <sip:[service]@{domain}>[peer_tag_param]
    Call-ID: [call_id]
    CSeq: {cseq} ACK
    Max-Forwards: 70
    Content-Length: 0
  ]]></send>"#
            )
        };
        let (first, again, refused, answered) = (invite(1, ""), invite(2, "\n    [authentication]"), ack(2), ack(2));
        let challenged = ack(1);
        let bye = format!(
            r#"<send retrans="500"><![CDATA[
    BYE sip:[service]@{domain} SIP/2.0
    Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
    From: <sip:{user}@{domain}>;tag=[pid]t[call_number]
    To: <sip:[service]@{domain}>[peer_tag_param]
    Call-ID: [call_id]
    CSeq: 3 BYE
    Max-Forwards: 70
    Content-Length: 0
  ]]></send>"#
        );
        format!(
            r#"<?xml version="1.0" encoding="UTF-8"?>
<scenario name="thief">
  {first}
  <recv response="401" auth="true"/>
  {challenged}
  {again}
  <recv response="100" optional="true"/>
  <recv response="180" optional="true"/>
  <recv response="183" optional="true"/>
  <recv response="200" optional="true" next="1"/>
  <recv response="403"/>
  {refused}
  <nop next="2"/>
  <label id="1"/>
  {answered}
  <pause milliseconds="{stay}"/>
  {bye}
  <recv response="200"/>
  <label id="2"/>
</scenario>
"#
        )
    }
}
