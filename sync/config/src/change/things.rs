//! Whole things as fields: a queue, an agent, a phone, a trunk, a dial plan, a place, a flow, a calendar.

use std::{collections::BTreeMap, fmt::Display};

use model::{
    SkillId,
    alert::Alerts,
    callback::Callback,
    config::{Agent, Hours, Locality, Phone, Protection, Queue, Span, Trunk},
    dialling::{Dialling, Place, Spelling},
    disposition::Dispositions,
    flow::Flow,
    forward::Forward,
    recording::Recording,
    routing::{Routing, TIERS_MAX},
};

use super::{Writes, at_most, invalid, length, within};
use crate::{
    carrier,
    error::Error,
    flow, recording,
    rules::{self, most},
    scalar::Scalar,
};

pub(super) fn queue_add(id: &impl Display, queue: &Queue) -> Result<Writes, Error> {
    let mut fields: Vec<(String, Scalar)> = vec![
        ("label".into(), (&queue.label).into()),
        ("music".into(), queue.music.as_str().into()),
        ("position_every_s".into(), queue.position_every_s.into()),
        ("ring_s".into(), queue.ring_s.into()),
        ("wrap_up_s".into(), queue.wrap_up_s.into()),
        ("service_level_s".into(), queue.service_level_s.into()),
        ("hours".into(), optional(&queue.hours)),
        ("recorded".into(), queue.recorded.into()),
        ("locality".into(), locality(queue.overflow.locality)),
        ("overflow_after_s".into(), queue.overflow.after_s.into()),
        ("overflow_to".into(), sites(&queue.overflow.to)?),
    ];
    fields.extend(skills(&queue.skills)?);
    if queue.closed {
        fields.push(("closed".into(), true.into()));
    }
    if queue.recording != Recording::default() {
        fields.push(("recording".into(), recording::of_queue(&queue.recording)?));
    }
    if queue.routing != Routing::default() {
        fields.push(("routing".into(), routing(&queue.routing)?));
    }
    if queue.callback != Callback::default() {
        fields.push(("callback".into(), callback(&queue.callback)?));
    }
    if queue.dispositions != Dispositions::default() {
        fields.push(("dispositions".into(), dispositions(&queue.dispositions)?));
    }
    if queue.alerts != Alerts::default() {
        fields.push(("alerts".into(), alerts(&queue.alerts)?));
    }
    let writes = Writes::thing("queues", id, fields).to("hours", queue.hours.as_ref());
    Ok(writes.to("hours", queue.callback.hours.as_ref()))
}

pub(super) fn routing(routing: &Routing) -> Result<Scalar, Error> {
    use crate::routing::{AGEING_S, LAST_AGENT_S, LEVELS_LESS, RESERVE, RESERVE_VALUE, TIER_AFTER_S};
    within("ageing_s", routing.ageing_s.into(), AGEING_S)?;
    within("last_agent_s", routing.last_agent_s.into(), LAST_AGENT_S)?;
    within("reserve.agents", routing.reserve.agents.into(), RESERVE)?;
    within("reserve.value", routing.reserve.value.into(), RESERVE_VALUE)?;
    at_most("tiers", routing.tiers.len(), TIERS_MAX)?;
    for tier in &routing.tiers {
        if tier.after_s.is_none() && tier.longer_than.is_none() {
            return Err(invalid("tiers", "a tier opens after some seconds, or when more than some number wait"));
        }
        within("tiers.after_s", tier.after_s.unwrap_or(0).into(), TIER_AFTER_S)?;
        within("tiers.levels_less", tier.levels_less.into(), LEVELS_LESS)?;
        at_most("queues of a tier", tier.also.len(), most::MEMBERSHIPS)?;
    }
    let json = serde_json::to_string(routing).map_err(|_| invalid("routing", "cannot be written"))?;
    Ok(json.as_str().into())
}

pub(super) fn callback(callback: &Callback) -> Result<Scalar, Error> {
    use crate::callback::{AGAIN_MIN, ATTEMPTS, OFFER_AFTER_S};
    callback.offer_after_s.map_or(Ok(()), |after| within("offer_after_s", after.into(), OFFER_AFTER_S))?;
    within("attempts", callback.attempts.into(), ATTEMPTS)?;
    within("again_min", callback.again_min.into(), AGAIN_MIN)?;
    let json = serde_json::to_string(callback).map_err(|_| invalid("callback", "cannot be written"))?;
    Ok(json.as_str().into())
}

