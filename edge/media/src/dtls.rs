//! DTLS-SRTP (RFC 5763, RFC 5764): the media's own handshake, of which SRTP keys come. A certificate proves nothing but
//! that it is the one whose fingerprint signalling named; another one ends the handshake before there are any keys
//! (S-24). The protocol itself is `dimpl`'s, which has our shape and knows ECDSA certificates alone, as browsers have them.

use std::{sync::Arc, time::Instant};

use aws_lc_rs::digest;
use dimpl::{Config, Dtls, DtlsCertificate, Output, SrtpProfile};
use serde::{Deserialize, Serialize};

use crate::{
    plane::Unkeyed,
    srtp::{Keys, Master, Suite},
};

/// Largest datagram of a flight, ours and theirs.
pub const DATAGRAM_MAX: usize = 1_500;
/// Outputs taken after one input.
const OUTPUTS_MAX: usize = 64;

/// SHA-256 over a certificate (RFC 8122 §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    pub fn of(certificate: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest::digest(&digest::SHA256, certificate).as_ref());
        Self(bytes)
    }

    /// `sha-256 AB:CD:…`. None for weaker digests and for what is none.
    pub fn read(text: &str) -> Option<Self> {
        let (name, value) = text.trim().split_once(' ')?;
        if !name.eq_ignore_ascii_case("sha-256") {
            return None;
        }
        let mut bytes = [0; 32];
        let mut parts = value.trim().split(':');
        for byte in &mut bytes {
            let part = parts.next().filter(|part| part.len() == 2)?;
            *byte = u8::from_str_radix(part, 16).ok()?;
        }
        parts.next().is_none().then_some(Self(bytes))
    }
}

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("sha-256 ")?;
        for (at, byte) in self.0.iter().enumerate() {
            write!(f, "{}{byte:02X}", if at == 0 { "" } else { ":" })?;
        }
        Ok(())
    }
}

/// What this box shows: made afresh with each life of the media process.
#[derive(Clone)]
pub struct Certificate {
    pair: DtlsCertificate,
    config: Arc<Config>,
    pub fingerprint: Fingerprint,
}

impl Certificate {
    /// A self-signed certificate of an ECDSA P-256 key, and the key in PKCS #8, both in DER.
    pub fn new(certificate: Vec<u8>, private_key: Vec<u8>) -> Self {
        let fingerprint = Fingerprint::of(&certificate);
        Self { pair: DtlsCertificate { certificate, private_key }, config: Arc::new(Config::default()), fingerprint }
    }
}

/// What came of a handshake's step.
pub enum Step {
    Nothing,
    /// The keys of both directions, of the party that signalling named.
    Keys(Box<Keys>),
    /// It is over without keys.
    Failed(Unkeyed),
}

/// One port's handshake.
pub struct Handshake {
    dtls: Dtls,
    active: bool,
    expected: Fingerprint,
    proven: bool,
}

impl Handshake {
    /// `active`: we begin.
    pub fn new(now: Instant, certificate: &Certificate, expected: Fingerprint, active: bool) -> Self {
        let mut dtls = Dtls::new_auto(certificate.config.clone(), certificate.pair.clone(), now);
        dtls.set_active(active);
        Self { dtls, active, expected, proven: false }
    }

    /// RFC 7983 §7.
    pub fn is_dtls(packet: &[u8]) -> bool {
        packet.first().is_some_and(|first| (20..64).contains(first))
    }

    pub fn packet(&mut self, now: Instant, packet: &[u8], send: impl FnMut(&[u8])) -> Step {
        if self.dtls.handle_timeout(now).is_err() || self.dtls.handle_packet(packet).is_err() {
            return Step::Failed(Unkeyed::Refused);
        }
        self.drain(send)
    }

    pub fn tick(&mut self, now: Instant, send: impl FnMut(&[u8])) -> Step {
        if self.dtls.handle_timeout(now).is_err() {
            return Step::Failed(Unkeyed::Silent);
        }
        self.drain(send)
    }

    fn drain(&mut self, mut send: impl FnMut(&[u8])) -> Step {
        let mut room = [0; 2 * DATAGRAM_MAX];
        let mut step = Step::Nothing;
        for _ in 0..OUTPUTS_MAX {
            match self.dtls.poll_output(&mut room) {
                Output::Packet(packet) => send(packet),
                Output::PeerCert(certificate) if Fingerprint::of(certificate) == self.expected => self.proven = true,
                Output::PeerCert(_) => return Step::Failed(Unkeyed::AnotherCertificate),
                Output::BufferTooSmall { .. } | Output::CloseNotify => return Step::Failed(Unkeyed::Refused),
                Output::KeyingMaterial(material, profile) => match keys(&material, profile, self.active) {
                    Some(keys) if self.proven => step = Step::Keys(Box::new(keys)),
                    _ => return Step::Failed(Unkeyed::Refused),
                },
                Output::Timeout(_) => break,
                _ => {}
            }
        }
        step
    }
}

/// RFC 5764 §4.2: the client's key, the server's, the client's salt, the server's.
pub(crate) fn keys(material: &[u8], profile: SrtpProfile, active: bool) -> Option<Keys> {
    let suite = match profile {
        SrtpProfile::AES128_CM_SHA1_80 => Suite::AesCm128HmacSha1_80,
        SrtpProfile::AEAD_AES_128_GCM => Suite::AeadAes128Gcm,
        SrtpProfile::AEAD_AES_256_GCM => Suite::AeadAes256Gcm,
        _ => return None,
    };
    let (key, salt) = (suite.key_len(), suite.salt_len());
    let of = |side: usize| {
        let from = 2 * key + side * salt;
        let bytes = [material.get(side * key..(side + 1) * key)?, material.get(from..from + salt)?].concat();
        Master::new(suite, &bytes)
    };
    let (client, server) = (of(0)?, of(1)?);
    Some(if active { Keys { ours: client, theirs: server } } else { Keys { ours: server, theirs: client } })
}
