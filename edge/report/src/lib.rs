//! Reports: what a branch did, as a fold of its facts. Any of time × queue × agent × skill × number × flow × direction ×
//! ending × disposition, with the figures of NORMS 4. Every figure is a sum over contacts or over agents' time, each of
//! which belongs to one row, so parts equal totals; rates are computed from sums, last.
//!
//! Nothing on a call's way imports this. Where facts are kept, what a time zone is and what a file looks like is left to
//! the shells: buckets of time come in as their edges.
//!
//! [`Tally`] takes the facts of each contact, and those of agents, and becomes a [`Report`]. `visit` is what one contact
//! adds, `shift` what agents' states add, `sums` what is added up, `columns` what is shown of it.

mod columns;
mod dimension;
mod shift;
mod sums;
mod tally;
mod times;
mod visit;

use std::collections::{BTreeMap, BTreeSet};

use model::Millis;

pub use columns::{Column, Unit};
pub use dimension::{Dimension, Ending};
pub use sums::{AgentTime, Sums};
pub use tally::{Report, Row, Tally};
pub use times::{Life, Stretch, Time, UNMARKED_MS_MAX};

/// Rows of one report.
pub const ROWS_MAX: usize = 20_000;
/// Buckets of time of one report.
pub const TIMES_MAX: usize = 3_000;
/// Dimensions beside time by which one report is split.
pub const BY_MAX: usize = 3;
/// Values of one dimension that a report is narrowed to.
pub const ONLY_MAX: usize = 100;

/// What somebody wants to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Starts of the buckets of time and the end of the last one, growing: n buckets are n + 1 edges.
    pub edges: Vec<Millis>,
    pub by: Vec<Dimension>,
    /// Only contacts with one of these values; None is "none".
    pub only: BTreeMap<Dimension, BTreeSet<Option<String>>>,
}

/// Why there is no report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("a report has 1 to {TIMES_MAX} stretches of time, in order")]
    Times,
    #[error("a report is split by at most {BY_MAX} things, each once")]
    By,
    #[error("a report is narrowed to at most {ONLY_MAX} values of each thing")]
    Only,
    #[error("a report has at most {ROWS_MAX} rows: ask for less time, longer stretches or fewer things")]
    TooManyRows,
}

impl Question {
    fn check(&self) -> Result<(), Refused> {
        let growing = self.edges.is_sorted_by(|a, b| a < b);
        if !growing || self.edges.len() < 2 || self.edges.len() > TIMES_MAX.saturating_add(1) {
            return Err(Refused::Times);
        }
        let different: BTreeSet<_> = self.by.iter().collect();
        if self.by.len() > BY_MAX || different.len() < self.by.len() {
            return Err(Refused::By);
        }
        if self.only.values().any(|values| values.is_empty() || values.len() > ONLY_MAX) {
            return Err(Refused::Only);
        }
        Ok(())
    }

    /// From the first moment until before the last.
    pub fn span(&self) -> (Millis, Millis) {
        let first = self.edges.first().copied().unwrap_or_default();
        (first, self.edges.last().copied().unwrap_or(first))
    }

    /// Agents' time is nobody's queue: it is told where a report knows of time and agents alone.
    pub fn tells_time(&self) -> bool {
        self.by.iter().chain(self.only.keys()).all(|one| *one == Dimension::Agent)
    }

    /// What an agent had counts there, and not where the contact was answered first.
    pub(crate) fn is_of_agents(&self) -> bool {
        self.by.contains(&Dimension::Agent) || self.only.contains_key(&Dimension::Agent)
    }

    pub(crate) fn admits(&self, dimension: Dimension, value: &Option<String>) -> bool {
        self.only.get(&dimension).is_none_or(|values| values.contains(value))
    }
}
