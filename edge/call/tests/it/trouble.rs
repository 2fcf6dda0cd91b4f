//! What goes wrong, and that it stays small: limits, lost processes, peers that vanish, emergencies.

use std::time::Duration;

use call::leg::{Cause, Destination, Event, Party};
use call::route;
use model::{OverflowId, RecordingId};

use crate::bench::{ANN, BOB, Bench, CARRIER};
use crate::setup::{config, offer, sdp};

#[test]
fn a_call_without_a_common_codec_is_refused_with_488() {
    for bad in [sdp("198.51.100.0", 4_000, "18", "sendrecv"), "rubbish".to_owned()] {
        let mut bench = Bench::new(4);
        assert_eq!(bench.call(CARRIER, "4001", Some(&bad)), None);
        bench.check(
            "carrier > INVITE
             * refused sdp Some(488)
             carrier < 100
             carrier < 488
             carrier > ACK",
        );
        bench.assert_empty();
    }
}

#[test]
fn audio_is_not_sent_where_a_description_must_not_point() {
    for target in ["127.0.0.1", "224.0.0.9", "169.254.169.254"] {
        let mut bench = Bench::new(4);
        assert_eq!(bench.call(CARRIER, "4001", Some(&sdp(target, 4_000, "8", "sendrecv"))), None, "{target}");
        bench.assert_empty();
    }
}

#[test]
fn a_full_trunk_is_busy_both_ways() {
    let mut bench = Bench::new(1);
    let first = bench.call(CARRIER, "4001", None).unwrap();
    bench.skip();
    assert_eq!(bench.call(CARRIER, "4001", None), None);
    bench.check(
        "carrier > INVITE
         * refused trunk_full Some(486)
         carrier < 100
         carrier < 486
         carrier > ACK",
    );
    bench.dial_out("01055550101", None);
    bench.check("* ended B Overload");
    bench.calls.reject(bench.now, first, Cause::Busy);
    bench.skip();
    bench.dial_out("01055550101", None);
    bench.peer_rejects(CARRIER, 486);
    bench.assert_empty();
}

#[test]
fn an_emergency_call_takes_the_channel_of_another_call() {
    let mut bench = Bench::new(1);
    let caller = bench.call(CARRIER, "4001", None).unwrap();
    bench.calls.answer(bench.now, caller);
    let phone = bench.call(ANN, "110", None).unwrap();
    let party = Party::Phone("201".parse().unwrap());
    let Destination::Emergency { trunk, number } = bench.calls.route(&party, "110") else { panic!() };
    assert_eq!((trunk.as_str(), number.as_str()), ("carrier", "110"));
    bench.calls.answer(bench.now, phone);
    bench.skip();
    let out = bench.dial_out("110", Some(phone));
    bench.check(
        "media: close p1
         * ended A Overload
         media: open p3
         carrier < BYE
         carrier < INVITE
         carrier > 200
         carrier > 100",
    );
    bench.peer_answers(CARRIER);
    bench.calls.join(bench.now, phone, out);
    bench.skip();
    let second = bench.dial_out("110", None);
    assert!(!bench.ended.contains_key(&out), "an emergency call gives way to none");
    assert!(!bench.ended.contains_key(&second), "and is refused by no limit");
}

#[test]
fn an_emergency_call_goes_beyond_the_limit_of_legs() {
    let mut bench = Bench::with(4, |config| config.limits.legs = 1);
    bench.call(CARRIER, "4001", None).unwrap();
    assert_eq!(bench.call(CARRIER, "4001", None), None);
    assert_eq!(bench.call(BOB, "202", None), None);
    bench.call(ANN, "110", None).unwrap();
    let out = bench.dial_out("110", None);
    bench.run();
    assert!(!bench.ended.contains_key(&out));
    let tunnel = bench.calls.tunnel(bench.now, OverflowId(1));
    bench.run();
    assert_eq!(bench.events.last(), Some(&Event::Ended { leg: tunnel, cause: Cause::Overload }));
}

/// A full table of transactions keeps room for the very calls that the dial plan puts through first.
#[test]
fn the_endpoint_knows_the_emergency_numbers_of_the_dial_plan() {
    for prefix in ["", "0", "9"] {
        let mut config = config(4);
        config.site.site.dialling.prefix = prefix.into();
        let known = |dialled: &str| {
            let plan = route::is_emergency(&config.site, dialled);
            assert_eq!(config.endpoint().help.is_dialled(dialled), plan, "{dialled} after {prefix:?}");
            plan
        };
        assert!(known("110") && known("1-1 0") && known(&format!("{prefix}110")));
        assert_eq!((known("0110"), known("9110")), (prefix == "0", prefix == "9"));
        for other in ["", "1100", "11", "112", "00110", "+110", "110;x", "x"] {
            assert!(!known(other), "{other}");
        }
    }
}

