//! The lab against simulated devices in virtual time: a good one passes, and each deliberate fault is found and named.

mod device;
mod faults;
mod reports;
mod rig;
