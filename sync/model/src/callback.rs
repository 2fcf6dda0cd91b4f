//! Calling back instead of waiting on the line: when a queue offers it, and how often it is tried.

use serde::{Deserialize, Serialize};

use crate::HoursId;

/// Attempts in all, 1 to this.
pub const ATTEMPTS_MAX: u32 = 5;

/// Who is called back keeps the place in the line (RT-08).
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Callback {
    /// Offered with the announcement of the position to whom is expected to wait longer than this, in seconds, 30 to
    /// 3600; None: the queue itself offers none, a flow may.
    pub offer_after_s: Option<u32>,
    pub attempts: u32,
    /// Minutes from one attempt to the next, 1 to 240.
    pub again_min: u32,
    /// When customers are called; None: in the queue's own hours.
    pub hours: Option<HoursId>,
}

impl Default for Callback {
    fn default() -> Self {
        Self { offer_after_s: None, attempts: 3, again_min: 15, hours: None }
    }
}
