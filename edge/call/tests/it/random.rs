//! Any interleaving of what peers, media and the owner do ends every leg exactly once and leaks no port.

use std::time::Duration;

use call::leg::Cause;
use model::{LegId, OverflowId, PromptId, RecordingId};
use proptest::prelude::*;

use crate::bench::{ANN, BOB, Bench, CARRIER};
use crate::setup::{offer, sdp};

#[derive(Debug, Clone, Copy)]
enum Step {
    Call(usize),
    CallBadly(usize),
    Dial(u8),
    DialWaiting(u8, u8),
    Tunnel,
    TunnelConnect(u8),
    Owner(Ask, u8),
    Join(u8, u8),
    PeerRings(usize),
    PeerProgress(usize),
    PeerAnswers(usize),
    PeerRejects(usize, u16),
    PeerHolds(usize),
    PeerRejectsOffer(usize),
    PeerEnds(usize),
    MediaDies,
    MediaDeaf(bool),
    Wait(u64),
}

#[derive(Debug, Clone, Copy)]
enum Ask {
    Ring,
    Early,
    Answer,
    Reject,
    HangUp,
    Part,
    Hold,
    Resume,
    Play,
    Stop,
    Record,
    Digit,
}

fn step() -> impl Strategy<Value = Step> {
    let peer = prop::sample::select(vec![CARRIER, ANN, BOB]);
    let ask = prop::sample::select(vec![
        Ask::Ring,
        Ask::Early,
        Ask::Answer,
        Ask::Answer,
        Ask::Reject,
        Ask::HangUp,
        Ask::Part,
        Ask::Hold,
        Ask::Resume,
        Ask::Play,
        Ask::Stop,
        Ask::Record,
        Ask::Digit,
    ]);
    let status = prop::sample::select(vec![302u16, 404, 480, 486, 488, 503, 603]);
    prop_oneof![
        4 => peer.clone().prop_map(Step::Call),
        1 => peer.clone().prop_map(Step::CallBadly),
        3 => (0u8..4).prop_map(Step::Dial),
        2 => (0u8..4, any::<u8>()).prop_map(|(to, waits)| Step::DialWaiting(to, waits)),
        1 => Just(Step::Tunnel),
        1 => any::<u8>().prop_map(Step::TunnelConnect),
        10 => (ask, any::<u8>()).prop_map(|(ask, leg)| Step::Owner(ask, leg)),
        3 => (any::<u8>(), any::<u8>()).prop_map(|(a, b)| Step::Join(a, b)),
        2 => peer.clone().prop_map(Step::PeerRings),
        1 => peer.clone().prop_map(Step::PeerProgress),
        4 => peer.clone().prop_map(Step::PeerAnswers),
        1 => (peer.clone(), status).prop_map(|(peer, status)| Step::PeerRejects(peer, status)),
        2 => peer.clone().prop_map(Step::PeerHolds),
        1 => peer.clone().prop_map(Step::PeerRejectsOffer),
        2 => peer.prop_map(Step::PeerEnds),
        1 => Just(Step::MediaDies),
        1 => any::<bool>().prop_map(Step::MediaDeaf),
        2 => (0u64..200_000).prop_map(Step::Wait),
    ]
}

struct Day {
    bench: Bench,
    legs: Vec<LegId>,
    recordings: u128,
}

impl Day {
    fn leg(&self, pick: u8) -> LegId {
        let count = self.legs.len().max(1);
        self.legs.get(usize::from(pick) % count).copied().unwrap_or(LegId(0))
    }

