//! The configuration engine through its public face.

mod convergence;
mod edits;
mod hostile;
mod resolver;
mod support;
mod sync;
