//! Properties of the whole crate from outside: what we print we read, and nothing that arrives makes us fall.

mod injection;
mod overload;
mod printing;
mod robustness;
