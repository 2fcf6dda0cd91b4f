//! What was written into a site's configuration, as pages and files show it: changes field by field, and what became of
//! edits that two sides made while apart.

use serde::{Deserialize, Serialize};

use crate::{Millis, change::Doc};

/// Longest text of a field in a list, in characters; what is longer ends in `…`.
pub const TEXT_SHOWN: usize = 400;
/// Most fields of one change in a list.
pub const FIELDS_SHOWN: usize = 100;

/// What stands at a path. JSON: null, a flag, a whole number or a text.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = Scalar))]
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// Said to be nothing, which is something said.
    Nothing,
    Flag(bool),
    Int(i64),
    Text(String),
}

/// Its name in the description of an interface, where `Value` would be anything.
#[cfg(feature = "schema")]
type Scalar = Value;

#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    Centre,
    Branch,
}

/// One change of one document.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = HistoryEntry))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    #[serde(flatten)]
    pub by: By,
    pub fields: Vec<Field>,
    /// Fields beyond the first [`FIELDS_SHOWN`].
    pub more: u32,
}

/// Where a change stands, and who made it when.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct By {
    pub doc: Doc,
    /// Its place among the document's changes here, counted from 1.
    pub seq: u64,
    pub side: Side,
    /// A login, where it is known.
    pub author: Option<String>,
    /// By the clock of who wrote, in whole seconds.
    pub written: Millis,
    /// When it was stored here.
    pub taken: Millis,
}

/// One field of a change. A value that is left out: nothing was said.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// `queues/sales/ring_s`.
    pub path: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(feature = "schema", schema(value_type = Option<Scalar>))]
    pub before: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(feature = "schema", schema(value_type = Option<Scalar>))]
    pub after: Option<Value>,
    /// Nobody has written here since.
    pub stands: bool,
}

/// Who said last what a field is.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blame {
    pub path: String,
    #[cfg_attr(feature = "schema", schema(value_type = Scalar))]
    pub value: Value,
    #[serde(flatten)]
    pub by: By,
}

/// A field of two states of a whole configuration. A value that is left out: nothing is said.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    pub path: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(feature = "schema", schema(value_type = Option<Scalar>))]
    pub before: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(feature = "schema", schema(value_type = Option<Scalar>))]
    pub after: Option<Value>,
}

/// What came of an undo, field by field.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undone {
    /// What stood before stands again.
    pub restored: Vec<String>,
    /// Somebody wrote here since, and that was left.
    pub left: Vec<Left>,
}

#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    pub path: String,
    pub by: By,
}

/// By which rule one of several values is in force.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = MergeRule))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Both wrote the same field of the same document: one runs meanwhile, a person decides.
    Ask,
    /// The branch's own value stands over the plan.
    BranchWins,
    /// Only the centre may say this.
    CentreWins,
    /// What either side wanted is in force.
    BothKept,
    /// The stricter one, whoever said it.
    Strictest,
    /// One side wrote, the other took back what it had said: what was written stands.
    WrittenStands,
    /// One side edited what the other removed: it is gone.
    Removed,
}

/// One side's word.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = MergeSaid))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    #[serde(flatten)]
    pub by: By,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(feature = "schema", schema(value_type = Option<Scalar>))]
    pub value: Option<Value>,
}

/// A field that several wrote without knowing of one another.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    pub path: String,
    pub rule: Rule,
    pub said: Vec<Said>,
    /// What came of it; left out: nothing is said.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(feature = "schema", schema(value_type = Option<Scalar>))]
    pub kept: Option<Value>,
    /// Somebody has to decide.
    pub waits: bool,
    /// Who has decided.
    pub decided: Option<By>,
}

/// What somebody decides of a field.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = MergeDecision))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Decision {
    /// The word of this change of the branch's document.
    Take { path: String, seq: u64 },
    /// The branch's own word goes, and the plan's counts.
    FollowPlan { path: String },
}

/// A time in which two sides wrote without knowing of one another.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meeting {
    pub from: Millis,
    pub until: Millis,
    pub centre: Vec<Entry>,
    pub branch: Vec<Entry>,
    /// Changes beyond those that are listed.
    pub more: u32,
    pub outcomes: Vec<Outcome>,
}

/// What became of edits that were made apart.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = MergeReport))]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// What waits for a person.
    pub waiting: Vec<Outcome>,
    /// Where the branch runs by other values than the plan's, or wrote what only the centre may say.
    pub differs: Vec<Outcome>,
    /// The newest first.
    pub meetings: Vec<Meeting>,
}
