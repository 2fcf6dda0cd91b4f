//! The calls that a branch lives on, message by message.

use std::time::Duration;

use call::leg::{Cause, Event};
use model::{OverflowId, PromptId, RecordingId};

use crate::bench::{ANN, BOB, Bench, CARRIER};
use crate::setup::{offer, sdp};

pub fn prompt(name: &str) -> Vec<PromptId> {
    vec![PromptId::new(name).unwrap()]
}

/// A caller from the trunk talks to ann; both legs are up and joined.
pub fn talking() -> (Bench, model::LegId, model::LegId) {
    talking_in(Bench::new(4))
}

pub fn talking_in(mut bench: Bench) -> (Bench, model::LegId, model::LegId) {
    let caller = bench.call(CARRIER, "4001", None).unwrap();
    bench.calls.answer(bench.now, caller);
    bench.run();
    let agent = bench.dial_phone("201", None);
    bench.peer_answers(ANN);
    bench.calls.join(bench.now, caller, agent);
    bench.skip();
    (bench, caller, agent)
}

#[test]
fn prompts_to_a_party_are_of_the_language_that_it_is_spoken_to_in() {
    let mut bench = Bench::new(4);
    let caller = bench.call(CARRIER, "4001", None).unwrap();
    bench.calls.answer(bench.now, caller);
    bench.calls.speak(caller, "de-at".parse().unwrap());
    bench.calls.play(bench.now, caller, prompt("welcome"), false);
    bench.run();
    let heard = bench.take_log().join("\n");
    assert!(heard.contains("media: play p1 de-at/welcome"), "{heard}");
}

#[test]
fn a_caller_hears_a_greeting_talks_to_a_phone_is_recorded_and_hangs_up() {
    let mut bench = Bench::new(4);
    let caller = bench.call(CARRIER, "4001", None).unwrap();
    bench.calls.ring(bench.now, caller);
    bench.calls.answer(bench.now, caller);
    bench.calls.play(bench.now, caller, prompt("welcome"), false);
    bench.check(
        "carrier > INVITE
         * incoming A to 4001
         carrier < 100
         carrier < 180
         media: open p1
         media: connect p1 198.51.100.0:4000 Pcmu
         media: play p1 welcome
         carrier < 200
         carrier > ACK
         * answered A",
    );
    let agent = bench.dial_phone("201", None);
    bench.peer_rings(ANN, None);
    bench.peer_answers(ANN);
    bench.check(
        "media: open p2
         ann < INVITE
         ann > 100
         ann > 180
         * ringing B
         ann > 200
         media: connect p2 198.51.100.1:4000 Pcma
         * answered B
         ann < ACK",
    );
    bench.calls.stop(bench.now, caller);
    bench.calls.join(bench.now, caller, agent);
    bench.calls.record(bench.now, RecordingId(1), caller);
    bench.check(
        "media: stop p1
         media: join p1 p2
         media: record p1
         * recording started",
    );
    bench.peer_ends(CARRIER);
    bench.check(
        "carrier > BYE
         media: record end
         media: part p2
         media: close p1
         * ended A PartyHungUp
         carrier < 200
         * recording sealed",
    );
    bench.calls.hang_up(bench.now, agent);
    bench.check(
        "media: close p2
         * ended B Ours
         ann < BYE
         ann > 200",
    );
    bench.assert_empty();
}

#[test]
fn the_called_phone_may_hang_up_first() {
    let (mut bench, caller, _) = talking();
    bench.peer_ends(ANN);
    bench.check(
        "ann > BYE
         media: part p1
         media: close p2
         * ended B PartyHungUp
         ann < 200",
    );
    bench.calls.hang_up(bench.now, caller);
    bench.skip();
    bench.assert_empty();
}

#[test]
fn a_busy_phone_says_so() {
    let mut bench = Bench::new(4);
    bench.dial_phone("201", None);
    bench.peer_rejects(ANN, 486);
    bench.check(
        "media: open p1
         ann < INVITE
         ann > 100
         ann > 486
         media: close p1
         * ended A Busy
         ann < ACK",
    );
    bench.assert_empty();
}

#[test]
fn a_phone_that_is_not_registered_is_not_dialled() {
    let mut bench = Bench::with(4, |config| {
        let spare = config.site.phones.values().next().unwrap().clone();
        config.site.phones.insert("203".parse().unwrap(), spare);
    });
    bench.dial_phone("203", None);
    bench.check("* ended A NotRegistered");
    bench.dial_phone("299", None);
    bench.check("* ended B NotFound");
    bench.assert_empty();
}

