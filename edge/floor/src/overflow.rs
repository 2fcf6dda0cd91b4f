//! A caller of ours who waits too long is helped by another site's agent: the sites are asked in turn while the caller
//! keeps waiting here; whoever accepts gets the caller's audio through a tunnel. When the path breaks the caller is
//! back in the line, with the original queue time. The helping side is in `helping`.

use std::{net::SocketAddr, time::Duration};

use model::{
    ContactId, LegId, OverflowId, QueueId, SiteId,
    config::Locality,
    fact::{EndCause, Kind as Fact, OverflowReturn},
    overflow::{Passport, Refusal},
};

use crate::{
    Floor, OVERFLOWS_MAX, Output,
    contact::{Contact, Partner, State, Talk},
    lines::Lines,
    timer::Timer,
};

/// What is said between two sites about one call. Media keys are added and checked by the shell.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    pub overflow: OverflowId,
    /// To whom it goes, or from whom it came.
    pub peer: SiteId,
    pub kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    Offer {
        queue: QueueId,
        passport: Passport,
    },
    Ringing,
    Accept,
    /// Before the answer: no. After it: the helper's end of the path is broken.
    Refuse {
        reason: Refusal,
    },
    /// By the origin: the caller left. By the helper, after the answer: the agent hung up.
    End,
}

/// How long a site may take to find an agent who answers.
const ASK_MAX: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    Up,
    Down,
}

/// One site is being asked.
#[derive(Debug, Clone)]
pub(crate) struct Asking {
    pub overflow: OverflowId,
    pub site: SiteId,
    /// To be asked next.
    pub rest: Vec<SiteId>,
}

/// This contact is another site's.
#[derive(Debug, Clone)]
pub(crate) struct Guest {
    pub overflow: OverflowId,
    pub site: SiteId,
    pub stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Asked,
    Ringing,
    Talking,
}

impl<L: Lines> Floor<L> {
    pub(crate) fn overflow_due(&mut self, id: ContactId, sites: Vec<SiteId>) {
        let waits = |contact: &Contact| contact.asking.is_none() && matches!(contact.state, State::Waiting { .. });
        if self.contacts.get(&id).is_some_and(waits) {
            self.ask_next(id, sites);
        }
    }

    /// Asks the first of these sites; when none is left or the link is down, the distributor may try again later.
    fn ask_next(&mut self, id: ContactId, sites: Vec<SiteId>) {
        let mut sites = sites.into_iter().filter(|site| *site != self.config.site.id).collect::<Vec<_>>().into_iter();
        let possible = self.link == Link::Up && self.overflows.len() < OVERFLOWS_MAX;
        let (Some(site), Some((queue, passport)), true) = (sites.next(), self.passport(id), possible) else {
            return self.ask_acd(acd::Input::OverflowFailed { contact: id });
        };
        let overflow = OverflowId(self.random_id());
        self.overflows.insert(overflow, id);
        self.timers.set(Timer::Asked(overflow), self.now + ASK_MAX);
        if let Some(contact) = self.contacts.get_mut(&id) {
            contact.asking = Some(Asking { overflow, site: site.clone(), rest: sites.collect() });
        }
        self.chronicle.tell_of(id, Fact::OverflowOffered { overflow, site: site.clone() });
        self.say(overflow, site, Kind::Offer { queue, passport });
    }

    /// What the contact's queue lets out; None is nothing.
    fn passport(&self, id: ContactId) -> Option<(QueueId, Passport)> {
        let queue = self.contacts.get(&id)?.line.as_ref()?.queue.clone();
        let locality = self.config.queues.get(&queue)?.overflow.locality;
        let passport = Passport { locality, show_number: false, may_record: false, hops: 0 };
        (locality == Locality::MayLeave).then_some((queue, passport))
    }

    pub(crate) fn on_signal(&mut self, signal: Signal) {
        let Signal { overflow, peer, kind } = signal;
        if let Kind::Offer { queue, passport } = kind {
            return self.asked_for_help(overflow, peer, queue, passport);
        }
        let Some(id) = self.overflows.get(&overflow).copied() else { return self.unknown_call(overflow, peer, &kind) };
        let Some(contact) = self.contacts.get(&id) else { return };
        if let Some(guest) = &contact.guest {
            if guest.site == peer && matches!(kind, Kind::End | Kind::Refuse { .. }) {
                self.overflows.remove(&overflow);
                self.end(id, EndCause::Caller);
            }
            return;
        }
        let asked = contact.asking.as_ref().is_some_and(|asking| asking.overflow == overflow && asking.site == peer);
        let talks = matches!(&contact.state, State::Talking(Talk { with: Partner::Site(o, s), .. }) if (*o, s) == (overflow, &peer));
        match kind {
            Kind::Accept if asked => self.helped(id),
            Kind::Refuse { .. } | Kind::End if asked => self.asked_without(id, OverflowReturn::Refused),
            Kind::Refuse { .. } if talks => self.path_lost(overflow),
            Kind::End if talks => {
                self.overflows.remove(&overflow);
                self.end(id, EndCause::Agent);
            }
            Kind::Offer { .. } | Kind::Ringing | Kind::Accept | Kind::Refuse { .. } | Kind::End => {}
        }
    }

    /// A site that accepts a call which has ended here learns so.
    fn unknown_call(&mut self, overflow: OverflowId, peer: SiteId, kind: &Kind) {
        if matches!(kind, Kind::Accept | Kind::Ringing) {
            self.say(overflow, peer, Kind::End);
        }
    }

