//! What is offered: a signed bundle's name, version, size and digest, as written beside it in the spool. The digest
//! guards the way from the cloud; whether the bundle may be installed is for RAUC's signature check alone.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Largest bundle that is taken, in bytes. Known before the first byte is fetched (S-101, endless data).
pub const SIZE_MAX: u64 = 4 * 1024 * 1024 * 1024;

/// `major.minor.patch`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub [u16; 3]);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("{0:?} is not a version such as 1.4.0")]
    Version(String),
    #[error("{0:?} is not a bundle's name: 1 to 80 characters of a-z, 0-9, '.', '-', ending in .raucb")]
    Name(String),
    #[error("a bundle has 1 to {SIZE_MAX} bytes, this one {0}")]
    Size(u64),
    #[error("sha256 has 64 lower-case hexadecimal digits")]
    Digest,
}

impl FromStr for Version {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || Error::Version(text.chars().take(40).collect());
        let mut parts = text.split('.').map(str::parse::<u16>);
        let mut part = || parts.next().and_then(Result::ok);
        let version = (part(), part(), part());
        match (version, text.split('.').count()) {
            ((Some(major), Some(minor), Some(patch)), 3) => Ok(Version([major, minor, patch])),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.0;
        write!(f, "{major}.{minor}.{patch}")
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(de::Error::custom)
    }
}

/// One offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// File name in the spool.
    pub name: String,
    pub version: Version,
    /// Bytes.
    pub size: u64,
    /// Of the whole file, lower-case hex.
    pub sha256: String,
}

impl Bundle {
    /// Refuses an offer that cannot be right, before anything is opened.
    pub fn check(&self) -> Result<(), Error> {
        let named = self.name.strip_suffix(".raucb").is_some_and(|stem| !stem.is_empty() && !stem.starts_with('.'))
            && self.name.len() <= 80
            && self.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-'));
        if !named {
            return Err(Error::Name(self.name.chars().take(100).collect()));
        }
        if self.size == 0 || self.size > SIZE_MAX {
            return Err(Error::Size(self.size));
        }
        let hex = self.sha256.len() == 64 && self.sha256.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if hex { Ok(()) } else { Err(Error::Digest) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_the_spool() {
        let good =
            Bundle { name: "box-1.2.0.raucb".into(), version: Version([1, 2, 0]), size: 5, sha256: "a".repeat(64) };
        assert_eq!(good.check(), Ok(()));
        for name in ["../x.raucb", "/etc/x.raucb", ".raucb", "a\0.raucb", "x.raucb/..", "box"] {
            let bad = Bundle { name: name.into(), ..good.clone() };
            assert!(matches!(bad.check(), Err(Error::Name(_))), "{name:?} was taken");
        }
        assert_eq!(Bundle { size: SIZE_MAX + 1, ..good.clone() }.check(), Err(Error::Size(SIZE_MAX + 1)));
        assert_eq!(Bundle { sha256: "A".repeat(64), ..good }.check(), Err(Error::Digest));
    }

    #[test]
    fn versions_compare_as_numbers() {
        let version = |text: &str| text.parse::<Version>();
        assert!(version("1.10.0").expect("good") > version("1.9.9").expect("good"));
        for bad in ["1", "1.2", "1.2.3.4", "1.2.x", "", "1.2.70000"] {
            assert!(version(bad).is_err(), "{bad:?} was taken");
        }
    }
}
