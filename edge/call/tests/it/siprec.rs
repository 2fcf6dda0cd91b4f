//! Recording sessions as RFC 7866 draws them: a call of ours that a recording server has too, and one that a peer brings.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use call::siprec::{About, Metadata, Recorder, Records};
use media::{plane, sdp};
use model::config::Protection;
use model::{LegId, Millis, QueueId, RecordingId, TrunkId};
use sip::endpoint::{self, DialogId, Endpoint, Event, Invite, Target, Transport};

use crate::bench::{BOB, Bench, CARRIER};
use crate::setup::{BOX, peer};

/// Two recording servers, and a client; in this order behind the bench's own peers.
const VAULT: usize = 3;
const SPARE: usize = 4;
const SBC: usize = 5;

const R: RecordingId = RecordingId(7);
/// 2026-11-30T02:00:00Z
const WALL: Millis = Millis(1_795_996_800_000);

fn recorder(name: &str, peer: &str, records: bool) -> Recorder {
    Recorder {
        name: TrunkId::new(name).unwrap(),
        peer: peer.parse().unwrap(),
        transport: Transport::Udp,
        protection: Protection::Clear,
        account: None,
        media: Vec::new(),
        records: records.then(Records::default),
        brings: !records,
    }
}

/// Another box's endpoint, which knows ours as an end of recording sessions.
fn end(name: &'static str, addr: &str) -> crate::bench::Peer {
    let mut end = peer(name, addr, None);
    let to_box = endpoint::Trunk {
        peer: BOX.parse().unwrap(),
        transport: Transport::Udp,
        registration: None,
        options_every_s: 0,
        rules: Default::default(),
    };
    let config = endpoint::Config {
        domain: end.addr.ip().to_string(),
        local: vec![end.addr],
        trunks: BTreeMap::from([("box".to_owned(), to_box)]),
        recording: BTreeMap::from([("box".to_owned(), Default::default())]),
        product: name.into(),
        ..Default::default()
    };
    end.endpoint = Endpoint::new(config, [name.as_bytes()[0]; 32]);
    end
}

fn bench(change: impl FnOnce(&mut Vec<Recorder>)) -> Bench {
    let mut bench = Bench::with(4, |config| {
        config.recorders = vec![
            recorder("vault", "192.0.2.50:5060", true),
            recorder("spare", "192.0.2.51:5060", true),
            recorder("sbc", "192.0.2.60:5060", false),
        ];
        change(&mut config.recorders);
    });
    bench.peers.push(end("vault", "192.0.2.50:5060"));
    bench.peers.push(end("spare", "192.0.2.51:5060"));
    bench.peers.push(end("sbc", "192.0.2.60:5060"));
    bench
}

/// A caller on p1 who talks to ann on p2.
fn talking(change: impl FnOnce(&mut Vec<Recorder>)) -> (Bench, LegId, LegId) {
    crate::ladders::talking_in(bench(change))
}

fn copy(bench: &mut Bench, caller: LegId, queue: &str) {
    let about = About { queue: QueueId::new(queue).ok(), number: None };
    bench.calls.record(bench.now, R, caller);
    bench.calls.copy(bench.now, WALL, R, caller, &about);
    bench.run();
}

/// What a server was told last: the description, the metadata.
fn told(bench: &Bench, server: usize) -> (String, Metadata) {
    let events = &bench.peers[server].events;
    let told = events.iter().rev().find_map(|event| match event {
        Event::Invited { invited, .. } => Some((invited.sdp.clone()?, invited.recording.clone()?)),
        Event::Reoffer { sdp, .. } => {
            let metadata = events.iter().rev().find_map(|event| match event {
                Event::Described { metadata, .. } => Some(metadata.clone()),
                _ => None,
            });
            Some((sdp.clone()?, metadata?))
        }
        _ => None,
    });
    let (sdp, metadata) = told.expect("an INVITE");
    (String::from_utf8(sdp.to_vec()).unwrap(), Metadata::parse(&metadata).expect("metadata"))
}

fn people(metadata: &Metadata) -> Vec<String> {
    let mut people: Vec<String> =
        metadata.present().flat_map(|one| one.names.iter().map(|name| name.aor.clone())).collect();
    people.sort();
    people
}

