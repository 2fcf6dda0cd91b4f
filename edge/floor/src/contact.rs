//! One customer's visit (or one call that begins inside): what it is, where it stands, and how it begins and ends.
//! Whatever happens to a leg is decided here by what the leg is to its contact.

use std::time::Instant;

use call::leg::{Caller, Cause, Destination, Forwarded, Party};
use call::plane::PlayId;
use ivr::run::Run;
use model::{
    AgentId, ContactId, Extension, FlowId, LegId, Number, OverflowId, QueueId, RecordingId, SiteId, TrunkId,
    fact::{CardModeEnd, EndCause, Kind, OfferOutcome},
    leaving::What,
    routing::Asks,
};

use crate::{
    CONTACTS_MAX, Floor, Output, away::Away, company::Company, lines::Lines, overflow, sound::Heard, timer::Timer,
};

#[derive(Debug)]
pub(crate) struct Contact {
    /// Shown to whoever is rung. Personal data.
    pub card: Caller,
    /// The leg of who called: a caller, a phone that dialled, or the tunnel of another site's caller.
    pub leg: Option<LegId>,
    /// Our number that was called.
    pub number: Option<Number>,
    /// The queue the contact waits in or came from, and its original queue time.
    pub line: Option<Line>,
    /// When a person first talked to the caller.
    pub answered: Option<Instant>,
    pub recording: Option<RecordingId>,
    /// Another site is being asked while the contact waits.
    pub asking: Option<overflow::Asking>,
    /// The phone that rings, when its own forward may send the call on.
    pub rung: Option<Extension>,
    /// Phones that sent the call on, in order; at most five.
    pub forwards: Vec<Extension>,
    /// The last of them, and why.
    pub forwarded: Option<Forwarded>,
    /// The call out that is being made.
    pub out: Option<Out>,
    /// Where it goes when nobody answers at the phone that an emergency centre calls back.
    pub otherwise: Option<FlowId>,
    /// The contact is another site's.
    pub guest: Option<overflow::Guest>,
    /// Whose keypresses are kept from the other side.
    pub card_mode: Option<LegId>,
    /// Who else is on the talk.
    pub company: Company,
    /// Verdicts about its legs so far.
    pub heard: Heard,
    pub state: State,
}

/// A call out, on one trunk after the other until one takes it.
#[derive(Debug, Clone)]
pub(crate) struct Out {
    pub number: Number,
    pub emergency: bool,
    /// For whom: a phone of ours.
    pub phone: Option<Extension>,
    /// Whose phone it is.
    pub agent: Option<AgentId>,
    /// In the order in which they were tried.
    pub tried: Vec<TrunkId>,
    /// Somebody out there has been rung.
    pub rang: bool,
    /// What a minute costs.
    pub cents: u32,
    /// A minute has been paid.
    pub paid: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub queue: QueueId,
    pub since: Instant,
    pub asks: Asks,
}

#[derive(Debug)]
pub(crate) enum State {
    /// Nothing has been decided; or a step between two states.
    Arriving,
    /// Answered, not yet confirmed: the flow begins when the caller can hear it.
    Answering {
        flow: FlowId,
    },
    InFlow {
        run: Box<Run>,
        flow: FlowId,
        play: Option<PlayId>,
    },
    /// Hears a last prompt; then the contact ends.
    Closing {
        play: PlayId,
    },
    /// Hears why the call is not made, before it is refused.
    Refusing {
        play: PlayId,
        end: EndCause,
    },
    /// In the distributor's hands. `telling`: an announcement that interrupts the music.
    Waiting {
        telling: Option<PlayId>,
    },
    /// An agent's phone rings for the agent's own call to this number.
    PhoneFirst {
        number: String,
    },
    /// A party is being rung; `agent` when it sits at an agent's desk.
    Dialling {
        target: LegId,
        agent: Option<AgentId>,
    },
    /// Given to somebody else, who is being rung; `back` is who gave it.
    Moving {
        target: LegId,
        agent: Option<AgentId>,
        back: Option<Back>,
    },
    Talking(Talk),
    /// One side's browser has vanished, and may come back.
    Away(Box<Away>),
}

#[derive(Debug, Clone)]
pub(crate) struct Talk {
    pub with: Partner,
    pub leg: LegId,
    pub held: bool,
}

