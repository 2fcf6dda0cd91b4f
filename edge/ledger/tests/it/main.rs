//! The ledger against real files.

mod chat;
mod durability;
mod notes;
mod outbox;
mod privacy;
mod rows;
mod support;
mod tickets;
