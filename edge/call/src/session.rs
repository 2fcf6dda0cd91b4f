//! Offer and answer of one leg (RFC 3264): what the peer can hear and where, what it was told of us, and whether it
//! must be told anew. One offer is open at a time; the endpoint sees to glare.

use std::net::SocketAddr;

use bytes::Bytes;
use media::dtls::Fingerprint;
use media::plane::{Codec, Payload, Remote};
use media::sdp::{self, Audio, Direction, Ours, Shown};
use rand_chacha::rand_core::Rng;

use crate::hold::{self, Holds};
use crate::port::{self, Ports};
use crate::protect::{self, Protector, Words};

mod kept;

pub use kept::Kept;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the session description is refused: {0}")]
    Sdp(#[from] sdp::Error),
    #[error(transparent)]
    Target(#[from] port::Error),
    #[error(transparent)]
    Protection(#[from] protect::Error),
    #[error("it names no address to send to")]
    NoTarget,
}

impl Error {
    /// The counter's name.
    pub fn counter(&self) -> &'static str {
        match self {
            Error::Sdp(_) => "sdp",
            Error::Target(_) | Error::NoTarget => "sdp_target",
            Error::Protection(_) => "sdp_protection",
        }
    }
}

/// What became of our re-INVITE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reanswered {
    Agreed,
    /// Refused; worth another try after a pause.
    Again,
    /// Refused for good; the old session stands and will do.
    GivenUp,
    /// Refused for good, and the old session is of no use: our audio is elsewhere.
    Broken,
}

/// How often a refused re-INVITE is sent before we give up.
const TRIES_MAX: u8 = 3;

/// Which part of an exchange a description of theirs is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Offer,
    Answer,
}

/// What a description of ours said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Said {
    local: SocketAddr,
    wish: Direction,
}

#[derive(Debug)]
pub struct Session {
    /// RFC 8866 §5.2: o= id and version.
    id: u64,
    version: u64,
    /// The peer is declared behind NAT.
    learn: bool,
    protector: Protector,
    /// In the order of preference; empty for all.
    codecs: Vec<Codec>,
    holds: Holds,
    /// Their last description.
    theirs: Option<Audio>,
    /// The same, as they wrote it.
    heard: Bytes,
    /// What it says of itself.
    direction: Direction,
    remote: Option<Remote>,
    /// The last description that we sent and the peer did not refuse.
    told: Option<Said>,
    /// Our re-INVITE that is not answered yet.
    asked: Option<Said>,
    tries: u8,
    last: Option<Bytes>,
}

impl Session {
    pub fn new(id: u64, learn: bool, protector: Protector) -> Self {
        Self {
            id,
            version: 0,
            learn,
            protector,
            codecs: Vec::new(),
            holds: Holds::default(),
            theirs: None,
            heard: Bytes::new(),
            direction: Direction::SendRecv,
            remote: None,
            told: None,
            asked: None,
            tries: 0,
            last: None,
        }
    }

    /// Speaks these codecs alone (RFC 3551 names); a name that is none of ours is passed over.
    pub fn speaking(mut self, names: &[String]) -> Self {
        let all = [("PCMA", Codec::Pcma), ("PCMU", Codec::Pcmu), ("G722", Codec::G722), ("opus", Codec::Opus)];
        let known =
            |name: &String| all.iter().find(|(ours, _)| name.eq_ignore_ascii_case(ours)).map(|(_, codec)| *codec);
        self.codecs = names.iter().filter_map(known).collect();
        self
    }

    /// Offers the codec of whom it will talk to before all others, where it may be spoken at all; a law of G.711 stands
    /// before them anyway.
    pub fn meeting(mut self, codec: Option<Codec>) -> Self {
        let Some(codec) = codec.filter(|codec| !codec.is_g711()) else { return self };
        let all = if self.codecs.is_empty() { sdp::PREFERRED.to_vec() } else { std::mem::take(&mut self.codecs) };
        let (mut first, rest): (Vec<Codec>, Vec<Codec>) = all.into_iter().partition(|one| *one == codec);
        first.extend(rest);
        self.codecs = first;
        self
    }

    /// The media process is a new one.
    pub fn renew(&mut self, certificate: Option<Fingerprint>, rng: &mut impl Rng) {
        // The peer must hear of it, even when the address is the same.
        if self.protector.renew(certificate, rng) {
            self.told = None;
        }
    }

    pub fn holds(&self) -> Holds {
        self.holds
    }

    pub fn remote(&self) -> Option<&Remote> {
        self.remote.as_ref()
    }

    /// Whether they say that they send anything.
    pub fn is_sent(&self) -> bool {
        matches!(self.direction, Direction::SendRecv | Direction::SendOnly)
    }

    /// Whether there is a description of theirs to answer.
    pub fn has_offer(&self) -> bool {
        self.theirs.is_some()
    }

    /// The last description that we sent in the initial exchange.
    pub fn last(&self) -> Option<Bytes> {
        self.last.clone()
    }

    pub fn hold(&mut self, held: bool) {
        self.holds.by_us = held;
        self.tries = 0;
    }

