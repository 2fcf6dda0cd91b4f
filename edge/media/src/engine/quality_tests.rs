//! Calls that sound well, badly, and one way only.

use super::{tests::*, *};
use crate::{
    plane::{Codec, Command, Flow, Quality, Remote},
    rtp::{
        rtcp::{Block, Report, Sent},
        xr::Voip,
    },
};

/// Ten seconds of both sides' packets but those that `lost` names; the verdicts about A.
fn verdicts(mut net: Net, lost: impl Fn(u16) -> bool, from: u16) -> (Vec<Quality>, Net) {
    let (mut engine, _, now) = joined();
    let mut about_a = Vec::new();
    for n in 0..750_u16 {
        let at = now + Duration::from_millis(20 * u64::from(n));
        if !lost(n) {
            engine.handle_packet(at, SLOT_A, address(from), &packet(n, 8, &[1; 160]), &mut net);
        }
        engine.handle_packet(at, SLOT_B, address(5_000), &packet(n, 0, &[1; 160]), &mut net);
        engine.handle_tick(at, n % 50 == 0, &mut net);
        about_a.extend(std::iter::from_fn(|| engine.poll_event()).filter_map(|event| match event {
            Event::Quality { port: A, quality } => Some(quality),
            _ => None,
        }));
    }
    (about_a, net)
}

#[test]
fn a_clean_call_is_rated_best_and_reported_to_both_parties() {
    let (verdicts, net) = verdicts(Net::default(), |_| false, 4_000);
    assert!(verdicts.len() >= 2, "every five seconds: {verdicts:?}");
    for verdict in &verdicts {
        assert_eq!((verdict.flow, verdict.lost_permille), (Flow::Both, 0));
        assert!(verdict.rating >= 91 && verdict.opinion_hundredths >= 435, "{verdict:?}");
    }
    let (_, to, last) = net.reports.iter().rfind(|(slot, ..)| *slot == SLOT_A).expect("a report");
    assert_eq!(*to, address(4_001));
    let report = rtcp::parse(last, 9).expect("RTCP");
    assert!(report.sent.expect("we send").packets > 400);
    let block = report.block.expect("we receive");
    assert_eq!((block.lost, block.fraction_lost), (0, 0));
}

#[test]
fn every_tenth_packet_lost_is_heard_counted_and_alarmed() {
    let (verdicts, net) = verdicts(Net::default(), |n| n % 10 == 5, 4_000);
    let last = verdicts.last().expect("a verdict");
    assert!((95..=105).contains(&last.lost_permille), "{last:?}");
    assert!(last.rating < 70, "{last:?}");
    let (.., report) = net.reports.iter().rfind(|(slot, ..)| *slot == SLOT_A).expect("a report");
    let block = rtcp::parse(report, 9).and_then(|report| report.block).expect("a block");
    assert!((24..=27).contains(&block.fraction_lost), "{block:?}");
}

#[test]
fn one_way_audio_is_named_by_its_cause() {
    let (silent, _) = verdicts(Net::default(), |_| true, 4_000);
    assert!(silent.iter().all(|verdict| verdict.flow == Flow::NothingArrives && verdict.rating == 0), "{silent:?}");
    let (elsewhere, _) = verdicts(Net::default(), |_| false, 4_444);
    assert!(elsewhere.iter().all(|verdict| verdict.flow == Flow::FromElsewhere), "{elsewhere:?}");
}

