//! Calls that begin inside, and calls from outside straight to a phone: a party is dialled, and joined when it answers.
//! An emergency call is dialled before anything else is looked at, limits included (NORMS 2).

use std::time::Duration;

use call::{
    leg::{Caller, Cause, Destination, Dial, Party},
    plan,
};
use model::{
    AgentId, ContactId, Extension, LegId, Number, PromptId, TrunkId,
    fact::{EndCause, Fact, Kind, OutwardRefusal},
    leaving::What,
};

use crate::{
    Floor, Output,
    caps::{Due, Payer, Share},
    contact::{Contact, Out, Partner, Role, State},
    emergency::shown_number,
    legs::end_cause,
    lines::Lines,
    timer::Timer,
};

/// How often an emergency call tries every trunk.
const EMERGENCY_ROUNDS: usize = 3;
/// Heard by who may not call out.
const NOT_ALLOWED: &str = "not-allowed";
/// What is paid at once.
const MINUTE: Duration = Duration::from_secs(60);
/// Longest time it takes to hear it.
const REFUSAL: Duration = Duration::from_secs(10);

impl<L: Lines> Floor<L> {
    /// A phone has dialled (None: a device that proved nothing); its leg is not answered yet.
    pub(crate) fn phone_dials(
        &mut self,
        leg: LegId,
        phone: Option<Extension>,
        to: &str,
        caller: Caller,
        destination: Destination,
    ) {
        let id = self.begin(Some(leg), caller);
        if let Destination::Emergency { trunk, number } = destination {
            self.dial_out(id, trunk.clone(), self.out(&number, phone.as_ref(), true));
            self.lines.early(self.now, leg);
            self.dialled(id, phone.clone(), &Destination::Emergency { trunk, number }, to);
            self.tell_of_help(id, What::EmergencyCalled);
            if let Some(phone) = phone {
                self.engage(leg, &phone);
            }
            return;
        }
        if let Destination::Helpless(number) = destination {
            self.dialled(id, phone.clone(), &Destination::Helpless(number.clone()), to);
            return self.nobody_helps(id, &number, phone.as_ref());
        }
        let Some(phone) = phone else { return self.turn_away(id, Cause::Forbidden, EndCause::Forbidden) };
        let refusal = self.may_go_out(&phone, &destination).err();
        let destination = if refusal.is_some() { Destination::Forbidden } else { destination };
        self.dialled(id, Some(phone.clone()), &destination, to);
        if self.has_room(id) {
            match refusal {
                Some(why) => self.refuse_aloud(id, phone, why),
                None => self.connect(id, destination),
            }
        }
    }

    /// S-140: the class of the number, and how often and for how much this phone and this site call out.
    pub(crate) fn may_go_out(&mut self, phone: &Extension, to: &Destination) -> Result<(), OutwardRefusal> {
        if matches!(to, Destination::Forbidden | Destination::Outward { .. })
            && self.caps.attempt(self.chronicle.wall, phone)
        {
            self.alarm(What::OutwardPattern, phone);
        }
        match to {
            Destination::Forbidden => Err(OutwardRefusal::Class),
            Destination::Outward { number, .. } => {
                let cents = u64::from(plan::cents_a_minute(&self.config.site.dialling, number.as_str()));
                let (now, agent) = (self.chronicle.wall, self.phones.agent(phone).cloned());
                let payer = Payer { phone, agent: agent.as_ref() };
                let plan = &self.config.site.dialling;
                let outs = self.contacts.values().filter_map(|contact| contact.out.as_ref());
                let running = |is: fn(Share) -> bool| {
                    let own = outs.clone().filter(|out| is(payer.share(out.phone.as_ref(), out.agent.as_ref())));
                    u32::try_from(own.count()).unwrap_or(u32::MAX)
                };
                if running(|share| share.phone) >= plan.phone_calls_max {
                    return Err(OutwardRefusal::PhoneCalls);
                }
                if running(|share| share.agent) >= plan.phone_calls_max {
                    return Err(OutwardRefusal::AgentCalls);
                }
                let due = self.due(&payer, cents);
                self.caps.check(now, &payer, &self.config.site.dialling, due)
            }
            _ => Ok(()),
        }
    }

