//! What agents ask for at their desks.

use std::time::Instant;

use call::leg::{Caller, Cause, Destination, Dial, Party};
use model::{
    AgentId, ContactId, Extension, LegId, Millis,
    fact::{
        AgentState::{self, NotReady, Ready, SignedOut, WrapUp},
        CardModeEnd, EndCause, Kind,
    },
};

use crate::{
    CONTACTS_MAX, Floor, Output,
    board::{Ask, DeskCommand, Refused},
    contact::{Role, State},
    lines::Lines,
    transfer::Asker,
};

impl<L: Lines> Floor<L> {
    /// Obeys a desk, or says why not. What follows from it is in the outputs, facts first.
    pub fn desk(&mut self, now: Instant, wall: Millis, command: DeskCommand) -> Result<(), Refused> {
        self.at(now, wall);
        let DeskCommand { agent, ask } = command;
        if let Ask::Seen { notice } = ask {
            let result = self.notice_seen(notice, agent);
            self.settle();
            return result;
        }
        if let Ask::StrikeOff { contact } = ask {
            let result = self.strike_off(contact, agent);
            self.settle();
            return result;
        }
        if let Ask::MessageDone { recording } = ask {
            let result = self.message_done(recording, agent);
            self.settle();
            return result;
        }
        let state = self.acd.state(&agent).ok_or(Refused::UnknownAgent)?;
        // A supervisor need not take calls to hear one.
        if let Ask::Monitor { agent: whom, how } = &ask {
            let result = self.monitor(&agent, whom, *how);
            self.settle();
            return result;
        }
        if ask == Ask::MonitorEnd {
            let result = self.monitor_end(&agent);
            self.settle();
            return result;
        }
        if state == SignedOut && ask != Ask::SignIn {
            return Err(Refused::SignedOut);
        }
        let result = self.obey(agent, state, ask);
        self.settle();
        result
    }

    fn obey(&mut self, agent: AgentId, state: AgentState, ask: Ask) -> Result<(), Refused> {
        if self.ends_unnamed(&agent, state, &ask) {
            return Err(Refused::DispositionNeeded);
        }
        match ask {
            Ask::SignIn => self.ask_acd(acd::Input::SignIn { agent }),
            Ask::SignOut => self.ask_acd(acd::Input::SignOut { agent }),
            Ask::Ready => {
                self.registered_phone(&agent)?;
                self.ask_acd(acd::Input::Ready { agent });
            }
            Ask::NotReady { pause } => return self.rests(agent, pause),
            Ask::WrapUpDone if state == WrapUp => self.ask_acd(acd::Input::WrapUpDone { agent }),
            Ask::WrapUpMore if self.acd.may_wrap_up_more(&agent) => {
                self.ask_acd(acd::Input::WrapUpMore { agent });
                self.chronicle.put(Output::BoardChanged);
            }
            Ask::WrapUpDone | Ask::WrapUpMore => return Err(Refused::WrongState),
            Ask::Dispose { contact, disposition } => return self.dispose(agent, state, contact, disposition),
            Ask::Dial { number } if matches!(state, NotReady | Ready | WrapUp) => {
                return self.desk_dial(&agent, number);
            }
            Ask::Dial { .. } => return Err(Refused::WrongState),
            Ask::HangUp => {
                if let Ok((id, _)) = self.call_of(&agent)
                    && self.away(id).is_some()
                {
                    self.end(id, EndCause::Agent);
                    return Ok(());
                }
                let leg =
                    self.call_of(&agent).map(|(_, leg)| leg).or_else(|refused| self.aside(&agent).ok_or(refused))?;
                self.lines.hang_up(self.now, leg);
            }
            Ask::Hold => {
                let (id, leg) = self.call_of(&agent)?;
                return self.hold(id, leg).then_some(()).ok_or(Refused::WrongState);
            }
            Ask::Resume => {
                let (id, leg) = self.call_of(&agent)?;
                return self.resume(id, leg).then_some(()).ok_or(Refused::WrongState);
            }
            Ask::CardMode => {
                let (id, leg) = self.call_of(&agent)?;
                return self.begin_card_mode(id, leg).then_some(()).ok_or(Refused::WrongState);
            }
            Ask::CardModeEnd => {
                let (id, _) = self.call_of(&agent)?;
                return self.end_card_mode(id, CardModeEnd::Agent).then_some(()).ok_or(Refused::WrongState);
            }
            Ask::Consent { given } => return self.consent_told(agent, given),
            Ask::PauseRecording => return self.pause_recording(agent),
            Ask::ResumeRecording => return self.resume_recording_by(agent),
            // Answered before the agent's state was asked for.
            Ask::Seen { .. }
            | Ask::StrikeOff { .. }
            | Ask::MessageDone { .. }
            | Ask::Monitor { .. }
            | Ask::MonitorEnd => {}
            Ask::Consult { number } => return self.consult(&agent, &number),
            Ask::Confer => return self.confer(&agent),
            Ask::ConsultEnd => return self.consult_end(&agent),
            Ask::Transfer { number } => {
                let (id, leg) = self.call_of(&agent)?;
                return self.transfer(id, leg, &number, Asker::Desk);
            }
        }
        Ok(())
    }

