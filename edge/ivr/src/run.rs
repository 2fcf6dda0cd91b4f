//! One contact's walk through one flow. Everything it waits for comes in as an input; it never waits for time itself.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use model::{
    HoursId, PromptId, QueueId, StepId,
    config::{Flow, Step},
    routing::Asks,
};

/// Steps in a row that do not wait for the caller; one more ends the run.
pub const CIRCLE_MAX: u32 = 100;
/// Steps of one run in all: nobody presses keys for ever.
pub const STEPS_MAX: u32 = 1_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// The caller pressed a key.
    Digit(char),
    /// The prompts of the last `Play` reached their end.
    Played,
    /// The time of the last `Collect` is over.
    Timeout,
    /// The answer to the last `Ask`.
    Hours(Door),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Door {
    Open,
    Closed,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// For the record: this step begins.
    StepEntered(StepId),
    /// Play these; answer with `Played`.
    Play { prompts: Vec<PromptId> },
    /// The caller pressed a key into the prompt: silence it.
    Hush,
    /// Wait this long for a key; answer with `Timeout`.
    Collect { wait: Duration },
    /// Is this calendar open now? Answer with `Hours`.
    Ask { hours: HoursId },
    /// The road ends in a queue.
    Queue { queue: QueueId, asks: Asks },
    /// The road ends.
    HangUp(End),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The flow says so.
    Flow,
    /// The flow points at a step that is not there.
    Dangling(StepId),
    /// [`CIRCLE_MAX`] or [`STEPS_MAX`] was reached at this step.
    Circle(StepId),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    /// A prompt plays, then `next`.
    Playing {
        next: StepId,
    },
    /// A menu's prompt plays; keys count already.
    Asking {
        menu: StepId,
        round: u32,
    },
    Collecting {
        menu: StepId,
        round: u32,
    },
    /// The owner looks at the calendar.
    AtDoor {
        then: StepId,
        otherwise: StepId,
    },
    Ended,
}

#[derive(Debug)]
pub struct Run {
    flow: Arc<Flow>,
    state: State,
    /// Since the caller was last waited for.
    circle: u32,
    steps: u32,
    outputs: VecDeque<Output>,
}

impl Run {
    /// Begins at the flow's first step.
    pub fn start(flow: Arc<Flow>) -> Self {
        let first = flow.start.clone();
        let mut run = Self { flow, state: State::Ended, circle: 0, steps: 0, outputs: VecDeque::new() };
        run.enter(first);
        run
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    pub fn has_ended(&self) -> bool {
        self.state == State::Ended
    }

    /// An input that means nothing at this moment (a late timer, a key into an announcement) changes nothing.
    pub fn handle_input(&mut self, input: Input) {
        match (self.state.clone(), input) {
            (State::Playing { next }, Input::Played) => self.enter(next),
            (State::Asking { menu, round }, Input::Played) => self.collect(menu, round),
            (State::Asking { menu, round }, Input::Digit(digit)) => {
                self.outputs.push_back(Output::Hush);
                self.choose(menu, round, digit);
            }
            (State::Collecting { menu, round }, Input::Digit(digit)) => self.choose(menu, round, digit),
            (State::Collecting { menu, round }, Input::Timeout) => self.round_lost(menu, round),
            (State::AtDoor { then, otherwise }, Input::Hours(door)) => {
                self.enter(if door == Door::Open { then } else { otherwise });
            }
            _ => {}
        }
    }

    fn enter(&mut self, id: StepId) {
        let Some(step) = self.flow.steps.get(&id).cloned() else { return self.end(End::Dangling(id)) };
        self.circle += 1;
        self.steps += 1;
        if self.circle > CIRCLE_MAX || self.steps > STEPS_MAX {
            return self.end(End::Circle(id));
        }
        self.outputs.push_back(Output::StepEntered(id.clone()));
        match step {
            Step::Play { prompt, next } => {
                self.outputs.push_back(Output::Play { prompts: vec![prompt] });
                self.state = State::Playing { next };
            }
            Step::Menu { prompt, .. } => self.ask(id, prompt, 1),
            Step::Open { hours, then, otherwise } => {
                self.outputs.push_back(Output::Ask { hours });
                self.state = State::AtDoor { then, otherwise };
            }
            Step::Queue { queue, asks } => {
                self.outputs.push_back(Output::Queue { queue, asks });
                self.state = State::Ended;
            }
            Step::Hangup => self.end(End::Flow),
        }
    }

    fn ask(&mut self, menu: StepId, prompt: PromptId, round: u32) {
        self.circle = 0;
        self.outputs.push_back(Output::Play { prompts: vec![prompt] });
        self.state = State::Asking { menu, round };
    }

    fn collect(&mut self, menu: StepId, round: u32) {
        let wait_s = match self.flow.steps.get(&menu) {
            Some(Step::Menu { wait_s, .. }) => (*wait_s).max(1),
            _ => 1,
        };
        self.outputs.push_back(Output::Collect { wait: Duration::from_secs(wait_s.into()) });
        self.state = State::Collecting { menu, round };
    }

    fn choose(&mut self, menu: StepId, round: u32, digit: char) {
        let chosen = match self.flow.steps.get(&menu) {
            Some(Step::Menu { choices, .. }) => choices.get(&digit).cloned(),
            _ => None,
        };
        match chosen {
            Some(step) => self.enter(step),
            None => self.round_lost(menu, round),
        }
    }

    /// Silence or a wrong key: once more, or on at `otherwise`.
    fn round_lost(&mut self, menu: StepId, round: u32) {
        let Some(Step::Menu { prompt, tries, otherwise, .. }) = self.flow.steps.get(&menu) else {
            return self.end(End::Dangling(menu));
        };
        let (prompt, tries, otherwise) = (prompt.clone(), (*tries).max(1), otherwise.clone());
        if round >= tries { self.enter(otherwise) } else { self.ask(menu, prompt, round + 1) }
    }

    fn end(&mut self, end: End) {
        self.outputs.push_back(Output::HangUp(end));
        self.state = State::Ended;
    }
}
