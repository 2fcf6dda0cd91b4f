//! The wills of legs: what the next life of this process must know to take a call over when this one is killed. Each leg
//! that talks has one, which the media process keeps beside its port, for that process and its audio live on. It says how
//! the leg's dialog and session stand, and, in words of its owner's, what the leg is to it.
//!
//! A will is written anew whenever its leg was touched and something of it changed. What is not in it is begun anew by the
//! heir: transactions on their way, transfers, mixes, and the silence of a party.

use std::collections::BTreeSet;
use std::time::Instant;

use media::plane::{Command, PlayId, PortId, Sound};
use model::{Extension, LanguageId, LegId, RecordingId, TrunkId};
use serde::{Deserialize, Serialize};
use sip::endpoint::{self, Flow, Source, Transport};

use crate::calls::Calls;
use crate::identity::Arrived;
use crate::leg::Party;
use crate::legs::{Leg, Playing};
use crate::machine::State;
use crate::protect::Terms;
use crate::session::{self, Session};
use crate::trunk::{Priority, Way};

/// A port that the last life left in the media process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    pub port: PortId,
    pub local: std::net::SocketAddr,
    pub will: String,
}

/// A leg that was taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heir {
    pub leg: LegId,
    pub party: Party,
    /// The words of the last life's owner.
    pub owner: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Will {
    leg: LegId,
    party: Known,
    dialog: Dialog,
    session: session::Kept,
    /// Whom it hears.
    peer: Option<LegId>,
    playing: Option<(PlayId, Vec<Sound>, bool)>,
    /// Those that run, and whether each is paused.
    recordings: Vec<(RecordingId, bool)>,
    called: Option<String>,
    withheld: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    language: Option<LanguageId>,
    shielded: bool,
    emergency: bool,
    owner: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Known {
    Phone(Extension),
    Unproved,
    Trunk { trunk: TrunkId, user: String },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Dialog {
    call_id: String,
    local: String,
    remote: String,
    target: String,
    routes: Vec<String>,
    cseq: u32,
    remote_cseq: Option<u32>,
    takes_update: bool,
    transport: String,
    here: std::net::SocketAddr,
    there: std::net::SocketAddr,
    called_us: bool,
    lease: Option<(u32, bool)>,
}

/// What the last life's owner said of each leg, before anything is taken over.
pub fn read(left: &[Left]) -> Vec<(LegId, String)> {
    left.iter().filter_map(|one| Will::read(&one.will)).map(|will| (will.leg, will.owner)).collect()
}

impl Will {
    fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

impl Calls {
    /// Something of the leg may have changed that its will says.
    pub(crate) fn touch(&mut self, leg: LegId) {
        self.touched.insert(leg);
    }

    /// The legs whose wills may have to be written anew, since this was last asked.
    pub fn touched(&mut self) -> BTreeSet<LegId> {
        std::mem::take(&mut self.touched)
    }

    /// Writes a leg's will, with its owner's part; None: nobody is to take it over.
    pub fn entrust(&mut self, id: LegId, owner: Option<String>) {
        let will = owner.and_then(|owner| self.will(id, owner)).unwrap_or_default();
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let Some(port) = leg.port.filter(|_| leg.will != will) else { return };
        leg.will.clone_from(&will);
        self.media(Command::Will { port, will });
    }

    fn will(&self, id: LegId, owner: String) -> Option<String> {
        let leg = self.legs.get(&id).filter(|leg| leg.state == State::Up)?;
        let will = Will {
            leg: id,
            party: known(&leg.party)?,
            dialog: words(self.endpoint.keep(leg.dialog?)?),
            session: leg.session.keep()?,
            peer: self.bridges.peer(id),
            playing: leg.playing.as_ref().map(|one| (one.play, one.sounds.clone(), one.again)),
            recordings: self.recordings.running(id),
            called: leg.arrived.called.clone(),
            withheld: leg.arrived.withheld,
            language: leg.language.clone(),
            shielded: leg.shielded,
            emergency: self.channels.is_emergency(id),
            owner,
        };
        serde_json::to_string(&will).ok()
    }

    /// Takes over what the last life left. What cannot be is left alone: its audio goes on while both sides speak.
    pub fn adopt(&mut self, now: Instant, left: Vec<Left>) -> Vec<Heir> {
        let mut heirs = Vec::new();
        let mut pairs = Vec::new();
        for Left { port, local, will } in left {
            if will == crate::siprec::WILL {
                self.media(Command::Close { port });
                continue;
            }
            let Some(will) = Will::read(&will) else { continue };
            let (leg, peer, owner) = (will.leg, will.peer, will.owner.clone());
            if let Some(party) = self.take_over(now, port, local, will) {
                heirs.push(Heir { leg, party, owner });
                pairs.extend(peer.map(|peer| (leg, peer)));
            }
        }
        for (leg, peer) in &pairs {
            if pairs.contains(&(*peer, *leg)) {
                self.with_bridges(|bridges, port| bridges.stand(*leg, *peer, port));
            }
        }
        for heir in &heirs {
            // Perhaps it was about to be told something when the last life ended.
            self.reoffer(now, heir.leg);
        }
        self.drain(now);
        heirs
    }

    fn take_over(&mut self, now: Instant, port: PortId, local: std::net::SocketAddr, will: Will) -> Option<Party> {
        let (party, source) = match will.party {
            Known::Phone(phone) => (Party::Phone(phone.clone()), Source::Phone(phone.to_string())),
            Known::Unproved => (Party::Unproved, Source::Unproved),
            Known::Trunk { trunk, user } => {
                (Party::Trunk { trunk: trunk.clone(), user }, Source::Trunk(trunk.to_string()))
            }
        };
        if self.legs.contains_key(&will.leg) || self.ports.leg(port).is_some() {
            return None;
        }
        let kept = kept(will.dialog, source)?;
        let terms: Terms = self.terms(&party, &[kept.flow.transport]).of_emergency(will.emergency);
        let session = Session::restored(will.session, terms)?;
        let remote = session.remote().cloned()?;
        let dialog = self.endpoint.restore(now, &kept)?;
        if let Party::Trunk { trunk, .. } = &party {
            let way = if kept.called_us { Way::In } else { Way::Out };
            let priority = if will.emergency { Priority::Emergency } else { Priority::Ordinary };
            self.channels.occupy(trunk, will.leg, (way, priority));
        }
        let mut leg = Leg::new(party.clone(), State::Up, session);
        leg.dialog = Some(dialog);
        leg.port = Some(port);
        leg.connected = Some((port, remote));
        leg.playing = will.playing.map(|(play, sounds, again)| Playing { play, sounds, again });
        leg.arrived = Arrived { called: will.called, withheld: will.withheld };
        (leg.shielded, leg.language) = (will.shielded, will.language);
        self.play_last = self.play_last.max(leg.playing.as_ref().map_or(0, |playing| playing.play.0));
        self.dialogs.insert(dialog, will.leg);
        self.ports.stand(port, will.leg, local);
        self.legs.insert(will.leg, leg);
        for (recording, paused) in will.recordings {
            self.recordings.stand(recording, will.leg, paused);
        }
        self.media(Command::Adopt { port });
        Some(party)
    }
}

fn known(party: &Party) -> Option<Known> {
    Some(match party {
        Party::Phone(phone) => Known::Phone(phone.clone()),
        Party::Unproved => Known::Unproved,
        Party::Trunk { trunk, user } => Known::Trunk { trunk: trunk.clone(), user: user.clone() },
        // The path between the sites ends with the process that knew it.
        Party::Tunnel(_) => return None,
    })
}

fn words(kept: endpoint::Kept) -> Dialog {
    Dialog {
        call_id: kept.call_id,
        local: kept.local,
        remote: kept.remote,
        target: kept.target,
        routes: kept.routes,
        cseq: kept.cseq,
        remote_cseq: kept.remote_cseq,
        takes_update: kept.takes_update,
        transport: kept.flow.transport.via().to_owned(),
        here: kept.flow.local,
        there: kept.flow.remote,
        called_us: kept.called_us,
        lease: kept.lease,
    }
}

fn kept(words: Dialog, source: Source) -> Option<endpoint::Kept> {
    let transport = Transport::ALL.into_iter().find(|transport| transport.via() == words.transport)?;
    Some(endpoint::Kept {
        source,
        call_id: words.call_id,
        local: words.local,
        remote: words.remote,
        target: words.target,
        routes: words.routes,
        cseq: words.cseq,
        remote_cseq: words.remote_cseq,
        takes_update: words.takes_update,
        flow: Flow { transport, local: words.here, remote: words.there, connection: 0 },
        called_us: words.called_us,
        lease: words.lease,
    })
}
