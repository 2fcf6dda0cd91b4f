//! The ledger against real files.

mod durability;
mod notes;
mod outbox;
mod privacy;
mod rows;
mod support;
mod tickets;
