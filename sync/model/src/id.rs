//! An id type for every noun. Names that people chose are short slugs; things that happen are 128-bit numbers.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("an id has 1 to {SLUG_LEN_MAX} characters of a-z, 0-9 and '-', and starts with a letter or digit: {0:?}")]
    Slug(String),
    #[error("an id of this kind has 32 hexadecimal digits")]
    Hex,
    #[error("an extension has 2 to 8 digits: {0:?}")]
    Extension(String),
    #[error("a number has 2 to 20 digits, with an optional leading '+': {0:?}")]
    Number(String),
}

/// Longest slug, in bytes.
pub const SLUG_LEN_MAX: usize = 40;

fn slug(text: &str) -> Result<Arc<str>, Error> {
    let fits = !text.is_empty()
        && text.len() <= SLUG_LEN_MAX
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-');
    if fits { Ok(text.into()) } else { Err(Error::Slug(text.chars().take(60).collect())) }
}

fn extension(text: &str) -> Result<Arc<str>, Error> {
    let fits = (2..=8).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if fits { Ok(text.into()) } else { Err(Error::Extension(text.chars().take(60).collect())) }
}

fn number(text: &str) -> Result<Arc<str>, Error> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let fits = (2..=20).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if fits { Ok(text.into()) } else { Err(Error::Number(text.chars().take(60).collect())) }
}

/// In a description of an interface every id is a text.
#[cfg(feature = "schema")]
macro_rules! described {
    ($name:ident) => {
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                String::schema()
            }
        }
        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
        }
    };
}

macro_rules! text_id {
    ($($(#[$doc:meta])* $name:ident = $check:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        #[cfg(feature = "schema")]
        described!($name);

        impl $name {
            /// Checks the text and makes it an id.
            pub fn new(text: &str) -> Result<Self, Error> { $check(text).map(Self) }
            /// The id as it was written.
            pub fn as_str(&self) -> &str { &self.0 }
        }
        impl FromStr for $name {
            type Err = Error;
            fn from_str(text: &str) -> Result<Self, Error> { Self::new(text) }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> { s.serialize_str(&self.0) }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
                Self::new(&text).map_err(de::Error::custom)
            }
        }
    )*};
}

text_id! {
    /// A branch (or a cloud site, which is boxes too).
    SiteId = slug;
    /// A queue of one site.
    QueueId = slug;
    /// A person at a desk, by pseudonym: a badge, never a name.
    AgentId = slug;
    /// A telephone line: a carrier, a gateway, another exchange.
    TrunkId = slug;
    /// Trunks that stand in for one another.
    GroupId = slug;
    /// What an agent can do: `finance`, `english`, `repairs`.
    SkillId = slug;
    /// A call flow.
    FlowId = slug;
    /// One step within a flow.
    StepId = slug;
    /// What a flow keeps in mind of a caller: `account`, `tries`.
    VariableId = slug;
    /// A prompt or a piece of music: the WAV file's name without `.wav`.
    PromptId = slug;
    /// A language, as speech synthesis names it: `en`, `en-us`, `cmn`, `yue`, `de`.
    LanguageId = slug;
    /// Where phones stand: a building, a floor, a hall.
    PlaceId = slug;
    /// Why an agent is not ready: `lunch`, `training`.
    PauseId = slug;
    /// What came of a contact, in an agent's word: `sold`, `call-again`.
    DispositionId = slug;
    /// What a ticket is about: `delivery`, `invoice`.
    CategoryId = slug;
    /// A weekly calendar of opening hours.
    HoursId = slug;
    /// A phone's short number on the box; also its SIP user.
    Extension = extension;
    /// A public number as dialled, E.164 with `+` or national.
    Number = number;
}

macro_rules! uid {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u128);

        #[cfg(feature = "schema")]
        described!($name);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, "{:032x}", self.0) }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, "{:032x}", self.0) }
        }
        impl FromStr for $name {
            type Err = Error;
            fn from_str(text: &str) -> Result<Self, Error> {
                if text.len() != 32 || !text.bytes().all(|b| b.is_ascii_hexdigit()) { return Err(Error::Hex); }
                u128::from_str_radix(text, 16).map(Self).map_err(|_| Error::Hex)
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> { s.collect_str(self) }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
                text.parse().map_err(de::Error::custom)
            }
        }
    )*};
}

uid! {
    /// One customer's visit: what is queued, offered, answered and told as a CDR.
    ContactId;
    /// One party of a call.
    LegId;
    /// One sealed or growing recording.
    RecordingId;
    /// One call carried between sites.
    OverflowId;
    /// What is to be done for a customer.
    TicketId;
    /// One thing that people must see soon.
    NoticeId;
    /// One box (a device identity), for life.
    BoxId;
    /// One life of a box's outbox: a restored disk begins the next.
    Epoch;
}