#[test]
fn a_phone_that_nobody_answers_is_given_up() {
    let mut bench = Bench::new(4);
    let agent = bench.dial_phone("201", None);
    bench.peer_rings(ANN, None);
    bench.skip();
    bench.calls.hang_up(bench.now, agent);
    bench.check(
        "media: close p1
         * ended A Ours
         ann < CANCEL
         ann > 200
         ann > 487
         ann < ACK",
    );
    bench.dial_phone("201", None);
    bench.peer_rings(ANN, None);
    bench.advance(Duration::from_secs(185));
    assert!(matches!(bench.events.last(), Some(Event::Ended { cause: Cause::NoAnswer, .. })));
    bench.assert_empty();
}

#[test]
fn a_caller_may_cancel_before_the_answer() {
    let mut bench = Bench::new(4);
    let caller = bench.call(CARRIER, "4001", None).unwrap();
    bench.calls.early(bench.now, caller);
    bench.calls.play(bench.now, caller, prompt("closed"), false);
    bench.check(
        "carrier > INVITE
         * incoming A to 4001
         carrier < 100
         media: open p1
         media: connect p1 198.51.100.0:4000 Pcmu
         media: play p1 closed
         carrier < 183
         carrier > PRACK
         carrier < 200",
    );
    bench.peer_ends(CARRIER);
    bench.check(
        "carrier > CANCEL
         media: close p1
         * ended A PartyHungUp
         carrier < 200
         carrier < 487
         carrier > ACK",
    );
    bench.assert_empty();
}

#[test]
fn early_media_is_followed_by_the_same_description_in_the_answer() {
    let mut bench = Bench::new(4);
    let caller = bench.call(CARRIER, "4001", None).unwrap();
    bench.calls.early(bench.now, caller);
    bench.run();
    let early = bench.peer_sdp(CARRIER);
    bench.calls.answer(bench.now, caller);
    bench.run();
    assert_eq!(bench.peer_sdp(CARRIER), early);
    bench.calls.reject(bench.now, caller, Cause::Overload);
    bench.assert_empty();
}

#[test]
fn a_rejected_caller_hears_why() {
    let table = [(Cause::NotFound, "404"), (Cause::Busy, "486"), (Cause::Forbidden, "403"), (Cause::Overload, "503")];
    for (cause, status) in table {
        let mut bench = Bench::new(4);
        let caller = bench.call(CARRIER, "4001", None).unwrap();
        bench.skip();
        bench.calls.reject(bench.now, caller, cause);
        bench.check(&format!("* ended A {cause:?}\ncarrier < {status}\ncarrier > ACK"));
        bench.assert_empty();
    }
}

#[test]
fn a_delayed_offer_is_answered_with_ours_and_confirmed_by_theirs() {
    let mut bench = Bench::new(4);
    // The bench's endpoints always offer: the INVITE without SDP is written by hand.
    let caller = bench.hand_invite_without_sdp("");
    bench.calls.early(bench.now, caller);
    bench.calls.answer(bench.now, caller);
    let offered = bench.hand_heard_200();
    assert!(offered.contains("m=audio 30002 RTP/AVP"), "{offered}");
    bench.hand_ack(&sdp("198.51.100.77", 6_000, "8 101", "sendrecv"));
    bench.check(
        "by hand > INVITE
         * incoming A to 4001
         by hand < 100
         by hand < 180
         media: open p1
         by hand < 200
         by hand > ACK
         media: connect p1 198.51.100.77:6000 Pcma
         * answered A",
    );
    bench.calls.hang_up(bench.now, caller);
    bench.skip();
    bench.advance(Duration::from_secs(40));
    bench.assert_empty();
}

