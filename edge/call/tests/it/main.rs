//! Calls between real SIP endpoints over a net in memory, with a scripted media process; compared as ladders.

mod bench;
mod double;
mod ladders;
mod random;
mod trouble;
