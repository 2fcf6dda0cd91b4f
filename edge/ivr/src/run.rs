//! One contact's walk through one flow and its sub-flows. Everything it waits for comes in as an input; it never waits for
//! time itself.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use model::{
    Extension, FlowId, LanguageId, QueueId, StepId, VariableId,
    config::Config,
    flow::{DEPTH_MAX, Source, Step, Test, Value},
    routing::Asks,
    sound::Sound,
};

use crate::{
    keys::{Keys, Outcome},
    memory::{Memory, Visit},
};

/// Steps in a row that do not wait for the caller; one more ends the run.
pub const CIRCLE_MAX: u32 = 100;
/// Steps of one run in all: nobody presses keys for ever.
pub const STEPS_MAX: u32 = 1_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// The caller pressed a key.
    Digit(char),
    /// The prompts of the last `Play` reached their end.
    Played,
    /// The time of the last `Collect` is over.
    Timeout,
    /// The answer to the last `Ask`.
    Answer(bool),
    /// The answer to the last `LookUp`; None: it did not come, or said nothing of use.
    Found(Option<BTreeMap<VariableId, Value>>),
    /// The last `Ring` came to nothing, or the last `Queue` takes nobody.
    NotTaken,
    /// The answer to the last `CallBack`: the promise is kept in mind.
    Promised(bool),
    /// The answer to the last `Message`, when it ends: it is kept.
    Left(bool),
    /// The agent of the last `Queue` has hung up, and the caller is still there.
    Served,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// For the record: this step begins.
    StepEntered { flow: FlowId, step: StepId },
    /// From here on the caller is spoken to in this language.
    Language(LanguageId),
    /// Play these; answer with `Played`.
    Play { sounds: Vec<Sound> },
    /// The caller pressed a key into the prompt: silence it.
    Hush,
    /// Wait this long for a key; answer with `Timeout`.
    Collect { wait: Duration },
    /// Does this hold? Answer with `Answer`.
    Ask(Test),
    /// Ask another system; answer with `Found`, by `take`.
    LookUp(LookUp),
    /// For the record: what the caller thinks of us, at the step that was entered last.
    Marked { mark: u8, best: u8 },
    /// For the record: may the call be recorded?
    Consented { given: bool },
    /// Ring this phone; answer with `NotTaken`, or never.
    Ring { phone: Extension, wait: Duration },
    /// The road ends in a queue; see [`Run::comes_back`] and [`Run::knows_another_way`].
    Queue { queue: QueueId, asks: Asks },
    /// Promise to call back, at this number or at the caller's own; answer with `Promised`.
    CallBack { queue: QueueId, asks: Asks, number: Option<String> },
    /// Take a message down for this queue's agents, from here to `MessageEnds`; answer with `Left` when that comes to
    /// nothing.
    Message { queue: QueueId },
    /// The message ends; answer with `Left`.
    MessageEnds,
    /// The road ends.
    HangUp(End),
}

/// A question to another system.
#[derive(Clone, PartialEq, Eq)]
pub struct LookUp {
    pub url: String,
    /// Fields of a JSON object. May hold personal data.
    pub send: BTreeMap<String, Value>,
    /// Which field fills which variable.
    pub take: BTreeMap<VariableId, String>,
    pub wait: Duration,
}

impl std::fmt::Debug for LookUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LookUp({}, {} fields)", self.url, self.send.len())
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The flow says so.
    Flow,
    /// The flow points at a step, or a flow, that is not there.
    Dangling(String),
    /// [`CIRCLE_MAX`] or [`STEPS_MAX`] was reached at this step.
    Circle(StepId),
    /// Sub-flows within one another beyond the limit.
    TooDeep(FlowId),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    /// A prompt plays, then `next`.
    Playing {
        next: StepId,
    },
    /// A prompt plays, and keys count already.
    Asking(Keys),
    Listening(Keys),
    /// The owner looks whether the first of `left` holds.
    Judging {
        left: VecDeque<Test>,
        then: StepId,
        otherwise: StepId,
    },
    LookingUp {
        next: StepId,
        otherwise: StepId,
    },
    Ringing {
        otherwise: StepId,
    },
    Promising {
        next: StepId,
        otherwise: StepId,
    },
    /// A message is being left.
    Leaving {
        next: StepId,
        otherwise: StepId,
    },
    /// In a queue, or with an agent.
    Away {
        after: Option<StepId>,
        otherwise: Option<StepId>,
    },
    Ended,
}

#[derive(Debug)]
pub struct Run {
    site: Arc<Config>,
    flow: FlowId,
    /// Flows that wait for their sub-flow, and where each goes on.
    callers: Vec<(FlowId, StepId)>,
    visit: Visit,
    memory: Memory,
    state: State,
    /// Since the caller was last waited for.
    circle: u32,
    steps: u32,
    outputs: VecDeque<Output>,
}

