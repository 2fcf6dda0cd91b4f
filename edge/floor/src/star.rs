//! Star codes: whoever sits at a telephone without a desk sets where its calls go by what the telephone dials, as one is used
//! to from public networks (3GPP TS 22.030 §6.5.2 and annex B): `*21*NUMBER` all calls, `*67*` when busy, `*61*` when nobody
//! answers, `*62*` when the phone is not there; `*21` or `#21#` takes it back, `*002` or `##002#` all four. A `#` at the end may
//! be left out. What was set is on the disk before the telephone hears so.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use call::leg::{Cause, Destination};
use model::{Extension, LegId, Number, PromptId, fact::EndCause, forward::Forward};

use crate::{Floor, Output, forward::Hop, lines::Lines, timer::Timer};

const SET: &str = "forward-set";
const TAKEN_BACK: &str = "forward-off";
/// For the sentence; then the telephone is let go, whatever was heard.
const SENTENCE: Duration = Duration::from_secs(5);
/// Telephones that set something at one time.
const AT_ONCE_MAX: usize = 10;
/// What one telephone may set within an hour: each is a change of the branch's document, which keeps its history for ever.
pub(crate) const HOURLY_MAX: usize = 10;
const HOUR: Duration = Duration::from_secs(3_600);

/// Telephones that have dialled a star code.
#[derive(Debug, Default)]
pub(crate) struct Codes {
    open: BTreeMap<LegId, Code>,
    /// When each phone of ours last set something, the oldest first.
    set: BTreeMap<Extension, VecDeque<Instant>>,
}

#[derive(Debug)]
struct Code {
    phone: Extension,
    /// What it will hear.
    prompt: &'static str,
}

/// What a code wants of a phone's forward.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wish {
    Set(When, String),
    TakeBack(When),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    All,
    Busy,
    NoAnswer,
    Away,
    AnyOfThem,
}

/// None: no star code.
fn read(dialled: &str) -> Option<Wish> {
    let dialled = dialled.strip_suffix('#').unwrap_or(dialled);
    let (sets, rest) = match (dialled.strip_prefix('*'), dialled.trim_start_matches('#')) {
        (Some(rest), _) => (true, rest),
        (None, rest) if rest.len() < dialled.len() => (false, rest),
        _ => return None,
    };
    let (code, number) = rest.split_once('*').map_or((rest, None), |(code, number)| (code, Some(number)));
    let when = match code {
        "21" => When::All,
        "67" => When::Busy,
        "61" => When::NoAnswer,
        "62" => When::Away,
        "002" => When::AnyOfThem,
        _ => return None,
    };
    match number {
        Some(number) if sets && when != When::AnyOfThem => Some(Wish::Set(when, number.to_owned())),
        Some(_) => None,
        None => Some(Wish::TakeBack(when)),
    }
}

fn put(forward: &mut Forward, when: When, to: Option<Number>) {
    match when {
        When::All => forward.always = to,
        When::Busy => forward.busy = to,
        When::NoAnswer => forward.no_answer = to,
        When::Away => forward.unregistered = to,
        When::AnyOfThem => {
            (forward.always, forward.busy, forward.no_answer, forward.unregistered) = (None, None, None, None);
        }
    }
}

impl<L: Lines> Floor<L> {
    /// False: the phone has dialled no star code.
    pub(crate) fn star_code(&mut self, leg: LegId, phone: &Extension, dialled: &str) -> bool {
        let Some(wish) = read(dialled) else { return false };
        // One after the other: each begins with what the one before has set.
        let busy = self.codes.open.values().any(|code| code.phone == *phone);
        match self.wished(phone, wish) {
            Ok(_) if busy => self.lines.reject(self.now, leg, Cause::Busy),
            Ok((forward, prompt)) if self.codes.open.len() < AT_ONCE_MAX => {
                let is_so = forward == self.forward_of(phone);
                if !is_so && !self.may_set(phone) {
                    self.lines.reject(self.now, leg, Cause::Overload);
                    return true;
                }
                self.codes.open.insert(leg, Code { phone: phone.clone(), prompt });
                if is_so {
                    self.lines.answer(self.now, leg);
                } else {
                    self.chronicle.put(Output::SetForward { leg, phone: phone.clone(), forward });
                }
            }
            Ok(_) => self.lines.reject(self.now, leg, Cause::Overload),
            Err(cause) => self.lines.reject(self.now, leg, cause),
        }
        true
    }