#[test]
fn a_forbidden_number_is_not_dialled_whoever_asks() {
    let mut bench = Bench::new(4);
    for number in ["0044207946000", "+44207946000", "0 0 44"] {
        let leg = bench.dial_out(number, None);
        assert_eq!(bench.events.last(), Some(&Event::Ended { leg, cause: Cause::Forbidden }), "{number}");
    }
    let leg = bench.dial_out("12;ext=9", None);
    assert_eq!(bench.events.last(), Some(&Event::Ended { leg, cause: Cause::NotFound }));
    bench.assert_empty();
}

#[test]
fn a_new_media_process_gets_every_port_and_the_peers_learn_of_it() {
    let mut bench = Bench::new(4);
    let caller = bench.call(CARRIER, "4001", None).unwrap();
    bench.calls.answer(bench.now, caller);
    let agent = bench.dial_phone("201", None);
    bench.peer_answers(ANN);
    bench.calls.join(bench.now, caller, agent);
    bench.calls.record(bench.now, RecordingId(1), caller);
    bench.skip();
    bench.media_restarts();
    bench.run();
    // Legs are taken in the order of their ids, which are random: the ladder is compared without order.
    let mut lines = bench.take_log();
    lines.sort();
    let expected = [
        "* recording failed: UnknownPort",
        "ann < INVITE",
        "ann > 100",
        "carrier < INVITE",
        "carrier > 100",
        "media: connect p3 198.51.100.",
        "media: connect p4 198.51.100.",
        "media: join p",
        "media: open p3",
        "media: open p4",
    ];
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    for (line, expected) in lines.iter().zip(expected) {
        assert!(line.starts_with(expected), "{line} is not {expected}");
    }
    for peer in [CARRIER, ANN] {
        let told = bench.peer_sdp(peer);
        assert!(told.contains("m=audio 30006 ") || told.contains("m=audio 30008 "), "{told}");
        bench.peer_answers_reoffer(peer, "sendrecv");
    }
    assert_eq!(bench.media.joined.len(), 2);
    bench.peer_ends(CARRIER);
    bench.calls.hang_up(bench.now, agent);
    bench.assert_empty();
}

#[test]
fn a_media_process_that_restarts_while_a_phone_rings_is_told_after_the_answer() {
    let mut bench = Bench::new(4);
    let agent = bench.dial_phone("201", None);
    bench.peer_rings(ANN, None);
    bench.media_restarts();
    bench.skip();
    bench.peer_answers(ANN);
    bench.check(
        "ann > 200
         media: connect p2 198.51.100.1:4000 Pcma
         * answered A
         ann < ACK
         ann < INVITE
         ann > 100",
    );
    bench.calls.hang_up(bench.now, agent);
    bench.skip();
    bench.assert_empty();
}

#[test]
fn a_media_process_that_says_nothing_ends_the_leg_that_waits() {
    let mut bench = Bench::new(4);
    bench.media.deaf = true;
    let caller = bench.call(CARRIER, "4001", None).unwrap();
    bench.calls.answer(bench.now, caller);
    bench.skip();
    bench.advance(Duration::from_secs(6));
    bench.check(
        "media: close p1
         * ended A Fault
         carrier < 500
         carrier > ACK",
    );
    assert_eq!(bench.calls.in_use(), Default::default());
}

#[test]
fn a_leg_without_a_free_port_is_refused() {
    let mut bench = Bench::new(4);
    bench.media.full = true;
    let caller = bench.call(CARRIER, "4001", None).unwrap();
    bench.calls.answer(bench.now, caller);
    bench.run();
    assert_eq!(bench.events.last(), Some(&Event::Ended { leg: caller, cause: Cause::Overload }));
    bench.assert_empty();
}

#[test]
fn an_answer_that_cannot_be_used_ends_that_call_with_bye() {
    let mut bench = Bench::new(4);
    bench.dial_phone("201", None);
    bench.skip();
    bench.peer_answers_with(ANN, &sdp("198.51.100.1", 4_000, "18", "sendrecv"));
    bench.check(
        "ann > 200
         media: close p1
         * ended A Media
         ann < ACK
         ann < BYE
         ann > 200",
    );
    bench.assert_empty();
}

