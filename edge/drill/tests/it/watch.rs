//! When the link is cut and when it is given back, on a clock of the test's own.

use std::time::{Duration, Instant};

use drill::{Input, Output, Past, Run, Watch};
use model::{
    Millis,
    drill::{Drill, Why},
};

const NOON: i64 = 1_795_000_000_000;
const DRILL: Drill = Drill { at: Millis(NOON), minutes: 30 };

struct Clock {
    start: Instant,
    watch: Watch,
}

impl Clock {
    #[allow(clippy::disallowed_methods, reason = "an Instant has no other beginning; only differences count")]
    fn new(past: Option<Past>, minute: i64) -> Clock {
        let start = Instant::now();
        Clock { start, watch: Watch::new(at(start, minute), wall(minute), past, None) }
    }

    fn input(&mut self, minute: i64, input: Input) -> Vec<Output> {
        self.watch.handle_input(at(self.start, minute), wall(minute), input);
        self.drain()
    }

    fn at(&mut self, minute: i64) -> Vec<Output> {
        self.watch.handle_timeout(at(self.start, minute), wall(minute));
        self.drain()
    }

    fn drain(&mut self) -> Vec<Output> {
        std::iter::from_fn(|| self.watch.poll_output()).collect()
    }
}

/// Minutes are counted from the drill's beginning; nothing happens more than an hour before.
fn at(start: Instant, minute: i64) -> Instant {
    start + Duration::from_secs((60 + minute).unsigned_abs() * 60)
}

fn wall(minute: i64) -> Millis {
    Millis(NOON + minute * 60_000)
}

fn ended(why: Why, minutes: u64) -> Vec<Output> {
    vec![Output::Join, Output::Ended { drill: DRILL, why, lasted_ms: minutes * 60_000 }]
}

fn not_run(drill: Drill, why: Why) -> Vec<Output> {
    vec![Output::NotRun { drill, why }]
}

fn begun() -> Vec<Output> {
    vec![Output::Began(DRILL), Output::Cut { until: wall(30) }]
}

#[test]
fn a_drill_begins_at_its_time_ends_at_its_deadline_and_is_reported_once_all_is_told() {
    let mut clock = Clock::new(None, -10);
    assert_eq!(clock.input(-10, Input::Ordered(Some(DRILL))), []);
    assert_eq!(clock.at(-1), []);
    assert_eq!(clock.at(0), begun());
    clock.input(0, Input::Link(false));
    assert_eq!((clock.at(29), clock.watch.apart()), (vec![], Some(DRILL)));
    assert_eq!(clock.at(30), ended(Why::Deadline, 30));
    assert_eq!(clock.input(31, Input::Told), [], "nothing is told without a link");
    assert_eq!(clock.input(31, Input::Link(true)), []);
    assert_eq!(clock.input(31, Input::Told), [], "what waited is not there yet");
    assert_eq!(clock.input(32, Input::Delivered), []);
    let run = Run {
        drill: DRILL,
        began: wall(0),
        ended: wall(30),
        lasted_ms: 1_800_000,
        why: Why::Deadline,
        joined: Some(wall(31)),
        delivered: Some(wall(32)),
    };
    assert_eq!(clock.input(46, Input::Told), [Output::Report(run)]);
    assert_eq!(clock.at(50), []);
    assert_eq!(clock.input(50, Input::Ordered(Some(DRILL))), [], "it does not begin again");
    let next = Drill { at: wall(60), ..DRILL };
    assert_eq!(clock.input(50, Input::Ordered(Some(next))), []);
    assert_eq!(clock.at(60).first(), Some(&Output::Began(next)));
}

#[test]
fn a_link_that_was_back_before_the_drill_was_over_is_not_missed() {
    let mut clock = Clock::new(None, 0);
    clock.input(0, Input::Ordered(Some(DRILL)));
    clock.input(0, Input::Link(false));
    clock.input(29, Input::Link(true));
    clock.at(30);
    clock.input(30, Input::Delivered);
    let heard = clock.input(31, Input::Told);
    assert!(matches!(heard.as_slice(), [Output::Report(run)] if run.joined == Some(wall(30))), "{heard:?}");
}

#[test]
fn whoever_may_end_it_ends_it_at_once() {
    for (input, why) in [
        (Input::Ordered(None), Why::Person),
        (Input::Ordered(Some(Drill { minutes: 5, ..DRILL })), Why::Person),
        (Input::Stop(Why::Emergency), Why::Emergency),
        (Input::Stop(Why::Callers), Why::Callers),
        (Input::Stop(Why::Disk), Why::Disk),
    ] {
        let mut clock = Clock::new(None, 0);
        assert_eq!(clock.input(0, Input::Ordered(Some(DRILL))), begun());
        let heard = clock.input(3, input);
        assert_eq!(heard.get(..2), Some(&*ended(why, 3)), "{why:?}");
        assert_eq!(clock.watch.back().map(|run| run.ended), Some(wall(3)));
    }
    let mut clock = Clock::new(None, 0);
    assert_eq!(clock.input(0, Input::Stop(Why::Emergency)), [], "there is none");
}

