//! Real QUIC over loopback: who gets in, and what the three connections carry.

mod authority;
mod bulk;
mod connections;
mod enrolment;
mod web;
