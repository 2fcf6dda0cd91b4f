//! The recording journal under power cuts.

mod power_cuts;
