//! What is said of a flow without walking it, and its text.

mod checks;
mod texts;
