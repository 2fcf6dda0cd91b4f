//! Digest access authentication (RFC 3261 §22, RFC 8760): the server's side here, the client's in [`client`].
//!
//! No state is kept for anyone who has not proved a password: a nonce proves itself by a keyed hash and its age. An
//! unknown user walks the same road as a known one and gets the same kind of reply.

pub mod client;
mod digest;

use std::collections::BTreeMap;
use std::time::Instant;

use subtle::ConstantTimeEq;

use crate::endpoint::{Config, PhoneAuth};
use crate::ids::Ids;
use crate::lent::Lent;
use crate::message::{Request, Value};
use crate::uri::{Host, Uri};
pub use digest::Algorithm;
use digest::{Fields, keyed};

/// How long a nonce is good, in seconds.
const NONCE_S: u64 = 60;
/// Nonces with counted uses; each belongs to somebody who proved a password in the last [`NONCE_S`].
pub const USED_MAX: usize = 10_000;

pub struct Doorman {
    key: [u8; 32],
    /// Where nonces' seconds are counted from.
    epoch: Option<Instant>,
    /// Nonce → the counts seen. A nonce begins with its second, so the oldest are first.
    used: BTreeMap<String, Window>,
    /// Accounts, and those of them that need MD5.
    accounts: (usize, usize),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The user whose password was proved.
    Proved(String),
    /// Ask (again): the value of WWW-Authenticate.
    Challenge(Value),
}

/// The highest nonce count seen and which of the 63 before it.
#[derive(Debug, Clone, Copy, Default)]
struct Window {
    top: u32,
    seen: u64,
}

/// `claimed` is whom the request says it is from, for the kind of challenge only.
pub struct Claim<'a> {
    pub config: &'a Config,
    pub claimed: Option<&'a str>,
    /// Accounts that count beside the phones' own; None where no page speaks.
    pub lent: Option<&'a Lent>,
    /// Whether a host in the digest's uri is us.
    pub is_us: &'a dyn Fn(&Host) -> bool,
}

impl<'a> Claim<'a> {
    fn auth(&self, user: &str) -> Option<&'a PhoneAuth> {
        // Both are looked at for everybody.
        let lent = self.lent.and_then(|lent| lent.auth(user));
        self.config.phones.get(user).or(lent)
    }
}

impl Doorman {
    pub fn new(ids: &mut Ids) -> Self {
        Self { key: ids.secret(), epoch: None, used: BTreeMap::new(), accounts: (0, 0) }
    }

    /// Another set of accounts.
    pub fn configured(&mut self, config: &Config) {
        let with_md5 = config.phones.values().filter(|phone| phone.ha1_md5.is_some()).count();
        self.accounts = (config.phones.len(), with_md5);
    }

    pub fn check(&mut self, now: Instant, ids: &mut Ids, request: &Request, claim: &Claim<'_>) -> Verdict {
        let second = self.second(now);
        let proofs = request.head.all("Authorization").filter_map(Fields::parse);
        let proof = proofs.into_iter().find(|fields| fields.realm == claim.config.domain);
        let Some(proof) = proof else {
            return self.challenge(second, ids, claim, claim.claimed.unwrap_or_default(), false);
        };
        let right = self.is_right(request, claim, &proof);
        let fresh = self.is_fresh(second, &proof.nonce);
        if right && fresh && self.count(second, &proof) {
            return Verdict::Proved(proof.username);
        }
        // RFC 7616 §3.3: stale says "the password was right, only the nonce was not".
        self.challenge(second, ids, claim, &proof.username, right)
    }

    /// A tag for replies of which nothing is remembered: the same request gets the same one (RFC 3261 §8.2.7).
    pub fn stateless_tag(&self, call_id: &str, from_tag: &str, cseq: u32) -> String {
        let mac = keyed(&self.key, &[b"tag", call_id.as_bytes(), from_tag.as_bytes(), &cseq.to_be_bytes()]);
        hex::encode(mac.get(..8).unwrap_or_default())
    }

    fn is_right(&self, request: &Request, claim: &Claim<'_>, proof: &Fields) -> bool {
        // Made-up hashes, so that an unknown user walks the same road; the shorter is as long as a real one.
        let made_up = hex::encode(keyed(&self.key, &[b"nobody", proof.username.as_bytes()]));
        let shorter = made_up.get(..32).unwrap_or_default().to_owned();
        let nobody = PhoneAuth { ha1_sha256: made_up, ha1_md5: Some(shorter) };
        let phone = claim.auth(&proof.username);
        let hash = secret(phone.unwrap_or(&nobody), proof.algorithm);
        let expected = proof.expected(hash.unwrap_or(&nobody.ha1_sha256), &request.method().to_string());
        let same: bool = expected.as_bytes().ct_eq(proof.response.as_bytes()).into();
        // The digest's uri may be another spelling of the Request-URI (SIPp writes the address), but it means us; or it
        // is the Request-URI itself, which then gets its answer: nothing for another domain is done here.
        let means_us = Uri::parse(&proof.uri).is_ok_and(|uri| uri.host().is_some_and(claim.is_us));
        same && phone.is_some() && hash.is_some() && (means_us || proof.uri == request.uri.to_string())
    }

