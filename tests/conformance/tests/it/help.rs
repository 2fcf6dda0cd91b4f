//! Who may call for help without a proof (S-150): exactly the emergency numbers, from exactly our networks, by an INVITE
//! alone, and so often. Everything else of a stranger is asked for its password, as ever.

use std::time::{Duration, Instant};

use bytes::Bytes;
use conformance::tape;
use sip::endpoint::{Config, Endpoint, Event, Flow, Help, Input, Output, Source, Transport};

use crate::hand::status;
use crate::stage::*;
use crate::town::{ALICE, BOB, CARRIER as CENTRE, Town};

/// On a network of ours, and not a phone's.
const DRAWER: &str = "192.0.2.77:5060";
const ELSEWHERE: &str = "203.0.113.9:5060";

struct Door {
    hub: Endpoint,
    now: Instant,
    sent: usize,
}

impl Door {
    fn new() -> Self {
        let networks = vec!["192.0.2.0/24".parse().expect("a network")];
        let services = [("sos".to_owned(), "112".to_owned())].into();
        let help = Help { numbers: ["112", "0112"].map(str::to_owned).into(), services, networks };
        let config = Config { help, ..box_config() };
        #[allow(clippy::disallowed_methods, reason = "a test needs some first instant")]
        let now = Instant::now();
        Self { hub: Endpoint::new(config, [7; 32]), now, sent: 0 }
    }

    /// What comes back, and whom the endpoint let in.
    fn say(&mut self, method: &str, to: &str, (user, from): (&str, &str), more: &str) -> (String, Option<Source>) {
        self.sent += 1;
        // A service's name is a whole URI.
        let uri =
            if to.to_ascii_lowercase().starts_with("urn:") { to.to_owned() } else { format!("sip:{to}@{DOMAIN}") };
        let text = format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bKhelp{n}\r\nMax-Forwards: 70\r\n\
             From: <sip:{user}@{DOMAIN}>;tag=f\r\nTo: <{uri}>\r\nCall-ID: help{n}\r\nCSeq: 1 {method}\r\n\
             Contact: <sip:{user}@{from}>\r\n{more}Content-Length: 0\r\n\r\n",
            n = self.sent
        );
        let (local, remote) = (BOX.parse().expect("an address"), from.parse().expect("an address"));
        let flow = Flow { transport: Transport::Udp, local, remote, connection: 0 };
        self.hub.handle_timeout(self.now);
        self.hub.handle_input(self.now, Input::Received { flow, bytes: Bytes::from(text) });
        let (mut answer, mut source) = (String::new(), None);
        while let Some(output) = self.hub.poll_output() {
            match output {
                Output::Send { bytes, .. } => {
                    tape::said(&bytes);
                    answer = status(&String::from_utf8_lossy(&bytes)).to_owned();
                }
                Output::Event(Event::Invited { dialog, invited }) => {
                    source = Some(invited.source);
                    self.hub.reject(self.now, dialog, 486);
                }
                Output::Event(_) | Output::Close { .. } => {}
            }
        }
        (answer, source)
    }
}

