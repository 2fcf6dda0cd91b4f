//! Loss, silence and races: RFC 3261 figures 5 to 8 at work.

use conformance::ladder::check;
use sip::endpoint::Transport;

use crate::stage::*;

#[test]
fn an_invite_nobody_hears_is_repeated_and_given_up_after_64_t1() {
    let (mut net, hub, _) = box_and_carrier();
    net.lose(|_, _, label, _| label == "INVITE");
    net.with(hub, |hub, now| hub.invite(now, to_trunk("carrier", "1", "2")));
    net.run_ms(40_000);
    check(
        &net.story(),
        "     0 box     -x carrier INVITE
            500 box     -x carrier INVITE
           1500 box     -x carrier INVITE
           3500 box     -x carrier INVITE
           7500 box     -x carrier INVITE
          15500 box     -x carrier INVITE
          31500 box     -x carrier INVITE
          32000 box      * Failed 408",
    );
    ends_once(&mut net, hub);
}

#[test]
fn a_bye_nobody_hears_is_repeated_at_most_every_4_seconds() {
    let (mut net, hub, carrier) = box_and_carrier();
    let (ours, _) = talking(&mut net, hub, carrier);
    net.lose(|_, _, label, _| label == "BYE");
    net.with(hub, |hub, now| hub.end(now, ours));
    net.run_ms(60_000);
    let story = net.story();
    let times: Vec<u64> = story
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().next().unwrap().parse::<u64>().unwrap() - 120)
        .collect();
    assert_eq!(times, [0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500], "{story}");
}

#[test]
fn a_refusal_is_repeated_until_its_ack() {
    let (mut net, hub, carrier) = box_and_carrier();
    net.lose(|_, _, label, seen| label == "ACK" && seen < 2);
    net.with(hub, |hub, now| hub.invite(now, to_trunk("carrier", "1", "2")));
    net.run_ms(20);
    let theirs = invited(&mut net, carrier);
    net.with(carrier, |carrier, now| carrier.reject(now, theirs, 486));
    net.run_ms(20_000);
    check(
        &net.story(),
        "     0 box     -> carrier INVITE
             10 carrier  * Invited 2 to 1 sdp
             10 box     <- carrier 100
             20 carrier  * Ended Us
             20 box     <- carrier 486
             30 box      * Failed 486
             30 box     -x carrier ACK
            520 box     <- carrier 486
            530 box     -x carrier ACK
           1520 box     <- carrier 486
           1530 box     -> carrier ACK",
    );
    ends_once(&mut net, hub);
    ends_once(&mut net, carrier);
}

#[test]
fn a_200_is_repeated_until_its_ack_also_over_tcp() {
    let (mut net, hub, phone) = box_and_phone(Transport::Tcp);
    net.lose(|_, _, label, seen| label == "ACK" && seen < 1);
    net.with(hub, |hub, now| hub.invite(now, to_phone("100")));
    net.run_ms(20);
    let theirs = invited(&mut net, phone);
    net.with(phone, |phone, now| phone.accept(now, theirs, answer()));
    net.run_ms(5_000);
    check(
        &net.story(),
        "   100 box     -> phone   INVITE
            110 phone    * Invited 200 to 100 sdp
            110 box     <- phone   100
            120 box     <- phone   200
            130 box      * Answered
            130 box     -x phone   ACK
            620 box     <- phone   200
            630 box     -> phone   ACK
            640 phone    * Confirmed",
    );
}

#[test]
fn a_200_never_acknowledged_ends_in_a_bye() {
    let (mut net, hub, carrier) = box_and_carrier();
    net.lose(|_, _, label, _| label == "ACK");
    let ours = net.with(hub, |hub, now| hub.invite(now, to_trunk("carrier", "1", "2")));
    net.run_ms(20);
    let theirs = invited(&mut net, carrier);
    net.with(carrier, |carrier, now| carrier.accept(now, theirs, answer()));
    net.run_ms(31_600);
    net.story();
    net.run_ms(2_000);
    check(
        &net.story(),
        " 32020 carrier  * Ended Lost
          32020 box     <- carrier BYE
          32030 box      * Ended Peer
          32030 box     -> carrier 200",
    );
    net.with(hub, |hub, now| hub.end(now, ours));
    ends_once(&mut net, hub);
    ends_once(&mut net, carrier);
}

