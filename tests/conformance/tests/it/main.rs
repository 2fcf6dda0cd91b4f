//! Call flows between endpoints, compared as ladders.

mod calls;
mod changes;
mod failures;
mod foreign;
mod hand;
mod help;
mod hijack;
mod identity;
mod lamps;
mod lease;
mod messages;
mod races;
mod reach;
mod registration;
mod reliable;
mod rfc3665;
mod rfc5359;
mod security;
mod stage;
mod torture;
mod town;
mod transports;
mod trunks;
mod walks;
