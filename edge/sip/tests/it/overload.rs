//! Ten times as many calls as the table of transactions can carry, in virtual time: what is admitted is carried to its
//! end, calls in progress notice nothing, and who calls for help is always put through.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sip::auth::Algorithm;
use sip::endpoint::{
    Config, DialogId, Emergency, EndedBy, Endpoint, Event, Flow, Help, Input, Invite, Limits, Output, PhoneAuth,
    Source, Target, Transport, Trunk, TrunkRegistration,
};
use sip::transaction::Room;

const DOMAIN: &str = "north.example";
const HUB: &str = "192.0.2.2:5060";
const CARRIER: &str = "192.0.2.1:5060";
const PHONE: &str = "192.0.2.21:5060";
/// Media is not what this is about.
const SDP: &[u8] = b"v=0\r\n";
/// What a call takes of the table: its two INVITEs and one BYE for 32 s, the other BYE for 5 s (RFC 3261 table 4).
const CALL_TAKES: f64 = 101.0;

/// A box that puts the carrier's calls through to its one phone, and the phone's to the carrier.
struct Town {
    now: Instant,
    hub: Endpoint,
    carrier: Endpoint,
    phone: Endpoint,
    legs: BTreeMap<DialogId, DialogId>,
    calls: BTreeSet<DialogId>,
    help: Option<DialogId>,
    hang_up: BTreeMap<(Instant, DialogId), ()>,
    talk: Duration,
    seen: Seen,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    answered: u32,
    /// The phone saw the end that the carrier wanted.
    ended: u32,
    shed: u32,
    /// Anything else.
    failed: u32,
    helped: u32,
    helpless: u32,
    reanswered: u32,
    transactions_max: usize,
}

#[test]
fn a_full_table_still_takes_what_has_begun_and_who_calls_for_help() {
    let limit = 320;
    let mut town = Town::new(limit, Duration::from_secs(3_600));
    let standing = town.call();
    while town.seen.shed == 0 {
        town.call();
    }
    let carried = town.seen.answered;
    assert!((20..80).contains(&carried), "{carried} calls, each with room for its end");
    assert!(!town.hub.has_room_for_calls());
    town.carrier.reinvite(town.now, standing, Bytes::from_static(SDP));
    town.run();
    town.help();
    assert_eq!((town.seen.reanswered, town.seen.helped, town.seen.helpless), (1, 1, 0), "{:?}", town.seen);
    for call in std::mem::take(&mut town.calls) {
        town.carrier.end(town.now, call);
        town.run();
    }
    assert_eq!((town.seen.ended, town.seen.failed), (carried, 0), "{:?}", town.seen);
    assert!(town.seen.transactions_max <= Room::End.of(limit), "{:?}", town.seen);
    town.advance(Duration::from_secs(40));
    assert_eq!((town.hub.load().dialogs, town.hub.load().transactions), (0, 0));
    assert!(town.hub.has_room_for_calls());
}

#[test]
fn ten_times_the_load_is_carried_as_far_as_the_table_goes_and_help_always_comes() {
    let (limit, seconds, standing) = (1_600, 132, 10);
    let mut town = Town::new(limit, Duration::from_secs(seconds + 10));
    for _ in 0..standing {
        town.call();
    }
    town.talk = Duration::from_millis(500);
    let capacity = Room::Trunk.of(limit) as f64 / CALL_TAKES;
    let (offered, gap) = ((capacity * 10.0 * seconds as f64) as u32, Duration::from_secs_f64(0.1 / capacity));
    let mut next_help = town.now;
    for _ in 0..offered {
        town.call();
        if next_help <= town.now {
            town.help();
            next_help = town.now + Duration::from_secs(2);
        }
        town.advance(gap);
    }
    town.advance(Duration::from_secs(60));
    let seen = &town.seen;
    assert!(f64::from(seen.ended) >= 0.9 * capacity * seconds as f64, "{seen:?} of {capacity}/s");
    assert_eq!((seen.ended, seen.failed), (seen.answered, 0), "what was answered was carried to its end: {seen:?}");
    assert_eq!(seen.answered + seen.shed, offered + standing, "the rest was told so at once: {seen:?}");
    assert_eq!((seen.helped, seen.helpless), (66, 0), "{seen:?}");
    assert!(seen.transactions_max <= Room::Emergency.of(limit), "{seen:?}");
    assert_eq!((town.hub.load().dialogs, town.hub.load().transactions), (0, 0));
}

