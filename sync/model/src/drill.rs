//! An outage drill (N-04): the box cuts its own link to the cloud for a while, goes on serving, and says afterwards what the
//! branch had of what it is promised. Which drill is ordered stands in the configuration documents; that it ran is facts.

use serde::{Deserialize, Serialize};

use crate::{
    Millis,
    leaving::{Alone, Figures},
};

/// An order. Its beginning is its name: a drill that was over does not begin again.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Drill {
    /// When the link is cut. In the past: at once, while its time is not over.
    pub at: Millis,
    /// For how long, [`MINUTES_MIN`] to [`MINUTES_MAX`].
    pub minutes: u16,
}

pub const MINUTES_MIN: u16 = 1;
pub const MINUTES_MAX: u16 = 480;

impl Drill {
    /// When it ends by itself.
    pub fn until(self) -> Millis {
        let minutes = self.minutes.clamp(MINUTES_MIN, MINUTES_MAX);
        Millis(self.at.0.saturating_add(i64::from(minutes).saturating_mul(60_000)))
    }
}

/// Why the link was given back.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = DrillWhy))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Its time was over.
    Deadline,
    /// Somebody ended it at the branch.
    Person,
    /// Somebody calls for help.
    Emergency,
    /// Far fewer callers reach somebody than at such times of the last fortnight.
    Callers,
    /// The disk is nearly full.
    Disk,
}

impl Why {
    pub const ALL: [Why; 5] = [Why::Deadline, Why::Person, Why::Emergency, Why::Callers, Why::Disk];
}

/// What a branch has, and may have less of without the cloud or not.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = DrillFunction))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Function {
    /// Who calls is not lost by a fault of the box.
    Incoming,
    /// Callers reach somebody, as many and as soon as before.
    Waiting,
    /// Calls out find a line.
    Outgoing,
    /// What is to be recorded is.
    Recording,
    /// Each contact that is over has its record.
    Records,
    /// Phones that were registered still are.
    Phones,
    /// Lines that were up still are.
    Lines,
    /// A call for help could go out.
    Help,
    /// What ends by itself, and would end the branch's service: [`crate::leaving::End`].
    Disk,
    Certificate,
    TrunkNames,
    /// Help of other branches. There is none without the cloud.
    Overflow,
    /// The centre sees the branch. It does not without the link.
    Centre,
    /// The link is back in its time, and so is everything that was told meanwhile.
    Delivery,
}

impl Function {
    pub const ALL: [Function; 14] = [
        Function::Incoming,
        Function::Waiting,
        Function::Outgoing,
        Function::Recording,
        Function::Records,
        Function::Phones,
        Function::Lines,
        Function::Help,
        Function::Disk,
        Function::Certificate,
        Function::TrunkNames,
        Function::Overflow,
        Function::Centre,
        Function::Delivery,
    ];
}

/// How it went with a function.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = DrillVerdict))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It was as with the link.
    Kept,
    /// There was less of it, as is promised.
    Less,
    /// There was less than is promised.
    Broken,
    /// Nobody asked for it, or too few to say.
    Unasked,
}

#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = DrillMark))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub function: Function,
    pub verdict: Verdict,
}

/// Contacts that were queued in a stretch of time.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = DrillCalls))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Calls {
    pub offered: u32,
    /// Of them.
    pub answered: u32,
    pub abandoned: u32,
    pub recorded: u32,
    /// Σ wait of answered ones, in seconds.
    pub wait_s: u32,
}

/// What came of a drill.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = DrillReport))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub drill: Drill,
    pub began: Millis,
    pub ended: Millis,
    pub why: Why,
    /// When the link was back; None: not within the hour.
    pub joined: Option<Millis>,
    /// When the cloud had everything that was told meanwhile; None: not within the hour.
    pub delivered: Option<Millis>,
    /// Rows that waited for the link when it was back.
    pub rows: u64,
    /// While it lasted. None: too few to be told of.
    pub during: Option<Calls>,
    /// As long before it. None: too few to be told of.
    pub before: Option<Calls>,
    /// How long the box could have gone on, by each thing that ends.
    pub alone: Vec<Alone>,
    pub marks: Vec<Mark>,
    /// What the box has told of the intervals that it touches: the cloud must have come to the same.
    pub told: Figures,
}

impl Report {
    /// It ran to its end, and nothing was less than is promised.
    pub fn passed(&self) -> bool {
        self.why == Why::Deadline && self.marks.iter().all(|mark| mark.verdict != Verdict::Broken)
    }
}
