//! An interpreter of flow documents: what a caller hears, which keys lead where, and in which queue the road ends.
//! Knows no SIP, no audio and no clock: its owner plays what it is told to play and says when that is over.
//!
//! [`run::Run`] walks one contact through one flow, [`check::check`] looks at a flow without running it, and [`hours`]
//! answers whether a calendar is open. A run keeps the flow it began with: an edit in mid-call changes the next call.

pub mod check;
pub mod hours;
pub mod run;
