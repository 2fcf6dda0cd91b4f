//! The overflow calls of this box, as far as *sync* knows them: it puts keys into what *calls* says, verifies what
//! comes, checks the passport at this end too, and opens and closes the tunnels.

use std::{collections::BTreeMap, io, net::SocketAddr, sync::Arc};

use link::{Trust, identity::Identity};
use model::{
    Number, OverflowId, SiteId,
    config::Locality,
    overflow::{Kind, Passport, Refusal, Signal},
};
use tokio::sync::mpsc;
use wire::media::flow_of;

use super::{
    keys::{self, Ephemeral, Keys, Role},
    local::Wake,
    now,
    seal::{self, Opener, Sealer},
    tunnel::{Event, Opening, Road, Tunnel},
};

/// Overflow calls of one box at one time.
pub const CALLS_MAX: usize = 128;

struct Call {
    role: Role,
    peer: SiteId,
    passport: Passport,
    ours: Ephemeral,
    theirs: Option<[u8; 32]>,
    keys: Option<Keys>,
    tunnel: Option<Tunnel>,
    /// The keys are in the tunnel.
    unlocked: bool,
}

/// What follows from a signal.
#[derive(Debug, PartialEq)]
pub enum Say {
    ToCalls(Wake),
    ToCloud(Signal),
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Key(#[from] keys::Error),
    #[error(transparent)]
    Seal(#[from] seal::Error),
    #[error("there is no such call")]
    Unknown,
    #[error("a tunnel: {0}")]
    Socket(#[from] io::Error),
}

pub struct Overflows {
    identity: Arc<Identity>,
    trust: Trust,
    road: Arc<Road>,
    calls: BTreeMap<OverflowId, Call>,
    events: mpsc::Sender<Event>,
}

impl Overflows {
    pub fn new(identity: Arc<Identity>, road: Arc<Road>, events: mpsc::Sender<Event>) -> Result<Self, rustls::Error> {
        let trust = Trust::new(&identity.ca)?;
        Ok(Self { identity, trust, road, calls: BTreeMap::new(), events })
    }

    /// After a renewal.
    pub fn identity(&mut self, identity: Arc<Identity>) -> Result<(), rustls::Error> {
        self.trust = Trust::new(&identity.ca)?;
        self.identity = identity;
        Ok(())
    }

    /// A signal of *calls*, with what it becomes.
    pub fn outgoing(&mut self, mut signal: Signal) -> Vec<Say> {
        match self.prepare(&mut signal) {
            Ok(()) => vec![Say::ToCloud(signal)],
            Err(reason) => vec![Say::ToCalls(Wake::Signal { signal: refusal(&signal, reason) })],
        }
    }

    fn prepare(&mut self, signal: &mut Signal) -> Result<(), Refusal> {
        if signal.from != self.identity.peer.site {
            return Err(Refusal::NotAllowed);
        }
        match signal.kind.clone() {
            Kind::Offer { queue, passport, .. } => {
                allowed(&passport)?;
                let call = self.begin(signal, Role::Origin, &passport)?;
                let key = keys::public(&self.identity, signal, Role::Origin, &call.ours, None);
                let key = key.map_err(|error| bad_key(&error))?;
                signal.kind = Kind::Offer { queue, passport, key };
                self.calls.insert(signal.overflow, call);
            }
            Kind::Accept { .. } => {
                let call = self.calls.get_mut(&signal.overflow).filter(|call| call.role == Role::Helper);
                let call = call.ok_or(Refusal::NotAllowed)?;
                let theirs = call.theirs.ok_or(Refusal::BadKey)?;
                let key = keys::public(&self.identity, signal, Role::Helper, &call.ours, Some(&theirs));
                let key = key.map_err(|error| bad_key(&error))?;
                let agreed = call.ours.agree(Role::Helper, &theirs, signal.overflow);
                call.keys = Some(agreed.map_err(|error| bad_key(&error))?);
                signal.kind = Kind::Accept { key };
            }
            Kind::Ringing => {}
            Kind::Refuse { .. } | Kind::End => {
                self.calls.remove(&signal.overflow);
            }
        }
        Ok(())
    }

    /// A signal of another site, through the cloud, which is not believed in anything.
    pub fn incoming(&mut self, signal: Signal) -> Vec<Say> {
        if signal.to != self.identity.peer.site {
            return vec![];
        }
        match self.check(&signal) {
            Ok(true) => vec![Say::ToCalls(Wake::Signal { signal })],
            Ok(false) => vec![],
            Err(reason) => self.turn_down(&signal, reason),
        }
    }

    fn turn_down(&mut self, signal: &Signal, reason: Refusal) -> Vec<Say> {
        let mut say = vec![Say::ToCloud(refusal(signal, reason))];
        if let Kind::Accept { .. } = signal.kind
            && self.calls.remove(&signal.overflow).is_some()
        {
            say = vec![
                Say::ToCloud(Signal { kind: Kind::End, ..refusal(signal, reason) }),
                Say::ToCalls(Wake::PathLost { overflow: signal.overflow }),
            ];
        }
        say
    }

    fn check(&mut self, signal: &Signal) -> Result<bool, Refusal> {
        let now_s = u64::try_from(now().0 / 1000).unwrap_or(0);
        match &signal.kind {
            Kind::Offer { passport, key, .. } => {
                allowed(passport)?;
                let mut call = self.begin(signal, Role::Helper, passport)?;
                let theirs = keys::verified(&self.trust, signal, Role::Origin, key, None, now_s);
                call.theirs = Some(theirs.map_err(|error| bad_key(&error))?);
                self.calls.insert(signal.overflow, call);
                Ok(true)
            }
            kind => {
                let call = self.calls.get_mut(&signal.overflow).filter(|call| call.peer == signal.from);
                let Some(call) = call else { return Ok(false) };
                match kind {
                    Kind::Accept { key } if call.role == Role::Origin && call.keys.is_none() => {
                        let ours = Some(&call.ours.public);
                        let theirs = keys::verified(&self.trust, signal, Role::Helper, key, ours, now_s);
                        let theirs = theirs.map_err(|error| bad_key(&error))?;
                        let agreed = call.ours.agree(Role::Origin, &theirs, signal.overflow);
                        call.keys = Some(agreed.map_err(|error| bad_key(&error))?);
                    }
                    Kind::Accept { .. } => return Ok(false),
                    Kind::Refuse { .. } | Kind::End => {
                        self.calls.remove(&signal.overflow);
                    }
                    Kind::Ringing | Kind::Offer { .. } => {}
                }
                Ok(true)
            }
        }
    }

    fn begin(&self, signal: &Signal, role: Role, passport: &Passport) -> Result<Call, Refusal> {
        if self.calls.contains_key(&signal.overflow) {
            return Err(Refusal::NotAllowed);
        }
        if self.calls.len() >= CALLS_MAX {
            return Err(Refusal::Overload);
        }
        let peer = if role == Role::Origin { signal.to.clone() } else { signal.from.clone() };
        let ours = Ephemeral::generate().map_err(|error| bad_key(&error))?;
        let passport = passport.clone();
        Ok(Call { role, peer, passport, ours, theirs: None, keys: None, tunnel: None, unlocked: false })
    }

    /// Opens the loopback socket of a call, and says where it is.
    pub async fn open(
        &mut self,
        overflow: OverflowId,
        media: SocketAddr,
        caller: Option<Number>,
    ) -> Result<SocketAddr, Error> {
        let call = self.calls.get_mut(&overflow).ok_or(Error::Unknown)?;
        // N-11: the number travels only when the passport shows it, and only from its origin.
        let shown = call.passport.show_number;
        let caller = caller.filter(|_| shown && call.role == Role::Origin);
        let show_number = shown && call.role == Role::Helper;
        let opening = Opening { overflow, media, caller, show_number };
        let tunnel = Tunnel::open(self.road.clone(), opening, self.events.clone()).await?;
        let addr = tunnel.addr;
        (call.tunnel, call.unlocked) = (Some(tunnel), false);
        Ok(addr)
    }

    /// Calls whose keys are agreed and whose tunnel waits for them. Media leaves with [`Overflows::unlock`].
    pub fn ready(&self) -> Vec<OverflowId> {
        let ready = |call: &Call| call.keys.is_some() && call.tunnel.is_some() && !call.unlocked;
        self.calls.iter().filter(|(_, call)| ready(call)).map(|(overflow, _)| *overflow).collect()
    }

    pub fn unlock(&mut self, overflow: OverflowId) -> Result<(), Error> {
        let call = self.calls.get_mut(&overflow).ok_or(Error::Unknown)?;
        let (Some(keys), Some(tunnel)) = (&call.keys, &call.tunnel) else { return Err(Error::Unknown) };
        let (out, back) = match call.role {
            Role::Origin => (&keys.origin_to_helper, &keys.helper_to_origin),
            Role::Helper => (&keys.helper_to_origin, &keys.origin_to_helper),
        };
        let flow = flow_of(overflow);
        tunnel.unlock(Sealer::new(out, flow)?, Opener::new(back, flow)?);
        // A second tunnel of the same call would begin to count again under the same key.
        (call.unlocked, call.keys) = (true, None);
        Ok(())
    }

    pub fn forget(&mut self, overflow: OverflowId) {
        self.calls.remove(&overflow);
    }

    pub fn len(&self) -> usize {
        self.calls.len()
    }

    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }
}

/// Checked at both ends: a label that keeps a call at home, or a second hop, goes nowhere (S-90, S-91).
fn allowed(passport: &Passport) -> Result<(), Refusal> {
    if passport.locality == Locality::MayLeave && passport.hops == 0 { Ok(()) } else { Err(Refusal::NotAllowed) }
}

/// The answer in the name of the other side.
pub fn refusal(signal: &Signal, reason: Refusal) -> Signal {
    let Signal { overflow, from, to, .. } = signal.clone();
    Signal { overflow, from: to, to: from, kind: Kind::Refuse { reason } }
}

fn bad_key(error: &keys::Error) -> Refusal {
    tracing::warn!(%error, "an overflow call without a good key");
    Refusal::BadKey
}