    /// What this phone, its agent and all are about to pay for, `cents` more among it: first minutes of calls that nobody
    /// has answered yet.
    fn due(&self, payer: &Payer<'_>, cents: u64) -> Due {
        let outs = self.contacts.values().filter_map(|contact| contact.out.as_ref()).filter(|out| !out.paid);
        let mut due = Due { phone: cents, agent: cents, all: cents };
        for out in outs {
            due.add(payer.share(out.phone.as_ref(), out.agent.as_ref()), out.cents.into());
        }
        due
    }

    /// Desks and centre hear of a cap that was reached. A forbidden number is somebody's slip of the finger.
    pub(crate) fn outward_refused(&mut self, phone: &Extension, why: OutwardRefusal) {
        if why != OutwardRefusal::Class {
            self.alarm(What::OutwardCap, phone);
        }
    }

    /// Pays the next minute of a call out, or ends it: loss is never above the cap (S-140).
    pub(crate) fn pay_minute(&mut self, id: ContactId) {
        let Some(Contact { out: Some(out), .. }) = self.contacts.get_mut(&id) else { return };
        let (Some(phone), cents, first) = (out.phone.clone(), out.cents, !out.paid) else { return };
        let agent = out.agent.clone();
        if out.emergency || cents == 0 {
            return;
        }
        // What is due already holds the first minute.
        let payer = Payer { phone: &phone, agent: agent.as_ref() };
        let due = self.due(&payer, if first { 0 } else { cents.into() });
        let now = self.chronicle.wall;
        if let Err(why) = self.caps.check_money(now, &payer, &self.config.site.dialling, due) {
            self.chronicle.tell_of(id, Kind::OutwardRefused { phone: phone.clone(), why });
            self.outward_refused(&phone, why);
            return self.end(id, EndCause::Forbidden);
        }
        if let Some(out) = self.contacts.get_mut(&id).and_then(|contact| contact.out.as_mut()) {
            out.paid = true;
        }
        let kind = Kind::Charged { phone, agent, cents };
        self.caps.note(&Fact { seq: 0, at: now, contact: Some(id), kind: kind.clone() });
        self.chronicle.tell_of(id, kind);
        if let Some(at) = self.now.checked_add(MINUTE) {
            self.timers.set(Timer::Minute(id), at);
        }
    }

    /// A call out that was paid for in an earlier life: its next minute begins.
    pub(crate) fn resume_minutes(&mut self, id: ContactId) {
        let paid = self.contacts.get(&id).and_then(|contact| contact.out.as_ref()).is_some_and(|out| out.paid);
        if let Some(at) = self.now.checked_add(MINUTE).filter(|_| paid) {
            self.timers.set(Timer::Minute(id), at);
        }
    }

    pub(crate) fn minute_over(&mut self, id: ContactId) {
        self.pay_minute(id);
    }

    /// The phone hears why, then its call is refused with 403.
    fn refuse_aloud(&mut self, id: ContactId, phone: Extension, why: OutwardRefusal) {
        self.outward_refused(&phone, why);
        self.chronicle.tell_of(id, Kind::OutwardRefused { phone, why });
        let (Some(leg), Ok(prompt)) =
            (self.contacts.get(&id).and_then(|contact| contact.leg), PromptId::new(NOT_ALLOWED))
        else {
            return self.turn_away(id, Cause::Forbidden, EndCause::Forbidden);
        };
        self.lines.early(self.now, leg);
        let play = self.lines.play(self.now, leg, vec![prompt.into()]);
        self.set_state(id, State::Refusing { play, end: EndCause::Forbidden });
        if let Some(at) = self.now.checked_add(REFUSAL) {
            self.timers.set(Timer::Refusing(id), at);
        }
    }

