//! What a phone is told, from the configuration that is in force, `box.toml` and its enrolment.

use std::collections::BTreeSet;

use jiff::{
    Timestamp, ToSpan,
    tz::{TimeZone, TimeZoneTransition},
};
use model::{
    Extension,
    config::{Config, Protection},
};
use provision::{Authority, Clock, Codec, Lamp, Settings, Srtp, Summer, Transport, Turn};
use sip::endpoint;

use super::Enrolment;
use crate::config::{BoxConfig, Provision};

/// `*8` and the extension takes a call that rings there.
const PICKUP: &str = "*8";

/// Where phones fetch, with a `/` at the end and no token.
pub fn base_url(provision: &Provision) -> String {
    format!("https://{}/", provision.listen)
}

/// None when the extension is not configured, or the box listens for no phones.
pub fn settings(
    (config, provision): (&BoxConfig, &Provision),
    site: &Config,
    (phone, enrolment): (&Extension, &Enrolment),
    (token, password): (&str, &str),
    ca: Option<&str>,
) -> Option<Settings> {
    let line = site.phones.get(phone)?;
    let (transport, at) = listener(config)?;
    let is_private = transport == Transport::Tls;
    let srtp = match line.protection {
        Protection::Clear => Srtp::Off,
        // Keys are not written where others can read them.
        Protection::Preferred if is_private => Srtp::Offered,
        Protection::Preferred => Srtp::Off,
        Protection::Required | Protection::RequiredOpenly => Srtp::Required,
    };
    let label = |of: &Extension| {
        let label = site.phones.get(of).map_or("", |phone| phone.label.as_str());
        if label.is_empty() { of.to_string() } else { label.to_owned() }
    };
    let lamps = enrolment.lamps.iter().filter(|lamp| site.phones.contains_key(*lamp));
    let base = base_url(provision);
    Some(Settings {
        extension: phone.to_string(),
        label: label(phone),
        password: password.to_owned(),
        web_password: enrolment.web_password.clone(),
        server: at.ip().to_string(),
        port: at.port(),
        transport,
        srtp,
        codecs: vec![Codec::G711A, Codec::G711U],
        clock: clock(&site.site.time_zone, Timestamp::now()),
        time_server: provision.time_server.clone(),
        language: provision.language,
        pickup: PICKUP.to_owned(),
        lamps: lamps.map(|lamp| Lamp { extension: lamp.to_string(), label: label(lamp) }).collect(),
        emergency: emergency(site),
        url: format!("{base}{token}/"),
        ca: ca.map(|pem| Authority {
            pem: pem.to_owned(),
            pem_url: format!("{base}ca.pem"),
            der_url: format!("{base}ca.der"),
        }),
    })
}

/// The best that the box listens on.
fn listener(config: &BoxConfig) -> Option<(Transport, std::net::SocketAddr)> {
    let known = [
        (endpoint::Transport::Tls, Transport::Tls),
        (endpoint::Transport::Tcp, Transport::Tcp),
        (endpoint::Transport::Udp, Transport::Udp),
    ];
    known.into_iter().find_map(|(ours, theirs)| {
        let (_, at) = config.sip.listen.iter().find(|(transport, _)| *transport == ours)?;
        Some((theirs, *at))
    })
}

/// With and without the digits that lead outside.
fn emergency(site: &Config) -> Vec<String> {
    let prefix = &site.site.dialling.prefix;
    let mut numbers = BTreeSet::new();
    for number in &site.site.emergency {
        numbers.insert(number.to_string());
        numbers.insert(format!("{prefix}{number}"));
    }
    numbers.into_iter().collect()
}

/// The zone's offset in winter, and when it changes in the year that begins at `now`.
fn clock(zone: &str, now: Timestamp) -> Clock {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let minutes = |at: Timestamp| zone.to_offset(at).seconds() / 60;
    let year = now.checked_add((24 * 370).hours()).unwrap_or(Timestamp::MAX);
    let turns: Vec<TimeZoneTransition<'_>> =
        zone.following(now).take_while(|turn| turn.timestamp() < year).take(2).collect();
    let summer = |turn: &TimeZoneTransition<'_>| turn.dst().is_dst();
    match (turns.iter().find(|turn| summer(turn)), turns.iter().find(|turn| !summer(turn))) {
        (Some(begins), Some(ends)) => {
            let (high, low) = (begins.offset().seconds() / 60, ends.offset().seconds() / 60);
            let summer = Summer {
                saving_min: high.saturating_sub(low),
                begins: turn(begins.timestamp(), low),
                ends: turn(ends.timestamp(), high),
            };
            Clock { offset_min: low, summer: Some(summer) }
        }
        _ => Clock { offset_min: minutes(now), summer: None },
    }
}

/// The moment by the clock that is about to be changed, as the n-th weekday of its month.
fn turn(at: Timestamp, offset_min: i32) -> Turn {
    let offset = jiff::tz::Offset::from_seconds(offset_min.saturating_mul(60)).unwrap_or(jiff::tz::Offset::UTC);
    let local = offset.to_datetime(at);
    let is_last = local.day().saturating_add(7) > local.date().days_in_month();
    let week = if is_last { 5 } else { local.day().saturating_sub(1) / 7 + 1 };
    let small = |value: i8| u8::try_from(value).unwrap_or(0);
    Turn {
        month: small(local.month()),
        week: small(week),
        weekday: small(local.date().weekday().to_monday_one_offset()),
        hour: small(local.hour()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(zone: &str, wanted: Clock) {
        for now in ["2026-11-28T12:00:00Z", "2026-07-01T12:00:00Z"] {
            assert_eq!(clock(zone, now.parse().unwrap()), wanted, "{zone} at {now}");
        }
    }

    #[test]
    fn a_zone_becomes_a_rule_that_phones_know() {
        let turn = |month, week, hour| Turn { month, week, weekday: 7, hour };
        check("Asia/Shanghai", Clock { offset_min: 480, summer: None });
        let summer = Summer { saving_min: 60, begins: turn(3, 5, 2), ends: turn(10, 5, 3) };
        check("Europe/Berlin", Clock { offset_min: 60, summer: Some(summer) });
        let summer = Summer { saving_min: 60, begins: turn(3, 2, 2), ends: turn(11, 1, 2) };
        check("America/New_York", Clock { offset_min: -300, summer: Some(summer) });
        let summer = Summer { saving_min: 60, begins: turn(10, 1, 2), ends: turn(4, 1, 3) };
        check("Australia/Sydney", Clock { offset_min: 600, summer: Some(summer) });
        check("Nowhere/Atall", Clock { offset_min: 0, summer: None });
    }
}
