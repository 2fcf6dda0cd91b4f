//! SRTP and SRTCP (RFC 3711, RFC 7714): one side's master key in, packets sealed and opened where they lie. The
//! primitives are aws-lc's, in [`cipher`] alone; nothing here allocates once a context stands.
//!
//! A sealer serves one stream of ours, an opener the streams of one peer. Neither is ever fatal: what does not open is
//! counted by the caller and forgotten (S-22).

mod cipher;
mod derive;
mod open;
mod replay;
mod seal;

pub use open::Opener;
pub use seal::Sealer;

use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

/// Bytes that sealing may add to an RTP packet.
pub const RTP_ROOM: usize = 16;
/// Bytes that sealing may add to an RTCP compound: a tag, and the word with the index.
pub const RTCP_ROOM: usize = 16 + 4;
/// Bytes of the longest master key with its salt.
pub const MASTER_LEN_MAX: usize = 32 + 14;

/// What protects a stream. The names are those of the registries of RFC 4568 and RFC 7714.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Suite {
    #[serde(rename = "AES_CM_128_HMAC_SHA1_80")]
    AesCm128HmacSha1_80,
    #[serde(rename = "AES_CM_128_HMAC_SHA1_32")]
    AesCm128HmacSha1_32,
    #[serde(rename = "AEAD_AES_128_GCM")]
    AeadAes128Gcm,
    #[serde(rename = "AEAD_AES_256_GCM")]
    AeadAes256Gcm,
}

impl Suite {
    pub const ALL: [Suite; 4] =
        [Suite::AesCm128HmacSha1_80, Suite::AeadAes128Gcm, Suite::AeadAes256Gcm, Suite::AesCm128HmacSha1_32];

    pub fn name(self) -> &'static str {
        match self {
            Suite::AesCm128HmacSha1_80 => "AES_CM_128_HMAC_SHA1_80",
            Suite::AesCm128HmacSha1_32 => "AES_CM_128_HMAC_SHA1_32",
            Suite::AeadAes128Gcm => "AEAD_AES_128_GCM",
            Suite::AeadAes256Gcm => "AEAD_AES_256_GCM",
        }
    }

    /// None for what we do not speak: F8, SEED, and everything without encryption or authentication.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.name() == name)
    }

    pub fn key_len(self) -> usize {
        match self {
            Suite::AeadAes256Gcm => 32,
            _ => 16,
        }
    }

    /// RFC 3711 §8.2: 112 bits; RFC 7714 §12: 96 bits.
    pub fn salt_len(self) -> usize {
        if self.is_aead() { 12 } else { 14 }
    }

    pub fn master_len(self) -> usize {
        self.key_len() + self.salt_len()
    }

    pub(crate) fn is_aead(self) -> bool {
        matches!(self, Suite::AeadAes128Gcm | Suite::AeadAes256Gcm)
    }

    /// Bytes of the tag of an RTP packet.
    fn rtp_tag(self) -> usize {
        match self {
            Suite::AesCm128HmacSha1_80 => 10,
            Suite::AesCm128HmacSha1_32 => 4,
            Suite::AeadAes128Gcm | Suite::AeadAes256Gcm => 16,
        }
    }

    /// RFC 4568 §6.2.2: the short tag is for RTP alone.
    fn rtcp_tag(self) -> usize {
        if self.is_aead() { 16 } else { 10 }
    }
}

/// One direction's master key and salt, with their suite. Never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Spelt", into = "Spelt")]
pub struct Master {
    suite: Suite,
    bytes: [u8; MASTER_LEN_MAX],
}

impl Master {
    /// `bytes` is the key, then the salt. None when there are too few or too many for the suite.
    pub fn new(suite: Suite, bytes: &[u8]) -> Option<Self> {
        let mut all = [0; MASTER_LEN_MAX];
        all.get_mut(..suite.master_len()).filter(|place| place.len() == bytes.len())?.copy_from_slice(bytes);
        Some(Self { suite, bytes: all })
    }

    pub fn suite(&self) -> Suite {
        self.suite
    }

    /// Key, then salt.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.suite.master_len()).unwrap_or_default()
    }

    fn key(&self) -> &[u8] {
        self.bytes.get(..self.suite.key_len()).unwrap_or_default()
    }

    fn salt(&self) -> &[u8] {
        self.bytes.get(self.suite.key_len()..self.suite.master_len()).unwrap_or_default()
    }
}

impl Drop for Master {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl std::fmt::Debug for Master {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Master({})", self.suite.name())
    }
}

/// On the socket between the planes.
#[derive(Serialize, Deserialize)]
struct Spelt {
    suite: Suite,
    key: Vec<u8>,
}

impl From<Master> for Spelt {
    fn from(master: Master) -> Self {
        Self { suite: master.suite, key: master.bytes().to_vec() }
    }
}

impl TryFrom<Spelt> for Master {
    type Error = &'static str;

    fn try_from(spelt: Spelt) -> Result<Self, Self::Error> {
        Self::new(spelt.suite, &spelt.key).ok_or("a master key of another length")
    }
}

/// Both directions of one leg.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keys {
    /// What we seal with.
    pub ours: Master,
    /// What the party seals with.
    pub theirs: Master,
}

#[cfg(test)]
mod tests;
