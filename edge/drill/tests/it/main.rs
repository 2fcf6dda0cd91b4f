//! Drills from outside: when one begins and ends, and what its report may claim.

mod verdict;
mod watch;
