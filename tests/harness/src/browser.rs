//! A softphone in a real browser: Chromium with a page that speaks SIP over WebSocket and WebRTC (JsSIP). It speaks a
//! WAV file and writes down what it hears.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::{process::wait_for, proof};

/// Of the softphone's page.
pub const ORIGIN: &str = "http://localhost";

/// Who the phone is, and where it registers.
pub struct Account<'a> {
    /// `ws://127.0.0.1:8088`, or `wss:` with the authority that the browser is to trust.
    pub ws: &'a str,
    pub ca: Option<&'a Path>,
    pub user: &'a str,
    pub password: &'a str,
    pub domain: &'a str,
}

/// Says this for a minute, over and over, into a WAV that a browser's microphone can be fed with.
pub fn microphone(folder: &Path, name: &str, says: &str) -> anyhow::Result<PathBuf> {
    let (narrow, wide) = (folder.join(format!("{name}-narrow.wav")), folder.join(format!("{name}.wav")));
    proof::speak(says, 60, &narrow)?;
    let status = Command::new("sox").arg(&narrow).args(["-r", "48000"]).arg(&wide).status().context("sox")?;
    ensure!(status.success(), "sox cannot make {}", wide.display());
    Ok(wide)
}

pub struct Softphone {
    child: Child,
    stdin: Option<ChildStdin>,
    events: Arc<Mutex<VecDeque<Value>>>,
}

impl Softphone {
    /// `microphone` is a WAV of 48 kHz, which is played again and again.
    pub fn start(account: &Account<'_>, microphone: &Path) -> anyhow::Result<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("tests/")?.join("e2e/browser");
        install(&folder)?;
        let plan = json!({
            "ws": account.ws, "ca": account.ca, "user": account.user, "password": account.password, "domain": account.domain,
            "microphone": microphone,
        });
        let mut child = Command::new("node")
            .arg(folder.join("softphone.mjs"))
            .arg(plan.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("node is not installed")?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().context("a standard output")?;
        let events = Arc::new(Mutex::new(VecDeque::new()));
        let sink = events.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if let Ok(event) = serde_json::from_str(&line) {
                    sink.lock().expect("no panic while held").push_back(event);
                }
            }
        });
        Ok(Self { child, stdin, events })
    }

    /// Waits for `registered`, `confirmed`, `ended`, `failed` …; earlier ones of other kinds are forgotten.
    pub fn wait_event(&mut self, kind: &str, patience: Duration) -> anyhow::Result<Value> {
        let events = self.events.clone();
        let mut seen = Vec::new();
        wait_for(&format!("the softphone's {kind}"), patience, || {
            let mut events = events.lock().ok()?;
            while let Some(event) = events.pop_front() {
                if event["event"] == kind {
                    return Some(event);
                }
                seen.push(event);
            }
            None
        })
        .with_context(|| format!("after {seen:?}"))
    }

    fn command(&mut self, line: &str) -> anyhow::Result<()> {
        let stdin = self.stdin.as_mut().context("the softphone's standard input")?;
        Ok(stdin.write_all(format!("{line}\n").as_bytes())?)
    }

    pub fn dial(&mut self, target: &str) -> anyhow::Result<()> {
        self.command(&format!("call {target}"))
    }

    /// RFC 4733.
    pub fn digit(&mut self, digit: char) -> anyhow::Result<()> {
        self.command(&format!("digit {digit}"))
    }

    pub fn hang_up(&mut self) -> anyhow::Result<()> {
        self.command("hangup")
    }

    /// The codec that it hears, as the browser counts it: `audio/opus`.
    pub fn codec(&mut self) -> anyhow::Result<String> {
        self.command("codec")?;
        let event = self.wait_event("codec", Duration::from_secs(20))?;
        Ok(event["codec"].as_str().unwrap_or_default().to_owned())
    }

    /// Writes what was heard so far as a WAV of 16 kHz.
    pub fn heard(&mut self, file: &Path) -> anyhow::Result<()> {
        self.command(&format!("heard {}", file.to_str().context("a UTF-8 path")?))?;
        self.wait_event("written", Duration::from_secs(20)).map(drop)
    }
}

impl Drop for Softphone {
    /// The driver closes the browser when its input ends.
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.wait();
    }
}

/// The packages that the driver needs, once.
pub(crate) fn install(folder: &Path) -> anyhow::Result<()> {
    if folder.join("node_modules/jssip").exists() {
        return Ok(());
    }
    let status = Command::new("npm")
        .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
        .current_dir(folder)
        .stdout(Stdio::null())
        .status()
        .context("npm is not installed")?;
    ensure!(status.success(), "npm could not install the softphone's packages");
    Ok(())
}
