//! Hostile bytes, and the recording journal under power cuts.

mod mangled;
mod power_cuts;
