//! What every machine of the endpoint works with: the time, the transactions below, the events above, and our own
//! address and name for the messages it builds.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;

use crate::endpoint::{Config, Event, Flow, Output, Transport};
use crate::front::ALLOW;
use crate::ids::Ids;
use crate::message::{Address, Contacts, Head, Method, Request, Response, Value, Via};
use crate::reach::Reach;
use crate::transaction::Layer;
use crate::uri::{Host, Uri};

/// Option tags that we know (RFC 3262, 4028, 3891, 4488), for Supported and for what Require may name.
pub const SUPPORTED: &str = "100rel, timer, replaces, norefersub";

/// The same within recording sessions (RFC 7866 §11.1).
pub const SUPPORTED_RECORDING: &str = "100rel, timer, replaces, norefersub, siprec";

/// RFC 3261 §8.1.1.6.
const MAX_FORWARDS: u8 = 70;

pub struct Context<'a> {
    pub now: Instant,
    pub tx: &'a mut Layer,
    pub ids: &'a mut Ids,
    pub config: &'a Config,
    pub out: &'a mut VecDeque<Output>,
    /// Trunk → the realm its registrar asked for: the only one, beside its domain, that gets our proof.
    pub realms: &'a mut BTreeMap<String, String>,
    /// Where the trunks are.
    pub reach: &'a mut Reach,
}

/// Whom a request is between; the rest of its head follows from it.
pub struct Parties {
    pub uri: Uri,
    pub from: Address,
    pub to: Address,
    pub call_id: Value,
    pub cseq: u32,
}

impl Context<'_> {
    pub fn event(&mut self, event: Event) {
        self.out.push_back(Output::Event(event));
    }

    /// A request of ours without body: Via, Max-Forwards and our name are in it.
    pub fn request(&mut self, method: Method, flow: Flow, parties: Parties) -> Request {
        let branch = self.ids.branch();
        let Parties { uri, from, to, call_id, cseq } = parties;
        let mut head = Head {
            via: vec![self.via(flow, &branch)],
            from,
            to,
            call_id,
            cseq,
            method,
            max_forwards: Some(MAX_FORWARDS),
            contacts: Contacts::None,
            route: Vec::new(),
            record_route: Vec::new(),
            content_type: None,
            fields: Vec::new(),
        };
        head.set("User-Agent", &self.config.product);
        Request { uri, head, body: Bytes::new() }
    }

    pub fn response(&self, request: &Request, status: u16, tag: &str) -> Response {
        request.response(status, tag).with("Server", &self.config.product)
    }

    /// Contact, Allow and Supported: what a message that makes or refreshes a dialog tells of us.
    pub fn introduce(&self, head: &mut Head, flow: Flow) {
        head.contacts = Contacts::List(vec![self.contact(flow, None)]);
        head.set("Allow", ALLOW);
        head.set("Supported", SUPPORTED);
    }

    pub fn contact(&self, flow: Flow, user: Option<&str>) -> Address {
        let addr = self.sent_by(flow);
        let uri = Uri::sip(user, addr.into(), Some(addr.port()));
        Address::new(match flow.transport.uri_param() {
            Some(param) => uri.with_param(param),
            None => uri,
        })
    }

    /// A Via of ours for what goes down `flow`.
    pub fn via(&self, flow: Flow, branch: &str) -> Via {
        let mut via = Via::ours(flow.transport.via(), self.sent_by(flow), branch);
        if flow.transport == Transport::Tls && flow.connection == 0 {
            // RFC 5923 §5: the peer may send its own requests down the connection that we opened.
            via.params.set("alias", None);
        }
        via
    }

    /// The address of ours that the other end of `flow` can reach: the one it is bound to when that is one of ours
    /// (a TCP connection's own port is not), else the configured one that carries this and lies nearest.
    pub fn sent_by(&self, flow: Flow) -> SocketAddr {
        let carrying = self.config.listeners.iter().filter(|(transport, _)| *transport == flow.transport);
        let carrying: Vec<SocketAddr> = carrying.map(|(_, addr)| *addr).collect();
        nearest(&carrying, flow).or_else(|| nearest(&self.config.local, flow)).unwrap_or(flow.local)
    }

    /// Whether a host is ours: the domain, an address of ours, or the very address the message came to.
    pub fn is_us(&self, host: &Host, flow: Flow) -> bool {
        is_us(self.config, host, flow)
    }
}

pub fn is_us(config: &Config, host: &Host, flow: Flow) -> bool {
    match host {
        Host::Name(name) => name.trim_end_matches('.').eq_ignore_ascii_case(&config.domain),
        Host::Ip(ip) => *ip == flow.local.ip() || config.local.iter().any(|local| local.ip() == *ip),
    }
}

/// The domain as a host; a configured domain that is none stands for the local address.
pub fn domain(config: &Config) -> Host {
    let fallback = || config.local.first().map_or(Host::Name("localhost".to_string()), |addr| (*addr).into());
    Host::parse(&config.domain).unwrap_or_else(|_| fallback())
}

fn nearest(local: &[SocketAddr], flow: Flow) -> Option<SocketAddr> {
    let fits = |one: &&SocketAddr| one.is_ipv4() == flow.remote.is_ipv4();
    let near = |one: &&SocketAddr| fits(one) && one.ip().is_loopback() == flow.remote.ip().is_loopback();
    let same_ip = |one: &&SocketAddr| one.ip() == flow.local.ip();
    let same = local.iter().find(|one| **one == flow.local);
    let found = same.or_else(|| local.iter().find(same_ip)).or_else(|| local.iter().find(near));
    found.or_else(|| local.iter().find(fits)).copied()
}
