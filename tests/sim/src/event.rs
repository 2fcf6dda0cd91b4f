//! What can be on the agenda.

use std::net::SocketAddr;

use bytes::Bytes;
use floor::board::Ask;
use media::plane::{self, PlayId, PortId};
use model::AgentId;

use crate::{town::Side, wan::Parcel};

#[derive(Debug)]
pub enum Event {
    /// A UDP datagram arrives.
    Datagram {
        from: SocketAddr,
        to: SocketAddr,
        bytes: Bytes,
    },
    /// The media process says something to one life of *calls*.
    Media {
        side: Side,
        life: u32,
        event: plane::Event,
    },
    /// A prompt has been played to its end, if it still plays.
    PromptEnds {
        side: Side,
        port: PortId,
        play: PlayId,
    },
    /// A tunnel's port may have been silent for long enough to be reported.
    Silence {
        side: Side,
        port: PortId,
    },
    /// Somebody calls a branch.
    Arrival(Side),
    /// A party on a carrier's side acts, unless something else happened to it since `turn`.
    Outsider {
        side: Side,
        who: usize,
        turn: u32,
        act: OutsiderAct,
    },
    /// The person at a phone acts, unless something else happened since `turn`.
    Phone {
        phone: usize,
        turn: u32,
        act: PhoneAct,
    },
    /// An agent looks at the desk.
    Desk {
        side: Side,
        agent: AgentId,
    },
    /// An agent asks for something at the desk, as was decided earlier.
    Ask {
        side: Side,
        agent: AgentId,
        ask: Ask,
    },
    /// The group that is open in the ledger is committed.
    Commit {
        side: Side,
        life: u32,
    },
    /// The shell of *calls* looks at its ledger, its clock and its figures.
    Look(Side),
    /// The *calls* process dies.
    CallsDie(Side),
    CallsBegin(Side),
    /// The *media* process dies, and another is there at once.
    MediaDies(Side),
    /// The *sync* process dies.
    SyncDies(Side),
    SyncBegins(Side),
    /// The line between a branch and the cloud.
    Cut(Side),
    Mend(Side),
    CloudDies,
    CloudBegins,
    /// Something reaches an end of a connection between a box and the cloud.
    Parcel {
        place: u64,
        parcel: Parcel,
    },
    /// A box's attempt to connect comes to a result.
    Connecting {
        side: Side,
        attempt: u32,
    },
    /// Nothing was heard on a connection for the time that breaks it.
    Idle {
        side: Side,
        attempt: u32,
        /// The cut that made it so; None: the other end is gone for good.
        cut: Option<u32>,
    },
    /// The media paths of overflow calls have been broken for long enough to be noticed.
    PathsLost {
        cut: u32,
        /// Also when the lines are whole again by now.
        for_good: bool,
    },
    /// The cloud's database has the oldest batch that it was given.
    Stored {
        process: u32,
    },
    /// Somebody edits the configuration in the branch.
    BranchEdits(Side),
    /// Somebody edits the branch's configuration at the console.
    CentreEdits(Side),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutsiderAct {
    /// Out of patience, or done talking.
    HangUp,
    Press(char),
    /// Picks up a call that a branch made.
    Answer,
    /// Nobody picked it up.
    RingOut,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhoneAct {
    Answer,
    Decline,
    HangUp,
}
