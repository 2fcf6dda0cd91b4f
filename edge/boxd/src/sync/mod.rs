//! The *sync* process.
pub mod local;