    pub(crate) fn refused_aloud(&mut self, id: ContactId) {
        if let Some(State::Refusing { end, .. }) = self.contacts.get(&id).map(|contact| &contact.state) {
            let end = *end;
            self.turn_away(id, Cause::Forbidden, end);
        }
    }

    /// The first fact of a call that begins inside. Whom it calls outside is personal.
    pub(crate) fn dialled(&mut self, id: ContactId, phone: Option<Extension>, destination: &Destination, to: &str) {
        let (trunk, emergency) = match destination {
            Destination::Emergency { trunk, .. } => (Some(trunk.clone()), true),
            Destination::Helpless(_) => (None, true),
            Destination::Outward { trunk, .. } => (Some(trunk.clone()), false),
            _ => (None, false),
        };
        let outside = trunk.is_some();
        let agent = phone.as_ref().and_then(|phone| self.phones.agent(phone)).cloned();
        let kind = Kind::Dialled { phone, agent, trunk, emergency };
        let fact = Fact { seq: 0, at: self.chronicle.wall, contact: Some(id), kind: kind.clone() };
        self.caps.note(&fact);
        self.emergencies.note(&fact);
        self.chronicle.tell_of(id, kind);
        if outside {
            let caller = Caller { number: to.to_owned(), name: None };
            self.chronicle.put(Output::Personal { contact: id, caller, call_back: None, shown: Vec::new() });
        }
    }

    /// Rings whom the dial plan names for a caller who waits for it.
    pub(crate) fn connect(&mut self, id: ContactId, destination: Destination) {
        match destination {
            Destination::Phone(phone) => self.ring_phone(id, phone),
            Destination::Agent(agent) => match self.config.agents.get(&agent).and_then(|agent| agent.phone.clone()) {
                Some(phone) => self.ring_phone(id, phone),
                None => self.turn_away(id, Cause::NotRegistered, EndCause::NotReachable),
            },
            Destination::Outward { trunk, number } => self.go_out(id, trunk, &number, false),
            Destination::Emergency { trunk, number } => self.go_out(id, trunk, &number, true),
            Destination::Helpless(number) => {
                let leg = self.contacts.get(&id).and_then(|contact| contact.leg);
                let phone = leg.and_then(|leg| self.phones.phone_of(leg)).cloned();
                self.nobody_helps(id, &number, phone.as_ref());
            }
            Destination::Forbidden => self.turn_away(id, Cause::Forbidden, EndCause::Forbidden),
            Destination::Unknown => self.turn_away(id, Cause::NotFound, EndCause::NoRoute),
        }
    }

    /// The house has no line for a call for help. Its phone hears 503, so that it may try elsewhere (RFC 3261 §21.5.4);
    /// desks and centre are told as of any call for help that nobody took.
    fn nobody_helps(&mut self, id: ContactId, number: &Number, phone: Option<&Extension>) {
        let out = self.out(number, phone, true);
        if let Some(contact) = self.contacts.get_mut(&id) {
            contact.out = Some(out);
        }
        self.tell_of_help(id, What::EmergencyCalled);
        self.turn_away(id, Cause::Overload, EndCause::NoRoute);
    }

    /// Dials a phone for a contact; its agent, if any, is busy from here on.
    pub(crate) fn ring(
        &mut self,
        id: ContactId,
        phone: Extension,
        caller: Caller,
        ringback_to: Option<LegId>,
    ) -> (LegId, Option<AgentId>) {
        self.ring_for(id, phone, caller, (ringback_to, None))
    }

