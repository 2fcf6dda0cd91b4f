//! Datagrams between the socket and the endpoint, while more come than can be served: calls in progress first, then
//! emergencies, then whom we know, then strangers. A new call that waited too long is refused by 503 (RFC 3261
//! §21.5.4), before anything of it is kept; what a stranger sends too late is dropped, and SIP repeats it. So the work
//! that is begun is finished, whatever is offered (RFC 6357 §5). While the first of its kind is late already, or calls in
//! progress are ([`pace`]), what is new is refused when it arrives and does not wait at all.
//!
//! Within a rank the first comes first. The youngest first would answer more of those who still listen where a queue
//! outgrows their patience; here none does, for what waited 50 ms is refused, ten times sooner than SIP repeats it.
//!
//! Whom we know is the endpoint's answer ([`crate::endpoint::Endpoint::knows`]); when there is time for the next, the
//! shell's. No source is ever shut out (S-08): one that asks for more than its share waits behind the others.

mod begun;
pub mod pace;
pub mod peek;
mod refusal;
mod sources;

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::endpoint::Flow;
use begun::Begun;
use pace::Pace;
use peek::Peek;
pub use sources::{Rate, Sources};

/// How much a datagram matters, the first the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// Of a call or a transaction that we have, from whom we know.
    InCall,
    /// An INVITE to an emergency number.
    Emergency,
    /// Something new from a trunk or a registered phone.
    Known,
    /// The same, from one that asks for more than its share.
    Greedy,
    /// Something from whoever it may be.
    Stranger,
    /// The same, from one that asks for more than its share.
    Pushy,
}

const RANKS: usize = 6;

/// Everything has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Datagrams that wait in one rank.
    pub waiting: usize,
    /// Bytes that wait altogether.
    pub bytes: usize,
    /// How long something new of a known sender may wait. An answer within this is one that nobody notices.
    pub patience: Duration,
    /// The same of a stranger: shorter than the first repetition (T1), so that only one copy is answered.
    pub patience_of_strangers: Duration,
    /// What a trunk or a registered phone may begin before it counts as greedy.
    pub known: Rate,
    /// What one address of strangers may begin before it counts as pushy.
    pub strangers: Rate,
    /// Emergency calls of all strangers together; more are strangers like any other.
    pub emergencies_of_strangers: Rate,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            waiting: 4_096,
            bytes: 16 << 20,
            patience: Duration::from_millis(50),
            patience_of_strangers: Duration::from_millis(400),
            known: Rate { per_second: 100, burst: 200 },
            strangers: Rate { per_second: 20, burst: 100 },
            emergencies_of_strangers: Rate { per_second: 20, burst: 40 },
        }
    }
}

struct Waiting {
    since: Instant,
    flow: Flow,
    bytes: Bytes,
    /// Of an INVITE that is new.
    mark: Option<u64>,
}

/// How much a datagram matters, and what it is beside.
struct Sorted {
    rank: Rank,
    is_invite: bool,
    mark: Option<u64>,
}

/// What to do with a datagram whose turn it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// Give it to the endpoint.
    Serve { flow: Flow, bytes: Bytes },
    /// Too late, or too much: answer by [`refusal`], if there is one.
    Refuse { flow: Flow, bytes: Bytes },
    /// Too late, and of nobody we know: nothing is answered.
    Drop,
}

/// Why a datagram does not even wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Dropped {
    #[error("more datagrams wait than may")]
    Full,
    /// To be answered by [`refusal`]: of somebody known, and it would be served too late.
    #[error("more calls than can be served in time")]
    Busy,
    /// The same, of a stranger, who is not answered.
    #[error("strangers wait too long already")]
    Late,
    #[error("not SIP")]
    NotSip,
    /// RFC 5626 §3.5.1: blank lines that hold a NAT open.
    #[error("nothing but blank lines")]
    Blank,
    /// The ACK of a refusal, which nothing waits for.
    #[error("the end of a refused call")]
    Over,
}

impl Dropped {
    /// For the counters; None for what is no fault.
    pub fn cause(self) -> Option<&'static str> {
        match self {
            Self::Full => Some("full"),
            Self::Busy => Some("overload"),
            Self::Late => Some("late"),
            Self::NotSip => Some("not_sip"),
            Self::Blank | Self::Over => None,
        }
    }
}

