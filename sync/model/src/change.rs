//! Typed edits of the configuration documents. A console, a desk and a command line all write with these, one field
//! at a time, so that two people who edit different fields while apart both keep their work.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    AgentId, DispositionId, Extension, FlowId, HoursId, Millis, Number, PauseId, PlaceId, PromptId, QueueId, SiteId,
    SkillId, StepId, TrunkId,
    alert::Alerts,
    callback::Callback,
    config::{Agent, Hours, Locality, Phone, Protection, Queue, Span, Trunk},
    dialling::{Dialling, Place},
    disposition::Dispositions,
    drill::Drill,
    flow::{Fault, Flow},
    forward::Forward,
    recording::{Directions, Recording},
    routing::Routing,
};

/// Which of a site's three documents.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Doc {
    /// The organisation's: floors and templates. Written by the cloud.
    Org,
    /// The site as the centre planned it. Written by the cloud.
    Site,
    /// What branch and centre adjust day by day, also while apart.
    Local,
}

/// One edit. JSON: `{"set":"queue_wrap_up","queue":"sales","seconds":20}`. Putting a flow publishes it: the next call
/// follows it, and the version that was replaced at a time can be rolled back to. A drill of None is called off, or ends.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "set", rename_all = "snake_case")]
pub enum Change {
    SiteLabel { label: String },
    SiteTimeZone { time_zone: String },
    SiteEmergency { numbers: BTreeSet<Number> },
    SiteOutward { trunk: Option<TrunkId> },
    SiteDialling { dialling: Box<Dialling> },
    SiteClosed { closed: bool },
    SiteRecording { recording: Directions },
    SiteDrill { drill: Option<Drill> },
    PausePut { pause: PauseId, label: String },
    PauseRemove { pause: PauseId },
    DispositionPut { disposition: DispositionId, label: String },
    DispositionRemove { disposition: DispositionId },
    PlacePut { place: PlaceId, value: Box<Place> },
    PlaceRemove { place: PlaceId },

    QueueAdd { queue: QueueId, value: Box<Queue> },
    QueueRemove { queue: QueueId },
    QueueLabel { queue: QueueId, label: String },
    QueueSkill { queue: QueueId, skill: SkillId, level: Option<u8> },
    QueueMusic { queue: QueueId, prompt: PromptId },
    QueuePositionEvery { queue: QueueId, seconds: u32 },
    QueueRing { queue: QueueId, seconds: u32 },
    QueueWrapUp { queue: QueueId, seconds: u32 },
    QueueServiceLevel { queue: QueueId, seconds: u32 },
    QueueHours { queue: QueueId, hours: Option<HoursId> },
    QueueRecorded { queue: QueueId, recorded: bool },
    QueueRecording { queue: QueueId, recording: Recording },
    QueueClosed { queue: QueueId, closed: bool },
    QueueLocality { queue: QueueId, locality: Locality },
    QueueOverflowAfter { queue: QueueId, seconds: u32 },
    QueueOverflowTo { queue: QueueId, to: Vec<SiteId> },
    QueueRouting { queue: QueueId, routing: Box<Routing> },
    QueueCallback { queue: QueueId, callback: Callback },
    QueueDispositions { queue: QueueId, dispositions: Dispositions },
    QueueAlerts { queue: QueueId, alerts: Alerts },

    AgentAdd { agent: AgentId, value: Agent },
    AgentRemove { agent: AgentId },
    AgentBadge { agent: AgentId, badge: String },
    AgentPhone { agent: AgentId, phone: Option<Extension> },
    AgentSkill { agent: AgentId, skill: SkillId, level: Option<u8> },
    AgentQueue { agent: AgentId, queue: QueueId, member: bool },

    PhoneAdd { phone: Extension, value: Phone },
    PhoneRemove { phone: Extension },
    PhoneNumber { phone: Extension, number: Option<Number> },
    PhonePlace { phone: Extension, place: Option<PlaceId> },
    PhoneProtection { phone: Extension, protection: Protection },
    PhoneForward { phone: Extension, forward: Forward },

    TrunkPut { trunk: TrunkId, value: Trunk },
    TrunkRemove { trunk: TrunkId },
    NumberPut { number: Number, flow: FlowId },
    NumberRemove { number: Number },
    FlowPut { flow: FlowId, value: Flow },
    FlowRollBack { flow: FlowId, replaced: Millis },
    FlowRemove { flow: FlowId },

    HoursAdd { hours: HoursId, value: Hours },
    HoursRemove { hours: HoursId },
    HoursWeek { hours: HoursId, week: Vec<Span> },
    HoursClosed { hours: HoursId, day: String, closed: bool },
}

/// What the resolver had to say about the merged documents. `path` is `queues/sales/hours`.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Finding {
    pub severity: Severity,
    pub path: String,
    pub problem: Problem,
}

#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Repaired in the same way on every replica; runs on.
    Repaired,
    /// Runs, but somebody should look.
    Warning,
    /// A configuration with this never activates: the last good one runs on.
    Fatal,
}

/// A closed list, so that every page can say it in the reader's language.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Problem {
    /// Points at something that is not there.
    Dangling {
        to: String,
    },
    /// Two agents share a phone; the one with the smaller id keeps it.
    PhoneShared {
        kept_by: AgentId,
    },
    /// Not of the expected type; ignored.
    WrongType,
    /// Outside its bounds; clamped.
    OutOfBounds {
        min: i64,
        max: i64,
        used: i64,
    },
    TooLong {
        max: u32,
    },
    /// Both sides wrote while apart; this value was kept, those were not.
    Concurrent {
        kept: String,
        dropped: BTreeSet<String>,
    },
    /// The document's writer may not write here; ignored.
    NotYours,
    /// A fault of a flow, and by which steps one comes to it from the start.
    Flow {
        #[serde(flatten)]
        fault: Fault,
        road: Vec<StepId>,
    },
    /// A queue that no agent can serve.
    NobodyServes,
    Missing,
    /// A trunk group without a member that takes calls: none at all, or each weighs nothing.
    EmptyGroup,
    /// A number that may be shown, but calls to it do not come to this site.
    NotOurs {
        number: Number,
    },
    /// A codec that the box does not speak; passed over.
    UnknownCodec {
        name: String,
    },
    /// The law of this country wants the caller seen, and the trunk lets it be withheld.
    MustBeSeen,
    /// Overflow goes back to the site itself or to one that is listed twice.
    OverflowLoop,
}

/// Counts a page shows beside a configuration.
pub type FindingCounts = BTreeMap<Severity, u32>;
