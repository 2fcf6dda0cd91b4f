//! What is known of emergency calls after they were made: who called for help in the last hour, for the desks, and so
//! that a centre that calls back reaches that very phone (NORMS 2). A fold of `Dialled` facts: a restart reads them
//! again.

use std::{collections::VecDeque, time::Duration};

use call::{leg::Caller, plan};
use model::{
    ContactId, Extension, Millis, NoticeId, Number,
    config::Config,
    fact::{Fact, Kind},
    leaving::What,
};

use crate::{
    Floor,
    board::EmergencyLine,
    contact::{Contact, State},
    lines::Lines,
    notices,
};

/// How long a call from the centre goes to the phone that called it.
const CALL_BACK_MS: u64 = 3_600_000;
/// Emergency calls that are remembered; the oldest go first.
const REMEMBERED_MAX: usize = 1_000;
/// Emergency calls that a desk is shown, the youngest.
const SHOWN_MAX: usize = 20;

/// When, by which phone, and the notice of it.
type Call = (Millis, Option<Extension>, NoticeId);

#[derive(Debug, Default)]
pub(crate) struct Emergencies {
    /// In the order of time.
    calls: VecDeque<Call>,
}

impl Emergencies {
    pub fn note(&mut self, fact: &Fact) {
        if let Kind::Dialled { phone, emergency: true, .. } = &fact.kind {
            let notice = fact.contact.map_or(NoticeId(0), notices::of_call);
            self.calls.push_back((fact.at, phone.clone(), notice));
            if self.calls.len() > REMEMBERED_MAX {
                self.calls.pop_front();
            }
        }
    }

    /// Of the last hour, the youngest first.
    fn recent(&self, now: Millis) -> impl Iterator<Item = &Call> {
        self.calls.iter().rev().filter(move |(at, ..)| now.since(*at) < CALL_BACK_MS)
    }
}

/// By which number a phone is known outside: its own, or the branch's.
pub(crate) fn shown_number<'a>(config: &'a Config, phone: Option<&Extension>) -> Option<&'a Number> {
    let own = phone.and_then(|phone| config.phones.get(phone)?.number.as_ref());
    own.or_else(|| config.numbers.keys().next())
}

/// Whether a caller may be an emergency centre: it shows the emergency number, at home or with the country's code
/// before it, or it shows nothing.
fn may_be_the_centre(config: &Config, caller: &Caller) -> bool {
    let Some(digits) = call::route::normalise(&caller.number) else {
        return caller.number.is_empty() || caller.number.eq_ignore_ascii_case("anonymous");
    };
    let home = plan::e164(&config.site.dialling, &digits);
    let home = home.as_deref().and_then(|number| number.strip_prefix(config.site.dialling.country.as_str()));
    let is = |number: &Number| number.as_str() == digits || home == Some(number.as_str());
    config.site.emergency.iter().any(is)
}

impl<L: Lines> Floor<L> {
    /// The phone that a call from outside is for, because it called for help a while ago. Any caller reaches it by the
    /// phone's own number; by the number that others share, only who may be the centre.
    pub(crate) fn called_back(&self, number: Option<&Number>, caller: &Caller) -> Option<Extension> {
        let number = number?;
        let config = &self.config;
        let centre = may_be_the_centre(config, caller);
        let wants = |phone: &Extension| {
            let own = config.phones.get(phone).is_some_and(|phone| phone.number.as_ref() == Some(number));
            own || (centre && shown_number(config, Some(phone)) == Some(number))
        };
        let mut phones = self.emergencies.recent(self.chronicle.wall).filter_map(|(_, phone, _)| phone.as_ref());
        phones.find(|phone| config.phones.contains_key(*phone) && wants(phone)).cloned()
    }

    /// Rings the phone that called for help, busy or not, before any limit, flow or queue. When nobody answers there,
    /// the call goes the number's ordinary way.
    pub(crate) fn call_back(&mut self, id: ContactId, phone: Extension, otherwise: Option<model::FlowId>) {
        let Some(contact) = self.contacts.get_mut(&id) else { return };
        contact.otherwise = otherwise;
        let caller = contact.card.clone();
        let (target, agent) = self.ring(id, phone, caller, None);
        self.set_state(id, State::Dialling { target, agent });
    }

    /// Nobody answered where the centre called back; true when the call goes on by its number's flow.
    pub(crate) fn goes_on(&mut self, id: ContactId) -> bool {
        let Some(Contact { otherwise, leg: Some(leg), .. }) = self.contacts.get_mut(&id) else { return false };
        let (Some(flow), leg) = (otherwise.take(), *leg) else { return false };
        self.answer_with(id, leg, flow);
        true
    }

    /// A call for help goes on: desks and centre are told.
    pub(crate) fn tell_of_help(&mut self, id: ContactId, what: What) {
        let phone = self.contacts.get(&id).and_then(|contact| contact.out.as_ref()?.phone.as_ref());
        let place = call::route::place(&self.config, phone).cloned();
        self.notice(notices::of_call(id), what, place);
    }

    /// For the desks: who called for help within the hour.
    pub(crate) fn emergency_lines(&self) -> Vec<EmergencyLine> {
        let wall = self.chronicle.wall;
        let line = |(at, phone, notice): &Call| {
            let known = phone.as_ref().and_then(|phone| self.config.phones.get(phone));
            let place = call::route::place(&self.config, phone.as_ref());
            let place = place.and_then(|place| self.config.places.get(place));
            EmergencyLine {
                phone: phone.clone(),
                label: known.map(|known| known.label.clone()).unwrap_or_default(),
                place: place.map(|place| place.label.clone()),
                floor: place.map(|place| place.floor.clone()).unwrap_or_default(),
                room: place.map(|place| place.room.clone()).unwrap_or_default(),
                at: *at,
                ago: Duration::from_millis(wall.since(*at)),
                notice: *notice,
                seen: self.notices.seen_by(*notice),
            }
        };
        self.emergencies.recent(wall).take(SHOWN_MAX).map(line).collect()
    }
}
