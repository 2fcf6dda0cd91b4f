//! Call flows as plain text, one line per message or event, to be compared whole.
//!
//! ```text
//!     0 box     -> phone   INVITE
//!    20 box     <- phone   180
//!    20 box      * Progress 180
//! ```
//! Milliseconds, two parties (the one named first on the left), then the method or status. `x` for `>` or `<` is a lost
//! message; `*` is an event of one party.

use std::fmt;
use std::time::Duration;

#[derive(Debug, Default)]
pub struct Ladder {
    lines: Vec<String>,
    /// Names in the order in which they stand from left to right.
    order: Vec<String>,
}

impl Ladder {
    pub fn place(&mut self, name: &str) {
        self.order.push(name.to_string());
    }

    pub fn message(&mut self, at: Duration, from: &str, to: &str, label: &str, lost: bool) {
        let place = |name: &str| self.order.iter().position(|other| other == name);
        let forward = place(from) <= place(to);
        let (left, right) = if forward { (from, to) } else { (to, from) };
        let arrow = match (forward, lost) {
            (true, false) => "->",
            (false, false) => "<-",
            (true, true) => "-x",
            (false, true) => "x-",
        };
        self.lines.push(format!("{:>6} {left:<7} {arrow} {right:<7} {label}", at.as_millis()));
    }

    pub fn event(&mut self, at: Duration, who: &str, label: &str) {
        self.lines.push(format!("{:>6} {who:<7}  * {label}", at.as_millis()));
    }

    /// The lines so far, and an empty ladder from here on.
    pub fn take(&mut self) -> String {
        std::mem::take(&mut self.lines).join("\n")
    }
}

impl fmt::Display for Ladder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines.join("\n"))
    }
}

/// Compares line by line, blind to indentation; shows both whole when they differ.
#[track_caller]
pub fn check(found: &str, expected: &str) {
    let lines = |text: &str| {
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        text.lines().map(words).filter(|line| !line.is_empty()).collect::<Vec<_>>()
    };
    assert!(lines(found) == lines(expected), "the ladder differs\n--- found\n{found}\n--- expected\n{expected}");
}