fn two_streams(ip: &str, direction: &str) -> String {
    let stream = |port: u16, label: u8| {
        format!("m=audio {port} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na={direction}\r\na=label:{label}\r\n")
    };
    format!("v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\n{}{}", stream(7_000, 1), stream(7_002, 2))
}

fn accept(bench: &mut Bench, server: usize, sdp: &str) {
    let dialog = bench.peers[server].dialog.expect("a session");
    let now = bench.now;
    bench.peers[server].endpoint.accept(now, dialog, Bytes::from(sdp.to_owned()));
    bench.run();
}

#[test]
fn a_recorded_call_goes_to_the_server_as_two_labelled_streams_with_who_takes_part() {
    let (mut bench, caller, agent) = talking(|_| {});
    copy(&mut bench, caller, "sales");
    bench.check(
        "media: record p1
         media: open p3
         media: open p4
         * recording started
         vault < INVITE
         vault > 100",
    );
    let (offer, metadata) = told(&bench, VAULT);
    assert_eq!(offer.matches("a=sendonly").count(), 2, "{offer}");
    assert!(offer.contains("a=label:1\r\n") && offer.contains("a=label:2\r\n"), "{offer}");
    assert_eq!(people(&metadata), ["sip:13800000000@branch.example", "sip:201@branch.example"]);
    let heard = |label| metadata.heard_on(label).and_then(|one| one.names.first()).map(|name| name.aor.as_str());
    assert_eq!(heard("1"), Some("sip:13800000000@branch.example"));
    assert_eq!(heard("2"), Some("sip:201@branch.example"));
    assert_eq!(metadata.recorded[0].span.since, Some(WALL));
    accept(&mut bench, VAULT, &two_streams("192.0.2.50", "recvonly"));
    bench.check(
        "vault > 200
         media: connect p3 192.0.2.50:7000 Pcma
         media: connect p4 192.0.2.50:7002 Pcma
         media: copy p1 to p3 and p4
         * copied by vault
         vault < ACK",
    );
    bench.calls.record_end(bench.now, R);
    bench.check(
        "media: copy end
         media: close p3
         media: close p4
         media: record end
         vault < BYE
         * recording sealed
         vault > 200",
    );
    bench.calls.hang_up(bench.now, caller);
    bench.calls.hang_up(bench.now, agent);
    bench.assert_empty();
}

#[test]
fn the_invite_says_what_it_is() {
    let (mut bench, caller, _) = talking(|recorders| recorders[0].peer = "192.0.2.9:5060".parse().unwrap());
    // The carrier is played by hand: it reads every word.
    bench.by_hand = Some(Vec::new());
    copy(&mut bench, caller, "sales");
    let heard = bench.by_hand.take().unwrap();
    let invite = heard.iter().find(|text| text.starts_with("INVITE")).expect("an INVITE");
    for words in [
        "Require: siprec\r\n",
        ";+sip.src\r\n",
        "Content-Type: multipart/mixed;boundary=",
        "Content-Type: application/sdp\r\n",
        "Content-Type: application/rs-metadata+xml\r\nContent-Disposition: recording-session\r\n",
        "<datamode>complete</datamode>",
    ] {
        assert!(invite.contains(words), "{words:?} in {invite}");
    }
}

#[test]
fn a_server_hears_who_comes_and_who_goes_and_that_a_hold_is_silence() {
    let (mut bench, caller, agent) = talking(|_| {});
    copy(&mut bench, caller, "sales");
    accept(&mut bench, VAULT, &two_streams("192.0.2.50", "recvonly"));
    bench.skip();
    let other = bench.dial_phone("202", None);
    bench.peer_answers(BOB);
    bench.calls.join(bench.now, caller, other);
    bench.run();
    let (offer, metadata) = told(&bench, VAULT);
    assert_eq!(people(&metadata), ["sip:13800000000@branch.example", "sip:202@branch.example"]);
    assert_eq!(offer.matches("a=sendonly").count(), 2, "{offer}");
    let left = metadata.takes_part.iter().filter(|part| part.span.until.is_some()).count();
    assert_eq!((metadata.participants.len(), left), (3, 1), "who left is told with the time");
    accept(&mut bench, VAULT, &two_streams("192.0.2.50", "recvonly"));
    bench.skip();
    bench.calls.hold(bench.now, caller);
    bench.run();
    let (offer, _) = told(&bench, VAULT);
    assert_eq!(offer.matches("a=inactive").count(), 2, "{offer}");
    assert!(bench.take_log().contains(&"media: copy pause true".to_owned()));
    accept(&mut bench, VAULT, &two_streams("192.0.2.50", "inactive"));
    bench.peer_answers_reoffer(CARRIER, "recvonly");
    bench.calls.resume(bench.now, caller);
    bench.run();
    assert!(bench.take_log().contains(&"media: copy pause false".to_owned()));
    accept(&mut bench, VAULT, &two_streams("192.0.2.50", "recvonly"));
    let _ = agent;
}

