//! Trunk groups, and how the carriers behind trunks are treated: bounds at the edit, and what the merged documents leave
//! pointing at nothing.

use std::collections::BTreeSet;

use model::{
    Number,
    carrier::{Arrives, Carrier},
    change::{Problem, Severity},
    config::Config,
    dialling::Dialling,
};

use crate::{
    change::{at_most, invalid, length, within},
    error::Error,
    layers::Findings,
    references::dangling,
    rules::{self, most},
};

/// What audio the box speaks (RFC 3551 §6). A name is one of these, whatever its case.
const CODECS: [&str; 4] = ["PCMA", "PCMU", "G722", "opus"];

/// Country codes whose law forbids hidden callers on a business's lines (NORMS 3).
const SEEN: [&str; 1] = ["86"];

/// As one text, when everything is within its bounds.
pub(crate) fn written(carrier: &Carrier) -> Result<String, Error> {
    let Carrier { name, numbers, identity, limits, health, codecs, .. } = carrier;
    if name.len() > most::NAME || !is_name(name) {
        return Err(invalid("name", "a host name, with a port or without"));
    }
    arrives_fits("called", &numbers.called)?;
    arrives_fits("caller", &numbers.caller)?;
    at_most("numbers that may be shown", identity.allowed.len(), most::SHOWN)?;
    for (field, limit) in [("in_max", limits.in_max), ("out_max", limits.out_max)] {
        limit.map_or(Ok(()), |limit| within(field, limit.into(), (0, 1_000)))?;
    }
    health.every_s.filter(|every| *every != 0).map_or(Ok(()), |every| within("every_s", every.into(), (10, 3_600)))?;
    within("down_after", health.down_after.into(), (1, 10))?;
    within("up_after", health.up_after.into(), (1, 10))?;
    at_most("codecs", codecs.len(), most::CODECS)?;
    codecs.iter().try_for_each(|codec| length("codec", codec, 20))?;
    serde_json::to_string(carrier).map_err(|_| invalid("carrier", "cannot be written"))
}

/// Empty, or labels with a dot between them (RFC 1123 §2.1), and a port behind a colon. The last label has a letter:
/// an address is no name.
fn is_name(name: &str) -> bool {
    let (host, port) = name.split_once(':').map_or((name, None), |(host, port)| (host, Some(port)));
    let label = |label: &str| {
        let inner = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        (1..=63).contains(&label.len()) && label.bytes().all(inner) && !label.starts_with('-') && !label.ends_with('-')
    };
    let worded = host.rsplit('.').next().is_some_and(|last| last.bytes().any(|b| b.is_ascii_alphabetic()));
    let numbered = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    name.is_empty() || (host.split('.').all(label) && worded && numbered)
}

fn arrives_fits(field: &str, arrives: &Arrives) -> Result<(), Error> {
    within(field, arrives.strip.into(), (0, 10))?;
    let digits = arrives.before.strip_prefix('+').unwrap_or(&arrives.before);
    let fits = arrives.before.len() <= 15 && digits.bytes().all(|b| b.is_ascii_digit());
    if fits { Ok(()) } else { Err(invalid(field, "digits with an optional leading +")) }
}

pub(crate) fn groups_fit(dialling: &Dialling) -> Result<(), Error> {
    at_most("trunk groups", dialling.groups.len(), most::GROUPS)?;
    for group in dialling.groups.values() {
        length("label", &group.label, rules::LABEL_MAX)?;
        at_most("members of a trunk group", group.members.len(), most::MEMBERS)?;
        for member in &group.members {
            within("order", member.order.into(), (0, 9))?;
            within("weight", member.weight.into(), (0, 100))?;
        }
    }
    match &dialling.outward {
        Some(group) if !dialling.groups.contains_key(group) => Err(invalid("outward", "a group of this plan")),
        _ => Ok(()),
    }
}

pub(crate) fn repair(config: &mut Config, findings: &mut Findings) {
    groups(config, findings);
    trunks(config, findings);
}

fn groups(config: &mut Config, findings: &mut Findings) {
    let Config { site, trunks, hours, .. } = config;
    let path = "site/dialling";
    for (id, group) in &mut site.dialling.groups {
        let path = format!("{path}/groups/{id}");
        let mut seen = BTreeSet::new();
        group.members.retain(|member| {
            let there = trunks.contains_key(&member.trunk);
            if !there {
                findings.add(Severity::Warning, path.clone(), dangling(&member.trunk));
            }
            there && seen.insert(member.trunk.clone())
        });
        if let Some(gone) = group.hours.take_if(|of| !hours.contains_key(of)) {
            findings.add(Severity::Warning, path.clone(), dangling(&gone));
        }
        if group.members.iter().all(|member| member.weight == 0) {
            findings.add(Severity::Warning, path, Problem::EmptyGroup);
        }
    }
    let groups = &site.dialling.groups;
    if let Some(gone) = site.dialling.outward.take_if(|group| !groups.contains_key(group)) {
        findings.add(Severity::Warning, path, dangling(&gone));
    }
}

fn trunks(config: &mut Config, findings: &mut Findings) {
    let phones = config.phones.values().filter_map(|phone| phone.number.clone());
    let ours: BTreeSet<Number> = config.numbers.keys().cloned().chain(phones).collect();
    let must_be_seen = SEEN.contains(&config.site.dialling.country.as_str());
    for (id, trunk) in &mut config.trunks {
        let at = |field: &str| format!("trunks/{id}/carrier/{field}");
        let carrier = &mut trunk.carrier;
        if let Some(gone) = carrier.hours.take_if(|of| !config.hours.contains_key(of)) {
            findings.add(Severity::Warning, at("hours"), dangling(&gone));
        }
        carrier.codecs.retain(|name| {
            let known = CODECS.iter().any(|codec| codec.eq_ignore_ascii_case(name));
            if !known {
                findings.add(Severity::Warning, at("codecs"), Problem::UnknownCodec { name: name.clone() });
            }
            known
        });
        for number in carrier.identity.main.iter().chain(&carrier.identity.allowed) {
            if !ours.contains(number) {
                findings.add(Severity::Warning, at("identity"), Problem::NotOurs { number: number.clone() });
            }
        }
        if must_be_seen && carrier.identity.may_withhold {
            findings.add(Severity::Warning, at("identity/may_withhold"), Problem::MustBeSeen);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trunk_s_name_is_a_host_s() {
        let fits = |name: &str| written(&Carrier { name: name.to_owned(), ..Carrier::default() }).is_ok();
        let long = format!("{}e", "a.".repeat(119));
        for name in ["", "sip.carrier.example", "sip.carrier.example:5070", "carrier", "4you.example", &long] {
            assert!(fits(name), "{name:?}");
        }
        let longer = format!("{}ex", "a.".repeat(120));
        let bad = ["192.0.2.1", "a..b", ".a", "a.", "-a.b", "a:0", "a:65536", "a:", "sip:a.b", "a b", "a\nb", &longer];
        for name in bad {
            assert!(!fits(name), "{name:?}");
        }
    }
}