    /// Takes their offer or answer. Refused, nothing has changed.
    pub fn hear(&mut self, part: Part, text: &[u8], ports: &Ports) -> Result<(), Error> {
        let audio = sdp::parse(text)?.audio_of(&self.codecs)?;
        let agreed = match part {
            Part::Offer => self.protector.offered(&audio)?,
            Part::Answer => self.protector.answered(&audio)?,
        };
        let mut target = audio.remote(self.learn, agreed.mux, agreed.security.clone());
        if let Some(remote) = target.as_mut().filter(|remote| remote.codec == Codec::Opus) {
            // RFC 3264 §5.1, §6.1: each side sends as what the other one named it. Our answer repeats their number.
            let received = match part {
                Part::Offer => audio.payload_type(),
                Part::Answer => Codec::Opus.payload_type(),
            };
            remote.payload = Some(Payload { sent: audio.payload_type(), received });
        }
        let has_address = target.is_some();
        match target {
            Some(remote) => {
                // Where ICE finds the party, nothing is sent that its password did not ask for.
                if !audio.has_ice() {
                    ports.permits(remote.addr)?;
                }
                self.remote = Some(remote);
            }
            // The hold of RFC 2543 (c=0.0.0.0) names no address: the one we know is kept.
            None => match self.remote.as_mut() {
                Some(remote) => remote.security = agreed.security.clone(),
                None => return Err(Error::NoTarget),
            },
        }
        self.protector.take(&agreed);
        self.direction = hold::offered(audio.direction, has_address);
        self.holds.by_them = !hold::receives(self.direction);
        self.theirs = Some(audio);
        self.heard = Bytes::copy_from_slice(text);
        Ok(())
    }

    /// Our offer, in an INVITE or in the 2xx to one without.
    pub fn offer(&mut self, local: SocketAddr) -> Bytes {
        let said = self.say(local);
        self.told = Some(said);
        self.describe_offer(said)
    }

    /// What the browsers among a party's devices are offered in place of `offer`, which is asked for first.
    pub fn offer_to_browsers(&self, local: SocketAddr) -> Option<Bytes> {
        let words = self.protector.offer_to_browsers()?;
        Some(self.write_offer(words, Said { local, wish: self.holds.wish() }))
    }

    /// Two offers are out: what is heard before the answer may be of one that does not answer.
    pub fn is_open(&self) -> bool {
        self.protector.is_open()
    }

    /// Our answer to what they offered last, or our offer to who has said nothing.
    pub fn answer(&mut self, local: SocketAddr) -> Bytes {
        let said = self.say(local);
        self.told = Some(said);
        match &self.theirs {
            Some(theirs) => {
                let direction = hold::answer(self.direction, said.wish);
                let ours = speak(self.protector.answer(), local, direction);
                let ours = Ours { id: self.id, version: self.version, shown: ours.1.as_ref(), ..ours.0 };
                let text = Bytes::from(sdp::answer(theirs, &ours));
                self.last = Some(text.clone());
                text
            }
            None => {
                let offer = self.describe_offer(said);
                self.last = Some(offer.clone());
                offer
            }
        }
    }

    /// The offer of a re-INVITE, when the peer must be told something and no other offer is open.
    pub fn reoffer(&mut self, local: SocketAddr) -> Option<Bytes> {
        let said = Said { local, wish: self.holds.wish() };
        if self.asked.is_some() || self.told == Some(said) {
            return None;
        }
        self.version = self.version.wrapping_add(1);
        self.asked = Some(said);
        Some(self.describe_offer(said))
    }

    /// The offer of a re-INVITE whatever has changed, when no other one is open.
    pub fn offer_anew(&mut self, local: SocketAddr) -> Option<Bytes> {
        if self.asked.is_some() {
            return None;
        }
        let said = self.say(local);
        self.asked = Some(said);
        Some(self.describe_offer(said))
    }

    /// Whether `probe` has something to say.
    pub fn can_probe(&self) -> bool {
        self.told.is_some() && self.asked.is_none()
    }

    /// The same description again, when no offer is open: only to learn whether the peer still answers (RFC 3264 §8:
    /// an unchanged description keeps its version).
    pub fn probe(&mut self) -> Option<Bytes> {
        let told = self.told.filter(|_| self.asked.is_none())?;
        self.asked = Some(told);
        Some(self.describe_offer(told))
    }

    /// The outcome of `reoffer` or `probe`; None when it was refused.
    pub fn reanswered(&mut self, text: Option<&[u8]>, ports: &Ports) -> Reanswered {
        let Some(asked) = self.asked.take() else { return Reanswered::GivenUp };
        match text.map(|text| self.hear(Part::Answer, text, ports)) {
            Some(Ok(())) => {
                self.told = Some(asked);
                self.tries = 0;
                Reanswered::Agreed
            }
            Some(Err(_)) => Reanswered::Broken,
            None => self.refused(asked),
        }
    }

    fn refused(&mut self, asked: Said) -> Reanswered {
        if self.told == Some(asked) {
            return Reanswered::GivenUp;
        }
        self.tries = self.tries.saturating_add(1);
        if self.tries < TRIES_MAX {
            return Reanswered::Again;
        }
        self.tries = 0;
        if self.told.is_some_and(|told| told.local != asked.local) {
            return Reanswered::Broken;
        }
        self.told = Some(asked);
        Reanswered::GivenUp
    }

    fn say(&mut self, local: SocketAddr) -> Said {
        self.version = self.version.wrapping_add(1);
        Said { local, wish: self.holds.wish() }
    }

    fn describe_offer(&mut self, said: Said) -> Bytes {
        let text = self.write_offer(self.protector.offer(), said);
        self.last = Some(text.clone());
        text
    }

    fn write_offer(&self, words: Words<'_>, said: Said) -> Bytes {
        let (ours, shown) = speak(words, said.local, said.wish);
        let (id, version) = (self.id, self.version);
        Bytes::from(sdp::offer(&Ours { id, version, codecs: &self.codecs, shown: shown.as_ref(), ..ours }))
    }
}

/// Without what it shows, which the caller keeps for as long as the text is written.
fn speak(words: Words<'_>, local: SocketAddr, direction: Direction) -> (Ours<'_>, Option<Shown>) {
    let Words { profile, cryptos, shown, mux, bundle } = words;
    (Ours { profile, cryptos, mux, bundle, ..Ours::clear(local, direction, 0, 0) }, shown)
}
