//! The process is killed and the next life takes over what talks: by SIP itself, and with the facts of the ledger alone.

use call::endpoint::DialogId;
use floor::{cdr, will};
use model::fact::EndCause;

use super::*;

impl Town {
    /// All that the process knew is gone. What media kept for it, and the facts, are given to the next one.
    fn kill(&mut self) {
        let setup = Setup { calls: box_config(branch::config()), seed: [9; 32], civil: branch::monday() };
        self.floor = Floor::new(self.now, setup);
        self.plays.clear();
        self.log.clear();
        let left: Vec<Left> = self.left.values().filter(|left| !left.will.is_empty()).cloned().collect();
        let estate = will::estate(&left);
        let closed = cdr::close_open(&self.facts, self.wall(), &estate);
        self.log.extend(closed.iter().map(|fact| tell(&fact.kind)));
        self.facts.extend(closed);
        let (facts, wall) = (self.facts.clone(), self.wall());
        for (phone, binding) in self.bindings.clone() {
            let user = phone.to_string();
            self.input(LineInput::Sip(endpoint::Input::Restore { user, binding }));
        }
        self.floor.adopt(self.now, wall, left, |contact| {
            facts.iter().filter(|fact| fact.contact == Some(contact)).cloned().collect()
        });
        self.run();
    }

    fn talking() -> Self {
        let mut town = Town::new();
        town.desk(Ask::SignIn);
        town.desk(Ask::Ready);
        town.carrier_calls("5550100");
        town.prompts_end();
        town.phone_answers(ANN);
        town.advance(30);
        town
    }

    fn reinvites(&mut self, peer: usize, direction: &str) {
        let peer = &mut self.peers[peer];
        let dialog: DialogId = peer.dialog.expect("a call");
        peer.endpoint.reinvite(self.now, dialog, Bytes::from(SDP.replace("sendrecv", direction)));
        self.run();
    }

    fn check(&self, expected: &str) {
        let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        // A trunk is asked for its health whenever a life begins.
        let health = ["carrier < OPTIONS", "carrier > 200"];
        let told: Vec<&str> = self.log.iter().map(String::as_str).filter(|line| !health.contains(line)).collect();
        assert_eq!(told, expected, "{:#?}", self.log);
    }
}

#[test]
fn a_talk_goes_on_with_its_recording_its_agent_and_one_record() {
    let mut town = Town::talking();
    town.kill();
    town.check("ann is Talking");
    assert_eq!(town.floor.in_use().contacts, 1);
    town.advance(30);
    town.log.clear();
    town.ends(CARRIER);
    town.advance(20);
    town.check(
        "carrier > BYE
        record end
        Ended Caller
        cdr wait 0 talk 60
        ann is WrapUp
        WrapUpStarted
        carrier < 200
        ann < BYE
        RecordingSealed
        ann > 200
        WrapUpEnded
        cdr wait 0 talk 60
        ann is Ready",
    );
    assert_eq!(town.floor.in_use(), floor::InUse::default());
    assert!(town.left.is_empty(), "no port is left");
}

#[test]
fn the_agents_phone_ends_it_as_well_and_a_second_death_changes_nothing() {
    let mut town = Town::talking();
    town.kill();
    town.advance(10);
    town.kill();
    town.check("ann is Talking");
    town.advance(10);
    town.log.clear();
    town.ends(ANN);
    assert!(town.saw("carrier < BYE") && town.saw("Ended Agent") && town.saw("cdr wait 0 talk 50"), "{:#?}", town.log);
}

#[test]
fn a_phone_holds_and_comes_back_across_deaths() {
    let mut town = Town::talking();
    town.kill();
    town.reinvites(ANN, "sendonly");
    assert!(town.saw("ann < 200") && town.saw("Held") && town.saw("play jazz again"), "{:#?}", town.log);
    town.advance(5);
    town.kill();
    town.advance(5);
    town.log.clear();
    town.reinvites(ANN, "sendrecv");
    assert!(town.saw("ann < 200") && town.saw("Resumed"), "{:#?}", town.log);
    town.desk(Ask::Hold);
    assert!(town.saw("carrier < INVITE"), "{:#?}", town.log);
    town.kill();
    town.desk(Ask::Resume);
    town.desk(Ask::HangUp);
    assert!(town.saw("carrier < BYE"), "{:#?}", town.log);
    let record = cdr::rebuild(&town.facts).pop().expect("a record");
    assert_eq!((record.talk_ms, record.hold_ms, record.cause), (30_000, 10_000, EndCause::Agent));
}

