//! How the trunks stand, for who asks the running box: up or down, where they are, and why TLS failed.

use std::{collections::BTreeMap, net::SocketAddr, sync::PoisonError};

use floor::Input;
use model::{config::TrunkKind, leaving::What};
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
    /// What has just become known of why a trunk is refused is told to people, too.
    pub fn show_standing(&mut self) {
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
        let trunks: BTreeMap<_, Standing> = trunks.collect();
        let mut shown = self.standing.trunks.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *shown, trunks.clone());
        drop(shown);
        for (id, now) in &trunks {
            let known = before.get(id).map(|before| &before.tls);
            let news = now.tls.iter().filter(|(address, why)| known.and_then(|known| known.get(address)) != Some(*why));
            let causes: Vec<What> = news.filter_map(|(_, why)| cause(why)).collect();
            causes.into_iter().for_each(|what| self.feed(Input::TrunkRefused { trunk: id.clone(), what }));
        }
    }
}

/// The cause as a word that may leave the house; None for one that is no fault of the certificate.
fn cause(why: &str) -> Option<What> {
    let why = why.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| why.contains(word));
    match () {
        () if has(&["expired", "notvalidyet", "not valid yet"]) => Some(What::TrunkExpired),
        () if has(&["not valid for name", "notvalidforname"]) => Some(What::TrunkName),
        () if has(&["pinned"]) => Some(What::TrunkKey),
        () if has(&["certificate"]) => Some(What::TrunkUntrusted),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use rustls::{CertificateError, Error};

    use super::*;

    #[test]
    fn every_cause_that_a_certificate_gives_is_a_word() {
        let table = [
            (CertificateError::Expired, What::TrunkExpired),
            (CertificateError::NotValidYet, What::TrunkExpired),
            (CertificateError::NotValidForName, What::TrunkName),
            (CertificateError::UnknownIssuer, What::TrunkUntrusted),
            (CertificateError::BadSignature, What::TrunkUntrusted),
            (CertificateError::InvalidPurpose, What::TrunkUntrusted),
        ];
        for (error, what) in table {
            assert_eq!(cause(&Error::InvalidCertificate(error.clone()).to_string()), Some(what), "{error:?}");
        }
        assert_eq!(cause("invalid peer certificate: not the pinned key"), Some(What::TrunkKey));
        for other in ["no answer in time", "Connection refused (os error 111)", "received corrupt message"] {
            assert_eq!(cause(other), None, "{other}");
        }
    }
}
