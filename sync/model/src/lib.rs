//! What both ends agree on: ids, the effective configuration, facts, the CDR, the closed vocabulary that may
//! leave a box, and the signals of an overflow call. Plain, versioned data; it decides nothing.
//!
//! These are the only types of the house that derive `Serialize`: what crosses a wire or a disk is written here.

pub mod alert;
pub mod callback;
pub mod carrier;
pub mod cdr;
pub mod change;
pub mod chat;
pub mod config;
pub mod dialling;
pub mod disposition;
pub mod drill;
pub mod fact;
pub mod flow;
pub mod forward;
pub mod history;
pub mod id;
pub mod leaving;
pub mod overflow;
pub mod recording;
pub mod routing;
pub mod sound;
pub mod ticket;
pub mod time;

pub use id::*;
pub use time::Millis;
