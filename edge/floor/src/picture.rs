//! The board: the floor at one moment, for desks. A class C picture, made whenever somebody looks.

use std::time::{Duration, Instant};

use model::{AgentId, ContactId, QueueId, config, fact::AgentState};

use crate::{
    Floor,
    board::{AgentLine, Board, ContactCard, MonitorLine, QueueLine, ThirdLine},
    company::Listener,
    contact::{Contact, State},
    lines::Lines,
};

impl<L: Lines> Floor<L> {
    pub fn board(&self, now: Instant) -> Board {
        Board {
            closed: self.config.site.closed,
            pauses: self.config.site.pauses.clone(),
            queues: self.config.queues.iter().map(|(id, queue)| self.queue_line(now, id, queue)).collect(),
            agents: self.config.agents.iter().map(|(id, agent)| self.agent_line(now, id, agent)).collect(),
            help: self.lines.help(),
            callbacks: self.callback_lines(now),
            emergencies: self.emergency_lines(),
            notices: self.notice_lines(),
            alerts: self.alert_lines(now),
        }
    }

    fn queue_line(&self, now: Instant, id: &QueueId, queue: &config::Queue) -> QueueLine {
        let today = self.chronicle.today(id);
        let count = self.acd.count(id);
        let number = |n: Option<usize>| u32::try_from(n.unwrap_or(0)).unwrap_or(u32::MAX);
        QueueLine {
            queue: id.clone(),
            label: queue.label.clone(),
            intake: self.intake_of(queue),
            closed: queue.closed,
            waiting: number(count.map(|count| count.waiting)),
            callbacks: number(count.map(|count| count.absent)),
            messages: number(Some(self.messages.of(id))),
            longest_wait: count.and_then(|count| count.oldest).map_or(Duration::ZERO, |at| passed(now, at)),
            expected_wait: self.acd.expected_wait_of_next(now, id).map(|wait| (wait.expected, wait.error)),
            ready: number(count.map(|count| count.ready)),
            talking: count.map_or(0, |count| count.talking),
            offered_today: today.offered,
            answered_today: today.answered,
            abandoned_today: today.abandoned,
            service_level_permille: self.chronicle.service_level(id),
        }
    }

    fn agent_line(&self, now: Instant, id: &AgentId, agent: &config::Agent) -> AgentLine {
        let state = self.acd.state(id).unwrap_or(AgentState::SignedOut);
        AgentLine {
            agent: id.clone(),
            badge: agent.badge.clone(),
            state,
            pause: self.pause_of(id).filter(|_| state == AgentState::NotReady).cloned(),
            since: self.acd.state_since(id).map_or(Duration::ZERO, |at| passed(now, at)),
            phone: agent.phone.clone(),
            phone_registered: agent.phone.as_ref().is_some_and(|phone| self.lines.is_registered(phone)),
            contact: self.card(now, id, state),
            monitors: self.monitors(id),
        }
    }

    fn monitors(&self, agent: &AgentId) -> Vec<MonitorLine> {
        let Some(contact) = self.call_of(agent).ok().and_then(|(id, _)| self.contacts.get(&id)) else {
            return Vec::new();
        };
        let line = |one: &Listener| MonitorLine { by: one.by.clone(), how: one.how, there: one.there };
        contact.company.listeners.iter().map(line).collect()
    }

    pub(crate) fn card(&self, now: Instant, agent: &AgentId, state: AgentState) -> Option<ContactCard> {
        let wrap_up_left = self.acd.wrap_up_until(agent).map(|until| passed(until, now));
        let written_up = || self.cards.get(agent).cloned().filter(|_| state == AgentState::WrapUp);
        let live = match state {
            AgentState::Offered => self.acd.contact_of(agent),
            // While a colleague is asked, the desk shows the customer.
            AgentState::Talking => {
                let given = self.acd.contact_of(agent);
                given.or_else(|| self.call_of(agent).ok().map(|(id, _)| id))
            }
            _ => None,
        };
        let card = live.and_then(|id| self.card_of(now, id)).or_else(written_up)?;
        let disposition = self.chronicle.disposition_of(card.contact, agent).cloned();
        Some(ContactCard { wrap_up_left, disposition, ..card })
    }

    /// What an agent sees of a contact.
    pub(crate) fn card_of(&self, now: Instant, id: ContactId) -> Option<ContactCard> {
        let contact: &Contact = self.contacts.get(&id)?;
        let waited = match (&contact.line, contact.answered) {
            (Some(line), Some(answered)) => passed(answered, line.since),
            (Some(line), None) => passed(now, line.since),
            (None, _) => Duration::ZERO,
        };
        Some(ContactCard {
            contact: id,
            queue: contact.line.as_ref().map(|line| line.queue.clone()),
            caller_number: contact.card.number.clone(),
            caller_name: contact.card.name.clone(),
            waited,
            held: matches!(&contact.state, State::Talking(talk) if talk.held),
            card_mode: contact.card_mode.is_some(),
            recording: self.recording_line(id, contact),
            callback: matches!(contact.state, State::Promised | State::CallingBack { .. }),
            third: (contact.company.third.as_ref())
                .map(|third| ThirdLine { agent: third.agent.clone(), stage: third.stage }),
            away: matches!(contact.state, State::Away(_)),
            wrap_up_left: None,
            from_site: contact.guest.as_ref().map(|guest| guest.site.clone()),
            disposition: None,
            disposition_required: self.config.disposition_required(contact.line.as_ref().map(|line| &line.queue)),
        })
    }
}

fn passed(now: Instant, since: Instant) -> Duration {
    now.saturating_duration_since(since)
}
