//! The update agent of a box: takes bundles from the spool, drives RAUC over D-Bus, and believes a new system only when
//! the health file says so. It has no network of its own; a broken daemon cannot stop it from rolling back.

pub mod agent;
pub mod config;
pub mod rauc;
pub mod spool;
pub mod state;
