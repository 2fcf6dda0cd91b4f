//! Where datagrams wait between the threads that read sockets and the engine. What is new and cannot be served in time is
//! refused by the reading thread itself, before the engine hears of it, so that no stall of the engine makes the kernel
//! choose what is lost. Who matters how much is decided by `sip::arrivals`.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use call::Calls;
use model::config::Config;
use sip::{
    arrivals::{Arrivals, Dropped, Limits, Turn, Who, refusal},
    endpoint::{Flow, NEIGHBOURS_MAX, Transport},
};
use tokio::sync::Notify;

/// Neighbours beyond which it is looked who has gone.
const CROWDED: usize = NEIGHBOURS_MAX / 10 * 9;

pub struct Reception {
    waiting: Mutex<Arrivals>,
    known: RwLock<Known>,
    /// Rings when something waits.
    bell: Notify,
    /// What did not get in, by cause and answer, since it was last asked.
    turned_away: Mutex<BTreeMap<(&'static str, Option<u16>), u64>>,
    /// What the kernel dropped at our sockets.
    kernel_dropped: AtomicU64,
    product: String,
}

/// Whom the engine knows, as far as the reading threads must.
#[derive(Default)]
struct Known {
    peers: BTreeSet<SocketAddr>,
    neighbours: BTreeSet<SocketAddr>,
    /// None: there is no configuration yet.
    site: Option<Arc<Config>>,
}

/// What waits at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    pub datagrams: usize,
    pub bytes: usize,
    /// Calls a second that may begin; None: there is no limit.
    pub rate: Option<u64>,
}

impl Reception {
    /// `secret` keys the tables of sources; `product` names us in refusals.
    pub fn new(now: Instant, secret: u64, product: &str) -> Self {
        Self {
            waiting: Mutex::new(Arrivals::new(now, Limits::default(), secret)),
            known: RwLock::default(),
            bell: Notify::new(),
            turned_away: Mutex::default(),
            kernel_dropped: AtomicU64::new(0),
            product: product.into(),
        }
    }