#[test]
fn a_hang_up_between_the_200_and_its_ack_waits_for_the_ack() {
    let (mut net, hub, carrier) = box_and_carrier();
    net.lose(|_, _, label, seen| label == "ACK" && seen < 1);
    net.with(hub, |hub, now| hub.invite(now, to_trunk("carrier", "1", "2")));
    net.run_ms(20);
    let theirs = invited(&mut net, carrier);
    net.with(carrier, |carrier, now| carrier.accept(now, theirs, answer()));
    net.with(carrier, |carrier, now| carrier.end(now, theirs));
    net.run_ms(2_000);
    check(
        &net.story(),
        "     0 box     -> carrier INVITE
             10 carrier  * Invited 2 to 1 sdp
             10 box     <- carrier 100
             20 box     <- carrier 200
             20 carrier  * Ended Us
             30 box      * Answered
             30 box     -x carrier ACK
            520 box     <- carrier 200
            530 box     -> carrier ACK
            540 box     <- carrier BYE
            550 box      * Ended Peer
            550 box     -> carrier 200",
    );
    ends_once(&mut net, carrier);
}

#[test]
fn a_cancel_stops_the_ringing() {
    let (mut net, hub, phone) = box_and_phone(Transport::Udp);
    let ours = net.with(hub, |hub, now| hub.invite(now, to_phone("100")));
    net.run_ms(20);
    let theirs = invited(&mut net, phone);
    net.with(phone, |phone, now| phone.provisional(now, theirs, 180, None));
    net.run_ms(20);
    net.with(hub, |hub, now| hub.end(now, ours));
    net.with(hub, |hub, now| hub.end(now, ours));
    net.run_ms(60_000);
    check(
        &net.story(),
        "   100 box     -> phone   INVITE
            110 phone    * Invited 200 to 100 sdp
            110 box     <- phone   100
            120 box     <- phone   180
            130 box      * Progress 180
            140 box      * Ended Us
            140 box     -> phone   CANCEL
            150 phone    * Ended Peer
            150 box     <- phone   200
            150 box     <- phone   487
            160 box     -> phone   ACK",
    );
    ends_once(&mut net, hub);
    ends_once(&mut net, phone);
}

#[test]
fn a_cancel_waits_for_the_first_provisional_response() {
    let (mut net, hub, carrier) = box_and_carrier();
    net.lose(|_, _, label, seen| label == "100" && seen < 1);
    let ours = net.with(hub, |hub, now| hub.invite(now, to_trunk("carrier", "1", "2")));
    net.run_ms(20);
    net.with(hub, |hub, now| hub.end(now, ours));
    net.run_ms(2_000);
    check(
        &net.story(),
        "     0 box     -> carrier INVITE
             10 carrier  * Invited 2 to 1 sdp
             10 box     x- carrier 100
             20 box      * Ended Us
            500 box     -> carrier INVITE
            510 box     <- carrier 100
            520 box     -> carrier CANCEL
            530 carrier  * Ended Peer
            530 box     <- carrier 200
            530 box     <- carrier 487
            540 box     -> carrier ACK",
    );
    ends_once(&mut net, carrier);
}

#[test]
fn a_200_that_crosses_the_cancel_is_acknowledged_and_ended() {
    let (mut net, hub, carrier) = box_and_carrier();
    let ours = net.with(hub, |hub, now| hub.invite(now, to_trunk("carrier", "1", "2")));
    net.run_ms(20);
    let theirs = invited(&mut net, carrier);
    net.with(carrier, |carrier, now| carrier.accept(now, theirs, answer()));
    net.with(hub, |hub, now| hub.end(now, ours));
    net.run_ms(60_000);
    check(
        &net.story(),
        "     0 box     -> carrier INVITE
             10 carrier  * Invited 2 to 1 sdp
             10 box     <- carrier 100
             20 box     <- carrier 200
             20 box      * Ended Us
             20 box     -> carrier CANCEL
             30 box     -> carrier ACK
             30 box     -> carrier BYE
             30 box     <- carrier 200
             40 carrier  * Confirmed
             40 carrier  * Ended Peer
             40 box     <- carrier 200",
    );
    ends_once(&mut net, hub);
    ends_once(&mut net, carrier);
}

