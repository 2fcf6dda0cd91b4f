//! How a stream is protected, as SDP says it: the profile of its media line, and keys in `a=crypto` lines (RFC 4568).

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{
    dtls::Fingerprint,
    srtp::{Master, Suite},
};

/// Key lines of one stream that are looked at.
pub const CRYPTOS_MAX: usize = 16;

/// The third word of a media line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// RFC 3551: in clear, unless there are keys beside it (RFC 8643).
    Avp,
    /// RFC 4585.
    Avpf,
    /// RFC 3711.
    Savp,
    /// RFC 5124.
    Savpf,
    /// RFC 5764: keys come of a handshake.
    TlsSavp,
    TlsSavpf,
}

impl Profile {
    const ALL: [Profile; 6] =
        [Profile::Avp, Profile::Avpf, Profile::Savp, Profile::Savpf, Profile::TlsSavp, Profile::TlsSavpf];

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.as_str() == name)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Profile::Avp => "RTP/AVP",
            Profile::Avpf => "RTP/AVPF",
            Profile::Savp => "RTP/SAVP",
            Profile::Savpf => "RTP/SAVPF",
            Profile::TlsSavp => "UDP/TLS/RTP/SAVP",
            Profile::TlsSavpf => "UDP/TLS/RTP/SAVPF",
        }
    }

    /// Never in clear.
    pub fn is_protected(self) -> bool {
        !matches!(self, Profile::Avp | Profile::Avpf)
    }

    /// Its keys come of a handshake.
    pub fn is_handshake(self) -> bool {
        matches!(self, Profile::TlsSavp | Profile::TlsSavpf)
    }
}

/// One `a=crypto` line that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crypto {
    /// RFC 4568 §4.1: the answer names the line it takes.
    pub tag: u32,
    /// What its writer seals with.
    pub master: Master,
}

impl Crypto {
    /// `1 AES_CM_128_HMAC_SHA1_80 inline:… |2^31`. None for a line that may not be used: another suite, a key of another
    /// length, several keys, a key that needs an MKI in each packet, and every session parameter that would weaken the
    /// stream or that we do not know (RFC 4568 §6.3.4, §6.3.7).
    pub fn read(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let (tag, suite, key) = (words.next()?, words.next()?, words.next()?);
        let tag =
            Some(tag).filter(|tag| tag.len() <= 9 && tag.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()?;
        let suite = Suite::named(suite)?;
        let mut parts = key.strip_prefix("inline:")?.split('|');
        let bytes = STANDARD.decode(parts.next()?).ok()?;
        let lifetime = parts.next();
        if lifetime.is_some_and(|lifetime| lifetime.contains(':')) || parts.next().is_some() {
            return None;
        }
        let harmless = |word: &str| word.starts_with('-') || word.starts_with("WSH=");
        words.all(harmless).then_some(())?;
        Some(Self { tag, master: Master::new(suite, &bytes)? })
    }
}

impl fmt::Display for Crypto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} inline:{}", self.tag, self.master.suite().name(), STANDARD.encode(self.master.bytes()))
    }
}

/// Who begins a handshake (RFC 4145 §4, RFC 5763 §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setup {
    Active,
    Passive,
    /// The other may choose; in offers alone.
    ActPass,
}

impl Setup {
    pub fn read(text: &str) -> Option<Self> {
        [Setup::Active, Setup::Passive, Setup::ActPass].into_iter().find(|setup| setup.as_str() == text)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Setup::Active => "active",
            Setup::Passive => "passive",
            Setup::ActPass => "actpass",
        }
    }
}

/// What a party shows of itself for a handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    pub fingerprint: Fingerprint,
    pub setup: Setup,
    /// None: it does not speak ICE, and is where its media line says.
    pub ice: Option<Credentials>,
}

/// A party's ICE user fragment and password (RFC 8839 §5.4).
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub user: String,
    pub password: String,
}

impl Credentials {
    /// None when either is too short, too long, or not of ICE's characters.
    pub fn new(user: &str, password: &str) -> Option<Self> {
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'));
        let good =
            plain(user) && plain(password) && (4..=256).contains(&user.len()) && (22..=256).contains(&password.len());
        good.then(|| Self { user: user.to_owned(), password: password.to_owned() })
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({})", self.user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4568 §6.1's own example, without its MKI.
    const KEY: &str = "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";

    #[test]
    fn a_line_that_may_be_used_is_read_and_written() {
        for rest in ["", "|2^20", "|2147483648", " WSH=64", "|2^48 -FEC_ORDER=FEC_SRTP"] {
            let line = format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}{rest}");
            let crypto = Crypto::read(&line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(crypto.to_string(), format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"));
            assert_eq!(Crypto::read(&crypto.to_string()), Some(crypto));
        }
    }

    #[test]
    fn a_line_that_would_be_weak_or_that_we_do_not_understand_is_none() {
        for line in [
            format!("1 NULL_HMAC_SHA1_80 inline:{KEY}"),
            format!("1 AES_CM_128_NULL_AUTH inline:{KEY}"),
            format!("1 F8_128_HMAC_SHA1_80 inline:{KEY}"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} UNENCRYPTED_SRTP"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} UNENCRYPTED_SRTCP"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} UNAUTHENTICATED_SRTP"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} KDR=1"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^20|1:4"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|1:4"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY};inline:{KEY}"),
            format!("1 AEAD_AES_128_GCM inline:{KEY}"),
            format!("x AES_CM_128_HMAC_SHA1_80 inline:{KEY}"),
            format!("1234567890 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"),
            "1 AES_CM_128_HMAC_SHA1_80 inline:c2hvcnQ=".to_owned(),
            "1 AES_CM_128_HMAC_SHA1_80 inline:###".to_owned(),
            "1 AES_CM_128_HMAC_SHA1_80".to_owned(),
            String::new(),
        ] {
            assert_eq!(Crypto::read(&line), None, "{line}");
        }
    }
}
