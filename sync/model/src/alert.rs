//! When supervisors of a branch are to look up: thresholds of a queue, and what was crossed.

use serde::{Deserialize, Serialize};

/// Of one queue; None: that is not watched.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Alerts {
    /// Somebody waits longer than this, in seconds, 5 to 3600.
    pub longest_wait_s: Option<u32>,
    /// More than so many wait, 1 to 1000.
    pub waiting: Option<u32>,
    /// Today's service level (NORMS 4, variant 2) is below so many percent, 1 to 100.
    pub service_level: Option<u32>,
    /// Today's abandonment (NORMS 4, without short ones) is above so many percent, 1 to 100.
    pub abandoned: Option<u32>,
    /// The queue takes contacts, and nobody is there to answer them.
    pub unserved: bool,
    /// A call of it sounds badly (IM-06).
    pub quality: bool,
}

impl Default for Alerts {
    fn default() -> Self {
        Self {
            longest_wait_s: None,
            waiting: None,
            service_level: None,
            abandoned: None,
            unserved: false,
            quality: true,
        }
    }
}

/// What is alerted of.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alert {
    /// Its value is in seconds.
    LongestWait,
    /// Contacts.
    Waiting,
    /// Tenths of a percent.
    ServiceLevel,
    /// Tenths of a percent.
    Abandoned,
    Unserved,
    /// R of ITU-T G.107.
    Quality,
}
