//! What a phone needs to know, in no make's words.

use std::fmt;

use crate::Clock;

/// Keys with lamps on one phone; the smallest of the makes have more than ten on their pages.
pub const LAMPS_MAX: usize = 20;

#[derive(Clone, PartialEq, Eq)]
pub struct Settings {
    /// Digits; also the user of SIP and of its digest.
    pub extension: String,
    /// Shown on the phone and to whom it calls.
    pub label: String,
    pub password: String,
    /// Of the phone's own pages.
    pub web_password: String,
    /// An address or a name, and where it listens.
    pub server: String,
    pub port: u16,
    pub transport: Transport,
    pub srtp: Srtp,
    /// In order of preference.
    pub codecs: Vec<Codec>,
    pub clock: Clock,
    /// Asked for the time.
    pub time_server: String,
    pub language: Language,
    /// Before the extension whose call is taken, `*8`.
    pub pickup: String,
    /// Colleagues whose lines are watched; at most [`LAMPS_MAX`] are used.
    pub lamps: Vec<Lamp>,
    /// Dialled at once, without waiting for more digits. Digits alone.
    pub emergency: Vec<String>,
    /// Where this file is fetched again, with the token and a `/` at the end.
    pub url: String,
    pub ca: Option<Authority>,
}

/// Without its secrets.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("extension", &self.extension).finish_non_exhaustive()
    }
}

/// Whom the phone is to believe that the box is the box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    pub pem: String,
    /// Where the same certificate can be fetched, in PEM and in DER.
    pub pem_url: String,
    pub der_url: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lamp {
    pub extension: String,
    pub label: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    Udp,
    Tcp,
    Tls,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Srtp {
    Off,
    Offered,
    Required,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    G711A,
    G711U,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    English,
    Chinese,
}

impl Settings {
    pub(crate) fn lamps(&self) -> impl Iterator<Item = (usize, &Lamp)> {
        self.lamps.iter().filter(|lamp| lamp.extension != self.extension).take(LAMPS_MAX).enumerate()
    }

    /// Emergency numbers that are digits, and so mean themselves in every dial plan.
    pub(crate) fn emergency(&self) -> impl Iterator<Item = &str> {
        let digits = |text: &&str| !text.is_empty() && text.len() <= 20 && text.bytes().all(|b| b.is_ascii_digit());
        self.emergency.iter().map(String::as_str).filter(digits)
    }
}
