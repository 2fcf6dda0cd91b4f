//! The dial plan: who is meant when digits are dialled on this box. Emergency numbers come first and need nothing but
//! the configuration in memory. Numbers that are ours (`config.numbers`) are the owner's to look up before it asks here.

use std::collections::BTreeMap;

use model::config::Config;
use model::{Extension, Number, PlaceId, TrunkId};

use crate::group;
use crate::leg::{Destination, Party};
use crate::numbers;
use crate::plan;

/// On whose behalf a number is dialled; it decides whether a call may leave at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    Phone(Extension),
    /// A device that proved nothing: it may call for help, and nothing else.
    Unproved,
    Trunk(TrunkId),
    Tunnel,
}

impl From<&Party> for Source {
    fn from(party: &Party) -> Self {
        match party {
            Party::Phone(extension) => Source::Phone(extension.clone()),
            Party::Unproved => Source::Unproved,
            Party::Trunk { trunk, .. } => Source::Trunk(trunk.clone()),
            Party::Tunnel(_) => Source::Tunnel,
        }
    }
}

/// Longest string of digits that leaves (E.164 has 15; a trunk prefix may stand before them).
const DIGITS_MAX: usize = 20;
/// Shortest number that leaves, unless it is an emergency number.
const DIGITS_MIN: usize = 3;

/// Who `dialled` is, for `source`. Total: every text has an answer, and what is not understood goes nowhere.
pub fn route(config: &Config, source: &Source, dialled: &str, up: impl Fn(&TrunkId) -> bool) -> Destination {
    let Some(digits) = normalise(dialled) else { return Destination::Unknown };
    if let (Source::Phone(_) | Source::Unproved, Some(number)) = (source, emergency(config, &digits)) {
        return match trunks(config, source, Some(&number), up).into_iter().next() {
            Some(trunk) => Destination::Emergency { trunk, number },
            None => Destination::Helpless(number),
        };
    }
    if *source == Source::Unproved {
        return Destination::Forbidden;
    }
    if let Some(inside) = inside(config, &digits) {
        return inside;
    }
    match source {
        Source::Phone(_) => outward(config, source, &digits, up),
        // No dial-through (S-140): who comes from outside reaches the inside only.
        Source::Trunk(_) | Source::Tunnel | Source::Unproved => Destination::Unknown,
    }
}

/// Where a call for help comes from: the phone's place, or the site's own for a phone without one and for a device that
/// proved nothing.
pub fn place<'a>(config: &'a Config, phone: Option<&Extension>) -> Option<&'a PlaceId> {
    let of_phone = phone.and_then(|phone| config.phones.get(phone)?.place.as_ref());
    of_phone.or(config.site.dialling.place.as_ref())
}

/// The emergency number these digits are, exactly: never a part of them (NORMS 2). With and without the digits that
/// lead outside.
pub fn emergency(config: &Config, digits: &str) -> Option<Number> {
    let prefix = &config.site.dialling.prefix;
    let bare = digits.strip_prefix(prefix.as_str()).filter(|_| !prefix.is_empty());
    let is = |number: &&Number| number.as_str() == digits || Some(number.as_str()) == bare;
    config.site.emergency.iter().find(is).cloned()
}

/// The number of the nightly test, which goes the way of an emergency call and takes nobody's line.
pub fn is_test(config: &Config, digits: &str) -> bool {
    config.site.dialling.test_number.as_ref().is_some_and(|number| number.as_str() == digits)
}

/// What is dialled for each emergency service that can be called by name (RFC 5031 §4.2): of the numbers that the site
/// has, the one that most countries give this service. A service without one of its own is `sos`, any help at all.
pub fn services(config: &Config) -> BTreeMap<String, String> {
    const NAMED: [(&str, &[&str]); 4] = [
        ("sos", &["112", "911", "999", "000", "110"]),
        ("sos.police", &["110", "133", "117", "17"]),
        ("sos.fire", &["119", "122", "118", "18"]),
        ("sos.ambulance", &["120", "144", "119", "15"]),
    ];
    let numbers = &config.site.emergency;
    let has = |usual: &&&str| numbers.iter().any(|number| number.as_str() == **usual);
    let named = NAMED.iter().filter_map(|(name, usual)| Some((*name, *usual.iter().find(has)?)));
    let any = numbers.first().map(|number| ("sos", number.as_str()));
    any.into_iter().chain(named).map(|(name, number)| (name.to_owned(), number.to_owned())).collect()
}

/// The same for text as it was dialled, or for the name of a service.
pub fn is_emergency(config: &Config, dialled: &str) -> bool {
    let of_urn = dialled.split_once(':').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("urn"));
    if let Some((_, rest)) = of_urn {
        return sip::uri::sos(rest).is_some() && !config.site.emergency.is_empty();
    }
    normalise(dialled).is_some_and(|digits| emergency(config, &digits).is_some())
}

