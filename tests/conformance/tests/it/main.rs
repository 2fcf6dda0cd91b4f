//! Call flows between endpoints, compared as ladders.

mod calls;
mod changes;
mod failures;
mod hand;
mod lamps;
mod lease;
mod messages;
mod races;
mod registration;
mod reliable;
mod security;
mod stage;
mod trunks;
mod walks;