/// Who gives a contact away, and has it back when nobody takes it.
#[derive(Debug, Clone)]
pub(crate) struct Back {
    pub with: Partner,
    pub phone: Extension,
    /// The phone's leg, while it waits for the outcome.
    pub leg: Option<LegId>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Partner {
    /// An agent whom the distributor gave the contact to.
    Agent(AgentId),
    /// Somebody else: a colleague, a number outside.
    Party,
    /// An agent of another site.
    Site(OverflowId, SiteId),
}

/// What a leg is to its contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Role {
    Caller,
    /// Rung by an offer to this agent.
    Offered(AgentId),
    /// Rung by a dial or a transfer.
    Target,
    Partner,
    /// Asked for a transfer and awaits its outcome.
    Leaving,
    /// A colleague whom the agent consults.
    Third,
    /// A supervisor on the talk.
    Listener,
    /// A browser's leg that broke in mid-call.
    Away,
    /// Rings the browser that is back.
    Returning,
}

impl Contact {
    /// Of everybody who has a part in it.
    pub fn legs(&self) -> impl Iterator<Item = LegId> + '_ {
        let other = match &self.state {
            State::Talking(talk) => Some(talk.leg),
            _ => None,
        };
        self.leg.into_iter().chain(other).chain(self.company.legs())
    }

    /// For a page that has vanished: it is our own, and nobody else is on the talk.
    pub fn may_wait(&self) -> bool {
        self.guest.is_none() && self.company.third.is_none() && self.company.listeners.is_empty()
    }
}

impl<L: Lines> Floor<L> {
    pub(crate) fn incoming(&mut self, leg: LegId, party: Party, to: &str, caller: Caller, replaces: Option<LegId>) {
        if let Party::Phone(phone) = &party {
            if let Some(target) = replaces.or_else(|| self.pickup_code(to)) {
                return self.pick_up(leg, phone, target);
            }
            let destination = self.lines.route(&party, to);
            if matches!(destination, Destination::Emergency { .. } | Destination::Helpless(_)) {
                return self.phone_dials(leg, Some(phone.clone()), to, caller, destination);
            }
            self.engage(leg, phone);
        }
        if party == Party::Unproved {
            // It was let in to call for help: whatever else it may be is nothing to the house.
            let destination = self.lines.route(&party, to);
            return self.phone_dials(leg, None, to, Caller::default(), destination);
        }
        let trunk = match &party {
            Party::Trunk { trunk, .. } => Some(trunk.clone()),
            Party::Phone(_) | Party::Unproved | Party::Tunnel(_) => None,
        };
        let ours = call::numbers::own(&self.config, to).cloned();
        let number = ours.or_else(|| Number::new(&call::route::normalise(to)?).ok());
        let flow = number.as_ref().and_then(|number| self.config.numbers.get(number)).cloned();
        if let Some(phone) = trunk.as_ref().and_then(|_| self.called_back(number.as_ref(), &caller)) {
            let contact = self.arrived(leg, trunk, number, caller);
            return self.call_back(contact, phone, flow);
        }
        match (party, flow) {
            (_, Some(flow)) => {
                let contact = self.arrived(leg, trunk, number, caller);
                if self.has_room(contact) {
                    self.answer_with(contact, leg, flow);
                }
            }
            (Party::Phone(phone), None) => {
                let destination = self.lines.route(&Party::Phone(phone.clone()), to);
                self.phone_dials(leg, Some(phone), to, caller, destination);
            }
            (party, None) => {
                let destination = self.lines.route(&party, to);
                let contact = self.arrived(leg, trunk, number, caller);
                if self.has_room(contact) {
                    self.connect(contact, destination);
                }
            }
        }
    }

    fn arrived(&mut self, leg: LegId, trunk: Option<TrunkId>, number: Option<Number>, caller: Caller) -> ContactId {
        let id = self.begin(Some(leg), caller.clone());
        if let Some(contact) = self.contacts.get_mut(&id) {
            contact.number.clone_from(&number);
        }
        self.chronicle.tell_of(id, Kind::Arrived { trunk, number });
        self.chronicle.put(Output::Personal { contact: id, caller });
        id
    }

    pub(crate) fn answer_with(&mut self, id: ContactId, leg: LegId, flow: FlowId) {
        if self.config.flows.contains_key(&flow) {
            self.set_state(id, State::Answering { flow });
            self.lines.answer(self.now, leg);
        } else {
            self.turn_away(id, Cause::NotFound, EndCause::NoRoute);
        }
    }

