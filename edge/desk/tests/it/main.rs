//! The desk over real HTTP and WebSocket on loopback, with the floor, the records and the staff in memory.

mod browser;
mod cards;
mod chat;
mod commands;
mod drills;
mod egress;
mod phones;
mod privacy;
mod reports;
mod rig;
mod sign_in;
mod softphone;
mod tickets;
