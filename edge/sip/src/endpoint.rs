//! The box's one SIP endpoint: everything a B2BUA needs, in the words of RFC 3261, with sockets and time outside.
//!
//! One dialog id stands for one INVITE usage from its first message to its last event. `Event::Ended` or
//! `Event::Failed` is always the last for a dialog, exactly once, whatever raced.

use std::net::SocketAddr;

use bytes::Bytes;

pub use crate::dialog::Kept;
pub use crate::help::{Help, Network};
pub use crate::lent::Account;
use crate::locate::{self, Wish};
pub use crate::message::Release;

mod admission;
mod engine;
mod services;
mod transport;

pub use crate::subscription::Summary;
pub use engine::{Endpoint, Load, NEIGHBOURS_MAX};
pub use transport::Transport;

/// Where a message came from or goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flow {
    pub transport: Transport,
    pub local: SocketAddr,
    pub remote: SocketAddr,
    /// The connection's number, given by the shell from 1; 0 for UDP and for a connection yet to be opened.
    pub connection: u64,
}

/// One INVITE usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DialogId(pub u64);

/// Who stands behind a request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A configured trunk, by the name in [`Config`], known by address (or by the registration we hold there).
    Trunk(String),
    /// A phone that proved its password; the user part of its AOR.
    Phone(String),
    /// A device on a network of ours that proved nothing and calls for help: see [`Help`].
    Unproved,
}

#[derive(Debug, Clone, Default)]
pub struct Config {
    /// Our host part in AORs and realm: `branch-a.example`.
    pub domain: String,
    /// What phones and trunks may write in a Request-URI to mean us, beside `domain`.
    pub local: Vec<SocketAddr>,
    /// Which of them carries what; a transport that is not listed is told of at the address in `local` that lies
    /// nearest. With TCP among them, what is too large for a datagram goes to a trunk's peer by TCP.
    pub listeners: Vec<(Transport, SocketAddr)>,
    /// SIP user → credentials.
    pub phones: std::collections::BTreeMap<String, PhoneAuth>,
    pub trunks: std::collections::BTreeMap<String, Trunk>,
    /// Those of them that are found by name (RFC 3263); where, is said by [`Input::Located`].
    pub names: std::collections::BTreeMap<String, Wish>,
    /// Those of them whose peer is known by a certificate ([`Input::Proved`]) and not by its address.
    pub certified: std::collections::BTreeSet<String>,
    /// Those of them that record, or bring what is to be recorded (RFC 7866), and nothing else.
    pub recording: std::collections::BTreeMap<String, RecordingPeer>,
    /// Who may call for help without a proof.
    pub help: Help,
    /// Server header and User-Agent; `Branchline`.
    pub product: String,
    pub limits: Limits,
}

/// Digest secrets as stored: H(user:realm:password), never the password.
#[derive(Clone, PartialEq, Eq)]
pub struct PhoneAuth {
    /// RFC 8760: SHA-256, in lower-case hex.
    pub ha1_sha256: String,
    /// RFC 2617: for phones that know nothing else, which are then asked for MD5 alone; None refuses MD5.
    pub ha1_md5: Option<String>,
}

impl std::fmt::Debug for PhoneAuth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PhoneAuth(..)")
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trunk {
    /// For a trunk that is found by name, where it is when nothing is known of its name; unspecified: nowhere.
    pub peer: SocketAddr,
    pub transport: Transport,
    /// Register with the peer; None is a trunk by address.
    pub registration: Option<TrunkRegistration>,
    /// Seconds between OPTIONS pings; 0 for none.
    pub options_every_s: u32,
    pub rules: TrunkRules,
}

/// A trunk that is one end of recording sessions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordingPeer {
    /// What proves us when it asks; nothing is registered with it.
    pub account: Option<TrunkRegistration>,
}

/// How far a trunk's peer is believed, and how soon it is given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrunkRules {
    /// It may speak for others (RFC 3325 §3), say how a call came, and open early media.
    pub trusted: bool,
    /// So many failed pings in a row take the trunk down, at least 1; so many that succeed bring it back.
    pub down_after: u8,
    pub up_after: u8,
}

impl Default for TrunkRules {
    fn default() -> Self {
        Self { trusted: false, down_after: 2, up_after: 1 }
    }
}

#[derive(Clone, PartialEq, Eq)]
pub struct TrunkRegistration {
    pub user: String,
    pub domain: String,
    /// The password itself: the peer names the algorithm. Never printed.
    pub password: String,
    pub expires_s: u32,
}