#[test]
fn a_box_that_begins_again_goes_on_with_its_drill_and_one_that_is_late_ends_it() {
    let past = Past { drill: DRILL, began: wall(0), ended: None, reported: false };
    let mut clock = Clock::new(Some(past), 10);
    assert_eq!(clock.drain(), [Output::Cut { until: wall(30) }]);
    assert_eq!(clock.input(10, Input::Ordered(Some(DRILL))), []);
    assert_eq!(clock.at(30), ended(Why::Deadline, 30));

    let mut late = Clock::new(Some(past), 40);
    assert_eq!(late.drain().get(1..), Some(&*ended(Why::Deadline, 30)));
    assert_eq!(late.watch.back().map(|run| (run.began, run.ended)), Some((wall(0), wall(40))));

    let over = Past { ended: Some((wall(30), Why::Deadline, 1_800_000)), ..past };
    let mut back = Clock::new(Some(over), 35);
    assert_eq!(back.input(35, Input::Ordered(Some(DRILL))), []);
    back.input(36, Input::Link(true));
    back.input(36, Input::Delivered);
    assert!(matches!(back.input(46, Input::Told).as_slice(), [Output::Report(_)]));

    let mut done = Clock::new(Some(Past { reported: true, ..over }), 20);
    assert_eq!(done.input(20, Input::Ordered(Some(DRILL))), [], "it was cut short and is over");
}

#[test]
fn a_clock_that_was_set_back_does_not_keep_a_branch_apart() {
    let mut clock = Clock::new(None, 0);
    clock.input(0, Input::Ordered(Some(DRILL)));
    let later = at(clock.start, 30);
    clock.watch.handle_timeout(later, wall(-500_000));
    assert_eq!(clock.drain(), ended(Why::Deadline, 30));
    assert_eq!(clock.watch.back().map(|run| run.ended), Some(wall(0)), "nor does it end before it began");
}

#[test]
fn a_link_that_does_not_come_back_is_reported_after_an_hour() {
    let mut clock = Clock::new(None, 0);
    clock.input(0, Input::Ordered(Some(DRILL)));
    clock.at(30);
    assert_eq!(clock.at(89), []);
    let heard = clock.at(90);
    assert!(matches!(heard.as_slice(), [Output::Report(run)] if run.joined.is_none()), "{heard:?}");
}

#[test]
fn a_drill_whose_time_is_over_when_it_is_heard_of_is_said_not_to_have_run() {
    let mut clock = Clock::new(None, 31);
    assert_eq!(clock.input(31, Input::Ordered(Some(DRILL))), not_run(DRILL, Why::NotRunLate));
    assert_eq!(clock.at(32), [], "once");
    let mut old = Clock::new(None, 30 + 24 * 60);
    assert_eq!(old.input(30 + 24 * 60, Input::Ordered(Some(DRILL))), [], "of what is long over nobody speaks");
}

#[test]
fn what_hinders_a_drill_is_waited_for_and_then_it_does_not_run() {
    let mut clock = Clock::new(None, 0);
    clock.input(0, Input::Hindered(Some(Why::NotRunEmergency)));
    assert_eq!(clock.input(0, Input::Ordered(Some(DRILL))), []);
    assert_eq!(clock.input(2, Input::Hindered(None)), begun());

    let mut clock = Clock::new(None, 0);
    clock.input(0, Input::Hindered(Some(Why::NotRunOverflow)));
    clock.input(0, Input::Ordered(Some(DRILL)));
    assert_eq!(clock.at(3), []);
    assert_eq!(clock.at(4), not_run(DRILL, Why::NotRunOverflow));
    assert_eq!((clock.input(5, Input::Hindered(None)), clock.watch.apart()), (vec![], None));
}

#[test]
fn a_drill_that_comes_while_another_is_not_reported_is_not_lost_silently() {
    let mut clock = Clock::new(None, 0);
    clock.input(0, Input::Ordered(Some(DRILL)));
    clock.at(30);
    let next = Drill { at: wall(31), minutes: 10 };
    assert_eq!(clock.input(31, Input::Ordered(Some(next))), [], "the first may be reported in time");
    assert_eq!(clock.at(33), not_run(next, Why::NotRunAnother));
    assert_eq!(clock.at(34), []);
    assert!(clock.watch.back().is_some(), "the first is reported all the same");
}
