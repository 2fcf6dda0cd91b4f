//! A real telephone: baresip without sound hardware. It speaks a WAV file and writes down what it hears.

use std::{
    collections::VecDeque,
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::Context;
use serde_json::{Value, json};

use crate::process::{Program, free_ports, wait_for};

const PATIENCE: Duration = Duration::from_secs(15);

/// How a phone reaches the world.
pub enum Account<'a> {
    /// Registers at `registrar` and proves its password.
    Phone { user: &'a str, password: &'a str, domain: &'a str, registrar: &'a str, transport: &'a str },
    /// A carrier's side: no registration, known by its address.
    Trunk { user: &'a str },
}

pub struct Phone {
    pub sip_port: u16,
    pub folder: PathBuf,
    program: Program,
    control: TcpStream,
    events: Arc<Mutex<VecDeque<Value>>>,
}

impl Phone {
    /// `microphone` is an 8 kHz mono WAV; it should outlast the call, for baresip hangs up at its end.
    pub fn start(folder: &Path, account: &Account<'_>, microphone: &Path, answer: bool) -> anyhow::Result<Self> {
        Self::start_at(folder, account, microphone, answer, free_ports(2))
    }

    /// As [`Phone::start`], on a SIP port that was agreed on.
    pub fn start_at(
        folder: &Path,
        account: &Account<'_>,
        microphone: &Path,
        answer: bool,
        sip_port: u16,
    ) -> anyhow::Result<Self> {
        Self::start_with(folder, account, microphone, answer, sip_port, "")
    }

    /// As [`Phone::start_at`], with parameters of baresip's own to its account: `;mediaenc=srtp-mand`, or
    /// `;audio_codecs=opus` in place of G.711.
    pub fn start_with(
        folder: &Path,
        account: &Account<'_>,
        microphone: &Path,
        answer: bool,
        sip_port: u16,
        parameters: &str,
    ) -> anyhow::Result<Self> {
        Self::start_as(folder, account, microphone, answer, sip_port, (parameters, ""))
    }

    /// As [`Phone::start_with`], with further lines of its `config`: `sip_cafile FILE`.
    pub fn start_as(
        folder: &Path,
        account: &Account<'_>,
        microphone: &Path,
        answer: bool,
        sip_port: u16,
        (parameters, lines): (&str, &str),
    ) -> anyhow::Result<Self> {
        let heard = folder.join("heard");
        fs::create_dir_all(&heard)?;
        let (control_port, rtp) = (free_ports(2), free_ports(40));
        let text = config(folder, sip_port, control_port, rtp, microphone);
        fs::write(folder.join("config"), format!("{text}{lines}\n"))?;
        let codecs = if parameters.contains("audio_codecs") { "ptime=20" } else { "audio_codecs=pcma,pcmu;ptime=20" };
        let line = accounts(account, sip_port, answer, codecs);
        fs::write(folder.join("accounts"), format!("{}{parameters}\n", line.trim_end()))?;
        fs::write(folder.join("contacts"), "")?;
        let mut command = Command::new("baresip");
        command.arg("-f").arg(folder);
        let program = Program::start("baresip", command, &folder.join("baresip.log"))?;
        let control =
            wait_for("baresip's control port", PATIENCE, || TcpStream::connect(("127.0.0.1", control_port)).ok())?;
        let events = Arc::new(Mutex::new(VecDeque::new()));
        listen(control.try_clone()?, events.clone());
        Ok(Self { sip_port, folder: folder.into(), program, control, events })
    }

    /// One of baresip's commands: `dial`, `hangup`, `accept`, `hold`, `resume`, `sndcode`, `transfer` …
    pub fn command(&mut self, command: &str, params: &str) -> anyhow::Result<()> {
        let body = json!({ "command": command, "params": params }).to_string();
        self.control.write_all(format!("{}:{body},", body.len()).as_bytes()).context("baresip's control port")
    }

    pub fn dial(&mut self, uri: &str) -> anyhow::Result<()> {
        self.command("dial", uri)
    }

    pub fn hang_up(&mut self) -> anyhow::Result<()> {
        self.command("hangup", "")
    }

    /// RFC 4733.
    pub fn digit(&mut self, digit: char) -> anyhow::Result<()> {
        self.command("sndcode", &digit.to_string())
    }

    /// Waits for an event of this type (`CALL_RINGING`, `CALL_INCOMING`, `CALL_ESTABLISHED`, `CALL_CLOSED`,
    /// `REGISTER_OK` …) and returns it; earlier ones of other types are forgotten.
    pub fn wait_event(&mut self, kind: &str, patience: Duration) -> anyhow::Result<Value> {
        self.wait_any(&[kind], patience)
    }

    /// The same for the first of several types.
    pub fn wait_any(&mut self, kinds: &[&str], patience: Duration) -> anyhow::Result<Value> {
        let events = self.events.clone();
        wait_for(&format!("baresip's {}", kinds.join(" or ")), patience, || {
            let mut events = events.lock().ok()?;
            while let Some(event) = events.pop_front() {
                if kinds.iter().any(|kind| event["type"] == *kind) {
                    return Some(event);
                }
            }
            None
        })
        .with_context(|| self.program.tail())
    }

    /// Waits until it says that it is registered: its first registration may be over before its events are listened to.
    pub fn registered(&self, patience: Duration) -> anyhow::Result<()> {
        let is_said = |line: &str| line.contains(" 200 OK ") && line.contains("binding");
        wait_for("baresip's registration", patience, || self.program.tail().lines().any(is_said).then_some(()))
            .with_context(|| self.program.tail())
    }

    /// What the phone heard since its last call began, or its last hold ended.
    pub fn heard(&self) -> anyhow::Result<PathBuf> {
        self.all_heard()?.pop().context("the phone heard nothing")
    }

    /// Everything that it heard, in order: it begins another file with each call and each hold.
    pub fn all_heard(&self) -> anyhow::Result<Vec<PathBuf>> {
        let mut files: Vec<PathBuf> = fs::read_dir(self.folder.join("heard"))?
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.to_string_lossy().ends_with("-dec.wav"))
            .collect();
        files.sort();
        Ok(files)
    }

    pub fn stop(&mut self) {
        self.program.stop();
    }
}

fn listen(mut stream: TcpStream, events: Arc<Mutex<VecDeque<Value>>>) {
    std::thread::spawn(move || {
        let mut buffer = Vec::new();
        let mut chunk = [0; 4096];
        while let Ok(length) = stream.read(&mut chunk) {
            if length == 0 {
                return;
            }
            buffer.extend_from_slice(&chunk[..length]);
            while let Some((message, used)) = netstring(&buffer) {
                if let Ok(value) = serde_json::from_slice::<Value>(&message)
                    && value["event"] == true
                {
                    events.lock().expect("no panic while held").push_back(value);
                }
                buffer.drain(..used);
            }
        }
    });
}

/// `LEN:BYTES,`
fn netstring(buffer: &[u8]) -> Option<(Vec<u8>, usize)> {
    let colon = buffer.iter().position(|byte| *byte == b':')?;
    let length: usize = std::str::from_utf8(&buffer[..colon]).ok()?.trim().parse().ok()?;
    let body = buffer.get(colon + 1..colon + 1 + length)?;
    buffer.get(colon + 1 + length)?;
    Some((body.to_vec(), colon + 2 + length))
}

fn accounts(account: &Account<'_>, sip_port: u16, answer: bool, codecs: &str) -> String {
    let mode = if answer { "auto" } else { "manual" };
    match account {
        Account::Phone { user, password, domain, registrar, transport } => format!(
            "<sip:{user}@{domain}>;outbound=\"sip:{registrar};transport={transport}\";auth_user={user};\
             auth_pass={password};regint=60;answermode={mode};{codecs}\n"
        ),
        Account::Trunk { user } => {
            format!("<sip:{user}@127.0.0.1:{sip_port}>;regint=0;answermode={mode};{codecs}\n")
        }
    }
}

fn config(folder: &Path, sip_port: u16, control: u16, rtp: u16, microphone: &Path) -> String {
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut text = format!(
        "poll_method epoll\nsip_listen 127.0.0.1:{sip_port}\nnet_interface 127.0.0.1\n\
         audio_source aufile,{}\naudio_player aubridge,{name}\naudio_alert aubridge,{name}-ring\n\
         ausrc_srate 8000\nauplay_srate 8000\nausrc_channels 1\nauplay_channels 1\naudio_buffer 20-160\n\
         jitter_buffer_delay 1-5\nrtp_ports {rtp}-{}\nmodule_path /usr/lib/baresip/modules\n",
        microphone.display(),
        rtp + 38
    );
    for module in ["g711", "aufile", "aubridge", "sndfile", "srtp"] {
        text.push_str(&format!("module {module}.so\n"));
    }
    text.push_str(&format!(
        "module_tmp uuid.so\nmodule_tmp account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\n\
         ctrl_tcp_listen 127.0.0.1:{control}\nsnd_path {}\n",
        folder.join("heard").display()
    ));
    text
}