impl Town {
    fn new(limit: usize, talk: Duration) -> Self {
        #[expect(clippy::disallowed_methods, reason = "a test needs one instant to count from")]
        let now = Instant::now();
        let ha1_sha256 = Algorithm::Sha256.hash(&["201", DOMAIN, "secret"]);
        let hub = Config {
            domain: DOMAIN.into(),
            local: vec![HUB.parse().unwrap()],
            phones: BTreeMap::from([("201".into(), PhoneAuth { ha1_sha256, ha1_md5: None })]),
            trunks: BTreeMap::from([("carrier".into(), trunk(CARRIER, None))]),
            help: Help { numbers: BTreeSet::from(["112".into(), "0112".into()]), ..Default::default() },
            limits: Limits { transactions: limit, ..Limits::default() },
            ..Config::default()
        };
        let peer = |addr: &str, registration| Config {
            domain: addr.split(':').next().unwrap().into(),
            local: vec![addr.parse().unwrap()],
            trunks: BTreeMap::from([("box".into(), trunk(HUB, registration))]),
            ..Config::default()
        };
        let registration = TrunkRegistration {
            user: "201".into(),
            domain: DOMAIN.into(),
            password: "secret".into(),
            expires_s: 3_600,
        };
        let mut town = Self {
            now,
            hub: Endpoint::new(hub, [1; 32]),
            carrier: Endpoint::new(peer(CARRIER, None), [2; 32]),
            phone: Endpoint::new(peer(PHONE, Some(registration)), [3; 32]),
            legs: BTreeMap::new(),
            calls: BTreeSet::new(),
            help: None,
            hang_up: BTreeMap::new(),
            talk,
            seen: Seen::default(),
        };
        for endpoint in [&mut town.hub, &mut town.carrier, &mut town.phone] {
            endpoint.handle_timeout(now);
        }
        town.advance(Duration::from_secs(40));
        assert!(!town.hub.bindings("201").is_empty(), "the phone is registered");
        town
    }

    /// The carrier's call to the phone.
    fn call(&mut self) -> DialogId {
        let dialog = self.carrier.invite(self.now, invite("box", "4001", "0301234567"));
        self.calls.insert(dialog);
        self.run();
        dialog
    }

    /// The phone calls for help, spelled as people do.
    fn help(&mut self) {
        self.help = Some(self.phone.invite(self.now, invite("box", "1-1-2", "201")));
        self.run();
        assert_eq!(self.help, None, "no word to who calls for help: {:?}", self.seen);
    }

    fn advance(&mut self, by: Duration) {
        let end = self.now + by;
        loop {
            let endpoints = [self.hub.poll_timeout(), self.carrier.poll_timeout(), self.phone.poll_timeout()];
            let hang_up = self.hang_up.first_key_value().map(|((at, _), ())| *at);
            let next = endpoints.into_iter().chain([hang_up]).flatten().min();
            let Some(at) = next.filter(|at| *at <= end) else { break };
            self.now = self.now.max(at);
            while let Some(((at, dialog), ())) = self.hang_up.pop_first() {
                if at > self.now {
                    self.hang_up.insert((at, dialog), ());
                    break;
                }
                self.carrier.end(self.now, dialog);
            }
            for endpoint in [&mut self.hub, &mut self.carrier, &mut self.phone] {
                if endpoint.poll_timeout().is_some_and(|at| at <= self.now) {
                    endpoint.handle_timeout(self.now);
                }
            }
            self.run();
        }
        self.now = end;
    }

    /// Until nobody has anything to say.
    fn run(&mut self) {
        loop {
            self.seen.transactions_max = self.seen.transactions_max.max(self.hub.load().transactions);
            if let Some(output) = self.hub.poll_output() {
                self.of_hub(output);
            } else if let Some(output) = self.carrier.poll_output() {
                self.of_carrier(output);
            } else if let Some(output) = self.phone.poll_output() {
                self.of_phone(output);
            } else {
                return;
            }
        }
    }