    /// The same; the second of the pair is the phone that sends the contact on.
    pub(crate) fn ring_for(
        &mut self,
        id: ContactId,
        phone: Extension,
        caller: Caller,
        (ringback_to, on_behalf_of): (Option<LegId>, Option<Extension>),
    ) -> (LegId, Option<AgentId>) {
        let party = Party::Phone(phone.clone());
        let forwarded = self.contacts.get(&id).and_then(|contact| contact.forwarded.clone());
        let dial = Dial { party, caller, ringback_to, meets: ringback_to, on_behalf_of, forwarded };
        let target = self.lines.dial(self.now, dial);
        self.legs.insert(target, (id, Role::Target));
        self.engage(target, &phone);
        (target, self.phones.agent(&phone).cloned())
    }

    fn go_out(&mut self, id: ContactId, trunk: TrunkId, number: &Number, emergency: bool) {
        let Some(leg) = self.contacts.get(&id).and_then(|contact| contact.leg) else { return };
        let phone = self.phones.phone_of(leg).cloned();
        self.dial_out(id, trunk, self.out(number, phone.as_ref(), emergency));
        if emergency {
            self.tell_of_help(id, What::EmergencyCalled);
        }
        self.lines.early(self.now, leg);
    }

    pub(crate) fn out(&self, number: &Number, phone: Option<&Extension>, emergency: bool) -> Out {
        let cents = plan::cents_a_minute(&self.config.site.dialling, number.as_str());
        let agent = phone.and_then(|phone| self.phones.agent(phone)).cloned();
        let (number, phone, paid) = (number.clone(), phone.cloned(), emergency || cents == 0);
        Out { number, emergency, phone, agent, tried: Vec::new(), rang: false, answered: false, cents, paid }
    }

    pub(crate) fn dial_out(&mut self, id: ContactId, trunk: TrunkId, out: Out) {
        if let Some(target) = self.dial_trunk(id, trunk, out) {
            self.set_state(id, State::Dialling { target, agent: None });
        }
    }

    /// Calls out for a contact, whose state is left alone; None: there is no such contact.
    pub(crate) fn dial_trunk(&mut self, id: ContactId, trunk: TrunkId, mut out: Out) -> Option<LegId> {
        let contact = self.contacts.get(&id)?;
        // Who calls back reaches somebody.
        let shown = shown_number(&self.config, out.phone.as_ref());
        let shown = shown.map_or_else(|| contact.card.number.clone(), Number::to_string);
        out.tried.push(trunk.clone());
        let dial = Dial {
            party: Party::Trunk { trunk, user: out.number.to_string() },
            caller: Caller { number: shown, name: None },
            ringback_to: contact.leg,
            meets: contact.leg,
            on_behalf_of: out.phone.clone(),
            forwarded: contact.forwarded.clone(),
        };
        let target = self.lines.dial(self.now, dial);
        self.legs.insert(target, (id, Role::Target));
        self.contacts.get_mut(&id)?.out = Some(out);
        Some(target)
    }

    /// The trunk did not take the call, which is told: the next one that was not tried, unless somebody was rung. An emergency call
    /// goes on whatever the trunk said, and begins anew when all have refused: a channel that was made free for it may
    /// need a moment.
    pub(crate) fn next_trunk(&mut self, id: ContactId, cause: Cause) -> Option<(TrunkId, Out)> {
        let contact = self.contacts.get_mut(&id)?;
        let dead = matches!(cause, Cause::Lost | Cause::Overload | Cause::Fault | Cause::NotFound | Cause::Media);
        let may = |out: &Out| !out.answered && (out.emergency || (dead && cause != Cause::NotFound && !out.rang));
        let out = contact.out.take_if(|out| may(out))?;
        // Somebody waits for the outcome.
        if contact.leg.is_none() && contact.callback.promise().is_none() {
            return None;
        }
        let from = out.phone.clone().map_or(Party::Unproved, Party::Phone);
        let all = self.lines.trunks(&from, out.emergency.then_some(&out.number));
        let fresh = all.iter().find(|trunk| !out.tried.contains(trunk));
        let rounds = out.emergency && out.tried.len() < all.len().saturating_mul(EMERGENCY_ROUNDS);
        let again = || all.get(out.tried.len().checked_rem(all.len())?).filter(|_| rounds);
        let next = fresh.or_else(again)?.clone();
        if let Some(trunk) = out.tried.last().cloned() {
            self.chronicle.tell_of(id, Kind::TrunkTried { trunk });
        }
        Some((next, out))
    }