/// The trunks that a call out may take, best first. An ordinary one: the outward trunk, then its backups. An emergency
/// call: the line of the phone's own place first, and any trunk at all last. Those that are up come before the others,
/// which are better than nothing.
pub fn trunks(
    config: &Config,
    source: &Source,
    emergency: Option<&Number>,
    up: impl Fn(&TrunkId) -> bool,
) -> Vec<TrunkId> {
    let site = &config.site;
    let here = match source {
        Source::Phone(phone) => place(config, Some(phone)),
        Source::Unproved => place(config, None),
        Source::Trunk(_) | Source::Tunnel => None,
    };
    let local = here.and_then(|place| config.places.get(place)?.trunk.as_ref()).filter(|_| emergency.is_some());
    let others = config.trunks.keys().filter(|_| emergency.is_some());
    let members = group::outward(config).into_iter().flat_map(|group| &group.members).map(|member| &member.trunk);
    let mut all: Vec<TrunkId> = Vec::new();
    for trunk in local.into_iter().chain(&site.outward).chain(&site.dialling.backup).chain(members).chain(others) {
        if config.trunks.contains_key(trunk) && !all.contains(trunk) {
            all.push(trunk.clone());
        }
    }
    let (mut ready, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(up);
    ready.extend(rest);
    ready
}

fn inside(config: &Config, digits: &str) -> Option<Destination> {
    let plan = &config.site.dialling;
    let is = |number: &Number| numbers::same(plan, number.as_str(), digits);
    let own = |phone: &model::config::Phone| phone.number.as_ref().is_some_and(is);
    let by_number = || config.phones.iter().find(|(_, phone)| own(phone)).map(|(extension, _)| extension.clone());
    let extension = Extension::new(digits).ok().filter(|extension| config.phones.contains_key(extension));
    let extension = extension.or_else(by_number)?;
    // An agent answers for the phone on the desk: the owner knows whether that agent is free.
    let agent = config.agents.iter().find(|(_, agent)| agent.phone.as_ref() == Some(&extension));
    Some(match agent {
        Some((id, _)) => Destination::Agent(id.clone()),
        None => Destination::Phone(extension),
    })
}

fn outward(config: &Config, source: &Source, digits: &str, up: impl Fn(&TrunkId) -> bool) -> Destination {
    let prefix = &config.site.dialling.prefix;
    let led_out = digits.starts_with('+').then_some(digits).or_else(|| digits.strip_prefix(prefix.as_str()));
    let Some(digits) = led_out else { return Destination::Unknown };
    let Ok(number) = Number::new(digits) else { return Destination::Unknown };
    if digits.len() < DIGITS_MIN {
        return Destination::Unknown;
    }
    if is_forbidden(config, digits) {
        return Destination::Forbidden;
    }
    match trunks(config, source, None, up).into_iter().next() {
        Some(trunk) => Destination::Outward { trunk, number },
        None => Destination::Unknown,
    }
}

/// Denied by class, unless the number is one of ours.
pub fn is_forbidden(config: &Config, digits: &str) -> bool {
    let ours = Number::new(digits).is_ok_and(|number| config.numbers.contains_key(&number));
    !ours && plan::is_denied(&config.site.dialling, digits)
}

/// ASCII digits with an optional leading `+`. Visual separators (RFC 3966 §5.1.1) vanish, full-width digits become
/// plain ones; anything else (letters, `;ext=`, `%2b`, `@`) makes the whole text no number.
pub fn normalise(dialled: &str) -> Option<String> {
    let mut digits = String::new();
    for c in dialled.chars() {
        match c {
            '0'..='9' => digits.push(c),
            '+' | '\u{FF0B}' if digits.is_empty() => digits.push('+'),
            '\u{FF10}'..='\u{FF19}' => digits.push(char::from_digit(u32::from(c).checked_sub(0xFF10)?, 10)?),
            ' ' | '-' | '.' | '(' | ')' => {}
            _ => return None,
        }
        if digits.len() > DIGITS_MAX {
            return None;
        }
    }
    (!digits.is_empty()).then_some(digits)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use model::config::{Agent, Phone, SipTransport, Site, Trunk, TrunkKind};
    use model::{AgentId, FlowId, SiteId};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn digits_go_where_the_plan_says() {
        let config = config();
        let phone = Source::Phone(extension("201"));
        let trunk = trunk_id("carrier");
        let outward = |n: &str| Destination::Outward { trunk: trunk.clone(), number: Number::new(n).unwrap() };
        let emergency = |n: &str| Destination::Emergency { trunk: trunk.clone(), number: Number::new(n).unwrap() };
        let table = [
            ("110", emergency("110")),
            ("1 1 0", emergency("110")),
            ("1-1-0", emergency("110")),
            ("\u{FF11}\u{FF11}\u{FF10}", emergency("110")),
            ("13811012345", outward("13811012345")),
            ("0110", Destination::Forbidden),
            ("1100", outward("1100")),
            ("202", Destination::Phone(extension("202"))),
            ("201", Destination::Agent(AgentId::new("ann").unwrap())),
            ("010 5555 0101", outward("01055550101")),
            ("0044 20 7946 0000", Destination::Forbidden),
            ("+442079460000", Destination::Forbidden),
            ("\u{FF0B}442079460000", Destination::Forbidden),
            ("(00)44", Destination::Forbidden),
            ("011442079460000", Destination::Forbidden),
            ("0900123456", Destination::Forbidden),
            ("+861055550100", outward("+861055550100")),
            ("95", Destination::Unknown),
            ("", Destination::Unknown),
            ("+", Destination::Unknown),
            ("1+10", Destination::Unknown),
            ("00;ext=1", Destination::Unknown),
            ("%2b44207946", Destination::Unknown),
            ("tel:110", Destination::Unknown),
            ("110;phone-context=x", Destination::Unknown),
            ("123456789012345678901", Destination::Unknown),
        ];
        for (dialled, expected) in table {
            assert_eq!(route(&config, &phone, dialled, |_| true), expected, "{dialled:?}");
        }
    }

    #[test]
    fn who_comes_from_outside_reaches_only_the_inside() {
        let config = config();
        for source in [Source::Trunk(trunk_id("carrier")), Source::Tunnel] {
            assert_eq!(route(&config, &source, "202", |_| true), Destination::Phone(extension("202")));
            for dialled in ["01055550101", "110", "0044", "+861055550100"] {
                assert_eq!(route(&config, &source, dialled, |_| true), Destination::Unknown, "{dialled}");
            }
        }
    }

    #[test]
    fn a_service_of_help_is_called_by_the_site_s_own_numbers() {
        let mut config = config();
        let named = |config: &Config| {
            let all = services(config).into_iter().map(|(name, number)| format!("{name} {number}"));
            all.collect::<Vec<_>>().join(", ")
        };
        let mut check = |numbers: &[&str], expected: &str| {
            config.site.emergency = numbers.iter().map(|number| Number::new(number).unwrap()).collect();
            assert_eq!(named(&config), expected);
            assert_eq!(is_emergency(&config, "urn:service:sos.fire"), !numbers.is_empty());
            assert!(!is_emergency(&config, "urn:service:sosx") && !is_emergency(&config, "urn:x"));
        };
        check(&["110", "119", "120", "122"], "sos 110, sos.ambulance 120, sos.fire 119, sos.police 110");
        check(&["112"], "sos 112");
        check(&["110", "112"], "sos 112, sos.police 110");
        check(&["01"], "sos 01");
        check(&[], "");
    }

    #[test]
    fn an_emergency_call_takes_a_trunk_that_is_up_and_needs_no_outward_trunk() {
        let mut config = config();
        let phone = Source::Phone(extension("201"));
        let to = |config: &Config, up: &str| match route(config, &phone, "110", |trunk| trunk.as_str() == up) {
            Destination::Emergency { trunk, .. } => trunk.to_string(),
            other => panic!("{other:?}"),
        };
        assert_eq!(to(&config, "carrier"), "carrier");
        assert_eq!(to(&config, "backup"), "backup");
        assert_eq!(to(&config, "none"), "carrier");
        config.site.outward = None;
        assert_eq!(to(&config, "none"), "backup");
    }

    #[test]
    fn a_house_without_a_line_knows_that_nobody_can_be_called_for_help() {
        let mut config = config();
        let says = |config: &Config, up: bool| crate::help::help(config, |_| up).word();
        assert_eq!((says(&config, true), says(&config, false)), ("ready", "lines_down"));
        let none = Config { trunks: BTreeMap::new(), ..config.clone() };
        assert_eq!(says(&none, true), "no_line");
        for source in [Source::Phone(extension("201")), Source::Unproved] {
            let helpless = Destination::Helpless(Number::new("110").unwrap());
            assert_eq!(route(&none, &source, "110", |_| true), helpless);
        }
        config.site.emergency.clear();
        assert_eq!(says(&config, true), "no_number");
    }

    #[test]
    fn with_digits_that_lead_outside_an_emergency_call_needs_none_and_others_do() {
        let mut config = config();
        config.site.dialling.prefix = "0".into();
        let phone = Source::Phone(extension("201"));
        let went = |dialled: &str| match route(&config, &phone, dialled, |_| true) {
            Destination::Emergency { number, .. } => format!("emergency {number}"),
            Destination::Outward { number, .. } => format!("outward {number}"),
            other => format!("{other:?}"),
        };
        let table = [
            ("110", "emergency 110"),
            ("0110", "emergency 110"),
            ("00110", "Forbidden"),
            ("013811012345", "outward 13811012345"),
            ("13811012345", "Unknown"),
            ("0001", "Forbidden"),
            ("202", "Phone(202)"),
        ];
        for (dialled, expected) in table {
            let found = went(dialled);
            assert!(found == expected || (expected == "Forbidden" && found == "Unknown"), "{dialled}: {found}");
        }
    }

    #[test]
    fn an_emergency_call_takes_the_line_of_the_phone_s_own_place() {
        let mut config = config();
        let place = model::dialling::Place { trunk: Some(trunk_id("backup")), ..Default::default() };
        config.places.insert(model::PlaceId::new("annex").unwrap(), place);
        config.phones.get_mut(&extension("202")).unwrap().place = model::PlaceId::new("annex").ok();
        let number = Number::new("110").unwrap();
        let order = |phone: &str, up: &str| {
            let all =
                trunks(&config, &Source::Phone(extension(phone)), Some(&number), |trunk| up.contains(trunk.as_str()));
            all.iter().map(TrunkId::to_string).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(order("201", "carrier backup"), "carrier backup");
        assert_eq!(order("202", "carrier backup"), "backup carrier");
        assert_eq!(order("202", "carrier"), "carrier backup");
        assert_eq!(order("202", ""), "backup carrier");
    }

    #[test]
    fn a_phone_s_own_number_rings_it_from_anywhere() {
        let mut config = config();
        config.phones.get_mut(&extension("202")).unwrap().number = Number::new("+861055550199").ok();
        let got = route(&config, &Source::Trunk(trunk_id("carrier")), "+861055550199", |_| true);
        assert_eq!(got, Destination::Phone(extension("202")));
    }

    proptest! {
        #[test]
        fn no_spelling_of_a_foreign_number_leaves(
            prefix in prop::sample::select(vec!["00", "+", "011", "\u{FF10}\u{FF10}", "\u{FF0B}", "0 0", "(0)0", "0-0", "0.0"]),
            rest in "[0-9 ().;=a-z%\u{FF10}-\u{FF19}-]{0,18}",
        ) {
            let config = config();
            let got = route(&config, &Source::Phone(extension("201")), &format!("{prefix}{rest}"), |_| true);
            prop_assert!(matches!(got, Destination::Forbidden | Destination::Unknown), "{got:?}");
        }

        #[test]
        fn any_text_has_an_answer_and_only_exact_digits_are_an_emergency(text in "\\PC{0,24}") {
            let got = route(&config(), &Source::Phone(extension("201")), &text, |_| true);
            let exact = normalise(&text).as_deref() == Some("110");
            prop_assert_eq!(matches!(got, Destination::Emergency { .. }), exact);
        }
    }

    fn extension(text: &str) -> Extension {
        Extension::new(text).unwrap()
    }

    fn trunk_id(text: &str) -> TrunkId {
        TrunkId::new(text).unwrap()
    }

    fn config() -> Config {
        let phone = |label: &str| Phone { label: label.into(), ..Phone::default() };
        let trunk = |label: &str| Trunk {
            label: label.into(),
            kind: TrunkKind::Address { peer: "192.0.2.1:5060".parse().unwrap(), transport: SipTransport::Udp },
            calls_max: 2,
            behind_nat: false,
            spelling: Default::default(),
            protection: Default::default(),
            carrier: Default::default(),
        };
        let ann = Agent {
            badge: "A1".into(),
            phone: Some(extension("201")),
            skills: BTreeMap::new(),
            queues: BTreeSet::new(),
        };
        Config {
            site: Site {
                id: SiteId::new("branch-a").unwrap(),
                label: "A".into(),
                time_zone: "Asia/Shanghai".into(),
                emergency: BTreeSet::from([Number::new("110").unwrap()]),
                outward: Some(trunk_id("carrier")),
                dialling: Default::default(),
                closed: false,
                pauses: BTreeMap::new(),
                dispositions: BTreeMap::new(),
                recording: Default::default(),
            },
            queues: BTreeMap::new(),
            agents: BTreeMap::from([(AgentId::new("ann").unwrap(), ann)]),
            phones: BTreeMap::from([(extension("201"), phone("desk")), (extension("202"), phone("door"))]),
            trunks: BTreeMap::from([(trunk_id("carrier"), trunk("c")), (trunk_id("backup"), trunk("b"))]),
            numbers: BTreeMap::from([(Number::new("+861055550100").unwrap(), FlowId::new("main").unwrap())]),
            flows: BTreeMap::new(),
            hours: BTreeMap::new(),
            places: BTreeMap::new(),
        }
    }
}