impl std::fmt::Debug for TrunkRegistration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TrunkRegistration(..)")
    }
}

/// Everything has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    pub dialogs: usize,
    /// What is new is refused while some of these are free for emergencies and for what has begun, and the ends of calls
    /// go an eighth beyond ([`crate::transaction::Room`]). A call keeps three for 32 s, so 200,000 carry 1,600 calls a
    /// second.
    pub transactions: usize,
    pub bindings_per_user: usize,
    pub message_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { dialogs: 8_000, transactions: 200_000, bindings_per_user: 5, message_bytes: 65_535 }
    }
}

/// One thing that happened outside.
#[derive(Debug, Clone)]
pub enum Input {
    /// A UDP datagram, a whole WebSocket message, or bytes read from a TCP or TLS connection in any cut.
    Received { flow: Flow, bytes: Bytes },
    /// The other end of a connection has shown the certificate of one of [`Config::certified`], until it is closed.
    Proved { flow: Flow, trunk: String },
    /// A connection ended, or could not be opened (then `flow.connection` is 0).
    Closed { flow: Flow },
    /// Registrations remembered from before a restart (aor user, contact URI, flow, seconds left).
    Restore { user: String, binding: Binding },
    /// A phone is to fetch its configuration again; nothing happens when it is not registered.
    Resync { user: String },
    /// Where a trunk is that is known by name; no targets: nowhere but at its configured address.
    Located { trunk: String, targets: Vec<locate::Target> },
    /// A page of this flow's kind may speak for a phone by this name, until it is taken back. Nothing is lent beyond
    /// [`crate::lent::LENT_MAX`].
    Lend { name: String, account: Account },
    /// The name speaks for nobody any more, and what it registered is gone; calls go on.
    TakeBack { name: String },
    /// Another configuration: phones and trunks that vanished lose their bindings; dialogs go on.
    Configure(Box<Config>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    pub contact: String,
    pub flow: Flow,
    pub expires_s: u32,
    pub user_agent: Option<String>,
    /// RFC 5626: which device, and which of its flows; None for a phone that does not say.
    pub outbound: Option<Outbound>,
}

/// RFC 5626 §4.1, §4.2.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Outbound {
    /// `<urn:uuid:…>`, as written.
    pub instance: String,
    pub reg_id: u32,
}

#[derive(Debug, Clone)]
pub enum Output {
    /// UDP: send. A stream with `connection` 0: find or open a connection to `remote`, then send. A WebSocket message
    /// is sent whole.
    Send {
        flow: Flow,
        bytes: Bytes,
    },
    /// A stream whose borders are lost: what was sent before goes out, then the connection is closed, and that is told
    /// like any other end of it.
    Close {
        flow: Flow,
    },
    Event(Event),
}

#[derive(Debug, Clone)]
pub enum Event {
    /// A new INVITE, authenticated, 100 already sent.
    Invited {
        dialog: DialogId,
        invited: Invited,
    },
    /// Our INVITE was answered 101–199. Early dialogs of a fork are folded: the latest SDP counts.
    Progress {
        dialog: DialogId,
        status: u16,
        sdp: Option<Bytes>,
        /// RFC 5009: what is heard before the answer is meant to be heard.
        authorised: bool,
    },
    /// Our INVITE got its 2xx (ACK is sent by the endpoint; a delayed offer is not used by us).
    Answered {
        dialog: DialogId,
        sdp: Bytes,
    },
    /// Our INVITE failed: 3xx–6xx, or 408 and 503 made by ourselves. Last event of the dialog.
    Failed {
        dialog: DialogId,
        status: u16,
        why: Option<Release>,
    },
    /// The 200 to their INVITE was acknowledged; `sdp` when the ACK carried the answer to our (delayed) offer.
    Confirmed {
        dialog: DialogId,
        sdp: Option<Bytes>,
    },
    /// The PRACK of a progress that carried our (delayed) offer brought the answer to it.
    EarlyAnswered {
        dialog: DialogId,
        sdp: Bytes,
    },
    /// A re-INVITE or UPDATE with an offer (`None`: they ask for our offer). Answer with `accept` or `reject`.
    Reoffer {
        dialog: DialogId,
        sdp: Option<Bytes>,
    },
    /// A message within a recording session brought metadata (RFC 7865); a `Reoffer` follows where it had a description.
    Described {
        dialog: DialogId,
        metadata: Bytes,
    },
    /// Our re-INVITE was answered; `None` when it was refused and the old session stands.
    Reanswered {
        dialog: DialogId,
        sdp: Option<Bytes>,
    },
    /// REFER within a dialog: a transfer to `target` (the user part), or into the place that the asker has in its other
    /// dialog `replaces`. Answer with `refer_accept`/`refer_reject`.
    Referred {
        dialog: DialogId,
        target: String,
        replaces: Option<DialogId>,
    },
    /// The session's time must be renewed, and the peer takes no UPDATE: give `reinvite` the description that stands.
    RefreshDue {
        dialog: DialogId,
    },
    /// A key sent by SIP INFO (application/dtmf-relay).
    Digit {
        dialog: DialogId,
        digit: char,
    },
    /// BYE, CANCEL, or a dead peer. Last event of the dialog.
    Ended {
        dialog: DialogId,
        by: EndedBy,
        /// What their BYE or CANCEL says of it.
        why: Option<Release>,
    },
    Registered {
        user: String,
        binding: Binding,
    },
    Unregistered {
        user: String,
        contact: String,
    },
    TrunkState {
        trunk: String,
        up: bool,
    },
    /// For the counters: why a message was dropped or refused at the front door.
    Refused {
        cause: &'static str,
        status: Option<u16>,
    },
}

