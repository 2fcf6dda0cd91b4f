//! Which way leads to the cloud: QUIC over UDP, or QUIC within a WebSocket where somebody on the way lets no UDP pass.
//! UDP comes first and is what we go back to: while the link is on the other way, UDP is tried again for ever, at first
//! after a minute, then ever more rarely, and never at the same moment as other boxes.

use std::time::{Duration, Instant};

use rand_chacha::{
    ChaCha12Rng,
    rand_core::{Rng, SeedableRng},
};

/// UDP is tried again after between half of this and all of it, doubled at each failure.
const PROBE_FIRST: Duration = Duration::from_secs(60);
const PROBE_MAX: Duration = Duration::from_secs(900);

/// One endpoint, by its place in the list of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Udp(usize),
    Web(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// An attempt failed. Silence is what UDP meets where it is blocked; a refusal or a name that is not known is not.
    Failed { way: Way, silent: bool },
    /// The session is open by this way.
    Up(Way),
    /// The session ended.
    Down,
    /// UDP was tried beside a session that is open, in vain.
    ProbeFailed,
}

#[derive(Debug)]
pub struct Ways {
    udp: usize,
    web: usize,
    attempts: usize,
    /// UDP met silence, and the other way has worked since or was not tried yet.
    blocked: bool,
    probes: u32,
    probe_at: Option<Instant>,
    rng: ChaCha12Rng,
}

impl Ways {
    /// So many endpoints of each kind; at least one for UDP.
    pub fn new(udp: usize, web: usize, seed: [u8; 32]) -> Self {
        let rng = ChaCha12Rng::from_seed(seed);
        Self { udp: udp.max(1), web, attempts: 0, blocked: false, probes: 0, probe_at: None, rng }
    }

    /// What the next attempt takes: endpoints in turn, the first one first.
    pub fn choose(&mut self) -> Way {
        let way = if self.blocked && self.web > 0 { self.nth_web() } else { self.nth_udp() };
        self.attempts = self.attempts.wrapping_add(1);
        way
    }

    pub fn handle_input(&mut self, now: Instant, input: Input) {
        match input {
            Input::Failed { way: Way::Udp(_), silent } => self.blocked = silent && self.web > 0,
            // Perhaps nothing passes at all; then UDP is first again.
            Input::Failed { way: Way::Web(_), .. } => self.blocked = false,
            Input::Up(Way::Udp(_)) => (self.blocked, self.probes, self.probe_at) = (false, 0, None),
            Input::Up(Way::Web(_)) => {
                self.blocked = true;
                self.probe_later(now);
            }
            Input::Down => self.probe_at = None,
            Input::ProbeFailed => {
                self.probes = self.probes.saturating_add(1);
                self.probe_later(now);
            }
        }
    }

    /// UDP was found silent, so the other way is worth trying at once.
    pub fn has_another(&self) -> bool {
        self.blocked
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        self.probe_at
    }

    /// UDP to be tried beside the session that is open. What came of it is said by `Up` or `ProbeFailed`.
    pub fn poll_probe(&mut self, now: Instant) -> Option<Way> {
        self.probe_at.take_if(|at| *at <= now)?;
        let way = self.nth_udp();
        self.attempts = self.attempts.wrapping_add(1);
        Some(way)
    }

    fn nth_udp(&self) -> Way {
        Way::Udp(self.attempts.checked_rem(self.udp).unwrap_or(0))
    }

    fn nth_web(&self) -> Way {
        Way::Web(self.attempts.checked_rem(self.web).unwrap_or(0))
    }

    fn probe_later(&mut self, now: Instant) {
        let doubled = PROBE_FIRST.saturating_mul(1_u32.checked_shl(self.probes.min(31)).unwrap_or(u32::MAX));
        let wait = doubled.min(PROBE_MAX) / 2;
        let nanos = wait.as_nanos().saturating_mul(u128::from(self.rng.next_u64())) >> 64;
        let jitter = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        self.probe_at = now.checked_add(wait.saturating_add(jitter));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[allow(clippy::disallowed_methods, reason = "an Instant has no other beginning; only differences count")]
    fn start() -> Instant {
        Instant::now()
    }

    fn silent(way: Way) -> Input {
        Input::Failed { way, silent: true }
    }

    #[test]
    fn endpoints_are_tried_in_turn_and_the_web_only_after_silence() {
        let now = start();
        let mut ways = Ways::new(2, 1, [1; 32]);
        assert_eq!(ways.choose(), Way::Udp(0));
        ways.handle_input(now, Input::Failed { way: Way::Udp(0), silent: false });
        assert!(!ways.has_another(), "a refusal is no wall");
        assert_eq!(ways.choose(), Way::Udp(1));
        ways.handle_input(now, silent(Way::Udp(1)));
        assert!(ways.has_another());
        assert_eq!(ways.choose(), Way::Web(0));
        ways.handle_input(now, silent(Way::Web(0)));
        assert!(!ways.has_another(), "nothing passes: wait as ever");
        assert!(matches!(ways.choose(), Way::Udp(_)));
    }

    #[test]
    fn where_there_is_no_web_udp_is_all_there_is() {
        let mut ways = Ways::new(1, 0, [1; 32]);
        for _ in 0..3 {
            assert_eq!(ways.choose(), Way::Udp(0));
            ways.handle_input(start(), silent(Way::Udp(0)));
            assert!(!ways.has_another());
        }
    }

    #[test]
    fn beside_a_session_of_the_web_udp_is_tried_ever_more_rarely_and_for_ever() {
        let mut now = start();
        let mut ways = Ways::new(1, 1, [7; 32]);
        ways.handle_input(now, silent(Way::Udp(0)));
        ways.handle_input(now, Input::Up(Way::Web(0)));
        let mut waits = Vec::new();
        for _ in 0..12 {
            let at = ways.poll_timeout().expect("it is tried again");
            assert_eq!(ways.poll_probe(now), None, "not before its time");
            waits.push(at - now);
            now = at;
            assert_eq!(ways.poll_probe(now), Some(Way::Udp(0)));
            assert_eq!(ways.poll_timeout(), None, "one at a time");
            ways.handle_input(now, Input::ProbeFailed);
        }
        assert!(waits[0] >= PROBE_FIRST / 2 && waits[0] <= PROBE_FIRST);
        assert!(waits.iter().all(|wait| *wait <= PROBE_MAX));
        assert!(waits[4..].iter().all(|wait| *wait >= PROBE_MAX / 2));
        // A link that broke goes on by the way that worked, and one by UDP ends the search.
        ways.handle_input(now, Input::Down);
        assert_eq!((ways.poll_timeout(), ways.choose()), (None, Way::Web(0)));
        ways.handle_input(now, Input::Up(Way::Udp(0)));
        assert_eq!((ways.poll_timeout(), ways.choose()), (None, Way::Udp(0)));
    }
}