pub(super) fn alerts(alerts: &Alerts) -> Result<Scalar, Error> {
    for (name, value, bounds) in crate::alert::thresholds(&mut alerts.clone()) {
        within(name, (*value).into(), bounds)?;
    }
    let json = serde_json::to_string(alerts).map_err(|_| invalid("alerts", "cannot be written"))?;
    Ok(json.as_str().into())
}

/// Codes that the site does not have are left out where the documents are resolved: another may be about to add them.
pub(super) fn dispositions(dispositions: &Dispositions) -> Result<Scalar, Error> {
    at_most("dispositions of a queue", dispositions.only.len(), most::DISPOSITIONS)?;
    let json = serde_json::to_string(dispositions).map_err(|_| invalid("dispositions", "cannot be written"))?;
    Ok(json.as_str().into())
}

pub(super) fn agent_add(id: &impl Display, agent: &Agent) -> Result<Writes, Error> {
    at_most("queues of an agent", agent.queues.len(), most::MEMBERSHIPS)?;
    let mut fields: Vec<(String, Scalar)> =
        vec![("badge".into(), (&agent.badge).into()), ("phone".into(), optional(&agent.phone))];
    fields.extend(skills(&agent.skills)?);
    fields.extend(agent.queues.iter().map(|queue| (format!("queues/{queue}"), true.into())));
    let writes = Writes::thing("agents", id, fields).to("phones", agent.phone.as_ref());
    Ok(agent.queues.iter().fold(writes, |writes, queue| writes.to("queues", Some(queue))))
}

/// A phone without a number, a place or a protection of its own writes none: the branch may add phones, not public
/// numbers.
pub(super) fn phone_add(id: &impl Display, phone: &Phone) -> Result<Writes, Error> {
    let mut fields: Vec<(String, Scalar)> = vec![("label".into(), (&phone.label).into())];
    fields.extend(phone.number.is_some().then(|| ("number".into(), optional(&phone.number))));
    fields.extend(phone.place.is_some().then(|| ("place".into(), optional(&phone.place))));
    let said = phone.protection != Protection::default();
    fields.extend(said.then(|| ("protection".into(), protection(phone.protection).into())));
    if phone.forward != Forward::default() {
        fields.push(("forward".into(), forward(&phone.forward)?));
    }
    Ok(Writes::thing("phones", id, fields).to("places", phone.place.as_ref()))
}

pub(super) fn forward(forward: &Forward) -> Result<Scalar, Error> {
    forward_fits(forward)?;
    let json = serde_json::to_string(forward).map_err(|_| invalid("forward", "cannot be written"))?;
    Ok(json.as_str().into())
}

pub(crate) fn forward_fits(forward: &Forward) -> Result<(), Error> {
    within("after_s", forward.after_s.into(), (5, 120))
}

