//! The box's daemon. See ARCHITECTURE.md.

pub mod sync;
