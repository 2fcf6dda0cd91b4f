//! A flow looked at without walking it: [`check`] says what is wrong, by which road one comes there, and whether it can
//! run all the same; [`ends`] walks every road to its end; [`text`] writes a flow as YAML and reads it back; [`url`] says
//! whom a step may ask. The same answers serve the resolver, the command line and both editors.

mod among;
mod bounds;
mod check;
mod graph;
pub mod text;
pub mod url;

use model::{StepId, flow::Fault};

pub use among::{check_among, refers};
pub use check::check;
pub use graph::{End, ends};

/// Steps of one flow.
pub const STEPS_MAX: usize = 200;

/// One fault, where it is, and how a caller comes there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// None: the flow's beginning.
    pub at: Option<StepId>,
    pub fault: Fault,
    /// The shortest, from the start to the step; empty when none leads there.
    pub road: Vec<StepId>,
    /// The flow cannot run with it.
    pub grave: bool,
}
