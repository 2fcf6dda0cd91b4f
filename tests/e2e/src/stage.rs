//! Scenes that several tests (and the demo) play: prompts, an agent at a phone and a desk, a caller who speaks.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, ensure};
use harness::{
    baresip::{Account, Phone},
    company::{Branch, DESK_PASSWORD, PHONE_PASSWORD},
    process::{free_ports, wait_for},
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
    pub phone: Phone,
    pub desk: Session,
}

impl Agent {
    pub fn start(branch: &Branch, folder: &Path, agent: &str, extension: &str, says: &str) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let microphone = folder.join("microphone.wav");
        proof::speak(says, 120, &microphone)?;
        let account = Account::Phone {
            user: extension,
            password: PHONE_PASSWORD,
            domain: &branch.domain,
            registrar: &branch.sip,
            transport: "udp",
        };
        let phone = Phone::start(&folder.join(format!("phone-{extension}")), &account, &microphone, true)?;
        let desk = Session::sign_in(&branch.desk, &json!({ "agent": agent, "password": DESK_PASSWORD }))?;
        // The desk shows the phone; baresip's own event may come before its control port can be read.
        desk.live()?.wait(PATIENCE, |seen| {
            let agents = seen.get("board").and_then(|board| board["agents"].as_array());
            agents.is_some_and(|agents| {
                agents.iter().any(|line| line["agent"] == agent && line["phone_registered"] == true)
            })
        })?;
        Ok(Self { phone, desk })
    }
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

/// The stereo WAV of a recording.
pub fn export(branch: &Branch, recording: &Path, out: &Path) -> anyhow::Result<Value> {
    let (recording, out) = (recording.to_str().context("UTF-8")?, out.to_str().context("UTF-8")?);
    let manifest = branch.command(&["recording", "export", recording, "--out", out], None)?;
    Ok(serde_json::from_str(&manifest)?)
}
