//! What protects a leg's audio: what its policy asks for at least, what was offered, what was agreed. The floor holds in
//! every exchange of a leg's life, and a leg that was protected once never goes on in clear (S-25).

use media::dtls::Fingerprint;
use media::plane::{Handshake, Ice, Security};
use media::sdp::{Audio, Credentials, Crypto, Profile, Setup, Shown};
use media::srtp::{Keys, MASTER_LEN_MAX, Master, Suite};
use model::config::Protection;
use rand_chacha::rand_core::Rng;

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
    /// The party is a browser: it speaks nothing but WebRTC (RFC 8834).
    pub browser: bool,
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
    pub const CLEAR: Terms = Terms { protection: Protection::Clear, private: false, certificate: None, browser: false };

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

    /// Whether we can offer such a leg any audio at all.
    pub fn can_be_met(self) -> bool {
        if self.browser { self.certificate.is_some() } else { !self.must() || self.may_key() }
    }

    /// What we offer first.
    fn profile(self) -> Profile {
        match (self.browser, self.must()) {
            (true, _) => Profile::TlsSavpf,
            (false, true) => Profile::Savp,
            (false, false) => Profile::Avp,
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

    /// Our offer.
    pub fn offer(&self) -> Words<'_> {
        let agreed = self.agreed.as_ref();
        let profile = agreed.map_or_else(|| self.terms.profile(), |agreed| agreed.profile);
        if profile.is_handshake() {
            let with_ice = agreed.map_or(self.terms.browser, |agreed| uses_ice(&agreed.security));
            let bundle = agreed.map_or_else(|| with_ice.then_some(LINE), |agreed| agreed.bundle.as_deref());
            let mux = agreed.map_or(with_ice, |agreed| agreed.mux);
            return Words { profile, cryptos: &[], shown: self.shown(Setup::ActPass, with_ice), mux, bundle };
        }
        let keys = self.latched || self.terms.protection != Protection::Clear;
        let mux = agreed.is_some_and(|agreed| agreed.mux);
        Words { profile, cryptos: if keys { &self.ours } else { &[] }, shown: None, mux, bundle: None }
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
        let offered = self.offer();
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

#[cfg(test)]
mod tests {
    use media::sdp::{self, Direction, Ours};
    use rand_chacha::ChaCha12Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    fn protector(protection: Protection, seed: u64) -> Protector {
        Protector::new(Terms { protection, private: true, ..Terms::CLEAR }, &mut ChaCha12Rng::seed_from_u64(seed))
    }

    fn said(profile: Profile, cryptos: &[Crypto]) -> Audio {
        let local = "192.0.2.7:4000".parse().unwrap();
        let ours = Ours { profile, cryptos, ..Ours::clear(local, Direction::SendRecv, 1, 1) };
        sdp::parse(sdp::offer(&ours).as_bytes()).unwrap().audio().unwrap()
    }

    /// Two of us: what one offers, the other answers, and both have the same keys the other way round.
    #[test]
    fn in_private_keys_are_offered_taken_and_the_same_at_both_ends() {
        for (mine, theirs, profile) in [
            (Protection::Preferred, Protection::Preferred, Profile::Avp),
            (Protection::Required, Protection::Preferred, Profile::Savp),
            (Protection::Preferred, Protection::Required, Profile::Avp),
            (Protection::Required, Protection::Clear, Profile::Savp),
        ] {
            let (mut one, mut other) = (protector(mine, 1), protector(theirs, 2));
            let (offered, lines) = (one.offer().profile, one.offer().cryptos);
            assert_eq!(offered, profile);
            let heard = other.offered(&said(offered, lines)).expect("good");
            other.take(&heard);
            let answered = one.answered(&said(offered, other.answer().cryptos)).expect("good");
            one.take(&answered);
            let (Security::Keys(here), Security::Keys(there)) = (&answered.security, &heard.security) else {
                panic!("{mine:?} {theirs:?}: in clear")
            };
            assert_eq!((&here.ours, &here.theirs), (&there.theirs, &there.ours));
            // From here on neither goes back, by offer or answer.
            assert_eq!(one.offered(&said(Profile::Avp, &[])).unwrap_err(), Error::Unprotected);
            assert!(one.answered(&said(offered, &[])).is_err());
        }
    }

    #[test]
    fn who_prefers_keys_talks_in_clear_with_who_has_none() {
        let one = protector(Protection::Preferred, 1);
        assert_eq!(one.answered(&said(Profile::Avp, &[])).expect("good").security, Security::Clear);
        assert_eq!(one.offered(&said(Profile::Avp, &[])).expect("good").security, Security::Clear);
        let clear = protector(Protection::Clear, 1);
        assert_eq!((clear.offer().profile, clear.offer().cryptos), (Profile::Avp, &[][..]));
        let keyed = said(Profile::Avp, one.offer().cryptos);
        assert_eq!(clear.offered(&keyed).expect("good").security, Security::Clear);
    }

    fn shows(protection: Protection, browser: bool, seed: u64) -> Protector {
        let certificate = Some(Fingerprint([u8::try_from(seed).unwrap(); 32]));
        let terms = Terms { protection, private: false, certificate, browser };
        Protector::new(terms, &mut ChaCha12Rng::seed_from_u64(seed))
    }

    fn spoken(words: &Words<'_>) -> Audio {
        let local = "192.0.2.7:4000".parse().unwrap();
        let Words { profile, cryptos, shown, mux, bundle } = words.clone();
        let ours = Ours {
            profile,
            cryptos,
            shown: shown.as_ref(),
            mux,
            bundle,
            ..Ours::clear(local, Direction::SendRecv, 1, 1)
        };
        sdp::parse(sdp::offer(&ours).as_bytes()).unwrap().audio().unwrap()
    }

    /// We offer to a browser; another of us answers as one would.
    #[test]
    fn a_browser_is_offered_a_handshake_on_a_path_that_it_chooses_and_begins_it() {
        let (mut one, mut other) = (shows(Protection::Preferred, true, 1), shows(Protection::Preferred, false, 2));
        let offer = spoken(&one.offer());
        assert!(offer.profile == Profile::TlsSavpf && offer.mux && offer.bundle() == Some("0") && offer.has_ice());
        let heard = other.offered(&offer).expect("good");
        other.take(&heard);
        let mut words = other.answer();
        assert!(words.mux && words.bundle == Some("0"));
        assert_eq!(words.shown.as_ref().map(|shown| shown.setup), Some(Setup::Passive));
        assert!(one.answered(&spoken(&words)).expect("good").mux);
        words.shown.as_mut().unwrap().setup = Setup::Active;
        let answered = one.answered(&spoken(&words)).expect("good");
        one.take(&answered);
        let Security::Handshake(wish) = &answered.security else { panic!("a handshake") };
        assert!(!wish.active && wish.fingerprint == Fingerprint([2; 32]));
        let (mine, theirs) = (one.credentials.clone().unwrap(), other.credentials.clone().unwrap());
        let ice = wish.ice.clone().unwrap();
        assert_eq!((ice.user, ice.password), (format!("{}:{}", mine.user, theirs.user), mine.password));
        // No way back, and no answer that leaves the choice open.
        assert!(one.offered(&said(Profile::Avp, &[])).is_err() && one.answered(&said(Profile::Avp, &[])).is_err());
        words.shown.as_mut().unwrap().setup = Setup::ActPass;
        assert_eq!(one.answered(&spoken(&words)).unwrap_err(), Error::NotOffered);
        words.shown = None;
        assert_eq!(one.answered(&spoken(&words)).unwrap_err(), Error::NoKey);
    }

    #[test]
    fn a_handshake_is_for_who_speaks_ice_and_we_have_a_certificate() {
        let browser = shows(Protection::Preferred, true, 1);
        let offer = spoken(&browser.offer());
        assert!(shows(Protection::Required, false, 2).offered(&offer).is_ok());
        assert_eq!(protector(Protection::Preferred, 2).offered(&offer).unwrap_err(), Error::NoKey);
        let mut telephone = browser.offer();
        telephone.profile = Profile::TlsSavp;
        telephone.shown.as_mut().unwrap().ice = None;
        let offer = spoken(&telephone);
        assert_eq!(shows(Protection::Preferred, false, 2).offered(&offer).unwrap_err(), Error::NoKey);
        assert!(!Terms { browser: true, ..Terms::CLEAR }.can_be_met());
    }
}
