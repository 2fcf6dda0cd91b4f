//! What the owner of calls says and hears. A leg is one party: a phone, a trunk's caller, or a caller carried by
//! another site. Every leg ends with exactly one `Event::Ended`.

use bytes::Bytes;
use media::plane;
use model::cdr::Released;
use model::fact::DivertedFor;
use model::{AgentId, Extension, LegId, Number, OverflowId, TrunkId};

use crate::siprec::{CopyState, Metadata};

/// What happened outside.
#[derive(Debug, Clone)]
pub enum Input {
    Sip(sip::endpoint::Input),
    Media(plane::Event),
    /// The media process died and a new one is there: all ports are gone.
    MediaRestarted,
}

#[derive(Debug, Clone)]
pub enum Output {
    Send {
        flow: sip::endpoint::Flow,
        bytes: Bytes,
    },
    /// Of the endpoint's, see there.
    Close {
        flow: sip::endpoint::Flow,
    },
    Media(plane::Command),
    Event(Event),
}

/// A party that appears, or that we go and get.
#[derive(Clone, PartialEq, Eq)]
pub enum Party {
    Phone(Extension),
    /// A device that proved nothing and calls for help.
    Unproved,
    /// On a trunk: the public number there.
    Trunk {
        trunk: TrunkId,
        user: String,
    },
    /// Carried over the link; its audio enters and leaves at a loopback address (see `Calls::tunnel`).
    Tunnel(OverflowId),
}

/// Without the number: it is a person's.
impl std::fmt::Debug for Party {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Party::Phone(phone) => write!(f, "Phone({phone})"),
            Party::Unproved => write!(f, "Unproved"),
            Party::Trunk { trunk, .. } => write!(f, "Trunk({trunk})"),
            Party::Tunnel(overflow) => write!(f, "Tunnel({overflow})"),
        }
    }
}

/// Why a leg ended or could not begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// The party hung up.
    PartyHungUp,
    /// We ended it.
    Ours,
    Busy,
    NoAnswer,
    NotRegistered,
    /// No common codec (488), or SDP that makes no sense.
    Media,
    Forbidden,
    NotFound,
    Overload,
    /// The peer or its network is gone.
    Lost,
    /// A fault of ours.
    Fault,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Somebody calls us. Nothing is answered until `Calls::answer`, `ring` or `reject`.
    Incoming {
        leg: LegId,
        party: Party,
        to: String,
        caller: Caller,
        /// The leg whose place the caller wants (RFC 3891): a call pickup. Whether it may, the owner decides.
        replaces: Option<LegId>,
    },
    /// A leg that we dialled rings.
    Ringing {
        leg: LegId,
    },
    /// A leg is talking to us: dialled and answered, or incoming and confirmed.
    Answered {
        leg: LegId,
    },
    Digit {
        leg: LegId,
        digit: char,
    },
    /// The prompts of `play` reached their end.
    Played {
        leg: LegId,
        play: plane::PlayId,
    },
    /// The party put us on hold, or came back.
    Hold {
        leg: LegId,
        held: bool,
    },
    /// The party asks for a blind transfer to this number (REFER).
    TransferAsked {
        leg: LegId,
        to: String,
    },
    /// The party, who talks on `leg` and on `replaces`, asks that the two others talk to each other (REFER with
    /// Replaces). Answer as a transfer.
    AttendedAsked {
        leg: LegId,
        replaces: LegId,
    },
    /// Five seconds of the leg's audio.
    Quality {
        leg: LegId,
        quality: plane::Quality,
    },
    /// No keys could be agreed on with the party; `Ended` follows.
    Unkeyed {
        leg: LegId,
        why: plane::Unkeyed,
    },
    Recording {
        recording: model::RecordingId,
        state: plane::RecordingState,
    },
    /// Where a tunnel leg's audio is awaited: 127.0.0.1:port of the media process.
    TunnelOpen {
        leg: LegId,
        local: std::net::SocketAddr,
    },
    /// The call of a trunk's caller was sent on before it came here; right after `Incoming`. `from`, the number that
    /// was called first, is told when it is ours.
    Diverted {
        leg: LegId,
        from: Option<Number>,
        why: DivertedFor,
        hops: u8,
    },
    /// What a trunk said of the end of its leg; `Ended` follows.
    Released {
        leg: LegId,
        released: Released,
    },
    Ended {
        leg: LegId,
        cause: Cause,
    },
    /// What has become of a recording's copy at a recording server of the customer's own.
    Copied {
        recording: model::RecordingId,
        state: CopyState,
    },
    /// A declared peer brings a call to be recorded: `leg` stands for it. Give it a recording.
    Brought {
        leg: LegId,
        by: TrunkId,
        metadata: Box<Metadata>,
    },
    /// What it says of who takes part has changed.
    BroughtAnew {
        leg: LegId,
        metadata: Box<Metadata>,
    },
    /// It sends nothing for now, or does again.
    BroughtPaused {
        leg: LegId,
        paused: bool,
    },
    /// Its last event.
    BroughtOver {
        leg: LegId,
    },
    Registered {
        phone: Extension,
        up: bool,
        binding: sip::endpoint::Binding,
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

/// Personal data: it goes to the desk and beside the ledger, never into a fact.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Caller {
    pub number: String,
    pub name: Option<String>,
}

impl std::fmt::Debug for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Caller(..)")
    }
}

/// A party to go and get.
#[derive(Debug, Clone)]
pub struct Dial {
    pub party: Party,
    /// Shown to the party.
    pub caller: Caller,
    /// Play this leg's early media, when it brings any, to that one; or ring-back tone when it brings none.
    pub ringback_to: Option<LegId>,
    /// Whom it will talk to: the codec spoken there is offered first, so that nothing need be decoded.
    pub meets: Option<LegId>,
    /// The phone for which a call goes out: its place is told when it is an emergency, or the box's own when there is
    /// none. Of a call to a phone, the one that sends the caller on.
    pub on_behalf_of: Option<Extension>,
    /// The call goes on by a phone's own forward.
    pub forwarded: Option<Forwarded>,
}

/// Whose forward sent a call on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forwarded {
    pub by: Extension,
    pub why: DivertedFor,
    /// How often the call was sent on by then.
    pub hops: u8,
}

/// Who is called when a number is dialled inside; kept here so that an emergency call needs nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    Phone(Extension),
    Agent(AgentId),
    Emergency {
        trunk: TrunkId,
        number: Number,
    },
    /// An emergency number, and the house has no line.
    Helpless(Number),
    Outward {
        trunk: TrunkId,
        number: Number,
    },
    Forbidden,
    Unknown,
}
