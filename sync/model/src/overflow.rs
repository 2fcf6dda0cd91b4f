//! The signals of a call that another site helps with. They travel box to box through the cloud, which forwards them
//! and cannot hear: media keys are agreed between the boxes (DESIGN 10, S-92).

use serde::{Deserialize, Serialize};

use crate::{OverflowId, QueueId, SiteId, config::Locality};

/// One signal, from one site to another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    pub overflow: OverflowId,
    pub from: SiteId,
    pub to: SiteId,
    pub kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "signal", rename_all = "snake_case")]
pub enum Kind {
    /// Origin asks: can an agent of your queue take this caller?
    Offer {
        queue: QueueId,
        passport: Passport,
        key: PublicKey,
    },
    /// The helper rings an agent.
    Ringing,
    /// An agent answered; media may flow.
    Accept {
        key: PublicKey,
    },
    Refuse {
        reason: Refusal,
    },
    /// Either side ends it; the origin ends when the caller left.
    End,
}

/// What may leave, who may hear, who may record; checked at both ends (N-11).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Passport {
    pub locality: Locality,
    /// May the helping agent see the caller's number? The number itself travels only then, inside the sealed media path.
    pub show_number: bool,
    /// May the helping site record? The origin always does when its queue is recorded.
    pub may_record: bool,
    /// Hops already taken; a helper never passes a call on.
    pub hops: u8,
}

/// An ephemeral X25519 public key, signed with the box's device key. All in hex.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PublicKey {
    pub key: String,
    pub signature: String,
    /// The device certificate (DER) that the signature verifies under.
    pub certificate: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    NoAgentReady,
    NotAllowed,
    UnknownQueue,
    BadKey,
    Overload,
    NotLinked,
}