#[test]
fn a_pause_is_in_force_before_the_server_has_answered() {
    let (mut bench, caller, _) = talking(|_| {});
    copy(&mut bench, caller, "sales");
    accept(&mut bench, VAULT, &two_streams("192.0.2.50", "recvonly"));
    bench.skip();
    bench.calls.record_pause(bench.now, R, true);
    bench.run();
    let log = bench.take_log();
    let (paused, told_it) = ("media: copy pause true", "vault < INVITE");
    let at = |line: &str| log.iter().position(|one| one == line);
    assert!(at(paused).is_some() && at(paused) < at(told_it), "{log:?}");
    assert_eq!(told(&bench, VAULT).0.matches("a=inactive").count(), 2);
    // It ends while the server still thinks: the end of the pause is told behind it.
    bench.calls.record_pause(bench.now, R, false);
    bench.run();
    assert!(!bench.take_log().contains(&"media: copy pause false".to_owned()));
    accept(&mut bench, VAULT, &two_streams("192.0.2.50", "inactive"));
    assert!(bench.take_log().contains(&"media: copy pause false".to_owned()));
    assert_eq!(told(&bench, VAULT).0.matches("a=sendonly").count(), 2);
}

#[test]
fn a_server_that_refuses_is_told_once_and_the_next_one_has_it() {
    let (mut bench, caller, _) = talking(|_| {});
    copy(&mut bench, caller, "sales");
    bench.skip();
    bench.peer_rejects(VAULT, 488);
    bench.run();
    let log = bench.take_log();
    assert!(log.contains(&"* not copied by vault: Refused".to_owned()), "{log:?}");
    assert!(log.contains(&"spare < INVITE".to_owned()), "{log:?}");
    accept(&mut bench, SPARE, &two_streams("192.0.2.51", "recvonly"));
    assert!(bench.take_log().contains(&"* copied by spare".to_owned()));
    assert_eq!(bench.calls.copies(), (1, 1));
}

#[test]
fn the_call_goes_on_when_every_server_is_silent_and_they_are_tried_again() {
    let (mut bench, caller, agent) = talking(|_| {});
    bench.peers[VAULT].unplugged = true;
    bench.peers[SPARE].unplugged = true;
    copy(&mut bench, caller, "sales");
    bench.advance(Duration::from_secs(10));
    let log = bench.take_log();
    let told = log.iter().filter(|line| line.starts_with("* not copied"));
    assert_eq!(told.collect::<Vec<_>>(), ["* not copied by vault: Unreachable"], "{log:?}");
    assert!(!log.iter().any(|line| line.starts_with("* ended")), "{log:?}");
    bench.peers[SPARE].unplugged = false;
    bench.advance(Duration::from_secs(16));
    assert!(bench.peers[SPARE].dialog.is_some(), "{:?}", bench.take_log());
    accept(&mut bench, SPARE, &two_streams("192.0.2.51", "recvonly"));
    assert!(bench.take_log().contains(&"* copied by spare".to_owned()));
    bench.calls.hang_up(bench.now, caller);
    bench.calls.hang_up(bench.now, agent);
    bench.assert_empty();
}

