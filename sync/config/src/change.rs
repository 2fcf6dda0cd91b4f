//! From a typed change to the scalars it writes, checked field by field against the table of rules.

mod things;

use std::fmt::Display;

use model::change::Change;

use crate::{
    drill,
    error::Error,
    recording,
    rules::{self, LEVEL, Type, most},
    scalar::Scalar,
};
pub(crate) use things::{LOCAL_ONLY, MAY_LEAVE, day, forward_fits, protection, spelling};
use things::{
    agent_add, alerts, callback, dispositions, flow_put, forward, hours_add, level, locality, optional, phone_add,
    place_put, queue_add, routing, site_dialling, sites, trunk_put, week, zone,
};

/// What a change does to a document.
#[derive(Debug, Default)]
pub(crate) struct Writes {
    pub fields: Vec<(String, Scalar)>,
    /// Everything else under this prefix is emptied: the change says all there is.
    pub whole: Option<String>,
    /// What it edits must be there.
    pub target: Option<Named>,
    /// What it points at must be there.
    pub refers: Vec<Named>,
}

/// `queues`, `sales`.
pub(crate) type Named = (&'static str, String);

impl Writes {
    fn field(mut self, path: impl Into<String>, scalar: impl Into<Scalar>) -> Writes {
        self.fields.push((path.into(), scalar.into()));
        self
    }

    fn of(mut self, kind: &'static str, id: impl Display) -> Writes {
        self.target = Some((kind, id.to_string()));
        self
    }

    fn to<T: Display>(mut self, kind: &'static str, id: Option<T>) -> Writes {
        self.refers.extend(id.map(|id| (kind, id.to_string())));
        self
    }

    /// A whole thing: all its fields, and nothing else under its name.
    fn thing(kind: &'static str, id: impl Display, fields: Vec<(String, Scalar)>) -> Writes {
        let prefix = format!("{kind}/{id}/");
        let mut writes = Writes { whole: Some(prefix.clone()), ..Writes::default() }.field(format!("{prefix}is"), true);
        writes.fields.extend(fields.into_iter().map(|(name, scalar)| (format!("{prefix}{name}"), scalar)));
        writes
    }

    fn removal(kind: &'static str, id: impl Display) -> Writes {
        Writes::default().field(format!("{kind}/{id}/is"), false).of(kind, id)
    }

    fn edit(kind: &'static str, id: impl Display, name: impl Display, scalar: impl Into<Scalar>) -> Writes {
        Writes::default().field(format!("{kind}/{id}/{name}"), scalar).of(kind, id)
    }
}

/// What the change writes, when every value is within its bounds.
pub(crate) fn writes(change: &Change) -> Result<Writes, Error> {
    let writes = translate(change)?;
    writes.fields.iter().try_for_each(|(path, scalar)| check(path, scalar))?;
    Ok(writes)
}

fn translate(change: &Change) -> Result<Writes, Error> {
    let new = Writes::default;
    Ok(match change {
        Change::SiteLabel { label } => new().field("site/label", label),
        Change::SiteTimeZone { time_zone } => new().field("site/time_zone", zone(time_zone)?),
        Change::SiteEmergency { numbers } => {
            at_most("emergency numbers", numbers.len(), most::EMERGENCY)?;
            let all = Writes { whole: Some("site/emergency/".into()), ..new() };
            numbers.iter().fold(all, |writes, number| writes.field(format!("site/emergency/{number}"), true))
        }
        Change::SiteOutward { trunk } => new().field("site/outward", optional(trunk)).to("trunks", trunk.as_ref()),

        Change::SiteDialling { dialling } => site_dialling(dialling)?,
        Change::SiteRecording { recording: to } => new().field("site/recording", recording::directions(to)?),
        Change::SiteClosed { closed } => new().field("site/closed", *closed),
        Change::SiteDrill { drill } => new().field("site/drill", drill::written(*drill)?),
        Change::PausePut { pause, label } => {
            length("label", label, rules::LABEL_MAX)?;
            new().field(format!("site/pauses/{pause}"), label)
        }
        Change::PauseRemove { pause } => new().field(format!("site/pauses/{pause}"), Scalar::Null),
        Change::DispositionPut { disposition, label } => {
            length("label", label, rules::LABEL_MAX)?;
            new().field(format!("site/dispositions/{disposition}"), label)
        }
        Change::DispositionRemove { disposition } => {
            new().field(format!("site/dispositions/{disposition}"), Scalar::Null)
        }
        Change::PlacePut { place, value } => place_put(place, value)?,
        Change::PlaceRemove { place } => new().field(format!("places/{place}"), Scalar::Null).of("places", place),

        Change::QueueAdd { queue, value } => queue_add(queue, value)?,
        Change::QueueRemove { queue } => Writes::removal("queues", queue),
        Change::QueueLabel { queue, label } => Writes::edit("queues", queue, "label", label),
        Change::QueueSkill { queue, skill, level: to } => {
            Writes::edit("queues", queue, format!("skills/{skill}"), level(*to))
        }
        Change::QueueMusic { queue, prompt } => Writes::edit("queues", queue, "music", prompt.as_str()),
        Change::QueuePositionEvery { queue, seconds } => Writes::edit("queues", queue, "position_every_s", *seconds),
        Change::QueueRing { queue, seconds } => Writes::edit("queues", queue, "ring_s", *seconds),
        Change::QueueWrapUp { queue, seconds } => Writes::edit("queues", queue, "wrap_up_s", *seconds),
        Change::QueueServiceLevel { queue, seconds } => Writes::edit("queues", queue, "service_level_s", *seconds),
        Change::QueueHours { queue, hours } => {
            Writes::edit("queues", queue, "hours", optional(hours)).to("hours", hours.as_ref())
        }
        Change::QueueRecorded { queue, recorded } => Writes::edit("queues", queue, "recorded", *recorded),
        Change::QueueRecording { queue, recording: to } => {
            Writes::edit("queues", queue, "recording", recording::of_queue(to)?)
        }
        Change::QueueClosed { queue, closed } => Writes::edit("queues", queue, "closed", *closed),
        Change::QueueLocality { queue, locality: to } => Writes::edit("queues", queue, "locality", locality(*to)),
        Change::QueueOverflowAfter { queue, seconds } => Writes::edit("queues", queue, "overflow_after_s", *seconds),
        Change::QueueOverflowTo { queue, to } => Writes::edit("queues", queue, "overflow_to", sites(to)?),
        Change::QueueRouting { queue, routing: to } => {
            let also = to.tiers.iter().flat_map(|tier| &tier.also);
            let writes = Writes::edit("queues", queue, "routing", routing(to)?);
            also.fold(writes, |writes, other| writes.to("queues", Some(other)))
        }
        Change::QueueCallback { queue, callback: to } => {
            Writes::edit("queues", queue, "callback", callback(to)?).to("hours", to.hours.as_ref())
        }
        Change::QueueDispositions { queue, dispositions: to } => {
            Writes::edit("queues", queue, "dispositions", dispositions(to)?)
        }
        Change::QueueAlerts { queue, alerts: to } => Writes::edit("queues", queue, "alerts", alerts(to)?),

        Change::AgentAdd { agent, value } => agent_add(agent, value)?,
        Change::AgentRemove { agent } => Writes::removal("agents", agent),
        Change::AgentBadge { agent, badge } => Writes::edit("agents", agent, "badge", badge),
        Change::AgentPhone { agent, phone } => {
            Writes::edit("agents", agent, "phone", optional(phone)).to("phones", phone.as_ref())
        }
        Change::AgentSkill { agent, skill, level: to } => {
            Writes::edit("agents", agent, format!("skills/{skill}"), level(*to))
        }
        Change::AgentQueue { agent, queue, member } => {
            Writes::edit("agents", agent, format!("queues/{queue}"), *member).to("queues", member.then_some(queue))
        }

        Change::PhoneAdd { phone, value } => phone_add(phone, value)?,
        Change::PhoneRemove { phone } => Writes::removal("phones", phone),
        Change::PhoneNumber { phone, number } => Writes::edit("phones", phone, "number", optional(number)),
        Change::PhonePlace { phone, place } => {
            Writes::edit("phones", phone, "place", optional(place)).to("places", place.as_ref())
        }

        Change::PhoneProtection { phone, protection: of } => {
            Writes::edit("phones", phone, "protection", protection(*of))
        }

        Change::PhoneForward { phone, forward: to } => Writes::edit("phones", phone, "forward", forward(to)?),

        Change::TrunkPut { trunk, value } => trunk_put(trunk, value)?,
        Change::TrunkRemove { trunk } => Writes::removal("trunks", trunk),
        Change::NumberPut { number, flow } => {
            new().field(format!("numbers/{number}"), flow.as_str()).to("flows", Some(flow))
        }
        Change::NumberRemove { number } => new().field(format!("numbers/{number}"), Scalar::Null).of("numbers", number),
        Change::FlowPut { flow, value } => flow_put(flow, value)?,
        // What it writes stands in the document: see `versions`.
        Change::FlowRollBack { flow, .. } => new().of("flows", flow),
        Change::FlowRemove { flow } => new().field(format!("flows/{flow}"), Scalar::Null).of("flows", flow),

        Change::HoursAdd { hours, value } => hours_add(hours, value)?,
        Change::HoursRemove { hours } => Writes::removal("hours", hours),
        Change::HoursWeek { hours, week: spans } => week(spans)?
            .into_iter()
            .fold(new().of("hours", hours), |writes, (name, text)| writes.field(format!("hours/{hours}/{name}"), text)),
        Change::HoursClosed { hours, day: date, closed } => {
            Writes::edit("hours", hours, format!("closed/{}", day(date)?), *closed)
        }
    })
}

fn check(path: &str, scalar: &Scalar) -> Result<(), Error> {
    let rule = rules::of(path).ok_or_else(|| invalid(path, "unknown"))?;
    match (rule.is, scalar) {
        (Type::Int(min, max), Scalar::Int(value)) => within(path, *value, (min, max)),
        (Type::Level, Scalar::Int(value)) => within(path, *value, LEVEL),
        // These texts are made here and may be empty.
        (Type::Text(max), Scalar::Text(text)) if text.is_empty() && !is_label(path) && max > 0 => Ok(()),
        (Type::Text(max), Scalar::Text(text)) => length(path, text, max),
        (Type::Flag, Scalar::Flag(_)) | (Type::Id | Type::Locality, Scalar::Text(_)) => Ok(()),
        (Type::Level | Type::Id, Scalar::Null) => Ok(()),
        (Type::Text(_), Scalar::Null) if may_be_nothing(path) => Ok(()),
        _ => Err(invalid(path, "of the wrong type")),
    }
}

/// Texts that are taken away as a whole.
pub(crate) fn may_be_nothing(path: &str) -> bool {
    ["flows/", "flow_versions/", "places/", "site/pauses/", "site/dispositions/"]
        .iter()
        .any(|kind| path.starts_with(kind))
}

fn is_label(path: &str) -> bool {
    path.ends_with("/label") || path.ends_with("/badge")
}

pub(crate) fn within(field: &str, value: i64, (min, max): (i64, i64)) -> Result<(), Error> {
    if (min..=max).contains(&value) { Ok(()) } else { Err(Error::Bounds { field: field.into(), value, min, max }) }
}

pub(crate) fn length(field: &str, text: &str, max: usize) -> Result<(), Error> {
    let len = text.chars().count();
    if text.chars().any(char::is_control) {
        return Err(invalid(field, "it holds control characters"));
    }
    if (1..=max).contains(&len) { Ok(()) } else { Err(Error::Length { field: field.into(), len, max }) }
}

pub(crate) fn at_most(what: &'static str, len: usize, max: usize) -> Result<(), Error> {
    if len <= max { Ok(()) } else { Err(Error::TooMany { what, max }) }
}

pub(crate) fn invalid(field: &str, why: &'static str) -> Error {
    Error::Invalid { field: field.into(), why }
}
