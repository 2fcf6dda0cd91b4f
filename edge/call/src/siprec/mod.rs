//! Recording sessions (SIPREC: RFC 7866, RFC 7865, RFC 7245). As a *client* the box has a recording server of the
//! customer's own record what its own recorder records; as a *server* it records what a declared peer brings. Which peers
//! there are is said by the box's own file alone.
//!
//! [`metadata`] is what either side says of it; `strand` one of its streams, `client` and `server` the two roles.

mod client;
pub mod metadata;
mod scene;
mod server;
mod strand;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use model::config::Protection;
use model::{LegId, Number, QueueId, RecordingId, TrunkId};
use sip::endpoint::{self, DialogId, Network, Transport};

use crate::calls::Calls;
use client::{Copy, Failures};
pub use metadata::Metadata;
use server::Brought;
pub(crate) use server::WILL;

/// Recording sessions of one kind at once.
pub const SESSIONS_MAX: usize = 1_000;
/// Streams of one recording session: a recording has two sides.
pub const STREAMS_MAX: usize = 2;

/// A peer of recording sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorder {
    pub name: TrunkId,
    pub peer: SocketAddr,
    pub transport: Transport,
    pub protection: Protection,
    /// What proves us when it asks.
    pub account: Option<endpoint::TrunkRegistration>,
    /// Where audio for it may go beside its own address.
    pub media: Vec<Network>,
    /// What of ours it records; None: nothing.
    pub records: Option<Records>,
    /// It brings calls of its own to be recorded here.
    pub brings: bool,
}

/// Which of the calls that are recorded here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Records {
    /// Without queues and numbers: all.
    pub queues: BTreeSet<QueueId>,
    /// Our numbers that were called.
    pub numbers: BTreeSet<Number>,
}

impl Recorder {
    /// Whether it records a call of this queue, for which this number of ours was called.
    pub fn wants(&self, queue: Option<&QueueId>, number: Option<&Number>) -> bool {
        self.records.as_ref().is_some_and(|records| {
            let all = records.queues.is_empty() && records.numbers.is_empty();
            let has_queue = queue.is_some_and(|queue| records.queues.contains(queue));
            all || has_queue || number.is_some_and(|number| records.numbers.contains(number))
        })
    }

    /// Whether its description may name this address: no answer leads audio out of the house.
    pub fn hears_at(&self, ip: IpAddr) -> bool {
        ip == self.peer.ip() || self.media.iter().any(|network| network.contains(ip))
    }
}

/// What a copy is about.
#[derive(Debug, Clone, Default)]
pub struct About {
    pub queue: Option<QueueId>,
    pub number: Option<Number>,
}

/// Why a recording server has no copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoCopy {
    /// It said no.
    Refused,
    /// It does not answer.
    Unreachable,
    /// It had the call and let go of it, or is gone.
    Lost,
    /// What it answered cannot be used: a codec, an address, a key.
    Media,
    /// A limit of ours.
    Limit,
}

/// What is told of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyState {
    Started {
        recorder: TrunkId,
    },
    /// Told once until there is one again; it is tried again meanwhile.
    Missing {
        recorder: Option<TrunkId>,
        why: NoCopy,
    },
}

/// All recording sessions. A leg's id stands for each, and for each of their streams, so that ports and timers know them.
#[derive(Debug)]
pub(crate) struct Sessions {
    copies: BTreeMap<LegId, Copy>,
    by_recording: BTreeMap<RecordingId, LegId>,
    /// Copies of each leg's recordings.
    by_leg: BTreeMap<LegId, BTreeSet<LegId>>,
    brought: BTreeMap<LegId, Brought>,
    by_dialog: BTreeMap<DialogId, LegId>,
    /// Stream to session.
    strands: BTreeMap<LegId, LegId>,
    /// Legs of which a copy may have to say something else.
    changed: BTreeSet<LegId>,
    /// Servers that failed lately; no more than are configured.
    failures: BTreeMap<TrunkId, Failures>,
    /// RTP ports that copies may take.
    ports_left: usize,
}