#[test]
fn a_server_that_lets_go_or_vanishes_loses_the_call_to_the_next() {
    for vanishes in [false, true] {
        let (mut bench, caller, _) = talking(|_| {});
        copy(&mut bench, caller, "sales");
        accept(&mut bench, VAULT, &two_streams("192.0.2.50", "recvonly"));
        bench.skip();
        if vanishes {
            bench.peers[VAULT].unplugged = true;
            bench.advance(Duration::from_secs(90));
        } else {
            bench.peer_ends(VAULT);
            bench.run();
        }
        let log = bench.take_log();
        assert!(log.contains(&"* not copied by vault: Lost".to_owned()), "{log:?}");
        assert!(bench.peers[SPARE].dialog.is_some(), "{log:?}");
        assert!(!log.iter().any(|line| line.starts_with("* ended")), "{log:?}");
    }
}

#[test]
fn no_answer_leads_audio_out_of_the_house() {
    for (media, ip, taken) in [
        (vec![], "192.0.2.50", true),
        (vec![], "198.51.100.66", false),
        (vec!["198.51.100.0/24".parse().unwrap()], "198.51.100.66", true),
    ] {
        let (mut bench, caller, _) = talking(|recorders| recorders[0].media = media);
        copy(&mut bench, caller, "sales");
        accept(&mut bench, VAULT, &two_streams(ip, "recvonly"));
        let log = bench.take_log();
        assert_eq!(log.contains(&"* copied by vault".to_owned()), taken, "{ip}: {log:?}");
        assert_eq!(log.iter().any(|line| line.contains(&format!("{ip}:7000"))), taken, "{ip}: {log:?}");
    }
}

#[test]
fn only_the_calls_that_a_server_is_for_go_there() {
    let of_sales = |recorders: &mut Vec<Recorder>| {
        recorders[0].records =
            Some(Records { queues: BTreeSet::from([QueueId::new("sales").unwrap()]), ..Records::default() });
        recorders[1].records = None;
    };
    for (queue, copied) in [("sales", 1), ("support", 0)] {
        let (mut bench, caller, _) = talking(of_sales);
        copy(&mut bench, caller, queue);
        assert_eq!(bench.calls.copies().0, copied, "{queue}");
    }
}

#[test]
fn a_server_that_is_there_and_never_answers_is_given_up() {
    let (mut bench, caller, _) = talking(|_| {});
    copy(&mut bench, caller, "sales");
    assert!(bench.take_log().contains(&"vault > 100".to_owned()));
    bench.advance(Duration::from_secs(6));
    let log = bench.take_log();
    assert!(log.contains(&"* not copied by vault: Unreachable".to_owned()), "{log:?}");
    assert!(log.contains(&"vault < CANCEL".to_owned()) && log.contains(&"spare < INVITE".to_owned()), "{log:?}");
}

#[test]
fn a_copy_takes_no_port_that_a_call_may_need() {
    let (mut bench, caller, _) = talking(|_| {});
    bench.calls.spare_ports(1);
    copy(&mut bench, caller, "sales");
    bench.check("media: record p1\n* not copied by any: Limit\n* recording started");
    bench.calls.spare_ports(2);
    bench.advance(Duration::from_secs(16));
    assert!(bench.take_log().contains(&"vault < INVITE".to_owned()));
}

#[test]
fn servers_that_are_gone_cost_no_ports_and_are_found_when_they_are_back() {
    let (mut bench, caller, _) = talking(|_| {});
    bench.peers[VAULT].unplugged = true;
    bench.peers[SPARE].unplugged = true;
    copy(&mut bench, caller, "sales");
    bench.advance(Duration::from_secs(300));
    bench.skip();
    bench.advance(Duration::from_secs(300));
    let log = bench.take_log();
    assert!(!log.iter().any(|line| line.starts_with("media: open")), "{log:?}");
    bench.peers[SPARE].unplugged = false;
    let found = (0..60).any(|_| {
        bench.advance(Duration::from_secs(1));
        bench.take_log().contains(&"spare < INVITE".to_owned())
    });
    assert!(found);
}

