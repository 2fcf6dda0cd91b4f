//! What the README promises, proved with real daemons, real phones and a real carrier on loopback.

pub mod company;
pub mod flood;
pub mod stage;
