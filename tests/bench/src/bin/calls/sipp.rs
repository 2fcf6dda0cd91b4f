//! SIPp at both ends: it registers the phone, answers for it, and calls as the carrier.

use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use bench::cpu;
use harness::process::Program;

/// The file of the phones' numbers.
const PHONES: &str = "phones.csv";

/// SIPp's own caller, but for the number, which is another one each time.
const CALLER: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<scenario name="carrier">
  <send retrans="500" start_rtd="1"><![CDATA[
    INVITE sip:[field0]@[remote_ip]:[remote_port] SIP/2.0
    Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
    From: "carrier" <sip:0301234567@[local_ip]:[local_port]>;tag=[pid]c[call_number]
    To: <sip:[field0]@[remote_ip]:[remote_port]>
    Call-ID: [call_id]
    CSeq: 1 INVITE
    Contact: <sip:carrier@[local_ip]:[local_port]>
    Max-Forwards: 70
    Content-Type: application/sdp
    Content-Length: [len]

    v=0
    o=carrier 1 1 IN IP4 [local_ip]
    s=-
    c=IN IP4 [media_ip]
    t=0 0
    m=audio [media_port] RTP/AVP 0
    a=rtpmap:0 PCMU/8000
  ]]></send>
  <recv response="100" optional="true"/>
  <recv response="180" optional="true"/>
  <recv response="183" optional="true"/>
  <recv response="200" rtd="1" rrs="true"/>
  <send><![CDATA[
    ACK [next_url] SIP/2.0
    Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
    [routes]
    From: "carrier" <sip:0301234567@[local_ip]:[local_port]>;tag=[pid]c[call_number]
    To: <sip:[field0]@[remote_ip]:[remote_port]>[peer_tag_param]
    Call-ID: [call_id]
    CSeq: 1 ACK
    Max-Forwards: 70
    Content-Length: 0
  ]]></send>
  <pause/>
  <send retrans="500"><![CDATA[
    BYE [next_url] SIP/2.0
    Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
    [routes]
    From: "carrier" <sip:0301234567@[local_ip]:[local_port]>;tag=[pid]c[call_number]
    To: <sip:[field0]@[remote_ip]:[remote_port]>[peer_tag_param]
    Call-ID: [call_id]
    CSeq: 2 BYE
    Max-Forwards: 70
    Content-Length: 0
  ]]></send>
  <recv response="200"/>
</scenario>
"#;

pub struct Load {
    pub rate: u32,
    pub count: u32,
    pub talk_ms: u32,
}

#[derive(Debug)]
pub struct Seen {
    pub passed: u32,
    pub failed: u32,
    /// From the INVITE to its 200, on average.
    pub answer_ms: f64,
}

fn sipp(folder: &Path, port: u16) -> Command {
    let mut command = Command::new("taskset");
    command
        .current_dir(folder)
        .args(["--cpu-list", &cpu::TRAFFIC_CORE.to_string(), "sipp", "-nostdin", "-i", "127.0.0.1"])
        .args(["-p", &port.to_string()]);
    command
}

/// The phone, for as long as the program lives.
pub fn answer(folder: &Path, port: u16) -> anyhow::Result<Program> {
    let mut command = sipp(folder, port);
    command.args(["-sn", "uas"]);
    let program = Program::start("sipp, answering", command, &folder.join("uas.log"))?;
    std::thread::sleep(Duration::from_millis(500));
    Ok(program)
}

/// Registers every phone, all of them at the answering port.
pub fn register(folder: &Path, port: u16, server: &str, domain: &str) -> anyhow::Result<()> {
    std::fs::write(folder.join("register.xml"), registration(domain))?;
    let mut command = sipp(folder, port);
    let count = phones(folder)?.to_string();
    command.arg(server).args(["-sf", "register.xml", "-inf", PHONES, "-m", &count, "-r", "50", "-timeout", "60s"]);
    let mut program = Program::start("sipp, registering", command, &folder.join("register.log"))?;
    let code = program.wait(Duration::from_secs(65))?;
    ensure!(code == 0, "the phones cannot register: {}", program.tail());
    Ok(())
}

