//! S-25: a leg that must be protected, and every description that would have it otherwise, in every exchange that can
//! bring one. What counts is what media is told: no port of such a leg is ever connected in clear.

use media::plane::Security;
use model::config::Protection;

use crate::bench::{ANN, BOB, Bench, CARRIER};
use crate::setup::{carrier, offer, sdp};

/// RFC 4568 §6.1's key, and another.
const KEY: &str = "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";
const OTHER: &str = "PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR";
const SUITE: &str = "AES_CM_128_HMAC_SHA1_80";

/// A carrier's description with this profile and these key lines.
fn description(profile: &str, lines: &[String]) -> String {
    let lines: String = lines.iter().map(|line| format!("a=crypto:{line}\r\n")).collect();
    sdp("198.51.100.0", 4_000, "0 8 101", "sendrecv")
        .replace("RTP/AVP", profile)
        .replace("a=sendrecv", &format!("{lines}a=sendrecv"))
}

fn good() -> String {
    description("RTP/SAVP", &[format!("1 {SUITE} inline:{KEY}")])
}

/// What must never be agreed to by a leg that has to be protected.
fn bad() -> Vec<(&'static str, String)> {
    let savp = |line: String| description("RTP/SAVP", &[line]);
    vec![
        ("in clear", description("RTP/AVP", &[])),
        ("in clear with feedback", description("RTP/AVPF", &[])),
        ("keys taken out", savp("2 none".into()).replace("a=crypto:2 none\r\n", "")),
        ("no encryption, no tag", savp(format!("1 NULL_HMAC_SHA1_80 inline:{KEY}"))),
        ("no tag", savp(format!("1 AES_CM_128_NULL_AUTH inline:{KEY}"))),
        ("said to be unencrypted", savp(format!("1 {SUITE} inline:{KEY} UNENCRYPTED_SRTP"))),
        ("reports unencrypted", savp(format!("1 {SUITE} inline:{KEY} UNENCRYPTED_SRTCP"))),
        ("said to be unauthenticated", savp(format!("1 {SUITE} inline:{KEY} UNAUTHENTICATED_SRTP"))),
        ("a short key", savp(format!("1 {SUITE} inline:c2hvcnQ="))),
        ("a key that needs an MKI", savp(format!("1 {SUITE} inline:{KEY}|2^20|1:4"))),
        ("another protocol", savp(format!("1 {SUITE} inline:{KEY}")).replace("RTP/SAVP", "TCP/RTP/SAVP")),
    ]
}

fn bench() -> Bench {
    Bench::with(5, |config| {
        let trunk = config.site.trunks.get_mut(&carrier()).expect("the carrier");
        trunk.protection = Protection::RequiredOpenly;
    })
}

/// How the ports were connected so far.
fn connected(bench: &Bench) -> Vec<bool> {
    bench.media.connects.iter().map(|(_, security)| *security != Security::Clear).collect()
}

#[track_caller]
fn assert_never_clear(bench: &Bench, case: &str) {
    assert!(connected(bench).iter().all(|protected| *protected), "{case}: {:?}", bench.media.connects);
}

#[test]
fn no_offer_of_a_caller_s_puts_it_into_the_clear() {
    for (case, offered) in bad() {
        let mut bench = bench();
        assert_eq!(bench.call(CARRIER, "4001", Some(&offered)), None, "{case}");
        assert!(bench.take_log().contains(&"carrier < 488".to_owned()), "{case}");
        assert_eq!(connected(&bench), Vec::<bool>::new(), "{case}");
        bench.assert_empty();
    }
}

#[test]
fn no_answer_to_our_call_does() {
    for (case, answer) in bad() {
        let mut bench = bench();
        let _leg = bench.dial_out("013800000001", None);
        bench.peer_answers_with(CARRIER, &answer);
        assert_eq!(connected(&bench), Vec::<bool>::new(), "{case}");
        assert!(bench.take_log().contains(&"carrier < BYE".to_owned()), "{case}: the call ends");
        bench.assert_empty();
    }
}

