//! One recording's way to a recording server: where it stands, and what the server was told.

use std::time::Instant;

use model::{LegId, Millis, RecordingId, TrunkId};
use sip::endpoint::DialogId;

use crate::siprec::{
    scene::{Part, Scene},
    strand::Strand,
};

/// What goes to a recording server of one recording.
#[derive(Debug)]
pub(in crate::siprec) struct Copy {
    pub recording: RecordingId,
    /// Whose call it is.
    pub of: LegId,
    /// The call's recording began, by both clocks.
    pub began: (Instant, Millis),
    /// A server has had it since.
    pub since: Option<Millis>,
    pub paused: bool,
    pub parts: Vec<Part>,
    /// Those that may have it, in the order in which they are tried.
    pub recorders: Vec<TrunkId>,
    /// Which of them is next.
    pub next: usize,
    pub stage: Stage,
    pub strands: Vec<Strand>,
    /// As the server was told.
    pub told: Scene,
    /// As it was told before the re-INVITE that is out.
    pub before: Scene,
    /// Re-INVITEs in a row that it refused.
    pub tells: u8,
    /// Media was told to send nothing.
    pub silent: bool,
    /// A re-INVITE of ours is out.
    pub asked: bool,
    /// It asked how things stand: the answer to our description comes with its ACK.
    pub in_ack: bool,
    /// That nobody has it has been told.
    pub missing: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// Ports are awaited.
    Opening,
    Calling(DialogId),
    Up(DialogId, TrunkId),
    /// Nobody took it; a timer tries again.
    Resting,
}

impl Copy {
    pub fn dialog(&self) -> Option<DialogId> {
        match &self.stage {
            Stage::Calling(dialog) | Stage::Up(dialog, _) => Some(*dialog),
            Stage::Opening | Stage::Resting => None,
        }
    }

    /// By which media knows it, once there are ports.
    pub fn tape(&self) -> Option<String> {
        self.strands.first().map(|strand| format!("copy-{}", strand.port.0))
    }

    pub fn wall(&self, now: Instant) -> Millis {
        let passed = now.saturating_duration_since(self.began.0).as_millis();
        Millis(self.began.1.0.saturating_add(i64::try_from(passed).unwrap_or(i64::MAX)))
    }
}
