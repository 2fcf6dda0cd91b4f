//! Which calls are recorded, and what the customer's own word counts for. A queue's calls go by the queue's rule, whoever
//! called whom; calls of no queue by the site's, per direction.

use serde::{Deserialize, Serialize};

use crate::{QueueId, cdr::Direction, config::Config};

/// Longest pause that an agent may be allowed, in seconds.
pub const PAUSE_S_MAX: u32 = 600;

/// How calls are recorded where they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Recording {
    pub consent: Consent,
    /// How long an agent may keep the talk out of the recording at a time, in seconds up to [`PAUSE_S_MAX`]; 0: not at
    /// all. Card mode pauses it in any case.
    pub pause_s: u32,
}

/// What the customer's word counts for. The last word stands; it is asked for in a flow, or told by the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// Recorded, whatever it is.
    #[default]
    NotAsked,
    /// Recorded until the customer says no.
    UnlessRefused,
    /// Recorded from the moment the customer says yes.
    WhenGiven,
}

impl Consent {
    /// May it be recorded after this word? None: nothing was said.
    pub fn allows(self, said: Option<bool>) -> bool {
        match self {
            Consent::NotAsked => true,
            Consent::UnlessRefused => said != Some(false),
            Consent::WhenGiven => said == Some(true),
        }
    }
}

/// Calls that belong to no queue; None: not recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Directions {
    /// From outside to a phone.
    pub inward: Option<Recording>,
    /// From a phone to outside. A call for help is recorded where these are, and asks nobody.
    pub outward: Option<Recording>,
    /// From phone to phone.
    pub inside: Option<Recording>,
}

impl Config {
    /// The rule of a call; None: it is not recorded. Calls of a queue that is gone are recorded, for what was not cannot be
    /// had again, and never against the customer's word.
    pub fn recording_of(&self, queue: Option<&QueueId>, direction: Direction) -> Option<Recording> {
        match queue.map(|queue| self.queues.get(queue)) {
            Some(Some(queue)) => queue.recorded.then_some(queue.recording),
            Some(None) => Some(Recording { consent: Consent::UnlessRefused, pause_s: 0 }),
            None => match direction {
                Direction::Inbound => self.site.recording.inward,
                Direction::Outbound => self.site.recording.outward,
                Direction::Internal => self.site.recording.inside,
            },
        }
    }
}
