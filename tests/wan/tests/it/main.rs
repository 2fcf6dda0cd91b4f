//! What box and cloud promise one another over a line that is cut.

mod admission;
mod configuration;
mod delivery;
mod overflow;
