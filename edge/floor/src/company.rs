//! Who else is on a talk: a colleague whom the agent consults and joins to the caller, supervisors who listen, whisper
//! or barge in. With company the talk is a mix; without, a pair again.
//!
//! The recording is the caller's ear and voice: what a supervisor whispers and what is said to the colleague while the
//! caller waits is in none.

use call::{Hearing, leg::Caller, leg::Dial, leg::Party, plane::MixId};
use model::{
    AgentId, ContactId, LegId,
    fact::{Kind, Monitoring, Transfer},
};

use crate::{
    Floor,
    board::Refused,
    contact::{Partner, Role, Talk},
    lines::Lines,
    transfer::Place,
};

/// Supervisors on one talk.
pub const LISTENERS_MAX: usize = 4;

#[derive(Debug, Default)]
pub(crate) struct Company {
    /// The leg of the agent whose talk it is: who is whispered to.
    near: Option<LegId>,
    mix: Option<MixId>,
    pub third: Option<Third>,
    pub listeners: Vec<Listener>,
}

#[derive(Debug, Clone)]
pub(crate) struct Third {
    leg: LegId,
    pub agent: Option<AgentId>,
    pub stage: Stage,
}

/// How far it is with the colleague.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Rung,
    /// Talks to the agent while the caller waits, or waits while the agent talks to the caller.
    Apart,
    Joined,
}

#[derive(Debug, Clone)]
pub(crate) struct Listener {
    leg: LegId,
    pub by: AgentId,
    pub how: Monitoring,
    /// Has answered.
    pub there: bool,
}

impl Company {
    pub fn legs(&self) -> impl Iterator<Item = LegId> + '_ {
        self.third.iter().map(|third| third.leg).chain(self.listeners.iter().map(|listener| listener.leg))
    }

    fn is_empty(&self) -> bool {
        self.third.is_none() && self.listeners.is_empty()
    }

    fn needs_a_mix(&self) -> bool {
        self.third.as_ref().is_some_and(|third| third.stage != Stage::Rung) || self.listeners.iter().any(|l| l.there)
    }

    /// Who hears whom, with the caller `far` and the agent `near`.
    fn hearing(&self, near: LegId, far: LegId, held: bool) -> Vec<Hearing> {
        let third = self.third.as_ref().filter(|third| match third.stage {
            Stage::Rung => false,
            Stage::Apart => held,
            Stage::Joined => true,
        });
        let talkers: Vec<LegId> =
            std::iter::once(near).chain((!held).then_some(far)).chain(third.map(|third| third.leg)).collect();
        let there = || self.listeners.iter().filter(|listener| listener.there);
        let heard_by = |own: LegId| {
            let voices = talkers.iter().copied().filter(move |other| *other != own);
            let barging = there().filter(move |listener| listener.leg != own && listener.how == Monitoring::Barge);
            voices.chain(barging.map(|listener| listener.leg))
        };
        let whispers = there().filter(|listener| listener.how == Monitoring::Whisper).map(|listener| listener.leg);
        let mut all: Vec<Hearing> =
            talkers.iter().map(|leg| Hearing { leg: *leg, hears: heard_by(*leg).collect() }).collect();
        if let Some(agent) = all.first_mut() {
            agent.hears.extend(whispers);
        }
        all.extend(there().map(|listener| Hearing { leg: listener.leg, hears: heard_by(listener.leg).collect() }));
        all
    }
}

impl<L: Lines> Floor<L> {
    /// A supervisor wants to hear an agent's talk, or to be heard otherwise than before.
    pub(crate) fn monitor(&mut self, by: &AgentId, agent: &AgentId, how: Monitoring) -> Result<(), Refused> {
        let (id, near) = self.call_of(agent)?;
        let far = self.other_leg(id, near).ok_or(Refused::WrongState)?;
        let contact = self.contacts.get_mut(&id).ok_or(Refused::NoCall)?;
        // N-11: another site's caller is nobody's to hear but the helper's.
        if contact.guest.is_some() || by == agent {
            return Err(Refused::Forbidden);
        }
        if let Some(listener) = contact.company.listeners.iter_mut().find(|listener| listener.by == *by) {
            let changed = std::mem::replace(&mut listener.how, how) != how;
            if listener.there && changed {
                self.chronicle.tell_of(id, Kind::Monitored { by: by.clone(), how });
                self.tune(id);
            }
            return Ok(());
        }
        let other_side = contact.company.near.is_some_and(|leg| leg != near);
        if contact.company.listeners.len() >= LISTENERS_MAX || other_side || self.is_leg_of(far, by) {
            return Err(Refused::WrongState);
        }
        let phone = self.registered_phone(by)?;
        if self.phones.is_busy(&phone) {
            return Err(Refused::WrongState);
        }
        let badge = self.config.agents.get(agent).map(|agent| agent.badge.clone());
        let number = self.phones.phone_of(near).map(ToString::to_string).unwrap_or_default();
        let caller = Caller { number, name: badge };
        let dial = Dial {
            party: Party::Phone(phone.clone()),
            caller,
            ringback_to: None,
            meets: None,
            on_behalf_of: None,
            forwarded: None,
        };
        let leg = self.lines.dial(self.now, dial);
        self.legs.insert(leg, (id, Role::Listener));
        if let Some(contact) = self.contacts.get_mut(&id) {
            contact.company.near = Some(near);
            contact.company.listeners.push(Listener { leg, by: by.clone(), how, there: false });
        }
        self.engage(leg, &phone);
        Ok(())
    }

