//! How a site dials: what leaves, by which trunks, in which spelling, how often; and where its phones stand, for those
//! who come to help.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{GroupId, HoursId, Number, PlaceId, TrunkId};

/// One dial plan for every way out. The default denies what is abroad and what is expensive.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Dialling {
    /// Digits before a number outside, taken off: `0` or `9`; empty for none. Emergency numbers need none.
    pub prefix: String,
    /// Our country code, `86`; empty while unknown: then every number abroad is denied, whatever `abroad` says.
    pub country: String,
    /// What stands before an area code at home, `0`; empty for none.
    pub national: String,
    /// What stands before a country code, `00`.
    pub international: String,
    /// Country codes, or longer beginnings of numbers in them, that may be called.
    pub abroad: BTreeSet<String>,
    /// Beginnings of numbers at home that cost more, as dialled at home; denied.
    pub premium: BTreeSet<String>,
    /// Where a call goes that the outward trunk does not take, in order.
    pub backup: Vec<TrunkId>,
    pub groups: BTreeMap<GroupId, TrunkGroup>,
    /// The group that ordinary calls out try first, before the outward trunk; emergency calls need none.
    pub outward: Option<GroupId>,
    /// Calls out in any hour, of one phone, of one agent on whichever phones, and of the whole site; emergency calls do not
    /// count.
    pub phone_hour_max: u32,
    pub site_hour_max: u32,
    /// Calls out that one phone, or one agent, may have at once; one that it gave away counts until it ends.
    pub phone_calls_max: u32,
    /// What a minute costs, in hundredths of the currency: at home, abroad, and by the beginnings of numbers (with the
    /// country's code; the longest counts).
    pub home_cents: u32,
    pub abroad_cents: u32,
    pub tariffs: BTreeMap<String, u32>,
    /// What one phone, one agent, and the whole site may spend in any hour; each minute is paid before it begins.
    pub phone_hour_cents_max: u32,
    pub site_hour_cents_max: u32,
    /// Where the house stands: what is told of a phone without a place of its own, and of a device that proved nothing.
    pub place: Option<PlaceId>,
    /// Called every night over the line of each place, as an emergency call would be: a number that the carrier gives for
    /// it, never a real emergency number. None: no test.
    pub test_number: Option<Number>,
    /// The hour of the test, by the site's own clock.
    pub test_hour: u8,
    /// A place that nobody has confirmed for so many days fails the test; 0 for no such check.
    pub confirm_days: u32,
}

impl Default for Dialling {
    fn default() -> Self {
        let premium = ["0900", "0190", "168", "160"].map(str::to_owned).into();
        Self {
            prefix: String::new(),
            country: String::new(),
            national: "0".into(),
            international: "00".into(),
            abroad: BTreeSet::new(),
            premium,
            backup: Vec::new(),
            groups: BTreeMap::new(),
            outward: None,
            phone_hour_max: 60,
            site_hour_max: 600,
            phone_calls_max: 3,
            home_cents: 3,
            abroad_cents: 50,
            tariffs: BTreeMap::new(),
            phone_hour_cents_max: 2_000,
            site_hour_cents_max: 20_000,
            place: None,
            test_number: None,
            test_hour: 3,
            confirm_days: 180,
        }
    }
}

/// Trunks that carry ordinary calls together: at most 16.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct TrunkGroup {
    /// Shown to people; at most 60 characters.
    pub label: String,
    pub members: Vec<Member>,
    /// The group carries calls within these hours only; None for always.
    pub hours: Option<HoursId>,
}

/// Calls are shared out by weight among the members of the lowest order that can take them.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    pub trunk: TrunkId,
    /// 0 to 9; the lowest is tried first.
    #[serde(default)]
    pub order: u8,
    /// 0 to 100; 0 only when every other has failed.
    #[serde(default = "Member::even")]
    pub weight: u8,
}

impl Member {
    fn even() -> u8 {
        10
    }
}

/// How a trunk wants numbers.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Spelling {
    #[default]
    AsDialled,
    /// `+8613800000000`
    Plus,
    /// `8613800000000`
    Digits,
    /// `013800000000`, and abroad `0044…`
    National,
}

/// Where a phone stands (RFC 5139): what a dispatcher needs. Addresses of offices, never of persons.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Place {
    /// Shown to people; at most 60 characters.
    pub label: String,
    /// ISO 3166-1 alpha-2, `CN`.
    pub country: String,
    pub state: String,
    pub city: String,
    pub street: String,
    pub house: String,
    pub floor: String,
    pub room: String,
    /// The line of this place: emergency calls take it first.
    pub trunk: Option<TrunkId>,
    /// The day on which somebody last checked that this is right and that the phones stand here, `2026-11-28`; empty for
    /// never.
    pub confirmed: String,
    /// The carrier reads a location (RFC 6442); sent again without when it refuses the call.
    pub send_location: bool,
}