#[test]
fn a_party_that_hears_nothing_says_so_and_the_round_trip_is_measured() {
    let (mut engine, mut net, now) = joined();
    let mut seen = Vec::new();
    let mut ours: Option<(u32, u64)> = None;
    for n in 0..1_500_u16 {
        let at = now + Duration::from_millis(20 * u64::from(n));
        engine.handle_packet(at, SLOT_A, address(4_000), &packet(n, 8, &[1; 160]), &mut net);
        engine.handle_packet(at, SLOT_B, address(5_000), &packet(n, 0, &[1; 160]), &mut net);
        engine.handle_tick(at, n % 50 == 0, &mut net);
        if let Some((_, _, report)) = net.reports.drain(..).find(|(slot, ..)| *slot == SLOT_A) {
            let report = rtcp::parse(&report, 0).expect("RTCP");
            #[allow(clippy::cast_possible_truncation)]
            let middle = (report.sent.expect("we send").ntp >> 16) as u32;
            ours = Some((report.ssrc, u64::from(n) << 32 | u64::from(middle)));
        }
        // The party answers each of our reports 100 ms later, and claims to have held it for 40 ms.
        if let Some((ssrc, sent)) = ours
            && u64::from(n) == (sent >> 32) + 5
        {
            #[allow(clippy::cast_possible_truncation)]
            let block = Block { ssrc, highest: 77, last_report: sent as u32, delay: 65_536 / 25, ..Block::default() };
            let theirs = Report {
                ssrc: 9,
                sent: Some(Sent::default()),
                block: Some(Block { jitter: u32::from(n), ..block }),
                voip: None,
            };
            let mut out = [0; rtcp::LEN_MAX];
            let length = rtcp::write(&mut out, &theirs);
            engine.handle_report(at, SLOT_A, address(6_667), &out[..length]);
            engine.handle_report(at, SLOT_A, address(4_001), &out[..length]);
        }
        seen.extend(std::iter::from_fn(|| engine.poll_event()).filter_map(|event| match event {
            Event::Quality { port: A, quality } => Some(quality),
            _ => None,
        }));
    }
    let last = seen.last().expect("a verdict");
    assert_eq!(last.flow, Flow::NothingIsHeard, "{seen:?}");
    assert!(last.round_trip_ms.is_some_and(|trip| (58..=61).contains(&trip)), "{last:?}");
}

#[test]
fn who_asks_hears_how_it_sounds_and_what_a_party_says_of_us_is_taken() {
    let (mut engine, _, now) = joined();
    let asks = Remote { wants_xr: true, ..remote(4_000, Codec::Pcma) };
    engine.handle_command(now, Command::Connect { port: A, remote: asks }, &mut Shelf, &mut Net::default());
    let mut net = Net::default();
    let (mut verdicts, mut asked) = (Vec::new(), Vec::new());
    for n in 0..1_000_u16 {
        let at = now + Duration::from_millis(20 * u64::from(n));
        if n % 10 != 5 {
            engine.handle_packet(at, SLOT_A, address(4_000), &packet(n, 8, &[1; 160]), &mut net);
        }
        engine.handle_packet(at, SLOT_B, address(5_000), &packet(n, 0, &[1; 160]), &mut net);
        engine.handle_tick(at, n % 50 == 0, &mut net);
        for (slot, _, report) in net.reports.drain(..) {
            let read = rtcp::parse(&report, 9).expect("RTCP");
            assert!(slot == SLOT_A || read.voip.is_none(), "nobody asked there");
            if slot == SLOT_A {
                asked.push(read);
                // The party's own buffer throws half of it away, which no report of ours could tell.
                let voip = Voip { ssrc: read.ssrc, rating: Some(41), ..Voip::default() };
                let theirs = Report {
                    ssrc: 9,
                    sent: None,
                    block: Some(Block { ssrc: read.ssrc, ..Block::default() }),
                    voip: Some(voip),
                };
                let mut out = [0; rtcp::LEN_MAX];
                let length = rtcp::write(&mut out, &theirs);
                engine.handle_report(at, SLOT_A, address(4_001), &out[..length]);
            }
        }
        verdicts.extend(std::iter::from_fn(|| engine.poll_event()).filter_map(|event| match event {
            Event::Quality { port: A, quality } => Some(quality),
            _ => None,
        }));
    }
    let voip = asked.last().and_then(|report| report.voip).expect("how it sounds");
    assert!((24..=27).contains(&voip.lost), "every tenth: {voip:?}");
    assert!(voip.rating.is_some_and(|rating| rating < 70) && voip.opinion.is_some(), "{voip:?}");
    assert_eq!(verdicts.last().and_then(|verdict| verdict.told_rating), Some(41));
}
