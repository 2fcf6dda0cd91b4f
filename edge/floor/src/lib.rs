//! The contact centre: it asks `ivr` what to do and `acd` who shall do it, commands `call`, emits facts and folds them
//! into CDRs. The whole day of a branch in one deterministic engine.
//!
//! [`Floor`] is the engine; [`cdr`] and [`interval`] are pure folds that a ledger may run again, [`book`] keeps the
//! figures of a day by them, [`fares`] judges how callers fare by a configuration. One file, one concern:
//! `contact` is what a visit is, `arrival`, `legs` and `ending` how it begins, goes on and ends, `flow`, `detour` and
//! `waiting` its way to a person, `callback` that of who need not wait on the line, `talking` the
//! talk, `company` who else is on it, `away` a page that is loaded anew under it, `transfer` and `attended` the way to
//! another; `outgoing` are calls that begin inside; `overflow` is help between sites;
//! `brought` are calls of other systems that are recorded here;
//! `phones` knows whose phone is which and busy, `pauses` why an agent is not ready, `disposing` what came of a contact and `correcting` what is said of that later, `alerts` what supervisors must look up for; `desk` obeys agents, `picture` shows them the floor; `recording` and
//! `chronicle` write down; `will` is what the next life takes over.

mod alerts;
mod arrival;
mod attended;
mod away;
pub mod board;
pub mod book;
mod brought;
pub mod callback;
mod calling_back;
mod caps;
pub mod cdr;
mod chronicle;
mod company;
mod consent;
mod contact;
pub mod correcting;
mod desk;
mod detour;
mod disposing;
mod emergency;
mod ending;
pub mod fares;
mod farewell;
mod floor;
mod flow;
mod forward;
mod helping;
pub mod interval;
mod legs;
mod lines;
mod message;
mod notices;
mod outgoing;
pub mod overflow;
mod pauses;
mod phones;
mod picture;
mod private;
mod promise;
mod recording;
mod regulars;
mod selftest;
mod sound;
mod star;
mod talking;
mod timer;
mod transfer;
mod waiting;
pub mod will;

use std::collections::BTreeMap;

use call::{Secrets, endpoint, leg::Caller, plane};
use model::{
    ContactId, Extension, LegId, OverflowId, TrunkId,
    cdr::Cdr,
    config::Config,
    fact::{Fact, LookUpFailed},
    flow::Value,
    forward::Forward,
    leaving::What,
};

pub use company::{LISTENERS_MAX, Stage};
pub use floor::{Floor, InUse};
pub use ivr::{hours::CivilTime, run::LookUp};
pub use lines::Lines;
pub use message::MESSAGES_MAX;

/// Contacts at once, wrap-ups not counted; an emergency call does not ask.
pub const CONTACTS_MAX: usize = 2_000;
/// Calls between sites at once, both ways.
pub const OVERFLOWS_MAX: usize = 200;
/// Recordings that run or are being sealed.
pub const RECORDINGS_MAX: usize = 4_000;

/// What a floor begins with.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The telephone lines' own configuration; `calls.site` is the branch's.
    pub calls: call::Config,
    /// For ids; another one in every life of the process.
    pub seed: [u8; 32],
    pub civil: CivilTime,
}

/// One thing that happened.
#[derive(Debug)]
pub enum Input {
    /// On the telephone lines and in the media process.
    Call(call::leg::Input),
    /// Another site said something about a call.
    Signal(overflow::Signal),
    /// The local end of an overflow call's tunnel: where the link's process awaits its audio.
    TunnelPeer {
        overflow: OverflowId,
        peer: std::net::SocketAddr,
    },
    /// The media path of an overflow call is broken.
    PathLost {
        overflow: OverflowId,
    },
    LinkUp,
    LinkDown,
    /// Another configuration: calls, contacts and agents' states stay.
    Configure {
        config: Box<Config>,
        secrets: Box<Secrets>,
    },
    /// The centre has every notice that was told so far.
    NoticesHeard,
    /// A trunk did not prove itself over TLS, for a cause that was not known of it.
    TrunkRefused {
        trunk: TrunkId,
        what: What,
    },
    /// The lab's night found a device other than it was the night before.
    DeviceChanged {
        what: What,
    },
    /// What another system said, by the number of the question; None: nothing of use, for this reason.
    LookedUp {
        question: u64,
        said: Result<BTreeMap<String, Value>, LookUpFailed>,
    },
    /// The answer to a `Keep`.
    Kept {
        contact: ContactId,
        stored: bool,
    },
    /// The answer to a `SetForward`.
    ForwardSet {
        leg: LegId,
        stored: bool,
    },
    /// What the clock on the wall shows; at least once a minute.
    Civil(CivilTime),
}

/// What the shell does next, in this order.
#[derive(Debug)]
pub enum Output {
    Send {
        flow: endpoint::Flow,
        bytes: bytes::Bytes,
    },
    /// Of the endpoint's, see there.
    Close {
        flow: endpoint::Flow,
    },
    Media(plane::Command),
    Fact(Fact),
    /// Personal data of a contact: kept beside the chain of facts, under a key of its own.
    Personal {
        contact: ContactId,
        caller: Caller,
        /// The number that is called back, as one dials it.
        call_back: Option<String>,
        /// What the flow shows to agents: what it is, and what it says.
        shown: Vec<(String, String)>,
    },
    /// Say when all that was told of this contact is stored, or that it cannot be.
    Keep {
        contact: ContactId,
    },
    /// Where a phone's calls go from here on, by what it has dialled: to be stored, and answered by `ForwardSet`.
    SetForward {
        leg: LegId,
        phone: Extension,
        forward: Forward,
    },
    /// For the centre, through the gate.
    Notice(model::leaving::Notice),
    /// At the end of a contact, and again when it was written up.
    Cdr(Box<Cdr>),
    /// Ask another system, and say what it said by this number.
    LookUp {
        question: u64,
        ask: LookUp,
    },
    /// For another site.
    Signal(overflow::Signal),
    /// Carry this overflow call's audio: it is awaited at this loopback address.
    Tunnel {
        overflow: OverflowId,
        local: std::net::SocketAddr,
    },
    /// The board has changed: show it again.
    BoardChanged,
    /// To be remembered across a restart.
    Registered {
        phone: Extension,
        up: bool,
        binding: endpoint::Binding,
    },
    TrunkState {
        trunk: TrunkId,
        up: bool,
    },
    /// One message refused at the front door, for the counters.
    Refused {
        cause: &'static str,
        status: Option<u16>,
    },
}
