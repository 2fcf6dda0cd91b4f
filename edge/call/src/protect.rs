//! What protects a leg's audio: what its policy asks for at least, what was offered, what was agreed. The floor holds in
//! every exchange of a leg's life, and a leg that was protected once never goes on in clear (S-25).

use media::dtls::Fingerprint;
use media::plane::{Handshake, Ice, Security};
use media::sdp::{Audio, Credentials, Crypto, Profile, Setup, Shown};
use media::srtp::{Keys, MASTER_LEN_MAX, Master, Suite};
use model::config::Protection;
use rand_chacha::rand_core::Rng;
use sip::endpoint::Transport;

/// The name of our only line in a bundle that we offer.
const LINE: &str = "0";

/// A leg's floor, and whether its keys may be spoken of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    pub protection: Protection,
    /// Nobody else can read this leg's signalling.
    pub private: bool,
    /// Of the certificate that our media process shows; None: it makes no handshakes.
    pub certificate: Option<Fingerprint>,
    pub speaks: Speaks,
}

/// What the devices of a party understand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaks {
    Telephone,
    /// Browsers: nothing but WebRTC (RFC 8834).
    Browser,
    /// One rings beside the other, and each is offered its own.
    Either,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("audio must be protected here, and this would not be")]
    Unprotected,
    #[error("keys may not go in signalling that others can read")]
    Exposed,
    #[error("it brings no key or fingerprint that can be used")]
    NoKey,
    #[error("the answer is not one to our offer")]
    NotOffered,
}

impl Terms {
    pub const CLEAR: Terms =
        Terms { protection: Protection::Clear, private: false, certificate: None, speaks: Speaks::Telephone };

    /// Of an emergency call, which depends on no policy: what can be protected is, and what cannot goes on.
    pub fn of_emergency(self, emergency: bool) -> Self {
        if emergency && self.must() { Self { protection: Protection::Preferred, ..self } } else { self }
    }

    fn must(self) -> bool {
        matches!(self.protection, Protection::Required | Protection::RequiredOpenly)
    }

    fn may_key(self) -> bool {
        self.private || self.protection == Protection::RequiredOpenly
    }

    /// Of a party that is reached over these transports. `private` is about those that a telephone speaks over: a
    /// browser's keys are not in its signalling.
    pub fn over(self, carriers: &[Transport]) -> Self {
        let (browsers, telephones): (Vec<Transport>, Vec<Transport>) =
            carriers.iter().partition(|carrier| carrier.is_websocket());
        let keyed = if telephones.is_empty() { &browsers } else { &telephones };
        let private = !keyed.is_empty() && keyed.iter().all(|carrier| carrier.is_secure());
        let terms = Self { private, ..self };
        let speaks = match (browsers.is_empty(), telephones.is_empty()) {
            (true, _) => Speaks::Telephone,
            (false, true) => Speaks::Browser,
            // A device that cannot be offered what it may have is left out: it refuses what the other understands.
            (false, false) if !terms.telephone_can_be_met() => Speaks::Browser,
            (false, false) if terms.certificate.is_none() => Speaks::Telephone,
            (false, false) => Speaks::Either,
        };
        Self { speaks, ..terms }
    }

    fn telephone_can_be_met(self) -> bool {
        !self.must() || self.may_key()
    }

    /// Whether we can offer such a leg any audio at all.
    pub fn can_be_met(self) -> bool {
        match self.speaks {
            Speaks::Browser => self.certificate.is_some(),
            Speaks::Telephone | Speaks::Either => self.telephone_can_be_met(),
        }
    }

    /// What we offer first.
    fn profile(self) -> Profile {
        match (self.speaks, self.must()) {
            (Speaks::Browser, _) => Profile::TlsSavpf,
            (_, true) => Profile::Savp,
            (_, false) => Profile::Avp,
        }
    }
}

/// One leg's protection.
#[derive(Debug)]
pub struct Protector {
    terms: Terms,
    /// One line of ours for each suite, in the order we offer them. The keys stay for the leg's life, so that a new
    /// exchange does not begin a stream anew.
    ours: Vec<Crypto>,
    /// Ours, for a party that speaks ICE.
    credentials: Option<Credentials>,
    /// What stands since something was agreed.
    agreed: Option<Agreed>,
    /// Something was protected: from here on everything is.
    latched: bool,
}

/// What an exchange comes to, before it is taken.
#[derive(Debug, Clone)]
pub struct Agreed {
    pub security: Security,
    /// Reports share the port.
    pub mux: bool,
    profile: Profile,
    answer: Option<Crypto>,
    shown: Option<Shown>,
    bundle: Option<String>,
}

