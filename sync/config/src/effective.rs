//! The resolver's second half: from merged fields to a `Config`. Pure and total; missing fields get defaults.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    SiteId,
    carrier::Carrier,
    change::{Finding, Problem, Severity},
    config::{Agent, Config, Hours, Locality, Overflow, Phone, Protection, Queue, Site, Span, Trunk, TrunkKind},
    dialling::{Dialling, Place, Spelling},
    drill::Drill,
    flow::Flow,
    forward::Forward,
    recording::{Consent, Recording},
};
use sha2::{Digest, Sha256};

use crate::{
    alert, callback,
    change::{self, MAY_LEAVE, day, protection, spelling},
    documents::Documents,
    drill,
    layers::{Findings, merged},
    recording, references, routing,
    rules::most,
    scalar::Scalar,
};

/// What the documents amount to.
#[derive(Debug, Clone, PartialEq)]
pub struct Effective {
    pub config: Config,
    /// Sorted, the repaired first, the fatal last.
    pub findings: Vec<Finding>,
    /// Names the state of all three documents; equal on replicas that hold the same.
    pub heads: String,
    /// The outage drill that is ordered. It is no part of how the branch runs.
    pub drill: Option<Drill>,
}

impl Effective {
    /// A configuration with a fatal finding never activates.
    pub fn fatal(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Fatal)
    }
}

/// Resolves the documents. The same documents give the same answer everywhere.
pub fn effective(documents: &Documents) -> Effective {
    let mut findings = Findings::default();
    let fields = merged(documents, &mut findings);
    let mut build = Build { fields: &fields, findings };
    let mut config = build.config(documents.site_id());
    let drill = drill::read(fields.get(drill::PATH), &mut build.findings);
    let mut findings = build.findings;
    references::repair(&mut config, &mut findings);
    let mut findings = findings.0;
    findings.sort();
    findings.dedup();
    Effective { config, findings, heads: heads(documents), drill }
}

/// Names the state of all three documents; equal on replicas that hold the same.
pub fn heads(documents: &Documents) -> String {
    let mut hash = Sha256::new();
    for document in [&documents.org, &documents.site, &documents.local] {
        for head in document.heads().0 {
            hash.update(head);
        }
        hash.update(b"|");
    }
    hex::encode(hash.finalize()).get(..16).unwrap_or_default().to_owned()
}

struct Build<'a> {
    fields: &'a BTreeMap<String, Scalar>,
    findings: Findings,
}

/// The fields of one thing, by the rest of their path.
struct Thing<'a> {
    path: String,
    fields: BTreeMap<&'a str, &'a Scalar>,
}

impl<'a> Thing<'a> {
    fn text(&self, name: &str) -> Option<&'a str> {
        match self.fields.get(name)? {
            Scalar::Text(text) => Some(text),
            _ => None,
        }
    }

    fn flag(&self, name: &str) -> Option<bool> {
        match self.fields.get(name)? {
            Scalar::Flag(flag) => Some(*flag),
            _ => None,
        }
    }

    fn int<T: TryFrom<i64>>(&self, name: &str) -> Option<T> {
        match self.fields.get(name)? {
            Scalar::Int(value) => T::try_from(*value).ok(),
            _ => None,
        }
    }

    /// `skills/english` under `skills`.
    fn under(&self, name: &'a str) -> impl Iterator<Item = (&'a str, &'a Scalar)> + '_ {
        let rest = move |path: &'a str| path.strip_prefix(name)?.strip_prefix('/');
        self.fields.iter().filter_map(move |(path, scalar)| Some((rest(path)?, *scalar)))
    }
}

impl<'a> Build<'a> {
    fn config(&mut self, site: &SiteId) -> Config {
        Config {
            site: self.site(site),
            queues: self.each("queues", most::QUEUES, Build::queue),
            agents: self.each("agents", most::AGENTS, Build::agent),
            phones: self.each("phones", most::PHONES, Build::phone),
            trunks: self.each("trunks", most::TRUNKS, Build::trunk),
            numbers: self.each("numbers", most::NUMBERS, |build, number| build.id(&number.path, number.text(""))),
            flows: self.each("flows", most::FLOWS, Build::flow),
            hours: self.each("hours", most::HOURS, Build::hours),
            places: self.each("places", most::PLACES, Build::place),
        }
    }

