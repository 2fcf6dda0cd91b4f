//! The contact centre from outside. `ladders/*.txt` are days of a small branch in plain text, compared whole: lines
//! with `@` are what happens, the others what the floor says of it (and, after `>`, what it does on the lines).

mod boards;
mod branch;
mod double;
mod folds;
mod forwards;
mod limits;
mod notices;
mod over_sip;
mod random;
mod scene;
mod scenes;