/// How a description of ours speaks of protection.
#[derive(Debug, Clone)]
pub struct Words<'a> {
    pub profile: Profile,
    pub cryptos: &'a [Crypto],
    pub shown: Option<Shown>,
    pub mux: bool,
    pub bundle: Option<&'a str>,
}

impl Protector {
    /// `rng` makes keys, where any may be needed.
    pub fn new(terms: Terms, rng: &mut impl Rng) -> Self {
        let suites: &[Suite] = if terms.may_key() { &Suite::ALL } else { &[] };
        let ours = (1..).zip(suites).filter_map(|(tag, suite)| {
            let mut bytes = [0; MASTER_LEN_MAX];
            rng.fill_bytes(&mut bytes);
            Some(Crypto { tag, master: Master::new(*suite, bytes.get(..suite.master_len())?)? })
        });
        let ours = ours.collect();
        let credentials = terms.certificate.and_then(|_| credentials(rng));
        Self { terms, ours, credentials, agreed: None, latched: false }
    }

    /// The media process is a new one: another certificate, and another end of ICE. True when the peer was told of the
    /// old ones.
    pub fn renew(&mut self, certificate: Option<Fingerprint>, rng: &mut impl Rng) -> bool {
        self.terms.certificate = certificate;
        self.credentials = certificate.and_then(|_| credentials(rng));
        self.agreed.as_ref().is_some_and(|agreed| agreed.profile.is_handshake())
    }

    /// Our offer; the telephones' where browsers ring beside them.
    pub fn offer(&self) -> Words<'_> {
        let agreed = self.agreed.as_ref();
        let profile = agreed.map_or_else(|| self.terms.profile(), |agreed| agreed.profile);
        if profile.is_handshake() {
            let Some(agreed) = agreed else { return self.webrtc() };
            let shown = self.shown(Setup::ActPass, uses_ice(&agreed.security));
            return Words { profile, cryptos: &[], shown, mux: agreed.mux, bundle: agreed.bundle.as_deref() };
        }
        let keys = self.latched || self.terms.protection != Protection::Clear;
        let mux = agreed.is_some_and(|agreed| agreed.mux);
        Words { profile, cryptos: if keys { &self.ours } else { &[] }, shown: None, mux, bundle: None }
    }

    /// What browsers are offered, where telephones ring beside them.
    pub fn offer_to_browsers(&self) -> Option<Words<'_>> {
        self.is_open().then(|| self.webrtc())
    }

    /// Two offers are out, and nobody has taken one.
    pub fn is_open(&self) -> bool {
        self.terms.speaks == Speaks::Either && self.agreed.is_none()
    }

    fn webrtc(&self) -> Words<'_> {
        let shown = self.shown(Setup::ActPass, true);
        Words { profile: Profile::TlsSavpf, cryptos: &[], shown, mux: true, bundle: Some(LINE) }
    }

    /// Our answer to what was taken last.
    pub fn answer(&self) -> Words<'_> {
        let agreed = self.agreed.as_ref();
        Words {
            profile: agreed.map_or(Profile::Avp, |agreed| agreed.profile),
            cryptos: agreed.map_or(&[], |agreed| agreed.answer.as_slice()),
            shown: agreed.and_then(|agreed| agreed.shown.clone()),
            mux: agreed.is_some_and(|agreed| agreed.mux),
            bundle: agreed.and_then(|agreed| agreed.bundle.as_deref()),
        }
    }

    fn shown(&self, setup: Setup, with_ice: bool) -> Option<Shown> {
        let ice = self.credentials.clone().filter(|_| with_ice);
        Some(Shown { fingerprint: self.terms.certificate?, setup, ice })
    }

    /// What their offer comes to.
    pub fn offered(&self, theirs: &Audio) -> Result<Agreed, Error> {
        if theirs.profile.is_handshake() {
            return self.offered_handshake(theirs);
        }
        let keyed = theirs.profile.is_protected();
        let wanted = keyed || self.latched || self.terms.protection != Protection::Clear;
        if keyed && !self.terms.may_key() {
            return Err(Error::Exposed);
        }
        // RFC 4568 §5.1.2: the first of theirs that we can use.
        let line = theirs.cryptos.first().filter(|_| wanted && self.terms.may_key());
        let Some(line) = line else {
            return if keyed { Err(Error::NoKey) } else { self.clear(theirs, theirs.mux) };
        };
        let ours = self.ours.iter().find(|ours| ours.master.suite() == line.master.suite()).ok_or(Error::NoKey)?;
        let answer = Crypto { tag: line.tag, master: ours.master.clone() };
        Ok(Agreed { answer: Some(answer), ..Agreed::of(theirs, keys(ours, line)?, theirs.mux) })
    }

    /// RFC 5763 §5: who may choose lets us wait; so it is the browser that begins, on the path it has chosen. Only of
    /// parties that speak ICE: the others are telephones whose RSA certificates our handshake does not know, and a call
    /// that is refused is better than one without sound.
    fn offered_handshake(&self, theirs: &Audio) -> Result<Agreed, Error> {
        let shown = theirs.shown.as_ref().filter(|shown| shown.ice.is_some()).ok_or(Error::NoKey)?;
        let active = shown.setup == Setup::Passive;
        let setup = if active { Setup::Active } else { Setup::Passive };
        let ours = self.shown(setup, shown.ice.is_some()).ok_or(Error::NoKey)?;
        let security = handshake(&ours, shown, active);
        Ok(Agreed { shown: Some(ours), ..Agreed::of(theirs, security, theirs.mux) })
    }

    /// What their answer to our offer comes to.
    pub fn answered(&self, theirs: &Audio) -> Result<Agreed, Error> {
        // Each offer has a profile of its own, which says whose answer it is.
        let to_browsers = self.offer_to_browsers().filter(|_| theirs.profile.is_handshake());
        let offered = to_browsers.unwrap_or_else(|| self.offer());
        let profile = offered.profile;
        // RFC 3264 §6: an answer has the offer's profile.
        if theirs.profile.is_protected() != profile.is_protected() {
            return Err(if profile.is_protected() { Error::Unprotected } else { Error::NotOffered });
        }
        if theirs.profile.is_handshake() != profile.is_handshake() {
            return Err(Error::NotOffered);
        }
        // RFC 5761 §5.1.1: both must say so.
        let mux = offered.mux && theirs.mux;
        if let Some(ours) = &offered.shown {
            let shown = theirs.shown.as_ref().ok_or(Error::NoKey)?;
            let active = match shown.setup {
                Setup::Active => false,
                Setup::Passive => true,
                Setup::ActPass => return Err(Error::NotOffered),
            };
            return Ok(Agreed::of(theirs, handshake(ours, shown, active), mux));
        }
        match theirs.cryptos.first() {
            Some(line) if !offered.cryptos.is_empty() => {
                let ours = offered.cryptos.iter().find(|ours| ours.tag == line.tag).ok_or(Error::NotOffered)?;
                if ours.master.suite() != line.master.suite() {
                    return Err(Error::NotOffered);
                }
                Ok(Agreed::of(theirs, keys(ours, line)?, mux))
            }
            _ if profile.is_protected() => Err(Error::NoKey),
            _ => self.clear(theirs, mux),
        }
    }

    fn clear(&self, theirs: &Audio, mux: bool) -> Result<Agreed, Error> {
        if self.latched || self.terms.must() {
            return Err(Error::Unprotected);
        }
        Ok(Agreed::of(theirs, Security::Clear, mux))
    }

    pub fn take(&mut self, agreed: &Agreed) {
        self.latched |= agreed.security != Security::Clear;
        self.agreed = Some(agreed.clone());
    }
}