    fn site(&mut self, id: &SiteId) -> Site {
        let site = self.things("site").remove("").unwrap_or(Thing { path: "site".into(), fields: BTreeMap::new() });
        let label = site.text("label");
        if label.is_none() {
            // Nothing has arrived from the centre yet.
            self.findings.add(Severity::Fatal, "site", Problem::Missing);
        }
        let time_zone = self.or(Severity::Warning, "site/time_zone", site.text("time_zone"), "UTC");
        Site {
            id: id.clone(),
            label: label.unwrap_or(id.as_str()).to_owned(),
            time_zone: time_zone.to_owned(),
            emergency: self.set(&site, "emergency", most::EMERGENCY),
            outward: self.id("site/outward", site.text("outward")),
            dialling: self.dialling(&site),
            closed: site.flag("closed").unwrap_or(false),
            pauses: self.labels(&site, "pauses", most::PAUSES),
            dispositions: self.labels(&site, "dispositions", most::DISPOSITIONS),
            recording: self.written(&site, "recording", recording::all_bounded),
        }
    }

    /// Names and what people read; the first `max` by their names.
    fn labels<K: std::str::FromStr + Ord>(
        &mut self,
        site: &Thing<'a>,
        kind: &'static str,
        max: usize,
    ) -> BTreeMap<K, String> {
        let mut labels = BTreeMap::new();
        let said = site.under(kind).filter_map(|(name, scalar)| match scalar {
            Scalar::Text(label) if !label.is_empty() => Some((name, label)),
            _ => None,
        });
        for (name, label) in said.take(max) {
            let key = self.id(&format!("site/{kind}/{name}"), Some(name));
            labels.extend(key.map(|key| (key, label.clone())));
        }
        labels
    }

    /// A plan that cannot be read is the default one: it denies more than it allows.
    fn dialling(&mut self, site: &Thing<'a>) -> Dialling {
        let read = site.text("dialling").map(serde_json::from_str::<Dialling>);
        if matches!(read, Some(Err(_))) {
            self.findings.add(Severity::Warning, "site/dialling", Problem::WrongType);
        }
        read.and_then(Result::ok).unwrap_or_default()
    }

    fn phone(&mut self, phone: &Thing<'a>) -> Option<Phone> {
        Some(Phone {
            label: self.label(phone, "label"),
            number: self.id(&format!("{}/number", phone.path), phone.text("number")),
            place: self.id(&format!("{}/place", phone.path), phone.text("place")),
            protection: self.protection(phone),
            forward: self.forward(phone),
        })
    }

    /// What cannot be read forwards nothing.
    fn forward(&mut self, phone: &Thing<'a>) -> Forward {
        let Some(text) = phone.text("forward") else { return Forward::default() };
        match serde_json::from_str::<Forward>(text) {
            Ok(forward) if change::forward_fits(&forward).is_ok() => forward,
            _ => {
                self.findings.add(Severity::Warning, format!("{}/forward", phone.path), Problem::WrongType);
                Forward::default()
            }
        }
    }

    fn place(&mut self, place: &Thing<'a>) -> Option<Place> {
        let read = serde_json::from_str(place.text("")?);
        if read.is_err() {
            self.findings.add(Severity::Warning, &place.path, Problem::WrongType);
        }
        read.ok()
    }

    /// What cannot be read is the strict one: no call is in clear for a slip of the pen.
    fn protection(&mut self, thing: &Thing<'a>) -> Protection {
        let all = [Protection::Clear, Protection::Preferred, Protection::Required, Protection::RequiredOpenly];
        let Some(text) = thing.text("protection") else { return Protection::default() };
        let found = all.into_iter().find(|one| protection(*one) == text);
        self.or(Severity::Repaired, format!("{}/protection", thing.path), found, Protection::Required)
    }

    fn spelling(&mut self, trunk: &Thing<'a>) -> Spelling {
        let all = [Spelling::AsDialled, Spelling::Plus, Spelling::Digits, Spelling::National];
        let Some(text) = trunk.text("spelling") else { return Spelling::default() };
        let found = all.into_iter().find(|one| spelling(*one) == text);
        self.or(Severity::Repaired, format!("{}/spelling", trunk.path), found, Spelling::default())
    }

    /// Rules that cannot be read are the default ones, which trust nobody.
    fn carrier(&mut self, trunk: &Thing<'a>) -> Carrier {
        let read = trunk.text("carrier").map(serde_json::from_str::<Carrier>);
        if matches!(read, Some(Err(_))) {
            self.findings.add(Severity::Warning, format!("{}/carrier", trunk.path), Problem::WrongType);
        }
        read.and_then(Result::ok).unwrap_or_default()
    }