    /// A phone of ours rings: the caller hears that in its own exchange's way. A trunk's caller hears the trunk.
    pub(crate) fn target_rings(&mut self, id: ContactId) {
        let Some(contact) = self.contacts.get_mut(&id) else { return };
        if let Some(out) = &mut contact.out {
            out.rang = true;
        }
        if let (State::Dialling { target, .. }, Some(leg)) = (&contact.state, contact.leg)
            && self.phones.phone_of(*target).is_some()
        {
            self.lines.ring(self.now, leg);
        }
    }

    pub(crate) fn target_answered(&mut self, id: ContactId, leg: LegId) {
        let Some(contact) = self.contacts.get(&id) else { return };
        let caller = contact.leg;
        let (agent, moved) = match &contact.state {
            State::Dialling { target, agent } if *target == leg => (agent.clone(), false),
            State::Moving { target, agent, .. } if *target == leg => (agent.clone(), true),
            _ => return,
        };
        let goes_out = contact.out.as_ref().is_some_and(|out| !out.answered);
        self.timers.cancel(Timer::Forward(id));
        if let Some(contact) = self.contacts.get_mut(&id) {
            contact.rung = None;
        }
        if moved {
            self.moved(id, leg, agent);
            // A transferred customer who was called out before goes on as it was paid.
            if goes_out {
                self.pay_minute(id);
            }
            return;
        }
        let own = caller.and_then(|leg| self.phones.phone_of(leg)).and_then(|phone| self.phones.agent(phone)).cloned();
        self.chronicle.tell_of(id, Kind::Answered { agent: agent.or(own) });
        if let Some(caller) = caller {
            self.lines.answer(self.now, caller);
        }
        self.begin_talk(id, Partner::Party, leg);
        if self.contacts.get(&id).and_then(|contact| contact.out.as_ref()).is_some_and(|out| out.emergency) {
            self.tell_of_help(id, What::EmergencyAnswered);
        }
        self.pay_minute(id);
    }

    /// A party that was rung did not answer.
    pub(crate) fn target_gone(&mut self, id: ContactId, cause: Cause) {
        match self.contacts.get(&id).map(|contact| &contact.state) {
            Some(State::Dialling { .. }) => match self.next_trunk(id, cause) {
                Some((next, out)) => self.dial_out(id, next, out),
                None if self.goes_elsewhere(id, cause) || self.goes_on(id) => {}
                None => self.turn_away(id, cause, end_cause(cause)),
            },
            Some(State::Moving { .. }) => match self.next_trunk(id, cause) {
                Some((next, out)) => {
                    let back = self.take_back(id);
                    self.move_out(id, next, out, back);
                }
                None => self.not_moved(id, cause),
            },
            _ => {}
        }
    }

    /// The agent's own phone was answered: the number that the desk asked for is dialled.
    pub(crate) fn phone_is_up(&mut self, id: ContactId, number: &str) {
        let Some(leg) = self.contacts.get(&id).and_then(|contact| contact.leg) else { return };
        let Some(phone) = self.phones.phone_of(leg).cloned() else { return };
        let destination = self.lines.route(&Party::Phone(phone), number);
        match self.flow_of(number) {
            Some(flow) if !matches!(destination, Destination::Emergency { .. } | Destination::Helpless(_)) => {
                self.start_flow(id, flow)
            }
            _ => self.connect(id, destination),
        }
    }

    /// The flow behind one of our own numbers.
    pub(crate) fn flow_of(&self, dialled: &str) -> Option<model::FlowId> {
        self.config.numbers.get(call::numbers::own(&self.config, dialled)?).cloned()
    }
}
