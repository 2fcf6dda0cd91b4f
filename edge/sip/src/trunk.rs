//! The trunks' own life: registration with the peer and its refresh, OPTIONS pings, up or down. Calls over a trunk are
//! dialogs like any other.

mod health;
mod registration;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::context::Context;
use crate::endpoint::{Config, Event, Flow, Source, Transport, Trunk};
use crate::lex;
use crate::message::Response;
use crate::reach::{Reach, Way};
use crate::timers::Timers;
use crate::transaction::{self, TxId};
use crate::uri::Host;
use health::Health;
use registration::Registration;

#[derive(Default)]
pub struct Trunks {
    lines: BTreeMap<String, Line>,
    roles: BTreeMap<TxId, (String, Errand)>,
    timers: Timers<(String, Errand)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Errand {
    Register,
    Ping,
    /// The time is over for which the peer asked to be left alone.
    Rested,
}

/// RFC 3261 §20.33 has no bound; longer than this no peer keeps us away.
const REST_S_MAX: u32 = 300;

struct Line {
    trunk: Trunk,
    registration: Option<Registration>,
    health: Health,
    /// It asked to be left alone (Retry-After).
    resting: bool,
    /// Nobody knows where it is: it is known by a name that DNS has not told yet.
    nowhere: bool,
    /// Where the last word of ours went.
    way: Option<Way>,
    up: bool,
}

impl Line {
    fn new(cx: &mut Context<'_>, trunk: &Trunk, nowhere: bool) -> Self {
        let registration = trunk.registration.as_ref().map(|_| Registration::new(cx.ids));
        let health = Health::new(cx.ids);
        let mut line =
            Self { trunk: trunk.clone(), registration, health, resting: false, nowhere, way: None, up: false };
        // Until proved otherwise a peer counts as alive: a call that fails is better than one not tried.
        line.up = line.is_up();
        line
    }

    fn is_up(&self) -> bool {
        !self.nowhere
            && !self.resting
            && self.health.is_up()
            && self.registration.as_ref().is_none_or(Registration::is_registered)
    }
}

impl Trunks {
    pub fn is_up(&self, name: &str) -> bool {
        self.lines.get(name).is_some_and(|line| line.up)
    }

    /// Begins with trunks that are new or changed, lets go of those that vanished.
    pub fn configured(&mut self, cx: &mut Context<'_>) {
        let config = cx.config;
        let stays = |name: &String, line: &Line| config.trunks.get(name) == Some(&line.trunk);
        let gone: Vec<String> =
            self.lines.iter().filter(|(name, line)| !stays(name, line)).map(|(n, _)| n.clone()).collect();
        for name in gone {
            self.let_go(cx, &name);
        }
        for (name, trunk) in &config.trunks {
            if self.lines.contains_key(name) {
                continue;
            }
            let nowhere = cx.reach.all(config, name).next().is_none();
            let line = Line::new(cx, trunk, nowhere);
            if trunk.registration.is_some() {
                self.timers.set((name.clone(), Errand::Register), cx.now);
            }
            if trunk.options_every_s > 0 {
                self.timers.set((name.clone(), Errand::Ping), cx.now);
            }
            self.lines.insert(name.clone(), line);
        }
    }

