//! Audio, 20 ms at a time: SDP, RTP, G.711, DTMF, prompts, bridges, and the recording journal.
//! An engine: no sockets, no files, no clock. The *media* process of `boxd` is its shell.

pub mod plane;
