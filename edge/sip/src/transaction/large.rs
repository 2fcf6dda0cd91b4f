//! RFC 3261 §18.1.1: a request that may be too large for a datagram goes by TCP to a peer known to take it so, and by
//! UDP all the same when no connection can be had.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Instant;

use super::key::ClientKey;
use super::{Action, Layer, State, Timer, TxId};
use crate::endpoint::{Flow, Transport};
use crate::message::{Method, Request};

/// RFC 3261 §18.1.1: when the path's MTU is not known; 200 bytes are left for the response to grow.
pub const DATAGRAM_BYTES_MAX: usize = 1_300;

impl Layer {
    /// UDP peers that may be tried by TCP. One that refuses is not tried again until this is told anew.
    pub fn allow_tcp(&mut self, peers: BTreeSet<SocketAddr>) {
        self.tcp = peers;
    }

    /// How a request goes out, and the UDP flow it gave up for that. Its Via says what carries it.
    pub(super) fn way(&self, flow: Flow, request: &mut Request) -> (Flow, Option<Flow>) {
        if request.method() == Method::Cancel {
            return (self.way_of_invite(flow, request), None);
        }
        let small = flow.transport != Transport::Udp || !self.tcp.contains(&flow.remote);
        if small || request.to_bytes().len() <= DATAGRAM_BYTES_MAX {
            return (flow, None);
        }
        rename(request, Transport::Tcp);
        (Flow { transport: Transport::Tcp, connection: 0, ..flow }, Some(flow))
    }

    /// RFC 3261 §9.1: a CANCEL follows its INVITE.
    fn way_of_invite(&self, flow: Flow, cancel: &mut Request) -> Flow {
        let key = ClientKey::of(&cancel.head).for_invite();
        let invite = self.by_client.get(&key).and_then(|tx| self.clients.get(tx));
        let Some(invite) = invite.filter(|invite| invite.flow.remote == flow.remote) else { return flow };
        let Some(request) = &invite.request else { return flow };
        cancel.head.via.clone_from(&request.head.via);
        invite.flow
    }

    /// The request again, by UDP: no connection could be had, and nobody has answered. False: it went by no other way.
    pub(super) fn by_datagram(&mut self, now: Instant, tx: TxId) -> bool {
        let Some(client) = self.clients.get_mut(&tx) else { return false };
        let unheard = matches!(client.state, State::Calling | State::Trying);
        let Some(flow) = client.small.take().filter(|_| unheard) else { return false };
        self.tcp.remove(&flow.remote);
        let Some(request) = &mut client.request else { return false };
        rename(request, Transport::Udp);
        (client.flow, client.bytes) = (flow, request.to_bytes());
        let repeat = if client.state == State::Calling { Timer::A } else { Timer::E };
        self.act(now, tx, Action::SendRequest, None);
        self.act(now, tx, Action::Start(repeat), None);
        true
    }
}

fn rename(request: &mut Request, transport: Transport) {
    if let Some(top) = request.head.via.first_mut() {
        top.transport = transport.via().to_string();
    }
}
