//! What is kept of one leg.

use media::plane::{PlayId, PortId, Remote, Sound};
use model::{LanguageId, LegId};
use sip::endpoint::{DialogId, Invite};

use crate::identity::Arrived;
use crate::leg::Party;
use crate::machine::State;
use crate::session::Session;

#[derive(Debug)]
pub struct Leg {
    pub party: Party,
    pub state: State,
    /// None before our INVITE, and for a tunnel.
    pub dialog: Option<DialogId>,
    pub port: Option<PortId>,
    pub session: Session,
    /// Which port media was told to connect, and where.
    pub connected: Option<(PortId, Remote)>,
    /// A tunnel's other end.
    pub tunnel: Option<Remote>,
    pub playing: Option<Playing>,
    /// Our INVITE, until it is sent.
    pub invite: Option<Invite>,
    pub ringback: Ringback,
    /// What is told of it should it be sent on to a trunk.
    pub arrived: Arrived,
    /// A caller that acknowledges progress: our offer may stand there.
    pub acknowledges: bool,
    /// What prompts to its party are spoken in; None: the house's own.
    pub language: Option<LanguageId>,
    /// Card mode: kept, so that a new port has it too.
    pub shielded: bool,
    /// As media has it.
    pub will: String,
}

/// What a leg hears from us, kept so that a new media process can go on with it.
#[derive(Debug, Clone)]
pub struct Playing {
    pub play: PlayId,
    pub sounds: Vec<Sound>,
    pub again: bool,
}

/// Who waits for this dialled leg and hears it ring.
#[derive(Debug, Default)]
pub struct Ringback {
    pub to: Option<LegId>,
    /// The tone that plays there, if it is ours.
    pub tone: Option<PlayId>,
}

impl Leg {
    pub fn new(party: Party, state: State, session: Session) -> Self {
        Self {
            party,
            state,
            dialog: None,
            port: None,
            session,
            connected: None,
            tunnel: None,
            playing: None,
            invite: None,
            ringback: Ringback::default(),
            arrived: Arrived::default(),
            acknowledges: false,
            language: None,
            shielded: false,
            will: String::new(),
        }
    }

    pub fn is_tunnel(&self) -> bool {
        matches!(self.party, Party::Tunnel(_))
    }

    /// Where our audio for this party goes, as far as it is known.
    pub fn remote(&self) -> Option<&Remote> {
        if self.is_tunnel() { self.tunnel.as_ref() } else { self.session.remote() }
    }
}