#[test]
fn what_a_server_refuses_to_hear_it_is_told_again_a_few_times() {
    let (mut bench, caller, _) = talking(|_| {});
    copy(&mut bench, caller, "sales");
    accept(&mut bench, VAULT, &two_streams("192.0.2.50", "recvonly"));
    bench.skip();
    bench.calls.record_pause(bench.now, R, true);
    let mut told = 0;
    for _ in 0..8 {
        bench.run();
        if bench.take_log().contains(&"vault < INVITE".to_owned()) {
            told += 1;
            let (now, dialog) = (bench.now, bench.peers[VAULT].dialog.unwrap());
            bench.peers[VAULT].endpoint.reject(now, dialog, 500);
            bench.skip();
        }
        bench.now += Duration::from_secs(2);
        let now = bench.now;
        bench.calls.handle_timeout(now);
    }
    assert_eq!(told, 4, "once, and three times more");
    assert_eq!(bench.calls.copies(), (1, 1));
}

#[test]
fn an_offer_of_a_server_that_leads_out_of_the_house_is_forgotten() {
    let (mut bench, caller, _) = talking(|_| {});
    copy(&mut bench, caller, "sales");
    accept(&mut bench, VAULT, &two_streams("192.0.2.50", "recvonly"));
    bench.skip();
    let (now, dialog) = (bench.now, bench.peers[VAULT].dialog.unwrap());
    let away = Bytes::from(two_streams("198.51.100.66", "recvonly"));
    bench.peers[VAULT].endpoint.reinvite(now, dialog, away);
    bench.run();
    assert!(bench.take_log().contains(&"vault < 488".to_owned()));
    bench.calls.record_pause(bench.now, R, true);
    bench.run();
    let half = two_streams("192.0.2.50", "inactive").replace("m=audio 7002", "m=audio 0");
    accept(&mut bench, VAULT, &half);
    let log = bench.take_log();
    assert!(!log.iter().any(|line| line.contains("198.51.100.66")), "{log:?}");
    assert_eq!(bench.calls.copies(), (1, 1));
}

#[test]
fn media_without_room_for_another_tape_loses_the_copy_alone() {
    let (mut bench, caller, _) = talking(|_| {});
    copy(&mut bench, caller, "sales");
    accept(&mut bench, VAULT, &two_streams("192.0.2.50", "recvonly"));
    bench.skip();
    let recording = bench.media.recording.iter().find(|name| name.starts_with("copy")).unwrap().clone();
    let state = plane::RecordingState::Failed { why: plane::Failure::Limit };
    bench.to_media.push_back(plane::Event::Recording { recording, state });
    bench.run();
    let log = bench.take_log();
    assert!(log.contains(&"* not copied by vault: Limit".to_owned()), "{log:?}");
    assert!(!log.iter().any(|line| line.contains("played") || line.contains("ended")), "{log:?}");
}

#[test]
fn a_new_media_process_has_the_copy_begun_anew() {
    let (mut bench, caller, _) = talking(|_| {});
    copy(&mut bench, caller, "sales");
    accept(&mut bench, VAULT, &two_streams("192.0.2.50", "recvonly"));
    bench.skip();
    bench.media_restarts();
    bench.run();
    let log = bench.take_log();
    assert!(log.contains(&"vault < BYE".to_owned()), "{log:?}");
    assert!(log.contains(&"spare < INVITE".to_owned()), "{log:?}");
}

/// The client brings a call.
fn bring(bench: &mut Bench, sdp: &str, metadata: &str) -> DialogId {
    let invite = Invite {
        to: Target::Trunk { trunk: "box".into(), user: "recorder".into() },
        from_user: "sbc".into(),
        from_name: None,
        sdp: Bytes::from(sdp.to_owned()),
        sdp_to_browsers: None,
        emergency: None,
        patience: None,
        shown: Default::default(),
        recording: Some(Bytes::from(metadata.to_owned())),
    };
    let now = bench.now;
    let dialog = bench.peers[SBC].endpoint.invite(now, invite);
    bench.run();
    dialog
}

fn answer(bench: &Bench) -> String {
    let answered = bench.peers[SBC].events.iter().rev().find_map(|event| match event {
        Event::Answered { sdp, .. } => Some(sdp.clone()),
        Event::Reanswered { sdp, .. } => sdp.clone(),
        _ => None,
    });
    String::from_utf8(answered.expect("an answer").to_vec()).unwrap()
}

