//! `box.toml`: what an integrator writes on Friday evening. Parsed once into values that cannot be wrong; unknown keys
//! are refused, and all faults are reported together, each with its path.

use std::{
    collections::BTreeMap,
    fmt,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};

use call::siprec::Recorder;
use link::endpoint::{Endpoint, Web};
use model::{SiteId, TrunkId, cdr::Cdr};
use serde::Deserialize;
use sip::endpoint::{Network, Transport};

use crate::keys::Keys;

mod check;
mod file;
mod siprec;
#[cfg(test)]
mod tests;

use check::check;
use file::File;

/// The whole file, checked.
#[derive(Debug, Clone)]
pub struct BoxConfig {
    pub site: SiteId,
    /// Ledger, recordings, keys, identity.
    pub data: PathBuf,
    /// Where the branch key lies.
    pub keys: Keys,
    /// Unix sockets and the health file.
    pub run: PathBuf,
    pub prompts: PathBuf,
    /// The program that says words (eSpeak NG); None: flows' words are left out.
    pub speech: Option<PathBuf>,
    pub sip: Sip,
    pub tls: Tls,
    /// DNS servers that are asked for trunks by name; empty: the system's.
    pub dns: Vec<SocketAddr>,
    pub rtp: Rtp,
    pub desk: SocketAddr,
    /// The desk is served over HTTPS: pages on other machines have a microphone nowhere else.
    pub desk_tls: bool,
    /// Phones fetch their configuration here; None: they are set up by hand.
    pub provision: Option<Provision>,
    /// What the interop lab tests each night.
    pub lab: Option<Lab>,
    /// Recording servers that have what is recorded here, and peers that bring what is to be recorded; in the order in
    /// which they are tried.
    pub siprec: Vec<Recorder>,
    /// Where flows may ask other systems; nowhere by default.
    pub look_up: Vec<Allowed>,
    /// Prometheus text of *calls*; *media* and *sync* answer on the next two ports.
    pub metrics: SocketAddr,
    pub cloud: Option<Cloud>,
    /// Where the customer keeps what the egress ledger has come to.
    pub witness: Vec<Sink>,
    /// What `otad` remembers (`ota.json`): which slot and version run.
    pub firmware: Option<PathBuf>,
    pub log: LogFormat,
}

#[derive(Debug, Clone)]
pub struct Sip {
    pub domain: String,
    pub listen: Vec<(Transport, SocketAddr)>,
    /// Pages that may open a WebSocket, beside the desk: `https://phone.example`.
    pub origins: Vec<String>,
    /// Where the branch's own devices stand: from there, one that proves nothing may call for help.
    pub networks: Vec<Network>,
}

#[derive(Debug, Clone, Default)]
pub struct Tls {
    /// Certificate chain and key (PEM); None: the box makes its own.
    pub files: Option<(PathBuf, PathBuf)>,
    /// CAs (PEM) that trunks' certificates must come from; None: the system's.
    pub trunk_ca: Option<PathBuf>,
    pub trunks: BTreeMap<TrunkId, TlsTrunk>,
}

/// What a trunk's peer must prove beyond what its address says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsTrunk {
    /// The name its certificate must be for; None: its address.
    pub name: Option<String>,
    /// SHA-256 of its public key (SubjectPublicKeyInfo).
    pub pin: Option<[u8; 32]>,
    /// Who calls is this trunk when a certificate proves `name` and `pin`, from whatever address, and only then.
    pub by_certificate: bool,
}

#[derive(Debug, Clone)]
pub struct Provision {
    /// HTTPS, with the box's certificate.
    pub listen: SocketAddr,
    /// Whom phones ask for the time.
    pub time_server: String,
    /// Of phones' displays.
    pub language: provision::Language,
}

/// Devices that are tested each night. A phone under test is called some thirty times and answers by itself: name one
/// that stands where nobody sleeps.
#[derive(Debug, Clone)]
pub struct Lab {
    /// By the clock of this machine.
    pub at: jiff::civil::Time,
    pub devices: Vec<LabDevice>,
}

