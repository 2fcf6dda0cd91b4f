//! A person at a browser, without the browser: signs in and calls the same HTTP API that the pages call.

use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::Value;

/// A signed-in session at a desk or a console, by curl's cookie jar in memory of a temporary file.
pub struct Session {
    base: String,
    jar: tempfile::NamedTempFile,
}

impl Session {
    /// `body` is what the page sends to `/api/session`.
    pub fn sign_in(base: &str, body: &Value) -> anyhow::Result<Self> {
        let session = Self { base: base.into(), jar: tempfile::NamedTempFile::new()? };
        session.call("POST", "/api/session", Some(body))?;
        Ok(session)
    }

    pub fn get(&self, path: &str) -> anyhow::Result<Value> {
        let body = self.call("GET", path, None)?;
        serde_json::from_slice(&body).with_context(|| format!("{path}: {}", String::from_utf8_lossy(&body)))
    }

    pub fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let answer = self.call("POST", path, Some(body))?;
        if answer.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&answer).with_context(|| format!("{path}: {}", String::from_utf8_lossy(&answer)))
    }

    /// The bytes of a file, such as a recording.
    pub fn bytes(&self, path: &str) -> anyhow::Result<Vec<u8>> {
        self.call("GET", path, None)
    }

    fn call(&self, method: &str, path: &str, body: Option<&Value>) -> anyhow::Result<Vec<u8>> {
        let mut command = Command::new("curl");
        command
            .args(["--silent", "--show-error", "--max-time", "15", "--fail-with-body", "-X", method])
            .arg("--cookie")
            .arg(self.jar.path())
            .arg("--cookie-jar")
            .arg(self.jar.path())
            .args(["-H", "x-branchline: 1", "-H", &format!("Origin: {}", self.base)]);
        if let Some(body) = body {
            command.args(["-H", "Content-Type: application/json", "--data-binary", &body.to_string()]);
        }
        let output = command.arg(format!("{}{path}", self.base)).output().context("curl is not installed")?;
        ensure!(
            output.status.success(),
            "{method} {path}: {}{}",
            String::from_utf8_lossy(&output.stderr),
            String::from_utf8_lossy(&output.stdout)
        );
        Ok(output.stdout)
    }
}