    /// Makes a contact; what happens to it is the caller's part.
    pub(crate) fn begin(&mut self, leg: Option<LegId>, card: Caller) -> ContactId {
        let id = ContactId(self.dated_id());
        let contact = Contact {
            card,
            leg,
            number: None,
            line: None,
            answered: None,
            recording: None,
            heard: Heard::default(),
            card_mode: None,
            company: Company::default(),
            asking: None,
            rung: None,
            forwards: Vec::new(),
            forwarded: None,
            out: None,
            otherwise: None,
            guest: None,
            state: State::Arriving,
        };
        self.contacts.insert(id, contact);
        if let Some(leg) = leg {
            self.legs.insert(leg, (id, Role::Caller));
        }
        id
    }

    /// False, and the contact is turned away, when the house is full.
    pub(crate) fn has_room(&mut self, id: ContactId) -> bool {
        let room = self.contacts.len() <= CONTACTS_MAX;
        if !room {
            self.turn_away(id, Cause::Overload, EndCause::Overload);
        }
        room
    }

    /// Ends a contact whose caller was not answered, with a refusal that says why.
    pub(crate) fn turn_away(&mut self, id: ContactId, cause: Cause, end: EndCause) {
        if let Some(leg) = self.contacts.get(&id).and_then(|contact| contact.leg) {
            self.lines.reject(self.now, leg, cause);
        }
        self.end(id, end);
    }

    pub(crate) fn leg_answered(&mut self, leg: LegId) {
        if self.test_answered(leg) {
            return;
        }
        let Some((id, role)) = self.legs.get(&leg).cloned() else { return };
        match role {
            Role::Caller => self.caller_answered(id),
            Role::Offered(agent) => self.offer_answered(id, &agent, leg),
            Role::Target => self.target_answered(id, leg),
            Role::Third => self.third_answered(id),
            Role::Listener => self.listener_answered(id, leg),
            Role::Returning => self.came_back(id, leg),
            Role::Partner | Role::Leaving | Role::Away => {}
        }
    }

    fn caller_answered(&mut self, id: ContactId) {
        let Some(contact) = self.contacts.get_mut(&id) else { return };
        match std::mem::replace(&mut contact.state, State::Arriving) {
            State::Answering { flow } => self.start_flow(id, flow),
            State::PhoneFirst { number } => self.phone_is_up(id, &number),
            state => contact.state = state,
        }
    }

    pub(crate) fn leg_rings(&mut self, leg: LegId) {
        let Some((id, role)) = self.legs.get(&leg).cloned() else { return };
        match role {
            Role::Target => self.target_rings(id),
            Role::Offered(_) => self.guest_rings(id),
            Role::Caller
            | Role::Partner
            | Role::Leaving
            | Role::Third
            | Role::Listener
            | Role::Away
            | Role::Returning => {}
        }
    }

    /// A leg has ended for good: by its party, by the desk's wish, or by the network.
    pub(crate) fn leg_ended(&mut self, leg: LegId, cause: Cause) {
        if self.test_ended(leg) {
            return;
        }
        if self.goes_away(leg, cause) {
            return;
        }
        self.disengage(leg);
        let Some((id, role)) = self.legs.remove(&leg) else { return };
        self.tell_if_taken(id, &role, cause);
        match role {
            Role::Caller => self.caller_gone(id, cause),
            Role::Offered(agent) => {
                self.offers.remove(&agent);
                let outcome = offer_outcome(cause);
                self.ask_acd(acd::Input::OfferEnded { agent, outcome });
            }
            Role::Target => self.target_gone(id, cause),
            Role::Partner => self.partner_gone(id, cause),
            Role::Leaving => self.leaver_gone(id, leg),
            Role::Third => self.third_gone(id),
            Role::Listener => self.listener_gone(id, leg),
            Role::Returning => self.not_back_yet(id, leg),
            Role::Away => {}
        }
    }

    fn caller_gone(&mut self, id: ContactId, cause: Cause) {
        let Some(contact) = self.contacts.get_mut(&id) else { return };
        contact.leg = None;
        let end = match (&contact.state, cause) {
            // Our own tunnel to the origin.
            _ if contact.guest.is_some() => EndCause::NotReachable,
            // The agent's own phone did not take the agent's call.
            (State::PhoneFirst { .. }, cause) => end_cause(cause),
            (_, Cause::Overload) => EndCause::Overload,
            (_, Cause::Fault | Cause::Media) => EndCause::Fault,
            (_, Cause::Lost) => EndCause::NotReachable,
            _ => EndCause::Caller,
        };
        self.end(id, end);
    }

