//! A promise's time counts while the branch is open and it is our turn.

use jiff::{civil, tz::TimeZone};
use model::{
    ContactId, Millis, TicketId,
    config::{Hours, Span},
    ticket::{Priority, Promise, Promised, Said, State, Terms, Ticketed},
};
use ticket::{Act, Calendar, Opening, Refused, Rules, Ticket, act, due, next, open, tick};

pub const HOUR: u64 = 3_600_000;

fn zone() -> TimeZone {
    TimeZone::get("Europe/Berlin").expect("a zone")
}

/// Monday to Friday 9 to 12 and 13 to 18, Saturday 10 to 15; Christmas and New Year's day are closed.
pub fn office() -> Hours {
    let day = |day| [(540, 720), (780, 1080)].map(|(from_min, to_min)| Span { day, from_min, to_min });
    let mut week: Vec<Span> = (0..5).flat_map(day).collect();
    week.push(Span { day: 5, from_min: 600, to_min: 900 });
    Hours { label: "Office".into(), week, closed: ["2026-12-25".into(), "2027-01-01".into()].into() }
}

fn at(text: &str) -> Millis {
    let text: civil::DateTime = text.parse().expect("a time");
    Millis(zone().to_zoned(text).expect("a moment").timestamp().as_millisecond())
}

fn text(at: Millis) -> String {
    let at = jiff::Timestamp::from_millisecond(at.0).expect("a moment");
    at.to_zoned(zone()).datetime().to_string()
}

fn calendar() -> Calendar {
    Calendar::new(office(), zone())
}

/// First answer within two open hours, resolution within ten; warned at half.
fn terms() -> Terms {
    let mut terms = Terms { warn_percent: 50, ..Terms::default() };
    terms.promises.insert(Priority::Normal, Promised { first_answer_min: 120, resolution_min: 600 });
    terms.promises.insert(Priority::Urgent, Promised { first_answer_min: 30, resolution_min: 60 });
    terms.categories.insert("delivery".parse().expect("an id"), "Delivery".into());
    terms
}

pub fn opening() -> Opening {
    Opening {
        ticket: TicketId(1),
        by: "li".parse().expect("an id"),
        queue: Some("sales".parse().expect("an id")),
        assignee: None,
        priority: Priority::Normal,
        category: None,
        contact: Some(ContactId(7)),
    }
}

fn opened(when: &str, rules: Rules<'_>) -> Ticket {
    open(at(when), opening(), rules).expect("a ticket").ticket
}

fn does(ticket: &Ticket, when: &str, acts: &[Act], rules: Rules<'_>) -> (Ticket, Vec<Ticketed>) {
    let change = act(ticket, at(when), acts, rules).expect("legal");
    (change.ticket, change.told)
}

fn moved(ticket: &Ticket, when: &str, to: State, rules: Rules<'_>) -> Ticket {
    does(ticket, when, &[Act::Move { to }], rules).0
}

#[test]
fn open_time_is_counted_through_lunch_nights_weekends_and_holidays() {
    let calendar = calendar();
    for (from, until, hours) in [
        ("2026-12-21T08:00", "2026-12-21T19:00", 8),
        ("2026-12-21T11:00", "2026-12-21T14:00", 2),
        // A whole week, with Christmas on its Friday: four days of eight hours, and five on Saturday.
        ("2026-12-21T00:00", "2026-12-28T00:00", 4 * 8 + 5),
        ("2026-12-25T00:00", "2026-12-26T00:00", 0),
        ("2026-12-24T17:00", "2026-12-26T11:00", 2),
        ("2026-12-21T12:00", "2026-12-21T10:00", 0),
    ] {
        assert_eq!(calendar.open_between(at(from), at(until)), hours * HOUR, "{from} to {until}");
    }
    for (from, hours, ends) in [
        ("2026-12-21T09:00", 3, "2026-12-21T12:00:00"),
        ("2026-12-21T09:00", 4, "2026-12-21T14:00:00"),
        ("2026-12-24T17:00", 2, "2026-12-26T11:00:00"),
        ("2026-12-26T14:00", 2, "2026-12-28T10:00:00"),
        ("2026-12-31T17:30", 1, "2027-01-02T10:30:00"),
        ("2026-12-21T03:00", 0, "2026-12-21T03:00:00"),
    ] {
        assert_eq!(calendar.after(at(from), hours * HOUR).map(text).as_deref(), Some(ends), "{hours} h from {from}");
    }
}

#[test]
fn the_day_on_which_the_clocks_are_set_has_its_own_length() {
    let span = Span { day: 6, from_min: 0, to_min: 1440 };
    let sundays = Hours { label: "Sundays".into(), week: vec![span], closed: Default::default() };
    let calendar = Calendar::new(sundays, zone());
    for (day, next, hours) in [
        ("2027-03-28T00:00", "2027-03-29T00:00", 23),
        ("2026-10-25T00:00", "2026-10-26T00:00", 25),
        ("2026-11-01T00:00", "2026-11-02T00:00", 24),
    ] {
        assert_eq!(calendar.open_between(at(day), at(next)), hours * HOUR, "{day}");
    }
}

