//! Blind transfers: the agent lets go, and the caller goes to another phone, or where its calls go, or into another number's flow. A caller
//! whom the other phone does not take goes back to the phone that waits for the outcome, or into its queue with the
//! original queue time.

use std::time::Duration;

use call::leg::{Cause, Destination, Party};
use model::{
    AgentId, ContactId, Extension, FlowId, LegId, TrunkId,
    fact::{DivertedFor, Kind, Transfer},
    forward::Forward,
};

use crate::{
    Floor,
    board::Refused,
    contact::{Back, Out, Partner, Role, State},
    forward::{Followed, Hop},
    legs::end_cause,
    lines::Lines,
    timer::Timer,
};

/// How long the other phone rings.
const RING: Duration = Duration::from_secs(30);

/// Who asked for the transfer, and waits to hear how it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asker {
    Desk,
    /// The phone, by REFER.
    Phone,
}

/// Where a transfer leads, and the phones whose own forwards sent it there.
pub(crate) struct Goal {
    pub place: Place,
    pub by: Vec<(Extension, DivertedFor)>,
}

pub(crate) enum Place {
    Flow(FlowId),
    Phone(Extension),
    /// By the forward of the last phone in `by`, at its cost.
    Outside(Destination),
}

impl<L: Lines> Floor<L> {
    pub(crate) fn transfer_asked(&mut self, leg: LegId, to: &str) {
        let id = match self.legs.get(&leg) {
            Some((id, Role::Partner)) => *id,
            _ => return self.lines.transfer_refuse(self.now, leg),
        };
        if self.transfer(id, leg, to, Asker::Phone).is_err() {
            self.lines.transfer_refuse(self.now, leg);
        }
    }

    /// Moves the contact away from the one who talks to it at `leg`.
    pub(crate) fn transfer(&mut self, id: ContactId, leg: LegId, to: &str, asker: Asker) -> Result<(), Refused> {
        let talk = self.talk(id).filter(|talk| talk.leg == leg).cloned().ok_or(Refused::WrongState)?;
        let contact = self.contacts.get(&id).ok_or(Refused::NoCall)?;
        let caller = contact.leg.ok_or(Refused::NoCall)?;
        // N-11: a helper never passes another site's caller on.
        if contact.guest.is_some() || matches!(talk.with, Partner::Site(..)) {
            return Err(Refused::Forbidden);
        }
        let phone = self.phones.phone_of(leg).cloned().ok_or(Refused::WrongState)?;
        let goal = self.transfer_to(&phone, to)?;
        if let (Place::Outside(destination), Some((by, _))) = (&goal.place, goal.by.last())
            && !self.may_move_out(id, by, destination)
        {
            return Err(Refused::Forbidden);
        }
        self.disperse(id);
        if asker == Asker::Phone {
            self.lines.transfer_accept(self.now, leg);
        }
        self.let_go(id, caller, leg);
        let back = (!matches!(goal.place, Place::Flow(_)) && asker == Asker::Phone).then_some(leg);
        match back {
            Some(leg) => drop(self.legs.insert(leg, (id, Role::Leaving))),
            None => self.drop_leg(leg),
        }
        let back = Back { with: talk.with.clone(), phone, leg: back };
        let done = back.leg.is_none();
        if let Some(contact) = self.contacts.get_mut(&id) {
            contact.forwards.clear();
            contact.rung = None;
        }
        for (by, why) in &goal.by {
            self.passed_on(id, by, *why);
        }
        self.go_to(id, goal, back);
        if done {
            self.done_with(talk.with);
        }
        Ok(())
    }

    /// The contact goes where it is sent; who gave it away has let go of it.
    fn go_to(&mut self, id: ContactId, Goal { place, by }: Goal, back: Back) {
        let trunk = match &place {
            Place::Outside(Destination::Outward { trunk, .. }) => Some(trunk.clone()),
            _ => None,
        };
        let last = by.len();
        for (n, (phone, why)) in (1..).zip(&by) {
            self.forwarded(id, phone, *why, trunk.clone().filter(|_| n == last));
        }
        match place {
            Place::Flow(flow) => self.moved_into(id, flow),
            Place::Phone(to) => self.move_to(id, to, Some(back)),
            Place::Outside(destination) => {
                let Destination::Outward { trunk, number } = destination else { return };
                let out = self.out(&number, by.last().map(|(phone, _)| phone), false);
                self.move_out(id, trunk, out, Some(back));
            }
        }
    }

