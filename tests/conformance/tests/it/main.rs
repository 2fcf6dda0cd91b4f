//! Call flows between endpoints, compared as ladders.

mod calls;
mod changes;
mod failures;
mod lease;
mod registration;
mod reliable;
mod stage;
mod trunks;
mod walks;
