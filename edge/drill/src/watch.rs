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
/// An order that is heard of within this time after its drill would have been over is said not to have run, in ms.
const LATE_MS_MAX: u64 = 24 * 3_600_000;

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
    /// What forbids that a drill begins now. It is waited for as long as the drill may be late; then it does not run.
    Hindered(Option<Why>),
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
        lasted_ms: u64,
    },
    /// It was ordered, and was not begun.
    NotRun {
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
    /// By the steady clock, as far as this process saw it.
    pub lasted_ms: u64,
    pub why: Why,
    pub joined: Option<Millis>,
    pub delivered: Option<Millis>,
}

/// What was written down of the last drill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Past {
    pub drill: Drill,
    pub began: Millis,
    /// When, why, and how long it had lasted, in ms.
    pub ended: Option<(Millis, Why, u64)>,
    pub reported: bool,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// No drill is ordered, or the one that is lies ahead.
    Idle,
    /// The link is cut.
    Apart { drill: Drill, began: Millis, since: Instant, before_ms: u64, deadline: Instant },
    /// It is looked for again.
    Back { run: Run, given_up: Instant },
}

pub struct Watch {
    ordered: Option<Drill>,
    state: State,
    /// The last drill that has begun.
    last: Option<Drill>,
    /// The last that was not run, and told so.
    refused: Option<Drill>,
    hindered: Option<Why>,
    linked: bool,
    output: std::collections::VecDeque<Output>,
}

impl Watch {
    /// `past`: the last drill that has begun, by an earlier life of the process; `refused`: the last that was not run.
    pub fn new(now: Instant, wall: Millis, past: Option<Past>, refused: Option<Drill>) -> Watch {
        let mut watch = Watch {
            ordered: None,
            state: State::Idle,
            last: past.map(|past| past.drill),
            refused,
            hindered: None,
            linked: false,
            output: Default::default(),
        };
        let Some(past) = past.filter(|past| !past.reported) else { return watch };
        watch.state = match past.ended {
            None => {
                let Past { drill, began, .. } = past;
                let before_ms = wall.since(began).min(drill.until().since(drill.at));
                State::Apart { drill, began, since: now, before_ms, deadline: deadline(now, wall, drill) }
            }
            Some((ended, why, lasted_ms)) => {
                let Past { drill, began, .. } = past;
                let run = Run { drill, began, ended, lasted_ms, why, joined: None, delivered: None };
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
            Input::Hindered(why) => self.hindered = why,
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
            State::Apart { .. } => {}
            // Nobody shall wait in vain for what was ordered meanwhile.
            State::Back { .. } => {
                let another = self.due(wall).filter(|drill| wall.since(drill.at) > drill.slack_ms());
                another.into_iter().for_each(|drill| self.not_run(drill, Why::NotRunAnother));
            }
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

    /// A drill's time has come, and it has neither begun nor been refused.
    pub fn is_due(&self, wall: Millis) -> bool {
        matches!(self.state, State::Idle) && self.due(wall).is_some()
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
        let Some(drill) = self.due(wall) else { return };
        if wall >= drill.until() {
            return self.not_run(drill, Why::NotRunLate);
        }
        match self.hindered {
            Some(why) if wall.since(drill.at) > drill.slack_ms() => return self.not_run(drill, why),
            Some(_) => return,
            None => {}
        }
        self.last = Some(drill);
        self.state =
            State::Apart { drill, began: wall, since: now, before_ms: 0, deadline: deadline(now, wall, drill) };
        self.say(Output::Began(drill));
        self.say(Output::Cut { until: drill.until() });
    }

    /// One whose time has come, and of which nothing was said yet. What is long over is not spoken of.
    fn due(&self, wall: Millis) -> Option<Drill> {
        let due = |drill: &Drill| drill.at <= wall && wall.since(drill.until()) < LATE_MS_MAX;
        self.ordered.filter(|drill| due(drill) && self.last != Some(*drill) && self.refused != Some(*drill))
    }

    fn not_run(&mut self, drill: Drill, why: Why) {
        self.refused = Some(drill);
        self.say(Output::NotRun { drill, why });
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
        let State::Apart { drill, began, since, before_ms, .. } = self.state else { return };
        let seen = u64::try_from(now.saturating_duration_since(since).as_millis()).unwrap_or(u64::MAX);
        let lasted_ms = before_ms.saturating_add(seen);
        // Whoever cuts the link may know sooner that its time is over.
        let joined = self.linked.then_some(wall);
        let run = Run { drill, began, ended: wall.max(began), lasted_ms, why, joined, delivered: None };
        self.state = State::Back { run, given_up: now + BACK_MAX };
        self.say(Output::Join);
        self.say(Output::Ended { drill, why, lasted_ms });
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
