//! Audio, 20 ms at a time: SDP, RTP and RTCP, G.711, DTMF, prompts, bridges, mixes, how a call sounds, and the recording
//! journal.
//! An engine: no sockets, no files, no clock. The *media* process of `boxd` is its shell.
//!
//! [`plane`] is the boundary to the calls process; [`engine::Engine`] obeys it.

mod coder;
mod conceal;
pub mod dtls;
pub mod dtmf;
pub mod engine;
pub mod g711;
mod jitter;
mod level;
mod noise;
pub mod plane;
pub mod progress;
pub mod prompt;
pub mod quality;
pub mod record;
mod resample;
pub mod rtp;
pub mod sdp;
mod sound;
pub mod srtp;
mod stun;
pub mod tone;