impl Default for Sessions {
    fn default() -> Self {
        Self {
            copies: BTreeMap::new(),
            by_recording: BTreeMap::new(),
            by_leg: BTreeMap::new(),
            brought: BTreeMap::new(),
            by_dialog: BTreeMap::new(),
            strands: BTreeMap::new(),
            changed: BTreeSet::new(),
            failures: BTreeMap::new(),
            ports_left: usize::MAX,
        }
    }
}

impl Sessions {
    /// The session that a stream's port belongs to.
    pub fn of_strand(&self, leg: LegId) -> Option<LegId> {
        self.strands.get(&leg).copied()
    }

    /// Whether it is one that a recording server hears.
    pub fn is_of_copy(&self, leg: LegId) -> bool {
        self.of_strand(leg).is_some_and(|session| self.copies.contains_key(&session))
    }
}

impl Calls {
    /// Takes what concerns recording sessions; gives back what does not.
    pub(crate) fn on_recording_sip(&mut self, now: Instant, event: endpoint::Event) -> Option<endpoint::Event> {
        use endpoint::Event as E;
        if let E::Invited { dialog, invited } = event {
            if invited.recording.is_none() {
                return Some(E::Invited { dialog, invited });
            }
            self.bring(now, dialog, invited);
            return None;
        }
        if let E::TrunkState { trunk, up } = &event
            && self.config.recorders.iter().any(|recorder| recorder.name.as_str() == trunk)
        {
            match up {
                true => self.recorder_up(now, trunk),
                false => self.recorder_down(now, trunk),
            }
            return None;
        }
        let Some(session) = dialog_of(&event).and_then(|dialog| self.siprec.by_dialog.get(&dialog).copied()) else {
            return Some(event);
        };
        if self.siprec.copies.contains_key(&session) {
            self.on_copy(now, session, event);
        } else {
            self.on_brought(now, session, event);
        }
        None
    }

    /// A port that is none of a call's has opened. False: it is nobody's here either.
    pub(crate) fn strand_opened(&mut self, now: Instant, strand: LegId) -> bool {
        let Some(session) = self.siprec.of_strand(strand) else { return false };
        if self.siprec.copies.contains_key(&session) {
            self.copy_opened(now, session);
        } else {
            self.brought_opened(now, session);
        }
        true
    }

    /// It could not be opened, or has no keys.
    pub(crate) fn strand_failed(&mut self, now: Instant, strand: LegId) -> bool {
        let Some(session) = self.siprec.of_strand(strand) else { return false };
        if self.siprec.copies.contains_key(&session) {
            self.copy_failed(now, session, NoCopy::Limit);
        } else {
            self.brought_failed(now, session);
        }
        true
    }

    /// The media process is a new one: every session begins anew, or ends.
    pub(crate) fn recording_sessions_lost(&mut self, now: Instant) {
        for session in self.siprec.copies.keys().copied().collect::<Vec<_>>() {
            self.copy_failed(now, session, NoCopy::Lost);
        }
        for session in self.siprec.brought.keys().copied().collect::<Vec<_>>() {
            self.brought_failed(now, session);
        }
    }

    pub(crate) fn recorder(&self, name: &str) -> Option<&Recorder> {
        self.config.recorders.iter().find(|recorder| recorder.name.as_str() == name)
    }
}

/// The dialog that an event is about, where it is about one.
fn dialog_of(event: &endpoint::Event) -> Option<DialogId> {
    use endpoint::Event as E;
    match event {
        E::Invited { dialog, .. }
        | E::Progress { dialog, .. }
        | E::Answered { dialog, .. }
        | E::Failed { dialog, .. }
        | E::Confirmed { dialog, .. }
        | E::EarlyAnswered { dialog, .. }
        | E::Reoffer { dialog, .. }
        | E::Described { dialog, .. }
        | E::Reanswered { dialog, .. }
        | E::Referred { dialog, .. }
        | E::RefreshDue { dialog }
        | E::Digit { dialog, .. }
        | E::Ended { dialog, .. } => Some(*dialog),
        E::Registered { .. } | E::Unregistered { .. } | E::TrunkState { .. } | E::Refused { .. } => None,
    }
}
