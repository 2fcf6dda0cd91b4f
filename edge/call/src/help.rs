//! Whether a call for help can go out of this house at all: said before somebody needs it, not when.

use model::{TrunkId, config::Config};

/// What an emergency call would meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Help {
    Ready,
    /// No trunk is up; a call is tried on them all the same.
    LinesDown,
    /// No trunk is configured: nothing can leave. So is a box that never had a configuration.
    #[default]
    NoLine,
    /// No emergency number is configured.
    NoNumber,
}

impl Help {
    /// For programs.
    pub fn word(self) -> &'static str {
        match self {
            Help::Ready => "ready",
            Help::LinesDown => "lines_down",
            Help::NoLine => "no_line",
            Help::NoNumber => "no_number",
        }
    }
}

pub fn help(config: &Config, up: impl Fn(&TrunkId) -> bool) -> Help {
    if config.trunks.is_empty() {
        Help::NoLine
    } else if config.site.emergency.is_empty() {
        Help::NoNumber
    } else if config.trunks.keys().any(up) {
        Help::Ready
    } else {
        Help::LinesDown
    }
}
