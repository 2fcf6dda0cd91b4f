//! Reports, as the desk asks for them.

use model::{Millis, drill};
use report::{Question, Refused, Report};
use tokio::sync::mpsc;

use super::{Future, Unavailable};
use crate::ReportPlace;

/// The branch's past in figures.
pub trait Reports: Send + Sync + 'static {
    /// Resolves with the report and when it was made; says meanwhile how far it has come. Nobody who hears that: it ends.
    /// The place is held until nothing is done for it any more, also when this is dropped before.
    fn make(
        &self,
        question: Question,
        progress: mpsc::Sender<Progress>,
        place: ReportPlace,
    ) -> Future<'_, Result<(Report, Millis), ReportError>>;

    /// What came of the outage drills of the last months, the latest first.
    fn drills(&self) -> Future<'_, Result<Vec<drill::Report>, Unavailable>>;
}

/// So many contacts are looked at, of so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Progress {
    pub done: u64,
    pub of: u64,
}

/// Why there is no report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("nobody waits for it any more")]
    GivenUp,
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}