/// RFC 3262 §5: who made no offer and acknowledges progress hears what is played before the answer.
#[test]
fn a_delayed_offer_with_100rel_has_ours_in_progress_and_is_heard_before_the_answer() {
    let mut bench = Bench::new(4);
    let caller = bench.hand_invite_without_sdp("Supported: 100rel\r\n");
    bench.calls.early(bench.now, caller);
    let progress = bench.hand_prack(&sdp("198.51.100.77", 6_000, "8 101", "sendrecv"));
    assert!(progress.contains("m=audio 30002 RTP/AVP"), "{progress}");
    bench.calls.answer(bench.now, caller);
    let ok = bench.hand_heard_200();
    assert!(ok.contains("CSeq: 1 INVITE") && ok.contains("Content-Length: 0"), "{ok}");
    bench.hand_ack("");
    bench.check(
        "by hand > INVITE
         * incoming A to 4001
         by hand < 100
         media: open p1
         by hand < 183
         by hand > PRACK
         media: connect p1 198.51.100.77:6000 Pcma
         by hand < 200
         by hand < 200
         by hand > ACK
         * answered A",
    );
    bench.calls.hang_up(bench.now, caller);
    bench.skip();
    bench.advance(Duration::from_secs(40));
    bench.assert_empty();
}

#[test]
fn the_other_side_may_hold_and_come_back() {
    let (mut bench, _, _) = talking();
    bench.peer_reinvites(ANN, &sdp("198.51.100.1", 4_000, "8 101", "sendonly"));
    assert!(bench.peer_sdp(ANN).contains("a=recvonly"));
    bench.check(
        "ann > INVITE
         media: mute p2 true
         * hold B true
         ann < 100
         ann < 200
         ann > ACK",
    );
    bench.peer_reinvites(ANN, &sdp("198.51.100.5", 4_100, "8 101", "sendrecv"));
    assert!(bench.peer_sdp(ANN).contains("a=sendrecv"));
    bench.check(
        "ann > INVITE
         media: mute p2 false
         * hold B false
         media: connect p2 198.51.100.5:4100 Pcma
         ann < 100
         ann < 200
         ann > ACK",
    );
    bench.peer_reinvites(ANN, &sdp("0.0.0.0", 4_100, "8 101", "sendrecv"));
    bench.check(
        "ann > INVITE
         media: mute p2 true
         * hold B true
         ann < 100
         ann < 200
         ann > ACK",
    );
}

#[test]
fn we_hold_a_caller_with_music_and_take_it_back() {
    let (mut bench, caller, _) = talking();
    bench.calls.hold(bench.now, caller);
    bench.calls.play(bench.now, caller, prompt("music"), true);
    bench.run();
    assert!(bench.peer_sdp(CARRIER).contains("a=sendonly"));
    bench.peer_answers_reoffer(CARRIER, "recvonly");
    bench.check(
        "media: part p2
         carrier < INVITE
         media: play p1 music again
         carrier > 100
         carrier > 200
         carrier < ACK",
    );
    bench.calls.resume(bench.now, caller);
    bench.run();
    assert!(bench.peer_sdp(CARRIER).contains("a=sendrecv"));
    bench.peer_answers_reoffer(CARRIER, "sendrecv");
    bench.check(
        "media: stop p1
         media: join p1 p2
         carrier < INVITE
         carrier > 100
         carrier > 200
         carrier < ACK",
    );
}

#[test]
fn a_hold_that_is_refused_is_a_hold_all_the_same() {
    let (mut bench, caller, _) = talking();
    bench.calls.hold(bench.now, caller);
    bench.run();
    for _ in 0..3 {
        bench.peer_rejects(CARRIER, 488);
        bench.advance(Duration::from_secs(3));
    }
    bench.skip();
    bench.advance(Duration::from_secs(20));
    assert!(!bench.take_log().contains(&"carrier < INVITE".to_owned()), "three times is enough");
    assert!(bench.ended.is_empty());
}

#[test]
fn a_dialled_trunks_early_media_is_heard_by_who_waits_for_it() {
    let mut bench = Bench::new(4);
    let phone = bench.call(ANN, "01055550101", None).unwrap();
    bench.calls.answer(bench.now, phone);
    bench.skip();
    bench.dial_out("01055550101", Some(phone));
    bench.peer_rings(CARRIER, None);
    bench.check(
        "media: open p2
         carrier < INVITE
         carrier > 100
         carrier > 180
         * ringing B
         media: play p1 ringback again",
    );
    bench.peer_rings(CARRIER, Some(offer(CARRIER)));
    bench.check(
        "carrier > 183
         media: connect p2 198.51.100.0:4000 Pcmu
         media: stop p1
         media: join p1 p2
         carrier < PRACK
         carrier > 200",
    );
    bench.peer_answers(CARRIER);
    bench.check(
        "carrier > 200
         * answered B
         carrier < ACK",
    );
    bench.peer_ends(ANN);
    bench.peer_ends(CARRIER);
    bench.assert_empty();
}