/// What is known of a sender without reading what it says.
pub struct Who<'a> {
    /// A trunk's peer, or whoever proved a password from there.
    pub known: bool,
    /// Whether a dialled text is an emergency number, exactly.
    pub emergency: &'a dyn Fn(&str) -> bool,
}

pub struct Arrivals {
    limits: Limits,
    secret: u64,
    lanes: [VecDeque<Waiting>; RANKS],
    bytes: usize,
    known: Sources,
    strangers: Sources,
    emergencies: Sources,
    begun: Begun,
    pace: Pace,
}

impl Arrivals {
    /// `secret` keys the tables of sources.
    pub fn new(now: Instant, limits: Limits, secret: u64) -> Self {
        let sources = |rate| Sources::new(secret, rate);
        let (known, strangers) = (sources(limits.known), sources(limits.strangers));
        let emergencies = sources(limits.emergencies_of_strangers);
        let (begun, pace) = (Begun::default(), Pace::new(now));
        Self { limits, secret, lanes: Default::default(), bytes: 0, known, strangers, emergencies, begun, pace }
    }

    pub fn is_empty(&self) -> bool {
        self.lanes.iter().all(VecDeque::is_empty)
    }

    pub fn len(&self) -> usize {
        self.lanes.iter().map(VecDeque::len).sum()
    }

    /// Bytes that wait.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Calls a second that may begin; None: there is no limit.
    pub fn rate(&self) -> Option<u64> {
        self.pace.rate()
    }

    /// `others`: how long what calls need beside SIP (ports, the ledger) is behind. To be said many times a second.
    pub fn note(&mut self, now: Instant, others: Duration) {
        let waited = self.waited(now, Rank::InCall);
        self.pace.note(now, waited.max(others));
    }

    /// How long the first of this rank waits.
    fn waited(&self, now: Instant, rank: Rank) -> Duration {
        let first = self.lanes.get(rank as usize).and_then(VecDeque::front);
        first.map_or(Duration::ZERO, |first| now.saturating_duration_since(first.since))
    }

    /// A datagram came from the network. It may be a buffer that is used again: what waits is copied.
    pub fn arrive(&mut self, now: Instant, flow: Flow, bytes: &[u8], who: &Who<'_>) -> Result<(), Dropped> {
        let sorted = self.sort(now, flow, bytes, who)?;
        let waited = self.waited(now, sorted.rank);
        match sorted.rank {
            Rank::InCall | Rank::Emergency => {}
            Rank::Known | Rank::Greedy if waited > self.limits.patience => return Err(Dropped::Busy),
            Rank::Known | Rank::Greedy if sorted.is_invite && !self.pace.take(now) => return Err(Dropped::Busy),
            Rank::Known | Rank::Greedy => {}
            Rank::Stranger | Rank::Pushy if waited > self.limits.patience_of_strangers => return Err(Dropped::Late),
            Rank::Stranger | Rank::Pushy => {}
        }
        self.put(now, sorted, flow, bytes)
    }

    fn sort(&mut self, now: Instant, flow: Flow, bytes: &[u8], who: &Who<'_>) -> Result<Sorted, Dropped> {
        let sorted = |rank| Sorted { rank, is_invite: false, mark: None };
        // RFC 5626 §3.5.2: a keep-alive that is no SIP.
        if crate::stun::answer(bytes, flow.remote).is_some() {
            return Ok(sorted(if who.known { Rank::Known } else { self.rank_of_stranger(now, flow) }));
        }
        // RFC 3261 §7.5: blank lines before the start-line are skipped.
        let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n' | 0)).count();
        if blank == bytes.len() {
            return Err(Dropped::Blank);
        }
        let bytes = bytes.get(blank..).unwrap_or_default();
        let message = Peek::at(bytes).ok_or(Dropped::NotSip)?;
        if message.is_ack_of_refusal() {
            return Err(Dropped::Over);
        }
        if !message.is_new() {
            return Ok(sorted(if who.known { Rank::InCall } else { Rank::Stranger }));
        }
        let is_invite = message.method == Some("INVITE");
        let mark = begun::mark(self.secret, bytes).filter(|_| is_invite);
        if who.known && mark.is_some_and(|mark| self.begun.has(mark)) {
            return Ok(sorted(Rank::InCall));
        }
        let emergency = is_invite && (who.emergency)(message.user);
        let rank = if who.known {
            match (emergency, self.known.take(now, flow.remote.ip(), flow.remote.port())) {
                (true, _) => Rank::Emergency,
                (false, true) => Rank::Known,
                (false, false) => Rank::Greedy,
            }
        } else {
            const EVERYBODY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
            match self.rank_of_stranger(now, flow) {
                Rank::Stranger if emergency && self.emergencies.take(now, EVERYBODY, 0) => Rank::Emergency,
                rank => rank,
            }
        };
        Ok(Sorted { rank, is_invite, mark })
    }

