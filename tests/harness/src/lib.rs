//! A company on loopback: one cloud, branches, a carrier, phones and agents, all real programs, driven from tests and
//! from the demo. Waits are for something to happen, with a limit; nothing here knows the engines.

pub mod baresip;
pub mod browser;
pub mod canary;
pub mod company;
pub mod desk_page;
pub mod dns;
pub mod postgres;
pub mod process;
pub mod proof;
pub mod rauc;
pub mod sipp;
pub mod tpm;
pub mod wan;
pub mod web;
