//! How the trunks stand, for who asks the running box: up or down, where they are, and why TLS failed.

use std::{collections::BTreeMap, net::SocketAddr, sync::PoisonError};

use model::config::TrunkKind;
use serde::Serialize;

use super::engine::Engine;

/// Of one trunk, in `/status` and `boxd trunk show`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Standing {
    pub up: bool,
    pub calls_in: usize,
    pub calls_out: usize,
    /// Where calls go: what DNS says of its name, or the configured address.
    pub at: Vec<SocketAddr>,
    /// By address: why TLS failed there last, such as a certificate that is for another name or has expired.
    pub tls: BTreeMap<SocketAddr, String>,
}

impl Engine {
    pub fn show_standing(&self) {
        let faults = self.sockets.faults();
        let trunks = self.running.trunks.iter().map(|(id, trunk)| {
            let (TrunkKind::Address { peer, .. } | TrunkKind::Registration { peer, .. }) = &trunk.kind;
            let located = self.located.get(id.as_str()).into_iter().flatten();
            let mut at: Vec<SocketAddr> = located.flat_map(|target| target.addresses.clone()).collect();
            if !peer.ip().is_unspecified() && !at.contains(peer) {
                at.push(*peer);
            }
            let of = |address: &SocketAddr| Some((*address, faults.get(address)?.clone()));
            let lines = self.floor.lines();
            let (calls_in, calls_out) = lines.trunk_calls(id);
            let tls = at.iter().filter_map(of).collect();
            (id.clone(), Standing { up: lines.is_trunk_up(id), calls_in, calls_out, at, tls })
        });
        *self.standing.trunks.lock().unwrap_or_else(PoisonError::into_inner) = trunks.collect();
    }
}