    pub(crate) fn registered_phone(&self, agent: &AgentId) -> Result<Extension, Refused> {
        let phone = self.config.agents.get(agent).and_then(|agent| agent.phone.clone());
        phone.filter(|phone| self.lines.is_registered(phone)).ok_or(Refused::PhoneNotRegistered)
    }

    /// The agent's call: where its phone talks, or else where it rings or dials.
    pub(crate) fn call_of(&self, agent: &AgentId) -> Result<(ContactId, LegId), Refused> {
        let phone = self.config.agents.get(agent).and_then(|agent| agent.phone.as_ref()).ok_or(Refused::NoCall)?;
        let legs = self.phones.legs(phone).filter_map(|leg| {
            let (id, role) = self.legs.get(&leg)?;
            let rank = match (role, &self.contacts.get(id)?.state) {
                (Role::Leaving | Role::Third | Role::Listener, _) => return None,
                (_, State::Talking(talk)) => u8::from(talk.held),
                _ => 2,
            };
            Some((rank, *id, leg))
        });
        legs.min().map(|(_, id, leg)| (id, leg)).ok_or(Refused::NoCall)
    }

    /// Where the agent's phone is on somebody else's talk.
    fn aside(&self, agent: &AgentId) -> Option<LegId> {
        let phone = self.config.agents.get(agent)?.phone.as_ref()?;
        let is_aside = |leg: &LegId| matches!(self.legs.get(leg), Some((_, Role::Third | Role::Listener)));
        self.phones.legs(phone).find(is_aside)
    }

    fn desk_dial(&mut self, agent: &AgentId, number: String) -> Result<(), Refused> {
        let phone = self.registered_phone(agent)?;
        let destination = self.lines.route(&Party::Phone(phone.clone()), &number);
        let emergency = matches!(destination, Destination::Emergency { .. } | Destination::Helpless(_));
        let nowhere = matches!(destination, Destination::Forbidden | Destination::Unknown);
        if self.flow_of(&number).is_none() {
            if let Err(why) = self.may_go_out(&phone, &destination) {
                self.chronicle.tell(Kind::OutwardRefused { phone: phone.clone(), why });
                self.outward_refused(&phone, why);
                return Err(Refused::Forbidden);
            }
            if nowhere {
                return Err(Refused::Forbidden);
            }
        }
        if self.phones.is_busy(&phone) {
            return Err(Refused::WrongState);
        }
        // The phone shows whom it is about to call; whom it calls sees the phone.
        let caller = Caller { number: number.clone(), name: None };
        let party = Party::Phone(phone.clone());
        let leg = self.lines.dial(
            self.now,
            Dial { party, caller, ringback_to: None, meets: None, on_behalf_of: None, forwarded: None },
        );
        let id = self.begin(Some(leg), Caller { number: phone.to_string(), name: None });
        self.dialled(id, Some(phone.clone()), &destination, &number);
        self.engage(leg, &phone);
        self.set_state(id, State::PhoneFirst { number });
        if self.contacts.len() > CONTACTS_MAX && !emergency {
            self.turn_away(id, Cause::Overload, EndCause::Overload);
        }
        Ok(())
    }
}
