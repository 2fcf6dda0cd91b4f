//! Digests against the examples of RFC 7616 and RFC 2617, and against strangers.

use super::*;

#[test]
fn the_examples_of_rfc_7616_come_out() {
    // RFC 7616 §3.9.1.
    let nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
    let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
    let check = |algorithm: Algorithm, expected| {
        let ha1 = algorithm.hash(&["Mufasa", "http-auth@example.org", "Circle of Life"]);
        let header = format!(
            "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", uri=\"/dir/index.html\", algorithm={algorithm}, \
             nonce=\"{nonce}\", nc=00000001, cnonce=\"{cnonce}\", qop=auth, response=\"x\""
        );
        assert_eq!(Fields::parse(&header).unwrap().expected(&ha1, "GET"), expected);
    };
    check(Algorithm::Md5, "8ca523f5e9506fed4657c9700eebdbec");
    check(Algorithm::Sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
}

#[test]
fn a_proof_without_count_or_twice_the_same_field_is_none() {
    let good = "Digest username=\"a\", realm=\"r\", nonce=\"n\", uri=\"u\", response=\"x\", qop=auth, nc=00000001, cnonce=\"c\"";
    assert!(Fields::parse(good).is_some());
    for bad in [
        good.replace("qop=auth, ", ""),
        good.replace("qop=auth", "qop=auth-int"),
        good.replace("nc=00000001", "nc=1"),
        good.replace("realm=\"r\"", "realm=\"r\", realm=\"s\""),
        good.replace("Digest", "Basic"),
        format!("{good}, algorithm=SHA-512"),
        good.replace("\"c\"", "\"c"),
    ] {
        assert!(Fields::parse(&bad).is_none(), "{bad}");
    }
}

#[test]
fn a_count_is_taken_once_in_any_order_within_the_window() {
    let mut window = Window::default();
    let taken: Vec<bool> =
        [0, 1, 1, 5, 3, 3, 5, 70, 6, 7, 7, 200, 70].iter().map(|count| window.take(*count)).collect();
    let expected = [false, true, false, true, true, false, false, true, false, true, false, true, false];
    assert_eq!(taken, expected);
}

#[test]
fn used_nonces_have_a_limit_beyond_which_nobody_is_let_in_until_the_oldest_expire() {
    let mut doorman = Doorman::new(&mut Ids::new([1; 32]));
    let proof = |n: usize, second: u64| {
        Fields::parse(&format!(
        "Digest username=\"a\", realm=\"r\", nonce=\"{second:08x}{n}\", uri=\"u\", response=\"x\", qop=auth, nc=00000001, cnonce=\"c\""
    )).unwrap()
    };
    for n in 0..USED_MAX {
        assert!(doorman.count(100, &proof(n, 100)));
    }
    assert!(!doorman.count(100, &proof(USED_MAX, 100)));
    assert!(doorman.count(100 + NONCE_S + 1, &proof(0, 161)));
}

#[test]
fn sha_512_256_is_the_shortened_hash_with_values_of_its_own() {
    // FIPS 180-4, "SHA-512/256" examples: the message "abc".
    let hash = Algorithm::Sha512_256.hash(&["abc"]);
    assert_eq!(hash, "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23");
    assert_eq!(Algorithm::parse("sha-512-256"), Some(Algorithm::Sha512_256));
}

/// S-05: what a stranger's try costs does not tell whose name it was.
#[test]
fn a_known_and_an_unknown_user_cost_the_same_hashes() {
    let phone = |with_md5: bool| PhoneAuth { ha1_sha256: "0".repeat(64), ha1_md5: with_md5.then(|| "0".repeat(32)) };
    let phones = [("100", false), ("101", true)].map(|(user, md5)| (user.to_string(), phone(md5)));
    let config = Config { domain: "h".into(), phones: phones.into(), ..Config::default() };
    let mut ids = Ids::new([1; 32]);
    let mut doorman = Doorman::new(&mut ids);
    doorman.configured(&config);
    #[allow(clippy::disallowed_methods, reason = "a test needs some first instant")]
    let now = Instant::now();
    let mut cost = |user: &str, proof: &str| {
        let text = format!(
            "REGISTER sip:h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom: <sip:{user}@h>;tag=f\r\n\
             To: <sip:{user}@h>\r\nCall-ID: c\r\nCSeq: 1 REGISTER\r\n{proof}\r\n"
        );
        let opened = crate::front::open(&text.into(), crate::front::Carrier::Datagram, 9_999);
        let crate::front::Opened::Message(message) = opened else { panic!("{opened:?}") };
        let crate::message::Message::Request(request) = *message else { panic!() };
        let claim = Claim { config: &config, claimed: Some(user), lent: None, is_us: &|_| true };
        digest::work::take();
        assert!(matches!(doorman.check(now, &mut ids, &request, &claim), Verdict::Challenge(_)));
        digest::work::take()
    };
    for algorithm in ["MD5", "SHA-256"] {
        let proof = |user: &str, nonce: &str| {
            format!(
                "Authorization: Digest username=\"{user}\", realm=\"h\", nonce=\"{nonce}\", uri=\"sip:h\", response=\"0\", \
                 qop=auth, nc=00000001, cnonce=\"c\", algorithm={algorithm}\r\n"
            )
        };
        for nonce in ["", "short", &"0".repeat(56)] {
            let costs = ["100", "101", "999", "nobody"].map(|user| cost(user, &proof(user, nonce)));
            assert!(costs.windows(2).all(|pair| pair[0] == pair[1]), "{algorithm} {nonce}: {costs:?}");
        }
    }
    let unproved = ["100", "101", "999", "nobody"].map(|user| cost(user, ""));
    assert!(unproved.windows(2).all(|pair| pair[0] == pair[1]), "{unproved:?}");
}
