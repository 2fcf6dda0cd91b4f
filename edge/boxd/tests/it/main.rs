//! The media process as *calls* and the network see it, with real sockets.

mod allocations;
mod hostile;
mod rig;