    fn rank_of_stranger(&mut self, now: Instant, flow: Flow) -> Rank {
        if self.strangers.take(now, flow.remote.ip(), 0) { Rank::Stranger } else { Rank::Pushy }
    }

    fn put(&mut self, now: Instant, sorted: Sorted, flow: Flow, bytes: &[u8]) -> Result<(), Dropped> {
        let Sorted { rank, mark, .. } = sorted;
        let total = self.bytes.saturating_add(bytes.len());
        let Some(lane) = self.lanes.get_mut(rank as usize) else { return Err(Dropped::Full) };
        // The last quarter of the memory is for calls in progress.
        let bytes_max = if rank == Rank::InCall { self.limits.bytes } else { self.limits.bytes / 4 * 3 };
        if lane.len() >= self.limits.waiting || total > bytes_max {
            return Err(Dropped::Full);
        }
        self.bytes = total;
        lane.push_back(Waiting { since: now, flow, bytes: Bytes::copy_from_slice(bytes), mark });
        Ok(())
    }

    /// The next one's turn. `pressed`: what new calls need beside us (ports, the ledger) is behind, so none begins.
    pub fn next(&mut self, now: Instant, pressed: bool) -> Option<Turn> {
        let (rank, lane) = RANK_ORDER.iter().zip(&mut self.lanes).find(|(_, lane)| !lane.is_empty())?;
        let Waiting { since, flow, bytes, mark } = lane.pop_front()?;
        self.bytes = self.bytes.saturating_sub(bytes.len());
        let waited = now.saturating_duration_since(since);
        let turn = match rank {
            Rank::InCall | Rank::Emergency => Turn::Serve { flow, bytes },
            Rank::Known | Rank::Greedy if pressed || waited > self.limits.patience => Turn::Refuse { flow, bytes },
            Rank::Stranger | Rank::Pushy if pressed || waited > self.limits.patience_of_strangers => Turn::Drop,
            Rank::Known | Rank::Greedy | Rank::Stranger | Rank::Pushy => Turn::Serve { flow, bytes },
        };
        if let (Turn::Serve { .. }, Some(mark)) = (&turn, mark) {
            self.begun.add(mark);
        }
        Some(turn)
    }
}

const RANK_ORDER: [Rank; RANKS] =
    [Rank::InCall, Rank::Emergency, Rank::Known, Rank::Greedy, Rank::Stranger, Rank::Pushy];

/// RFC 3261 §21.5.4: seconds after which an overloaded box may be asked again, at the soonest and the latest: who was
/// refused together is not to come back together.
pub const RETRY_AFTER_S: std::ops::RangeInclusive<u32> = 5..=10;

/// One of these, the same for the same `draw`.
pub fn retry_after_s(draw: u64) -> u32 {
    let span = RETRY_AFTER_S.end().saturating_sub(*RETRY_AFTER_S.start()).saturating_add(1);
    let offset = draw.checked_rem(span.into()).and_then(|offset| u32::try_from(offset).ok()).unwrap_or(0);
    RETRY_AFTER_S.start().saturating_add(offset)
}

/// The 503 to a new request and where it goes, without a word being kept. None: it is no request that is answered.
/// `product` is for Server.
pub fn refusal(product: &str, flow: Flow, bytes: &[u8]) -> Option<(Flow, Bytes)> {
    let message = Peek::at(bytes)?;
    message.method.filter(|method| *method != "ACK")?;
    let draw = sources::mixed(0, bytes);
    let tag = format!("{}{draw:016x}", peek::REFUSED);
    let says = refusal::Says { tag: &tag, product, retry_after_s: retry_after_s(draw >> 32) };
    let plainly = refusal::plain(bytes, flow.remote, &says);
    let in_full = || {
        crate::front::overloaded(
            &Bytes::copy_from_slice(bytes),
            flow.remote,
            says.tag,
            says.product,
            says.retry_after_s,
        )
    };
    let (remote, bytes) = plainly.or_else(in_full)?;
    Some((Flow { remote, ..flow }, bytes))
}

#[cfg(test)]
mod tests;