    fn is_leg_of(&self, leg: LegId, agent: &AgentId) -> bool {
        self.phones.phone_of(leg).and_then(|phone| self.phones.agent(phone)) == Some(agent)
    }

    /// The supervisor's phone lets go, and the talk goes on.
    pub(crate) fn monitor_end(&mut self, by: &AgentId) -> Result<(), Refused> {
        let listens = |(_, contact): (&ContactId, &crate::contact::Contact)| {
            contact.company.listeners.iter().find(|listener| listener.by == *by).map(|listener| listener.leg)
        };
        let leg = self.contacts.iter().find_map(listens).ok_or(Refused::NoCall)?;
        self.lines.hang_up(self.now, leg);
        Ok(())
    }

    pub(crate) fn listener_answered(&mut self, id: ContactId, leg: LegId) {
        let Some(contact) = self.contacts.get_mut(&id) else { return };
        let Some(listener) = contact.company.listeners.iter_mut().find(|listener| listener.leg == leg) else { return };
        listener.there = true;
        let (by, how) = (listener.by.clone(), listener.how);
        self.chronicle.tell_of(id, Kind::Monitored { by, how });
        self.tune(id);
    }

    pub(crate) fn listener_gone(&mut self, id: ContactId, leg: LegId) {
        let Some(contact) = self.contacts.get_mut(&id) else { return };
        let Some(at) = contact.company.listeners.iter().position(|listener| listener.leg == leg) else { return };
        let listener = contact.company.listeners.remove(at);
        if listener.there {
            self.chronicle.tell_of(id, Kind::MonitoringEnded { by: listener.by });
        }
        self.tune(id);
    }

    /// The caller waits with music while the agent asks a colleague.
    pub(crate) fn consult(&mut self, agent: &AgentId, number: &str) -> Result<(), Refused> {
        let (id, near) = self.call_of(agent)?;
        let talk = self.talk(id).cloned().ok_or(Refused::WrongState)?;
        let contact = self.contacts.get(&id).ok_or(Refused::NoCall)?;
        // N-11: a helper never passes another site's caller on.
        if contact.guest.is_some() || matches!(talk.with, Partner::Site(..)) {
            return Err(Refused::Forbidden);
        }
        let other_side = contact.company.near.is_some_and(|leg| leg != near);
        if contact.company.third.is_some() || other_side {
            return Err(Refused::WrongState);
        }
        let phone = self.phones.phone_of(near).cloned().ok_or(Refused::WrongState)?;
        let Place::Phone(to) = self.transfer_to(&phone, number)?.place else { return Err(Refused::Forbidden) };
        self.hold(id, near);
        let name = self.config.agents.get(agent).map(|agent| agent.badge.clone());
        let caller = Caller { number: phone.to_string(), name };
        let (leg, agent) = self.ring(id, to, caller, Some(near));
        self.legs.insert(leg, (id, Role::Third));
        if let Some(contact) = self.contacts.get_mut(&id) {
            contact.company.near = Some(near);
            contact.company.third = Some(Third { leg, agent, stage: Stage::Rung });
        }
        Ok(())
    }

    pub(crate) fn third_answered(&mut self, id: ContactId) {
        let Some(third) = self.contacts.get_mut(&id).and_then(|contact| contact.company.third.as_mut()) else { return };
        third.stage = Stage::Apart;
        let agent = third.agent.clone();
        self.chronicle.tell_of(id, Kind::Consulted { agent });
        self.tune(id);
    }

