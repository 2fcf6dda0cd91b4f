//! One customer's visit (or one call that begins inside): what it is, and where it stands.

use std::time::Instant;

use call::leg::{Caller, Forwarded};
use call::plane::PlayId;
use model::{
    AgentId, ContactId, Extension, FlowId, LegId, Number, OverflowId, QueueId, RecordingId, SiteId, TrunkId,
    fact::{EndCause, RecordingMissing},
    routing::Asks,
};

use crate::{
    Floor, Output,
    away::Away,
    callback::Callback,
    company::Company,
    flow::{GoesOn, Walk},
    lines::Lines,
    overflow,
    sound::Heard,
};

#[derive(Debug)]
pub(crate) struct Contact {
    /// Shown to whoever is rung. Personal data.
    pub card: Caller,
    /// The leg of who called: a caller, a phone that dialled, or the tunnel of another site's caller.
    pub leg: Option<LegId>,
    /// That leg has been answered.
    pub up: bool,
    /// What the flow shows to agents. Personal data.
    pub shown: Vec<(String, String)>,
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
    /// The walk through a flow that goes on later.
    pub goes_on: Option<GoesOn>,
    /// Where it goes when nobody answers at the phone that an emergency centre calls back.
    pub otherwise: Option<FlowId>,
    /// The contact is another site's.
    pub guest: Option<overflow::Guest>,
    /// Whose keypresses are kept from the other side.
    pub card_mode: Option<LegId>,
    /// One that failed: a recording server may still have its copy.
    pub lost: Option<RecordingId>,
    /// Why it is not recorded, as it was told last.
    pub unrecorded: Option<RecordingMissing>,
    /// Until then the agent keeps the talk out of the recording.
    pub paused: Option<Instant>,
    pub callback: Callback,
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
    /// Somebody out there has answered.
    pub answered: bool,
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
    InFlow(Walk),
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
    /// The caller has hung up and is called back when it is the contact's turn.
    Promised,
    /// The agent is there, and the customer, whose leg is the contact's, is being called.
    CallingBack {
        agent: AgentId,
        leg: LegId,
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
    /// What is told of a pause or an end: the recording that runs, and one that goes on elsewhere alone.
    pub fn recordings(&self) -> impl Iterator<Item = RecordingId> + use<> {
        self.recording.into_iter().chain(self.lost)
    }

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
    pub(crate) fn set_state(&mut self, id: ContactId, state: State) {
        if let Some(contact) = self.contacts.get_mut(&id) {
            contact.state = state;
        }
    }

    /// What is known of who called, as it stands now.
    pub(crate) fn tell_person(&mut self, id: ContactId) {
        let Some(contact) = self.contacts.get(&id) else { return };
        let (caller, shown) = (contact.card.clone(), contact.shown.clone());
        let call_back = contact.callback.promise().map(|promise| promise.number.clone());
        self.chronicle.put(Output::Personal { contact: id, caller, call_back, shown });
    }

    pub(crate) fn talk(&self, id: ContactId) -> Option<&Talk> {
        match &self.contacts.get(&id)?.state {
            State::Talking(talk) => Some(talk),
            _ => None,
        }
    }
}
