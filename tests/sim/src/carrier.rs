//! The carrier of a branch, and the people behind it: callers with their patience, and those whom the branch calls.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use bytes::Bytes;
use sip::endpoint::{DialogId, Endpoint, Event as SipEvent, Invite, Output, Target};

use crate::{
    dice::{self, Dice},
    event::{Event, OutsiderAct},
    media::Sound,
    person::{self, BOX},
    stage::Stage,
    town::{MARKER, Side},
};

const SECOND: Duration = Duration::from_secs(1);
/// Mean of how long callers wait for a person, and how long they then talk.
const PATIENCE: Duration = Duration::from_secs(110);
const TALK: Duration = Duration::from_secs(260);

struct Outsider {
    dialog: DialogId,
    rtp: SocketAddr,
    /// Where the box wants to hear this party.
    towards: Option<SocketAddr>,
    turn: u32,
    talking: bool,
    pressed: bool,
}

pub struct Carrier {
    pub side: Side,
    pub addr: SocketAddr,
    pub endpoint: Endpoint,
    outsiders: Vec<Outsider>,
    dialogs: BTreeMap<DialogId, usize>,
    by_rtp: BTreeMap<SocketAddr, usize>,
    dice: Dice,
    pub calls: u64,
    pub unserved: u64,
}

/// The caller with this place among all who might call.
fn who(people: u64, place: u64) -> (String, Option<String>) {
    if people == 0 {
        return (format!("{MARKER}{place:04}"), None);
    }
    let other = dice::seed(people, &format!("caller {place}"));
    let digits: String = other.iter().take(4 + (place % 5) as usize).map(|byte| char::from(b'0' + byte % 10)).collect();
    let name: String =
        other.iter().skip(8).take(3 + (place % 9) as usize).map(|byte| char::from(b'a' + byte % 26)).collect();
    (format!("{MARKER}{digits}"), Some(format!("Person {name}")))
}

impl Carrier {
    pub fn new(seed: u64, side: Side) -> Self {
        let name = format!("carrier of {}", side.name());
        Self {
            side,
            addr: side.carrier_addr(),
            endpoint: person::endpoint(side, side.carrier_addr(), None, dice::seed(seed, &format!("{name} sip"))),
            outsiders: Vec::new(),
            dialogs: BTreeMap::new(),
            by_rtp: BTreeMap::new(),
            dice: Dice::new(seed, &name),
            calls: 0,
            unserved: 0,
        }
    }

    /// Calls that have not ended.
    pub fn open(&self) -> usize {
        self.dialogs.len()
    }

    /// Somebody calls the branch.
    pub fn arrival(&mut self, stage: &mut Stage) {
        self.calls += 1;
        let rtp = self.next_rtp();
        let (number, name) = who(stage.plan.people, self.dice.below(10_000));
        let invite = Invite {
            to: Target::Trunk { trunk: BOX.into(), user: self.side.number().into() },
            from_user: number,
            from_name: name,
            sdp: person::sdp(rtp, None),
            sdp_to_browsers: None,
            emergency: None,
            patience: None,
            shown: Default::default(),
            recording: None,
        };
        let dialog = self.endpoint.invite(stage.clock.now(), invite);
        self.admit(dialog, rtp);
        self.drain(stage);
    }

    pub fn received(&mut self, stage: &mut Stage, from: SocketAddr, bytes: Bytes) {
        let input = person::received(from, self.addr, bytes);
        self.endpoint.handle_input(stage.clock.now(), input);
        self.drain(stage);
    }

    pub fn timeout(&mut self, stage: &mut Stage) {
        self.endpoint.handle_timeout(stage.clock.now());
        self.drain(stage);
    }

    /// A party acts, unless something else has happened to it. A key that it presses is returned, with where it goes.
    pub fn act(&mut self, stage: &mut Stage, who: usize, turn: u32, act: OutsiderAct) -> Option<(SocketAddr, char)> {
        let outsider = self.outsiders.get_mut(who).filter(|outsider| outsider.turn == turn)?;
        let (dialog, rtp, towards) = (outsider.dialog, outsider.rtp, outsider.towards);
        match act {
            OutsiderAct::HangUp => self.endpoint.end(stage.clock.now(), dialog),
            OutsiderAct::Press(digit) => return towards.map(|towards| (towards, digit)),
            OutsiderAct::RingOut => self.endpoint.reject(stage.clock.now(), dialog, 480),
            OutsiderAct::Answer => {
                self.endpoint.accept(stage.clock.now(), dialog, person::sdp(rtp, None));
                self.outsiders[who].turn += 1;
                self.plan(stage, who, Duration::from_secs(60), OutsiderAct::HangUp);
            }
        }
        self.drain(stage);
        None
    }