#[test]
fn a_branch_that_never_opens_breaks_no_promise() {
    let never = Hours { label: "Never".into(), week: Vec::new(), closed: Default::default() };
    let (terms, calendar) = (terms(), Calendar::new(never, zone()));
    let rules = Rules { terms: &terms, calendar: &calendar };
    let ticket = opened("2026-12-21T09:00", rules);
    assert_eq!((due(&ticket, rules).resolution, next(&ticket, rules)), (None, None));
    assert_eq!(tick(&ticket, at("2027-12-21T09:00"), rules), None);
}

#[test]
fn the_first_answer_is_due_in_open_hours_and_whoever_is_late_is_told_before_and_after() {
    let (terms, calendar) = (terms(), calendar());
    let rules = Rules { terms: &terms, calendar: &calendar };
    let ticket = opened("2026-12-24T17:00", rules);
    assert_eq!(due(&ticket, rules).first_answer.map(text).as_deref(), Some("2026-12-26T11:00:00"));
    // Half of two hours is spent at closing time on Christmas Eve.
    assert_eq!(next(&ticket, rules).map(text).as_deref(), Some("2026-12-24T18:00:00"));
    assert_eq!(tick(&ticket, Millis(at("2026-12-24T18:00").0 - 1), rules), None);
    let warned = tick(&ticket, at("2026-12-24T18:00"), rules).expect("a warning");
    assert_eq!(warned.told, [Ticketed::Warned { promise: Promise::FirstAnswer }]);
    assert_eq!(warned.ticket.version, 2);
    assert_eq!(tick(&warned.ticket, at("2026-12-26T11:00"), rules), None, "in time to the millisecond");
    let due = Millis(at("2026-12-26T11:00").0 + 1);
    assert_eq!(next(&warned.ticket, rules), Some(due));
    let breached = tick(&warned.ticket, due, rules).expect("a breach");
    assert_eq!(breached.told, [Ticketed::Breached { promise: Promise::FirstAnswer }]);
    assert_eq!(breached.ticket.first_answer.breached, Some(due));
    let (answered, told) =
        does(&breached.ticket, "2026-12-26T12:00", &[Act::Comment { said: Said::ToCustomer }], rules);
    assert_eq!(told, [Ticketed::Commented { said: Said::ToCustomer }], "kept it was not");
    assert!(answered.first_answer.done.is_some());
}

#[test]
fn waiting_for_the_customer_costs_nothing_and_being_taken_up_again_goes_on_where_it_was() {
    let (terms, calendar) = (terms(), calendar());
    let rules = Rules { terms: &terms, calendar: &calendar };
    let ticket = opened("2026-12-21T09:00", rules);
    let asked = moved(&ticket, "2026-12-21T11:00", State::WaitsForCustomer, rules);
    assert_eq!(asked.resolution.spent_ms, 2 * HOUR);
    assert_eq!(due(&asked, rules), Default::default(), "nothing is due while it is the customer's turn");
    assert_eq!(next(&asked, rules), None);
    assert_eq!(tick(&asked, at("2027-06-01T11:00"), rules), None);
    let ours = moved(&asked, "2026-12-28T09:00", State::WaitsForUs, rules);
    assert_eq!(due(&ours, rules).resolution.map(text).as_deref(), Some("2026-12-28T18:00:00"), "eight hours are left");
    let (solved, told) = does(&ours, "2026-12-28T18:00", &[Act::Move { to: State::Solved }], rules);
    let kept = Ticketed::Kept { promise: Promise::Resolution };
    // Half of its time was spent on the way, and nobody had looked.
    let warned = Ticketed::Warned { promise: Promise::Resolution };
    assert_eq!(told, [warned, Ticketed::Moved { from: State::WaitsForUs, to: State::Solved }, kept]);
    let again = moved(&solved, "2026-12-29T09:00", State::WaitsForUs, rules);
    assert_eq!(again.resolution.spent_ms, 10 * HOUR, "what is spent is spent");
    let late = tick(&again, at("2026-12-29T09:01"), rules).expect("a breach");
    assert_eq!(late.told, [Ticketed::Breached { promise: Promise::Resolution }]);
}

#[test]
fn what_is_solved_is_closed_after_a_fortnight_and_then_stays_as_it_is() {
    let (terms, calendar) = (terms(), calendar());
    let rules = Rules { terms: &terms, calendar: &calendar };
    let solved = moved(&opened("2026-12-21T09:00", rules), "2026-12-21T10:00", State::Solved, rules);
    assert_eq!(next(&solved, rules).map(text).as_deref(), Some("2027-01-04T10:00:00"));
    let closed = tick(&solved, at("2027-01-04T10:00"), rules).expect("a move");
    assert_eq!(closed.told, [Ticketed::Moved { from: State::Solved, to: State::Closed }]);
    assert_eq!(next(&closed.ticket, rules), None);
    let refused = act(&closed.ticket, at("2027-01-05T10:00"), &[Act::Comment { said: Said::Inside }], rules);
    assert_eq!(refused, Err(Refused::Closed));
}

