//! One port: its remote, its two streams, what is played on it.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    time::{Duration, Instant},
};

use super::Sink;
use crate::{
    dtmf::{Listener, Press},
    plane::{Codec, Event, PlayId, PortId, Remote, Stats},
    prompt::{FRAME_LEN, Prompt},
    rtp::{self, HEADER_LEN, receive::Receiver, send::Sender},
};

/// Feeder number of prompts; a joined port's is its id plus one.
const PROMPT: u64 = 0;

pub(super) struct Port {
    pub remote: Option<Remote>,
    /// The remote's address was learnt from its first packet (S-20); it stays.
    learnt: bool,
    pub muted: bool,
    pub joined: Option<PortId>,
    pub sender: Sender,
    pub receiver: Receiver,
    pub listener: Listener,
    pub playing: Option<Playing>,
    pressing: Option<Press>,
    pub foreign: u64,
    heard: Instant,
    silent: bool,
    pub orphan: bool,
}

pub(super) struct Playing {
    play: PlayId,
    prompts: Vec<Prompt>,
    prompt: usize,
    frame: usize,
    again: bool,
}

impl Port {
    pub fn new(sender: Sender, now: Instant) -> Self {
        Self {
            remote: None,
            learnt: false,
            muted: false,
            joined: None,
            sender,
            receiver: Receiver::default(),
            listener: Listener::default(),
            playing: None,
            pressing: None,
            foreign: 0,
            heard: now,
            silent: false,
            orphan: false,
        }
    }

    pub fn connect(&mut self, now: Instant, remote: Remote) {
        self.learnt = false;
        self.heard = now;
        self.silent = false;
        self.remote = Some(remote);
    }

    /// The codec of a packet that may enter: from the address in the SDP, or, behind a declared NAT, from where the
    /// first valid packet of the agreed codec came.
    pub fn admit(&mut self, source: SocketAddr, packet: &[u8]) -> Option<Codec> {
        let remote = self.remote.as_mut()?;
        if source == remote.addr {
            return Some(remote.codec);
        }
        let valid = || rtp::parse(packet).is_some_and(|(header, _)| header.payload_type == remote.codec.payload_type());
        if remote.learn && !self.learnt && valid() {
            self.learnt = true;
            remote.addr = source;
            return Some(remote.codec);
        }
        self.foreign = self.foreign.saturating_add(1);
        None
    }

    pub fn telephone_event(&self) -> Option<u8> {
        self.remote.and_then(|remote| remote.telephone_event)
    }

    /// Where audio may go at this moment.
    pub fn sendable(&self) -> Option<Remote> {
        self.remote.filter(|_| !self.muted)
    }

    /// A packet came; true when the port had been reported silent.
    pub fn alive(&mut self, now: Instant) -> bool {
        self.heard = now;
        std::mem::replace(&mut self.silent, false)
    }

    /// True once when nothing came for `after`.
    pub fn fell_silent(&mut self, now: Instant, after: Duration) -> bool {
        let fell = !self.silent && self.remote.is_some() && self.quiet_for(now) >= after;
        self.silent |= fell;
        fell
    }

    pub fn quiet_for(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.heard)
    }

    pub fn play(&mut self, play: PlayId, prompts: Vec<Prompt>, again: bool) {
        self.playing = Some(Playing { play, prompts, prompt: 0, frame: 0, again });
    }

    pub fn press(&mut self, digit: char, ms: u16) {
        self.pressing = Press::new(digit, ms);
    }

    /// One frame of what is being played, or one packet of a keypress.
    pub fn tick(&mut self, now: Instant, id: PortId, events: &mut VecDeque<Event>, sink: &mut impl Sink) {
        let Some(remote) = self.sendable() else { return };
        if let Some(payload_type) = remote.telephone_event.filter(|_| self.pressing.is_some()) {
            match self.pressing.as_mut().and_then(Press::next) {
                Some((payload, begins)) => {
                    let mut packet = [0_u8; HEADER_LEN + 4];
                    let (head, tail) = packet.split_at_mut(HEADER_LEN);
                    head.copy_from_slice(&self.sender.event(now, begins, payload_type));
                    tail.copy_from_slice(&payload);
                    sink.send(id, remote.addr, &packet);
                    return;
                }
                None => self.pressing = None,
            }
        }
        let Some(playing) = self.playing.as_mut() else { return };
        match playing.next(remote.codec) {
            Some(frame) => {
                let mut packet = [0_u8; HEADER_LEN + FRAME_LEN];
                let (head, tail) = packet.split_at_mut(HEADER_LEN);
                head.copy_from_slice(&self.sender.next(now, PROMPT, remote.codec.payload_type()));
                tail.copy_from_slice(frame);
                sink.send(id, remote.addr, &packet);
            }
            None => {
                events.push_back(Event::Played { port: id, play: playing.play });
                self.playing = None;
            }
        }
    }

    pub fn stats(&self) -> Stats {
        Stats {
            received: self.receiver.received,
            sent: self.sender.sent,
            lost: self.receiver.lost(),
            jitter_us: self.receiver.jitter_us(),
            foreign: self.foreign,
        }
    }
}

impl Playing {
    fn next(&mut self, codec: Codec) -> Option<&[u8]> {
        // Each prompt has at least one frame, so one round finds the next frame or the end.
        if self.prompts.get(self.prompt)?.frame(codec, self.frame).is_none() {
            self.frame = 0;
            self.prompt += 1;
            if self.prompt >= self.prompts.len() {
                if !self.again {
                    return None;
                }
                self.prompt = 0;
            }
        }
        let frame = self.prompts.get(self.prompt)?.frame(codec, self.frame);
        self.frame += 1;
        frame
    }
}