    /// What a party hears changes. False: nobody listens at this address.
    pub fn heard(&mut self, stage: &mut Stage, rtp: SocketAddr, sound: &Sound) -> bool {
        let Some(who) = self.by_rtp.get(&rtp).copied() else { return false };
        let outsider = &mut self.outsiders[who];
        if !self.dialogs.contains_key(&outsider.dialog) {
            return true;
        }
        match sound {
            Sound::Person => {
                (outsider.turn, outsider.talking) = (outsider.turn + 1, true);
                let talk = 15 * SECOND + self.dice.wait(TALK);
                self.plan(stage, who, talk, OutsiderAct::HangUp);
            }
            Sound::Nothing if outsider.talking => {
                (outsider.turn, outsider.talking) = (outsider.turn + 1, false);
                let patience = self.patience();
                self.plan(stage, who, patience, OutsiderAct::HangUp);
            }
            Sound::Prompts(prompts) if !outsider.pressed && prompts.iter().any(|prompt| prompt == "menu") => {
                if self.dice.chance(0.9) {
                    self.outsiders[who].pressed = true;
                    let digit = *self.dice.pick(&['1', '1', '1', '1', '2', '2', '7']);
                    let after = self.dice.between(2 * SECOND, 9 * SECOND);
                    self.plan(stage, who, after, OutsiderAct::Press(digit));
                }
            }
            Sound::Prompts(_) | Sound::Nothing => {}
        }
        true
    }

    fn patience(&mut self) -> Duration {
        10 * SECOND + self.dice.wait(PATIENCE)
    }

    fn plan(&mut self, stage: &mut Stage, who: usize, after: Duration, act: OutsiderAct) {
        let turn = self.outsiders[who].turn;
        stage.later(after, Event::Outsider { side: self.side, who, turn, act });
    }

    fn next_rtp(&self) -> SocketAddr {
        let mut rtp = self.addr;
        rtp.set_port(10_000 + 2 * u16::try_from(self.outsiders.len() % 25_000).unwrap_or(0));
        rtp
    }

    fn admit(&mut self, dialog: DialogId, rtp: SocketAddr) -> usize {
        let who = self.outsiders.len();
        self.outsiders.push(Outsider { dialog, rtp, towards: None, turn: 0, talking: false, pressed: false });
        self.dialogs.insert(dialog, who);
        self.by_rtp.insert(rtp, who);
        who
    }

    fn drain(&mut self, stage: &mut Stage) {
        while let Some(output) = self.endpoint.poll_output() {
            match output {
                Output::Send { flow, bytes } => stage.send(self.addr, flow.remote, bytes),
                // Nothing here is a stream.
                Output::Close { .. } => {}
                Output::Event(event) => self.on(stage, event),
            }
        }
    }

    fn on(&mut self, stage: &mut Stage, event: SipEvent) {
        match event {
            SipEvent::Invited { dialog, .. } => {
                let rtp = self.next_rtp();
                let who = self.admit(dialog, rtp);
                self.endpoint.provisional(stage.clock.now(), dialog, 180, None);
                let (answers, after) = (self.dice.chance(0.8), self.dice.between(3 * SECOND, 14 * SECOND));
                match answers {
                    true => self.plan(stage, who, after, OutsiderAct::Answer),
                    false => self.plan(stage, who, 90 * SECOND, OutsiderAct::RingOut),
                }
            }
            SipEvent::Progress { dialog, sdp, .. } => self.hears_from(dialog, sdp.as_ref()),
            SipEvent::Answered { dialog, sdp } => {
                self.hears_from(dialog, Some(&sdp));
                if let Some(who) = self.dialogs.get(&dialog).copied() {
                    let patience = self.patience();
                    self.plan(stage, who, patience, OutsiderAct::HangUp);
                }
            }
            SipEvent::Reoffer { dialog, sdp } => {
                let Some(who) = self.dialogs.get(&dialog) else { return };
                let answer = person::sdp(self.outsiders[*who].rtp, sdp.as_ref());
                self.hears_from(dialog, sdp.as_ref());
                self.endpoint.accept(stage.clock.now(), dialog, answer);
            }
            SipEvent::Failed { dialog, .. } => {
                self.unserved += 1;
                self.gone(dialog);
            }
            SipEvent::Ended { dialog, .. } => self.gone(dialog),
            _ => {}
        }
    }

    fn hears_from(&mut self, dialog: DialogId, sdp: Option<&Bytes>) {
        let towards = sdp.and_then(|sdp| person::audio_of(sdp));
        if let (Some(who), Some(towards)) = (self.dialogs.get(&dialog), towards) {
            self.outsiders[*who].towards = Some(towards);
        }
    }

    fn gone(&mut self, dialog: DialogId) {
        if let Some(who) = self.dialogs.remove(&dialog) {
            self.outsiders[who].turn += 1;
        }
    }
}
