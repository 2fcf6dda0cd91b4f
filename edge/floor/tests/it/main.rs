//! The contact centre from outside. `ladders/*.txt` are days of a small branch in plain text, compared whole: lines
//! with `@` are what happens, the others what the floor says of it (and, after `>`, what it does on the lines).

mod alerts;
mod boards;
mod branch;
mod callbacks;
mod consent;
mod dispositions;
mod double;
mod folds;
mod forwards;
mod intake;
mod limits;
mod messages;
mod notices;
mod over_sip;
mod pauses;
mod random;
mod recorders;
mod scene;
mod scenes;
mod shown;
