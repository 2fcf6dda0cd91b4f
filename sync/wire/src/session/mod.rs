//! A session: from a hello to the end of one connection. [`BoxEnd`] lives on the box, [`CloudEnd`] in the cloud; what
//! outlives the connection (rows, watermarks, documents) is the shells', and each session begins from it.

mod box_end;
mod cloud_end;

use std::time::{Duration, Instant};

use model::Millis;
pub use model::{BoxId, SiteId};

pub use box_end::{BoxEnd, Spent};
pub use cloud_end::{CloudEnd, Peer};

use crate::{
    frame::{Reason, Refuse},
    outbox,
};

/// Inputs and outputs of the box's end.
pub mod at_box {
    pub use super::box_end::{Input, Output};
}
/// Inputs and outputs of the cloud's end.
pub mod at_cloud {
    pub use super::cloud_end::{Input, Output};
}

/// A hello must come, and be answered, within this.
pub const GREETING_MAX: Duration = Duration::from_secs(10);
/// The box pings this often; the transport below keeps the path alive on its own.
pub const PING_EVERY: Duration = Duration::from_secs(10);
/// A peer that says nothing for this long is gone.
pub const SILENCE_MAX: Duration = Duration::from_secs(35);

/// Why a session is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The cloud refused, or we did.
    Refused(Refuse),
    /// The peer broke the protocol.
    Protocol(Fault),
    /// The peer was silent too long.
    Silent,
    /// The box's outbox and the cloud's watermark cannot both be true: the box begins a new epoch.
    EpochSpent(Spent),
}

impl End {
    /// How long the cloud wants to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            End::Refused(refuse) if refuse.retry_after_ms > 0 => Some(Duration::from_millis(refuse.retry_after_ms)),
            _ => None,
        }
    }

    fn refused(reason: Reason) -> Self {
        End::Refused(Refuse { reason, retry_after_ms: 0 })
    }
}

/// What the peer did wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("a frame that has no place here: {0}")]
    Unexpected(&'static str),
    #[error(transparent)]
    Outbox(#[from] outbox::Error),
    #[error("a value over its limit: {0}")]
    TooMuch(&'static str),
    #[error("a signal in the name of another site")]
    ForeignSignal,
}

/// Wall time derived from one reading and the engine's own `now`: a clock that is set within a session disturbs
/// nothing.
#[derive(Debug, Clone, Copy)]
struct Wall {
    at: Millis,
    now: Instant,
}

impl Wall {
    fn read(self, now: Instant) -> Millis {
        let passed = i64::try_from(now.saturating_duration_since(self.now).as_millis()).unwrap_or(i64::MAX);
        Millis(self.at.0.saturating_add(passed))
    }
}
