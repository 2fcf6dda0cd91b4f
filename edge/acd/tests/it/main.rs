//! The distributor from outside: scenes as ladders in plain text, and random days beside a naive model.

mod choices;
mod erlang;
mod naive;
mod random_days;
mod scenes;
mod world;
