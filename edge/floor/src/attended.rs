//! Attended transfers (RFC 5589 §7) and call pickup (RFC 3891, `*8` and an extension): a phone steps out of two talks,
//! or into one that is not answered yet. The contact of the first talk lives on; the consultation ends.

use call::leg::Cause;
use model::{
    AgentId, ContactId, Extension, LegId,
    fact::{EndCause, Kind, Transfer},
};

use crate::{
    Floor,
    contact::{Partner, Role, State, Talk},
    lines::Lines,
};

/// Dialled before an extension: takes the call that rings there.
const PICKUP: &str = "*8";

impl<L: Lines> Floor<L> {
    /// A phone that talks on both legs asks that the two others talk to each other.
    pub(crate) fn attended_asked(&mut self, leg: LegId, other: LegId) {
        let Some((first, second)) = self.both_talks(leg, other) else {
            return self.lines.transfer_refuse(self.now, leg);
        };
        self.disperse(first.id);
        self.disperse(second.id);
        self.lines.transfer_accept(self.now, leg);
        self.resume(first.id, leg);
        self.resume(second.id, other);
        self.chronicle.tell_of(first.id, Kind::Transferred { how: Transfer::Attended });
        let agent = self.agent_at(second.far);
        self.legs.remove(&second.far);
        // The consultation ends with its asker; whom it was with stays on the line.
        self.done_with(second.with);
        self.set_state(second.id, State::Arriving);
        self.end(second.id, EndCause::Agent);
        self.chronicle.tell_of(first.id, Kind::Answered { agent });
        self.step_in(&first, second.far, leg);
        self.lines.join(self.now, first.far, second.far);
        self.drop_leg(leg);
        self.done_with(first.with);
    }

    /// `new` has `old`'s place in the contact.
    fn step_in(&mut self, side: &Side, new: LegId, old: LegId) {
        self.legs.remove(&old);
        let Some(contact) = self.contacts.get_mut(&side.id) else { return };
        if contact.leg == Some(old) {
            contact.leg = Some(new);
            self.legs.insert(new, (side.id, Role::Caller));
        } else {
            contact.state = State::Talking(Talk { with: Partner::Party, leg: new, held: false });
            self.legs.insert(new, (side.id, Role::Partner));
        }
    }

    fn both_talks(&self, leg: LegId, other: LegId) -> Option<(Side, Side)> {
        let phone = self.phones.phone_of(leg)?;
        let (first, second) = (self.side(leg)?, self.side(other)?);
        let same = self.phones.phone_of(other) == Some(phone);
        (same && first.id != second.id && first.far != second.far).then_some((first, second))
    }

    /// A talk as the phone on `leg` sees it. N-11: another site's caller or agent is never passed on.
    fn side(&self, leg: LegId) -> Option<Side> {
        let (id, _) = self.legs.get(&leg)?;
        let contact = self.contacts.get(id).filter(|contact| contact.guest.is_none())?;
        let talk = self.talk(*id).filter(|talk| !matches!(talk.with, Partner::Site(..)))?;
        let caller = contact.leg?;
        let (far, with) = match leg {
            leg if leg == talk.leg => (caller, talk.with.clone()),
            leg if leg == caller => (talk.leg, Partner::Party),
            _ => return None,
        };
        Some(Side { id: *id, far, with })
    }

    fn agent_at(&self, leg: LegId) -> Option<AgentId> {
        self.phones.agent(self.phones.phone_of(leg)?).cloned()
    }

    /// The leg that rings at the extension that `*8` names.
    pub(crate) fn pickup_code(&self, dialled: &str) -> Option<LegId> {
        let phone = Extension::new(dialled.strip_prefix(PICKUP)?).ok()?;
        self.phones.legs(&phone).find(|leg| self.rings(*leg).is_some())
    }

    /// A phone that is rung for a call, not by the distributor: who is offered a contact alone may take it.
    fn rings(&self, leg: LegId) -> Option<ContactId> {
        let (id, Role::Target) = self.legs.get(&leg)? else { return None };
        let contact = self.contacts.get(id)?;
        let rung =
            matches!(&contact.state, State::Dialling { target, .. } | State::Moving { target, .. } if *target == leg);
        (rung && self.phones.phone_of(leg).is_some()).then_some(*id)
    }

    /// The phone takes the call that rings at another one.
    pub(crate) fn pick_up(&mut self, leg: LegId, phone: &Extension, target: LegId) {
        let Some(id) = self.rings(target) else { return self.lines.reject(self.now, leg, Cause::NotFound) };
        let by = self.phones.agent(phone).cloned();
        if let Some(State::Dialling { target, agent } | State::Moving { target, agent, .. }) =
            self.contacts.get_mut(&id).map(|contact| &mut contact.state)
        {
            (*target, *agent) = (leg, by);
        }
        self.legs.insert(leg, (id, Role::Target));
        self.engage(leg, phone);
        self.drop_leg(target);
        self.lines.answer(self.now, leg);
    }
}

struct Side {
    id: ContactId,
    /// Whom the phone talks to.
    far: LegId,
    with: Partner,
}
