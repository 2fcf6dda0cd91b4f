//! The addresses of each trunk: those that DNS gave for its name (RFC 3263) and the configured one, and which of them
//! failed a moment ago. Looking costs no time: an emergency call takes what is known.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::endpoint::{Config, Flow, Transport, Trunk};
use crate::ids::Ids;
use crate::locate::{self, Target};

/// An address that failed comes after the others for so long.
pub const SHUN: Duration = Duration::from_secs(60);
/// Addresses that are shunned at once; the oldest are forgotten.
const SHUNNED_MAX: usize = 1_024;

/// One way to a trunk's peer.
pub type Way = (Transport, SocketAddr);

#[derive(Default)]
pub struct Reach {
    located: BTreeMap<String, Vec<Target>>,
    shunned: BTreeMap<Way, Instant>,
    /// Those that asked to be left alone themselves.
    resting: BTreeMap<Way, Instant>,
    /// Connections whose other end showed a trunk's certificate; the shell says when they are closed.
    proved: BTreeMap<u64, String>,
}

impl Reach {
    pub fn located(&mut self, trunk: String, targets: Vec<Target>) {
        if targets.is_empty() {
            self.located.remove(&trunk);
        } else {
            self.located.insert(trunk, targets);
        }
    }

    pub fn proved(&mut self, connection: u64, trunk: String) {
        self.proved.insert(connection, trunk);
    }

    pub fn unproved(&mut self, connection: u64) {
        self.proved.remove(&connection);
    }

    /// Whose certificate was shown on this connection.
    pub fn certificate(&self, flow: Flow) -> Option<&str> {
        let trunk = self.proved.get(&flow.connection)?;
        (flow.connection != 0 && flow.transport == Transport::Tls).then_some(trunk)
    }

    /// In the order in which a request tries them. By address there is one; by name, what DNS said, then the configured
    /// address, when there is one; those that failed a moment ago come last.
    pub fn ways(&self, config: &Config, name: &str, now: Instant, ids: &mut Ids) -> Vec<Way> {
        let Some(trunk) = config.trunks.get(name) else { return Vec::new() };
        let mut ways = match self.located.get(name).filter(|_| config.names.contains_key(name)) {
            Some(targets) => locate::order(targets, |below| ids.below(below)),
            None => Vec::new(),
        };
        if let Some(way) = configured(trunk).filter(|way| !ways.contains(way)) {
            ways.push(way);
        }
        ways.sort_by_key(|way| self.is_shunned(*way, now));
        ways
    }

    /// Whether this is where the trunk's peer is, over its transport.
    pub fn is_peer(&self, config: &Config, name: &str, flow: Flow) -> bool {
        self.all(config, name).any(|way| way == (flow.transport, flow.remote))
    }

    /// Everything that the trunk's peer may speak from.
    pub fn all<'a>(&'a self, config: &'a Config, name: &'a str) -> impl Iterator<Item = Way> + 'a {
        let targets = self.located.get(name).filter(|_| config.names.contains_key(name)).into_iter().flatten();
        let by_name = targets.flat_map(|target| target.addresses.iter().map(|address| (target.transport, *address)));
        config.trunks.get(name).and_then(configured).into_iter().chain(by_name)
    }

    pub fn is_shunned(&self, way: Way, now: Instant) -> bool {
        self.shunned.get(&way).is_some_and(|until| *until > now)
    }

    pub fn failed(&mut self, now: Instant, way: Way) {
        keep(&mut self.shunned, now, way, SHUN);
    }

    /// RFC 3261 §21.5.4: it is not to be asked for so long. A call for help asks all the same when no other is left.
    pub fn asks_for_rest(&mut self, now: Instant, way: Way, rest: Duration) {
        keep(&mut self.shunned, now, way, rest.max(SHUN));
        keep(&mut self.resting, now, way, rest);
    }

    /// Every way to the trunk's peer leads to one that asked to be left alone.
    pub fn rests(&self, config: &Config, name: &str, now: Instant) -> bool {
        let mut ways = self.all(config, name).peekable();
        ways.peek().is_some() && ways.all(|way| self.resting.get(&way).is_some_and(|until| *until > now))
    }

    pub fn works(&mut self, way: Way) {
        self.shunned.remove(&way);
    }
}

fn keep(all: &mut BTreeMap<Way, Instant>, now: Instant, way: Way, time: Duration) {
    all.retain(|_, until| *until > now);
    while all.len() >= SHUNNED_MAX {
        let oldest = all.iter().min_by_key(|(_, until)| **until).map(|(way, _)| *way);
        oldest.map(|way| all.remove(&way));
    }
    if let Some(until) = now.checked_add(time) {
        let stands = all.entry(way).or_insert(until);
        *stands = until.max(*stands);
    }
}

/// The address in the configuration; `0.0.0.0` or `::` stands for none.
fn configured(trunk: &Trunk) -> Option<Way> {
    (!trunk.peer.ip().is_unspecified()).then_some((trunk.transport, trunk.peer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::TrunkRules;

    #[test]
    fn a_peer_that_asked_for_rest_is_tried_last_for_its_whole_time_and_rests_as_long_as_it_asked() {
        let way: Way = (Transport::Udp, "192.0.2.50:5060".parse().unwrap());
        let trunk = Trunk {
            peer: way.1,
            transport: way.0,
            registration: None,
            options_every_s: 0,
            rules: TrunkRules::default(),
        };
        let config = Config { trunks: [("vault".to_owned(), trunk)].into(), ..Config::default() };
        #[allow(clippy::disallowed_methods)]
        let now = Instant::now();
        let at = |seconds| now + Duration::from_secs(seconds);
        let mut reach = Reach::default();
        reach.failed(now, way);
        assert!(!reach.rests(&config, "vault", now), "who failed has asked for nothing");
        reach.asks_for_rest(now, way, Duration::from_secs(120));
        // The refusal that asks for it is a failure, too.
        reach.failed(now, way);
        assert!(reach.rests(&config, "vault", at(119)) && reach.is_shunned(way, at(119)));
        assert!(!reach.rests(&config, "vault", at(121)) && !reach.is_shunned(way, at(121)));
        assert!(!reach.rests(&config, "nobody", at(1)));
        reach.asks_for_rest(now, way, Duration::from_secs(10));
        assert!(!reach.rests(&config, "vault", at(121)), "a shorter word takes nothing back, and adds nothing");
        reach.works(way);
        assert!(!reach.is_shunned(way, at(1)), "it answers");
        assert!(reach.rests(&config, "vault", at(1)), "and still wants to be left alone");
    }
}
