//! Call flows between endpoints, compared as ladders.

mod calls;
mod changes;
mod failures;
mod registration;
mod stage;
mod trunks;
mod walks;