    /// Another site's agent has answered.
    fn helped(&mut self, id: ContactId) {
        let Some(asking) = self.contacts.get_mut(&id).and_then(|contact| contact.asking.take()) else { return };
        let Asking { overflow, site, .. } = asking;
        self.timers.cancel(Timer::Asked(overflow));
        self.ask_acd(acd::Input::Leave { contact: id });
        self.chronicle.tell_of(id, Fact::OverflowAnswered { overflow, site: site.clone() });
        self.chronicle.tell_of(id, Fact::Answered { agent: None });
        let leg = self.lines.tunnel(self.now, overflow);
        self.begin_talk(id, Partner::Site(overflow, site), leg);
    }

    pub(crate) fn tunnel_open(&mut self, leg: LegId, local: SocketAddr) {
        let Some(contact) = self.legs.get(&leg).and_then(|(id, _)| self.contacts.get(id)) else { return };
        let overflow = match (&contact.guest, &contact.state) {
            (Some(guest), _) => guest.overflow,
            (None, State::Talking(Talk { with: Partner::Site(overflow, _), .. })) => *overflow,
            _ => return,
        };
        self.chronicle.put(Output::Tunnel { overflow, local });
    }

    pub(crate) fn tunnel_peer(&mut self, overflow: OverflowId, peer: SocketAddr) {
        let Some(contact) = self.overflows.get(&overflow).and_then(|id| self.contacts.get(id)) else { return };
        let leg = match (&contact.guest, &contact.state) {
            (Some(_), _) => contact.leg,
            (None, State::Talking(Talk { with: Partner::Site(..), leg, .. })) => Some(*leg),
            _ => None,
        };
        if let Some(leg) = leg {
            self.lines.tunnel_connect(self.now, leg, peer);
        }
    }

    /// The path to the other site is broken, or its tunnel is.
    pub(crate) fn path_lost(&mut self, overflow: OverflowId) {
        let Some(id) = self.overflows.get(&overflow).copied() else { return };
        let Some(contact) = self.contacts.get(&id) else { return };
        if contact.guest.is_some() {
            return self.end(id, EndCause::NotReachable);
        }
        if contact.asking.is_some() {
            return self.asked_without(id, OverflowReturn::PathLost);
        }
        let (Some(talk), Some(line)) = (self.talk(id).cloned(), contact.line.clone()) else { return };
        let Partner::Site(_, site) = &talk.with else { return };
        self.say(overflow, site.clone(), Kind::End);
        self.overflows.remove(&overflow);
        self.resume(id, talk.leg);
        self.drop_leg(talk.leg);
        self.chronicle.tell_of(id, Fact::OverflowReturned { overflow, reason: OverflowReturn::PathLost });
        self.wait(id, line);
    }

    /// The site that was asked does not help; the next one is.
    fn asked_without(&mut self, id: ContactId, reason: OverflowReturn) {
        let Some(asking) = self.contacts.get_mut(&id).and_then(|contact| contact.asking.take()) else { return };
        let Asking { overflow, rest, .. } = asking;
        self.timers.cancel(Timer::Asked(overflow));
        self.overflows.remove(&overflow);
        self.chronicle.tell_of(id, Fact::OverflowReturned { overflow, reason });
        self.ask_next(id, rest);
    }

    pub(crate) fn asked_in_vain(&mut self, overflow: OverflowId) {
        let Some(id) = self.overflows.get(&overflow).copied() else { return };
        if let Some(asking) = self.contacts.get(&id).and_then(|contact| contact.asking.clone()) {
            self.say(overflow, asking.site, Kind::End);
            self.asked_without(id, OverflowReturn::NobodyAnswered);
        }
    }

    /// Somebody here took the caller, or the caller left: nobody else needs to.
    pub(crate) fn stop_asking(&mut self, id: ContactId) {
        if let Some(asking) = self.contacts.get_mut(&id).and_then(|contact| contact.asking.take()) {
            self.timers.cancel(Timer::Asked(asking.overflow));
            self.overflows.remove(&asking.overflow);
            self.say(asking.overflow, asking.site, Kind::End);
        }
    }

    /// The contact has ended: the other site learns it, unless it said so itself.
    pub(crate) fn say_end(&mut self, contact: &Contact, cause: EndCause) {
        let (overflow, site) = match (&contact.guest, &contact.state) {
            (Some(guest), _) => (guest.overflow, &guest.site),
            (None, State::Talking(Talk { with: Partner::Site(overflow, site), .. })) => (*overflow, site),
            _ => return,
        };
        if self.overflows.remove(&overflow).is_some() {
            let broken = contact.guest.is_some() && cause == EndCause::NotReachable;
            let kind = if broken { Kind::Refuse { reason: Refusal::NotLinked } } else { Kind::End };
            self.say(overflow, site.clone(), kind);
        }
    }

    pub(crate) fn link_up(&mut self) {
        if std::mem::replace(&mut self.link, Link::Up) == Link::Down {
            self.chronicle.tell(Fact::LinkUp);
        }
    }

    pub(crate) fn link_down(&mut self) {
        if std::mem::replace(&mut self.link, Link::Down) == Link::Up {
            self.chronicle.tell(Fact::LinkDown);
            let all: Vec<OverflowId> = self.overflows.keys().copied().collect();
            for overflow in all {
                self.path_lost(overflow);
            }
        }
    }

    pub(crate) fn say(&mut self, overflow: OverflowId, peer: SiteId, kind: Kind) {
        self.chronicle.put(Output::Signal(Signal { overflow, peer, kind }));
    }
}
