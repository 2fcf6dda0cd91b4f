//! The life of a drill as a machine. The link is cut when the order's time has come, and given back at the latest when
//! it is over, by the clock on the wall or by the steady one, whichever is first: a clock that was set must not keep a
//! branch apart. Each drill runs once, also where the process or the box began again in its midst.

use std::time::{Duration, Instant};

use model::{
    Millis,
    drill::{Drill, Why},
};

/// After a drill the link and all that was told meanwhile are waited for so long; then the report says what is missing.
const BACK_MAX: Duration = Duration::from_secs(3_600);

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// The configuration that runs orders this, or nothing.
    Ordered(Option<Drill>),
    Link(bool),
    /// What ends a drill at once: anything but its deadline.
    Stop(Why),
    /// Everything that waited for the link when it was back has arrived at the cloud.
    Delivered,
    /// The intervals that the drill touches are closed, and the cloud has all there is to be said of them.
    Told,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// No link before then, unless [`Output::Join`] is said.
    Cut {
        until: Millis,
    },
    /// The link may be had again.
    Join,
    Began(Drill),
    Ended {
        drill: Drill,
        why: Why,
    },
    /// Time for the report.
    Report(Run),
}

/// A drill that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    pub drill: Drill,
    pub began: Millis,
    pub ended: Millis,
    pub why: Why,
    pub joined: Option<Millis>,
    pub delivered: Option<Millis>,
}

/// What was written down of the last drill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Past {
    pub drill: Drill,
    pub began: Millis,
    pub ended: Option<(Millis, Why)>,
    pub reported: bool,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// No drill is ordered, or the one that is lies ahead.
    Idle,
    /// The link is cut.
    Apart { drill: Drill, began: Millis, deadline: Instant },
    /// It is looked for again.
    Back { run: Run, given_up: Instant },
}

pub struct Watch {
    ordered: Option<Drill>,
    state: State,
    /// The last drill that has begun.
    last: Option<Drill>,
    linked: bool,
    output: std::collections::VecDeque<Output>,
}

impl Watch {
    /// `past`: the last drill that has begun, by an earlier life of the process.
    pub fn new(now: Instant, wall: Millis, past: Option<Past>) -> Watch {
        let mut watch = Watch {
            ordered: None,
            state: State::Idle,
            last: past.map(|past| past.drill),
            linked: false,
            output: Default::default(),
        };
        let Some(past) = past.filter(|past| !past.reported) else { return watch };
        watch.state = match past.ended {
            None => State::Apart { drill: past.drill, began: past.began, deadline: deadline(now, wall, past.drill) },
            Some((ended, why)) => {
                let Past { drill, began, .. } = past;
                let run = Run { drill, began, ended, why, joined: None, delivered: None };
                State::Back { run, given_up: now + BACK_MAX }
            }
        };
        if let State::Apart { drill, .. } = watch.state {
            // Until the configuration is read, the order stands.
            watch.ordered = Some(drill);
            watch.say(Output::Cut { until: drill.until() });
        }
        watch.handle_timeout(now, wall);
        watch
    }

    pub fn handle_input(&mut self, now: Instant, wall: Millis, input: Input) {
        match input {
            Input::Ordered(drill) => {
                self.ordered = drill;
                self.ordered_otherwise(now, wall);
            }
            Input::Link(linked) => {
                self.linked = linked;
                if let (true, State::Back { run, .. }) = (linked, &mut self.state) {
                    run.joined.get_or_insert(wall);
                }
            }
            Input::Stop(why) => self.end(now, wall, why),
            Input::Delivered => {
                if let State::Back { run, .. } = &mut self.state
                    && run.joined.is_some()
                {
                    run.delivered.get_or_insert(wall);
                }
            }
            Input::Told => {
                if let State::Back { run, .. } = self.state
                    && run.delivered.is_some()
                {
                    self.report(run);
                }
            }
        }
        self.handle_timeout(now, wall);
    }

    /// Time has passed. Ask at least once a second: an order's time is of the wall.
    pub fn handle_timeout(&mut self, now: Instant, wall: Millis) {
        match self.state {
            State::Idle => self.begin(now, wall),
            State::Apart { drill, deadline, .. } if now >= deadline || wall >= drill.until() => {
                self.end(now, wall, Why::Deadline);
            }
            State::Back { run, given_up } if now >= given_up => self.report(run),
            State::Apart { .. } | State::Back { .. } => {}
        }
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.output.pop_front()
    }

    /// The drill for which the link is cut.
    pub fn apart(&self) -> Option<Drill> {
        match self.state {
            State::Apart { drill, .. } => Some(drill),
            State::Idle | State::Back { .. } => None,
        }
    }

    /// The drill that is over, and is to be reported of.
    pub fn back(&self) -> Option<Run> {
        match self.state {
            State::Back { run, .. } => Some(run),
            State::Idle | State::Apart { .. } => None,
        }
    }

    fn say(&mut self, output: Output) {
        self.output.push_back(output);
    }

    fn begin(&mut self, now: Instant, wall: Millis) {
        let due = |drill: &Drill| drill.at <= wall && wall < drill.until() && self.last != Some(*drill);
        let Some(drill) = self.ordered.filter(due) else { return };
        self.last = Some(drill);
        self.state = State::Apart { drill, began: wall, deadline: deadline(now, wall, drill) };
        self.say(Output::Began(drill));
        self.say(Output::Cut { until: drill.until() });
    }

    /// Somebody at the branch: nobody else can write to its documents while it is apart.
    fn ordered_otherwise(&mut self, now: Instant, wall: Millis) {
        if let State::Apart { drill, .. } = self.state
            && self.ordered != Some(drill)
        {
            self.end(now, wall, Why::Person);
        }
    }

    fn end(&mut self, now: Instant, wall: Millis, why: Why) {
        let State::Apart { drill, began, .. } = self.state else { return };
        // Whoever cuts the link may know sooner that its time is over.
        let joined = self.linked.then_some(wall);
        let run = Run { drill, began, ended: wall.max(began), why, joined, delivered: None };
        self.state = State::Back { run, given_up: now + BACK_MAX };
        self.say(Output::Join);
        self.say(Output::Ended { drill, why });
    }

    fn report(&mut self, run: Run) {
        self.state = State::Idle;
        self.say(Output::Report(run));
    }
}

/// When it ends by the steady clock.
fn deadline(now: Instant, wall: Millis, drill: Drill) -> Instant {
    now + Duration::from_millis(drill.until().since(wall).min(drill.until().since(drill.at)))
}
