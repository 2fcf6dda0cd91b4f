//! A contact in a queue: music, its place in the line, and the agents who are rung for it.

use std::time::Duration;

use acd::{Return, Stay, Wait, Wants};
use call::leg::{Dial, Party};
use model::{
    AgentId, ContactId, LegId, PromptId, QueueId, config,
    fact::{EndCause, Kind, OfferOutcome},
    routing::Asks,
    sound::Sound,
};

use crate::{
    Floor,
    board::Intake,
    callback,
    contact::{Line, Role, State},
    lines::Lines,
};

/// Played when a queue takes no new contacts.
const CLOSED: &str = "closed";
/// "Your position is", then `number-1` to `number-20`; or this, further back.
const POSITION_IS: &str = "position-is";
const POSITION_FAR: &str = "position-far";
/// "Your expected waiting time is about", then a number, and `minutes`; or this, when it is sure to be less than one.
const WAIT_ABOUT: &str = "wait-about";
const WAIT_SHORT: &str = "wait-short";
const MINUTE: Duration = Duration::from_secs(60);
/// Longest wait that is told in minutes.
const MINUTES_MAX: u64 = 20;
/// Played where no queue says otherwise.
const MUSIC: &str = "music";

impl<L: Lines> Floor<L> {
    pub(crate) fn queue(&mut self, id: ContactId, queue: QueueId, asks: Asks) {
        let Some(config) = self.config.queues.get(&queue) else { return self.end(id, EndCause::NoRoute) };
        if self.intake_of(config) != Intake::Open {
            return self.closed(id);
        }
        self.chronicle.tell_of(id, Kind::Queued { queue: queue.clone() });
        self.wait(id, Line { queue, since: self.now, asks });
    }

    /// Into the line, or back into it with the original queue time.
    pub(crate) fn wait(&mut self, id: ContactId, line: Line) {
        let Some(contact) = self.contacts.get_mut(&id) else { return };
        contact.line = Some(line.clone());
        let Line { queue, since, asks } = line;
        let last_agent = self.regulars.agent_of(&contact.card.number);
        let wants = Wants { value: asks.value, skills: asks.skills, last_agent };
        self.music(id);
        self.ask_acd(acd::Input::Enter { contact: id, queue, since, stay: Stay::Own, wants });
    }

    /// Does the queue take new contacts? Who asks for one that is not there finds that out otherwise.
    pub(crate) fn intake(&self, queue: &QueueId) -> Intake {
        self.config.queues.get(queue).map_or(Intake::Open, |queue| self.intake_of(queue))
    }

    pub(crate) fn intake_of(&self, queue: &config::Queue) -> Intake {
        if queue.closed || self.config.site.closed {
            Intake::Closed
        } else if queue.hours.as_ref().is_some_and(|hours| !self.is_open(hours)) {
            Intake::OutOfHours
        } else {
            Intake::Open
        }
    }

    fn closed(&mut self, id: ContactId) {
        let Some(leg) = self.contacts.get(&id).and_then(|contact| contact.leg) else { return };
        let play = self.lines.play(self.now, leg, sounds(prompts(&[CLOSED])));
        self.set_state(id, State::Closing { play });
    }

    /// Music until something happens.
    pub(crate) fn music(&mut self, id: ContactId) {
        self.set_state(id, State::Waiting { telling: None });
        if let Some(leg) = self.contacts.get(&id).and_then(|contact| contact.leg) {
            self.music_to(id, leg);
        }
    }

    /// The contact's queue's music to one of its legs.
    pub(crate) fn music_to(&mut self, id: ContactId, leg: LegId) {
        let line = self.contacts.get(&id).and_then(|contact| contact.line.as_ref());
        let music = line.and_then(|line| self.config.queues.get(&line.queue)).map(|queue| vec![queue.music.clone()]);
        self.lines.repeat(self.now, leg, music.unwrap_or_else(|| prompts(&[MUSIC])));
    }

    pub(crate) fn tell_position(&mut self, id: ContactId, position: Option<u32>) {
        let offer = self.offers_callback(id);
        let Some(contact) = self.contacts.get_mut(&id) else { return };
        let (Some(leg), State::Waiting { telling }) = (contact.leg, &mut contact.state) else { return };
        let mut announcement = match position {
            Some(position) => prompts(&[POSITION_IS, &format!("number-{position}")]),
            None => prompts(&[POSITION_FAR]),
        };
        announcement.extend(self.acd.expected_wait(self.now, id).into_iter().flat_map(wait_prompts));
        announcement.extend(offer.then(|| prompts(&[callback::OFFER])).into_iter().flatten());
        *telling = Some(self.lines.play(self.now, leg, sounds(announcement)));
    }