/// The early answer of one branch of a fork, and the good answer of another.
#[test]
fn no_early_answer_does_and_the_good_one_after_it_is_taken() {
    for (case, early) in bad() {
        let mut bench = bench();
        let leg = bench.dial_out("013800000001", None);
        bench.peer_rings(CARRIER, Some(early));
        assert_eq!(connected(&bench), Vec::<bool>::new(), "{case}");
        bench.peer_answers_with(CARRIER, &good());
        assert_eq!(connected(&bench), [true], "{case}");
        bench.calls.hang_up(bench.now, leg);
        bench.assert_empty();
    }
}

#[test]
fn no_new_offer_in_a_call_does_and_the_call_goes_on() {
    for (case, offered) in bad() {
        let mut bench = bench();
        let leg = bench.call(CARRIER, "4001", Some(&good())).expect("taken");
        bench.calls.answer(bench.now, leg);
        bench.skip();
        bench.peer_reinvites(CARRIER, &offered);
        assert!(bench.take_log().contains(&"carrier < 488".to_owned()), "{case}");
        assert_never_clear(&bench, case);
        bench.peer_reinvites(CARRIER, &good().replace(KEY, OTHER));
        assert_eq!(connected(&bench), [true, true], "{case}: a new key is told");
        bench.calls.hang_up(bench.now, leg);
        bench.assert_empty();
    }
}

#[test]
fn no_answer_to_our_new_offer_does() {
    for (case, answer) in bad() {
        let mut bench = bench();
        let leg = bench.call(CARRIER, "4001", Some(&good())).expect("taken");
        bench.calls.answer(bench.now, leg);
        bench.skip();
        bench.calls.hold(bench.now, leg);
        bench.run();
        bench.peer_answers_with(CARRIER, &answer);
        assert_never_clear(&bench, case);
        bench.calls.hang_up(bench.now, leg);
        bench.assert_empty();
    }
}

#[test]
fn an_answer_of_another_line_another_suite_or_our_own_key_is_none() {
    let offered = |bench: &Bench| {
        let text = bench.peer_sdp(CARRIER);
        assert!(text.contains("m=audio") && text.contains("RTP/SAVP 8 0 9 111 101"), "{text}");
        let line = text.lines().find_map(|line| line.strip_prefix("a=crypto:1 ")).expect("a line");
        line.rsplit_once(':').expect("a key").1.to_owned()
    };
    for case in 0..3 {
        let mut bench = bench();
        let _leg = bench.dial_out("013800000001", None);
        let line = match case {
            0 => format!("9 {SUITE} inline:{KEY}"),
            1 => format!("1 AES_CM_128_HMAC_SHA1_32 inline:{KEY}"),
            _ => format!("1 {SUITE} inline:{}", offered(&bench)),
        };
        bench.peer_answers_with(CARRIER, &description("RTP/SAVP", &[line]));
        assert_eq!(connected(&bench), Vec::<bool>::new(), "case {case}");
        bench.assert_empty();
    }
}

#[test]
fn a_protected_trunk_and_a_clear_phone_talk_each_in_its_way() {
    let mut bench = bench();
    let caller = bench.call(CARRIER, "4001", Some(&good())).expect("taken");
    bench.calls.answer(bench.now, caller);
    bench.run();
    let answer = bench.peer_sdp(CARRIER);
    assert!(answer.contains("RTP/SAVP 0 101") && answer.contains(&format!("a=crypto:1 {SUITE} inline:")), "{answer}");
    assert!(!answer.contains(KEY), "our key is our own");
    let agent = bench.dial_phone("201", None);
    bench.peer_answers(ANN);
    assert!(bench.peer_sdp(ANN).contains("RTP/AVP 8 0 9 111 101") && !bench.peer_sdp(ANN).contains("crypto"));
    bench.calls.join(bench.now, caller, agent);
    bench.run();
    assert_eq!(connected(&bench), [true, false]);
    // Hold and back: the same keys, or the far end would begin anew.
    let line = |text: &str| text.lines().find(|line| line.contains("crypto:1")).map(str::to_owned);
    bench.calls.hold(bench.now, caller);
    bench.run();
    let held = line(&bench.peer_sdp(CARRIER)).expect("keys");
    assert_eq!(Some(held), line(&answer));
    bench.peer_answers_with(CARRIER, &good());
    bench.calls.hang_up(bench.now, caller);
    bench.calls.hang_up(bench.now, agent);
    bench.assert_empty();
}

