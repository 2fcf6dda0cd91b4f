//! The health file: the supervisor writes it, `otad` and people read it. It is all that the firmware side knows of the
//! daemon, so that an update outlives a broken one. Written whole and renamed, never half.

use std::{collections::BTreeMap, io::Write, path::Path};

use model::leaving::Alone;
use serde::{Deserialize, Serialize};

/// `health.json` in the run folder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Health {
    /// Seconds since 1970 when this was written; a reader distrusts anything older than 10 s.
    pub at: u64,
    pub version: String,
    pub processes: BTreeMap<String, ProcessHealth>,
    pub checks: Checks,
    /// Calls in progress: no reboot over a live call.
    pub calls: u32,
    /// Whether a call for help can go out: `ready`, `lines_down`, `no_line`, `no_number`; `unknown` while *calls* is silent.
    pub emergency: String,
    /// For how many days the box can run cut off, by each thing that ends.
    #[serde(default)]
    pub alone: Vec<Alone>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProcessHealth {
    pub pid: Option<u32>,
    pub restarts: u32,
    pub up_s: u64,
}

/// Local proofs only: none of these needs the WAN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Checks {
    /// The active configuration has no fatal finding.
    pub config: bool,
    /// The registrar answers an OPTIONS on its own address.
    pub registrar: bool,
    /// The media process relayed audio between two ports of its own and heard it.
    pub audio: bool,
    /// A test recording was written, sealed, read back and verified.
    pub recording: bool,
    /// The ledger accepts and returns a row.
    pub ledger: bool,
}

impl Checks {
    pub fn all(&self) -> bool {
        self.config && self.registrar && self.audio && self.recording && self.ledger
    }
}

pub fn write(path: &Path, health: &Health) -> std::io::Result<()> {
    let folder = path.parent().ok_or_else(|| std::io::Error::other("a health file lies in a folder"))?;
    let fresh = folder.join(".health.json.new");
    let mut file = std::fs::File::create(&fresh)?;
    file.write_all(serde_json::to_string_pretty(health)?.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    std::fs::rename(&fresh, path)
}
