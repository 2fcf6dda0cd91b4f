//! SIP for a box that answers calls: strict front door, transactions, dialogs, registrar, endpoint. RFC 3261 and family.
//! An engine: no sockets, no clock. It knows nothing of media beyond carrying SDP bytes.
//!
//! A message's way: [`arrivals`] says whose turn it is, [`framing`] cuts streams, [`front`] refuses what has no single meaning, [`transaction`] absorbs
//! repetitions, [`endpoint`] asks [`auth`] who speaks, and [`registrar`], [`trunk`] or [`dialog`] answers.
//!
//! Of `rsip` we use the method enum, and the whole parser as a second witness in the tests of what we print; its
//! header values, URIs and status phrases misjudge (a dot ends a user part, `SHA256` for `SHA-256`), so these are ours.

pub mod arrivals;
pub mod auth;
pub mod body;
pub mod context;
pub mod dialog;
pub mod endpoint;
pub mod framing;
pub mod front;
pub mod help;
pub mod identity;
pub mod ids;
pub mod lent;
pub mod lex;
pub mod locate;
pub mod message;
pub mod page;
pub mod reach;
pub mod registrar;
pub mod stun;
pub mod subscription;
pub mod timers;
pub mod transaction;
pub mod trunk;
pub mod uri;