#[test]
fn a_peer_that_never_confirms_is_given_up() {
    let mut bench = Bench::new(4);
    let caller = bench.call(CARRIER, "4001", None).unwrap();
    bench.peers[CARRIER].unplugged = true;
    bench.calls.answer(bench.now, caller);
    bench.advance(Duration::from_secs(70));
    assert_eq!(bench.ended.get(&caller), Some(&1));
    assert_eq!(bench.calls.in_use(), Default::default());
}

#[test]
fn a_phone_that_is_gone_is_lost() {
    let mut bench = Bench::new(4);
    bench.peers[ANN].unplugged = true;
    let agent = bench.dial_phone("201", None);
    bench.advance(Duration::from_secs(40));
    assert!(bench.events.contains(&Event::Ended { leg: agent, cause: Cause::Lost }), "{:?}", bench.events);
    bench.assert_empty();
}

#[test]
fn a_new_offer_that_cannot_be_met_leaves_the_old_session() {
    let mut bench = Bench::new(4);
    let caller = bench.call(CARRIER, "4001", None).unwrap();
    bench.calls.answer(bench.now, caller);
    bench.skip();
    bench.peer_reinvites(CARRIER, &sdp("198.51.100.0", 4_000, "18", "sendrecv"));
    bench.check(
        "carrier > INVITE
         carrier < 100
         carrier < 488
         carrier > ACK",
    );
    bench.peer_reinvites(CARRIER, &offer(CARRIER));
    bench.check(
        "carrier > INVITE
         carrier < 100
         carrier < 200
         carrier > ACK",
    );
}

#[test]
fn a_tunnel_that_nobody_connects_ends() {
    let mut bench = Bench::new(4);
    let tunnel = bench.calls.tunnel(bench.now, OverflowId(9));
    bench.begun.insert(tunnel);
    bench.advance(Duration::from_secs(121));
    assert_eq!(bench.events.last(), Some(&Event::Ended { leg: tunnel, cause: Cause::Lost }));
    bench.assert_empty();
}

#[test]
fn a_tunnel_that_stays_silent_ends() {
    let mut bench = Bench::new(4);
    let tunnel = bench.calls.tunnel(bench.now, OverflowId(9));
    bench.begun.insert(tunnel);
    bench.run();
    bench.calls.tunnel_connect(bench.now, tunnel, "127.0.0.1:5000".parse().unwrap());
    bench.media_silent(tunnel, true);
    bench.advance(Duration::from_secs(50));
    bench.media_silent(tunnel, false);
    bench.advance(Duration::from_secs(300));
    assert!(!bench.events.iter().any(|event| matches!(event, Event::Ended { .. })), "it spoke again");
    bench.media_silent(tunnel, true);
    bench.advance(Duration::from_secs(61));
    assert_eq!(bench.events.last(), Some(&Event::Ended { leg: tunnel, cause: Cause::Lost }));
    bench.run();
    bench.assert_empty();
}

#[test]
fn a_recording_of_no_leg_and_one_too_many_are_said_to_have_failed() {
    let mut bench = Bench::with(4, |config| config.limits.recordings = 1);
    bench.calls.record(bench.now, RecordingId(1), model::LegId(1));
    bench.check("* recording failed: UnknownPort");
    let caller = bench.call(CARRIER, "4001", None).unwrap();
    bench.skip();
    bench.calls.record(bench.now, RecordingId(1), caller);
    bench.calls.record(bench.now, RecordingId(2), caller);
    bench.check("* recording failed: Limit");
    bench.calls.reject(bench.now, caller, Cause::Busy);
    bench.check(
        "* recording failed: UnknownPort
         * ended A Busy
         carrier < 486
         carrier > ACK",
    );
}

#[test]
fn a_peer_that_refuses_to_follow_a_new_media_process_is_ended() {
    let mut bench = Bench::new(4);
    let caller = bench.call(CARRIER, "4001", None).unwrap();
    bench.calls.answer(bench.now, caller);
    bench.run();
    bench.media_restarts();
    for _ in 0..3 {
        assert!(!bench.ended.contains_key(&caller));
        bench.peer_rejects(CARRIER, 488);
        bench.advance(Duration::from_secs(3));
    }
    assert_eq!(bench.events.last(), Some(&Event::Ended { leg: caller, cause: Cause::Media }));
    bench.assert_empty();
}

