//! The life of one firmware update as a state machine: offered, installed into the other slot, tried, committed or
//! rolled back. An engine: `otad` owns D-Bus, files and the clock. The words are RAUC's (docs/terminology.rst there).
//!
//! Deliberately absent: the WAN. Whether a trial is good is decided from local proofs alone.

pub mod bundle;
pub mod slot;
pub mod trial;

pub use bundle::{Bundle, Version};
pub use slot::Slot;
