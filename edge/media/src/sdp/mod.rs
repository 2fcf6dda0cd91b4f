//! SDP for one audio stream (RFC 4566, RFC 3264): read strictly and within limits, written from scratch. A lying SDP
//! never makes us send where policy forbids: targets are checked here, once.

mod protect;
mod read;
mod streams;
mod write;

use std::net::{IpAddr, SocketAddr};

pub use protect::{CRYPTOS_MAX, Credentials, Crypto, Profile, Setup, Shown};
pub use read::{Session, parse};
pub use streams::{Ours as OurStream, Stream, merge, split};
pub use write::{Ours, answer, offer};

use crate::plane::{Codec, Remote, Security};

/// Longest body, in bytes.
pub const BYTES_MAX: usize = 16 * 1024;
/// Most lines of one body.
pub const LINES_MAX: usize = 400;
/// Most media lines of one body.
pub const MEDIA_MAX: usize = 8;
/// What is chosen of an offer and offered where nothing else is said: what needs no decoding between any two of us first.
pub const PREFERRED: [Codec; 4] = [Codec::Pcma, Codec::Pcmu, Codec::G722, Codec::Opus];
/// Our payload type for telephone-event when we offer it.
pub const TELEPHONE_EVENT: u8 = 101;

/// What the stream may do, seen from who wrote it (RFC 3264 §5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    SendRecv,
    SendOnly,
    RecvOnly,
    Inactive,
}

impl Direction {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Direction::SendRecv => "sendrecv",
            Direction::SendOnly => "sendonly",
            Direction::RecvOnly => "recvonly",
            Direction::Inactive => "inactive",
        }
    }
}

/// Why a body is refused. Each is the peer's fault and becomes a 488 (or a 400 where it is not SDP at all).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("an SDP body has at most {BYTES_MAX} bytes and {LINES_MAX} lines of text")]
    TooLarge,
    #[error("line {line} is not SDP")]
    Syntax { line: usize },
    #[error("no audio stream is offered")]
    NoAudio,
    #[error("the audio stream has no codec of ours (G.711 A-law, µ-law, G.722, Opus)")]
    NoCommonCodec,
    #[error("the audio stream has no connection address")]
    NoAddress,
    #[error("audio may not be sent to {0}")]
    ForbiddenTarget(IpAddr),
    #[error("this profile of RTP is not spoken here")]
    Profile,
}

/// One side's wish for the audio stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audio {
    pub direction: Direction,
    pub profile: Profile,
    /// The key lines that can be used, in their order.
    pub cryptos: Vec<Crypto>,
    /// Reports may share the port (RFC 5761).
    pub mux: bool,
    /// How they sound to us is asked for (RFC 3611 §5.1).
    pub(crate) wants_xr: bool,
    /// Of a profile whose keys come of a handshake; None when it is not whole.
    pub shown: Option<Shown>,
    /// The line's name, when it is in a bundle (RFC 9143).
    pub(crate) bundled: Option<String>,
    /// None: on hold by the old spelling (`c=0.0.0.0`), or the port is 0.
    pub(crate) addr: Option<SocketAddr>,
    /// The first codec of theirs that we speak.
    pub(crate) codec: Codec,
    /// Its number in their description.
    pub(crate) payload_type: u8,
    pub(crate) telephone_event: Option<u8>,
    /// Where the audio stands among the media lines, and the others as they must be repeated (port 0).
    pub(crate) index: usize,
    pub(crate) others: Vec<String>,
}

impl Audio {
    /// Where to send and how; None while they are on hold without an address. What protects it is for the caller to
    /// say: only it knows what was agreed.
    pub fn remote(&self, learn: bool, mux: bool, security: Security) -> Option<Remote> {
        // With ICE the party is where its checks come from.
        let nowhere = SocketAddr::new(std::net::Ipv4Addr::UNSPECIFIED.into(), 9);
        let addr = if self.has_ice() { nowhere } else { self.addr? };
        Some(Remote {
            addr,
            codec: self.codec,
            payload: None,
            telephone_event: self.telephone_event,
            learn,
            mux,
            wants_xr: self.wants_xr,
            security,
        })
    }

    pub fn has_ice(&self) -> bool {
        self.profile.is_handshake() && self.shown.as_ref().is_some_and(|shown| shown.ice.is_some())
    }

    /// The line's name, when it is in a bundle.
    pub fn bundle(&self) -> Option<&str> {
        self.bundled.as_deref()
    }

    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// Its number in their description: what they want to receive it as (RFC 3264 §5.1).
    pub fn payload_type(&self) -> u8 {
        self.payload_type
    }
}

/// S-14: what may never be a media target. Loopback is allowed only on boxes that listen on loopback themselves,
/// which the owner of the socket decides; here it is what no unicast stream can ever mean.
pub(crate) fn forbidden(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_multicast() || v4.is_broadcast() || v4.is_link_local(),
        IpAddr::V6(v6) => {
            v6.is_multicast() || v6.to_ipv4_mapped().is_some_and(|v4| forbidden(IpAddr::V4(v4)) || v4.is_unspecified())
        }
    }
}

#[cfg(test)]
mod tests;