impl Run {
    /// Begins at the flow's first step. The flows of `site` are the run's to its end.
    pub fn start(site: Arc<Config>, flow: FlowId, visit: Visit) -> Self {
        let mut run = Self {
            site,
            flow: flow.clone(),
            callers: Vec::new(),
            visit,
            memory: Memory::default(),
            state: State::Ended,
            circle: 0,
            steps: 0,
            outputs: VecDeque::new(),
        };
        run.begin(flow);
        run
    }

    /// A message is being left at this step of the flow; what the variables held is gone. None: there is no such step.
    pub fn at_message(site: Arc<Config>, flow: FlowId, step: &StepId, visit: Visit) -> Option<Self> {
        let document = site.flows.get(&flow)?;
        let Step::Voicemail { max_s, next, otherwise, .. } = document.steps.get(step)?.clone() else { return None };
        let mut memory = Memory::default();
        memory.begin(document);
        let outputs = VecDeque::from([Output::Collect { wait: Duration::from_secs(max_s.into()) }]);
        let state = State::Leaving { next, otherwise };
        Some(Self { site: site.clone(), flow, callers: Vec::new(), visit, memory, state, circle: 0, steps: 0, outputs })
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    pub fn has_ended(&self) -> bool {
        self.state == State::Ended
    }

    /// Does a caller who was served come back, by `Served`?
    pub fn comes_back(&self) -> bool {
        matches!(self.state, State::Away { after: Some(_), .. })
    }

    /// Does a caller whom the queue does not take come back, by `NotTaken`?
    pub fn knows_another_way(&self) -> bool {
        matches!(self.state, State::Away { otherwise: Some(_), .. })
    }

    /// Would these be taken as an answer?
    pub fn takes(&self, values: &BTreeMap<VariableId, Value>) -> bool {
        self.memory.takes(values)
    }

    /// What the agent is shown who gets the caller: what it is, and what it says. Personal data.
    pub fn shown(&self) -> Vec<(String, String)> {
        self.memory.shown()
    }

    /// An input that means nothing at this moment (a late timer, a key into an announcement) changes nothing.
    pub fn handle_input(&mut self, input: Input) {
        match (std::mem::replace(&mut self.state, State::Ended), input) {
            (State::Playing { next }, Input::Played) => self.enter(next),
            (State::Asking(keys), Input::Played) => self.listen(keys),
            (State::Asking(mut keys), Input::Digit(digit)) => {
                self.outputs.push_back(Output::Hush);
                let outcome = keys.key(digit);
                self.heard(keys, outcome);
            }
            (State::Listening(mut keys), Input::Digit(digit)) => {
                let outcome = keys.key(digit);
                self.heard(keys, outcome);
            }
            (State::Listening(mut keys), Input::Timeout) => {
                let outcome = keys.silence();
                self.heard(keys, outcome);
            }
            (State::Judging { mut left, then, otherwise }, Input::Answer(holds)) => {
                left.pop_front();
                if holds { self.judge(left, then, otherwise) } else { self.enter(otherwise) }
            }
            (State::LookingUp { next, otherwise }, Input::Found(found)) => {
                let taken = found.is_some_and(|values| self.memory.set_all(values));
                self.enter(if taken { next } else { otherwise });
            }
            (State::Ringing { otherwise }, Input::NotTaken) => self.enter(otherwise),
            (State::Promising { next, otherwise }, Input::Promised(given)) => {
                self.enter(if given { next } else { otherwise });
            }
            (state @ State::Leaving { .. }, Input::Digit(_) | Input::Timeout) => {
                self.state = state;
                self.outputs.push_back(Output::MessageEnds);
            }
            (State::Leaving { next, otherwise }, Input::Left(kept)) => {
                self.circle = 0;
                self.enter(if kept { next } else { otherwise });
            }
            (State::Away { otherwise: Some(otherwise), .. }, Input::NotTaken) => self.enter(otherwise),
            (State::Away { after: Some(after), .. }, Input::Served) => {
                self.circle = 0;
                self.enter(after);
            }
            (state, _) => self.state = state,
        }
    }

    fn begin(&mut self, flow: FlowId) {
        let Some(document) = self.site.flows.get(&flow) else { return self.end(End::Dangling(flow.to_string())) };
        self.memory.begin(document);
        self.outputs.extend(document.language.clone().map(Output::Language));
        let first = document.start.clone();
        self.flow = flow;
        self.enter(first);
    }

    fn enter(&mut self, id: StepId) {
        let Some(step) = self.site.flows.get(&self.flow).and_then(|flow| flow.steps.get(&id)).cloned() else {
            return self.end(End::Dangling(id.to_string()));
        };
        self.circle += 1;
        self.steps += 1;
        if self.circle > CIRCLE_MAX || self.steps > STEPS_MAX {
            return self.end(End::Circle(id));
        }
        self.outputs.push_back(Output::StepEntered { flow: self.flow.clone(), step: id });
        if let Some(keys) = Keys::of(&step) {
            return self.ask(keys);
        }
        match step {
            Step::Play { prompt, next } => self.play(vec![prompt.into()], next),
            Step::Say { parts, next } => {
                let sounds = self.memory.speak(&parts);
                self.play(sounds, next);
            }
            Step::Open { hours, then, otherwise } => {
                self.judge(VecDeque::from([Test::Open { hours }]), then, otherwise);
            }
            Step::If { all, then, otherwise } => self.judge(all.into(), then, otherwise),
            Step::Set { variable, to, next } => {
                self.memory.set(&variable, to);
                self.enter(next);
            }
            Step::LookUp { url, send, take, wait_ms, next, otherwise } => {
                let send = send.into_iter().map(|(field, source)| (field, self.told(source))).collect();
                let wait = Duration::from_millis(wait_ms.into());
                self.outputs.push_back(Output::LookUp(LookUp { url, send, take, wait }));
                self.state = State::LookingUp { next, otherwise };
            }
            Step::SubFlow { flow, next } => {
                if self.callers.len() >= DEPTH_MAX {
                    return self.end(End::TooDeep(flow));
                }
                self.callers.push((self.flow.clone(), next));
                self.begin(flow);
            }
            Step::Return => match self.callers.pop() {
                Some((flow, next)) => {
                    self.flow = flow;
                    self.enter(next);
                }
                None => self.end(End::Flow),
            },
            Step::Transfer { phone, ring_s, otherwise } => {
                self.circle = 0;
                self.outputs.push_back(Output::Ring { phone, wait: Duration::from_secs(ring_s.into()) });
                self.state = State::Ringing { otherwise };
            }
            Step::Queue { queue, asks, after, otherwise } => {
                self.outputs.push_back(Output::Queue { queue, asks });
                let goes_on = after.is_some() || otherwise.is_some();
                self.state = if goes_on { State::Away { after, otherwise } } else { State::Ended };
            }
            Step::Callback { queue, asks, number, next, otherwise } => {
                let keyed = number.and_then(|variable| match self.memory.value(&variable) {
                    Some(Value::Text(digits)) => Some(digits.clone()),
                    _ => None,
                });
                self.outputs.push_back(Output::CallBack { queue, asks, number: keyed });
                self.state = State::Promising { next, otherwise };
            }
            Step::Voicemail { queue, max_s, next, otherwise } => {
                self.outputs.push_back(Output::Message { queue });
                self.outputs.push_back(Output::Collect { wait: Duration::from_secs(max_s.into()) });
                self.state = State::Leaving { next, otherwise };
            }
            Step::Hangup => self.end(End::Flow),
            // These listen to keys.
            Step::Menu { .. } | Step::Digits { .. } | Step::Survey { .. } | Step::Consent { .. } => {}
        }
    }

    fn play(&mut self, sounds: Vec<Sound>, next: StepId) {
        if sounds.is_empty() {
            return self.enter(next);
        }
        self.outputs.push_back(Output::Play { sounds });
        self.state = State::Playing { next };
    }

    fn told(&self, source: Source) -> Value {
        match source {
            Source::Caller => Value::Text(self.visit.caller.clone()),
            Source::Called => Value::Text(self.visit.called.clone()),
            Source::Variable(variable) => self.memory.value(&variable).cloned().unwrap_or(Value::Text(String::new())),
        }
    }

    /// What can be said here is said here; the owner is asked for the rest.
    fn judge(&mut self, mut left: VecDeque<Test>, then: StepId, otherwise: StepId) {
        loop {
            let Some(test) = left.front() else { return self.enter(then) };
            match self.memory.judge(test, &self.visit) {
                Some(true) => drop(left.pop_front()),
                Some(false) => return self.enter(otherwise),
                None => {
                    self.outputs.push_back(Output::Ask(test.clone()));
                    self.state = State::Judging { left, then, otherwise };
                    return;
                }
            }
        }
    }

    fn ask(&mut self, keys: Keys) {
        self.circle = 0;
        self.outputs.push_back(Output::Play { sounds: vec![keys.prompt.clone().into()] });
        self.state = State::Asking(keys);
    }

    fn listen(&mut self, keys: Keys) {
        self.outputs.push_back(Output::Collect { wait: keys.wait });
        self.state = State::Listening(keys);
    }

    fn heard(&mut self, keys: Keys, outcome: Outcome) {
        match outcome {
            Outcome::More => self.listen(keys),
            Outcome::Again => self.ask(keys),
            Outcome::Go(step) => self.enter(step),
            Outcome::Typed { into, digits, next } => {
                self.memory.set(&into, Value::Text(digits));
                self.enter(next);
            }
            Outcome::Marked { mark, best, next } => {
                self.outputs.push_back(Output::Marked { mark, best });
                self.enter(next);
            }
            Outcome::Consented { given, next } => {
                self.outputs.push_back(Output::Consented { given });
                self.enter(next);
            }
        }
    }

    fn end(&mut self, end: End) {
        self.outputs.push_back(Output::HangUp(end));
        self.state = State::Ended;
    }
}
