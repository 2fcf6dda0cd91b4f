//! The boundary between the two planes: what *calls* tells *media*, and what *media* reports. These enums travel over
//! one bounded Unix socket as length-prefixed JSON and nowhere else; they are this crate's only serialised types.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::{dtls::Fingerprint, quality, srtp::Keys};

mod sound;

pub use sound::{Sound, Speech, Tone};

/// One RTP socket pair's worth of a call, chosen by *calls*; unique for the life of that process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PortId(pub u64);

/// One playing of a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PlayId(pub u64);

/// Several ports that hear one another; chosen by *calls* like a port's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MixId(pub u64);

/// Whom a port of a mix hears: none but these, and of them only who is in the mix too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seat {
    pub port: PortId,
    pub hears: Vec<PortId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Codec {
    Pcmu,
    Pcma,
    G722,
    Opus,
}

/// Longest [`Command::Will`], in bytes: a dialog with the longest route, two descriptions and a contact are 8 KB.
pub const WILL_BYTES_MAX: usize = 24 * 1024;

/// What *calls* asks for. Every `Open` is answered by `Opened` or `Failed`; the others only when they go wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Command {
    /// The calls process began a new life: ports of an earlier life are kept while audio flows and released when
    /// either side has sent none for 10 s. Each that has a will is told by `Left`, and `LeftAll` follows.
    Hello {
        generation: u64,
    },
    /// What the next life of *calls* must know to take over the leg of this port; it means nothing here, and replaces
    /// what was there. Empty: there is nothing to take over.
    Will {
        port: PortId,
        will: String,
    },
    /// A port that was left is this life's from here on.
    Adopt {
        port: PortId,
    },
    /// Reserve a socket. `loopback` opens it on 127.0.0.1 for a leg that another process of this box carries.
    Open {
        port: PortId,
        loopback: bool,
    },
    /// The other end is known (or changed).
    Connect {
        port: PortId,
        remote: Remote,
    },
    /// Stop sending to this port's remote (we were put on hold) or start again.
    Mute {
        port: PortId,
        muted: bool,
    },
    /// Join two ports' audio, both ways. A port is in one join at most: a new one replaces the old.
    Join {
        a: PortId,
        b: PortId,
    },
    Part {
        port: PortId,
    },
    /// Says anew who hears whom among several ports; none of them is in a join or in another mix from here on. Without
    /// seats the mix is over. A recording of a port in a mix has what the port's party hears as `Side::Agent`.
    Mix {
        mix: MixId,
        seats: Vec<Seat>,
    },
    /// Play sounds in order to this port's remote. `again` starts over at the end, until stopped.
    Play {
        port: PortId,
        play: PlayId,
        sounds: Vec<Sound>,
        again: bool,
    },
    Stop {
        port: PortId,
    },
    /// Send an RFC 4733 event.
    Digit {
        port: PortId,
        digit: char,
        ms: u16,
    },
    /// Begin a recording: what the port receives is `Side::Caller`, what its joined peer receives is `Side::Agent`.
    Record {
        recording: String,
        port: PortId,
    },
    /// The same as packets: the caller's side leaves by one port, the agent's by the other, as far as they may send. Ends
    /// and pauses as a recording does, by its name.
    Copy {
        recording: String,
        port: PortId,
        caller: PortId,
        agent: PortId,
    },
    RecordEnd {
        recording: String,
    },
    /// Nothing is recorded meanwhile; the gap keeps its length.
    RecordPause {
        recording: String,
        paused: bool,
    },
    /// Card mode: nothing of this port's keypresses reaches the other side or a recording, as event or as sound. They
    /// are reported all the same.
    Shield {
        port: PortId,
        shielded: bool,
    },
    Close {
        port: PortId,
    },
}

impl Command {
    /// The port that it is about, where it is one.
    pub fn port(&self) -> Option<PortId> {
        match self {
            Command::Will { port, .. }
            | Command::Adopt { port }
            | Command::Open { port, .. }
            | Command::Connect { port, .. }
            | Command::Mute { port, .. }
            | Command::Part { port }
            | Command::Play { port, .. }
            | Command::Stop { port }
            | Command::Digit { port, .. }
            | Command::Record { port, .. }
            | Command::Copy { port, .. }
            | Command::Shield { port, .. }
            | Command::Close { port } => Some(*port),
            Command::Hello { .. }
            | Command::Join { .. }
            | Command::Mix { .. }
            | Command::RecordEnd { .. }
            | Command::RecordPause { .. } => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remote {
    pub addr: SocketAddr,
    pub codec: Codec,
    /// As what the codec's packets go to the remote and come from it, where its number is no fixed one.
    #[serde(default)]
    pub payload: Option<Payload>,
    /// Payload type of RFC 4733 telephone-event at 8000 Hz that the remote asked for.
    pub telephone_event: Option<u8>,
    /// Declared behind NAT: send to where its first valid packet came from, learnt once (S-20).
    pub learn: bool,
    /// Reports share the port with audio (RFC 5761).
    #[serde(default)]
    pub mux: bool,
    /// The remote asks how it sounds to us (RFC 3611).
    #[serde(default)]
    pub wants_xr: bool,
    #[serde(default)]
    pub security: Security,
}

impl Remote {
    /// Without protection, at an address that is known.
    pub fn clear(addr: SocketAddr, codec: Codec, telephone_event: Option<u8>) -> Self {
        Self {
            addr,
            codec,
            payload: None,
            telephone_event,
            learn: false,
            mux: false,
            wants_xr: false,
            security: Security::Clear,
        }
    }
}

/// RTP payload types of one codec, each as its receiver asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    pub sent: u8,
    pub received: u8,
}

/// What protects a port's packets, both ways. What it protects never goes or is taken in clear.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Security {
    #[default]
    Clear,
    /// SRTP under keys that signalling agreed on (RFC 4568).
    Keys(Box<Keys>),
    /// SRTP under keys of a DTLS handshake (RFC 5763).
    Handshake(Box<Handshake>),
}

/// Who the party must prove to be, and how it is found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handshake {
    /// Of the certificate that it must show.
    pub fingerprint: Fingerprint,
    /// We begin.
    pub active: bool,
    /// None: it is where the remote says.
    pub ice: Option<Ice>,
}

