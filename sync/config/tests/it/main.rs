//! The configuration engine through its public face.

mod carriers;
mod convergence;
mod edits;
mod hostile;
mod resolver;
mod support;
mod sync;
