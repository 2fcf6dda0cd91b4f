//! Flows from outside: written one step a line, walked as ladders, and checked without walking.

mod checks;
mod flow;
mod walks;
