//! The effective configuration of one site: what the resolver makes of the three documents, and what the engines run.
//!
//! No secrets and no names of people: credentials live on the box alone.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    AgentId, DispositionId, Extension, FlowId, HoursId, Number, PauseId, PlaceId, PromptId, QueueId, SiteId, SkillId,
    TrunkId,
    alert::Alerts,
    callback::Callback,
    carrier::Carrier,
    dialling::{Dialling, Place, Spelling},
    disposition::Dispositions,
    flow::Flow,
    forward::Forward,
    recording::{Directions, Recording},
    routing::Routing,
};

/// Everything a box needs to know to run its branch.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Config {
    pub site: Site,
    pub queues: BTreeMap<QueueId, Queue>,
    pub agents: BTreeMap<AgentId, Agent>,
    pub phones: BTreeMap<Extension, Phone>,
    pub trunks: BTreeMap<TrunkId, Trunk>,
    /// Which flow answers a public number.
    pub numbers: BTreeMap<Number, FlowId>,
    pub flows: BTreeMap<FlowId, Flow>,
    pub hours: BTreeMap<HoursId, Hours>,
    #[serde(default)]
    pub places: BTreeMap<PlaceId, Place>,
}

#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Site {
    pub id: SiteId,
    /// Shown to people; at most 60 characters.
    pub label: String,
    /// IANA name, `Asia/Shanghai`.
    pub time_zone: String,
    /// Exact digit strings that are emergency calls here (`110`, `112`).
    pub emergency: BTreeSet<Number>,
    /// The trunk that carries emergency and other outward calls.
    pub outward: Option<TrunkId>,
    #[serde(default)]
    pub dialling: Dialling,
    /// No queue takes new contacts, by somebody's hand.
    #[serde(default)]
    pub closed: bool,
    /// Why an agent may be not ready, as people read it, at most 60 characters each. Where there are any, one must be
    /// named.
    #[serde(default)]
    pub pauses: BTreeMap<PauseId, String>,
    /// What may have come of a contact, as people read it, at most 60 characters each.
    #[serde(default)]
    pub dispositions: BTreeMap<DispositionId, String>,
    /// Of calls that belong to no queue.
    #[serde(default)]
    pub recording: Directions,
}

#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Queue {
    /// Shown to people; at most 60 characters.
    pub label: String,
    /// An agent must have every one of these at this level or above (1 to 10).
    pub skills: BTreeMap<SkillId, u8>,
    pub music: PromptId,
    /// Seconds between announcements of the position; 0 for none.
    pub position_every_s: u32,
    /// How long an agent's phone rings before the next is tried, in seconds.
    pub ring_s: u32,
    pub wrap_up_s: u32,
    /// T of the service level (NORMS 4), in seconds.
    pub service_level_s: u32,
    pub hours: Option<HoursId>,
    pub recorded: bool,
    /// Where it is recorded.
    #[serde(default)]
    pub recording: Recording,
    /// Takes no new contacts, by somebody's hand; who waits goes on waiting.
    #[serde(default)]
    pub closed: bool,
    pub overflow: Overflow,
    #[serde(default)]
    pub routing: Routing,
    #[serde(default)]
    pub callback: Callback,
    #[serde(default)]
    pub dispositions: Dispositions,
    #[serde(default)]
    pub alerts: Alerts,
}

/// When and where a waiting contact may be helped by others.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Overflow {
    pub locality: Locality,
    /// Seconds without a ready agent before the next tier is eligible.
    pub after_s: u32,
    /// Sites that may help, in order.
    pub to: Vec<SiteId>,
}

/// The label of a queue's calls. The default is the strict one.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Locality {
    #[default]
    LocalOnly,
    MayLeave,
}

#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Agent {
    /// A badge, not a name; at most 60 characters.
    pub badge: String,
    pub phone: Option<Extension>,
    /// Level 1 to 10.
    pub skills: BTreeMap<SkillId, u8>,
    pub queues: BTreeSet<QueueId>,
}

#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct Phone {
    /// Shown to people; at most 60 characters.
    pub label: String,
    /// A public number of its own: shown when it calls out, and whoever calls it rings this phone. An emergency centre
    /// that calls back reaches who called.
    #[serde(default)]
    pub number: Option<Number>,
    #[serde(default)]
    pub place: Option<PlaceId>,
    #[serde(default)]
    pub protection: Protection,
    #[serde(default)]
    pub forward: Forward,
}

/// What a party's audio must have at least. A call that cannot have it is refused, and a call that had it never goes on
/// without (S-25).
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Protection {
    /// Nothing; it is not offered.
    Clear,
    /// SRTP with whom it can be agreed on in private, in clear with others.
    #[default]
    Preferred,
    /// SRTP, agreed on in private: over TLS, or by a handshake of the media's own.
    Required,
    /// SRTP; its keys may also go in signalling that others can read: for a peer without TLS, on a wire of its own.
    RequiredOpenly,
}

#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trunk {
    pub label: String,
    pub kind: TrunkKind,
    /// Calls at once, both ways together.
    pub calls_max: u32,
    /// The carrier's media may come from behind a NAT: learn its address once.
    pub behind_nat: bool,
    #[serde(default)]
    pub spelling: Spelling,
    #[serde(default)]
    pub protection: Protection,
    #[serde(default)]
    pub carrier: Box<Carrier>,
}

#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum TrunkKind {
    /// The peer is known by its address; calls go to `peer`.
    Address {
        #[cfg_attr(feature = "schema", schema(value_type = String))]
        peer: std::net::SocketAddr,
        transport: SipTransport,
    },
    /// We register with the peer as `user`; the password is kept on the box under the trunk's id.
    Registration {
        #[cfg_attr(feature = "schema", schema(value_type = String))]
        peer: std::net::SocketAddr,
        transport: SipTransport,
        user: String,
        domain: String,
        expires_s: u32,
    },
}

#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SipTransport {
    Udp,
    Tcp,
    /// Whom the peer's certificate must name is in `box.toml`.
    Tls,
}

/// Opening hours in the site's own time zone.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hours {
    pub label: String,
    pub week: Vec<Span>,
    /// Days that are closed whatever the week says, `2026-12-25`.
    pub closed: BTreeSet<String>,
}

/// A span of minutes within a week: day 0 is Monday, `from` < `to` ≤ 1440.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    pub day: u8,
    pub from_min: u16,
    pub to_min: u16,
}
