//! How the carrier or gateway behind a trunk is treated: how it writes numbers, whom it may speak for and whom we show
//! it, how many calls it takes and when, how soon it is given up, and which codecs it is offered.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{HoursId, Number};

#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Carrier {
    /// The peer's name, `sip.carrier.example` or `sip.carrier.example:5070`: DNS says where it is (RFC 3263), and its
    /// certificate is for this name. The peer's address then is where it is when DNS has never said; `0.0.0.0:5060` for
    /// nowhere. Empty for a peer that is known by its address alone.
    pub name: String,
    pub numbers: Numbers,
    pub identity: Identity,
    pub limits: Limits,
    pub health: Health,
    /// Names of codecs (RFC 3551), `PCMA`, in the order in which they are offered; no other is spoken here. Empty for
    /// all that the box speaks, in its own order.
    pub codecs: Vec<String>,
    /// Ordinary calls go out within these hours only; None for always. What comes in is taken at any time.
    pub hours: Option<HoursId>,
}

/// How numbers arrive.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Numbers {
    /// Ours, in the Request-URI.
    pub called: Arrives,
    /// The caller's.
    pub caller: Arrives,
}

/// From what arrives to E.164: so many characters are taken off, these are put before, and the rest is read as written
/// this way.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Arrives {
    pub written: Written,
    /// 0 to 10.
    pub strip: u8,
    /// Digits with an optional leading `+`; at most 15.
    pub before: String,
}

#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Written {
    /// Taken as it comes.
    #[default]
    AsIs,
    /// Country code first, with or without `+`: `8613800000000`.
    CountryFirst,
    /// As it is dialled at home: `013800000000`, and `0044…` from abroad.
    AsDialled,
    /// At home without what stands before an area code: `2125550100`.
    AreaFirst,
}

/// Who is shown as caller, and who is believed (RFC 3323, 3325, 5806, 7044, 5009).
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Identity {
    /// It may speak for others: P-Asserted-Identity, Remote-Party-ID, Diversion, History-Info and P-Early-Media count.
    pub trusted: bool,
    pub show: Show,
    /// The site's number on this trunk; None for the first of the numbers that may be shown.
    pub main: Option<Number>,
    /// No other number is shown. Empty for those of the site: its public numbers and those of its phones.
    pub allowed: BTreeSet<Number>,
    pub style: Style,
    /// A phone may ask not to be shown. Where the law wants the number seen, no.
    pub may_withhold: bool,
    pub forwarded: Forwarded,
    pub early: Early,
}

impl Default for Identity {
    fn default() -> Self {
        Self {
            trusted: false,
            show: Show::Own,
            main: None,
            allowed: BTreeSet::new(),
            style: Style::From,
            may_withhold: true,
            forwarded: Forwarded::Nothing,
            early: Early::Always,
        }
    }
}

#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Show {
    /// The phone's own number, the main one for a phone without.
    #[default]
    Own,
    Main,
}

/// Where the number stands beside From.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    #[default]
    From,
    /// P-Asserted-Identity
    Asserted,
    /// P-Preferred-Identity
    Preferred,
    /// Remote-Party-ID
    RemoteParty,
}

/// What a caller's call that goes on to this trunk says of the number that was called.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Forwarded {
    #[default]
    Nothing,
    Diversion,
    HistoryInfo,
}

/// What is heard before the answer.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Early {
    #[default]
    Always,
    /// When a trusted trunk gives leave (P-Early-Media); ring-back of ours otherwise.
    Authorised,
    /// Ring-back of ours.
    Never,
}

/// Calls at once by their direction, within `calls_max`; None: no limit of its own.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Limits {
    pub in_max: Option<u32>,
    pub out_max: Option<u32>,
}

/// OPTIONS pings: how often, and how many in a row change our mind.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = CarrierHealth))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Health {
    /// Seconds, 10 to 3600; 0 for none. None: 30 for a trunk by address; none for one that registers, which shows by that.
    pub every_s: Option<u32>,
    /// 1 to 10 each.
    pub down_after: u8,
    pub up_after: u8,
}

impl Default for Health {
    fn default() -> Self {
        Self { every_s: None, down_after: 2, up_after: 1 }
    }
}