#[test]
fn another_priority_promises_other_times_and_forgives_nothing() {
    let (terms, calendar) = (terms(), calendar());
    let rules = Rules { terms: &terms, calendar: &calendar };
    let ticket = opened("2026-12-21T09:00", rules);
    let (urgent, _) = does(&ticket, "2026-12-21T10:00", &[Act::Rate { priority: Priority::Urgent }], rules);
    let late = tick(&urgent, at("2026-12-21T10:01"), rules).expect("breaches");
    let breached = |promise| Ticketed::Breached { promise };
    assert_eq!(late.told, [breached(Promise::FirstAnswer), breached(Promise::Resolution)]);
    let (normal, _) = does(&late.ticket, "2026-12-21T10:02", &[Act::Rate { priority: Priority::Normal }], rules);
    assert!(normal.first_answer.breached.is_some() && normal.resolution.breached.is_some());
}

#[test]
fn what_says_what_stands_already_changes_nothing_and_a_refused_act_takes_the_others_with_it() {
    let (terms, calendar) = (terms(), calendar());
    let rules = Rules { terms: &terms, calendar: &calendar };
    let ticket = opened("2026-12-21T09:00", rules);
    let same = [
        Act::Move { to: State::Open },
        Act::Assign { agent: None, queue: ticket.queue.clone() },
        Act::Rate { priority: Priority::Normal },
        Act::Link { contact: ContactId(7) },
    ];
    let change = act(&ticket, at("2026-12-21T09:01"), &same, rules).expect("legal");
    assert_eq!((change.told, change.ticket), (Vec::new(), ticket.clone()));
    let bad = "no-such".parse().expect("an id");
    let acts = [Act::Move { to: State::WaitsForUs }, Act::Sort { category: Some(bad) }];
    assert!(matches!(act(&ticket, at("2026-12-21T09:01"), &acts, rules), Err(Refused::UnknownCategory(_))));
    let mut full = ticket.clone();
    full.contacts = (0..20).map(ContactId).collect();
    let link = Act::Link { contact: ContactId(99) };
    assert_eq!(act(&full, at("2026-12-21T09:01"), &[link], rules), Err(Refused::TooManyContacts));
    let old = Ticket { version: 1_000, ..ticket };
    let rated = Act::Rate { priority: Priority::Low };
    assert_eq!(act(&old, at("2026-12-21T09:01"), &[rated], rules), Err(Refused::TooManyChanges));
}

#[test]
fn terms_that_cannot_be_kept_are_refused_all_at_once() {
    let mut config = model::config::Config {
        site: model::config::Site {
            id: "north".parse().expect("an id"),
            label: "North".into(),
            time_zone: "UTC".into(),
            emergency: Default::default(),
            outward: None,
            dialling: Default::default(),
            closed: false,
            pauses: Default::default(),
            dispositions: Default::default(),
            recording: Default::default(),
        },
        queues: Default::default(),
        agents: Default::default(),
        phones: Default::default(),
        trunks: Default::default(),
        numbers: Default::default(),
        flows: Default::default(),
        hours: Default::default(),
        places: Default::default(),
    };
    let mut terms = terms();
    terms.hours = Some("office".parse().expect("an id"));
    terms.warn_percent = 100;
    terms.promises.remove(&Priority::Low);
    terms.promises.insert(Priority::High, Promised { first_answer_min: 0, resolution_min: 525_601 });
    terms.categories.insert("empty".parse().expect("an id"), " ".into());
    assert_eq!(ticket::terms::check(&terms, &config).len(), 6);
    config.hours.insert("office".parse().expect("an id"), office());
    assert_eq!(ticket::terms::check(&terms, &config).len(), 5);
    assert!(ticket::terms::check(&Terms::default(), &config).is_empty());
}

#[test]
fn what_has_run_by_one_queues_hours_has_run_when_another_queue_has_it() {
    let (terms, office, always) = (terms(), calendar(), Calendar::always());
    let by_office = Rules { terms: &terms, calendar: &office };
    let by_day_and_night = Rules { terms: &terms, calendar: &always };
    let to = |queue: &str| Act::Assign { agent: None, queue: Some(queue.parse().expect("an id")) };
    // On Sunday: nothing has run when it goes to those who are always there, on Monday at nine.
    let ticket = opened("2026-11-29T12:00", by_office);
    let (ticket, told) = does(&ticket, "2026-11-30T09:00", &[to("night")], by_office);
    assert!(!told.iter().any(|what| matches!(what, Ticketed::Breached { .. })), "{told:?}");
    assert_eq!(due(&ticket, by_day_and_night).first_answer.map(text), Some("2026-11-30T11:00:00".into()));
    assert_eq!(tick(&ticket, at("2026-11-30T09:30"), by_day_and_night), None);
    // And what has run goes along to those who keep hours.
    let ticket = opened("2026-11-27T17:00", by_day_and_night);
    let (ticket, _) = does(&ticket, "2026-11-27T18:00", &[to("office")], by_day_and_night);
    assert_eq!(due(&ticket, by_office).first_answer.map(text), Some("2026-11-28T11:00:00".into()));
}
