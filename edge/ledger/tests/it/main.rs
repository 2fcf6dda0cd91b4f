//! The ledger against real files.

mod durability;
mod outbox;
mod privacy;
mod rows;
mod support;