    /// S-140: a forward takes a call outside when plan and caps of its phone let it, and one such call at a time pays.
    fn may_move_out(&mut self, id: ContactId, by: &Extension, destination: &Destination) -> bool {
        let pays = self.contacts.get(&id).is_some_and(|contact| contact.out.is_some());
        !pays && self.lets_out(id, by, destination)
    }

    fn moved_into(&mut self, id: ContactId, flow: FlowId) {
        self.end_recording(id);
        self.end_pause(id, None);
        self.chronicle.tell_of(id, Kind::Transferred { how: Transfer::Blind });
        self.start_flow(id, flow);
    }

    fn move_to(&mut self, id: ContactId, phone: Extension, back: Option<Back>) {
        let Some(contact) = self.contacts.get_mut(&id) else { return };
        let (caller, card) = (contact.leg, contact.card.clone());
        // A recall is nobody's wish: who gave the caller away is rung, and nobody else in its place.
        contact.rung = back.as_ref().map(|_| phone.clone());
        let sender = back.as_ref().map(|back| back.phone.clone());
        let Forward { no_answer, after_s, .. } = self.forward_of(&phone);
        let own = no_answer.filter(|_| back.is_some()).map(|_| Duration::from_secs(after_s.into()));
        let (target, agent) = self.ring_for(id, phone, card, (caller, sender));
        self.set_state(id, State::Moving { target, agent, back });
        self.moving_ends_in(id, own.unwrap_or(RING));
    }

    /// Calls out for a caller whom a forward sends outside.
    pub(crate) fn move_out(&mut self, id: ContactId, trunk: TrunkId, out: Out, back: Option<Back>) {
        if let Some(target) = self.dial_trunk(id, trunk, out) {
            self.set_state(id, State::Moving { target, agent: None, back });
            self.moving_ends_in(id, RING);
        }
    }

    fn moving_ends_in(&mut self, id: ContactId, wait: Duration) {
        if let Some(at) = self.now.checked_add(wait) {
            self.timers.set(Timer::Moving(id), at);
        }
    }

    /// The last life was giving the caller away, and ended before anybody took it: the phone is rung again; who gave it
    /// away no longer waits for the outcome. To a number outside the call is not made twice.
    pub(crate) fn move_again(&mut self, id: ContactId, to: Option<Extension>, by: Option<Extension>) {
        let back = by.map(|phone| Back { with: Partner::Party, phone, leg: None });
        match to.filter(|phone| self.lines.is_registered(phone)) {
            Some(phone) => self.move_to(id, phone, back),
            None => self.goes_back(id, back, Cause::Lost),
        }
    }

    /// The other phone took the caller.
    pub(crate) fn moved(&mut self, id: ContactId, leg: LegId, agent: Option<AgentId>) {
        self.timers.cancel(Timer::Moving(id));
        let back = self.take_back(id);
        // A recall is answered by who gave the contact away: that is no transfer.
        if back.is_some() {
            self.chronicle.tell_of(id, Kind::Transferred { how: Transfer::Blind });
        }
        self.flow_is_over(id);
        self.chronicle.tell_of(id, Kind::Answered { agent });
        self.begin_talk(id, Partner::Party, leg);
        self.drop_leaving(id);
        if let Some(Back { with, leg: Some(_), .. }) = back {
            self.done_with(with);
        }
    }

    pub(crate) fn moved_in_vain(&mut self, id: ContactId) {
        if let Some(State::Moving { target, .. }) = self.contacts.get(&id).map(|contact| &contact.state) {
            let target = *target;
            self.lines.reject(self.now, target, Cause::NoAnswer);
        }
    }

    pub(crate) fn take_back(&mut self, id: ContactId) -> Option<Back> {
        match self.contacts.get_mut(&id).map(|contact| &mut contact.state) {
            Some(State::Moving { back, .. }) => back.take(),
            _ => None,
        }
    }

    /// Who asked for the transfer hung up before its outcome.
    pub(crate) fn leaver_gone(&mut self, id: ContactId, gone: LegId) {
        if let Some(State::Moving { back: Some(back), .. }) = self.contacts.get_mut(&id).map(|c| &mut c.state)
            && back.leg.take_if(|leg| *leg == gone).is_some()
        {
            let with = back.with.clone();
            self.done_with(with);
        }
    }