    fn queue(&mut self, queue: &Thing<'a>) -> Option<Queue> {
        let at = |name: &str| format!("{}/{name}", queue.path);
        let mut number = |name: &str, default: u32| self.or(Severity::Repaired, at(name), queue.int(name), default);
        let (position_every_s, ring_s, wrap_up_s) =
            (number("position_every_s", 30), number("ring_s", 20), number("wrap_up_s", 10));
        let (service_level_s, after_s) = (number("service_level_s", 20), number("overflow_after_s", 60));
        let locality = match queue.text("locality") {
            Some(MAY_LEAVE) => Locality::MayLeave,
            _ => Locality::LocalOnly,
        };
        let music = self.or(Severity::Repaired, at("music"), queue.text("music"), "music");
        let sites = queue.text("overflow_to").unwrap_or_default().split_ascii_whitespace().take(most::HELPERS);
        Some(Queue {
            label: self.label(queue, "label"),
            skills: self.levels(queue),
            music: self.id(&at("music"), Some(music)).or_else(|| "music".parse().ok())?,
            position_every_s,
            ring_s,
            wrap_up_s,
            service_level_s,
            hours: self.id(&at("hours"), queue.text("hours")),
            // Recording is the careful default: what was not recorded cannot be had again.
            recorded: self.or(Severity::Repaired, at("recorded"), queue.flag("recorded"), true),
            recording: self.recording(queue),
            closed: queue.flag("closed").unwrap_or(false),
            overflow: Overflow {
                locality,
                after_s,
                to: sites.filter_map(|site| self.id(&at("overflow_to"), Some(site))).collect(),
            },
            routing: self.written(queue, "routing", routing::bounded),
            callback: self.written(queue, "callback", callback::bounded),
            dispositions: self.written(queue, "dispositions", |_| None),
            alerts: self.written(queue, "alerts", alert::bounded),
        })
    }

    /// A rule that cannot be read is the strict one: nobody is recorded who has not agreed.
    fn recording(&mut self, queue: &Thing<'a>) -> Recording {
        let unread = queue.text("recording").is_some_and(|text| serde_json::from_str::<Recording>(text).is_err());
        let read = self.written(queue, "recording", recording::bounded);
        if unread { Recording { consent: Consent::WhenGiven, ..read } } else { read }
    }

    /// A whole text: what cannot be read is the default; what is out of bounds is brought within.
    fn written<T: Default + serde::de::DeserializeOwned>(
        &mut self,
        thing: &Thing<'a>,
        name: &str,
        bounded: impl FnOnce(&mut T) -> Option<Problem>,
    ) -> T {
        let path = format!("{}/{name}", thing.path);
        let read = thing.text(name).map(serde_json::from_str::<T>);
        if matches!(read, Some(Err(_))) {
            self.findings.add(Severity::Warning, &path, Problem::WrongType);
        }
        let mut value = read.and_then(Result::ok).unwrap_or_default();
        if let Some(problem) = bounded(&mut value) {
            self.findings.add(Severity::Repaired, &path, problem);
        }
        value
    }

    fn agent(&mut self, agent: &Thing<'a>) -> Option<Agent> {
        Some(Agent {
            badge: self.label(agent, "badge"),
            phone: self.id(&format!("{}/phone", agent.path), agent.text("phone")),
            skills: self.levels(agent),
            queues: self.set(agent, "queues", most::MEMBERSHIPS),
        })
    }

    fn trunk(&mut self, trunk: &Thing<'a>) -> Option<Trunk> {
        let at = |name: &str| format!("{}/{name}", trunk.path);
        let kind = trunk.text("kind").and_then(|json| serde_json::from_str::<TrunkKind>(json).ok());
        if kind.is_none() {
            self.findings.add(Severity::Warning, at("kind"), Problem::WrongType);
        }
        Some(Trunk {
            kind: kind?,
            label: self.label(trunk, "label"),
            calls_max: self.or(Severity::Repaired, at("calls_max"), trunk.int("calls_max"), 1),
            behind_nat: self.or(Severity::Repaired, at("behind_nat"), trunk.flag("behind_nat"), false),
            spelling: self.spelling(trunk),
            protection: self.protection(trunk),
            carrier: Box::new(self.carrier(trunk)),
        })
    }

    fn flow(&mut self, flow: &Thing<'a>) -> Option<Flow> {
        let read = serde_json::from_str(flow.text("")?);
        if read.is_err() {
            self.findings.add(Severity::Warning, &flow.path, Problem::WrongType);
        }
        read.ok()
    }