pub(super) fn site_dialling(dialling: &Dialling) -> Result<Writes, Error> {
    let digits = |field: &str, text: &str, max: usize| {
        let fits = text.len() <= max && text.bytes().all(|b| b.is_ascii_digit());
        if fits { Ok(()) } else { Err(invalid(field, "a few digits")) }
    };
    digits("prefix", &dialling.prefix, 3)?;
    digits("country", &dialling.country, 3)?;
    digits("national", &dialling.national, 3)?;
    digits("international", &dialling.international, 5)?;
    at_most("countries", dialling.abroad.len(), most::CLASSES)?;
    at_most("premium classes", dialling.premium.len(), most::CLASSES)?;
    at_most("backup trunks", dialling.backup.len(), most::TRUNKS)?;
    carrier::groups_fit(dialling)?;
    for class in dialling.abroad.iter().chain(&dialling.premium) {
        digits("class", class, 15)?;
        length("class", class, 15)?;
    }
    within("phone_hour_max", dialling.phone_hour_max.into(), (0, 10_000))?;
    within("phone_calls_max", dialling.phone_calls_max.into(), (0, 100))?;
    within("site_hour_max", dialling.site_hour_max.into(), (0, 100_000))?;
    within("test_hour", dialling.test_hour.into(), (0, 23))?;
    within("confirm_days", dialling.confirm_days.into(), (0, 3_650))?;
    at_most("tariffs", dialling.tariffs.len(), most::TARIFFS)?;
    for class in dialling.tariffs.keys() {
        digits("tariff", class, 15)?;
        length("tariff", class, 15)?;
    }
    let cents = [dialling.home_cents, dialling.abroad_cents].into_iter().chain(dialling.tariffs.values().copied());
    for cents in cents {
        within("cents", cents.into(), (0, 100_000))?;
    }
    for (field, cents) in
        [("phone_hour_cents_max", dialling.phone_hour_cents_max), ("site_hour_cents_max", dialling.site_hour_cents_max)]
    {
        within(field, cents.into(), (0, 100_000_000))?;
    }
    let json = serde_json::to_string(dialling).map_err(|_| invalid("dialling", "cannot be written"))?;
    let writes = Writes::default().field("site/dialling", json.as_str()).to("places", dialling.place.as_ref());
    let groups = dialling.groups.values();
    let members = groups.clone().flat_map(|group| &group.members).map(|member| &member.trunk);
    let hours = groups.filter_map(|group| group.hours.as_ref());
    let writes = hours.fold(writes, |writes, hours| writes.to("hours", Some(hours)));
    Ok(dialling.backup.iter().chain(members).fold(writes, |writes, trunk| writes.to("trunks", Some(trunk))))
}

pub(super) fn place_put(id: &impl Display, place: &Place) -> Result<Writes, Error> {
    length("label", &place.label, rules::LABEL_MAX)?;
    let parts = [&place.country, &place.state, &place.city, &place.street, &place.house, &place.floor, &place.room];
    parts.into_iter().filter(|part| !part.is_empty()).try_for_each(|part| length("address", part, 100))?;
    if !place.confirmed.is_empty() {
        day(&place.confirmed)?;
    }
    let json = serde_json::to_string(place).map_err(|_| invalid("place", "cannot be written"))?;
    Ok(Writes::default().field(format!("places/{id}"), json.as_str()).to("trunks", place.trunk.as_ref()))
}

pub(crate) fn protection(protection: Protection) -> &'static str {
    match protection {
        Protection::Clear => "clear",
        Protection::Preferred => "preferred",
        Protection::Required => "required",
        Protection::RequiredOpenly => "required_openly",
    }
}

pub(crate) fn spelling(spelling: Spelling) -> &'static str {
    match spelling {
        Spelling::AsDialled => "as_dialled",
        Spelling::Plus => "plus",
        Spelling::Digits => "digits",
        Spelling::National => "national",
    }
}

pub(super) fn trunk_put(id: &impl Display, trunk: &Trunk) -> Result<Writes, Error> {
    let kind = serde_json::to_string(&trunk.kind).map_err(|_| invalid("kind", "cannot be written"))?;
    let fields = vec![
        ("label".into(), (&trunk.label).into()),
        ("kind".into(), (&kind).into()),
        ("calls_max".into(), trunk.calls_max.into()),
        ("behind_nat".into(), trunk.behind_nat.into()),
        ("spelling".into(), spelling(trunk.spelling).into()),
        ("protection".into(), protection(trunk.protection).into()),
        ("carrier".into(), carrier::written(&trunk.carrier)?.as_str().into()),
    ];
    if let model::config::TrunkKind::Registration { expires_s, user, domain, .. } = &trunk.kind {
        within("expires_s", i64::from(*expires_s), (60, 7_200))?;
        length("user", user, 80)?;
        length("domain", domain, 120)?;
    }
    Ok(Writes::thing("trunks", id, fields).to("hours", trunk.carrier.hours.as_ref()))
}

pub(super) fn flow_put(id: &impl Display, value: &Flow) -> Result<Writes, Error> {
    length("label", &value.label, rules::LABEL_MAX)?;
    if let Some(refused) = flow::refusal(value) {
        return Err(refused);
    }
    let json = serde_json::to_string(value).map_err(|_| invalid("flow", "cannot be written"))?;
    // In bytes: two of them stand in one change.
    let len_max = i64::try_from(rules::FLOW_MAX).unwrap_or(i64::MAX);
    within("flow", i64::try_from(json.len()).unwrap_or(i64::MAX), (1, len_max))?;
    let mut writes = Writes::default().field(format!("flows/{id}"), json.as_str());
    writes.refers = flow::refers(value);
    Ok(writes)
}