const WHO: &str = "<recording xmlns='urn:ietf:params:xml:ns:recording:1'><participant participant_id='a'>\
    <nameID aor='sip:+4930@sbc'/></participant></recording>";

#[test]
fn a_declared_peer_brings_a_call_that_is_recorded_as_one_with_two_sides() {
    let mut bench = bench(|_| {});
    bench.skip();
    let dialog = bring(&mut bench, &two_streams("192.0.2.60", "sendonly"), WHO);
    bench.check(
        "sbc > INVITE
         media: open p1
         media: open p2
         sbc < 100
         media: connect p1 192.0.2.60:7000 Pcma
         media: mute p1 true
         media: connect p2 192.0.2.60:7002 Pcma
         media: mute p2 true
         media: join p1 p2
         * sbc brings A
         sbc < 200
         sbc > ACK",
    );
    let said = answer(&bench);
    assert_eq!(said.matches("a=recvonly").count(), 2, "{said}");
    let (leg, metadata) = bench
        .events
        .iter()
        .find_map(|event| match event {
            call::leg::Event::Brought { leg, metadata, .. } => Some((*leg, metadata.clone())),
            _ => None,
        })
        .unwrap();
    assert_eq!(people(&metadata), ["sip:+4930@sbc"]);
    bench.calls.record(bench.now, R, leg);
    bench.check("media: record p1\n* recording started");
    let now = bench.now;
    let update = WHO.replace("+4930", "+4931");
    let held = Bytes::from(two_streams("192.0.2.60", "inactive"));
    bench.peers[SBC].endpoint.reinvite_with(now, dialog, held, update.into());
    bench.run();
    let log = bench.take_log();
    assert!(log.contains(&"* A is described anew".to_owned()), "{log:?}");
    assert!(log.contains(&"* A pauses: true".to_owned()), "{log:?}");
    assert_eq!(answer(&bench).matches("a=inactive").count(), 2);
    bench.calls.record_pause(bench.now, R, true);
    let now = bench.now;
    bench.peers[SBC].endpoint.end(now, dialog);
    bench.skip();
    assert!(bench.events.iter().any(|event| matches!(event, call::leg::Event::BroughtOver { .. })));
    assert_eq!(bench.calls.brought(), 0);
    bench.assert_empty();
}

#[test]
fn a_peer_that_is_gone_without_a_word_is_found_out() {
    let mut bench = bench(|_| {});
    bring(&mut bench, &two_streams("192.0.2.60", "sendonly"), WHO);
    let ports: Vec<_> = bench.media.open.keys().copied().collect();
    let silent = |bench: &mut Bench| {
        for port in &ports {
            bench.to_media.push_back(plane::Event::Silent { port: *port, silent: true });
        }
        bench.skip();
    };
    silent(&mut bench);
    bench.advance(Duration::from_secs(70));
    let log = bench.take_log();
    assert_eq!(log.iter().filter(|line| *line == "sbc < INVITE").count(), 1, "{log:?}");
    let (offer, _) = bench.peers[SBC]
        .events
        .iter()
        .rev()
        .find_map(|event| match event {
            Event::Reoffer { sdp, dialog } => Some((String::from_utf8(sdp.clone()?.to_vec()).unwrap(), *dialog)),
            _ => None,
        })
        .expect("a question");
    assert_eq!(offer.matches("a=recvonly").count(), 2, "{offer}");
    // It is there, and goes on.
    bench.peers[SBC].dialog = bench.peers[SBC].events.iter().find_map(|event| match event {
        Event::Answered { dialog, .. } => Some(*dialog),
        _ => None,
    });
    accept(&mut bench, SBC, &two_streams("192.0.2.60", "sendonly"));
    assert_eq!(bench.calls.brought(), 1);
    bench.peers[SBC].unplugged = true;
    bench.advance(Duration::from_secs(180));
    assert_eq!(bench.calls.brought(), 0, "{:?}", bench.take_log());
    assert!(bench.media.open.is_empty());
}

