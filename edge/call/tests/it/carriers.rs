//! What carriers do around a call: numbers in their own spelling, calls sent on, early media, refusals with a reason.

use call::leg::{Cause, Event};
use model::Number;
use model::carrier::{Early, Written};
use model::cdr::Released;
use sip::endpoint::{Invite, Release, Target};

use crate::bench::{ANN, Bench, CARRIER};
use crate::setup::{carrier, offer, sdp};

fn with_rules(change: impl FnOnce(&mut model::config::Config)) -> Bench {
    Bench::with(4, |config| {
        config.site.site.dialling.country = "86".into();
        let main = config.site.numbers.values().next().cloned().unwrap();
        config.site.numbers.insert(Number::new("01055550100").unwrap(), main);
        change(&mut config.site);
    })
}

fn rules(site: &mut model::config::Config) -> &mut model::carrier::Carrier {
    &mut site.trunks.get_mut(&carrier()).unwrap().carrier
}

fn incoming(bench: &Bench) -> Option<(String, String)> {
    bench.events.iter().rev().find_map(|event| match event {
        Event::Incoming { to, caller, .. } => Some((to.clone(), caller.number.clone())),
        _ => None,
    })
}

#[test]
fn a_number_is_ours_however_the_carrier_writes_it() {
    for (written, to) in [
        (Written::AsIs, "01055550100"),
        (Written::AsIs, "+861055550100"),
        (Written::CountryFirst, "861055550100"),
        (Written::AreaFirst, "1055550100"),
    ] {
        let mut bench = with_rules(|site| {
            rules(site).numbers.called.written = written;
            rules(site).numbers.caller.written = Written::AreaFirst;
        });
        bench.call(CARRIER, to, None).unwrap();
        assert_eq!(incoming(&bench), Some(("01055550100".into(), "+8613800000000".into())), "{written:?} {to}");
    }
}

#[test]
fn a_call_sent_on_to_a_stranger_s_number_is_for_ours_that_was_called_first() {
    for (trusted, expected) in [(true, "01055550100"), (false, "99887766")] {
        let mut bench = with_rules(|site| rules(site).identity.trusted = trusted);
        let invite = Invite {
            to: Target::Trunk { trunk: "box".into(), user: "99887766".into() },
            from_user: "13800000000".into(),
            from_name: None,
            sdp: offer(CARRIER).into(),
            sdp_to_browsers: None,
            emergency: None,
            patience: None,
            shown: sip::endpoint::Shown { diverted: Some("+861055550100".into()), ..Default::default() },
            recording: None,
        };
        bench.peers[CARRIER].endpoint.invite(bench.now, invite);
        bench.run();
        assert_eq!(incoming(&bench).unwrap().0, expected, "trusted: {trusted}");
        let told = bench.events.iter().find_map(|event| match event {
            Event::Diverted { from, hops, .. } => Some((from.clone(), *hops)),
            _ => None,
        });
        assert_eq!(told, trusted.then(|| (Number::new("01055550100").ok(), 1)));
    }
}

#[test]
fn early_media_without_leave_is_not_heard_and_our_ring_back_is() {
    for (early, joined) in [(Early::Always, true), (Early::Authorised, false), (Early::Never, false)] {
        let mut bench = with_rules(|site| rules(site).identity.early = early);
        let caller = bench.call(ANN, "013800000000", None).unwrap();
        bench.calls.early(bench.now, caller);
        bench.run();
        bench.dial_out("013800000000", Some(caller));
        bench.skip();
        bench.peer_rings(CARRIER, Some(offer(CARRIER)));
        let heard = bench.take_log().join("\n");
        assert_eq!(heard.contains("media: join") || heard.contains("media: bridge"), joined, "{early:?}\n{heard}");
        assert_eq!(heard.contains("ringback"), !joined, "{early:?}\n{heard}");
        assert_eq!(heard.contains("ringback of +86"), !joined, "{early:?}\n{heard}");
    }
}

#[test]
fn a_trunk_s_last_words_are_told_and_decide_whether_another_may_try() {
    let mut bench = Bench::new(4);
    let leg = bench.dial_out("13800000000", None);
    bench.peer_rejects(CARRIER, 480);
    assert!(
        bench
            .events
            .contains(&Event::Released { leg, released: Released { status: Some(480), q850: None, sip: None } })
    );
    assert!(
        bench.events.contains(&Event::Ended { leg, cause: Cause::Lost }),
        "no free line: another trunk may have one"
    );
    let leg = bench.dial_out("13800000000", None);
    bench.peer_rings(CARRIER, None);
    bench.peer_answers(CARRIER);
    let dialog = bench.peers[CARRIER].dialog.unwrap();
    bench.peers[CARRIER].endpoint.end_because(bench.now, dialog, Some(Release::q850(16)));
    bench.run();
    assert!(
        bench.events.contains(&Event::Released { leg, released: Released { status: None, q850: Some(16), sip: None } })
    );
    bench.skip();
}

#[test]
fn our_bye_says_why() {
    let mut bench = Bench::new(4);
    let leg = bench.dial_out("13800000000", None);
    bench.peer_answers(CARRIER);
    bench.calls.hang_up(bench.now, leg);
    bench.run();
    let said = bench.peers[CARRIER].events.iter().find_map(|event| match event {
        sip::endpoint::Event::Ended { why, .. } => Some(*why),
        _ => None,
    });
    assert_eq!(said, Some(Some(Release::q850(16))));
}

#[test]
fn a_way_that_is_full_is_busy_while_the_other_is_free() {
    let mut bench = with_rules(|site| {
        rules(site).limits.in_max = Some(1);
        rules(site).limits.out_max = Some(0);
    });
    assert!(bench.call(CARRIER, "01055550100", None).is_some());
    assert!(bench.call(CARRIER, "01055550100", None).is_none(), "one at a time comes in");
    let leg = bench.dial_out("13800000000", None);
    assert!(bench.events.contains(&Event::Ended { leg, cause: Cause::Overload }), "none goes out");
    assert_eq!(bench.calls.trunk_calls(&carrier()), (1, 0));
}

#[test]
fn a_trunk_s_codecs_are_offered_in_its_order_and_no_other_is_taken() {
    let mut bench = with_rules(|site| rules(site).codecs = vec!["PCMU".into()]);
    bench.dial_out("13800000000", None);
    let offered = bench.peer_sdp(CARRIER);
    assert!(offered.contains("RTP/AVP 0 101"), "{offered}");
    let mut bench = with_rules(|site| rules(site).codecs = vec!["PCMA".into()]);
    assert!(bench.call(CARRIER, "4001", Some(&sdp("198.51.100.0", 4_000, "0 101", "sendrecv"))).is_none());
    assert!(bench.events.contains(&Event::Refused { cause: "sdp", status: Some(488) }));
    assert!(bench.call(CARRIER, "4001", Some(&sdp("198.51.100.0", 4_000, "0 8 101", "sendrecv"))).is_some());
}