pub(super) fn hours_add(id: &impl Display, hours: &Hours) -> Result<Writes, Error> {
    at_most("closed days", hours.closed.len(), most::CLOSED_DAYS)?;
    let mut fields: Vec<(String, Scalar)> = vec![("label".into(), (&hours.label).into())];
    fields.extend(week(&hours.week)?);
    for date in &hours.closed {
        fields.push((format!("closed/{}", day(date)?), true.into()));
    }
    Ok(Writes::thing("hours", id, fields))
}

fn skills(skills: &BTreeMap<SkillId, u8>) -> Result<Vec<(String, Scalar)>, Error> {
    at_most("skills", skills.len(), most::SKILLS)?;
    Ok(skills.iter().map(|(skill, to)| (format!("skills/{skill}"), level(Some(*to)))).collect())
}

pub(super) fn level(level: Option<u8>) -> Scalar {
    level.map_or(Scalar::Null, |level| Scalar::Int(level.into()))
}

pub(super) fn optional<T: Display>(id: &Option<T>) -> Scalar {
    id.as_ref().map_or(Scalar::Null, |id| Scalar::Text(id.to_string()))
}

pub(crate) const LOCAL_ONLY: &str = "local_only";
pub(crate) const MAY_LEAVE: &str = "may_leave";

pub(super) fn locality(locality: Locality) -> Scalar {
    match locality {
        Locality::LocalOnly => LOCAL_ONLY.into(),
        Locality::MayLeave => MAY_LEAVE.into(),
    }
}

/// In order, with spaces between.
pub(super) fn sites(sites: &[model::SiteId]) -> Result<Scalar, Error> {
    at_most("helping sites", sites.len(), most::HELPERS)?;
    let names: Vec<&str> = sites.iter().map(model::SiteId::as_str).collect();
    Ok(Scalar::Text(names.join(" ")))
}

/// Seven fields, Monday is 0: `540-720 780-1080` in minutes, empty when closed.
pub(super) fn week(spans: &[Span]) -> Result<Vec<(String, Scalar)>, Error> {
    let mut days: [Vec<Span>; 7] = Default::default();
    for span in spans {
        within("from_min", span.from_min.into(), (0, i64::from(span.to_min).saturating_sub(1)))?;
        within("to_min", span.to_min.into(), (1, 1_440))?;
        let day = days.get_mut(usize::from(span.day)).ok_or_else(|| invalid("day", "Monday is 0, Sunday is 6"))?;
        day.push(*span);
        at_most("spans of a day", day.len(), most::SPANS)?;
    }
    let text = |mut spans: Vec<Span>| {
        spans.sort();
        let texts: Vec<String> = spans.iter().map(|span| format!("{}-{}", span.from_min, span.to_min)).collect();
        Scalar::Text(texts.join(" "))
    };
    Ok(days.into_iter().enumerate().map(|(day, spans)| (format!("week/{day}"), text(spans))).collect())
}

/// `2026-12-25`.
pub(crate) fn day(date: &str) -> Result<&str, Error> {
    let parts: Vec<&str> = date.split('-').collect();
    let number = |text: &&str, len: usize, min: u32, max: u32| {
        text.len() == len
            && text.bytes().all(|b| b.is_ascii_digit())
            && text.parse().is_ok_and(|n: u32| (min..=max).contains(&n))
    };
    let fits = matches!(parts.as_slice(), [year, month, day]
        if number(year, 4, 2000, 2199) && number(month, 2, 1, 12) && number(day, 2, 1, 31));
    if fits { Ok(date) } else { Err(invalid("day", "written as 2026-12-25")) }
}

pub(super) fn zone(name: &str) -> Result<&str, Error> {
    let letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_' | b'+' | b'-');
    let fits = !name.is_empty() && name.bytes().all(letter) && !name.starts_with('/');
    if fits { Ok(name) } else { Err(invalid("time_zone", "an IANA name, as Asia/Shanghai")) }
}
