//! What happened, written once. Everything else (CDR, wallboard, metrics, audit) is a fold of these.
//!
//! No personal datum in a fact: a caller's number is kept beside the chain, under a key of its own.

mod words;

use serde::{Deserialize, Serialize};

pub use words::{
    AgentState, CardModeEnd, CopyMissing, Disposition, DivertedFor, EndCause, LookUpFailed, Monitoring, OfferOutcome,
    OutwardRefusal, OverflowReturn, Pause, Process, RecordingMissing, Transfer,
};

use crate::{
    AgentId, ContactId, DispositionId, Extension, FlowId, Millis, NoticeId, Number, OverflowId, PlaceId, QueueId,
    RecordingId, SiteId, StepId, TicketId, TrunkId,
    alert::Alert,
    cdr::{Released, Sound, Unkeyed},
    drill::{self, Drill},
    leaving::What,
    routing::{Asks, Decision},
    ticket::Ticketed,
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
    /// A peer that `box.toml` declares brings a call of its own to be recorded here (SIPREC). Its first fact.
    Brought {
        by: TrunkId,
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
    /// What the customer said of being recorded, at the desk to this agent; None: by a key, at the step that was entered
    /// last. The last word stands.
    Consented {
        given: bool,
        by: Option<AgentId>,
    },
    /// The agent keeps the talk out of the recording for a while.
    RecordingPaused {
        by: AgentId,
    },
    /// None: by itself, when the time that the queue allows is over, or the recording.
    RecordingResumed {
        by: Option<AgentId>,
    },
    /// A recording server of the customer's own has the same from here on (SIPREC), by its name in `box.toml`.
    CopyStarted {
        recording: RecordingId,
        recorder: TrunkId,
    },
    /// None has, or has any more; they are tried again while the call lasts. `recorder` is the one that failed.
    CopyMissing {
        recording: RecordingId,
        recorder: Option<TrunkId>,
        reason: CopyMissing,
    },
    /// The caller need not wait on the line: we call back, at this place in the line. `since` is the original queue time,
    /// the rest what the contact asks for. Whom we call is personal, and lies beside the chain.
    CallbackPromised {
        queue: QueueId,
        since: Millis,
        #[serde(default)]
        asks: Asks,
    },
    /// The agent is there, and the customer is called; at this phone's cost where over a trunk.
    CallbackTried {
        phone: Extension,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agent: Option<AgentId>,
        trunk: Option<TrunkId>,
    },
    /// The customer did not answer. An attempt counts unless it was our own line that failed.
    CallbackMissed {
        cause: EndCause,
        counts: bool,
    },
    /// The caller begins to leave a message for the agents of a queue; `RecordingStarted` follows.
    MessageBegan {
        queue: QueueId,
    },
    /// The message is there, so long; None: a process died under it, and it ends where its recording does.
    MessageLeft {
        queue: QueueId,
        recording: RecordingId,
        ms: Option<u64>,
    },
    /// Somebody has done what the message asks for.
    MessageDone {
        recording: RecordingId,
        by: AgentId,
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
    /// What came of it, by the word of an agent who had it; the last word of each agent stands.
    Disposed {
        agent: AgentId,
        disposition: Disposition,
    },
    /// What came of it, said anew when it was over: by somebody who had it, or by a supervisor. It stands over what was said
    /// before.
    Corrected {
        by: AgentId,
        disposition: DispositionId,
    },
    /// Somebody wrote on it when it was over and written up. What they wrote lies with what is personal of the contact.
    NoteWritten {
        by: AgentId,
    },

    // The agents.
    AgentState {
        agent: AgentId,
        state: AgentState,
        /// With `NotReady`, where somebody knows why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pause: Option<Pause>,
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
    /// A threshold of a queue was crossed, or a call sounds badly: then it is a fact of that contact. It stands until it is
    /// cleared, or the process begins again.
    AlertRaised {
        queue: Option<QueueId>,
        alert: Alert,
        /// In the alert's own unit.
        value: u32,
    },
    AlertCleared {
        queue: Option<QueueId>,
        alert: Alert,
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
    /// Something happened to a ticket; by whom, or by the clock (None).
    Ticket {
        ticket: TicketId,
        by: Option<AgentId>,
        what: Ticketed,
    },
    /// Somebody edited what is promised of tickets.
    TicketTerms {
        by: AgentId,
    },
    /// Somebody opened a recording, all of it or a part.
    Listened {
        by: AgentId,
        recording: RecordingId,
    },
    /// Somebody let a queue take no new contacts; None is every queue of the site.
    Closed {
        by: AgentId,
        queue: Option<QueueId>,
    },
    /// And let it take them again.
    Reopened {
        by: AgentId,
        queue: Option<QueueId>,
    },
    /// The customer is not called back: somebody struck the promise off, or the disk did not take it (None).
    CallbackStruckOff {
        by: Option<AgentId>,
    },
    /// Where this phone's calls go was set at the phone itself.
    ForwardSet {
        phone: Extension,
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
    /// The box has cut its link to the cloud, by order.
    DrillBegan {
        drill: Drill,
        /// Kept here, so that a box that begins again in its midst knows what there was to lose.
        #[serde(default)]
        stood: drill::Stood,
    },
    /// And looks for it again.
    DrillEnded {
        drill: Drill,
        why: drill::Why,
        /// By the steady clock.
        #[serde(default)]
        lasted_ms: u64,
        /// Who ended it at the branch.
        #[serde(default)]
        by: Option<AgentId>,
    },
    DrillReported {
        report: Box<drill::Report>,
    },
}
