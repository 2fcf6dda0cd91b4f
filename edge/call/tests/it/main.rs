//! Calls between real SIP endpoints over a net in memory, with a scripted media process; compared as ladders.

mod acts;
mod bench;
mod by_hand;
mod carriers;
mod double;
mod hold;
mod ladders;
mod mixes;
mod protect;
mod random;
mod setup;
mod siprec;
mod smuggle;
mod targets;
mod trouble;
