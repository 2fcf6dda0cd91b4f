//! The arithmetic of RFC 7616 §3.4 and the fields of an Authorization header.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha2::{Digest, Sha256, Sha512_256};

use crate::lex;

/// RFC 8760 §2.1, as spelled in headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    Md5,
    Sha256,
    /// Answered when a trunk asks for it; the box asks its phones for what they all know.
    Sha512_256,
}

impl Algorithm {
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            text if text.eq_ignore_ascii_case("MD5") => Some(Self::Md5),
            text if text.eq_ignore_ascii_case("SHA-256") => Some(Self::Sha256),
            text if text.eq_ignore_ascii_case("SHA-512-256") => Some(Self::Sha512_256),
            _ => None,
        }
    }

    /// Lower-case hex of the hash of the parts, colons between.
    pub fn hash(self, parts: &[&str]) -> String {
        #[cfg(test)]
        work::count();
        let joined = parts.join(":");
        match self {
            Self::Md5 => hex::encode(Md5::digest(joined.as_bytes())),
            Self::Sha256 => hex::encode(Sha256::digest(joined.as_bytes())),
            Self::Sha512_256 => hex::encode(Sha512_256::digest(joined.as_bytes())),
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
            Self::Sha512_256 => "SHA-512-256",
        })
    }
}

/// `name=value` pairs of a Digest challenge or proof, unquoted; None for another scheme or broken syntax.
pub fn pairs(header: &str) -> Option<Vec<(String, String)>> {
    let (scheme, rest) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Digest") {
        return None;
    }
    let mut pairs: Vec<(String, String)> = Vec::new();
    for piece in lex::split_outside(rest, b',')? {
        let (name, value) = piece.split_once('=')?;
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        let value = if value.starts_with('"') { lex::unquote(value)? } else { value.to_string() };
        if pairs.iter().any(|(other, _)| *other == name) {
            return None;
        }
        pairs.push((name, value));
    }
    Some(pairs)
}

/// What an Authorization header proves with. `qop=auth` is a must: without a count, every proof could be replayed.
#[derive(Debug, Clone)]
pub struct Fields {
    pub username: String,
    pub realm: String,
    pub nonce: String,
    pub uri: String,
    pub response: String,
    pub algorithm: Algorithm,
    pub count: u32,
    count_text: String,
    cnonce: String,
}

impl Fields {
    pub fn parse(header: &str) -> Option<Self> {
        let pairs = pairs(header)?;
        let field = |name: &str| pairs.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone());
        let count_text = field("nc").filter(|nc| nc.len() == 8)?;
        field("qop").filter(|qop| qop.eq_ignore_ascii_case("auth"))?;
        Some(Self {
            username: field("username")?,
            realm: field("realm")?,
            nonce: field("nonce")?,
            uri: field("uri")?,
            response: field("response")?.to_ascii_lowercase(),
            // RFC 7616 §3.3: MD5 when nothing is named.
            algorithm: field("algorithm").map_or(Some(Algorithm::Md5), |name| Algorithm::parse(&name))?,
            count: u32::from_str_radix(&count_text, 16).ok()?,
            cnonce: field("cnonce")?,
            count_text,
        })
    }

    /// RFC 7616 §3.4.1, with H(A1) as stored.
    pub fn expected(&self, ha1: &str, method: &str) -> String {
        let ha2 = self.algorithm.hash(&[method, &self.uri]);
        self.algorithm.hash(&[ha1, &self.nonce, &self.count_text, &self.cnonce, "auth", &ha2])
    }
}

/// HMAC-SHA-256 over length-prefixed parts: no two lists of parts collide.
pub fn keyed(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    #[cfg(test)]
    work::count();
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    for part in parts {
        mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// How many hashes a test's thread has computed (S-05).
#[cfg(test)]
pub mod work {
    use std::cell::Cell;

    thread_local!(static DONE: Cell<u32> = const { Cell::new(0) });

    pub fn count() {
        DONE.set(DONE.get() + 1);
    }

    pub fn take() -> u32 {
        DONE.replace(0)
    }
}