    fn may_set(&mut self, phone: &Extension) -> bool {
        let now = self.now;
        let set = self.codes.set.entry(phone.clone()).or_default();
        while set.front().is_some_and(|at| now.saturating_duration_since(*at) >= HOUR) {
            set.pop_front();
        }
        if set.len() >= HOURLY_MAX {
            return false;
        }
        set.push_back(now);
        true
    }

    /// The phone's forward as it is to be, and what is said then. Where calls may not go at all nothing is set; what the
    /// call itself may cost is looked at when there is one.
    fn wished(&self, phone: &Extension, wish: Wish) -> Result<(Forward, &'static str), Cause> {
        if !self.config.phones.contains_key(phone) {
            return Err(Cause::Forbidden);
        }
        let mut forward = self.forward_of(phone);
        match wish {
            Wish::TakeBack(when) => {
                put(&mut forward, when, None);
                Ok((forward, TAKEN_BACK))
            }
            Wish::Set(when, number) => {
                let number = Number::new(&number).map_err(|_| Cause::NotFound)?;
                match self.hop(phone, &number) {
                    Hop::Phone(other) if other == *phone => return Err(Cause::Forbidden),
                    Hop::Out(Destination::Forbidden) | Hop::Nowhere(_, EndCause::Forbidden) => {
                        return Err(Cause::Forbidden);
                    }
                    Hop::Nowhere(cause, _) => return Err(cause),
                    Hop::Phone(_) | Hop::Flow(_) | Hop::Out(_) => {}
                }
                put(&mut forward, when, Some(number));
                Ok((forward, SET))
            }
        }
    }

    /// It is on the disk, or cannot be.
    pub(crate) fn forward_set(&mut self, leg: LegId, stored: bool) {
        if !self.codes.open.contains_key(&leg) {
            return;
        }
        if stored {
            return self.lines.answer(self.now, leg);
        }
        self.codes.open.remove(&leg);
        self.lines.reject(self.now, leg, Cause::Fault);
    }

    /// The telephone can hear. False: it has dialled no star code.
    pub(crate) fn code_answered(&mut self, leg: LegId) -> bool {
        let Some(code) = self.codes.open.get(&leg) else { return false };
        if let (Ok(prompt), Some(at)) = (PromptId::new(code.prompt), self.now.checked_add(SENTENCE)) {
            self.lines.play(self.now, leg, vec![prompt.into()]);
            self.timers.set(Timer::Farewell(leg), at);
        }
        true
    }

    pub(crate) fn code_played(&mut self, leg: LegId) -> bool {
        let told = self.codes.open.contains_key(&leg);
        if told {
            self.lines.hang_up(self.now, leg);
        }
        told
    }

    pub(crate) fn code_ended(&mut self, leg: LegId) -> bool {
        self.timers.cancel(Timer::Farewell(leg));
        self.codes.open.remove(&leg).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_as_public_networks_read_them() {
        let set = |when, number: &str| Some(Wish::Set(when, number.to_owned()));
        for (dialled, wish) in [
            ("*21*5551001", set(When::All, "5551001")),
            ("*21*5551001#", set(When::All, "5551001")),
            ("*67*203#", set(When::Busy, "203")),
            ("*61*203", set(When::NoAnswer, "203")),
            ("*62*203", set(When::Away, "203")),
            ("*21", Some(Wish::TakeBack(When::All))),
            ("*21#", Some(Wish::TakeBack(When::All))),
            ("#21#", Some(Wish::TakeBack(When::All))),
            ("##61#", Some(Wish::TakeBack(When::NoAnswer))),
            ("*002", Some(Wish::TakeBack(When::AnyOfThem))),
            ("##002#", Some(Wish::TakeBack(When::AnyOfThem))),
            ("*002*5", None),
            ("#21*5551001#", None),
            ("*8203", None),
            ("*22*5", None),
            ("21", None),
            ("5551001", None),
            ("", None),
            ("#", None),
            ("*", None),
        ] {
            assert_eq!(read(dialled), wish, "{dialled}");
        }
    }
}
