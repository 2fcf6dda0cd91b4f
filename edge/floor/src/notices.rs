//! What people must see soon: kept for a day, shown at supervisors' desks until somebody says that it was seen, and told
//! to the centre. A fold of `Noticed` and `NoticeSeen` facts: a restart reads them again.

use std::{collections::VecDeque, time::Duration};

use model::{
    AgentId, ContactId, Extension, Millis, NoticeId, PlaceId, TrunkId,
    fact::{Fact, Kind},
    leaving::{Notice, What},
};

use crate::{
    Floor, Output,
    board::{NoticeLine, Refused},
    lines::Lines,
};

/// How long a notice is shown.
const SHOWN_MS: u64 = 24 * 3_600_000;
/// Notices that are remembered; the oldest go first.
const REMEMBERED_MAX: usize = 500;
/// Notices that a desk is shown, the youngest.
const LINES_MAX: usize = 20;
/// Those who said that they have seen one.
const SEEN_MAX: usize = 10;
/// A cap that is reached again and again is told so often.
const AGAIN_MS: u64 = 600_000;
/// A trunk that is refused is tried again and again; the same cause is told so often.
const REFUSED_AGAIN_MS: u64 = 12 * 3_600_000;

#[derive(Debug, Default)]
pub(crate) struct Notices {
    /// In the order of time.
    list: VecDeque<(Notice, Vec<AgentId>)>,
}

impl Notices {
    pub fn note(&mut self, fact: &Fact) {
        match &fact.kind {
            Kind::Noticed { notice, what, place, trunk } => match self.find(*notice) {
                Some((known, _)) => known.what = *what,
                None => {
                    let (place, trunk) = (place.clone(), trunk.clone());
                    let notice = Notice { notice: *notice, at: fact.at, what: *what, place, trunk };
                    self.list.push_back((notice, Vec::new()));
                    if self.list.len() > REMEMBERED_MAX {
                        self.list.pop_front();
                    }
                }
            },
            Kind::NoticeSeen { notice, by } => {
                if let Some((_, seen)) = self.find(*notice)
                    && seen.len() < SEEN_MAX
                    && !seen.contains(by)
                {
                    seen.push(by.clone());
                }
            }
            _ => {}
        }
    }

    fn find(&mut self, notice: NoticeId) -> Option<&mut (Notice, Vec<AgentId>)> {
        self.list.iter_mut().rev().find(|(known, _)| known.notice == notice)
    }

    pub fn seen_by(&self, notice: NoticeId) -> Vec<AgentId> {
        self.list.iter().rev().find(|(known, _)| known.notice == notice).map_or_else(Vec::new, |(_, seen)| seen.clone())
    }

    /// Whether it was told within so many milliseconds. A test is known by its first word, whatever came of it.
    pub fn is_recent(&self, what: What, now: Millis, within_ms: u64) -> bool {
        let is = |of: What| of == what || (what == What::TestBegan && of == What::TestPassed);
        self.list.iter().rev().any(|(known, _)| is(known.what) && now.since(known.at) < within_ms)
    }
}

/// A call for help is known by its contact.
pub(crate) fn of_call(contact: ContactId) -> NoticeId {
    NoticeId(contact.0)
}

impl<L: Lines> Floor<L> {
    /// Tells desks and centre.
    pub(crate) fn notice(&mut self, notice: NoticeId, what: What, place: Option<PlaceId>) {
        self.notice_of(notice, what, place, None);
    }

    fn notice_of(&mut self, notice: NoticeId, what: What, place: Option<PlaceId>, trunk: Option<TrunkId>) {
        let kind = Kind::Noticed { notice, what, place: place.clone(), trunk: trunk.clone() };
        self.notices.note(&Fact { seq: 0, at: self.chronicle.wall, contact: None, kind: kind.clone() });
        self.chronicle.tell(kind);
        let at = self.notices.find(notice).map_or(self.chronicle.wall, |(known, _)| known.at);
        self.chronicle.put(Output::Notice(Notice { notice, at, what, place, trunk }));
    }

    /// The same, unless it was told a moment ago.
    pub(crate) fn alarm(&mut self, what: What, phone: &Extension) {
        if !self.notices.is_recent(what, self.chronicle.wall, AGAIN_MS) {
            let id = NoticeId(self.dated_id());
            let place = call::route::place(&self.config, Some(phone)).cloned();
            self.notice(id, what, place);
        }
    }

    /// What is of no place.
    pub(crate) fn tell_of_device(&mut self, what: What) {
        let id = NoticeId(self.dated_id());
        self.notice(id, what, None);
    }

    /// A trunk is refused; the same cause at the same trunk is not told at every try.
    pub(crate) fn trunk_refused(&mut self, trunk: TrunkId, what: What) {
        let now = self.chronicle.wall;
        let told = |(known, _): &(Notice, Vec<AgentId>)| {
            known.what == what && known.trunk.as_ref() == Some(&trunk) && now.since(known.at) < REFUSED_AGAIN_MS
        };
        if !self.notices.list.iter().any(told) {
            let id = NoticeId(self.dated_id());
            self.notice_of(id, what, None, Some(trunk));
        }
    }

    /// A supervisor has seen it. Who may say so, the desk decides.
    pub(crate) fn notice_seen(&mut self, notice: NoticeId, by: AgentId) -> Result<(), Refused> {
        if self.notices.find(notice).is_none() {
            return Err(Refused::WrongState);
        }
        let kind = Kind::NoticeSeen { notice, by };
        self.notices.note(&Fact { seq: 0, at: self.chronicle.wall, contact: None, kind: kind.clone() });
        self.chronicle.tell(kind);
        if self.is_test_notice(notice) {
            self.notice_heard();
        }
        Ok(())
    }

    /// For the desks: what needs a look, calls for help aside, which have lines of their own.
    pub(crate) fn notice_lines(&self) -> Vec<NoticeLine> {
        let wall = self.chronicle.wall;
        let wanted = |notice: &Notice| {
            let wants_eyes = notice.what.is_alarm() || (notice.what == What::TestBegan && self.awaits_notice());
            wants_eyes && !notice.what.is_emergency() && wall.since(notice.at) < SHOWN_MS
        };
        let line = |(notice, seen): &(Notice, Vec<AgentId>)| NoticeLine {
            notice: notice.notice,
            what: notice.what,
            place: notice.place.as_ref().and_then(|place| Some(self.config.places.get(place)?.label.clone())),
            trunk: notice.trunk.as_ref().map(|trunk| match self.config.trunks.get(trunk) {
                Some(known) if !known.label.is_empty() => known.label.clone(),
                _ => trunk.to_string(),
            }),
            at: notice.at,
            ago: Duration::from_millis(wall.since(notice.at)),
            seen: seen.clone(),
        };
        self.notices.list.iter().rev().filter(|(notice, _)| wanted(notice)).take(LINES_MAX).map(line).collect()
    }
}
