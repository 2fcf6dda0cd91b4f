//! RFC 3261 table 4 and RFC 6026 §7: every timer by its letter. Timer C is a proxy's and not ours.

use std::time::Duration;

use super::State;

/// RFC 3261 §17.1.1.1: the round trip estimate.
pub const T1: Duration = Duration::from_millis(500);
/// The longest wait between repetitions.
pub const T2: Duration = Duration::from_secs(4);
/// How long a message may stay in the network.
const T4: Duration = Duration::from_secs(5);
/// 64*T1: when the other side counts as gone.
pub const TIMEOUT: Duration = Duration::from_secs(32);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    A,
    B,
    D,
    E,
    F,
    G,
    H,
    I,
    J,
    K,
    L,
    M,
}

impl Timer {
    pub const ALL: [Self; 12] =
        [Self::A, Self::B, Self::D, Self::E, Self::F, Self::G, Self::H, Self::I, Self::J, Self::K, Self::L, Self::M];

    /// These send something again and start anew.
    pub fn repeats(self) -> bool {
        matches!(self, Self::A | Self::E | Self::G)
    }

    /// The time to wait; None when a reliable transport makes the timer needless.
    pub fn wait(self, reliable: bool, state: State, repeats: u32) -> Option<Duration> {
        let doubled = T1.saturating_mul(2u32.saturating_pow(repeats));
        match self {
            Self::A | Self::E | Self::G if reliable => None,
            // RFC 3261 §17.1.1.2: doubles until Timer B ends it.
            Self::A => Some(doubled),
            // §17.1.2.2: at T2 at once in Proceeding.
            Self::E if state == State::Proceeding => Some(T2),
            Self::E | Self::G => Some(doubled.min(T2)),
            Self::B | Self::F | Self::H | Self::L | Self::M => Some(TIMEOUT),
            // §17.1.1.2 (D), §17.2.1 (I), §17.2.2 (J), §17.1.2.2 (K): nothing can be repeated on a stream.
            Self::D | Self::I | Self::J | Self::K if reliable => Some(Duration::ZERO),
            Self::D | Self::J => Some(TIMEOUT),
            Self::I | Self::K => Some(T4),
        }
    }
}
