//! Tickets against the clock on the wall, and against a simple model.

mod promises;
mod random;
