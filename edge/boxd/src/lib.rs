//! The daemon of a box, `boxd`: three processes from one binary (*calls*, *media*, *sync*) and the supervisor over
//! them. Shells: they touch the world and decide nothing; the engines decide.

pub mod alone;
pub mod calls;
pub mod config;
pub mod egress;
pub mod explain;
pub mod firmware;
pub mod health;
pub mod keys;
pub mod lab;
pub mod logs;
pub mod media;
pub mod observe;
pub mod probe;
pub mod provision;
pub mod recording;
mod secure_listener;
pub mod supervise;
pub mod sync;
pub mod tls;
