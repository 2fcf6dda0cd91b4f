//! Random lives of a ticket beside a model that walks through them minute by minute.

use model::{
    Millis,
    ticket::{Priority, Promised, Said, State, Terms, Ticketed},
};
use proptest::prelude::*;
use ticket::{Act, Calendar, Rules, act, may_move, next, open, tick};

use crate::promises::{office, opening};

const MINUTE: i64 = 60_000;
const FIRST_MIN: u32 = 90;
const RESOLUTION_MIN: u32 = 700;
/// A Monday, 2026-12-14T00:00Z.
const BEGIN: i64 = 1_797_206_400_000;

/// What the model counts: minutes, one after the other.
struct Model {
    state: State,
    answered: bool,
    first: u32,
    resolution: u32,
    first_late: bool,
    resolution_late: bool,
    /// Minutes.
    solved_for: u32,
}

impl Model {
    /// One minute passes, that began so many minutes after the beginning.
    fn minute(&mut self, minute: i64) {
        let ours = matches!(self.state, State::Open | State::WaitsForUs);
        self.first_late |= !self.answered && self.first >= FIRST_MIN;
        self.resolution_late |= ours && self.resolution >= RESOLUTION_MIN;
        if self.state == State::Solved {
            self.solved_for += 1;
            if self.solved_for == 14 * 1_440 {
                self.state = State::Closed;
            }
        }
        let (day, of_day) = (minute / 1_440, u16::try_from(minute % 1_440).expect("small"));
        let date = jiff::Timestamp::from_millisecond(BEGIN + minute * MINUTE).expect("a time");
        let date = date.to_zoned(jiff::tz::TimeZone::UTC).date().to_string();
        let hours = office();
        let weekday = u8::try_from(day % 7).expect("small");
        let open = !hours.closed.contains(&date)
            && hours.week.iter().any(|s| s.day == weekday && (s.from_min..s.to_min).contains(&of_day));
        if !open {
            return;
        }
        self.first += u32::from(!self.answered);
        self.resolution += u32::from(ours);
    }

    fn moves(&mut self, to: State) -> bool {
        let legal = match self.state {
            State::Open => to != State::Closed,
            State::WaitsForUs => matches!(to, State::WaitsForUs | State::WaitsForCustomer | State::Solved),
            State::WaitsForCustomer => matches!(to, State::WaitsForCustomer | State::WaitsForUs | State::Solved),
            State::Solved => matches!(to, State::Solved | State::WaitsForUs | State::Closed),
            State::Closed => false,
        };
        if legal {
            self.answered |= matches!(to, State::WaitsForCustomer | State::Solved);
            if self.state != to {
                self.solved_for = 0;
            }
            self.state = to;
        }
        legal
    }
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Wait(u16),
    Move(State),
    Tell,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let states = [State::Open, State::WaitsForUs, State::WaitsForCustomer, State::Solved, State::Closed];
    let step = prop_oneof![
        4 => (1..900_u16).prop_map(Step::Wait),
        4 => prop::sample::select(states.to_vec()).prop_map(Step::Move),
        1 => Just(Step::Tell),
    ];
    prop::collection::vec(step, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn states_and_breaches_are_those_of_the_model(steps in steps()) {
        let promised = Promised { first_answer_min: FIRST_MIN, resolution_min: RESOLUTION_MIN };
        let mut terms = Terms::default();
        terms.promises.insert(Priority::Normal, promised);
        let calendar = Calendar::new(office(), jiff::tz::TimeZone::UTC);
        let rules = Rules { terms: &terms, calendar: &calendar };
        let mut real = open(Millis(BEGIN), opening(), rules).expect("a ticket").ticket;
        let mut model = Model {
            state: State::Open,
            answered: false,
            first: 0,
            resolution: 0,
            first_late: false,
            resolution_late: false,
            solved_for: 0,
        };
        let mut minute = 0_i64;
        let mut told: Vec<Ticketed> = Vec::new();
        for step in steps {
            let now = Millis(BEGIN + minute * MINUTE);
            match step {
                Step::Wait(minutes) => {
                    for _ in 0..minutes {
                        model.minute(minute);
                        minute += 1;
                    }
                    let now = Millis(BEGIN + minute * MINUTE);
                    while let Some(due) = next(&real, rules).filter(|due| *due <= now) {
                        let change = tick(&real, due, rules).expect("what is due has something to say");
                        prop_assert_eq!(change.ticket.version, real.version + 1);
                        real = change.ticket;
                        told.extend(change.told);
                    }
                    prop_assert!(tick(&real, now, rules).is_none(), "nothing is left to say");
                }
                Step::Move(to) => {
                    let (from, legal) = (real.state, model.moves(to));
                    prop_assert_eq!(legal, from != State::Closed && (from == to || may_move(from, to)));
                    match act(&real, now, &[Act::Move { to }], rules) {
                        Ok(change) => {
                            prop_assert!(legal, "{:?} to {:?}", from, to);
                            real = change.ticket;
                            told.extend(change.told);
                        }
                        Err(_) => prop_assert!(!legal, "{:?} to {:?} is refused", from, to),
                    }
                }
                Step::Tell => {
                    if let Ok(change) = act(&real, now, &[Act::Comment { said: Said::ToCustomer }], rules) {
                        real = change.ticket;
                        told.extend(change.told);
                        model.answered = true;
                    }
                }
            }
            prop_assert_eq!(real.state, model.state);
            prop_assert_eq!(real.first_answer.breached.is_some(), model.first_late, "first answer at {}", minute);
            prop_assert_eq!(real.resolution.breached.is_some(), model.resolution_late, "resolution at {}", minute);
        }
        let breaches = told.iter().filter(|told| matches!(told, Ticketed::Breached { .. })).count();
        prop_assert_eq!(breaches, usize::from(model.first_late) + usize::from(model.resolution_late), "each is told once");
    }
}
