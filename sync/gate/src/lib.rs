//! The one way out of a box (N-01). What may leave is a closed vocabulary (`model::leaving`); small cells fold into
//! coarser ones before they are encoded; every item is hashed into the egress chain that an auditor can check.
//!
//! The gate decides and encodes. It stores nothing: `ledger` keeps its state, seals its items into the chain inside
//! the transaction that makes them durable, and `wire` sends exactly those bytes.

pub mod chain;
pub mod class;
pub mod merkle;
pub mod threshold;
pub mod vocabulary;

mod drill;
mod pass;

pub use chain::{Broken, Chain, Entry, verify};
pub use class::{Carried, Class, Item, Passed, Tally};
pub use merkle::Checkpoint;
pub use pass::{Error, Gate, Policy, QUEUES_MAX, decode};
pub use threshold::State;
pub use vocabulary::vocabulary;
