//! RFC 3263 §4: from a name to targets, as far as the answers go; and RFC 2782: in which order a call tries them.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use super::cache::{Cache, Found};
use super::{Kind, Means, Question, RECORDS_MAX, Record, TARGETS_MAX, Target, Wish};
use crate::endpoint::Transport;

/// One walk through the cache.
pub struct Walk<'a> {
    cache: &'a Cache,
    means: &'a Means,
    pub visited: BTreeSet<Question>,
    /// Something is not answered yet; what was found so far may be wrong.
    pub missing: bool,
    /// Something could not be answered; what was found may not be all.
    pub failed: bool,
}

impl<'a> Walk<'a> {
    pub fn new(cache: &'a Cache, means: &'a Means) -> Self {
        Self { cache, means, visited: BTreeSet::new(), missing: false, failed: false }
    }

    pub fn targets(&mut self, wish: &Wish) -> Vec<Target> {
        let fallback = wish.transport.unwrap_or(if wish.secure { Transport::Tls } else { Transport::Udp });
        // §4.1, §4.2: with a port, neither NAPTR nor SRV is asked.
        if wish.port.is_some() {
            return self.direct(wish, fallback);
        }
        let mut targets = Vec::new();
        let mut is_served = false;
        for (rank, (transport, name)) in self.services(wish).into_iter().enumerate() {
            let rank = u16::try_from(rank).unwrap_or(u16::MAX);
            for record in self.ask(&name, Kind::Srv) {
                let Record::Srv { priority, weight, port, target } = record else { continue };
                is_served = true;
                let addresses = if target.is_empty() { Vec::new() } else { self.addresses(target, *port) };
                if !addresses.is_empty() && targets.len() < TARGETS_MAX {
                    targets.push(Target { rank, priority: *priority, weight: *weight, transport, addresses });
                }
            }
        }
        targets.sort_by_key(|target| (target.rank, target.priority));
        // §4.2: no SRV records at all; or a router on the way knows nothing but addresses, which is better than nothing.
        if !is_served && !self.missing {
            return self.direct(wish, fallback);
        }
        targets
    }

    /// The transports in the order of preference, and where their SRV records are.
    fn services(&mut self, wish: &Wish) -> Vec<(Transport, String)> {
        let means = self.means;
        let usable = |transport: &Transport| {
            means.transports.contains(transport) && (!wish.secure || *transport == Transport::Tls)
        };
        if let Some(transport) = wish.transport {
            return usable(&transport).then(|| (transport, service(transport, &wish.host))).into_iter().collect();
        }
        let mut rules: Vec<(u16, u16, Transport, &str)> = Vec::new();
        for record in self.ask(&wish.host, Kind::Naptr) {
            let Record::Naptr { order, preference, flags, service, replacement } = record else { continue };
            let transport = Some(flags).filter(|flags| flags.eq_ignore_ascii_case("s")).and_then(|_| of_naptr(service));
            if let Some(transport) = transport.filter(usable)
                && !replacement.is_empty()
            {
                rules.push((*order, *preference, transport, replacement));
            }
        }
        rules.sort();
        // RFC 3403 §4.1: beyond the lowest order with something for us nothing is looked at.
        let best = rules.first().map(|rule| rule.0);
        let chosen = rules.into_iter().filter(|rule| Some(rule.0) == best);
        let chosen: Vec<_> = chosen.map(|(_, _, transport, name)| (transport, name.to_string())).collect();
        if !chosen.is_empty() {
            return chosen;
        }
        // §4.1: without NAPTR the SRV records of every transport that may be used.
        let ours = if wish.secure { &[Transport::Tls][..] } else { &[Transport::Udp, Transport::Tcp] };
        ours.iter().filter(|one| usable(one)).map(|one| (*one, service(*one, &wish.host))).collect()
    }

