//! A person at a browser, without the browser: signs in and calls the same HTTP API that the pages call.

use std::{
    net::TcpStream,
    process::Command,
    time::{Duration, Instant},
};

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
        self.write("POST", path, body)
    }

    pub fn put(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.write("PUT", path, body)
    }

    fn write(&self, method: &str, path: &str, body: &Value) -> anyhow::Result<Value> {
        let answer = self.call(method, path, Some(body))?;
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

/// The desk's live connection.
pub struct Live {
    socket: tungstenite::WebSocket<tungstenite::stream::MaybeTlsStream<TcpStream>>,
    next: u64,
    /// The newest message of each kind.
    pub seen: std::collections::BTreeMap<String, Value>,
}

impl Session {
    /// Opens the live connection of a desk as its page does.
    pub fn live(&self) -> anyhow::Result<Live> {
        use tungstenite::client::IntoClientRequest;
        let mut request = format!("{}/api/desk", self.base.replacen("http", "ws", 1)).into_client_request()?;
        request.headers_mut().insert("Origin", self.base.parse()?);
        request.headers_mut().insert("Cookie", self.cookie()?.parse()?);
        let (socket, _) = tungstenite::connect(request).context("the desk's live connection")?;
        if let tungstenite::stream::MaybeTlsStream::Plain(stream) = socket.get_ref() {
            stream.set_read_timeout(Some(Duration::from_millis(100)))?;
        }
        Ok(Live { socket, next: 1, seen: std::collections::BTreeMap::new() })
    }

    /// From curl's jar: seven columns, the last two are name and value.
    fn cookie(&self) -> anyhow::Result<String> {
        let jar = std::fs::read_to_string(self.jar.path())?;
        let pairs: Vec<String> = jar
            .lines()
            .map(|line| line.trim_start_matches("#HttpOnly_"))
            .filter_map(|line| {
                let mut columns = line.split('\t').skip(5);
                Some(format!("{}={}", columns.next()?, columns.next()?))
            })
            .collect();
        ensure!(!pairs.is_empty(), "no cookie was set");
        Ok(pairs.join("; "))
    }
}

impl Live {
    /// Sends a command and waits for its answer: an error when it was refused.
    pub fn ask(&mut self, ask: &str) -> anyhow::Result<()> {
        self.ask_with(ask, serde_json::json!({}))
    }

    pub fn ask_with(&mut self, ask: &str, mut body: Value) -> anyhow::Result<()> {
        let id = self.next;
        self.next += 1;
        body["id"] = id.into();
        body["ask"] = ask.into();
        self.socket.send(tungstenite::Message::text(body.to_string()))?;
        let deadline = Instant::now() + Duration::from_secs(15);
        while Instant::now() < deadline {
            let Some(message) = self.read()? else { continue };
            for (kind, value) in message.as_object().into_iter().flatten() {
                if value["id"] == id {
                    ensure!(kind != "refused", "{ask} was refused: {value}");
                    return Ok(());
                }
            }
        }
        anyhow::bail!("{ask} was not answered")
    }

    /// Reads on for a while, or until `wanted` is true of the newest messages.
    pub fn wait(
        &mut self,
        patience: Duration,
        wanted: impl Fn(&std::collections::BTreeMap<String, Value>) -> bool,
    ) -> anyhow::Result<()> {
        let deadline = Instant::now() + patience;
        while !wanted(&self.seen) {
            ensure!(Instant::now() < deadline, "not within {patience:?}; the desk showed {:?}", self.seen);
            self.read()?;
        }
        Ok(())
    }

    fn read(&mut self) -> anyhow::Result<Option<Value>> {
        match self.socket.read() {
            Ok(tungstenite::Message::Text(text)) => {
                let message: Value = serde_json::from_str(&text)?;
                for (kind, value) in message.as_object().into_iter().flatten() {
                    self.seen.insert(kind.clone(), value.clone());
                }
                Ok(Some(message))
            }
            Ok(_) => Ok(None),
            Err(tungstenite::Error::Io(error))
                if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) =>
            {
                Ok(None)
            }
            Err(error) => Err(error).context("the desk's live connection"),
        }
    }
}
