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

    /// It may begin so much later, in ms, and be shorter by that: a tenth of it, and a quarter of a minute at least.
    pub fn slack_ms(self) -> u64 {
        u64::from(self.minutes).saturating_mul(6_000).max(15_000)
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
    /// It did not run: a call for help was open.
    NotRunEmergency,
    /// It did not run: a notice waited for the centre.
    NotRunNotice,
    /// It did not run: the disk was nearly full.
    NotRunDisk,
    /// It did not run: calls between branches were up, and would have been cut.
    NotRunOverflow,
    /// It did not run: one before it was not reported yet.
    NotRunAnother,
    /// It did not run: the branch heard of it when its time was over.
    NotRunLate,
}

impl Why {
    pub const ALL: [Why; 11] = [
        Why::Deadline,
        Why::Person,
        Why::Emergency,
        Why::Callers,
        Why::Disk,
        Why::NotRunEmergency,
        Why::NotRunNotice,
        Why::NotRunDisk,
        Why::NotRunOverflow,
        Why::NotRunAnother,
        Why::NotRunLate,
    ];

    /// The link was cut at all.
    pub fn ran(self) -> bool {
        matches!(self, Why::Deadline | Why::Person | Why::Emergency | Why::Callers | Why::Disk)
    }
}

/// How the box stood when the link was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Stood {
    /// Phones that were registered.
    pub phones: u32,
    pub lines_up: u32,
    /// A call for help could go out, as far as was known.
    pub help: bool,
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
    /// The branch knows, and it may not leave: too few callers.
    Withheld,
    /// The ledger could not be read.
    Unread,
}

/// What a drill amounts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = DrillOutcome))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It lasted its time, what counts was asked for, and nothing was less than is promised.
    Passed,
    NotPassed,
    /// Nothing is known to have broken, and too little is known to say that nothing did.
    NotKnown,
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
    /// How long the link was cut by the steady clock, in ms; over a restart by the wall.
    #[cfg_attr(feature = "schema", schema(required = true))]
    #[serde(default)]
    pub lasted_ms: u64,
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
    /// Of what the report itself says. Without evidence nothing has passed: each function must be named, something must
    /// have called in or out, and a line or a call for help must have been there to be lost.
    pub fn outcome(&self) -> Outcome {
        let has = |verdict| self.marks.iter().any(|mark| mark.verdict == verdict);
        let full = u64::from(self.drill.minutes).saturating_mul(60_000);
        let lasted = self.lasted_ms >= full.saturating_sub(self.drill.slack_ms());
        if self.why != Why::Deadline || !lasted || has(Verdict::Broken) {
            return Outcome::NotPassed;
        }
        let asked = |functions: &[Function]| {
            let known = |mark: &Mark| !matches!(mark.verdict, Verdict::Unasked | Verdict::Withheld | Verdict::Unread);
            self.marks.iter().any(|mark| functions.contains(&mark.function) && known(mark))
        };
        let named = Function::ALL
            .iter()
            .all(|function| self.marks.iter().filter(|mark| mark.function == *function).count() == 1);
        let core = asked(&[Function::Delivery])
            && asked(&[Function::Lines, Function::Help])
            && asked(&[Function::Incoming, Function::Outgoing]);
        let all_told = !has(Verdict::Withheld) && !has(Verdict::Unread);
        if named && core && all_told { Outcome::Passed } else { Outcome::NotKnown }
    }
}
