//! Scenes that several tests (and the demo) play: prompts, an agent at a phone and a desk, a caller who speaks.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, ensure};
use harness::{
    baresip::{Account, Phone},
    company::{Branch, DESK_PASSWORD, PHONE_PASSWORD},
    process::{free_ports, kill_hard, wait_for},
    proof,
    web::Session,
};
use serde_json::{Value, json};

pub const PATIENCE: Duration = Duration::from_secs(30);

/// Speaks the shipped prompts into a folder.
pub fn prompts(folder: &Path) -> anyhow::Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).context("the root")?;
    let status = Command::new(root.join("deploy/prompts/make"))
        .arg(folder)
        .stdout(std::process::Stdio::null())
        .status()
        .context("deploy/prompts/make")?;
    ensure!(status.success(), "the prompts could not be made");
    Ok(folder.to_path_buf())
}

/// An agent with a registered phone that answers by itself, signed in at the desk.
pub struct Agent {
    pub name: String,
    pub phone: Phone,
    pub desk: Session,
}

impl Agent {
    pub fn start(branch: &Branch, folder: &Path, agent: &str, extension: &str, says: &str) -> anyhow::Result<Self> {
        Self::start_over("udp", branch, folder, (agent, extension), says)
    }

    /// With a phone that is connected by UDP, TCP or TLS.
    pub fn start_over(
        transport: &str,
        branch: &Branch,
        folder: &Path,
        (agent, extension): (&str, &str),
        says: &str,
    ) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let registrar =
            if transport == "tls" { format!("127.0.0.1:{}", branch.sip_port + 1) } else { branch.sip.clone() };
        let microphone = folder.join("microphone.wav");
        proof::speak(says, 120, &microphone)?;
        let account = Account::Phone {
            user: extension,
            password: PHONE_PASSWORD,
            domain: &branch.domain,
            registrar: &registrar,
            transport,
        };
        let phone = Phone::start(&folder.join(format!("phone-{extension}")), &account, &microphone, true)?;
        let desk = sign_in(branch, agent)?;
        // The desk shows the phone; baresip's own event may come before its control port can be read.
        desk.live()?.wait(PATIENCE, |seen| {
            let agents = seen.get("board").and_then(|board| board["agents"].as_array());
            agents.is_some_and(|agents| {
                agents.iter().any(|line| line["agent"] == agent && line["phone_registered"] == true)
            })
        })?;
        Ok(Self { name: agent.into(), phone, desk })
    }
}

/// Signs in at a branch's desk.
pub fn sign_in(branch: &Branch, agent: &str) -> anyhow::Result<Session> {
    Session::sign_in(&branch.desk, &json!({ "agent": agent, "password": DESK_PASSWORD }))
}

/// What an agent does, as the desk's board shows it.
pub fn state_of<'a>(seen: &'a BTreeMap<String, Value>, agent: &str) -> Option<&'a str> {
    let agents = seen.get("board")?.get("agents")?.as_array()?;
    agents.iter().find(|line| line["agent"] == agent)?.get("state")?.as_str()
}

/// A caller on the carrier's side: a phone without registration, known by its address.
pub fn caller(folder: &Path, number: &str, says: &str, sip_port: u16) -> anyhow::Result<Phone> {
    std::fs::create_dir_all(folder)?;
    let microphone = folder.join("microphone.wav");
    proof::speak(says, 120, &microphone)?;
    Phone::start_at(&folder.join("phone"), &Account::Trunk { user: number }, &microphone, false, sip_port)
}

/// A port for a carrier, to be written into the branch's configuration.
pub fn carrier_port() -> u16 {
    free_ports(2)
}

/// The branch's contacts as its supervisor sees them.
pub fn contacts(desk: &Session) -> anyhow::Result<Vec<Value>> {
    let answer = desk.get("/api/contacts")?;
    let list = answer.get("contacts").unwrap_or(&answer);
    Ok(list.as_array().cloned().unwrap_or_default())
}

/// Waits for a recording to be sealed and returns its file.
pub fn sealed_recording(branch: &Branch, count: usize) -> anyhow::Result<PathBuf> {
    wait_for("a sealed recording", PATIENCE, || {
        let files = branch.recordings();
        let file = files.last().filter(|_| files.len() >= count)?.clone();
        branch.command(&["recording", "verify", file.to_str()?], None).ok().map(|_| file)
    })
}

/// Words of both sides of the `count`-th recording, the caller's first; its WAV is at `wav` then.
pub fn recorded_words(branch: &Branch, count: usize, wav: &Path) -> anyhow::Result<(String, String)> {
    let recording = sealed_recording(branch, count)?;
    export(branch, &recording, wav)?;
    Ok((proof::words(wav, 1)?, proof::words(wav, 2)?))
}

/// The stereo WAV of a recording.
pub fn export(branch: &Branch, recording: &Path, out: &Path) -> anyhow::Result<Value> {
    let (recording, out) = (recording.to_str().context("UTF-8")?, out.to_str().context("UTF-8")?);
    let manifest = branch.command(&["recording", "export", recording, "--out", out], None)?;
    Ok(serde_json::from_str(&manifest)?)
}

/// Sets at the console how long an agent of sales rests, and waits until the box says that it has it.
pub fn edited(console: &Session, seconds: u64, patience: Duration) -> anyhow::Result<()> {
    let change = json!({ "set": "queue_wrap_up", "queue": "sales", "seconds": seconds });
    console.post("/api/sites/branch-a/changes", &json!({ "doc": "local", "changes": [change] }))?;
    wait_for("the box has the edit", patience, || {
        let seen: Value = console.get("/api/sites/branch-a/config").ok()?;
        (seen["config"]["queues"]["sales"]["wrap_up_s"] == seconds && seen["pending"] == false).then_some(())
    })
}

/// Waits until the cloud has acknowledged every row that the box wrote: where its outbox stands then.
pub fn outbox_emptied(branch: &Branch, patience: Duration) -> anyhow::Result<Value> {
    let outbox =
        || -> anyhow::Result<Value> { Ok(serde_json::from_str(&branch.command(&["ledger", "outbox"], None)?)?) };
    let is_empty = |position: &Value| position["written"] == position["acknowledged"] && position["written"] != 0;
    wait_for("an empty outbox", patience, || outbox().ok().filter(is_empty)).with_context(|| format!("{:?}", outbox()))
}

/// What the ledger tells of one kind, oldest first.
pub fn facts(branch: &Branch, named: &str) -> Vec<Value> {
    let all = branch.command(&["ledger", "facts", "--last", "1000"], None).unwrap_or_default();
    let all = all.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    all.filter(|fact| fact["kind"]["fact"] == named).collect()
}

/// Kills *calls*, and waits until its next life is well; *media* lives on.
pub fn kill_calls(branch: &Branch) -> anyhow::Result<()> {
    let pids = branch.pids();
    let calls = *pids.get("calls").context("the calls process")?;
    kill_hard(calls);
    wait_for("calls are back", PATIENCE, || {
        let now = branch.pids();
        assert_eq!(now.get("media"), pids.get("media"), "audio lives on");
        let checks = branch.health()?["checks"].as_object()?.values().all(|check| check == true);
        (checks && now.get("calls").is_some_and(|pid| *pid != calls)).then_some(())
    })
}
