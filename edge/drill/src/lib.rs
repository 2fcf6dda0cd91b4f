//! An outage drill (N-04) from its order to its report: when the link is cut and given back ([`Watch`]), what happened to
//! each contact meanwhile ([`Seen`]), and what the branch had of what it is promised ([`report`]).
//!
//! It decides and touches nothing: who cuts the link is *sync*, who reads the ledger is the shell.

mod seen;
mod verdict;
mod watch;

pub use seen::Seen;
pub use verdict::{Read, Standing, Stretches, not_run, report};
pub use watch::{Input, Output, Past, Run, Watch};