#[test]
fn who_proved_nothing_reaches_emergency_numbers_from_our_networks_and_nothing_else() {
    let wrong = "Authorization: Digest username=\"100\", realm=\"x\", nonce=\"y\", uri=\"sip:x\", response=\"z\"\r\n";
    let table = [
        ("INVITE", "112", ("drawer", DRAWER), "", true),
        ("INVITE", "0112", ("drawer", DRAWER), "", true),
        ("INVITE", "1-1-2", ("drawer", DRAWER), "", true),
        // RFC 5031: the service by its name.
        ("INVITE", "urn:service:sos", ("drawer", DRAWER), "", true),
        ("INVITE", "URN:service:sos.ambulance", ("drawer", DRAWER), "", true),
        ("INVITE", "urn:service:sos", ("drawer", ELSEWHERE), "", false),
        ("INVITE", "urn:service:sos", ("100", DRAWER), "", false),
        ("INVITE", "urn:service:sos", ("100", DRAWER), wrong, true),
        // A phone of ours is asked who it is; one that cannot prove it is let through.
        ("INVITE", "112", ("100", DRAWER), "", false),
        ("INVITE", "112", ("100", DRAWER), wrong, true),
        ("INVITE", "112", ("drawer", ELSEWHERE), "", false),
        ("INVITE", "112", ("100", ELSEWHERE), wrong, false),
        ("INVITE", "1120", ("drawer", DRAWER), "", false),
        ("INVITE", "13811212345", ("drawer", DRAWER), "", false),
        ("INVITE", "100", ("drawer", DRAWER), "", false),
        ("INVITE", "0044112", ("drawer", DRAWER), "", false),
        ("REGISTER", "112", ("112", DRAWER), "", false),
        ("MESSAGE", "112", ("drawer", DRAWER), "", false),
        ("SUBSCRIBE", "112", ("drawer", DRAWER), "", false),
        ("REFER", "112", ("drawer", DRAWER), "", false),
        ("INVITE", "112", ("drawer", DRAWER), "Replaces: a;to-tag=b;from-tag=c\r\n", false),
    ];
    for (method, to, from, more, helped) in table {
        let mut door = Door::new();
        let (answer, source) = door.say(method, to, from, more);
        let expected = helped.then_some(Source::Unproved);
        assert_eq!(source, expected, "{method} {to} from {from:?} {more}: {answer}");
        assert!(helped || ["401", "403"].contains(&answer.as_str()), "{method} {to} from {from:?}: {answer}");
    }
}

#[test]
fn a_device_that_proved_nothing_calls_three_times_in_a_minute() {
    let mut door = Door::new();
    for _ in 0..3 {
        assert_eq!(door.say("INVITE", "112", ("drawer", DRAWER), "").1, Some(Source::Unproved));
    }
    assert_eq!(door.say("INVITE", "112", ("drawer", DRAWER), ""), ("401".into(), None));
    door.now += Duration::from_secs(61);
    assert_eq!(door.say("INVITE", "112", ("drawer", DRAWER), "").1, Some(Source::Unproved));
}

/// RFC 5031, RFC 6881: a phone that knows services by their names is put through to the number that stands for each.
#[test]
fn a_phone_that_calls_a_service_of_help_by_name_reaches_the_number_of_this_place() {
    for service in ["urn:service:sos", "urn:service:sos.police", "urn:service:SOS.mountain"] {
        let mut town = Town::new();
        town.asks(ALICE, "INVITE", service, "");
        let heard = town.peers[CENTRE].heard.iter().find(|text| text.starts_with("INVITE"));
        let heard = heard.unwrap_or_else(|| panic!("{service} goes nowhere"));
        assert!(heard.starts_with("INVITE sip:112@"), "{service}: {heard}");
    }
    let mut town = Town::new();
    let answer = town.asks(ALICE, "INVITE", "urn:service:counseling", "");
    assert!(answer.starts_with("SIP/2.0 416"), "{answer}");
}

/// NORMS 2: the line is free at once, and the colleague at the desk is not left with silence.
#[test]
fn who_gives_way_to_a_call_for_help_hears_why() {
    let mut town = Town::with_channels(1);
    town.calls(ALICE, "01701234567");
    town.answers(CENTRE);
    town.story();
    town.calls(BOB, "112");
    let story = town.story();
    assert!(story.contains("box -> carrier BYE") && story.contains("box -> carrier INVITE"), "{story}");
    assert!(story.contains("box * play line-taken to alice"), "{story}");
    assert!(!story.contains("box -> alice BYE"), "not before it was said\n{story}");
    town.answers(CENTRE);
    town.advance(7);
    let story = town.story();
    assert!(story.contains("box -> alice BYE"), "{story}");
    assert!(!story.contains("box -> bob BYE") && !story.contains("box -> carrier BYE"), "{story}");
    assert_eq!(town.legs(), 2);
}
