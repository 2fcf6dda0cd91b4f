//! What came of a contact, by the agent's own word: one of the site's codes, and which of them a queue asks for.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{DispositionId, QueueId, config::Config};

/// Codes of one site.
pub const DISPOSITIONS_MAX: usize = 100;

/// What a queue asks of whoever writes a contact up.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dispositions {
    /// Those of the site's codes that fit this queue; empty: all of them.
    pub only: BTreeSet<DispositionId>,
    /// The wrap-up ends by hand only when one is named.
    pub required: bool,
}

impl Config {
    /// What an agent may name for a contact of this queue, or of none, as people read it.
    pub fn dispositions_for(&self, queue: Option<&QueueId>) -> BTreeMap<&DispositionId, &str> {
        let only = queue.and_then(|queue| self.queues.get(queue)).map(|queue| &queue.dispositions.only);
        let fits = |code: &DispositionId| only.is_none_or(|only| only.is_empty() || only.contains(code));
        let all = self.site.dispositions.iter().filter(|(code, _)| fits(code));
        all.map(|(code, label)| (code, label.as_str())).collect()
    }

    /// Must one be named? Never where there is none to name.
    pub fn disposition_required(&self, queue: Option<&QueueId>) -> bool {
        let required = queue.and_then(|queue| self.queues.get(queue)).is_some_and(|queue| queue.dispositions.required);
        required && !self.dispositions_for(queue).is_empty()
    }
}
