//! The cloud of one organisation. See ARCHITECTURE.md.

pub mod ca;
pub mod hub;
