//! Flows from outside: written one step a line, walked as ladders, and as YAML.

mod flow;
mod sub_flows;
mod walks;