    pub(crate) fn set_state(&mut self, id: ContactId, state: State) {
        if let Some(contact) = self.contacts.get_mut(&id) {
            contact.state = state;
        }
    }

    pub(crate) fn talk(&self, id: ContactId) -> Option<&Talk> {
        match &self.contacts.get(&id)?.state {
            State::Talking(talk) => Some(talk),
            _ => None,
        }
    }

    /// The end of a contact in any state; its one `Ended`. Everybody who has a part in it is let go.
    pub(crate) fn end(&mut self, id: ContactId, cause: EndCause) {
        if self.acd.holds(id) {
            self.ask_acd(acd::Input::Leave { contact: id });
        }
        self.stop_asking(id);
        self.timers.cancel(Timer::Collect(id));
        self.timers.cancel(Timer::Moving(id));
        self.timers.cancel(Timer::Away(id));
        self.timers.cancel(Timer::Refusing(id));
        self.timers.cancel(Timer::Forward(id));
        self.timers.cancel(Timer::Minute(id));
        let unheard =
            |contact: &Contact| contact.answered.is_none() && contact.out.as_ref().is_some_and(|o| o.emergency);
        if self.contacts.get(&id).is_some_and(unheard) {
            self.tell_of_help(id, What::EmergencyFailed);
        }
        self.end_card_mode(id, CardModeEnd::CallEnded);
        self.disperse(id);
        self.end_recording(id);
        let Some(contact) = self.contacts.remove(&id) else { return };
        self.say_end(&contact, cause);
        if let Some(sound) = contact.heard.sound() {
            self.chronicle.tell_of(id, Kind::Sounded { sound });
        }
        self.chronicle.tell_of(id, Kind::Ended { cause });
        self.drop_legs(id);
        match contact.state {
            State::Talking(Talk { with, .. }) => self.done_with(with),
            State::Moving { back: Some(Back { with, leg: Some(_), .. }), .. } => self.done_with(with),
            State::Away(away) => {
                self.disengage(away.gone);
                self.done_with(away.with);
            }
            _ => {}
        }
        let owes = self.config.agents.keys().find(|agent| self.acd.contact_of(agent) == Some(id)).cloned();
        self.chronicle.close(id, owes);
    }

    /// An agent whom the distributor gave the contact to has no part in it any more.
    pub(crate) fn done_with(&mut self, with: Partner) {
        if let Partner::Agent(agent) = with {
            self.ask_acd(acd::Input::ContactDone { agent });
        }
    }

    /// Hangs up on everybody who is left.
    fn drop_legs(&mut self, id: ContactId) {
        let legs: Vec<LegId> = self.legs.iter().filter(|(_, (of, _))| *of == id).map(|(leg, _)| *leg).collect();
        for leg in legs {
            self.drop_leg(leg);
        }
    }

    /// Hangs up on a leg that has no part in its contact any more.
    pub(crate) fn drop_leg(&mut self, leg: LegId) {
        self.legs.remove(&leg);
        self.lines.hang_up(self.now, leg);
    }
}

/// How a ringing phone's end is told to the distributor.
fn offer_outcome(cause: Cause) -> OfferOutcome {
    match cause {
        Cause::NoAnswer => OfferOutcome::TimedOut,
        Cause::Busy | Cause::Forbidden | Cause::PartyHungUp | Cause::Ours => OfferOutcome::Declined,
        Cause::NotRegistered | Cause::Media | Cause::NotFound | Cause::Overload | Cause::Lost | Cause::Fault => {
            OfferOutcome::Failed
        }
    }
}

/// Why a contact ends whose called party did not answer.
pub(crate) fn end_cause(cause: Cause) -> EndCause {
    match cause {
        Cause::Busy => EndCause::Busy,
        Cause::Forbidden => EndCause::Forbidden,
        Cause::Overload => EndCause::Overload,
        Cause::Media | Cause::Fault => EndCause::Fault,
        Cause::PartyHungUp | Cause::Ours => EndCause::Agent,
        Cause::NoAnswer | Cause::NotRegistered | Cause::NotFound | Cause::Lost => EndCause::NotReachable,
    }
}
