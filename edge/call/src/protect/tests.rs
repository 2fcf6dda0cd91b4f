//! Offers and answers between two protectors, and what is left out when something must be.

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

fn shows(protection: Protection, speaks: Speaks, seed: u64) -> Protector {
    let certificate = Some(Fingerprint([u8::try_from(seed).unwrap(); 32]));
    let terms = Terms { protection, private: false, certificate, speaks };
    Protector::new(terms, &mut ChaCha12Rng::seed_from_u64(seed))
}

fn spoken(words: &Words<'_>) -> Audio {
    let local = "192.0.2.7:4000".parse().unwrap();
    let Words { profile, cryptos, shown, mux, bundle } = words.clone();
    let ours =
        Ours { profile, cryptos, shown: shown.as_ref(), mux, bundle, ..Ours::clear(local, Direction::SendRecv, 1, 1) };
    sdp::parse(sdp::offer(&ours).as_bytes()).unwrap().audio().unwrap()
}

/// We offer to a browser; another of us answers as one would.
#[test]
fn a_browser_is_offered_a_handshake_on_a_path_that_it_chooses_and_begins_it() {
    let (mut one, mut other) =
        (shows(Protection::Preferred, Speaks::Browser, 1), shows(Protection::Preferred, Speaks::Telephone, 2));
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
    let browser = shows(Protection::Preferred, Speaks::Browser, 1);
    let offer = spoken(&browser.offer());
    assert!(shows(Protection::Required, Speaks::Telephone, 2).offered(&offer).is_ok());
    assert_eq!(protector(Protection::Preferred, 2).offered(&offer).unwrap_err(), Error::NoKey);
    let mut telephone = browser.offer();
    telephone.profile = Profile::TlsSavp;
    telephone.shown.as_mut().unwrap().ice = None;
    let offer = spoken(&telephone);
    assert_eq!(shows(Protection::Preferred, Speaks::Telephone, 2).offered(&offer).unwrap_err(), Error::NoKey);
    assert!(!Terms { speaks: Speaks::Browser, ..Terms::CLEAR }.can_be_met());
}

/// A desk telephone and a browser ring for one person: whoever answers, answers its own offer.
#[test]
fn a_telephone_beside_a_browser_is_offered_its_own() {
    for browser_answers in [true, false] {
        let one = shows(Protection::Preferred, Speaks::Either, 1);
        let (telephone, browser) = (one.offer(), one.offer_to_browsers().expect("two offers"));
        assert_eq!((telephone.profile, browser.profile), (Profile::Avp, Profile::TlsSavpf));
        let mut other = shows(Protection::Preferred, Speaks::Telephone, 2);
        let heard = other.offered(&spoken(if browser_answers { &browser } else { &telephone })).expect("good");
        other.take(&heard);
        let mut words = other.answer();
        if let Some(shown) = words.shown.as_mut() {
            shown.setup = Setup::Active;
        }
        let answered = one.answered(&spoken(&words)).expect("good");
        let mut one = one;
        one.take(&answered);
        assert_eq!(answered.security != Security::Clear, browser_answers);
        // From here on there is one offer, of that kind.
        assert!(one.offer_to_browsers().is_none());
        assert_eq!(one.offer().profile.is_handshake(), browser_answers);
    }
}

/// (protection, has a certificate, transports) → what is offered.
#[test]
fn a_device_that_cannot_have_what_it_must_is_left_out() {
    use Transport::{Tls, Udp, Ws, Wss};
    for (protection, certified, carriers, speaks, private, met) in [
        (Protection::Preferred, true, &[Udp][..], Speaks::Telephone, false, true),
        (Protection::Preferred, true, &[], Speaks::Telephone, false, true),
        (Protection::Required, true, &[Udp], Speaks::Telephone, false, false),
        (Protection::Required, true, &[Udp, Tls], Speaks::Telephone, false, false),
        (Protection::Required, true, &[Tls], Speaks::Telephone, true, true),
        (Protection::Preferred, true, &[Ws], Speaks::Browser, false, true),
        (Protection::Preferred, false, &[Wss], Speaks::Browser, true, false),
        (Protection::Preferred, true, &[Udp, Ws], Speaks::Either, false, true),
        (Protection::Required, true, &[Tls, Ws], Speaks::Either, true, true),
        (Protection::Required, true, &[Udp, Wss], Speaks::Browser, false, true),
        (Protection::Preferred, false, &[Udp, Wss], Speaks::Telephone, false, true),
    ] {
        let certificate = certified.then_some(Fingerprint([1; 32]));
        let terms = Terms { protection, certificate, ..Terms::CLEAR }.over(carriers);
        let found = (terms.speaks, terms.private, terms.can_be_met());
        assert_eq!(found, (speaks, private, met), "{protection:?} over {carriers:?}");
    }
}
