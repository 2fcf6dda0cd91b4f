//! The B2BUA: legs, bridges, hold, transfer. It owns the SIP endpoint and speaks to the media process; it knows no
//! queue. Whoever owns it (`floor`) sees legs, never dialogs or ports.
//!
//! [`Calls`] is the engine; its owner gives commands and reads [`leg::Event`]s. One file, one concern: `machine` is a
//! leg's way as a table and `act` performs it; `session` is offer and answer, `hold` their directions; `port` and
//! `bridge` and `mixes` are the audio; `trunk` counts channels, `group` chooses among
//! trunks, `identity` says whom they see, `arrival` and `numbers` read what they say; `transfer` watches REFER; `route` and `plan` are the
//! dial plan; `location` is where an emergency call comes from; `siprec` are recording sessions; `will` is what the next life takes over.

mod act;
mod arrival;
mod audio;
mod bridge;
mod calls;
mod cause;
mod command;
pub mod config;
mod group;
mod help;
mod hold;
mod identity;
pub mod leg;
mod legs;
mod location;
mod machine;
mod mixes;
pub mod numbers;
pub mod plan;
mod port;
mod protect;
mod recording;
pub mod route;
mod session;
mod signal;
pub mod siprec;
mod timer;
mod transfer;
mod trunk;
pub mod will;

pub use calls::{Calls, InUse};
pub use config::{Config, Limits, Secrets, wish};
pub use help::Help;
pub use mixes::Hearing;
// The words of the two planes that an owner of calls speaks too: it imports neither crate.
pub use media::plane;
pub use route::Source;
pub use sip::endpoint;
