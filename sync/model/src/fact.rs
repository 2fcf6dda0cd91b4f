//! What happened, written once. Everything else (CDR, wallboard, metrics, audit) is a fold of these.
//!
//! No personal datum in a fact: a caller's number is kept beside the chain, under a key of its own.

use serde::{Deserialize, Serialize};

use crate::{
    AgentId, ContactId, Extension, FlowId, Millis, NoticeId, Number, OverflowId, PlaceId, QueueId, RecordingId, SiteId,
    StepId, TrunkId,
    cdr::{Released, Sound, Unkeyed},
    leaving::What,
    routing::Decision,
};

/// One fact. `seq` is given by the ledger, gapless from 1 within an epoch; 0 until then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    pub seq: u64,
    pub at: Millis,
    pub contact: Option<ContactId>,
    pub kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Kind {
    // A contact's road, in order.
    /// `number` is our own number that was called, never the caller's.
    Arrived {
        trunk: Option<TrunkId>,
        number: Option<Number>,
    },
    /// An agent or phone calls out or calls a colleague. `phone` is None for a device that proved nothing and calls for
    /// help.
    Dialled {
        phone: Option<Extension>,
        /// Whose phone it was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agent: Option<AgentId>,
        trunk: Option<TrunkId>,
        emergency: bool,
    },
    /// A call to this phone goes on elsewhere by its own forward; over a trunk, and then at its own cost, or inside.
    Forwarded {
        phone: Extension,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agent: Option<AgentId>,
        why: DivertedFor,
        trunk: Option<TrunkId>,
    },
    /// The call out was not let go.
    OutwardRefused {
        phone: Extension,
        why: OutwardRefusal,
    },
    /// One more minute of a call out, paid before it begins. In hundredths of the currency.
    Charged {
        phone: Extension,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agent: Option<AgentId>,
        cents: u32,
    },
    /// The trunk did not take the call; it goes out on another one.
    TrunkTried {
        trunk: TrunkId,
    },
    FlowEntered {
        flow: FlowId,
        step: StepId,
    },
    /// Another system was asked, and this is why it said nothing of use; None: it did.
    LookedUp {
        flow: FlowId,
        step: StepId,
        failed: Option<LookUpFailed>,
    },
    /// What the caller thinks of us, from 1 to `best`.
    Marked {
        flow: FlowId,
        step: StepId,
        mark: u8,
        best: u8,
    },
    Queued {
        queue: QueueId,
    },
    Offered {
        agent: AgentId,
        /// Why this agent; the configuration in force is that of the last `ConfigActivated` before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        decision: Option<Box<Decision>>,
    },
    OfferEnded {
        agent: AgentId,
        outcome: OfferOutcome,
    },
    /// Talking to a person. `agent` is set when that person sits at this site.
    Answered {
        agent: Option<AgentId>,
    },
    Held,
    Resumed,
    /// Given to somebody else, who talks to the caller from here on; `Answered` says who.
    Transferred {
        how: Transfer,
    },
    /// Whom it was to be given to did not take it.
    TransferFailed,
    RecordingStarted {
        recording: RecordingId,
    },
    RecordingSealed {
        recording: RecordingId,
        chunks: u32,
        frames: u64,
        sha256: String,
    },
    /// This contact should have been recorded and was not, or not wholly.
    RecordingMissing {
        reason: RecordingMissing,
    },
    OverflowOffered {
        overflow: OverflowId,
        site: SiteId,
    },
    OverflowAnswered {
        overflow: OverflowId,
        site: SiteId,
    },
    /// Back in the own queue with the original queue time.
    OverflowReturned {
        overflow: OverflowId,
        reason: OverflowReturn,
    },
    /// At the helping site: a call of another site's caller was taken in.
    HelpGiven {
        overflow: OverflowId,
        site: SiteId,
        agent: AgentId,
    },
    /// A card is keyed in: the agent hears none of it, and the recording pauses.
    CardModeBegan,
    CardModeEnded {
        why: CardModeEnd,
    },
    /// A supervisor is on the talk, and is heard as `how` says; told again when that changes.
    Monitored {
        by: AgentId,
        how: Monitoring,
    },
    MonitoringEnded {
        by: AgentId,
    },
    /// The agent talks to somebody else while the caller waits. `agent` is set when that person sits at this site.
    Consulted {
        agent: Option<AgentId>,
    },
    /// Whom the agent consulted hears the caller too, and is heard.
    Conferred {
        agent: Option<AgentId>,
    },
    ConferenceLeft {
        agent: Option<AgentId>,
    },
    /// How it sounded, told before the end.
    Sounded {
        sound: Sound,
    },
    /// Another number was called before ours. `from` only when that is one of ours too.
    Diverted {
        from: Option<Number>,
        why: DivertedFor,
        hops: u8,
    },
    /// The audio of one of its legs was to be protected by a handshake, and could not be.
    Unkeyed {
        why: Unkeyed,
    },
    /// What a trunk said of the end of its part.
    Released {
        released: Released,
    },
    Ended {
        cause: EndCause,
    },

    // The agents.
    AgentState {
        agent: AgentId,
        state: AgentState,
    },
    /// `contact` says which visit the wrap-up belongs to.
    WrapUpStarted {
        agent: AgentId,
    },
    WrapUpEnded {
        agent: AgentId,
    },

    // What people must see.
    Noticed {
        notice: NoticeId,
        what: What,
        place: Option<PlaceId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trunk: Option<TrunkId>,
    },
    /// Somebody at a desk has seen it.
    NoticeSeen {
        notice: NoticeId,
        by: AgentId,
    },

    // The box.
    Started {
        process: Process,
        version: String,
    },
    /// Somebody opened a recording, all of it or a part.
    Listened {
        by: AgentId,
        recording: RecordingId,
    },
    /// Somebody edited the branch's own settings at the desk.
    SettingsEdited {
        by: AgentId,
        changes: u32,
    },
    /// The interop lab tested a device, named in `box.toml`. `worse`: what passed in the report before and fails.
    LabTested {
        device: String,
        passed: u32,
        failed: u32,
        worse: u32,
        firmware_changed: bool,
    },
    /// It could not be tested.
    LabMissed {
        device: String,
    },
    /// A phone was told where to fetch its configuration.
    PhoneEnrolled {
        phone: Extension,
        make: String,
        /// At the desk; None: on the box.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<AgentId>,
    },
    /// It fetched it, and with it a password that none had before. `firmware` is what it says it runs.
    PhoneProvisioned {
        phone: Extension,
        firmware: Option<String>,
    },
    PhoneDismissed {
        phone: Extension,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<AgentId>,
    },
    /// Somebody asked for a phone's configuration without the right to; so many since the last such fact.
    PhoneFetchesRefused {
        count: u32,
    },
    ConfigActivated {
        heads: String,
        findings: u32,
    },
    ConfigRefused {
        heads: String,
        fatal: u32,
    },
    LinkUp,
    LinkDown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutwardRefusal {
    /// Abroad or premium, and not among what is allowed.
    Class,
    /// This phone has called out as often as it may in an hour.
    PhoneHour,
    /// The site has.
    SiteHour,
    /// This phone has as many calls outside at once as it may.
    PhoneCalls,
    /// This phone has spent what it may in an hour.
    PhoneMoney,
    /// The agent has done so, on whichever phones.
    AgentHour,
    AgentCalls,
    AgentMoney,
    /// The site has.
    SiteMoney,
}

/// Why another system said nothing of use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LookUpFailed {
    /// `box.toml` does not allow its address.
    NotAllowed,
    /// It could not be reached.
    Unreachable,
    TimedOut,
    /// Not a 200.
    Refused,
    /// Not an object that fills every variable with a value of its type.
    Unusable,
    /// Too many questions wait.
    Busy,
}

