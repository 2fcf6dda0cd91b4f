//! An interpreter of flow documents: what a caller hears, which keys lead where, and in which queue the road ends.
//! Knows no SIP, no audio and no clock: its owner plays what it is told to play and says when that is over.
//!
//! [`run::Run`] walks one contact through one flow and its sub-flows, [`memory`] keeps its variables, and [`hours`] answers
//! whether a calendar is open. A run keeps the flows it began with: an edit in mid-call changes the next call.

pub mod hours;
pub mod keys;
pub mod memory;
pub mod run;
