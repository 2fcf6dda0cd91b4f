//! The box's own desk page in a real Chromium, worked as a person works it. It speaks a WAV file and writes down what its
//! calls bring.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::browser::install;

/// Where the page is, and what its microphone hears.
pub struct Plan<'a> {
    /// Of the desk: `http://127.0.0.1:8090`, or `https:` with the authority that the browser is to trust.
    pub url: &'a str,
    pub ca: Option<&'a Path>,
    /// A WAV of 48 kHz, which is played again and again.
    pub microphone: &'a Path,
    /// `en` or `zh`.
    pub language: &'a str,
}

pub struct DeskPage {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl DeskPage {
    pub fn start(plan: &Plan<'_>) -> anyhow::Result<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("tests/")?.join("e2e/browser");
        install(&folder)?;
        let said = json!({
            "url": plan.url, "ca": plan.ca, "microphone": plan.microphone, "language": plan.language,
        });
        let mut child = Command::new("node")
            .arg(folder.join("desk.mjs"))
            .arg(said.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("node is not installed")?;
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().context("a standard output")?);
        let mut page = Self { child, stdin, stdout };
        page.act(json!({ "act": "open" }))?;
        Ok(page)
    }

    /// Does one thing and waits until it is done. Errors carry what the page showed.
    pub fn act(&mut self, what: Value) -> anyhow::Result<Value> {
        let stdin = self.stdin.as_mut().context("the page's standard input")?;
        stdin.write_all(format!("{what}\n").as_bytes())?;
        let mut line = String::new();
        self.stdout.read_line(&mut line)?;
        let mut told: Value = serde_json::from_str(&line).with_context(|| format!("{what} was not answered"))?;
        if told["failed"].is_string() {
            bail!(
                "{what}: {}\nthe page shows:\n{}\nfaults: {}",
                told["failed"],
                told["page"].as_str().unwrap_or_default(),
                told["faults"]
            );
        }
        Ok(told["done"].take())
    }

    pub fn sign_in(&mut self, agent: &str, password: &str) -> anyhow::Result<()> {
        self.act(json!({ "act": "fill", "css": "input:not([type=password])", "text": agent }))?;
        self.act(json!({ "act": "fill", "css": "input[type=password]", "text": password }))?;
        self.press("Enter")?;
        self.see(".state-card")
    }

    /// A button by its words.
    pub fn button(&mut self, name: &str) -> anyhow::Result<()> {
        self.act(json!({ "act": "click", "role": "button", "name": name })).map(drop)
    }

    pub fn sees_button(&mut self, name: &str) -> anyhow::Result<()> {
        self.act(json!({ "act": "see", "role": "button", "name": name })).map(drop)
    }

    pub fn click(&mut self, css: &str) -> anyhow::Result<()> {
        self.act(json!({ "act": "click", "css": css })).map(drop)
    }

    pub fn fill(&mut self, css: &str, text: &str) -> anyhow::Result<()> {
        self.act(json!({ "act": "fill", "css": css, "text": text })).map(drop)
    }

    pub fn press(&mut self, key: &str) -> anyhow::Result<()> {
        self.act(json!({ "act": "press", "key": key })).map(drop)
    }

    pub fn see(&mut self, css: &str) -> anyhow::Result<()> {
        self.act(json!({ "act": "see", "css": css })).map(drop)
    }

    /// The page shows these words.
    pub fn reads(&mut self, text: &str) -> anyhow::Result<()> {
        self.act(json!({ "act": "text", "text": text })).map(drop)
    }

    pub fn reload(&mut self) -> anyhow::Result<()> {
        self.act(json!({ "act": "reload" })).map(drop)
    }

    pub fn shot(&mut self, file: &Path) -> anyhow::Result<()> {
        self.act(json!({ "act": "shot", "file": file })).map(drop)
    }

    /// What the page's program and the browser complained of so far.
    pub fn faults(&mut self) -> anyhow::Result<Vec<Value>> {
        Ok(self.act(json!({ "act": "faults" }))?.as_array().cloned().unwrap_or_default())
    }

    /// What is heard counts from here on.
    pub fn forget(&mut self) -> anyhow::Result<()> {
        self.act(json!({ "act": "forget" })).map(drop)
    }

    /// Writes what was heard as a WAV of 16 kHz.
    pub fn heard(&mut self, file: &Path) -> anyhow::Result<()> {
        self.act(json!({ "act": "heard", "file": file })).map(drop)
    }
}

impl Drop for DeskPage {
    /// The driver closes the browser when its input ends.
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.wait();
    }
}
