//! Who is let in, and what ends a session.

use std::time::Duration;

use model::{
    BoxId, Epoch, Millis, OverflowId, SiteId,
    change::Doc,
    overflow::{Kind, Signal},
};
use wire::{
    frame::{Frame, Heads, Reason, Refuse, Versions},
    session::{End, at_box, at_cloud},
};

use crate::pair::{Pair, site};

fn refusal(pair: &Pair) -> Vec<(&'static str, Reason)> {
    let reason = |(who, end): &(&'static str, End)| match end {
        End::Refused(refuse) => (*who, refuse.reason),
        other => panic!("{other:?}"),
    };
    pair.ends.iter().map(reason).collect()
}

#[test]
fn two_ends_without_a_common_version_part_and_say_what_they_speak() {
    let mut pair = Pair::new();
    pair.connect_as(pair.hello(), Versions { lowest: 2, highest: 4 });
    pair.deliver_to_cloud();
    pair.deliver_to_box();
    let version = Reason::Version { lowest: 2, highest: 4 };
    assert_eq!(refusal(&pair), [("cloud", version), ("box", version)]);
}

#[test]
fn the_highest_common_version_is_spoken() {
    let mut pair = Pair::new();
    let mut hello = pair.hello();
    hello.versions = Versions { lowest: 1, highest: 3 };
    pair.connect_as(hello, Versions { lowest: 2, highest: 9 });
    pair.deliver_to_cloud();
    assert!(matches!(&pair.to_box[0], Frame::Welcome(welcome) if welcome.version == 3));
}

#[test]
fn a_hello_in_another_name_than_the_certificates_is_refused() {
    let mut pair = Pair::new();
    for (box_id, site) in [(BoxId(2), site()), (BoxId(1), SiteId::new("south").unwrap())] {
        let mut hello = pair.hello();
        (hello.box_id, hello.site) = (box_id, site);
        pair.connect_as(hello, Versions::OURS);
        pair.deliver_to_cloud();
        pair.deliver_to_box();
    }
    assert!(refusal(&pair).iter().all(|(_, reason)| *reason == Reason::Identity));
    assert_eq!(pair.ends.len(), 4);
}

#[test]
fn more_heads_than_the_limit_are_refused_and_as_many_pass() {
    for (count, linked) in [(256_u32, true), (257, false)] {
        let mut pair = Pair::new();
        let mut hello = pair.hello();
        let heads = (0..count).map(|n| {
            let mut head = [0; 32];
            head[..4].copy_from_slice(&n.to_be_bytes());
            head
        });
        hello.heads = vec![Heads { doc: Doc::Local, heads: heads.collect() }];
        pair.connect_as(hello, Versions::OURS);
        pair.deliver_to_cloud();
        assert_eq!(pair.at_cloud.is_some(), linked);
    }
}

#[test]
fn a_refusal_carries_when_to_come_back() {
    let mut pair = Pair::new();
    pair.connect();
    pair.settle();
    pair.cloud_input(at_cloud::Input::Refused(Refuse { reason: Reason::Leaving, retry_after_ms: 7000 }));
    while pair.at_box.is_some() {
        pair.deliver_to_box();
    }
    assert_eq!(pair.ends[1].1.retry_after(), Some(Duration::from_secs(7)));
}

#[test]
fn silence_ends_the_session_at_both_ends() {
    let mut pair = Pair::new();
    pair.connect();
    pair.settle();
    for _ in 0..4 {
        pair.pass(Duration::from_secs(10));
        pair.to_cloud.clear();
        pair.to_box.clear();
    }
    assert!(pair.ends.iter().all(|(_, end)| *end == End::Silent), "{:?}", pair.ends);
    assert!(pair.at_cloud.is_none() || pair.at_box.is_none());
}

#[test]
fn pings_keep_a_session_open_and_tell_the_skew() {
    let mut pair = Pair::new();
    let mut hello = pair.hello();
    hello.at = Millis(hello.at.0 - 90_000);
    pair.connect_as(hello, Versions::OURS);
    for _ in 0..600 {
        pair.pass(Duration::from_secs(5));
        pair.settle();
    }
    assert_eq!(pair.ends, []);
    let end = pair.at_box.as_mut().unwrap();
    end.handle_timeout(pair.now + Duration::from_secs(10));
    let Some(at_box::Output::Send(Frame::Ping { at, .. })) = end.poll_output() else { panic!("no ping") };
    let pong = Frame::Pong { echo: at, at: Millis(at.0 + 90_100) };
    end.handle_input(pair.now + Duration::from_millis(10_200), at_box::Input::Frame(pong));
    assert_eq!(end.poll_output(), Some(at_box::Output::Skew { ms: 90_000 }));
}

fn signal(from: &str, to: &str) -> Signal {
    let id = |text| SiteId::new(text).unwrap();
    Signal { overflow: OverflowId(1), from: id(from), to: id(to), kind: Kind::Ringing }
}

#[test]
fn a_signal_in_the_name_of_another_site_ends_the_session() {
    let mut pair = Pair::new();
    pair.connect();
    pair.settle();
    pair.box_input(at_box::Input::Signal(signal("north", "south")));
    pair.settle();
    assert_eq!(pair.ends, []);
    pair.box_input(at_box::Input::Signal(signal("east", "south")));
    pair.deliver_to_cloud();
    pair.deliver_to_box();
    assert_eq!(pair.ends.len(), 2);
}

#[test]
fn nothing_but_a_hello_comes_first() {
    let mut pair = Pair::new();
    pair.connect();
    pair.to_cloud.push_front(Frame::Ping { at: Millis(0), last: 0 });
    pair.deliver_to_cloud();
    assert!(matches!(pair.ends[..], [("cloud", End::Protocol(_))]));
    assert_eq!(pair.ledger.epoch, Epoch(1));
}
