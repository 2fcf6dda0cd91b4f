//! A contact in a flow: what the run asks for is done, what it waits for is told to it, and where its road ends the
//! next begins.

use std::{collections::BTreeMap, time::Duration};

use call::plane::PlayId;
use ivr::{
    hours,
    memory::Visit,
    run::{End, Input, LookUp, Output, Run},
};
use model::{
    ContactId, FlowId, HoursId, LegId, StepId, VariableId,
    fact::{AgentState, EndCause, Kind, LookUpFailed},
    flow::{Test, Value},
};

use crate::{
    Floor,
    board::Intake,
    contact::{Role, State},
    lines::Lines,
    timer::Timer,
};

/// A contact's walk through a flow.
#[derive(Debug)]
pub(crate) struct Walk {
    /// The flow it began with.
    pub first: FlowId,
    pub run: Box<Run>,
    /// The step that was entered last.
    at: Option<(FlowId, StepId)>,
    play: Option<PlayId>,
    asked: Option<Asked>,
}

impl Walk {
    /// A walk of an earlier life of the process, where it stood.
    pub fn goes_on(first: FlowId, run: Run) -> Self {
        Self { first, run: Box::new(run), at: None, play: None, asked: None }
    }
}

/// A question to another system that has not been answered.
#[derive(Debug)]
struct Asked {
    question: u64,
    take: BTreeMap<VariableId, String>,
}

/// A walk that waits for what happens to the contact elsewhere.
#[derive(Debug)]
pub(crate) enum GoesOn {
    /// A phone is rung.
    Ringing(Walk),
    /// In a queue, or with an agent.
    Served(Walk),
}

impl<L: Lines> Floor<L> {
    pub(crate) fn start_flow(&mut self, id: ContactId, flow: FlowId) {
        let Some(contact) = self.contacts.get_mut(&id).filter(|_| self.config.flows.contains_key(&flow)) else {
            return self.end(id, EndCause::NoRoute);
        };
        contact.goes_on = None;
        let visit = self.visit_of(id);
        let run = Box::new(Run::start(self.config.clone(), flow.clone(), visit));
        self.walk(id, Walk { first: flow, run, at: None, play: None, asked: None }, None);
    }

    /// Who calls, as a run knows it.
    pub(crate) fn visit_of(&self, id: ContactId) -> Visit {
        let Some(contact) = self.contacts.get(&id) else { return Visit::default() };
        Visit {
            caller: contact.card.number.clone(),
            called: contact.number.as_ref().map(model::Number::to_string).unwrap_or_default(),
            inside: contact.leg.is_some_and(|leg| self.phones.phone_of(leg).is_some()),
        }
    }

    /// The time for a key, or for an answer, is over.
    pub(crate) fn collect_timeout(&mut self, id: ContactId) {
        let question = match self.contacts.get(&id).map(|contact| &contact.state) {
            Some(State::InFlow(Walk { asked: Some(asked), .. })) => Some(asked.question),
            _ => None,
        };
        match question {
            Some(question) => self.looked_up(question, Err(LookUpFailed::TimedOut)),
            None => self.drive(id, Input::Timeout),
        }
    }

    pub(crate) fn digit(&mut self, leg: LegId, digit: char) {
        if let Some((id, Role::Caller)) = self.legs.get(&leg).cloned()
            && !self.takes_offer(id, digit)
        {
            self.drive(id, Input::Digit(digit));
        }
    }

    /// A prompt has ended: the flow goes on, the music comes back, or the contact ends.
    pub(crate) fn played(&mut self, leg: LegId, play: PlayId) {
        let Some((id, Role::Caller)) = self.legs.get(&leg).cloned() else { return };
        match self.contacts.get(&id).map(|contact| &contact.state) {
            Some(State::InFlow(Walk { play: Some(awaited), .. })) if *awaited == play => self.drive(id, Input::Played),
            Some(State::Waiting { telling: Some(awaited) }) if *awaited == play => self.told_waiting(id),
            Some(State::Refusing { play: awaited, .. }) if *awaited == play => self.refused_aloud(id),
            Some(State::Closing { play: awaited }) if *awaited == play => self.end(id, EndCause::Flow),
            _ => {}
        }
    }

    pub(crate) fn drive(&mut self, id: ContactId, input: Input) {
        let Some(contact) = self.contacts.get_mut(&id) else { return };
        match std::mem::replace(&mut contact.state, State::Arriving) {
            State::InFlow(walk) => self.walk(id, walk, Some(input)),
            state => contact.state = state,
        }
    }