    /// DNS has said where a trunk is, or that it is elsewhere: what was due there is done at once.
    pub fn located(&mut self, cx: &mut Context<'_>, name: &str) {
        let nowhere = cx.reach.all(cx.config, name).next().is_none();
        let Some(line) = self.lines.get_mut(name) else { return };
        let moved = line.way.is_none_or(|(transport, remote)| {
            let flow = Flow { transport, local: remote, remote, connection: 0 };
            !cx.reach.is_peer(cx.config, name, flow)
        });
        line.nowhere = nowhere;
        if moved && !nowhere {
            if line.trunk.registration.is_some() {
                self.timers.set((name.to_string(), Errand::Register), cx.now);
            }
            if line.trunk.options_every_s > 0 {
                self.timers.set((name.to_string(), Errand::Ping), cx.now);
            }
        }
        self.tell(cx, name);
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    pub fn handle_timeout(&mut self, cx: &mut Context<'_>) {
        while let Some((name, errand)) = self.timers.due(cx.now) {
            self.run(cx, name, errand);
        }
    }

    /// News from a transaction; false when it is none of ours.
    pub fn transaction(&mut self, cx: &mut Context<'_>, event: &transaction::Event) -> bool {
        use transaction::Event as Tx;
        let (Tx::Response { tx, .. } | Tx::TimedOut { tx } | Tx::TransportFailed { tx } | Tx::Ended { tx }) = event;
        let Some((name, errand)) = self.roles.get(tx).cloned() else { return false };
        let response = match event {
            Tx::Ended { .. } => {
                self.roles.remove(tx);
                return true;
            }
            Tx::Response { response, .. } if response.status < 200 => return true,
            Tx::Response { response, flow, .. } => Some((response, *flow)),
            Tx::TimedOut { .. } | Tx::TransportFailed { .. } => None,
        };
        let Some(line) = self.lines.get_mut(&name) else { return true };
        let status = response.as_ref().map(|(response, _)| response.status);
        let rest = response.as_ref().and_then(|(response, _)| rest_of(response));
        // RFC 3263 §4.3: another address is asked before the trunk is judged.
        if let Some(way) = line.way.filter(|_| matches!(status, None | Some(503))) {
            cx.reach.failed(cx.now, way);
            let ways = cx.reach.ways(cx.config, &name, cx.now, cx.ids);
            if ways.len() > 1 && ways.first().is_some_and(|way| !cx.reach.is_shunned(*way, cx.now)) {
                return self.run_at_once(cx, name, errand);
            }
        }
        match errand {
            Errand::Ping => line.health.heard(status, &line.trunk.rules),
            Errand::Rested => {}
            Errand::Register => {
                let is_peer = |flow: &Flow| cx.reach.is_peer(cx.config, &name, *flow);
                let answer = response.filter(|(_, flow)| is_peer(flow)).map(|(response, _)| response);
                let (Some(registration), Some(account)) = (&mut line.registration, &line.trunk.registration) else {
                    return true;
                };
                let next = registration.heard(cx, &name, account, answer.map(|response| &**response));
                match next {
                    registration::Next::At(at) => self.timers.set((name.clone(), Errand::Register), at),
                    registration::Next::Now => self.run(cx, name.clone(), Errand::Register),
                }
            }
        }
        self.rest(cx, &name, rest);
        self.tell(cx, &name);
        true
    }

    /// What a call's answer tells of the trunk: a peer that answers serves, and one that is overloaded says for how long.
    pub fn noted(&mut self, cx: &mut Context<'_>, event: &transaction::Event) {
        let transaction::Event::Response { response, flow, .. } = event else { return };
        let rest = rest_of(response);
        let serves = (101..500).contains(&response.status) && response.status != 408;
        if !(serves && self.lines.values().any(|line| !line.health.is_sound()) || rest.is_some()) {
            return;
        }
        let Some(name) = source(cx.config, cx.reach, *flow).map(str::to_string) else { return };
        if serves {
            cx.reach.works((flow.transport, flow.remote));
        }
        // One of several addresses: it rests alone.
        let rest = rest.filter(|_| !cx.config.names.contains_key(&name));
        if let Some(line) = self.lines.get_mut(&name).filter(|_| serves) {
            line.health.heard(Some(response.status), &line.trunk.rules);
        }
        self.rest(cx, &name, rest);
        self.tell(cx, &name);
    }

    fn rest(&mut self, cx: &mut Context<'_>, name: &str, rest: Option<Duration>) {
        let Some((line, at)) = self.lines.get_mut(name).zip(rest.and_then(|rest| cx.now.checked_add(rest))) else {
            return;
        };
        line.resting = true;
        self.timers.set((name.to_string(), Errand::Rested), at);
    }

    fn run(&mut self, cx: &mut Context<'_>, name: String, errand: Errand) {
        let Some(line) = self.lines.get_mut(&name) else { return };
        if errand == Errand::Rested {
            line.resting = false;
            return self.tell(cx, &name);
        }
        let way = cx.reach.ways(cx.config, &name, cx.now, cx.ids).into_iter().next();
        line.way = way;
        let Some(flow) = way.map(|way| flow(cx, way)) else {
            // As soon as it is known where.
            return;
        };
        let wish = cx.config.names.get(&name);
        let request = match (errand, &mut line.registration, &line.trunk.registration) {
            (Errand::Ping, ..) => {
                let every = std::time::Duration::from_secs(line.trunk.options_every_s.max(1).into());
                if let Some(at) = cx.now.checked_add(every) {
                    self.timers.set((name.clone(), Errand::Ping), at);
                }
                let (host, port) = match wish {
                    Some(wish) => (Host::Name(wish.host.clone()), wish.port),
                    None => (flow.remote.into(), Some(flow.remote.port())),
                };
                line.health.request(cx, flow, host, port)
            }
            (Errand::Register, Some(registration), Some(account)) => registration.request(cx, flow, account),
            (Errand::Register | Errand::Rested, ..) => return,
        };
        match cx.tx.request(cx.now, flow, request) {
            Ok(tx) => {
                self.roles.insert(tx, (name, errand));
            }
            // At the limit: later.
            Err(_) => {
                if let Some(at) = cx.now.checked_add(registration::RETRY_MIN) {
                    self.timers.set((name, errand), at);
                }
            }
        }
    }

    fn run_at_once(&mut self, cx: &mut Context<'_>, name: String, errand: Errand) -> bool {
        self.timers.set((name, errand), cx.now);
        true
    }

    fn let_go(&mut self, cx: &mut Context<'_>, name: &str) {
        if let Some(mut line) = self.lines.remove(name)
            && let (Some(registration), Some(account)) = (&mut line.registration, &line.trunk.registration)
            && let Some(flow) = line.way.map(|way| flow(cx, way))
            && let Some(request) = registration.farewell(cx, flow, account)
        {
            let _ = cx.tx.request(cx.now, flow, request);
        }
        self.roles.retain(|_, (other, _)| other != name);
        self.timers.clear(&(name.to_string(), Errand::Register));
        self.timers.clear(&(name.to_string(), Errand::Ping));
        self.timers.clear(&(name.to_string(), Errand::Rested));
        cx.realms.remove(name);
    }

    fn tell(&mut self, cx: &mut Context<'_>, name: &str) {
        if let Some(line) = self.lines.get_mut(name)
            && line.up != line.is_up()
        {
            line.up = !line.up;
            cx.event(Event::TrunkState { trunk: name.to_string(), up: line.up });
        }
    }
}

/// Which trunk speaks on this flow: by the certificate that was shown on it, else by its address, unless it is known by
/// its certificate alone. Who is also one end of recording sessions speaks as the trunk here.
pub fn source<'a>(config: &'a Config, reach: &Reach, flow: Flow) -> Option<&'a str> {
    let of_calls = |name: &&str| !config.recording.contains_key(*name);
    speakers(config, reach, flow).find(of_calls).or_else(|| recorder(config, reach, flow))
}