impl Agreed {
    fn of(theirs: &Audio, security: Security, mux: bool) -> Self {
        let bundle = theirs.bundle().map(str::to_owned);
        Self { security, mux, profile: theirs.profile, answer: None, shown: None, bundle }
    }
}

fn uses_ice(security: &Security) -> bool {
    matches!(security, Security::Handshake(wish) if wish.ice.is_some())
}

fn handshake(ours: &Shown, theirs: &Shown, active: bool) -> Security {
    let ice = ours.ice.as_ref().zip(theirs.ice.as_ref()).map(|(ours, theirs)| Ice {
        // RFC 8445 §7.2.2: checks that come to us are named so.
        user: format!("{}:{}", ours.user, theirs.user),
        password: ours.password.clone(),
    });
    Security::Handshake(Box::new(Handshake { fingerprint: theirs.fingerprint, active, ice }))
}

fn keys(ours: &Crypto, theirs: &Crypto) -> Result<Security, Error> {
    // A key that comes back would be used for two streams.
    if ours.master == theirs.master {
        return Err(Error::NoKey);
    }
    Ok(Security::Keys(Box::new(Keys { ours: ours.master.clone(), theirs: theirs.master.clone() })))
}

/// RFC 8445 §5.3: 24 bits and 128 bits of randomness at least; these are 48 and 144.
fn credentials(rng: &mut impl Rng) -> Option<Credentials> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut word = |length: usize| -> String {
        let mut bytes = [0; 24];
        rng.fill_bytes(&mut bytes);
        bytes.iter().take(length).map(|byte| char::from(LETTERS[usize::from(byte % 64)])).collect()
    };
    let (user, password) = (word(8), word(24));
    Credentials::new(&user, &password)
}

mod kept;

pub use kept::Kept;

#[cfg(test)]
mod tests;
