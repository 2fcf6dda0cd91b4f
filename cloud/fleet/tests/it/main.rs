//! A roll-out and the sites it goes to, on a clock of its own.

mod random;
mod rollout;