#[test]
fn each_stream_has_keys_of_its_own_and_none_is_sent_in_clear() {
    let key = |n: u8| {
        let key =
            ["d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj", "PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR"][usize::from(n)];
        format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{key}\r\n")
    };
    let protected = |second: &str| {
        two_streams("192.0.2.50", "recvonly")
            .replace("RTP/AVP", "RTP/SAVP")
            .replace("a=label:1\r\n", &format!("a=label:1\r\n{}", key(0)))
            .replace("a=label:2\r\n", &format!("a=label:2\r\n{second}"))
    };
    for (answer, keyed) in [(protected(&key(1)), 2), (protected(""), 1), (two_streams("192.0.2.50", "recvonly"), 0)] {
        let (mut bench, caller, _) = talking(|recorders| recorders[0].protection = Protection::RequiredOpenly);
        let before = bench.media.connects.len();
        copy(&mut bench, caller, "sales");
        let (offer, _) = told(&bench, VAULT);
        let keys: BTreeSet<&str> = offer.lines().filter(|line| line.starts_with("a=crypto:1 ")).collect();
        assert_eq!((offer.matches("RTP/SAVP").count(), keys.len()), (2, 2), "{offer}");
        accept(&mut bench, VAULT, &answer);
        let connects = &bench.media.connects[before..];
        assert_eq!(connects.len(), keyed, "{answer}");
        assert!(connects.iter().all(|(_, security)| *security != plane::Security::Clear), "{connects:?}");
    }
}

#[test]
fn video_is_refused_in_its_place_and_a_third_voice_too() {
    let mut bench = bench(|_| {});
    let third = "m=audio 7004 RTP/AVP 8\r\na=sendonly\r\na=label:3\r\n";
    let two = two_streams("192.0.2.60", "sendonly");
    let offer = two.replacen("m=audio 7002", "m=video 7008 RTP/AVP 98\r\na=sendonly\r\nm=audio 7002", 1) + third;
    bring(&mut bench, &offer, WHO);
    let said = answer(&bench);
    let lines: Vec<&str> = said.lines().filter(|line| line.starts_with("m=")).collect();
    assert_eq!(lines.len(), 4, "{said}");
    assert!(lines[1].starts_with("m=video 0 ") && lines[3].starts_with("m=audio 0 "), "{lines:?}");
}

#[test]
fn who_is_not_declared_for_it_brings_nothing() {
    let refused = |name: &str, change: &mut dyn FnMut(&mut Vec<Recorder>), metadata: &str, status: u16| {
        let mut bench = bench(|recorders| change(recorders));
        bring(&mut bench, &two_streams("192.0.2.60", "sendonly"), metadata);
        let failed = bench.peers[SBC].events.iter().find_map(|event| match event {
            Event::Failed { status, .. } => Some(*status),
            _ => None,
        });
        assert_eq!(failed, Some(status), "{name}");
        assert!(bench.media.open.is_empty(), "{name}");
    };
    refused("a recording server of ours", &mut |all| all[2].brings = false, WHO, 403);
    refused("nobody that we know", &mut |all| drop(all.pop()), WHO, 401);
    refused("a trunk for calls", &mut |all| all[2].peer = "192.0.2.61:5060".parse().unwrap(), WHO, 401);
    refused("a document type", &mut |_| {}, "<!DOCTYPE x><recording/>", 400);
}

#[test]
fn a_peer_of_recording_sessions_makes_no_calls() {
    let mut bench = bench(|_| {});
    let now = bench.now;
    let invite = Invite {
        to: Target::Trunk { trunk: "box".into(), user: "4001".into() },
        from_user: "sbc".into(),
        from_name: None,
        sdp: Bytes::from(two_streams("192.0.2.60", "sendrecv")),
        sdp_to_browsers: None,
        emergency: None,
        patience: None,
        shown: Default::default(),
        recording: None,
    };
    bench.peers[SBC].endpoint.invite(now, invite);
    bench.run();
    let failed = bench.peers[SBC].events.iter().any(|event| matches!(event, Event::Failed { status: 421, .. }));
    assert!(failed, "{:?}", bench.take_log());
}

#[test]
fn the_streams_of_an_offer_are_cut_as_they_are_written() {
    let streams = sdp::split(two_streams("192.0.2.60", "sendonly").as_bytes()).unwrap();
    let labels: Vec<_> = streams.iter().filter_map(|stream| stream.label.as_deref()).collect();
    assert_eq!(labels, ["1", "2"]);
}