#[test]
fn the_ring_back_tone_ends_with_the_call_it_stands_for() {
    let mut bench = Bench::new(4);
    let phone = bench.call(ANN, "202", None).unwrap();
    bench.calls.answer(bench.now, phone);
    bench.skip();
    bench.dial_phone("202", Some(phone));
    bench.peer_rings(BOB, None);
    bench.skip();
    bench.peer_rejects(BOB, 603);
    bench.check(
        "bob > 603
         media: stop p1
         media: close p2
         * ended B Busy
         bob < ACK",
    );
}

#[test]
fn a_blind_transfer_moves_the_caller_and_tells_the_asker() {
    let (mut bench, caller, agent) = talking();
    bench.peer_refers(ANN, "202");
    bench.check("ann > REFER\n* transfer B to 202");
    bench.calls.transfer_answer(bench.now, agent, true);
    let target = bench.dial_phone("202", Some(caller));
    bench.peer_rings(BOB, None);
    bench.peer_answers(BOB);
    bench.skip();
    bench.calls.join(bench.now, caller, target);
    bench.run();
    let told = bench.notified();
    assert!(told.last().is_some_and(|body| body.contains("200")), "{told:?}");
    bench.calls.hang_up(bench.now, agent);
    bench.calls.hang_up(bench.now, target);
    bench.calls.hang_up(bench.now, caller);
    bench.advance(Duration::from_secs(40));
    bench.assert_empty();
}

#[test]
fn a_blind_transfer_to_somebody_busy_leaves_the_caller_where_it_was() {
    let (mut bench, caller, agent) = talking();
    bench.peer_refers(ANN, "202");
    bench.calls.transfer_answer(bench.now, agent, true);
    bench.dial_phone("202", Some(caller));
    bench.peer_rejects(BOB, 486);
    bench.run();
    assert!(bench.notified().last().is_some_and(|body| body.contains("SIP/2.0 486")), "{:?}", bench.notified());
    assert_eq!(bench.media.joined.len(), 2, "caller and agent still hear each other");
    assert!(!bench.ended.contains_key(&agent) && !bench.ended.contains_key(&caller));
}

#[test]
fn a_transfer_may_be_refused_and_asked_for_again() {
    let (mut bench, _, agent) = talking();
    bench.peer_refers(ANN, "00442079460000");
    bench.calls.transfer_answer(bench.now, agent, false);
    bench.check(
        "ann > REFER
         * transfer B to 00442079460000
         ann < 603",
    );
    bench.calls.transfer_answer(bench.now, agent, true);
    bench.check("");
}

#[test]
fn a_tunnel_is_a_leg_without_sip() {
    let mut bench = Bench::new(4);
    let caller = bench.call(CARRIER, "4001", None).unwrap();
    bench.calls.answer(bench.now, caller);
    bench.skip();
    let tunnel = bench.calls.tunnel(bench.now, OverflowId(5));
    bench.begun.insert(tunnel);
    bench.calls.join(bench.now, caller, tunnel);
    bench.check(
        "media: open p2 on loopback
         * tunnel B at 127.0.0.1:30004",
    );
    bench.calls.tunnel_connect(bench.now, tunnel, "192.0.2.66:5000".parse().unwrap());
    bench.check("");
    bench.calls.tunnel_connect(bench.now, tunnel, "127.0.0.1:5000".parse().unwrap());
    bench.check(
        "media: connect p2 127.0.0.1:5000 Pcma
         media: join p2 p1",
    );
    bench.calls.tunnel_end(bench.now, tunnel);
    bench.check(
        "media: part p1
         media: close p2
         * ended B Ours",
    );
    bench.peer_ends(CARRIER);
    bench.assert_empty();
}

#[test]
fn digits_go_both_ways_and_only_keys_are_sent() {
    let (mut bench, caller, _) = talking();
    bench.calls.digit(bench.now, caller, '5');
    bench.calls.digit(bench.now, caller, 'x');
    bench.check("media: digit p1 5");
    bench.media_digit(caller, '7');
    bench.check("* digit A 7");
}

#[test]
fn a_prompt_that_cannot_be_played_counts_as_played() {
    let (mut bench, caller, _) = talking();
    bench.calls.play(bench.now, caller, prompt("missing"), false);
    bench.media_prompt_fails(caller);
    bench.check(
        "media: play p1 missing
         * played A",
    );
    bench.calls.play(bench.now, caller, Vec::<PromptId>::new(), false);
    bench.check("* played A");
}
