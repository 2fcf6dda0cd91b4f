//! What a phone's calls look like to those who watch it (RFC 4235 §3.7): direction and state of each, and, while it
//! rings, the names by which another phone may ask to take it (RFC 3891). Nothing of the other party.

use std::collections::BTreeMap;

use super::{Dialogs, Phase};
use crate::context::Context;
use crate::endpoint::{DialogId, Source};
use crate::transaction::TxId;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub dialog: DialogId,
    /// The phone called; false: it is called.
    pub calls: bool,
    pub state: LineState,
    /// While it rings.
    pub pickup: Option<Pickup>,
}

/// RFC 4235 §3.7.1, as far as others see it. `terminated` is a line that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LineState {
    Trying,
    Early,
    Confirmed,
}

/// As the phone itself names its dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pickup {
    pub call_id: String,
    pub local_tag: String,
    pub remote_tag: String,
}

impl Dialogs {
    /// Grows with everything that may have changed a line.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    pub(super) fn changed(&mut self) {
        self.changes = self.changes.wrapping_add(1);
    }

    /// The lines of the phones that `wanted` names, those without a call left out; one walk over all calls.
    pub fn lines(&self, wanted: impl Fn(&str) -> bool) -> BTreeMap<String, Vec<Line>> {
        let mut lines: BTreeMap<String, Vec<Line>> = BTreeMap::new();
        for (dialog, usage) in &self.usages {
            let Source::Phone(user) = &usage.source else { continue };
            if wanted(user)
                && let Some((calls, state, pickup)) = usage.phase.line()
            {
                lines.entry(user.clone()).or_default().push(Line { dialog: *dialog, calls, state, pickup });
            }
        }
        lines
    }

    /// RFC 3261 §9.2: a re-INVITE of theirs, not answered yet, is called off; the session goes on as it was.
    pub(super) fn reinvite_cancelled(&mut self, cx: &mut Context<'_>, invite: TxId) {
        for usage in self.usages.values_mut() {
            if let Phase::Open(session) = &mut usage.phase
                && session.has_offer(invite)
            {
                return session.refuse_theirs(cx, 487);
            }
        }
    }
}

impl Phase {
    fn line(&self) -> Option<(bool, LineState, Option<Pickup>)> {
        match self {
            Self::Incoming(_) => Some((true, LineState::Trying, None)),
            Self::Outgoing(outgoing) => match outgoing.first_ringing() {
                Some(peer) => {
                    let pickup = Pickup {
                        call_id: peer.call_id.as_str().to_string(),
                        local_tag: peer.remote_tag().unwrap_or_default().to_string(),
                        remote_tag: peer.local_tag().to_string(),
                    };
                    Some((false, LineState::Early, Some(pickup)))
                }
                None => Some((false, LineState::Trying, None)),
            },
            Self::Open(session) => Some((session.called_us, LineState::Confirmed, None)),
            Self::Closing(_) => None,
        }
    }
}
