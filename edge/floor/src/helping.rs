//! Help for another site's caller: taken in only when an agent is ready at this moment and the passport lets the call
//! leave its site, and never passed on (N-11).

use acd::{Stay, Wants};
use call::leg::Caller;
use model::{
    AgentId, ContactId, LegId, OverflowId, QueueId, SiteId,
    config::Locality,
    fact::{EndCause, Kind as Fact},
    overflow::{Passport, Refusal},
};

use crate::{
    CONTACTS_MAX, Floor, OVERFLOWS_MAX,
    board::Intake,
    contact::{Partner, Role},
    lines::Lines,
    overflow::{Guest, Kind, Stage},
};

impl<L: Lines> Floor<L> {
    pub(crate) fn asked_for_help(&mut self, overflow: OverflowId, site: SiteId, queue: QueueId, passport: Passport) {
        if self.overflows.contains_key(&overflow) {
            return;
        }
        if let Some(reason) = self.refusal(&queue, &passport) {
            return self.say(overflow, site, Kind::Refuse { reason });
        }
        // The agent sees where the caller comes from; the number stays at home.
        let id = self.begin(None, Caller { number: site.to_string(), name: None });
        self.overflows.insert(overflow, id);
        if let Some(contact) = self.contacts.get_mut(&id) {
            contact.guest = Some(Guest { overflow, site, stage: Stage::Asked });
        }
        self.chronicle.tell_of(id, Fact::Arrived { trunk: None, number: None });
        self.ask_acd(acd::Input::Enter {
            contact: id,
            queue,
            since: self.now,
            stay: Stay::Guest,
            wants: Wants::default(),
        });
    }

    fn refusal(&self, queue: &QueueId, passport: &Passport) -> Option<Refusal> {
        let Some(count) = self.acd.count(queue) else { return Some(Refusal::UnknownQueue) };
        if passport.hops > 0 || passport.locality != Locality::MayLeave {
            Some(Refusal::NotAllowed)
        } else if self.overflows.len() >= OVERFLOWS_MAX || self.contacts.len() >= CONTACTS_MAX {
            Some(Refusal::Overload)
        } else if count.ready == 0 || self.intake(queue) == Intake::Closed {
            Some(Refusal::NoAgentReady)
        } else {
            None
        }
    }

    /// The first agent's phone rings for the guest.
    pub(crate) fn guest_rings(&mut self, id: ContactId) {
        let Some(guest) = self.contacts.get_mut(&id).and_then(|contact| contact.guest.as_mut()) else { return };
        if guest.stage == Stage::Asked {
            guest.stage = Stage::Ringing;
            let (overflow, site) = (guest.overflow, guest.site.clone());
            self.say(overflow, site, Kind::Ringing);
        }
    }

    /// Nobody here can take the guest any more.
    pub(crate) fn refuse_guest(&mut self, id: ContactId) {
        let Some(guest) = self.contacts.get(&id).and_then(|contact| contact.guest.clone()) else { return };
        self.overflows.remove(&guest.overflow);
        self.say(guest.overflow, guest.site, Kind::Refuse { reason: Refusal::NoAgentReady });
        self.end(id, EndCause::NotReachable);
    }

    /// An agent answered: a tunnel is opened for the caller's audio, and the origin told.
    pub(crate) fn give_help(&mut self, id: ContactId, agent: AgentId, leg: LegId) {
        let Some(guest) = self.contacts.get_mut(&id).and_then(|contact| contact.guest.as_mut()) else { return };
        guest.stage = Stage::Talking;
        let (overflow, site) = (guest.overflow, guest.site.clone());
        self.chronicle.tell_of(id, Fact::HelpGiven { overflow, site: site.clone(), agent: agent.clone() });
        let tunnel = self.lines.tunnel(self.now, overflow);
        self.legs.insert(tunnel, (id, Role::Caller));
        if let Some(contact) = self.contacts.get_mut(&id) {
            contact.leg = Some(tunnel);
        }
        self.say(overflow, site, Kind::Accept);
        self.begin_talk(id, Partner::Agent(agent), leg);
    }
}
