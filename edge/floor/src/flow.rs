//! A contact in a flow: what the run asks for is done, what it waits for is told to it, and where its road ends the
//! next begins.

use std::sync::Arc;

use call::plane::PlayId;
use ivr::{
    hours,
    run::{Door, End, Input, Output, Run},
};
use model::{
    ContactId, FlowId, HoursId, LegId,
    fact::{EndCause, Kind},
};

use crate::{Floor, contact::State, lines::Lines, timer::Timer};

impl<L: Lines> Floor<L> {
    pub(crate) fn start_flow(&mut self, id: ContactId, flow: FlowId) {
        let Some(document) = self.config.flows.get(&flow) else { return self.end(id, EndCause::NoRoute) };
        let run = Box::new(Run::start(Arc::new(document.clone())));
        self.set_state(id, State::InFlow { run, flow, play: None });
        self.drive(id, None);
    }

    pub(crate) fn collect_timeout(&mut self, id: ContactId) {
        self.drive(id, Some(Input::Timeout));
    }

    pub(crate) fn digit(&mut self, leg: LegId, digit: char) {
        if let Some((id, crate::contact::Role::Caller)) = self.legs.get(&leg) {
            self.drive(*id, Some(Input::Digit(digit)));
        }
    }

    /// A prompt has ended: the flow goes on, the music comes back, or the contact ends.
    pub(crate) fn played(&mut self, leg: LegId, play: PlayId) {
        let Some((id, crate::contact::Role::Caller)) = self.legs.get(&leg).cloned() else { return };
        match self.contacts.get(&id).map(|contact| &contact.state) {
            Some(State::InFlow { play: Some(awaited), .. }) if *awaited == play => {
                self.drive(id, Some(Input::Played));
            }
            Some(State::Waiting { telling: Some(awaited) }) if *awaited == play => self.music(id),
            Some(State::Refusing { play: awaited, .. }) if *awaited == play => self.refused_aloud(id),
            Some(State::Closing { play: awaited }) if *awaited == play => self.end(id, EndCause::Flow),
            _ => {}
        }
    }

    /// Gives the run an input and obeys it until it waits.
    fn drive(&mut self, id: ContactId, input: Option<Input>) {
        let Some(contact) = self.contacts.get_mut(&id) else { return };
        let Some(leg) = contact.leg else { return };
        if !matches!(contact.state, State::InFlow { .. }) {
            return;
        }
        let State::InFlow { mut run, flow, mut play } = std::mem::replace(&mut contact.state, State::Arriving) else {
            return;
        };
        if let Some(input) = input {
            run.handle_input(input);
        }
        while let Some(output) = run.poll_output() {
            match output {
                Output::StepEntered(step) => {
                    self.timers.cancel(Timer::Collect(id));
                    self.chronicle.tell_of(id, Kind::FlowEntered { flow: flow.clone(), step });
                }
                Output::Play { prompts } => {
                    self.timers.cancel(Timer::Collect(id));
                    play = Some(self.lines.play(self.now, leg, prompts));
                }
                Output::Hush => self.lines.stop(self.now, leg),
                Output::Collect { wait } => self.timers.set(Timer::Collect(id), self.now + wait),
                Output::Ask { hours } => run.handle_input(Input::Hours(self.door(&hours))),
                Output::Queue { queue, asks } => return self.queue(id, queue, asks),
                Output::HangUp(end) => return self.flow_ended(id, end),
            }
        }
        self.set_state(id, State::InFlow { run, flow, play });
    }

    /// A calendar that is not there stands open: calls come before calendars.
    pub(crate) fn door(&self, hours: &HoursId) -> Door {
        let open = self.config.hours.get(hours).is_none_or(|hours| hours::is_open(hours, &self.civil));
        if open { Door::Open } else { Door::Closed }
    }

    fn flow_ended(&mut self, id: ContactId, end: End) {
        if end != End::Flow {
            tracing::warn!(contact = %id, ?end, "a flow led nowhere");
        }
        let cause = if end == End::Flow { EndCause::Flow } else { EndCause::Fault };
        self.end(id, cause);
    }
}
