//! What is shown of sums: each figure with its unit and the formula that it is computed by.

use std::collections::BTreeSet;

use acd::service_level::{Variant, permille};
use model::leaving::Figures;

use crate::sums::{AgentTime, Sums};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Count,
    Ms,
    /// Tenths of a percent.
    Permille,
}

impl Unit {
    pub fn name(self) -> &'static str {
        match self {
            Unit::Count => "count",
            Unit::Ms => "ms",
            Unit::Permille => "permille",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Of a pause: `pause/` and why.
    pub name: String,
    pub unit: Unit,
    /// In words and signs, for whoever must recompute it.
    pub formula: &'static str,
}

type Fixed<T> = (&'static str, Unit, &'static str, fn(&T) -> Option<u64>);

/// Of contacts. `O` offered, `A` answered, `B` abandoned, `≤T` within T seconds of the queue's service level.
const OF_CONTACTS: &[Fixed<Sums>] = &[
    ("contacts", Unit::Count, "contacts that were first queued in this time, or arrived and were never queued", |s| {
        Some(s.contacts)
    }),
    ("in_progress", Unit::Count, "of them, not over when the report was made", |s| Some(s.in_progress)),
    ("offered", Unit::Count, "O: contacts put into a queue", |s| Some(s.offered)),
    ("answered", Unit::Count, "A: of O, answered by a person, here, elsewhere or when called back", |s| {
        Some(s.answered)
    }),
    (
        "abandoned",
        Unit::Count,
        "B: of O, over and never answered; who left a message or was not reached by a call back is among them",
        |s| Some(s.abandoned),
    ),
    ("short_abandoned", Unit::Count, "B≤T: of B, within T of queue entry", |s| Some(s.short_abandoned)),
    ("answered_in_t", Unit::Count, "A≤T: of A, within T of queue entry", |s| Some(s.answered_in_t)),
    ("service_level", Unit::Permille, "A≤T / (O − B≤T), over contacts that were answered or are over", |s| {
        level(Variant::WithoutShortAbandons, s)
    }),
    ("service_level_offered", Unit::Permille, "A≤T / O, over contacts that were answered or are over", |s| {
        level(Variant::OfOffered, s)
    }),
    ("service_level_any", Unit::Permille, "(A≤T + B≤T) / (A + B)", |s| level(Variant::AnyWithin, s)),
    (
        "abandonment",
        Unit::Permille,
        "(B − B≤T) / (O − B≤T), over contacts that were answered or are over",
        |s| {
            let short = s.short_abandoned;
            let all = s.answered.saturating_add(s.abandoned).saturating_sub(short);
            share(s.abandoned.saturating_sub(short), all)
        },
    ),
    ("abandonment_raw", Unit::Permille, "B / O, over contacts that were answered or are over", |s| {
        share(s.abandoned, s.answered.saturating_add(s.abandoned))
    }),
    (
        "asa",
        Unit::Ms,
        "Σ wait of answered contacts, from queue entry to the answer or the promise of a call back / A",
        |s| mean(s.wait_ms, s.answered),
    ),
    ("talk", Unit::Ms, "Σ talk of O, without hold", |s| Some(s.talk_ms)),
    ("hold", Unit::Ms, "Σ hold of O", |s| Some(s.hold_ms)),
    ("wrap_up", Unit::Ms, "Σ wrap-up of O, as far as it is over", |s| Some(s.wrap_up_ms)),
    ("handled", Unit::Count, "agents' parts of O: a contact that two agents had counts twice", |s| Some(s.handled)),
    ("transferred", Unit::Count, "times a caller was given to somebody else", |s| Some(s.transferred)),
    ("overflowed", Unit::Count, "of A, answered by another site", |s| Some(s.overflowed)),
    ("recorded", Unit::Count, "of O, with a recording", |s| Some(s.recorded)),
    ("callbacks_promised", Unit::Count, "contacts that were promised a call back", |s| Some(s.promised)),
    ("callbacks_kept", Unit::Count, "of those, the customer was called", |s| Some(s.kept)),
    ("saved_by_callback", Unit::Count, "of those, the customer was reached: answered, and not abandoned", |s| {
        Some(s.saved)
    }),
    ("messages", Unit::Count, "messages that callers left", |s| Some(s.messages)),
    ("surveys_asked", Unit::Count, "times a caller was asked for a mark", |s| Some(s.asked)),
    ("surveys_marked", Unit::Count, "marks given", |s| Some(s.marked)),
    ("survey_response", Unit::Permille, "marks given / times asked", |s| share(s.marked, s.asked)),
    ("survey_score", Unit::Permille, "mean of mark / best mark", |s| {
        share(s.mark_permille, s.marked.saturating_mul(1_000))
    }),
    ("survey_satisfied", Unit::Permille, "marks of four fifths of the best or more / marks given", |s| {
        share(s.satisfied, s.marked)
    }),
    ("disposed", Unit::Count, "contacts with a disposition that an agent named", |s| Some(s.disposed)),
    ("undisposed", Unit::Count, "contacts whose disposition was owed and not named", |s| Some(s.undisposed)),
    ("others", Unit::Count, "contacts that were in no queue: calls out, inside, direct, or ended in a flow", |s| {
        Some(s.others)
    }),
    ("other_time", Unit::Ms, "Σ (talk + hold + wrap-up) of those", |s| Some(s.other_ms)),
];

const AHT: &str = "Σ (talk + hold + wrap-up) / A";
const AHT_OF_AGENTS: &str = "Σ (talk + hold + wrap-up) that the agent had / parts that the agent had";

/// Of agents' time.
const OF_TIME: &[Fixed<AgentTime>] = &[
    ("signed_in", Unit::Ms, "Σ time signed in, while the box was up", |t| Some(t.signed_in_ms())),
    ("ready", Unit::Ms, "of it, ready", |t| Some(t.ready_ms)),
    ("ringing", Unit::Ms, "of it, being offered a contact", |t| Some(t.offered_ms)),
    ("talking", Unit::Ms, "of it, talking, calls out with it", |t| Some(t.talking_ms)),
    ("writing_up", Unit::Ms, "of it, writing up", |t| Some(t.wrap_up_ms)),
    ("paused", Unit::Ms, "of it, not ready", |t| Some(t.paused_ms())),
    ("occupancy", Unit::Permille, "(talking + writing up) / (talking + writing up + ready + being offered)", |t| {
        share(t.handle_ms(), t.handle_ms().saturating_add(t.available_ms()))
    }),
];

const PAUSE: &str = "of the time not ready, by this reason";

/// The columns of one report.
pub(crate) struct Columns {
    pub of_agents: bool,
    pub tells_time: bool,
    pub pauses: BTreeSet<String>,
}

impl Columns {
    pub fn all(&self) -> Vec<Column> {
        let column = |name: &str, unit, formula| Column { name: name.to_owned(), unit, formula };
        let mut all = Vec::new();
        for (name, unit, formula, _) in OF_CONTACTS {
            all.push(column(name, *unit, formula));
            if *name == "asa" {
                all.push(column("aht", Unit::Ms, if self.of_agents { AHT_OF_AGENTS } else { AHT }));
            }
        }
        if self.tells_time {
            all.extend(OF_TIME.iter().map(|(name, unit, formula, _)| column(name, *unit, formula)));
            all.extend(self.pauses.iter().map(|why| column(&format!("pause/{why}"), Unit::Ms, PAUSE)));
        }
        all
    }