    /// Everything that came at one moment to the socket at `local`; what is to be answered at once, and where.
    pub fn arrive<'a>(
        &self,
        now: Instant,
        local: SocketAddr,
        datagrams: impl Iterator<Item = (SocketAddr, &'a [u8])>,
    ) -> Vec<(SocketAddr, Bytes)> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let site = known.site.as_deref();
        let emergency = |dialled: &str| site.is_some_and(|site| call::route::is_emergency(site, dialled));
        let (mut turned_away, mut refused, mut waits) = (Vec::new(), Vec::new(), false);
        let mut waiting = self.waiting();
        for (remote, bytes) in datagrams {
            let flow = Flow { transport: Transport::Udp, local, remote, connection: 0 };
            let is_known = known.neighbours.contains(&remote) || known.peers.contains(&remote);
            match waiting.arrive(now, flow, bytes, &Who { known: is_known, emergency: &emergency }) {
                Ok(()) => waits = true,
                Err(Dropped::Busy) => refused.push((flow, bytes)),
                Err(dropped) => turned_away.extend(dropped.cause().map(|cause| (cause, None))),
            }
        }
        drop(waiting);
        drop(known);
        if waits {
            self.bell.notify_one();
        }
        let answers: Vec<_> = refused
            .into_iter()
            .filter_map(|(flow, bytes)| refusal(&self.product, flow, bytes))
            .map(|(flow, bytes)| (flow.remote, bytes))
            .collect();
        turned_away.extend(answers.iter().map(|_| ("overload", Some(503))));
        if !turned_away.is_empty() {
            let mut counts = self.turned_away.lock().unwrap_or_else(PoisonError::into_inner);
            turned_away.into_iter().for_each(|what| *counts.entry(what).or_default() += 1);
        }
        answers
    }

    /// The kernel dropped so many more.
    pub fn lost(&self, count: u64) {
        self.kernel_dropped.fetch_add(count, Ordering::Relaxed);
    }

    /// Until something waits. Safe to cancel.
    pub async fn wait(&self) {
        while self.is_empty() {
            self.bell.notified().await;
        }
    }

    pub fn is_empty(&self) -> bool {
        self.waiting().is_empty()
    }

    /// The next one's turn; see [`Arrivals::next`].
    pub fn next(&self, now: Instant, pressed: bool) -> Option<Turn> {
        self.waiting().next(now, pressed)
    }

    /// See [`Arrivals::note`].
    pub fn note(&self, now: Instant, others: Duration) {
        self.waiting().note(now, others);
    }

    /// The 503 to what waited too long, and where it goes.
    pub fn refusal(&self, flow: Flow, bytes: &[u8]) -> Option<(Flow, Bytes)> {
        refusal(&self.product, flow, bytes)
    }

    /// The configuration that is in force.
    pub fn configured(&self, site: Arc<Config>) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).site = Some(site);
    }

    /// Where trunks' peers are.
    pub fn trust(&self, peers: BTreeSet<SocketAddr>) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).peers = peers;
    }

    /// Whether the engine has said that it knows somebody there.
    pub fn knows(&self, remote: SocketAddr) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.neighbours.contains(&remote) || known.peers.contains(&remote)
    }

    /// Somebody there has proved a password.
    pub fn met(&self, remote: SocketAddr) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.neighbours.len() < NEIGHBOURS_MAX {
            known.neighbours.insert(remote);
        }
    }

    /// When hardly anybody new finds a place: forgets whom the engine knows no longer.
    pub fn forget(&self, lines: &Calls) {
        if self.known.read().unwrap_or_else(PoisonError::into_inner).neighbours.len() < CROWDED {
            return;
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.neighbours.retain(|remote| {
            lines.knows(Flow { transport: Transport::Udp, local: *remote, remote: *remote, connection: 0 })
        });
    }

    /// What did not get in since it was last asked, by cause and answer.
    pub fn turned_away(&self) -> BTreeMap<(&'static str, Option<u16>), u64> {
        std::mem::take(&mut *self.turned_away.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What the kernel dropped since it was last asked.
    pub fn kernel_dropped(&self) -> u64 {
        self.kernel_dropped.swap(0, Ordering::Relaxed)
    }

    pub fn load(&self) -> Load {
        let waiting = self.waiting();
        Load { datagrams: waiting.len(), bytes: waiting.bytes(), rate: waiting.rate() }
    }

    fn waiting(&self) -> MutexGuard<'_, Arrivals> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], port))
    }

    fn invite(n: u32) -> String {
        format!(
            "INVITE sip:a@h SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK{n}\r\nFrom: <sip:b@h>;tag=1\r\n\
             To: <sip:a@h>\r\nCall-ID: {n}\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
        )
    }

    #[tokio::test]
    async fn who_comes_too_late_is_refused_by_the_thread_that_reads_and_the_engine_hears_of_the_others() {
        let start = Instant::now();
        let reception = Reception::new(start, 7, "Branchline");
        reception.met(at(5070));
        let arrive = |ms, n| {
            let text = invite(n);
            let now = start + Duration::from_millis(ms);
            reception.arrive(now, at(5060), [(at(5070), text.as_bytes())].into_iter())
        };
        assert!(arrive(0, 1).is_empty());
        reception.wait().await;
        let refused = arrive(60, 2);
        let [(to, text)] = refused.as_slice() else { panic!("{refused:?}") };
        assert_eq!(*to, at(5070));
        assert!(text.starts_with(b"SIP/2.0 503 Service Unavailable\r\n"), "{text:?}");
        assert_eq!(reception.turned_away(), BTreeMap::from([(("overload", Some(503)), 1)]));
        assert_eq!(reception.load().datagrams, 1);
    }

    #[test]
    fn trunks_and_whoever_proved_a_password_are_known_and_no_more_than_may_be() {
        let reception = Reception::new(Instant::now(), 7, "Branchline");
        reception.trust([at(5060)].into());
        reception.met(at(5070));
        assert_eq!([5_060, 5_070, 5_071].map(|port| reception.knows(at(port))), [true, true, false]);
        for n in 0..u32::try_from(NEIGHBOURS_MAX).unwrap_or(u32::MAX) {
            reception.met(SocketAddr::from((std::net::Ipv4Addr::from(n), 5_060)));
        }
        reception.met(at(5_072));
        assert!(!reception.knows(at(5_072)));
    }
}
