//! The contact centre: it asks `ivr` what to do and `acd` who shall do it, commands `call`, emits facts and folds them
//! into CDRs. The whole day of a branch in one deterministic engine.

pub mod board;
