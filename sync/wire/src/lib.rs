//! The protocol between a box and the cloud as state machines: frames, both ends of a session, the outbox cursor and
//! the back-off. Bytes and clocks belong to `link` and to the daemons.

pub mod backoff;
pub mod bucket;
pub mod frame;
pub mod media;
pub mod outbox;
pub mod session;
pub mod ways;
