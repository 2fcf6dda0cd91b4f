//! The cloud of one organisation: takes in what the boxes' gates let out, keeps the configuration both sides edit,
//! and serves the console. One binary; the command line is in [`command`], everything else is for its tests.
//!
//! Engines decide elsewhere: `wire` what a session does, `config` what merged documents mean. Here are sockets, files
//! and the clock.

pub mod access;
pub mod app;
pub mod ca;
pub mod clock;
pub mod command;
pub mod documents;
pub mod drills;
pub mod enrol;
pub mod hints;
pub mod http;
pub mod hub;
pub mod instances;
pub mod links;
pub mod lockout;
pub mod metrics;
pub mod oidc;
pub mod overview;
pub mod rollouts;
pub mod secret;
pub mod settings;
pub mod shelf;
pub mod watch;
