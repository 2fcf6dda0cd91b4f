//! Phones fetch their configuration here. What is written in it is the business of [`provision`]; this shell keeps who
//! is enrolled (sealed in the ledger, beside the credentials), speaks TLS, and makes passwords. A phone's password is
//! made when it fetches; its HA1s are on the disk and in force before the first byte leaves, and it is kept nowhere.

mod enrolment;
mod serve;
mod tell;

pub(crate) use enrolment::chance;
pub use enrolment::{Enrolment, Seen, dismiss, enrol, enrolments, resync};
pub use serve::{Port, run};
pub use tell::base_url;
