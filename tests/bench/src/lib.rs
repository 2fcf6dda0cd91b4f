//! What the measurements share: traffic, the yardsticks, and how much of a core a process used. Every figure stands
//! beside a yardstick's from the same run: these are ratios, never promises about a machine.

pub mod branch;
pub mod cpu;
pub mod merge;
pub mod nats;
pub mod rows;
pub mod rtpengine;
pub mod sip;
pub mod traffic;