    /// To a number of ours or a phone that is free, or where that phone's calls go; else never outside (S-140).
    pub(crate) fn transfer_to(&self, from: &Extension, to: &str) -> Result<Goal, Refused> {
        if let Some(flow) = self.flow_of(to) {
            return Ok(Goal { place: Place::Flow(flow), by: Vec::new() });
        }
        let phone = match self.lines.route(&Party::Phone(from.clone()), to) {
            Destination::Phone(phone) => phone,
            Destination::Agent(agent) => {
                self.config.agents.get(&agent).and_then(|agent| agent.phone.clone()).ok_or(Refused::Forbidden)?
            }
            _ => return Err(Refused::Forbidden),
        };
        let Followed { hop, by } = self.follow(phone).ok_or(Refused::Forbidden)?;
        self.place(hop).map(|place| Goal { place, by })
    }

    fn place(&self, hop: Hop) -> Result<Place, Refused> {
        match hop {
            Hop::Phone(phone) if !self.lines.is_registered(&phone) => Err(Refused::PhoneNotRegistered),
            Hop::Phone(phone) if self.phones.is_busy(&phone) => Err(Refused::WrongState),
            Hop::Phone(phone) => Ok(Place::Phone(phone)),
            Hop::Flow(flow) => Ok(Place::Flow(flow)),
            Hop::Out(destination) => Ok(Place::Outside(destination)),
            Hop::Nowhere(..) => Err(Refused::Forbidden),
        }
    }

    /// The phone did not take the caller, and its forward says where it goes then. False: nowhere, or not now.
    fn moves_on(&mut self, id: ContactId, cause: Cause) -> bool {
        let Some(phone) = self.contacts.get_mut(&id).and_then(|contact| contact.rung.take()) else { return false };
        let Some((to, why)) = self.not_taken_goes(&phone, cause) else { return false };
        let hop = self.hop(&phone, &to);
        let followed = match hop {
            Hop::Phone(next) => self.follow(next),
            hop => Some(Followed { hop, by: Vec::new() }),
        };
        let Some(Followed { hop, by: further }) = followed else { return false };
        let by: Vec<_> = [(phone, why)].into_iter().chain(further).collect();
        let Ok(place) = self.place(hop) else { return false };
        if let (Place::Outside(destination), Some((last, _))) = (&place, by.last())
            && !self.may_move_out(id, last, destination)
        {
            return false;
        }
        if !by.iter().all(|(phone, why)| self.passed_on(id, phone, *why)) {
            return false;
        }
        let Some(back) = self.take_back(id) else { return false };
        match (&place, back.leg) {
            (Place::Flow(_), Some(_)) => {
                let with = back.with.clone();
                self.drop_leaving(id);
                self.go_to(id, Goal { place, by }, back);
                self.done_with(with);
            }
            _ => self.go_to(id, Goal { place, by }, back),
        }
        true
    }

    fn let_go(&mut self, id: ContactId, caller: LegId, leg: LegId) {
        self.resume(id, leg);
        self.lines.part(self.now, caller);
    }

    /// The other phone did not take the caller: back to whoever waits for the outcome, else into the queue, else the
    /// phone that gave it away is rung.
    pub(crate) fn not_moved(&mut self, id: ContactId, cause: Cause) {
        self.timers.cancel(Timer::Moving(id));
        if self.not_taken(id) || self.moves_on(id, cause) {
            return;
        }
        if let Some(contact) = self.contacts.get_mut(&id) {
            contact.out.take_if(|out| !out.answered);
        }
        let back = self.take_back(id);
        self.goes_back(id, back, cause);
    }

    pub(crate) fn goes_back(&mut self, id: ContactId, back: Option<Back>, cause: Cause) {
        if back.is_some() {
            self.chronicle.tell_of(id, Kind::TransferFailed);
        }
        let line = self.contacts.get(&id).and_then(|contact| contact.line.clone());
        match (back, line) {
            (Some(Back { with, leg: Some(leg), .. }), _) => self.begin_talk(id, with, leg),
            (_, Some(line)) => {
                self.chronicle.tell_of(id, Kind::Queued { queue: line.queue.clone() });
                self.wait(id, line);
            }
            (Some(Back { phone, .. }), None) if self.lines.is_registered(&phone) && !self.phones.is_busy(&phone) => {
                self.move_to(id, phone, None);
            }
            _ => self.end(id, end_cause(cause)),
        }
    }

    /// Whoever asked for the transfer has heard how it ended.
    pub(crate) fn drop_leaving(&mut self, id: ContactId) {
        let leaving =
            |(leg, (of, role)): (&LegId, &(ContactId, Role))| (*of == id && *role == Role::Leaving).then_some(*leg);
        let legs: Vec<LegId> = self.legs.iter().filter_map(leaving).collect();
        for leg in legs {
            self.drop_leg(leg);
        }
    }
}
