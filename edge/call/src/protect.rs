//! What protects a leg's audio: what its policy asks for at least, what was offered, what was agreed. The floor holds in
//! every exchange of a leg's life, and a leg that was protected once never goes on in clear (S-25).

use media::plane::Security;
use media::sdp::{Audio, Crypto, Profile};
use media::srtp::{Keys, MASTER_LEN_MAX, Master, Suite};
use model::config::Protection;
use rand_chacha::rand_core::Rng;

/// A leg's floor, and whether its keys may be spoken of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    pub protection: Protection,
    /// Nobody else can read this leg's signalling.
    pub private: bool,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("audio must be protected here, and this would not be")]
    Unprotected,
    #[error("keys may not go in signalling that others can read")]
    Exposed,
    #[error("it brings no key that can be used")]
    NoKey,
    #[error("the answer is not one to our offer")]
    NotOffered,
}

impl Terms {
    pub const CLEAR: Terms = Terms { protection: Protection::Clear, private: false };

    fn must(self) -> bool {
        matches!(self.protection, Protection::Required | Protection::RequiredOpenly)
    }

    fn may_key(self) -> bool {
        self.private || self.protection == Protection::RequiredOpenly
    }

    /// Whether such a leg can have audio at all.
    pub fn can_be_met(self) -> bool {
        !self.must() || self.may_key()
    }
}

/// One leg's protection.
#[derive(Debug)]
pub struct Protector {
    terms: Terms,
    /// One line of ours for each suite, in the order we offer them. The keys stay for the leg's life, so that a new
    /// exchange does not begin a stream anew.
    ours: Vec<Crypto>,
    /// The profile of the leg's media line since something was agreed.
    profile: Option<Profile>,
    /// What answers their last offer.
    answer: Option<Crypto>,
    /// Something was protected: from here on everything is.
    latched: bool,
}

/// What an exchange comes to, before it is taken.
#[derive(Debug)]
pub struct Agreed {
    pub security: Security,
    answer: Option<Crypto>,
    profile: Profile,
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
        Self { terms, ours: ours.collect(), profile: None, answer: None, latched: false }
    }

    /// The profile and the lines of our offer.
    pub fn offer(&self) -> (Profile, &[Crypto]) {
        let profile = if self.terms.must() { Profile::Savp } else { Profile::Avp };
        let keys = self.latched || self.terms.protection != Protection::Clear;
        (self.profile.unwrap_or(profile), if keys { &self.ours } else { &[] })
    }

    /// The line of our answer to what was taken last.
    pub fn answer(&self) -> &[Crypto] {
        self.answer.as_slice()
    }

    /// What their offer comes to.
    pub fn offered(&self, theirs: &Audio) -> Result<Agreed, Error> {
        let keyed = theirs.profile.is_protected();
        let wanted = keyed || self.latched || self.terms.protection != Protection::Clear;
        if keyed && !self.terms.may_key() {
            return Err(Error::Exposed);
        }
        // RFC 4568 §5.1.2: the first of theirs that we can use.
        let line = theirs.cryptos.first().filter(|_| wanted && self.terms.may_key());
        let Some(line) = line else {
            return if keyed { Err(Error::NoKey) } else { self.clear(theirs) };
        };
        let ours = self.ours.iter().find(|ours| ours.master.suite() == line.master.suite()).ok_or(Error::NoKey)?;
        let answer = Crypto { tag: line.tag, master: ours.master.clone() };
        Ok(Agreed { security: keys(ours, line)?, answer: Some(answer), profile: theirs.profile })
    }

    /// What their answer to our offer comes to.
    pub fn answered(&self, theirs: &Audio) -> Result<Agreed, Error> {
        let (profile, offered) = self.offer();
        // RFC 3264 §6: an answer has the offer's profile.
        if theirs.profile.is_protected() != profile.is_protected() {
            return Err(if profile.is_protected() { Error::Unprotected } else { Error::NotOffered });
        }
        match theirs.cryptos.first() {
            Some(line) if !offered.is_empty() => {
                let ours = offered.iter().find(|ours| ours.tag == line.tag).ok_or(Error::NotOffered)?;
                if ours.master.suite() != line.master.suite() {
                    return Err(Error::NotOffered);
                }
                Ok(Agreed { security: keys(ours, line)?, answer: None, profile: theirs.profile })
            }
            _ if profile.is_protected() => Err(Error::NoKey),
            _ => self.clear(theirs),
        }
    }

    fn clear(&self, theirs: &Audio) -> Result<Agreed, Error> {
        if self.latched || self.terms.must() {
            return Err(Error::Unprotected);
        }
        Ok(Agreed { security: Security::Clear, answer: None, profile: theirs.profile })
    }

    pub fn take(&mut self, agreed: &Agreed) {
        self.latched |= agreed.security != Security::Clear;
        self.profile = Some(agreed.profile);
        self.answer = agreed.answer.clone();
    }
}

fn keys(ours: &Crypto, theirs: &Crypto) -> Result<Security, Error> {
    // A key that comes back would be used for two streams.
    if ours.master == theirs.master {
        return Err(Error::NoKey);
    }
    Ok(Security::Keys(Box::new(Keys { ours: ours.master.clone(), theirs: theirs.master.clone() })))
}

#[cfg(test)]
mod tests {
    use media::sdp::{self, Direction, Ours};
    use rand_chacha::ChaCha12Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    fn protector(protection: Protection, seed: u64) -> Protector {
        Protector::new(Terms { protection, private: true }, &mut ChaCha12Rng::seed_from_u64(seed))
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
            let (offered, lines) = one.offer();
            assert_eq!(offered, profile);
            let heard = other.offered(&said(offered, lines)).expect("good");
            other.take(&heard);
            let answered = one.answered(&said(offered, other.answer())).expect("good");
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
        assert_eq!(clear.offer(), (Profile::Avp, &[][..]));
        let keyed = said(Profile::Avp, one.offer().1);
        assert_eq!(clear.offered(&keyed).expect("good").security, Security::Clear);
    }
}
