//! The words that facts are made of: why, how, and in which state.

use serde::{Deserialize, Serialize};

use crate::{DispositionId, PauseId};

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
    /// The policy says no.
    NotWanted,
    /// It asks for the customer's consent, and there is none.
    NoConsent,
    /// The customer said no.
    Refused,
    DiskFull,
    MediaFailed,
    KeyUnavailable,
}

/// Why a recording server has nothing of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CopyMissing {
    /// It said no.
    Refused,
    /// It did not answer.
    Unreachable,
    /// It had the call and let go of it, or is gone.
    Lost,
    /// What it answered cannot be used: a codec, an address, a key; or our own media process began anew.
    Media,
    /// A limit of ours.
    Limit,
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
    /// Was promised a call back and not reached, in as many attempts as there are, or in a day.
    NotReached,
    /// Was promised a call back, and somebody struck that off.
    StruckOff,
    /// The calls process died under it.
    Restart,
    /// The box's limits.
    Overload,
    /// A fault of ours in one call ended that call.
    Fault,
}

/// Why an agent is not ready.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pause {
    /// One of the site's reasons, by the agent's own word.
    Code(PauseId),
    /// Too many offers in a row were not taken.
    Missed,
    /// The agent's phone, or the page that was it, was away.
    PhoneAway,
}

/// What came of a contact.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    /// One of the site's codes.
    Code(DispositionId),
    /// The queue asks for one, and the time to write up was over before one was named.
    NoneChosen,
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