    /// All three hear one another.
    pub(crate) fn confer(&mut self, agent: &AgentId) -> Result<(), Refused> {
        let (id, near) = self.call_of(agent)?;
        let contact = self.contacts.get_mut(&id).ok_or(Refused::NoCall)?;
        let ours = contact.company.near == Some(near);
        let third = contact.company.third.as_mut().filter(|third| ours && third.stage == Stage::Apart);
        let third = third.ok_or(Refused::WrongState)?;
        third.stage = Stage::Joined;
        let agent = third.agent.clone();
        self.chronicle.tell_of(id, Kind::Conferred { agent });
        if !self.resume(id, near) {
            self.tune(id);
        }
        Ok(())
    }

    /// The agent lets the colleague go, and has the caller again.
    pub(crate) fn consult_end(&mut self, agent: &AgentId) -> Result<(), Refused> {
        let (id, near) = self.call_of(agent)?;
        let company = self.contacts.get(&id).map(|contact| &contact.company).ok_or(Refused::NoCall)?;
        let third = company.third.as_ref().filter(|_| company.near == Some(near)).ok_or(Refused::WrongState)?;
        self.lines.hang_up(self.now, third.leg);
        Ok(())
    }

    pub(crate) fn third_gone(&mut self, id: ContactId) {
        let Some(contact) = self.contacts.get_mut(&id) else { return };
        let (near, Some(third)) = (contact.company.near, contact.company.third.take()) else { return };
        if third.stage == Stage::Joined {
            self.chronicle.tell_of(id, Kind::ConferenceLeft { agent: third.agent });
        } else if let Some(near) = near {
            self.resume(id, near);
        }
        self.tune(id);
    }

    /// The agent leaves while a colleague is on the line: the caller stays with the colleague. False: there is none.
    pub(crate) fn hand_over(&mut self, id: ContactId, talk: &Talk) -> bool {
        let Some(contact) = self.contacts.get_mut(&id) else { return false };
        let near = contact.company.near;
        let Some(third) = contact.company.third.take_if(|third| third.stage != Stage::Rung && near == Some(talk.leg))
        else {
            return false;
        };
        self.resume(id, talk.leg);
        self.disperse(id);
        self.chronicle.tell_of(id, Kind::Transferred { how: Transfer::Attended });
        self.chronicle.tell_of(id, Kind::Answered { agent: third.agent });
        self.begin_talk(id, Partner::Party, third.leg);
        self.done_with(talk.with.clone());
        true
    }

    /// Everybody who is not the caller or the one the caller talks to is let go.
    pub(crate) fn disperse(&mut self, id: ContactId) {
        let Some(contact) = self.contacts.get_mut(&id) else { return };
        let company = std::mem::take(&mut contact.company);
        let pair = contact.leg.zip(self.talk(id).map(|talk| talk.leg));
        for listener in company.listeners {
            if listener.there {
                self.chronicle.tell_of(id, Kind::MonitoringEnded { by: listener.by });
            }
            self.drop_leg(listener.leg);
        }
        if let Some(third) = company.third {
            if third.stage == Stage::Joined {
                self.chronicle.tell_of(id, Kind::ConferenceLeft { agent: third.agent });
            }
            self.drop_leg(third.leg);
        }
        if let Some(mix) = company.mix {
            self.lines.mix(self.now, mix, Vec::new());
            if let Some((caller, leg)) = pair {
                self.lines.join(self.now, caller, leg);
            }
        }
    }

    /// Brings the audio in line with who is there and whom each may hear.
    pub(crate) fn tune(&mut self, id: ContactId) {
        let Some(Talk { leg, held, .. }) = self.talk(id).cloned() else { return };
        let fresh = match self.contacts.get(&id).map(|contact| &contact.company) {
            // Below 2^53 a number survives every JSON reader.
            Some(company) if company.needs_a_mix() && company.mix.is_none() => self.random_id() >> 76,
            _ => 0,
        };
        let Some(contact) = self.contacts.get_mut(&id) else { return };
        let Some(caller) = contact.leg else { return };
        let company = &mut contact.company;
        match company.near {
            Some(near) if company.needs_a_mix() => {
                let far = if near == leg { caller } else { leg };
                let hearing = company.hearing(near, far, held);
                let mix = *company.mix.get_or_insert(MixId(u64::try_from(fresh).unwrap_or(0)));
                self.lines.mix(self.now, mix, hearing);
            }
            _ => {
                if company.is_empty() {
                    company.near = None;
                }
                if let Some(mix) = company.mix.take() {
                    self.lines.mix(self.now, mix, Vec::new());
                    self.lines.join(self.now, caller, leg);
                }
            }
        }
    }
}
