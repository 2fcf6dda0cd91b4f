//! A day of a two-branch company in seconds: the simulator is one more shell around the very engines that the box and
//! the cloud run, with one clock, one seed, and no thread that it waits for by chance.
//!
//! Itself here: `floor` and everything beneath it (`call`, `sip`, `acd`, `ivr`), the phones' and carriers' SIP endpoints,
//! the ledger on SQLite, the gate, the book of figures, the configuration documents, both ends of a `wire` session with
//! their back-off and outbox, the cloud's database on SQLite.
//!
//! Stood in for: sockets (a network that loses, doubles and overtakes), the media process (its commands and answers are
//! there, its RTP is not: see [`media`]), QUIC (a line that keeps order and breaks after its idle time), the device keys
//! of overflow calls and the packets in their tunnels, and people.

pub mod branch;
mod carrier;
pub mod clock;
pub mod cloud;
mod dice;
mod event;
mod journal;
pub mod ladder;
pub mod media;
mod net;
mod person;
mod phone;
pub mod plan;
mod settings;
mod stage;
mod sync;
pub mod town;
mod trouble;
pub mod verdict;
mod wan;
pub mod world;

pub use plan::{Fault, Plan};
pub use world::World;
