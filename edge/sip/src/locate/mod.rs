//! Where a trunk that is known by name is reached (RFC 3263): what to ask of DNS and when, what its answers mean, and
//! how long they are believed. Sockets, files and the resolver are the shell's.
//!
//! Nobody waits for it. Names are asked for when they are configured and again when their answers grow old; calls take
//! what is known at that moment. When DNS dies or denies everything, the last targets stay for [`STALE_MAX`].

mod cache;
mod select;
#[cfg(test)]
mod tests;
mod wish;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use crate::endpoint::Transport;
use cache::Cache;

pub use select::order;
pub use wish::Wish;

/// Targets that DNS no longer confirms are used for so long (RFC 8767 §5 speaks of days; a branch may be cut off for a
/// week, and who answers at an old address proves itself or is refused).
pub const STALE_MAX: Duration = Duration::from_secs(7 * 24 * 3_600);
/// An answer is believed at least and at most for so long, whatever its TTL says.
pub const TTL_S: std::ops::RangeInclusive<u32> = 30..=86_400;
/// The same for "there is no such record" (RFC 2308 §5 allows up to three hours).
pub const NEGATIVE_TTL_S: std::ops::RangeInclusive<u32> = 30..=900;
/// A question without an answer is asked again after this.
pub const RETRY: Duration = Duration::from_secs(15);
/// Names that are looked up; what is configured beyond keeps its address.
pub const NAMES_MAX: usize = 64;
/// Of each kind in one answer; more is left unread.
pub const RECORDS_MAX: usize = 16;
/// Of one trunk.
pub const TARGETS_MAX: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Naptr,
    Srv,
    A,
    Aaaa,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Question {
    /// In lower case, without the last dot.
    pub name: String,
    pub kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// RFC 3403 §4.1. A rule with an expression is not one of ours, and is left out by who reads the answer.
    Naptr {
        order: u16,
        preference: u16,
        flags: String,
        service: String,
        replacement: String,
    },
    /// RFC 2782; `target` is empty for "the service is not here".
    Srv {
        priority: u16,
        weight: u16,
        port: u16,
        target: String,
    },
    Address(IpAddr),
}

/// What DNS said; no records: there are none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub records: Vec<Record>,
    /// The smallest of the records', or that of the denial.
    pub ttl_s: u32,
}

/// One place where a trunk may be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Which of the services it belongs to; the least is tried first.
    pub rank: u16,
    pub priority: u16,
    pub weight: u16,
    pub transport: Transport,
    /// Of one host, in the order in which they are tried; never empty.
    pub addresses: Vec<SocketAddr>,
}

/// What this box can use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Means {
    pub transports: BTreeSet<Transport>,
    pub v4: bool,
    pub v6: bool,
}

#[derive(Debug, Clone)]
pub enum Input {
    /// Trunk → its name. What is no longer listed is forgotten.
    Configure(BTreeMap<String, Wish>),
    /// None: nobody answered, or the server could not.
    Answered { question: Question, answer: Option<Answer> },
    /// What an earlier life knew, and how old it is.
    Restore { trunk: String, wish: Wish, targets: Vec<Target>, age: Duration },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    Ask(Question),
    /// Where the trunk is, whenever that has changed; empty when it is not known (any more).
    Located {
        trunk: String,
        targets: Vec<Target>,
    },
    /// DNS has confirmed what is known: it is worth keeping for a next life.
    Confirmed {
        trunk: String,
        wish: Wish,
        targets: Vec<Target>,
    },
}

struct Known {
    targets: Vec<Target>,
    confirmed: Instant,
    /// When the shell last heard that it is worth keeping.
    told: Option<Instant>,
}

/// What is kept on disk is renewed this often while it stays the same.
const TELL_EVERY: Duration = Duration::from_secs(3_600);

pub struct Locator {
    means: Means,
    wishes: BTreeMap<String, Wish>,
    known: BTreeMap<String, Known>,
    cache: Cache,
    out: VecDeque<Output>,
}

impl Locator {
    pub fn new(means: Means) -> Self {
        Self { means, wishes: BTreeMap::new(), known: BTreeMap::new(), cache: Cache::default(), out: VecDeque::new() }
    }

    pub fn handle_input(&mut self, now: Instant, input: Input) {
        match input {
            Input::Configure(wishes) => {
                let wishes: BTreeMap<String, Wish> = wishes.into_iter().take(NAMES_MAX).collect();
                let gone = |trunk: &String| wishes.get(trunk) != self.wishes.get(trunk);
                let gone: Vec<String> = self.wishes.keys().filter(|trunk| gone(trunk)).cloned().collect();
                for trunk in gone {
                    self.forget(&trunk);
                }
                self.wishes = wishes;
            }
            Input::Answered { question, answer } => self.cache.answered(now, question, answer),
            Input::Restore { trunk, wish, targets, age } => {
                let since = now.checked_sub(age).filter(|_| age < STALE_MAX);
                let fits = self.wishes.get(&trunk) == Some(&wish) && !self.known.contains_key(&trunk);
                if let Some(confirmed) = since.filter(|_| fits && !targets.is_empty()) {
                    self.out.push_back(Output::Located { trunk: trunk.clone(), targets: targets.clone() });
                    self.known.insert(trunk, Known { targets, confirmed, told: None });
                }
            }
        }
        self.look(now);
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        let is_stale = |known: &Known| now.saturating_duration_since(known.confirmed) >= STALE_MAX;
        let stale: Vec<String> =
            self.known.iter().filter(|(_, k)| is_stale(k)).map(|(trunk, _)| trunk.clone()).collect();
        for trunk in stale {
            self.forget(&trunk);
        }
        self.cache.expire(now);
        self.look(now);
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        let stale = self.known.values().filter_map(|known| known.confirmed.checked_add(STALE_MAX)).min();
        [self.cache.next_expiry(), stale].into_iter().flatten().min()
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    fn forget(&mut self, trunk: &str) {
        if self.known.remove(trunk).is_some() {
            self.out.push_back(Output::Located { trunk: trunk.to_string(), targets: Vec::new() });
        }
    }

    /// Walks every name through what was answered, and asks for what is missing.
    fn look(&mut self, now: Instant) {
        let mut needed = BTreeSet::new();
        for (trunk, wish) in &self.wishes {
            let mut walk = select::Walk::new(&self.cache, &self.means);
            let found = walk.targets(wish);
            let (failed, missing, visited) = (walk.failed, walk.missing, walk.visited);
            let renewed = !failed && self.cache.news(&visited);
            needed.extend(visited);
            let known = self.known.get(trunk);
            // What DNS denies or leaves half answered changes nothing while there is something to go on with.
            if missing || found.is_empty() || (failed && known.is_some()) {
                continue;
            }
            let changed = known.is_none_or(|known| known.targets != found);
            if !changed && !renewed {
                continue;
            }
            if changed {
                self.out.push_back(Output::Located { trunk: trunk.clone(), targets: found.clone() });
            }
            let mut told = known.and_then(|known| known.told).filter(|_| !changed);
            if !failed && told.is_none_or(|told| now.saturating_duration_since(told) >= TELL_EVERY) {
                let (trunk, wish, targets) = (trunk.clone(), wish.clone(), found.clone());
                self.out.push_back(Output::Confirmed { trunk, wish, targets });
                told = Some(now);
            }
            self.known.insert(trunk.clone(), Known { targets: found, confirmed: now, told });
        }
        self.cache.read(&needed);
        self.out.extend(self.cache.ask(&needed).into_iter().map(Output::Ask));
    }
}
