//! A telephone on an agent's desk and the hand that picks it up: after a while, sometimes not at all.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use sip::endpoint::{DialogId, Endpoint, Event as SipEvent, Invite, Output, Target};

use crate::{
    dice::{self, Dice},
    event::{Event, PhoneAct},
    media::Sound,
    person::{self, BOX},
    stage::Stage,
    town::Side,
};

const SECOND: Duration = Duration::from_secs(1);
/// Who hears nobody for about this long hangs up.
const SILENCE: Duration = Duration::from_secs(45);
/// A phone stops ringing by itself when nobody picks it up and nobody cancels: the box may have died.
const RINGS_MAX: Duration = Duration::from_secs(180);
/// Of the talks that the agent ends; the others are ended by the caller.
const AGENT_ENDS: f64 = 0.3;
const TALK: Duration = Duration::from_secs(200);
/// Two colleagues who both wait for the other to hang up do not wait for ever.
const TALK_MAX: Duration = Duration::from_secs(2_400);

pub struct Phone {
    pub extension: &'static str,
    pub addr: SocketAddr,
    pub rtp: SocketAddr,
    pub endpoint: Endpoint,
    /// Its place in the world's list.
    index: usize,
    call: Option<DialogId>,
    talking: bool,
    turn: u32,
    dice: Dice,
    pub registered: bool,
}

impl Phone {
    pub fn new(seed: u64, side: Side, n: usize, index: usize) -> Self {
        let extension = side.people()[n].1;
        let addr = side.phone_addr(n);
        let mut rtp = addr;
        rtp.set_port(4_000);
        let name = format!("phone {extension}");
        let sip = dice::seed(seed, &format!("{name} sip"));
        Self {
            extension,
            addr,
            rtp,
            endpoint: person::endpoint(side, addr, Some(extension), sip),
            index,
            call: None,
            talking: false,
            turn: 0,
            dice: Dice::new(seed, &name),
            registered: false,
        }
    }

    pub fn is_idle(&self) -> bool {
        self.call.is_none()
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

    /// Somebody dials on the phone itself.
    pub fn dial(&mut self, stage: &mut Stage, number: &str) {
        if self.call.is_some() {
            return;
        }
        let invite = Invite {
            to: Target::Trunk { trunk: BOX.into(), user: number.into() },
            from_user: self.extension.into(),
            from_name: None,
            sdp: person::sdp(self.rtp, None),
            sdp_to_browsers: None,
            emergency: None,
            patience: None,
            shown: Default::default(),
            recording: None,
        };
        (self.call, self.talking) = (Some(self.endpoint.invite(stage.clock.now(), invite)), true);
        self.turn += 1;
        self.plan(stage, SILENCE, PhoneAct::HangUp);
        self.drain(stage);
    }

    pub fn act(&mut self, stage: &mut Stage, turn: u32, act: PhoneAct) {
        let (Some(dialog), true) = (self.call, turn == self.turn) else { return };
        let now = stage.clock.now();
        match act {
            PhoneAct::Answer => {
                self.talking = true;
                self.turn += 1;
                self.endpoint.accept(now, dialog, person::sdp(self.rtp, None));
                self.plan(stage, SILENCE, PhoneAct::HangUp);
            }
            PhoneAct::Decline => {
                self.gone(dialog);
                self.endpoint.reject(now, dialog, 486);
            }
            PhoneAct::HangUp => {
                self.gone(dialog);
                self.endpoint.end(now, dialog);
            }
        }
        self.drain(stage);
    }

    /// What the agent hears changes.
    pub fn heard(&mut self, stage: &mut Stage, sound: &Sound) {
        if self.call.is_none() || !self.talking {
            return;
        }
        match sound {
            Sound::Person => {
                self.turn += 1;
                let talk = if self.dice.chance(AGENT_ENDS) { 15 * SECOND + self.dice.wait(TALK) } else { TALK_MAX };
                self.plan(stage, talk, PhoneAct::HangUp);
            }
            Sound::Nothing => {
                self.turn += 1;
                let patience = self.dice.between(SILENCE, 2 * SILENCE);
                self.plan(stage, patience, PhoneAct::HangUp);
            }
            Sound::Prompts(_) => {}
        }
    }

    fn plan(&mut self, stage: &mut Stage, after: Duration, act: PhoneAct) {
        stage.later(after, Event::Phone { phone: self.index, turn: self.turn, act });
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
        let now = stage.clock.now();
        match event {
            // A phone with one line: what it hung up may still be up in the box when a BYE was lost.
            SipEvent::Invited { dialog, .. } if self.call.is_some() => self.endpoint.reject(now, dialog, 486),
            SipEvent::Invited { dialog, .. } => {
                (self.call, self.talking) = (Some(dialog), false);
                self.turn += 1;
                self.endpoint.provisional(now, dialog, 180, None);
                let luck = self.dice.unit();
                if luck < 0.91 {
                    let after = self.dice.between(2 * SECOND, 9 * SECOND);
                    self.plan(stage, after, PhoneAct::Answer);
                } else if luck < 0.94 {
                    self.plan(stage, 3 * SECOND, PhoneAct::Decline);
                } else {
                    self.plan(stage, RINGS_MAX, PhoneAct::Decline);
                }
            }
            SipEvent::Reoffer { dialog, sdp } => {
                let answer = person::sdp(self.rtp, sdp.as_ref());
                self.endpoint.accept(now, dialog, answer);
            }
            SipEvent::Failed { dialog, .. } | SipEvent::Ended { dialog, .. } => self.gone(dialog),
            SipEvent::TrunkState { up, .. } => self.registered = up,
            _ => {}
        }
    }

    fn gone(&mut self, dialog: DialogId) {
        if self.call.take_if(|call| *call == dialog).is_some() {
            self.talking = false;
            self.turn += 1;
        }
    }
}