#[test]
fn a_new_offer_that_comes_while_media_restarts_is_to_be_repeated() {
    let mut bench = Bench::new(4);
    let caller = bench.call(CARRIER, "4001", None).unwrap();
    bench.calls.answer(bench.now, caller);
    bench.run();
    bench.media.deaf = true;
    bench.media_restarts();
    bench.skip();
    bench.peer_reinvites(CARRIER, &offer(CARRIER));
    bench.check(
        "carrier > INVITE
         carrier < 100
         carrier < 491
         carrier > ACK",
    );
}

#[test]
fn a_media_process_that_restarts_during_early_media_is_told_when_the_call_is_up() {
    let mut bench = Bench::new(4);
    let caller = bench.call(CARRIER, "4001", None).unwrap();
    bench.calls.early(bench.now, caller);
    bench.run();
    bench.media_restarts();
    bench.skip();
    bench.calls.answer(bench.now, caller);
    bench.check(
        "carrier < 200
         carrier > ACK
         * answered A
         carrier < INVITE
         carrier > 100",
    );
    assert!(bench.peer_sdp(CARRIER).contains("m=audio 30004 "));
}

#[test]
fn music_and_prompts_go_on_in_a_new_media_process() {
    let mut bench = Bench::new(4);
    let caller = bench.call(CARRIER, "4001", None).unwrap();
    bench.calls.answer(bench.now, caller);
    bench.calls.play(bench.now, caller, crate::ladders::prompt("music"), true);
    bench.skip();
    bench.media_restarts();
    bench.check(
        "media: open p2
         media: connect p2 198.51.100.0:4000 Pcmu
         media: play p2 music again
         carrier < INVITE
         carrier > 100",
    );
}

#[test]
fn a_phone_that_leaves_the_configuration_is_no_longer_registered() {
    let mut bench = Bench::new(4);
    let ann = "201".parse().unwrap();
    let (mut site, mut secrets) = bench.configured();
    site.phones.remove(&ann);
    secrets.phones.remove(&ann);
    bench.calls.configure(bench.now, &site, secrets);
    bench.run();
    assert!(!bench.calls.is_registered(&ann));
    assert!(bench.calls.is_registered(&"202".parse().unwrap()));
    let told = |event: &Event| matches!(event, Event::Registered { phone, up: false, .. } if *phone == ann);
    assert_eq!(bench.events.iter().filter(|event| told(event)).count(), 1, "{:?}", bench.events);
    let leg = bench.dial_phone("201", None);
    assert_eq!(bench.events.last(), Some(&Event::Ended { leg, cause: Cause::NotFound }));
}

#[test]
fn a_new_channel_limit_holds_for_the_next_call_and_ends_none() {
    let mut bench = Bench::new(4);
    let caller = bench.call(CARRIER, "4001", None).unwrap();
    let (mut site, secrets) = bench.configured();
    site.trunks.values_mut().for_each(|trunk| trunk.calls_max = 1);
    bench.calls.configure(bench.now, &site, secrets);
    bench.run();
    assert!(!bench.ended.contains_key(&caller));
    assert_eq!(bench.call(CARRIER, "4001", None), None);
}

#[test]
fn the_same_seed_gives_the_same_ids() {
    let leg = || Bench::new(4).call(CARRIER, "4001", None).unwrap();
    assert_eq!(leg(), leg());
}

#[test]
fn a_silent_party_is_asked_whether_it_is_there_and_ended_when_it_is_not() {
    let mut bench = Bench::new(4);
    let caller = bench.call(CARRIER, "4001", None).unwrap();
    bench.calls.answer(bench.now, caller);
    bench.run();
    bench.media_silent(caller, true);
    bench.media_silent(caller, false);
    bench.skip();
    bench.advance(Duration::from_secs(100));
    assert!(!bench.take_log().contains(&"carrier < INVITE".to_owned()), "it speaks again");
    bench.media_silent(caller, true);
    bench.advance(Duration::from_secs(61));
    assert!(bench.take_log().contains(&"carrier < INVITE".to_owned()));
    bench.peer_answers_reoffer(CARRIER, "sendrecv");
    assert!(!bench.ended.contains_key(&caller), "it is there");
    bench.peers[CARRIER].unplugged = true;
    bench.advance(Duration::from_secs(60 + 40));
    assert_eq!(bench.ended.get(&caller), Some(&1));
    let lost = |event: &Event| *event == Event::Ended { leg: caller, cause: Cause::Lost };
    assert!(bench.events.iter().any(lost), "{:?}", bench.events);
}