/// Our end of ICE-lite (RFC 8445 §2.5): what a party's checks must be signed with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ice {
    /// `ours:theirs`.
    pub user: String,
    pub password: String,
}

impl std::fmt::Debug for Ice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ice({})", self.user)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    Caller,
    Agent,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// First message on a connection.
    Ready {
        ports_open: u32,
        /// Of the certificate that this process shows in handshakes; None: it can make none.
        #[serde(default)]
        fingerprint: Option<Fingerprint>,
    },
    /// An earlier life of *calls* left this port.
    Left {
        port: PortId,
        local: SocketAddr,
        will: String,
    },
    /// No more was left.
    LeftAll,
    Opened {
        port: PortId,
        local: SocketAddr,
    },
    Failed {
        port: PortId,
        why: Failure,
    },
    /// The last prompt has been sent to its end.
    Played {
        port: PortId,
        play: PlayId,
    },
    /// A whole keypress arrived (once per RFC 4733 event).
    Digit {
        port: PortId,
        digit: char,
    },
    /// Nothing arrived on a connected port for 15 s, or it does again.
    Silent {
        port: PortId,
        silent: bool,
    },
    Recording {
        recording: String,
        state: RecordingState,
    },
    /// How a connected port's call sounds, every five seconds.
    Quality {
        port: PortId,
        quality: Quality,
    },
    /// A port whose keys come of a handshake has none, and will not: nothing is heard on it.
    Unkeyed {
        port: PortId,
        why: Unkeyed,
    },
    /// When a port closes.
    Stats {
        port: PortId,
        stats: Stats,
    },
}

/// Why a handshake (RFC 5763) came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unkeyed {
    /// This process has no certificate to show.
    NoCertificate,
    /// The party was found and did not answer.
    Silent,
    /// It showed another certificate than its signalling named: somebody stands between, or its signalling is wrong.
    AnotherCertificate,
    /// It broke the protocol, ended it, or knows no protection of ours.
    Refused,
}

/// Five seconds of one leg, as its party sends them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quality {
    pub flow: Flow,
    /// Packets that did not arrive, of a thousand.
    pub lost_permille: u16,
    pub jitter_ms: u16,
    /// From the party's reports; None while it sends none.
    pub round_trip_ms: Option<u16>,
    /// What the party says it lost of our packets, of a thousand.
    pub told_lost_permille: Option<u16>,
    /// R of what the party hears: its own word (RFC 3611), or computed from its report; None while it sends none.
    #[serde(default)]
    pub told_rating: Option<u16>,
    /// R of ITU-T G.107, 0 to 93; below 70 it is to be alarmed.
    pub rating: u16,
    /// MOS in hundredths, 100 to 441.
    pub opinion_hundredths: u16,
}

impl Quality {
    /// R at the end that hears worse.
    pub fn rating_at_worst(&self) -> u16 {
        self.told_rating.map_or(self.rating, |told| told.min(self.rating))
    }

    /// The opinion of who hears worse, in hundredths.
    pub fn opinion_at_worst(&self) -> u16 {
        let told = self.told_rating.map(|rating| quality::opinion(f64::from(rating)) * 100.0);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let told = told.map(|opinion| opinion.round().clamp(100.0, 450.0) as u16);
        told.map_or(self.opinion_hundredths, |told| told.min(self.opinion_hundredths))
    }
}

/// Which way audio flows on a connected port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flow {
    Both,
    /// The party sends nothing, or it is lost on the way.
    NothingArrives,
    /// Packets come from another address than the SDP names: a NAT that is not declared, or an attack.
    FromElsewhere,
    /// The party reports that nothing of ours arrives.
    NothingIsHeard,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum RecordingState {
    Started,
    /// The trailer is on disk.
    Sealed {
        chunks: u32,
        frames: u64,
        sha256: String,
        ms: u64,
    },
    Failed {
        why: Failure,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    #[error("no free RTP port in the configured range")]
    NoPort,
    #[error("no such port")]
    UnknownPort,
    #[error("no such prompt, or it is neither a WAV nor an Ogg Opus file that can be played")]
    Prompt,
    #[error("the recording store cannot be written")]
    Disk,
    #[error("the recording key cannot be used")]
    Key,
    #[error("a limit of the media process was reached")]
    Limit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Stats {
    pub received: u64,
    pub sent: u64,
    /// By sequence numbers (RFC 3550 A.3).
    pub lost: u64,
    /// Interarrival jitter in microseconds (RFC 3550 A.8).
    pub jitter_us: u32,
    /// Packets from a source that is not this leg's.
    pub foreign: u64,
    /// Packets that were to be protected and did not prove themselves: forged, damaged, or sent twice.
    #[serde(default)]
    pub unproven: u64,
}