/// Why a call was sent on (RFC 5806 §4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DivertedFor {
    Always,
    Busy,
    NoAnswer,
    Unavailable,
    Deflection,
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transfer {
    Blind,
    /// The two had talked before.
    Attended,
}

/// By whom a supervisor on a talk is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Monitoring {
    /// By nobody.
    Listen,
    /// By the agent.
    Whisper,
    /// By everybody.
    Barge,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardModeEnd {
    Agent,
    /// Nobody ended it in time.
    TimedOut,
    CallEnded,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfferOutcome {
    Accepted,
    TimedOut,
    Declined,
    /// The caller left, or somebody else took the contact.
    Withdrawn,
    /// The phone could not be reached.
    Failed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordingMissing {
    /// The queue's policy says no.
    NotWanted,
    DiskFull,
    MediaFailed,
    KeyUnavailable,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OverflowReturn {
    PathLost,
    Refused,
    NobodyAnswered,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndCause {
    /// The caller hung up.
    Caller,
    /// The agent (or called party) hung up.
    Agent,
    /// The flow reached its end.
    Flow,
    /// Nothing answers this number.
    NoRoute,
    /// The dial plan forbids it.
    Forbidden,
    Busy,
    NotReachable,
    /// The calls process died under it.
    Restart,
    /// The box's limits.
    Overload,
    /// A fault of ours in one call ended that call.
    Fault,
}

/// What an agent is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentState {
    SignedOut,
    NotReady,
    Ready,
    Offered,
    Talking,
    WrapUp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Process {
    Calls,
    Media,
    Sync,
}