/// Writes the list of the phones' numbers that calls go through in turn.
pub fn list(folder: &Path, numbers: &[String], password: &str) -> anyhow::Result<()> {
    let mut lines = "SEQUENTIAL\n".to_owned();
    for number in numbers {
        lines.push_str(&format!("{number};[authentication username={number} password={password}]\n"));
    }
    Ok(std::fs::write(folder.join(PHONES), lines)?)
}

fn phones(folder: &Path) -> anyhow::Result<usize> {
    Ok(std::fs::read_to_string(folder.join(PHONES))?.lines().count() - 1)
}

pub fn call(folder: &Path, server: &str, port: u16, load: &Load) -> anyhow::Result<Seen> {
    let patience = Duration::from_secs(60) + Duration::from_secs((load.count / load.rate.max(1)).into());
    std::fs::write(folder.join("caller.xml"), CALLER)?;
    let mut command = sipp(folder, port);
    command
        .arg(server)
        .args(["-sf", "caller.xml", "-inf", PHONES, "-trace_stat", "-stf", "calls.csv", "-fd", "1"])
        .args(["-r", &load.rate.to_string(), "-m", &load.count.to_string(), "-d", &load.talk_ms.to_string()])
        .args(["-l", &load.count.to_string(), "-timeout", &format!("{}s", patience.as_secs())]);
    let mut program = Program::start("sipp, calling", command, &folder.join("uac.log"))?;
    let started = Instant::now();
    // Its exit code tells only whether all passed; the table tells how many.
    program.wait(patience + Duration::from_secs(5)).with_context(|| program.tail())?;
    let table = std::fs::read_to_string(folder.join("calls.csv")).context("SIPp's table")?;
    read(&table).with_context(|| format!("SIPp's table after {:?}: {}", started.elapsed(), program.tail()))
}

fn read(table: &str) -> anyhow::Result<Seen> {
    let mut lines = table.lines();
    let names: Vec<&str> = lines.next().context("a head")?.split(';').collect();
    let last: Vec<&str> = lines.next_back().context("a line")?.split(';').collect();
    let field = |name: &str| {
        let at = names.iter().position(|of| *of == name).with_context(|| format!("no column {name}"))?;
        last.get(at).copied().with_context(|| format!("no value of {name}"))
    };
    Ok(Seen {
        passed: field("SuccessfulCall(C)")?.parse()?,
        failed: field("FailedCall(C)")?.parse()?,
        answer_ms: milliseconds(field("ResponseTime1(C)")?)?,
    })
}

/// `00:00:00:012345`: hours, minutes, seconds, microseconds.
fn milliseconds(text: &str) -> anyhow::Result<f64> {
    let parts: Vec<f64> = text.split(':').map(str::parse).collect::<Result<_, _>>()?;
    let [hours, minutes, seconds, micros] = parts.as_slice() else { anyhow::bail!("{text:?} is no time") };
    Ok((hours * 3_600.0 + minutes * 60.0 + seconds) * 1_000.0 + micros / 1_000.0)
}

fn registration(domain: &str) -> String {
    let request = |number: u8, authentication: &str| {
        format!(
            r#"<send retrans="500"><![CDATA[
    REGISTER sip:{domain} SIP/2.0
    Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
    From: <sip:[field0]@{domain}>;tag=[pid]r[call_number]
    To: <sip:[field0]@{domain}>
    Call-ID: [call_id]
    CSeq: {number} REGISTER
    Contact: <sip:[field0]@[local_ip]:[local_port]>
    {authentication}Max-Forwards: 70
    Expires: 3600
    Content-Length: 0
  ]]></send>"#
        )
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<scenario name=\"phone\">\n  {}\n  <recv response=\"401\" auth=\"true\"/>\n  {}\n  \
         <recv response=\"200\"/>\n</scenario>\n",
        request(1, ""),
        request(2, "[field1]\n    ")
    )
}
