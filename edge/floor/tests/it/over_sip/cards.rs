//! C-01 by signalling: a card is keyed in by SIP INFO, through hold and transfer, a thousand times. No key of it comes to the
//! agent, to the media engine as a tone, or into a fact; without card mode it does. What comes as sound or as RFC 4733 is the
//! media engine's part.

use super::*;

const CALLS: u32 = 1_000;
const CARD: &str = "4929111122223333";

impl Town {
    /// The caller says something within its call, beside its own endpoint, whose numbers end where these begin.
    fn says(&mut self, method: &str, sequence: u32, more: &str, body: &str) {
        let answer = self.heard.clone().expect("a call that was answered");
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let line = |name: &str| answer.lines().find(|line| line.starts_with(name)).expect("a header").to_owned();
        let (from, to, call_id) = (line("From:"), line("To:"), line("Call-ID:"));
        let text = format!(
            "{method} sip:{BOX} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKi{sequence}{at}\r\n\
             Max-Forwards: 70\r\n{from}\r\n{to}\r\n{call_id}\r\nCSeq: {sequence} {method}\r\n{more}\
             Content-Length: {length}\r\n\r\n{body}",
            at = (self.now - self.zero).as_millis(),
            length = body.len(),
        );
        let (local, remote) = (BOX.parse().expect("an address"), self.peers[CARRIER].addr);
        let flow = Flow { transport: Transport::Udp, local, remote, connection: 0 };
        self.input(LineInput::Sip(sip::endpoint::Input::Received { flow, bytes: Bytes::from(text) }));
        self.run();
    }

    /// A key, told by INFO as gateways write it.
    fn presses(&mut self, key: char, sequence: u32) {
        let body = format!("Signal={key}\r\nDuration=160\r\n");
        self.says("INFO", sequence, "Content-Type: application/dtmf-relay\r\n", &body);
    }

    fn keys_in(&mut self, keys: &str, sequence: &mut u32) {
        for key in keys.chars() {
            *sequence += 1;
            self.presses(key, *sequence);
            assert_eq!(self.log.last().map(String::as_str), Some("carrier < 200"), "it is taken: {:?}", self.log);
        }
    }

    fn served(sequence: &mut u32) -> Self {
        let mut town = Self::new();
        town.desk(Ask::SignIn);
        town.desk(Ask::Ready);
        town.calls_in(sequence);
        town
    }

    fn calls_in(&mut self, sequence: &mut u32) {
        self.carrier_calls("5550100");
        self.prompts_end();
        self.phone_answers(ANN);
        *sequence = 10;
    }
}

#[test]
fn a_key_without_card_mode_comes_through() {
    let mut sequence = 0;
    let mut town = Town::served(&mut sequence);
    town.keys_in("5", &mut sequence);
    assert!(town.saw("digit 5"), "{:#?}", town.log);
}

#[test]
fn of_a_thousand_cards_no_key_comes_through_hold_and_transfer() {
    let mut sequence = 0;
    let mut town = Town::served(&mut sequence);
    for call in 0..CALLS {
        if call > 0 {
            town.desk(Ask::Ready);
            town.calls_in(&mut sequence);
        }
        town.desk(Ask::CardMode);
        town.keys_in(&CARD[..5], &mut sequence);
        town.desk(Ask::Hold);
        town.keys_in(&CARD[5..8], &mut sequence);
        town.desk(Ask::Resume);
        town.keys_in(&CARD[8..11], &mut sequence);
        town.desk(Ask::Transfer { number: "203".into() });
        town.keys_in(&CARD[11..13], &mut sequence);
        town.phone_answers(COLLEAGUE);
        town.keys_in(&CARD[13..], &mut sequence);
        town.says("BYE", sequence + 1, "", "");
        town.advance(40);
        assert_eq!(town.floor.in_use(), floor::InUse::default(), "call {call}");
        assert!(!town.log.iter().any(|line| line.starts_with("digit")), "call {call}: {:#?}", town.log);
        assert!(!town.log.iter().any(|line| line.ends_with("< INFO")), "call {call}");
        town.log.clear();
    }
    let began = town.facts.iter().filter(|fact| fact.kind == Kind::CardModeBegan).count();
    assert_eq!(began, CALLS as usize);
    let facts = serde_json::to_string(&town.facts).expect("facts");
    assert!(!facts.contains(&CARD[..4]) && !facts.contains("\"digit"), "no fact has a key");
}
