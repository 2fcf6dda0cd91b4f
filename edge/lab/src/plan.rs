//! What is tested and from where: the target, our own addresses, the account, and how patient to be.

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sip::uri::Uri;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Phone,
    Gateway,
    Trunk,
}

impl Kind {
    pub fn word(self) -> &'static str {
        match self {
            Kind::Phone => "phone",
            Kind::Gateway => "gateway",
            Kind::Trunk => "trunk",
        }
    }
}

/// One connection to the target. UDP is always there; streams are opened by the probes that need them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Link {
    Udp,
    Tcp,
    Tls,
}

impl Link {
    /// As Via spells it (RFC 3261 §18.1.1).
    pub fn word(self) -> &'static str {
        match self {
            Link::Udp => "UDP",
            Link::Tcp => "TCP",
            Link::Tls => "TLS",
        }
    }
}

/// Our sockets for audio. Two ports, so that one can move to the other in the middle of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Socket {
    Rtp,
    Second,
}

#[derive(Clone)]
pub struct Account {
    pub user: String,
    pub password: String,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Account(..)")
    }
}

/// How a phone registered at the lab itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Registered {
    /// It proved its password with SHA-256; else with MD5, after it had failed at the other.
    pub sha256: bool,
    /// How long it wants to be registered, in seconds.
    pub expires_s: u32,
    /// Its Contact names the address that it spoke from.
    pub contact_fits: bool,
}

#[derive(Debug, Clone)]
pub struct Plan {
    pub kind: Kind,
    /// Whom requests outside of calls are for.
    pub target: Uri,
    /// Where they go.
    pub address: SocketAddr,
    /// Where TLS is listened for; RFC 3261 §19.1.2: 5061 unless the integrator knows better.
    pub tls_address: SocketAddr,
    /// Whom calls are for; None when no call may be made.
    pub call: Option<Uri>,
    pub account: Option<Account>,
    /// The phone registered at the lab; None: elsewhere, or not at all.
    pub registered: Option<Registered>,
    /// The user part we appear as without an account.
    pub caller: String,
    /// Our UDP address as written into Via and Contact.
    pub local: SocketAddr,
    pub rtp: SocketAddr,
    pub second_rtp: SocketAddr,
    /// How long a phone may ring.
    pub answer: Duration,
    /// How long to wait for keys somebody presses on the device; None: nobody will.
    pub keys: Option<Duration>,
    /// Probe ids, or none for all that suit the kind.
    pub only: Vec<String>,
    /// Randomness for tags and branches.
    pub seed: [u8; 32],
}

impl Plan {
    /// The domain of our own and the target's addresses-of-record.
    pub fn domain(&self) -> String {
        self.target.host().map_or_else(|| self.address.ip().to_string(), ToString::to_string)
    }

    pub fn address_of(&self, link: Link) -> SocketAddr {
        if link == Link::Tls { self.tls_address } else { self.address }
    }

    pub fn media(&self, socket: Socket) -> SocketAddr {
        match socket {
            Socket::Rtp => self.rtp,
            Socket::Second => self.second_rtp,
        }
    }
}