#[test]
fn who_waits_waits_on_and_keeps_the_time_of_arrival() {
    let mut town = Town::new();
    town.carrier_calls("5550100");
    town.prompts_end();
    town.advance(40);
    town.kill();
    town.check("play jazz again");
    town.desk(Ask::SignIn);
    town.desk(Ask::Ready);
    town.phone_answers(ANN);
    town.ends(CARRIER);
    assert!(town.saw("cdr wait 40 talk 0"), "{:#?}", town.log);
}

#[test]
fn who_was_in_a_flow_begins_it_again() {
    let mut town = Town::new();
    town.carrier_calls("5550100");
    town.kill();
    town.check("FlowEntered hello\nplay greeting");
    town.prompts_end();
    assert!(town.saw("Queued"), "{:#?}", town.log);
}

#[test]
fn what_cannot_be_taken_over_is_closed_and_its_legs_are_let_go() {
    let mut town = Town::talking();
    // The caller's leg left a will, its partner's none.
    let partner = town.left.values().find(|left| !left.will.contains("caller")).expect("a will").port;
    town.left.get_mut(&partner).expect("a will").will = "rubbish".to_owned();
    town.kill();
    assert!(town.saw("Ended Restart") && town.saw("carrier < BYE") && town.saw("ann is SignedOut"), "{:#?}", town.log);
    assert_eq!(town.floor.in_use(), floor::InUse::default());
}

#[test]
fn a_call_that_only_rings_leaves_nothing() {
    let mut town = Town::new();
    town.desk(Ask::SignIn);
    town.desk(Ask::Ready);
    town.phone_calls("112");
    assert!(town.left.values().all(|left| left.will.is_empty()), "{:?}", town.left);
}

/// Ann gives the caller to 203, which rings.
fn being_given_away() -> Town {
    let mut town = Town::talking();
    town.desk(Ask::Transfer { number: "203".into() });
    assert!(town.saw("colleague < INVITE"), "{:#?}", town.log);
    town.advance(5);
    town
}

#[test]
fn who_was_being_given_away_is_given_away_again() {
    let mut town = being_given_away();
    town.kill();
    assert!(town.saw("colleague < INVITE"), "{:#?}", town.log);
    town.phone_answers(COLLEAGUE);
    town.advance(10);
    town.log.clear();
    town.ends(CARRIER);
    town.advance(2);
    assert!(town.saw("colleague < BYE") && town.saw("Ended Caller"), "{:#?}", town.log);
    assert_eq!(town.floor.in_use(), floor::InUse::default());
}

#[test]
fn who_was_being_given_away_and_is_not_taken_goes_back_into_the_queue() {
    let mut town = being_given_away();
    town.kill();
    town.log.clear();
    town.rejects(COLLEAGUE, 486);
    assert!(town.saw("TransferFailed"), "{:#?}", town.log);
    let queued = town.log.iter().position(|told| told.starts_with("Queued"));
    assert!(queued.is_some(), "{:#?}", town.log);
    town.ends(CARRIER);
    town.advance(2);
    assert_eq!(town.floor.in_use().contacts, 0);
}

#[test]
fn who_answers_what_the_last_life_rang_is_let_go_at_once() {
    let mut town = being_given_away();
    let rang_before = town.peers[COLLEAGUE].dialog.expect("it rings");
    town.kill();
    town.log.clear();
    let colleague = &mut town.peers[COLLEAGUE];
    colleague.endpoint.accept(town.now, rang_before, Bytes::from(SDP));
    town.run();
    assert!(town.saw("colleague < ACK") && town.saw("colleague < BYE"), "{:#?}", town.log);
    town.phone_answers(COLLEAGUE);
    town.advance(2);
    assert!(town.saw("join"), "the ringing of the new life is another call: {:#?}", town.log);
}
