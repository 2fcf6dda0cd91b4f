//! The configuration engine through its public face.

mod alerts;
mod carriers;
mod convergence;
mod dispositions;
mod edits;
mod history;
mod hostile;
mod plan;
mod recording;
mod report;
mod resolver;
mod support;
mod sync;