#[test]
fn busy_beats_unreachable_and_a_decline_silences_the_others() {
    let check = |refusals: [u16; 2], expected: &str| {
        let (mut net, hub, phone) = box_and_phone(Transport::Udp);
        let second = net.endpoint("second", PHONE2, phone_config("100", PHONE2, Transport::Udp));
        net.run_ms(100);
        forget_events(&mut net, hub);
        net.with(hub, |hub, now| hub.invite(now, to_phone("100")));
        net.run_ms(20);
        for (node, status) in [(phone, refusals[0]), (second, refusals[1])] {
            let theirs = invited(&mut net, node);
            net.with(node, |phone, now| phone.reject(now, theirs, status));
            net.run_ms(100);
        }
        let story = net.story();
        assert!(story.contains(expected), "{story}");
        ends_once(&mut net, hub);
        ends_once(&mut net, second);
    };
    check([480, 486], "box      * Failed 486");
    check([486, 480], "box      * Failed 486");
    check([603, 486], "second   * Ended Peer");
    check([603, 486], "box      * Failed 603");
}

#[test]
fn nobody_registered_and_an_unknown_trunk_fail_at_once() {
    let (mut net, hub, _) = box_and_carrier();
    net.with(hub, |hub, now| hub.invite(now, to_phone("100")));
    net.with(hub, |hub, now| hub.invite(now, to_trunk("nowhere", "1", "2")));
    check(&net.story(), "0 box * Failed 480\n0 box * Failed 404");
}

#[test]
fn a_peer_that_forgot_the_dialog_is_lost() {
    let (mut net, hub, carrier) = box_and_carrier();
    let (ours, _) = talking(&mut net, hub, carrier);
    let stranger = net.talker("nobody", "198.51.100.66:5060");
    let _ = stranger;
    net.lose(|from, _, label, _| from == "box" && label == "INVITE");
    net.with(hub, |hub, now| hub.reinvite(now, ours, offer()));
    net.run_ms(40_000);
    let story = net.story();
    assert!(story.contains("box      * Ended Lost") && story.contains("-> carrier BYE"), "{story}");
    ends_once(&mut net, hub);
}

#[test]
fn a_re_invite_that_is_never_answered_is_forgotten_after_the_call() {
    let (mut net, hub, carrier) = box_and_carrier();
    let (ours, theirs) = talking(&mut net, hub, carrier);
    net.with(carrier, |carrier, now| carrier.reinvite(now, theirs, offer()));
    net.run_ms(20);
    net.lose(|_, _, label, _| label == "200");
    net.with(hub, |hub, now| hub.accept(now, ours, answer()));
    net.with(carrier, |carrier, now| carrier.end(now, theirs));
    net.run_ms(120_000);
    for node in [hub, carrier] {
        let load = net.with(node, |endpoint, _| endpoint.load());
        assert_eq!((load.dialogs, load.transactions), (0, 0), "{}", net.ladder);
    }
}

#[test]
fn dialogs_over_the_limit_are_told_to_come_later() {
    let mut net = conformance::net::Net::new();
    let mut config = box_config();
    config.limits.dialogs = 2;
    let hub = net.endpoint("box", BOX, config);
    let carrier = net.endpoint("carrier", CARRIER, carrier_config());
    for _ in 0..2 {
        net.with(carrier, |carrier, now| carrier.invite(now, to_trunk("box", "1", "2")));
    }
    net.run_ms(20);
    net.story();
    net.with(carrier, |carrier, now| carrier.invite(now, to_trunk("box", "1", "2")));
    net.with(hub, |hub, now| hub.invite(now, to_trunk("carrier", "1", "2")));
    net.run_ms(40);
    check(
        &net.story(),
        "    20 box     <- carrier INVITE
             20 box      * Failed 503
             30 box     -> carrier 503
             40 carrier  * Failed 503
             40 carrier  * Trunk box down
             40 box     <- carrier ACK",
    );
}

#[test]
fn transactions_over_the_limit_are_refused_without_state() {
    let mut net = conformance::net::Net::new();
    let mut config = box_config();
    config.limits.transactions = 1;
    let _ = net.endpoint("box", BOX, config);
    let carrier = net.endpoint("carrier", CARRIER, carrier_config());
    net.with(carrier, |carrier, now| carrier.invite(now, to_trunk("box", "1", "2")));
    net.run_ms(20);
    net.with(carrier, |carrier, now| carrier.invite(now, to_trunk("box", "3", "4")));
    net.run_ms(40);
    let story = net.story();
    assert!(story.contains("carrier  * Failed 503"), "{story}");
}
