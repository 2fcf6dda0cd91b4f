//! Slows down guessing of passwords, per source address and per account. A pure table: the time comes in.
//!
//! An account under attack from elsewhere stays usable from a source that signed in to it before.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    time::{Duration, Instant},
};

use model::AgentId;

/// Failures of one account before its next attempt has to wait.
pub const ACCOUNT_FAILURES_FREE: u32 = 5;
/// Failures from one source, over all accounts. A whole branch may sit behind one address.
pub const SOURCE_FAILURES_FREE: u32 = 20;
/// The first wait; it doubles with every further failure.
const WAIT_FIRST: Duration = Duration::from_secs(2);
pub const WAIT_MAX: Duration = Duration::from_secs(300);
/// Failures older than this are forgotten.
pub const FORGET_AFTER: Duration = Duration::from_secs(900);
/// Lines of each table; the longest untouched makes room.
pub const LINES_MAX: usize = 4096;

#[derive(Debug, Clone, Copy)]
struct Line {
    failures: u32,
    last: Instant,
}

#[derive(Debug, Default)]
pub struct Throttle {
    sources: BTreeMap<IpAddr, Line>,
    accounts: BTreeMap<AgentId, Line>,
    /// Sources that signed in to an account.
    known: BTreeMap<(IpAddr, AgentId), Instant>,
}

impl Throttle {
    /// How long this attempt has to wait, if it has to. Counts the attempt as failed until [`Throttle::succeeded`]
    /// says otherwise, so that attempts made at once are counted as well.
    pub fn attempt(&mut self, now: Instant, source: IpAddr, account: &AgentId) -> Result<(), Duration> {
        let by_source = left(self.sources.get(&source), SOURCE_FAILURES_FREE, now);
        let known = self.known.contains_key(&(source, account.clone()));
        let by_account = if known { None } else { left(self.accounts.get(account), ACCOUNT_FAILURES_FREE, now) };
        if let Some(wait) = by_source.max(by_account) {
            return Err(wait);
        }
        count(&mut self.sources, source, now);
        count(&mut self.accounts, account.clone(), now);
        Ok(())
    }

    /// The attempt was right: it takes back what it counted, and the source is known from here on.
    pub fn succeeded(&mut self, now: Instant, source: IpAddr, account: &AgentId) {
        take_back(&mut self.sources, &source);
        if self.accounts.get(account).is_some_and(|line| line.failures <= ACCOUNT_FAILURES_FREE) {
            self.accounts.remove(account);
        }
        make_room(&mut self.known, |last| *last);
        self.known.insert((source, account.clone()), now);
    }
}

fn left(line: Option<&Line>, free: u32, now: Instant) -> Option<Duration> {
    let line = line?;
    let since = now.saturating_duration_since(line.last);
    if since >= FORGET_AFTER {
        return None;
    }
    let over = line.failures.checked_sub(free)?;
    let wait = WAIT_FIRST.saturating_mul(1u32.checked_shl(over.min(16)).unwrap_or(u32::MAX)).min(WAIT_MAX);
    wait.checked_sub(since).filter(|left| !left.is_zero())
}

fn count<K: Ord + Clone>(lines: &mut BTreeMap<K, Line>, key: K, now: Instant) {
    if !lines.contains_key(&key) {
        make_room(lines, |line| line.last);
    }
    let line = lines.entry(key).or_insert(Line { failures: 0, last: now });
    if now.saturating_duration_since(line.last) >= FORGET_AFTER {
        line.failures = 0;
    }
    *line = Line { failures: line.failures.saturating_add(1), last: now };
}

fn take_back<K: Ord>(lines: &mut BTreeMap<K, Line>, key: &K) {
    if let Some(line) = lines.get_mut(key) {
        line.failures = line.failures.saturating_sub(1);
    }
}

fn make_room<K: Ord + Clone, V>(lines: &mut BTreeMap<K, V>, last: impl Fn(&V) -> Instant) {
    while lines.len() >= LINES_MAX {
        let Some(oldest) = lines.iter().min_by_key(|(_, line)| last(line)).map(|(key, _)| key.clone()) else { return };
        lines.remove(&oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2));

    fn agent(text: &str) -> AgentId {
        AgentId::new(text).unwrap()
    }

    #[test]
    fn an_account_waits_after_five_failures_and_each_wait_is_longer() {
        let (mut throttle, mut now) = (Throttle::default(), Instant::now());
        for _ in 0..ACCOUNT_FAILURES_FREE {
            assert_eq!(throttle.attempt(now, HERE, &agent("li")), Ok(()));
        }
        let first = throttle.attempt(now, HERE, &agent("li")).unwrap_err();
        assert_eq!(throttle.attempt(now, HERE, &agent("wang")), Ok(()), "another account is free");
        now += first;
        assert_eq!(throttle.attempt(now, HERE, &agent("li")), Ok(()));
        let second = throttle.attempt(now, HERE, &agent("li")).unwrap_err();
        assert!(second > first, "{second:?} after {first:?}");
        now += FORGET_AFTER;
        assert_eq!(throttle.attempt(now, HERE, &agent("li")), Ok(()));
    }

    #[test]
    fn one_source_cannot_try_one_password_on_everybody() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        let refused = (0..100).filter(|n| throttle.attempt(now, HERE, &agent(&format!("a{n}"))).is_err()).count();
        assert_eq!(refused, 100 - SOURCE_FAILURES_FREE as usize);
        assert_eq!(throttle.attempt(now, THERE, &agent("b")), Ok(()));
    }

    #[test]
    fn an_attack_from_elsewhere_does_not_lock_out_a_known_source() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        throttle.attempt(now, HERE, &agent("li")).unwrap();
        throttle.succeeded(now, HERE, &agent("li"));
        while throttle.attempt(now, THERE, &agent("li")).is_ok() {}
        assert_eq!(throttle.attempt(now, HERE, &agent("li")), Ok(()));
    }

    #[test]
    fn right_sign_ins_of_a_whole_branch_are_never_throttled() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        for n in 0..200 {
            let who = agent(&format!("a{n}"));
            assert_eq!(throttle.attempt(now, HERE, &who), Ok(()));
            throttle.succeeded(now, HERE, &who);
        }
    }

    #[test]
    fn a_full_table_forgets_the_longest_untouched() {
        let (mut throttle, start) = (Throttle::default(), Instant::now());
        for n in 0..=LINES_MAX as u32 {
            let source = IpAddr::V4(std::net::Ipv4Addr::from_bits(n));
            let now = start + Duration::from_millis(n.into());
            throttle.attempt(now, source, &agent(&format!("a{n}"))).unwrap();
        }
        assert_eq!((throttle.sources.len(), throttle.accounts.len()), (LINES_MAX, LINES_MAX));
        assert!(!throttle.accounts.contains_key(&agent("a0")));
    }
}
