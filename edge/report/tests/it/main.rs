//! Reports of random weeks: parts equal totals, and the figures are those of a slow recount of the same facts.

mod marked;
mod recount;
mod week;