    /// Rings an agent.
    pub(crate) fn offer(&mut self, id: ContactId, agent: AgentId) {
        let decision = self.decided.take().filter(|(of, _)| *of == id).map(|(_, decision)| decision);
        self.chronicle.tell_of(id, Kind::Offered { agent: agent.clone(), decision });
        let phone = self.config.agents.get(&agent).and_then(|agent| agent.phone.clone());
        let card = self.contacts.get(&id).map(|contact| contact.card.clone());
        let (Some(phone), Some(caller)) = (phone, card) else {
            return self.ask_acd(acd::Input::OfferEnded { agent, outcome: OfferOutcome::Failed });
        };
        let meets = self.contacts.get(&id).and_then(|contact| contact.leg);
        let party = Party::Phone(phone.clone());
        let leg = self
            .lines
            .dial(self.now, Dial { party, caller, ringback_to: None, meets, on_behalf_of: None, forwarded: None });
        self.phones.add(leg, &phone);
        self.legs.insert(leg, (id, Role::Offered(agent.clone())));
        self.offers.insert(agent, (id, leg));
    }

    pub(crate) fn offer_ended(&mut self, id: ContactId, agent: AgentId, outcome: OfferOutcome) {
        let leg = self.offers.remove(&agent).map(|(_, leg)| leg);
        self.chronicle.tell_of(id, Kind::OfferEnded { agent, outcome });
        match leg {
            Some(leg) if outcome == OfferOutcome::Accepted => drop(self.legs.insert(leg, (id, Role::Partner))),
            Some(leg) => self.drop_leg(leg),
            None => {}
        }
    }

    pub(crate) fn offer_answered(&mut self, id: ContactId, agent: &AgentId, leg: LegId) {
        self.ask_acd(acd::Input::Accept { agent: agent.clone() });
        let accepted = self.legs.get(&leg).is_some_and(|(_, role)| *role == Role::Partner);
        if accepted {
            self.agent_answered(id, agent.clone(), leg);
        }
    }

    /// The distributor gives a contact back.
    pub(crate) fn returned(&mut self, id: ContactId, why: Return) {
        let Some(contact) = self.contacts.get(&id) else { return };
        if contact.guest.is_some() {
            return self.refuse_guest(id);
        }
        if self.is_promised(id) {
            return if why == Return::Full {
                self.put_off(id, callback::LOOK)
            } else {
                self.end(id, EndCause::NotReached)
            };
        }
        let flow = contact.number.as_ref().and_then(|number| self.config.numbers.get(number)).cloned();
        if why == Return::Full && self.turned_away(id) {
            return;
        }
        match (why, flow) {
            // The queue is gone, the caller is not: the number's flow, as it is today, knows another way or an end.
            (Return::QueueGone, Some(flow)) => {
                self.stop_asking(id);
                self.start_flow(id, flow);
            }
            (Return::QueueGone | Return::UnknownQueue, _) => self.end(id, EndCause::NoRoute),
            (Return::Full | Return::NobodyReady, _) => self.end(id, EndCause::Overload),
        }
    }
}

/// What a caller is told of a wait: nothing when it is not sure, or longer than anybody wants to hear.
fn wait_prompts(wait: Wait) -> Vec<PromptId> {
    if wait.is_below(MINUTE) {
        return prompts(&[WAIT_SHORT]);
    }
    let minutes = wait.expected.as_secs().div_ceil(MINUTE.as_secs());
    match minutes {
        _ if !wait.is_sure() || minutes > MINUTES_MAX => Vec::new(),
        1 => prompts(&[WAIT_ABOUT, "one-minute"]),
        _ => prompts(&[WAIT_ABOUT, &format!("number-{minutes}"), "minutes"]),
    }
}

/// Prompts of the box's own; all are slugs.
fn prompts(names: &[&str]) -> Vec<PromptId> {
    names.iter().filter_map(|name| PromptId::new(name).ok()).collect()
}

fn sounds(prompts: Vec<PromptId>) -> Vec<Sound> {
    prompts.into_iter().map(Sound::Prompt).collect()
}