    fn go(&mut self, step: Step) {
        let now = self.bench.now;
        match step {
            Step::Call(peer) => self.legs.extend(self.bench.call(peer, "202", None)),
            Step::CallBadly(peer) => {
                let bad = sdp("224.0.0.1", 4_000, "8", "sendrecv");
                self.legs.extend(self.bench.call(peer, "202", Some(&bad)));
            }
            Step::Dial(to) => self.dial(to, None),
            Step::DialWaiting(to, waits) => self.dial(to, Some(self.leg(waits))),
            Step::Tunnel => {
                let leg = self.bench.calls.tunnel(now, OverflowId(1));
                self.bench.begun.insert(leg);
                self.legs.push(leg);
            }
            Step::TunnelConnect(leg) => {
                self.bench.calls.tunnel_connect(now, self.leg(leg), "127.0.0.1:9".parse().unwrap());
            }
            Step::Owner(ask, leg) => self.ask(ask, self.leg(leg)),
            Step::Join(a, b) => self.bench.calls.join(now, self.leg(a), self.leg(b)),
            Step::PeerRings(peer) => self.of_peer(peer, |bench| bench.peer_rings(peer, None)),
            Step::PeerProgress(peer) => self.of_peer(peer, |bench| bench.peer_rings(peer, Some(offer(peer)))),
            Step::PeerAnswers(peer) => self.of_peer(peer, |bench| bench.peer_answers(peer)),
            Step::PeerRejects(peer, status) => self.of_peer(peer, |bench| bench.peer_rejects(peer, status)),
            Step::PeerRejectsOffer(peer) => self.of_peer(peer, |bench| bench.peer_rejects(peer, 491)),
            Step::PeerHolds(peer) => {
                let held = sdp("198.51.100.3", 4_000, "8 101", "sendonly");
                self.of_peer(peer, |bench| bench.peer_reinvites(peer, &held));
            }
            Step::PeerEnds(peer) => self.bench.peer_ends(peer),
            Step::MediaDies => self.bench.media_restarts(),
            Step::MediaDeaf(deaf) => self.bench.media.deaf = deaf,
            Step::Wait(ms) => self.bench.advance(Duration::from_millis(ms)),
        }
        self.bench.run();
    }

    fn of_peer(&mut self, peer: usize, act: impl FnOnce(&mut Bench)) {
        if self.bench.peers[peer].dialog.is_some() {
            act(&mut self.bench);
        }
    }

    fn dial(&mut self, to: u8, waits: Option<LegId>) {
        let leg = match to {
            0 => self.bench.dial_phone("201", waits),
            1 => self.bench.dial_phone("202", waits),
            2 => self.bench.dial_out("01055550101", waits),
            _ => self.bench.dial_out("110", waits),
        };
        self.legs.push(leg);
    }

    fn ask(&mut self, ask: Ask, leg: LegId) {
        let (calls, now) = (&mut self.bench.calls, self.bench.now);
        match ask {
            Ask::Ring => calls.ring(now, leg),
            Ask::Early => calls.early(now, leg),
            Ask::Answer => calls.answer(now, leg),
            Ask::Reject => calls.reject(now, leg, Cause::Busy),
            Ask::HangUp => calls.hang_up(now, leg),
            Ask::Part => calls.part(now, leg),
            Ask::Hold => calls.hold(now, leg),
            Ask::Resume => calls.resume(now, leg),
            Ask::Stop => calls.stop(now, leg),
            Ask::Digit => calls.digit(now, leg, '1'),
            Ask::Play => {
                calls.play(now, leg, vec![PromptId::new("music").unwrap()], true);
            }
            Ask::Record => {
                self.recordings += 1;
                calls.record(now, RecordingId(self.recordings), leg);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn every_leg_ends_exactly_once_and_no_port_is_left(steps in prop::collection::vec(step(), 1..40)) {
        let mut day = Day { bench: Bench::new(3), legs: vec![], recordings: 0 };
        for step in steps {
            day.go(step);
        }
        day.bench.media.deaf = false;
        for leg in day.legs.clone() {
            day.bench.calls.hang_up(day.bench.now, leg);
        }
        for leg in day.bench.begun.clone() {
            day.bench.calls.hang_up(day.bench.now, leg);
        }
        day.bench.run();
        // Media that was deaf answers late, and late answers find nobody.
        day.bench.assert_empty();
        day.bench.advance(Duration::from_secs(300));
        day.bench.assert_empty();
    }
}