    fn is_fresh(&self, second: u64, nonce: &str) -> bool {
        let Some((stamp, mac)) = nonce.split_at_checked(24) else { return false };
        let made = stamp.get(..8).and_then(|hex| u64::from_str_radix(hex, 16).ok());
        let young = made.is_some_and(|made| second.checked_sub(made).is_some_and(|age| age <= NONCE_S));
        let ours: bool = self.mac(stamp).as_bytes().ct_eq(mac.as_bytes()).into();
        ours && young
    }

    /// Whether this count was never used with this nonce; then it is from here on.
    fn count(&mut self, second: u64, proof: &Fields) -> bool {
        let oldest = format!("{:08x}", second.saturating_sub(NONCE_S));
        self.used = self.used.split_off(&oldest);
        if self.used.len() >= USED_MAX && !self.used.contains_key(&proof.nonce) {
            return false;
        }
        self.used.entry(proof.nonce.clone()).or_default().take(proof.count)
    }

    /// One challenge, not a list: baresip gives up when any challenge names an algorithm it does not know, and SIPp
    /// reads the first only. A phone that has an MD5 hash has it because it needs it; all others get SHA-256.
    fn challenge(&self, second: u64, ids: &mut Ids, claim: &Claim<'_>, user: &str, stale: bool) -> Verdict {
        let salt = ids.tag();
        let stamp = format!("{second:08x}{salt}");
        let nonce = format!("{stamp}{}", self.mac(&stamp));
        let algorithm = self.algorithm(claim, user);
        let stale = if stale { ", stale=true" } else { "" };
        let realm = &claim.config.domain;
        let text = format!("Digest realm=\"{realm}\", nonce=\"{nonce}\", algorithm={algorithm}, qop=\"auth\"{stale}");
        Verdict::Challenge(Value::cleaned(&text))
    }

    /// Nobody may learn from it who exists: a name without an account draws one as often as accounts have it, and
    /// always the same.
    fn algorithm(&self, claim: &Claim<'_>, user: &str) -> Algorithm {
        // Drawn for everybody: a name with an account costs the same time.
        let draw = keyed(&self.key, &[b"algorithm", user.as_bytes()]);
        let draw = draw.iter().take(7).fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte));
        let (phones, with_md5) = self.accounts;
        let drawn = draw.checked_rem(phones).is_some_and(|draw| draw < with_md5);
        let nobody = PhoneAuth { ha1_sha256: String::new(), ha1_md5: drawn.then(String::new) };
        let needs_md5 = claim.auth(user).unwrap_or(&nobody).ha1_md5.is_some();
        if needs_md5 { Algorithm::Md5 } else { Algorithm::Sha256 }
    }

    fn mac(&self, stamp: &str) -> String {
        let mac = keyed(&self.key, &[b"nonce", stamp.as_bytes()]);
        hex::encode(mac.get(..16).unwrap_or_default())
    }

    fn second(&mut self, now: Instant) -> u64 {
        let epoch = *self.epoch.get_or_insert(now);
        now.saturating_duration_since(epoch).as_secs()
    }
}

fn secret(phone: &PhoneAuth, algorithm: Algorithm) -> Option<&String> {
    match algorithm {
        Algorithm::Sha256 => Some(&phone.ha1_sha256),
        Algorithm::Md5 => phone.ha1_md5.as_ref(),
        // Never asked for, so no secret is kept for it.
        Algorithm::Sha512_256 => None,
    }
}

impl Window {
    fn take(&mut self, count: u32) -> bool {
        if count == 0 {
            return false;
        }
        if count > self.top {
            let ahead = count.saturating_sub(self.top);
            self.seen = self.seen.checked_shl(ahead).unwrap_or(0) | 1;
            self.top = count;
            return true;
        }
        let behind = self.top.saturating_sub(count);
        let Some(bit) = 1_u64.checked_shl(behind) else { return false };
        let unused = self.seen & bit == 0;
        self.seen |= bit;
        unused
    }
}

#[cfg(test)]
mod tests;
