//! Both ends against each other, without a network.

mod delivery;
mod greeting;
mod pair;
