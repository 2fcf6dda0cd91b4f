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