/// Keys in signalling that others can read are no keys.
#[test]
fn where_others_can_read_along_nothing_is_keyed_and_what_must_be_is_refused() {
    let with = |protection| {
        Bench::with(5, |config| {
            config.site.trunks.get_mut(&carrier()).expect("the carrier").protection = protection;
            for phone in config.site.phones.values_mut() {
                phone.protection = protection;
            }
        })
    };
    let opportunistic = description("RTP/AVP", &[format!("1 {SUITE} inline:{KEY}")]);
    let mut preferred = with(Protection::Preferred);
    assert_eq!(preferred.call(CARRIER, "4001", Some(&good())), None, "its keys are known to others");
    let leg = preferred.call(CARRIER, "4001", Some(&opportunistic)).expect("taken");
    preferred.calls.answer(preferred.now, leg);
    preferred.run();
    assert!(!preferred.peer_sdp(CARRIER).contains("crypto"));
    let _agent = preferred.dial_phone("202", None);
    assert!(!preferred.peer_sdp(BOB).contains("crypto"));
    let mut required = with(Protection::Required);
    for text in [good(), opportunistic, offer(CARRIER)] {
        assert_eq!(required.call(CARRIER, "4001", Some(&text)), None);
    }
    let _refused = required.dial_phone("202", None);
    let _refused = required.dial_out("013800000001", None);
    assert_eq!(required.media.connects, []);
    required.assert_empty();
}

/// Whoever calls for help is not asked for keys, and neither is the line.
#[test]
fn an_emergency_call_goes_out_in_clear_where_it_must() {
    let mut bench = Bench::with(5, |config| {
        config.site.trunks.get_mut(&carrier()).expect("the carrier").protection = Protection::Required;
        for phone in config.site.phones.values_mut() {
            phone.protection = Protection::Required;
        }
    });
    assert_eq!(bench.call(ANN, "4001", None), None, "an ordinary call");
    let caller = bench.call(ANN, "110", None).expect("taken");
    let line = bench.dial_out("110", None);
    bench.peer_answers(CARRIER);
    bench.calls.answer(bench.now, caller);
    bench.calls.join(bench.now, caller, line);
    bench.run();
    assert_eq!(connected(&bench), [false, false]);
    bench.calls.hang_up(bench.now, caller);
    bench.calls.hang_up(bench.now, line);
    bench.assert_empty();
}

#[test]
fn keys_beside_a_clear_profile_are_taken_where_they_may_be_and_bind() {
    let mut bench = bench();
    let opportunistic = description("RTP/AVP", &[format!("1 {SUITE} inline:{KEY}")]);
    let leg = bench.call(CARRIER, "4001", Some(&opportunistic)).expect("taken");
    bench.calls.answer(bench.now, leg);
    bench.run();
    let answer = bench.peer_sdp(CARRIER);
    assert!(answer.contains("RTP/AVP 0 101") && answer.contains("a=crypto:1 "), "{answer}");
    bench.skip();
    bench.peer_reinvites(CARRIER, &offer(CARRIER));
    assert!(bench.take_log().contains(&"carrier < 488".to_owned()));
    assert_eq!(connected(&bench), [true]);
    bench.calls.hang_up(bench.now, leg);
    bench.assert_empty();
}
