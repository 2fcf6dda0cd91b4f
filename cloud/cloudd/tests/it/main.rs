//! A whole console over real HTTP, on a port of its own, with a database in a folder of its own.

mod access;
mod boxes;
mod browser;
mod command;
mod configuration;
mod events;
mod figures;
mod machine;
mod notices;
mod page;
mod running;
mod session;
mod shelf;
mod support;