    fn of_hub(&mut self, output: Output) {
        let event = match output {
            Output::Send { flow, bytes } if flow.remote == addr(CARRIER) => {
                return give(&mut self.carrier, self.now, CARRIER, HUB, bytes);
            }
            Output::Send { bytes, .. } => return give(&mut self.phone, self.now, PHONE, HUB, bytes),
            Output::Event(event) => event,
            Output::Close { .. } => return,
        };
        match event {
            Event::Invited { dialog, invited } => {
                let other = match invited.source {
                    Source::Phone(_) => {
                        let emergency = Some(Emergency { location: None });
                        self.hub.invite(self.now, Invite { emergency, ..invite("carrier", "112", "201") })
                    }
                    Source::Trunk(_) | Source::Unproved => {
                        let to = Target::Phone("201".into());
                        self.hub.invite(self.now, Invite { to, ..invite("carrier", "", &invited.from) })
                    }
                };
                self.legs.insert(dialog, other);
                self.legs.insert(other, dialog);
            }
            Event::Answered { dialog, .. } => self.hub.accept(self.now, self.legs[&dialog], Bytes::from_static(SDP)),
            Event::Reoffer { dialog, .. } => self.hub.accept(self.now, dialog, Bytes::from_static(SDP)),
            Event::Failed { dialog, status, .. } => {
                let other = self.legs.remove(&dialog).unwrap();
                self.legs.remove(&other);
                self.hub.reject(self.now, other, status);
            }
            Event::Ended { dialog, .. } => {
                if let Some(other) = self.legs.remove(&dialog) {
                    self.legs.remove(&other);
                    self.hub.end(self.now, other);
                }
            }
            _ => {}
        }
    }

    fn of_carrier(&mut self, output: Output) {
        let event = match output {
            Output::Send { bytes, .. } => return give(&mut self.hub, self.now, HUB, CARRIER, bytes),
            Output::Event(event) => event,
            Output::Close { .. } => return,
        };
        match event {
            // Help comes.
            Event::Invited { dialog, .. } => self.carrier.accept(self.now, dialog, Bytes::from_static(SDP)),
            Event::Answered { dialog, .. } => {
                self.seen.answered += 1;
                self.hang_up.insert((self.now + self.talk, dialog), ());
            }
            Event::Reanswered { sdp: Some(_), .. } => self.seen.reanswered += 1,
            Event::Failed { dialog, status, .. } => {
                self.calls.remove(&dialog);
                match status {
                    503 => self.seen.shed += 1,
                    _ => self.seen.failed += 1,
                }
            }
            Event::Ended { by: EndedBy::Lost, .. } => self.seen.failed += 1,
            _ => {}
        }
    }

    fn of_phone(&mut self, output: Output) {
        let event = match output {
            Output::Send { bytes, .. } => return give(&mut self.hub, self.now, HUB, PHONE, bytes),
            Output::Event(event) => event,
            Output::Close { .. } => return,
        };
        match event {
            Event::Invited { dialog, .. } => self.phone.accept(self.now, dialog, Bytes::from_static(SDP)),
            Event::Answered { dialog, .. } if self.help == Some(dialog) => {
                self.help = None;
                self.seen.helped += 1;
                self.phone.end(self.now, dialog);
            }
            Event::Failed { dialog, .. } if self.help == Some(dialog) => {
                self.help = None;
                self.seen.helpless += 1;
            }
            Event::Ended { by: EndedBy::Peer, .. } => self.seen.ended += 1,
            Event::Ended { by: EndedBy::Lost, .. } => self.seen.failed += 1,
            _ => {}
        }
    }
}

fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn give(to: &mut Endpoint, now: Instant, local: &str, remote: &str, bytes: Bytes) {
    let flow = Flow { transport: Transport::Udp, local: addr(local), remote: addr(remote), connection: 0 };
    to.handle_input(now, Input::Received { flow, bytes });
}

fn trunk(peer: &str, registration: Option<TrunkRegistration>) -> Trunk {
    Trunk { peer: addr(peer), transport: Transport::Udp, registration, options_every_s: 0, rules: Default::default() }
}

fn invite(trunk: &str, user: &str, from: &str) -> Invite {
    Invite {
        to: Target::Trunk { trunk: trunk.into(), user: user.into() },
        from_user: from.into(),
        from_name: None,
        sdp: Bytes::from_static(SDP),
        sdp_to_browsers: None,
        emergency: None,
        patience: None,
        shown: Default::default(),
        recording: None,
    }
}