    /// Gives the run an input and obeys it until it waits.
    pub(crate) fn walk(&mut self, id: ContactId, mut walk: Walk, input: Option<Input>) {
        let Some(leg) = self.contacts.get(&id).and_then(|contact| contact.leg) else { return };
        if let Some(input) = input {
            walk.run.handle_input(input);
        }
        while let Some(output) = walk.run.poll_output() {
            match output {
                Output::StepEntered { flow, step } => {
                    self.timers.cancel(Timer::Collect(id));
                    walk.at = Some((flow.clone(), step.clone()));
                    self.chronicle.tell_of(id, Kind::FlowEntered { flow, step });
                }
                Output::Language(language) => self.lines.speak(self.now, leg, language),
                Output::Play { sounds } => {
                    self.timers.cancel(Timer::Collect(id));
                    walk.play = Some(self.lines.play(self.now, leg, sounds));
                }
                Output::Hush => self.lines.stop(self.now, leg),
                Output::Collect { wait } => self.timers.set(Timer::Collect(id), self.now + wait),
                Output::Ask(test) => walk.run.handle_input(Input::Answer(self.holds(&test))),
                Output::LookUp(ask) => walk.asked = Some(self.look_up(id, ask)),
                Output::Marked { mark, best } => {
                    if let Some((flow, step)) = walk.at.clone() {
                        self.chronicle.tell_of(id, Kind::Marked { flow, step, mark, best });
                    }
                }
                Output::Consented { given } => self.consented(id, given, None),
                Output::Ring { phone, .. } if !self.lines.is_registered(&phone) || self.phones.is_busy(&phone) => {
                    walk.run.handle_input(Input::NotTaken);
                }
                Output::Ring { phone, wait } => {
                    self.show(id, &walk);
                    return self.ring_from_flow(id, walk, phone, wait);
                }
                Output::Queue { queue, .. } if walk.run.knows_another_way() && self.intake(&queue) != Intake::Open => {
                    walk.run.handle_input(Input::NotTaken);
                }
                Output::Queue { queue, asks } => {
                    self.show(id, &walk);
                    let goes_on = walk.run.comes_back() || walk.run.knows_another_way();
                    if let Some(contact) = self.contacts.get_mut(&id).filter(|_| goes_on) {
                        contact.goes_on = Some(GoesOn::Served(walk));
                    }
                    return self.queue(id, queue, asks);
                }
                Output::CallBack { queue, asks, number } => {
                    self.show(id, &walk);
                    if !self.promise_from_flow(id, queue, asks, number) {
                        walk.run.handle_input(Input::Promised(false));
                    }
                }
                Output::Message { queue } => {
                    if !self.begin_message(id, queue) {
                        walk.run.handle_input(Input::Left(false));
                    }
                }
                Output::MessageEnds => {
                    self.end_recording(id);
                    walk.run.handle_input(Input::Left(true));
                }
                Output::HangUp(end) => return self.flow_ended(id, end),
            }
        }
        self.set_state(id, State::InFlow(walk));
    }

    /// What the flow knows of the caller is kept for whoever gets the call, as far as the flow lets it be seen.
    fn show(&mut self, id: ContactId, walk: &Walk) {
        let shown = walk.run.shown();
        let Some(contact) = self.contacts.get_mut(&id).filter(|contact| contact.shown != shown) else { return };
        contact.shown = shown;
        self.tell_person(id);
    }

    /// A calendar that is not there stands open: calls come before calendars.
    pub(crate) fn is_open(&self, hours: &HoursId) -> bool {
        self.config.hours.get(hours).is_none_or(|hours| hours::is_open(hours, &self.civil))
    }

    /// What a run cannot know by itself.
    fn holds(&self, test: &Test) -> bool {
        match test {
            Test::Open { hours } => self.is_open(hours),
            Test::Takes { queue } => self.intake(queue) == Intake::Open,
            Test::Waiting { queue, more_than } => {
                let waiting = self.acd.count(queue).map_or(0, |count| count.waiting);
                u32::try_from(waiting).unwrap_or(u32::MAX) > *more_than
            }
            Test::WaitLonger { queue, than_s } => {
                let wait = self.acd.expected_wait_of_next(self.now, queue);
                wait.is_some_and(|wait| wait.expected > Duration::from_secs((*than_s).into()))
            }
            Test::Served { queue } => {
                let at_work = |agent| self.acd.state(agent).is_some_and(|state| state != AgentState::SignedOut);
                let mut members = self.config.agents.iter().filter(|(_, agent)| agent.queues.contains(queue));
                members.any(|(id, _)| at_work(id))
            }
            // The run's own.
            Test::Withheld | Test::Inside | Test::CallerBegins { .. } | Test::Equal { .. } | Test::AtLeast { .. } => {
                false
            }
        }
    }

    fn look_up(&mut self, id: ContactId, ask: LookUp) -> Asked {
        self.questions = self.questions.wrapping_add(1);
        let question = self.questions;
        self.timers.set(Timer::Collect(id), self.now + ask.wait);
        let take = ask.take.clone();
        self.asking_others.insert(question, id);
        self.chronicle.put(crate::Output::LookUp { question, ask });
        Asked { question, take }
    }

    /// Another system has spoken, or is not worth waiting for.
    pub(crate) fn looked_up(&mut self, question: u64, said: Result<BTreeMap<String, Value>, LookUpFailed>) {
        let Some(id) = self.asking_others.remove(&question) else { return };
        let Some(State::InFlow(walk)) = self.contacts.get_mut(&id).map(|contact| &mut contact.state) else { return };
        let Some(asked) = walk.asked.take_if(|asked| asked.question == question) else { return };
        let fill = |mut said: BTreeMap<String, Value>| {
            let filled = asked.take.iter().map(|(variable, field)| Some((variable.clone(), said.remove(field)?)));
            filled.collect::<Option<BTreeMap<_, _>>>().ok_or(LookUpFailed::Unusable)
        };
        let found = said.and_then(fill).and_then(|found| {
            let fits = walk.run.takes(&found);
            fits.then_some(found).ok_or(LookUpFailed::Unusable)
        });
        if let Some((flow, step)) = walk.at.clone() {
            self.chronicle.tell_of(id, Kind::LookedUp { flow, step, failed: found.as_ref().err().copied() });
        }
        self.timers.cancel(Timer::Collect(id));
        self.drive(id, Input::Found(found.ok()));
    }

    /// Nobody waits for the answer any more.
    pub(crate) fn drop_question(&mut self, walk: &Walk) {
        if let Some(asked) = &walk.asked {
            self.asking_others.remove(&asked.question);
        }
    }

    fn flow_ended(&mut self, id: ContactId, end: End) {
        if end != End::Flow {
            tracing::warn!(contact = %id, ?end, "a flow led nowhere");
        }
        let cause = if end == End::Flow { EndCause::Flow } else { EndCause::Fault };
        self.end(id, cause);
    }
}