/// Which end of recording sessions speaks on this flow.
pub fn recorder<'a>(config: &'a Config, reach: &Reach, flow: Flow) -> Option<&'a str> {
    speakers(config, reach, flow).find(|name| config.recording.contains_key(*name))
}

/// Whether this trunk may be who speaks on this flow.
pub fn speaks(config: &Config, reach: &Reach, flow: Flow, name: &str) -> bool {
    speakers(config, reach, flow).any(|speaker| speaker == name)
}

/// As what a UDP peer is configured, and how its large requests come.
const LARGE: (Transport, Transport) = (Transport::Udp, Transport::Tcp);

/// A UDP peer speaks from its one port, a TCP or TLS peer connects from any; but where the address is one of our own (a
/// test bench on loopback) the port must fit too.
fn speakers<'a>(config: &'a Config, reach: &Reach, flow: Flow) -> impl Iterator<Item = &'a str> {
    let proved = reach.certificate(flow);
    let by_certificate = proved.and_then(|trunk| config.certified.get(trunk)).map(String::as_str);
    let by_certificate = by_certificate.filter(|trunk| config.trunks.contains_key(*trunk));
    let shared = config.local.iter().any(|local| local.ip() == flow.remote.ip());
    let any_port = flow.transport.is_stream() && !shared;
    let fits = move |(transport, peer): Way, large: bool| {
        let carried = transport == flow.transport || (large && (transport, flow.transport) == LARGE);
        carried && (peer == flow.remote || (any_port && peer.ip() == flow.remote.ip()))
    };
    let by_address = config.trunks.keys().map(String::as_str).filter(move |name| {
        // Metadata makes most of what such a peer sends too large for a datagram (RFC 3261 §18.1.1).
        let large = config.recording.contains_key(*name);
        let known = proved.is_none() && !config.certified.contains(*name);
        known && reach.all(config, name).any(|way| fits(way, large))
    });
    by_certificate.into_iter().chain(by_address)
}

/// RFC 3261 §21.5.4: `Retry-After: 120 (maintenance);duration=…` of a 503.
pub fn rest_of(response: &Response) -> Option<Duration> {
    let text = response.head.field("Retry-After").filter(|_| response.status == 503)?;
    let seconds = lex::number(text.split([' ', ';', '(']).next()?)?;
    (seconds > 0).then(|| Duration::from_secs(seconds.min(REST_S_MAX).into()))
}

/// Whether what it says of others is believed.
pub fn is_trusted(config: &Config, source: &Source) -> bool {
    match source {
        Source::Trunk(name) => config.trunks.get(name).is_some_and(|trunk| trunk.rules.trusted),
        Source::Phone(_) | Source::Unproved => false,
    }
}

/// The way to a trunk's peer, from the address of ours that suits it.
pub fn flow(cx: &Context<'_>, (transport, remote): Way) -> Flow {
    let any = Flow { transport, local: remote, remote, connection: 0 };
    Flow { local: cx.sent_by(any), ..any }
}

/// Peers that are sent by TCP what is too large for a datagram: known by address, and we can be reached by TCP too.
pub fn large_by_tcp(config: &Config, reach: &Reach) -> BTreeSet<SocketAddr> {
    let listens = |peer: &SocketAddr| {
        config
            .listeners
            .iter()
            .any(|(transport, addr)| *transport == Transport::Tcp && addr.is_ipv4() == peer.is_ipv4())
    };
    let all = config.trunks.keys().flat_map(|name| reach.all(config, name));
    let by_udp = all.filter(|(transport, _)| *transport == Transport::Udp);
    by_udp.map(|(_, peer)| peer).filter(listens).collect()
}