#[derive(Debug, Clone)]
pub struct Invited {
    pub source: Source,
    /// What carried the INVITE.
    pub transport: Transport,
    /// User part of the Request-URI, percent-decoded, without parameters.
    pub to: String,
    /// User part of From, and its display name; what a trusted trunk asserts instead. `anonymous` for who is not shown.
    pub from: String,
    pub from_name: Option<String>,
    /// The caller asked not to be shown.
    pub withheld: bool,
    /// What a trusted trunk says of the way that the call came.
    pub diverted: Option<Diverted>,
    /// None: a delayed offer.
    pub sdp: Option<Bytes>,
    /// The caller acknowledges progress (RFC 3262): an offer of ours may stand in it.
    pub reliable: bool,
    /// The dialog whose place the caller wants (RFC 3891); only ever of a phone.
    pub replaces: Option<DialogId>,
    /// It opens a recording session, and this is its metadata; only ever of one of [`Config::recording`].
    pub recording: Option<Bytes>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndedBy {
    /// They sent BYE or CANCEL.
    Peer,
    /// We asked for it.
    Us,
    /// No ACK, a dead connection, a session timer.
    Lost,
}

/// A call to make. Leg B is built from this alone (S-09).
#[derive(Debug, Clone)]
pub struct Invite {
    pub to: Target,
    pub from_user: String,
    pub from_name: Option<String>,
    pub sdp: Bytes,
    /// What a phone's browsers are offered instead: those of its bindings that are over WebSocket (RFC 7118).
    pub sdp_to_browsers: Option<Bytes>,
    pub emergency: Option<Emergency>,
    /// How long to wait for the first word of anybody; None: as long as RFC 3261 does (Timer B).
    pub patience: Option<std::time::Duration>,
    /// What a trunk is told of the caller beside From.
    pub shown: Shown,
    /// Opens a recording session (RFC 7866 §6.1) with this metadata.
    pub recording: Option<Bytes>,
}

/// How a call on a trunk says who calls.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shown {
    pub style: Style,
    /// RFC 3323: the called party is not to see it.
    pub withheld: bool,
    /// The number of ours that was called before the call went on to this trunk.
    pub diverted: Option<String>,
    /// Why it went on.
    pub diverted_for: DivertedFor,
    /// How often; once when nobody says.
    pub diverted_hops: u8,
    /// That goes into History-Info instead of Diversion.
    pub history: bool,
    /// RFC 5009: we ask for leave to pass early media on.
    pub early_media: bool,
    /// RFC 3892: the phone of ours that sends a caller on to another; told inside the house alone.
    pub referred_by: Option<String>,
}

/// Where the caller's number stands beside From.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Style {
    #[default]
    From,
    Asserted,
    Preferred,
    RemoteParty,
}

/// Another number was called before ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diverted {
    /// The first one: personal, unless it is one of ours.
    pub from: String,
    pub why: DivertedFor,
    /// How often it was sent on.
    pub hops: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DivertedFor {
    #[default]
    Always,
    Busy,
    NoAnswer,
    Unavailable,
    Deflection,
    Other,
}

/// What marks an emergency call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emergency {
    /// PIDF-LO (RFC 6442), sent beside the SDP; without it again when that is refused.
    pub location: Option<Bytes>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// All registered contacts of a phone ring; the first to answer has it, the others are cancelled.
    Phone(String),
    /// `user` at the trunk's peer.
    Trunk { trunk: String, user: String },
}
