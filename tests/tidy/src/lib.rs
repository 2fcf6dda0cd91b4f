//! Tidiness as tests: who may import whom, what an engine may not touch, file hygiene, links in documents.
//! The rules are in `rules.rs`; `tests/` holds them against the tree.

pub mod rules;
pub mod tree;
