//! The call detail record: one line per contact, a fold of its facts (`floor::cdr`). Stays on the box.

use serde::{Deserialize, Serialize};

use crate::{
    AgentId, ContactId, Millis, Number, QueueId, RecordingId, SiteId, TrunkId,
    fact::{Disposition, DivertedFor, EndCause},
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cdr {
    pub contact: ContactId,
    pub direction: Direction,
    pub trunk: Option<TrunkId>,
    /// Our own number that was called.
    pub number: Option<Number>,
    pub arrived: Millis,
    pub queue: Option<QueueId>,
    pub queued: Option<Millis>,
    pub answered: Option<Millis>,
    pub ended: Millis,
    /// Who answered, at this site.
    pub agent: Option<AgentId>,
    /// Where it was answered, when that was another site.
    pub answered_at: Option<SiteId>,
    pub outcome: Outcome,
    pub cause: EndCause,
    /// From queue entry to answer or to the end, in ms; 0 for a contact that was never queued (NORMS 4, ASA).
    pub wait_ms: u64,
    /// Answer to end, without hold, in ms.
    pub talk_ms: u64,
    pub hold_ms: u64,
    /// Known when the wrap-up has ended; the record is written again with it.
    pub wrap_up_ms: Option<u64>,
    /// How often an agent was rung.
    pub offers: u32,
    pub recording: Option<RecordingId>,
    /// How it sounded; None when nothing was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sound: Option<Sound>,
    /// What the trunk said of the end; None when it said nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released: Option<Released>,
    /// The caller was promised a call back. The wait on the line ended there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called_back: Option<CalledBack>,
    /// Our number that was called first, or why another was, before ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diverted: Option<Diverted>,
    /// Why the audio of one of its legs could not be protected as it was to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unkeyed: Option<Unkeyed>,
    /// What came of it, by the last word of an agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disposition: Option<Disposition>,
    /// Who said so when it was over; None: it was said in its own time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrected: Option<Corrected>,
    /// What the customer said last of being recorded; None: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Corrected {
    pub by: AgentId,
    pub at: Millis,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalledBack {
    pub promised: Millis,
    /// How often the customer was called.
    pub attempts: u32,
}

/// Why a handshake (RFC 5763) of a leg came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unkeyed {
    /// The box has no certificate to show.
    NoCertificate,
    /// The party was found and did not answer.
    Silent,
    /// It showed another certificate than its signalling named.
    AnotherCertificate,
    /// It broke the protocol, ended it, or knows no protection of ours.
    Refused,
}

/// A trunk's own words: the final status of our INVITE, and the Reason (RFC 3326) of that, of a BYE or a CANCEL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Released {
    pub status: Option<u16>,
    /// ITU-T Q.850, 1 to 127.
    pub q850: Option<u8>,
    pub sip: Option<u16>,
}

/// The way of a call that was sent on before it came here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diverted {
    /// When it is one of ours.
    pub from: Option<Number>,
    pub why: DivertedFor,
    pub hops: u8,
}

/// The contact's legs over its whole time, judged every five seconds (ITU-T G.107).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sound {
    /// MOS in hundredths: the worst five seconds of any leg, and the mean.
    pub opinion_worst: u16,
    pub opinion_mean: u16,
    /// Audio flowed one way only for five seconds or more.
    pub one_way: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Inbound,
    Outbound,
    Internal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Answered,
    /// Left a queue without being answered.
    Abandoned,
    /// Ended in the flow, before any queue.
    InFlow,
    /// Never got further than the door.
    Refused,
}
