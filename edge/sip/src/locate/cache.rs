//! DNS answers while they are fresh, questions that are on their way, and questions that failed a moment ago.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::{Answer, NEGATIVE_TTL_S, Question, RETRY, Record, TTL_S};

#[derive(Default)]
pub struct Cache(BTreeMap<Question, State>);

enum State {
    Asked,
    Known { records: Vec<Record>, until: Instant, read: bool },
    Failed { until: Instant },
}

/// What is known of a question.
pub enum Found<'a> {
    Records(&'a [Record]),
    /// Asked in vain; it will be asked again.
    Failed,
    Nothing,
}

impl Cache {
    pub fn find(&self, question: &Question) -> Found<'_> {
        match self.0.get(question) {
            Some(State::Known { records, .. }) => Found::Records(records),
            Some(State::Failed { .. }) => Found::Failed,
            Some(State::Asked) | None => Found::Nothing,
        }
    }

    /// An answer that nobody waits for is not taken.
    pub fn answered(&mut self, now: Instant, question: Question, answer: Option<Answer>) {
        let Some(state) = self.0.get_mut(&question).filter(|state| matches!(state, State::Asked)) else { return };
        let after = |wait: Duration| now.checked_add(wait).unwrap_or(now);
        *state = match answer {
            Some(Answer { records, ttl_s }) => {
                let bounds = if records.is_empty() { NEGATIVE_TTL_S } else { TTL_S };
                let ttl_s = ttl_s.clamp(*bounds.start(), *bounds.end());
                State::Known { records, until: after(Duration::from_secs(ttl_s.into())), read: false }
            }
            None => State::Failed { until: after(RETRY) },
        };
    }

    /// Whether any of these was answered since they were last [`Cache::read`].
    pub fn news(&self, of: &BTreeSet<Question>) -> bool {
        of.iter().any(|question| matches!(self.0.get(question), Some(State::Known { read: false, .. })))
    }

    pub fn read(&mut self, of: &BTreeSet<Question>) {
        for question in of {
            if let Some(State::Known { read, .. }) = self.0.get_mut(question) {
                *read = true;
            }
        }
    }

    pub fn expire(&mut self, now: Instant) {
        self.0.retain(|_, state| match state {
            State::Asked => true,
            State::Known { until, .. } | State::Failed { until } => *until > now,
        });
    }

    pub fn next_expiry(&self) -> Option<Instant> {
        let until = |state: &State| match state {
            State::Asked => None,
            State::Known { until, .. } | State::Failed { until } => Some(*until),
        };
        self.0.values().filter_map(until).min()
    }

    /// Lets go of what nobody needs; returns what is to be asked.
    pub fn ask(&mut self, needed: &BTreeSet<Question>) -> Vec<Question> {
        self.0.retain(|question, _| needed.contains(question));
        let fresh: Vec<Question> = needed.iter().filter(|question| !self.0.contains_key(question)).cloned().collect();
        self.0.extend(fresh.iter().map(|question| (question.clone(), State::Asked)));
        fresh
    }
}