#[derive(Debug, Clone)]
pub struct LabDevice {
    /// Lower case, digits and `-`; its reports lie in `data/lab/NAME`.
    pub name: String,
    pub kind: ::lab::plan::Kind,
    /// As on the command line: a SIP URI, or the extension of a phone.
    pub target: String,
    pub call: Option<String>,
    /// Only these probes; empty for all.
    pub only: Vec<String>,
}

/// An address that flows may ask, over HTTP.
#[derive(Debug, Clone)]
pub struct Allowed {
    pub network: Network,
    pub port: u16,
}

/// Where the customer keeps what the egress ledger has come to, out of our reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sink {
    /// Lines are only ever added; write-once storage is what it is for.
    File(PathBuf),
    /// Syslog (RFC 5424) over UDP (RFC 5426).
    Datagram(SocketAddr),
    /// Syslog over TCP, counted in octets (RFC 6587 §3.4.1).
    Stream(SocketAddr),
}

#[derive(Debug, Clone)]
pub struct Rtp {
    pub ip: IpAddr,
    pub ports: std::ops::RangeInclusive<u16>,
    /// Where the kernel offers it. False: epoll.
    pub io_uring: bool,
    /// Who is decoded is brought near one loudness.
    pub level: bool,
}

#[derive(Debug, Clone)]
pub struct Cloud {
    /// `host:port`, tried in turn.
    pub endpoints: Vec<String>,
    /// Where UDP is blocked: a WebSocket at each of these, in turn.
    pub web: Vec<Web>,
    /// Length of a metrics interval in seconds, 60 to 3600.
    pub interval_s: u32,
    /// A figure about fewer callers than this folds into a coarser one (N-01).
    pub k_callers: u32,
    pub bundles: PathBuf,
}

impl Cloud {
    /// Every way to it, in the order in which they are tried.
    pub fn ways(&self) -> Vec<Endpoint> {
        let web = self.web.iter().cloned().map(Endpoint::Web);
        self.endpoints.iter().map(Endpoint::from).chain(web).collect()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

/// Everything that is wrong with the file, each with its path.
#[derive(Debug)]
pub struct Faults {
    pub file: PathBuf,
    pub faults: Vec<String>,
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} cannot be used; nothing was started:", self.file.display())?;
        for fault in &self.faults {
            writeln!(f, "  {fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

/// Reads and checks the file. Relative paths are relative to the file's folder.
pub fn load(file: &Path) -> Result<BoxConfig, Faults> {
    let fail = |fault: String| Faults { file: file.to_path_buf(), faults: vec![fault] };
    let text = std::fs::read_to_string(file).map_err(|error| fail(format!("cannot be read: {error}")))?;
    let parsed: File = toml::from_str(&text).map_err(|error| fail(error.to_string()))?;
    let base = file.parent().map(Path::to_path_buf).unwrap_or_default();
    check(parsed, &base).map_err(|faults| Faults { file: file.to_path_buf(), faults })
}

impl BoxConfig {
    pub fn ledger_file(&self) -> PathBuf {
        self.data.join("ledger.db")
    }

    /// Signs the lab's reports on a box that is not enrolled.
    pub fn lab_key(&self) -> PathBuf {
        self.data.join("lab.key")
    }

    pub fn recordings(&self) -> PathBuf {
        self.data.join("recordings")
    }

    pub fn identity(&self) -> PathBuf {
        self.data.join("identity")
    }

    /// The record of a call that a peer brought to be recorded: no visit here.
    pub fn brought(&self, cdr: &Cdr) -> bool {
        cdr.trunk.as_ref().is_some_and(|name| self.siprec.iter().any(|recorder| recorder.name == *name))
    }

    pub fn media_socket(&self) -> PathBuf {
        self.run.join("media.sock")
    }

    pub fn sync_socket(&self) -> PathBuf {
        self.run.join("sync.sock")
    }

    pub fn health_file(&self) -> PathBuf {
        self.run.join("health.json")
    }

    /// The metrics address of the n-th process: calls 0, media 1, sync 2.
    pub fn metrics_of(&self, process: u16) -> SocketAddr {
        let mut address = self.metrics;
        address.set_port(address.port().saturating_add(process));
        address
    }
}