    fn hours(&mut self, hours: &Thing<'a>) -> Option<Hours> {
        let mut week = Vec::new();
        for (name, scalar) in hours.under("week") {
            let Scalar::Text(text) = scalar else { continue };
            match spans(name, text) {
                Some(spans) => week.extend(spans),
                None => {
                    self.findings.add(Severity::Repaired, format!("{}/week/{name}", hours.path), Problem::WrongType);
                }
            }
        }
        let mut closed = BTreeSet::new();
        for (date, scalar) in hours.under("closed") {
            if day(date).is_err() {
                self.findings.add(Severity::Repaired, format!("{}/closed/{date}", hours.path), Problem::WrongType);
            } else if *scalar == Scalar::Flag(true) && closed.len() < most::CLOSED_DAYS {
                closed.insert(date.to_owned());
            }
        }
        Some(Hours { label: self.label(hours, "label"), week, closed })
    }

    /// Things of a kind that are there, read one by one; at most `max`, the first by their names.
    fn each<K: std::str::FromStr + Ord, V>(
        &mut self,
        kind: &'static str,
        max: usize,
        read: impl Fn(&mut Self, &Thing<'a>) -> Option<V>,
    ) -> BTreeMap<K, V> {
        let mut all = BTreeMap::new();
        for (id, thing) in self.things(kind) {
            let there = thing.flag("is").unwrap_or_else(|| thing.text("").is_some());
            if !there {
                continue;
            }
            if all.len() >= max {
                let max = i64::try_from(max).unwrap_or(i64::MAX);
                self.findings.add(Severity::Warning, kind, Problem::OutOfBounds { min: 0, max, used: max });
                break;
            }
            match id.parse() {
                Ok(key) => all.extend(read(self, &thing).map(|value| (key, value))),
                Err(_) => self.findings.add(Severity::Repaired, &thing.path, Problem::WrongType),
            }
        }
        all
    }

    /// The fields of every thing of a kind. The site is one thing without a name.
    fn things(&self, kind: &'static str) -> BTreeMap<&'a str, Thing<'a>> {
        let mut things: BTreeMap<&str, Thing<'a>> = BTreeMap::new();
        let prefix = format!("{kind}/");
        for (path, scalar) in self.fields.range(prefix.clone()..) {
            let Some(rest) = path.strip_prefix(&prefix) else { break };
            let (id, name) = if kind == "site" { ("", rest) } else { rest.split_once('/').unwrap_or((rest, "")) };
            let path = || if kind == "site" { kind.to_owned() } else { format!("{prefix}{id}") };
            let thing = things.entry(id).or_insert_with(|| Thing { path: path(), fields: BTreeMap::new() });
            thing.fields.insert(name, scalar);
        }
        things
    }

    fn or<T>(&mut self, severity: Severity, path: impl Into<String>, found: Option<T>, default: T) -> T {
        found.unwrap_or_else(|| {
            self.findings.add(severity, path, Problem::Missing);
            default
        })
    }

    /// Shown to people; the name stands in for one that is missing.
    fn label(&mut self, thing: &Thing<'a>, name: &str) -> String {
        let id = thing.path.rsplit('/').next().unwrap_or_default();
        let path = format!("{}/{name}", thing.path);
        self.or(Severity::Repaired, path, thing.text(name).filter(|label| !label.is_empty()), id).to_owned()
    }

    fn id<T: std::str::FromStr>(&mut self, path: &str, text: Option<&str>) -> Option<T> {
        let parsed = text?.parse();
        if parsed.is_err() {
            self.findings.add(Severity::Repaired, path, Problem::WrongType);
        }
        parsed.ok()
    }

    fn set<T: std::str::FromStr + Ord>(&mut self, thing: &Thing<'a>, name: &'a str, max: usize) -> BTreeSet<T> {
        let members = thing.under(name).filter(|(_, scalar)| **scalar == Scalar::Flag(true));
        let path = format!("{}/{name}", thing.path);
        members.take(max).filter_map(|(member, _)| self.id(&path, Some(member))).collect()
    }

    fn levels(&mut self, thing: &Thing<'a>) -> BTreeMap<model::SkillId, u8> {
        let path = format!("{}/skills", thing.path);
        let had = thing.under("skills").filter_map(|(skill, scalar)| match scalar {
            Scalar::Int(level) => Some((skill, u8::try_from(*level).ok()?)),
            _ => None,
        });
        had.take(most::SKILLS).filter_map(|(skill, level)| Some((self.id(&path, Some(skill))?, level))).collect()
    }
}

/// `540-720 780-1080` of one day.
fn spans(day: &str, text: &str) -> Option<Vec<Span>> {
    let day: u8 = day.parse().ok().filter(|day| *day < 7)?;
    let span = |text: &str| {
        let (from, to) = text.split_once('-')?;
        let (from_min, to_min): (u16, u16) = (from.parse().ok()?, to.parse().ok()?);
        (from_min < to_min && to_min <= 1_440).then_some(Span { day, from_min, to_min })
    };
    text.split_ascii_whitespace().take(most::SPANS).map(span).collect()
}