    /// The name's own addresses.
    fn direct(&mut self, wish: &Wish, transport: Transport) -> Vec<Target> {
        if !self.means.transports.contains(&transport) {
            return Vec::new();
        }
        let addresses = self.addresses(&wish.host, wish.port.unwrap_or_else(|| transport.default_port()));
        let found = (!addresses.is_empty()).then_some(Target { rank: 0, priority: 0, weight: 0, transport, addresses });
        found.into_iter().collect()
    }

    fn addresses(&mut self, host: &str, port: u16) -> Vec<SocketAddr> {
        let (v4, v6) = (self.means.v4, self.means.v6);
        let kinds = [(Kind::Aaaa, v6), (Kind::A, v4)].into_iter().filter(|(_, usable)| *usable);
        let mut found: Vec<IpAddr> = Vec::new();
        for (kind, _) in kinds {
            for record in self.ask(host, kind) {
                if let Record::Address(ip) = record
                    && is_host(*ip)
                    && ip.is_ipv4() == (kind == Kind::A)
                    && !found.contains(ip)
                {
                    found.push(*ip);
                }
            }
        }
        found.into_iter().map(|ip| SocketAddr::new(ip, port)).collect()
    }

    fn ask(&mut self, name: &str, kind: Kind) -> &'a [Record] {
        let question = Question { name: name.to_ascii_lowercase(), kind };
        let found = match self.cache.find(&question) {
            Found::Records(records) => records.get(..RECORDS_MAX).unwrap_or(records),
            Found::Failed => {
                self.failed = true;
                &[]
            }
            Found::Nothing => {
                self.missing = true;
                &[]
            }
        };
        self.visited.insert(question);
        found
    }
}

/// RFC 3263 §4.2.
fn service(transport: Transport, host: &str) -> String {
    match transport {
        Transport::Tls | Transport::Wss => format!("_sips._tcp.{host}"),
        Transport::Tcp | Transport::Ws => format!("_sip._tcp.{host}"),
        Transport::Udp => format!("_sip._udp.{host}"),
    }
}

/// RFC 3263 §4.1.
fn of_naptr(service: &str) -> Option<Transport> {
    match service.to_ascii_uppercase().as_str() {
        "SIP+D2U" => Some(Transport::Udp),
        "SIP+D2T" => Some(Transport::Tcp),
        "SIPS+D2T" => Some(Transport::Tls),
        _ => None,
    }
}

/// An address that somebody can be reached at: what a liar in DNS would send into the void or to everybody is none.
fn is_host(ip: IpAddr) -> bool {
    let broadcast = matches!(ip, IpAddr::V4(ip) if ip.is_broadcast());
    !(ip.is_unspecified() || ip.is_multicast() || broadcast)
}

/// The addresses in the order in which one call tries them. `below(n)` draws from 0 to n - 1. RFC 2782: by priority;
/// within one, the share of each is its weight, and those that weigh nothing have a small one.
pub fn order(targets: &[Target], mut below: impl FnMut(u64) -> u64) -> Vec<(Transport, SocketAddr)> {
    let mut left: Vec<&Target> = targets.iter().collect();
    left.sort_by_key(|target| (target.rank, target.priority, target.weight != 0));
    let mut ordered = Vec::new();
    while let Some(first) = left.first().map(|target| (target.rank, target.priority)) {
        let equals = left.iter().take_while(|target| (target.rank, target.priority) == first);
        let weights: Vec<u64> = equals.map(|target| target.weight.into()).collect();
        let mark = below(weights.iter().sum::<u64>().saturating_add(1));
        let running = weights.iter().scan(0_u64, |sum, weight| {
            *sum = sum.saturating_add(*weight);
            Some(*sum)
        });
        let at = running.take_while(|sum| *sum < mark).count().min(left.len().saturating_sub(1));
        let target = left.remove(at);
        ordered.extend(target.addresses.iter().map(|address| (target.transport, *address)));
    }
    ordered
}