    /// In the columns' order; None where there is nothing to divide by.
    pub fn values(&self, sums: &Sums, time: &AgentTime) -> Vec<Option<u64>> {
        let mut values = Vec::new();
        for (name, _, _, of) in OF_CONTACTS {
            values.push(of(sums));
            if *name == "asa" {
                values.push(mean(sums.handle_ms(), if self.of_agents { sums.handled } else { sums.answered }));
            }
        }
        if self.tells_time {
            values.extend(OF_TIME.iter().map(|(_, _, _, of)| of(time)));
            values.extend(self.pauses.iter().map(|why| Some(time.not_ready_ms.get(why).copied().unwrap_or(0))));
        }
        values
    }
}

/// Who still waits is not judged yet.
fn level(variant: Variant, sums: &Sums) -> Option<u64> {
    let count = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    let figures = Figures {
        offered: count(sums.answered.saturating_add(sums.abandoned)),
        answered: count(sums.answered),
        abandoned: count(sums.abandoned),
        answered_in_t: count(sums.answered_in_t),
        abandoned_in_t: count(sums.short_abandoned),
        ..Figures::default()
    };
    permille(variant, &figures).map(u64::from)
}

/// Rounded half up.
fn mean(sum: u64, of: u64) -> Option<u64> {
    sum.saturating_add(of / 2).checked_div(of)
}

fn share(part: u64, of: u64) -> Option<u64> {
    mean(part.saturating_mul(1_000), of)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(sums: &Sums, name: &str) -> Option<u64> {
        let columns = Columns { of_agents: false, tells_time: false, pauses: BTreeSet::new() };
        let at = columns.all().iter().position(|column| column.name == name).expect("a column");
        columns.values(sums, &AgentTime::default()).get(at).copied().flatten()
    }

    #[test]
    fn the_figures_are_those_of_the_norms() {
        let sums = Sums {
            offered: 12,
            answered: 8,
            abandoned: 2,
            answered_in_t: 6,
            short_abandoned: 1,
            wait_ms: 81_000,
            talk_ms: 800_000,
            hold_ms: 80_000,
            wrap_up_ms: 8_000,
            asked: 4,
            marked: 3,
            satisfied: 2,
            mark_permille: 2_200,
            ..Sums::default()
        };
        for (name, value) in [
            ("service_level_offered", 600),
            ("service_level", 667),
            ("service_level_any", 700),
            ("abandonment", 111),
            ("abandonment_raw", 200),
            ("asa", 10_125),
            ("aht", 111_000),
            ("survey_response", 750),
            ("survey_score", 733),
            ("survey_satisfied", 667),
        ] {
            assert_eq!(of(&sums, name), Some(value), "{name}");
        }
        assert_eq!(of(&Sums::default(), "service_level"), None);
        assert_eq!(of(&Sums::default(), "asa"), None);
        assert_eq!(of(&Sums::default(), "offered"), Some(0));
    }

    #[test]
    fn columns_and_values_stand_in_the_same_order() {
        let columns = Columns { of_agents: true, tells_time: true, pauses: ["lunch".into(), ":missed".into()].into() };
        let time = AgentTime {
            ready_ms: 50,
            offered_ms: 10,
            talking_ms: 30,
            wrap_up_ms: 30,
            not_ready_ms: [("lunch".to_owned(), 7)].into(),
        };
        let (all, values) = (columns.all(), columns.values(&Sums::default(), &time));
        assert_eq!(all.len(), values.len());
        let value = |name: &str| all.iter().position(|one| one.name == name).and_then(|at| values[at]);
        assert_eq!([value("occupancy"), value("signed_in"), value("paused")], [Some(500), Some(127), Some(7)]);
        assert_eq!([value("pause/lunch"), value("pause/:missed")], [Some(7), Some(0)]);
    }
}
