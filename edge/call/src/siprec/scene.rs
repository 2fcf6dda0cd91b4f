//! Who is heard in a recorded call at a moment, and the metadata that a recording server is told of it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use model::{LegId, Millis};

use super::client::Copy;
use super::metadata::{Association, Group, Heard, Metadata, Name, OBJECTS_MAX, Participant, Session, Span, Stream};
use crate::calls::Calls;
use crate::leg::Party;

/// A call as its recording hears it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Scene {
    /// On hold, or the recording pauses: nothing is sent.
    pub still: bool,
    /// The recorded leg first, then whom it hears.
    pub people: Vec<Person>,
}

#[derive(Clone, PartialEq, Eq)]
pub(super) struct Person {
    pub leg: LegId,
    /// Personal.
    aor: String,
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Person({})", self.leg)
    }
}

/// Somebody's part in the call, from when to when.
#[derive(Debug, Clone)]
pub(super) struct Part {
    person: Person,
    since: Millis,
    until: Option<Millis>,
}

impl Calls {
    pub(super) fn scene(&self, copy: &Copy) -> Scene {
        let of = copy.of;
        let others = self.bridges.peer(of).into_iter().chain(self.mixes.heard_by(of));
        let people: Vec<Person> = [of].into_iter().chain(others).filter_map(|leg| self.person(leg)).collect();
        let holds = |leg: LegId| self.legs.get(&leg).map(|leg| leg.session.holds());
        let is_held = |leg: LegId| holds(leg).is_some_and(|holds| holds.by_us || holds.by_them);
        let mut others = people.iter().map(|one| one.leg).filter(|leg| *leg != of).peekable();
        // In a conference the rest goes on talking.
        let held = is_held(of) || (others.peek().is_some() && others.all(is_held));
        Scene { still: copy.paused || held, people }
    }

    fn person(&self, id: LegId) -> Option<Person> {
        let leg = self.legs.get(&id)?;
        let user = match &leg.party {
            Party::Phone(phone) => phone.to_string(),
            Party::Trunk { .. } if leg.arrived.withheld => "anonymous".to_owned(),
            Party::Trunk { user, .. } => user.clone(),
            Party::Unproved => "anonymous".to_owned(),
            Party::Tunnel(_) => "branch".to_owned(),
        };
        let user = sip::lex::percent_encode_user(&user);
        Some(Person { leg: id, aor: format!("sip:{user}@{}", self.config.domain) })
    }

    /// Something has changed around this leg: copies of what it says or hears are looked at before anything leaves.
    pub(crate) fn scene_changes(&mut self, id: LegId) {
        if self.siprec.copies.is_empty() {
            return;
        }
        let around = self.bridges.peer(id).into_iter().chain(self.mixes.hearers(id)).chain(self.mixes.heard_by(id));
        let around: Vec<LegId> = around.chain([id]).collect();
        let of_copies = around.into_iter().filter(|leg| self.siprec.by_leg.contains_key(leg));
        let changed: Vec<LegId> = of_copies.collect();
        self.siprec.changed.extend(changed);
    }
}

/// Notes who came and who left.
pub(super) fn follow(parts: &mut Vec<Part>, scene: &Scene, at: Millis) {
    for part in parts.iter_mut().filter(|part| part.until.is_none()) {
        if !scene.people.contains(&part.person) {
            part.until = Some(at);
        }
    }
    for person in &scene.people {
        if !parts.iter().any(|part| part.until.is_none() && part.person == *person) {
            // Who left first is forgotten first.
            if parts.len() >= OBJECTS_MAX
                && let Some(old) = parts.iter().position(|part| part.until.is_some())
            {
                parts.remove(old);
            }
            parts.push(Part { person: person.clone(), since: at, until: None });
        }
    }
    parts.truncate(OBJECTS_MAX);
}

/// A UUID as RFC 7865 §6.1 writes it.
fn id(of: u128) -> String {
    STANDARD.encode(of.to_be_bytes())
}

/// Everything that is known by now: a snapshot (RFC 7866 §9.1), so that one that is lost costs nothing.
pub(super) fn metadata(copy: &Copy, now: Millis) -> Metadata {
    let (session, group) = (id(copy.recording.0), id(copy.recording.0 ^ copy.of.0));
    // Stream ids follow from the session's, and are the same at every recorder.
    let stream = |label: u128| id(copy.recording.0.wrapping_add(label));
    let span = |part: &Part| Span { since: Some(part.since), until: part.until };
    let heard = |part: &Part| {
        let (own, other) = if part.person.leg == copy.of { (1, 2) } else { (2, 1) };
        Heard {
            participant: id(part.person.leg.0),
            sends: vec![stream(own)],
            receives: vec![stream(other)],
            span: span(part),
        }
    };
    let mut participants: Vec<Participant> = Vec::new();
    for part in &copy.parts {
        let known = id(part.person.leg.0);
        if participants.iter().all(|one| one.id != known) {
            let names = vec![Name { aor: part.person.aor.clone(), display: None }];
            participants.push(Participant { id: known, names });
        }
    }
    let began = Some(copy.began.1);
    Metadata {
        partial: false,
        groups: vec![Group { id: group.clone(), span: Span { since: began, until: None } }],
        sessions: vec![Session { id: session.clone(), group: Some(group), start: began, ..Session::default() }],
        participants,
        streams: [1, 2]
            .map(|label: u128| Stream {
                id: stream(label),
                session: Some(session.clone()),
                label: Some(label.to_string()),
            })
            .into(),
        recorded: vec![Association {
            session: session.clone(),
            participant: None,
            span: Span { since: Some(copy.since.unwrap_or(now)), until: None },
        }],
        takes_part: copy
            .parts
            .iter()
            .map(|part| Association {
                session: session.clone(),
                participant: Some(id(part.person.leg.0)),
                span: span(part),
            })
            .collect(),
        heard: copy.parts.iter().map(heard).collect(),
    }
}
