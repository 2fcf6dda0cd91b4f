//! Where a phone's calls go instead.

use serde::{Deserialize, Serialize};

use crate::Number;

/// Each target is dialled as the phone itself would dial it: another extension, or a number outside, which the one dial
/// plan must let go and the phone pays for. Calls from a queue, and calls back from an emergency centre, stay.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Forward {
    pub always: Option<Number>,
    pub busy: Option<Number>,
    pub no_answer: Option<Number>,
    /// How long it rings before `no_answer` counts, in seconds: 5 to 120.
    pub after_s: u32,
    pub unregistered: Option<Number>,
}

impl Default for Forward {
    fn default() -> Self {
        Self { always: None, busy: None, no_answer: None, after_s: 20, unregistered: None }
    }
}
