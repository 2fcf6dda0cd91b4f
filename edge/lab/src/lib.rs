//! The interop lab: asks a phone, a gateway or a trunk one question per behaviour an RFC names, and says what failed,
//! with the messages that show it and what to do about it. An engine: sockets, clock, keys and files are `boxd`'s.
//!
//! A probe is a coroutine over [`ua::Ua`]: it sends, waits for the next thing to happen, and returns a verdict. The
//! [`engine::Lab`] polls it from its own `handle_*` calls; no runtime is involved, so the same inputs give the same
//! report, and the tests put a hundred broken devices through all probes in virtual time.
//!
//! Of the box it uses what the box itself relies on: the front door reads what comes in (what the box would refuse is a
//! finding), the digest client proves the account, `media` reads RTP.

pub mod call;
pub mod diff;
pub mod draft;
pub mod ear;
pub mod engine;
pub mod html;
pub mod line;
pub mod mask;
pub mod plan;
pub mod probes;
pub mod report;
pub mod sdp;
pub mod speaker;
pub mod ua;
pub mod verdict;
