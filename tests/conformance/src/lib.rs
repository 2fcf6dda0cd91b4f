//! The standards' own pictures as tests: SIP endpoints on a virtual clock, their talk written down as a ladder.

pub mod foreign;
pub mod ladder;
pub mod net;
pub mod tape;
pub mod torture;
