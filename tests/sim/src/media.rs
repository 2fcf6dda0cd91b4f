//! A stand-in for the media process. It obeys every command of the plane as that process does: ports open, prompts take
//! their time, digits are heard, recordings are sealed. What it leaves out is the sound: no RTP packet is made, since a
//! day has some ten million of them. Who would hear what is told to the parties instead, by the address that a port is
//! connected to, so that a caller who is joined to nobody waits as a real one would. Ports that a dead *calls* left
//! behind close at once, where the real process lets their parties talk on until both are quiet.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use media::plane::{self, Command, Event, Failure, PlayId, PortId, RecordingState};

use crate::town::Side;

/// RTP ports that are handed out in turn.
const PORTS: u16 = 10_000;
/// From a command to its answer, over the socket between the processes.
const ANSWER: Duration = Duration::from_millis(1);
/// A connected port without a packet for this long is reported (`media::engine`).
pub const SILENT_AFTER: Duration = Duration::from_secs(15);
/// To close a recording's file and wait for the disk.
const SEAL: Duration = Duration::from_millis(30);

/// What the party at an address hears from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sound {
    /// These prompts, again and again or once.
    Prompts(Vec<String>),
    /// A person, who hears them.
    Person,
    Nothing,
}

/// What follows from a command.
#[derive(Debug)]
pub enum Reply {
    Event(Duration, Event),
    PromptEnds(Duration, PortId, PlayId),
    Heard(SocketAddr, Sound),
}

#[derive(Debug)]
struct Port {
    local: SocketAddr,
    remote: Option<SocketAddr>,
    joined: Option<PortId>,
    playing: Option<PlayId>,
    hears: Hears,
}

/// What comes out of a tunnel. At every other port a party always sends while its call lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hears {
    Sound,
    /// Since when nothing comes, and whether that was reported.
    Nothing {
        since: Duration,
        told: bool,
    },
}

pub struct Media {
    side: Side,
    ports: BTreeMap<PortId, Port>,
    recordings: BTreeMap<String, (PortId, Duration)>,
    handed_out: u16,
    pub opened: u64,
}

impl Media {
    pub fn new(side: Side) -> Self {
        Self { side, ports: BTreeMap::new(), recordings: BTreeMap::new(), handed_out: 0, opened: 0 }
    }

    pub fn ports_open(&self) -> usize {
        self.ports.len()
    }

    pub fn recordings_open(&self) -> usize {
        self.recordings.len()
    }

    /// A new life of *calls* says hello: what the last one left is closed.
    pub fn hello(&mut self, at: Duration) -> Vec<Reply> {
        let ports: Vec<PortId> = self.ports.keys().copied().collect();
        ports.into_iter().flat_map(|port| self.close(at, port)).filter(|r| matches!(r, Reply::Heard(..))).collect()
    }

    /// The process dies: its ports and recordings are gone without a word, and everybody hears nothing.
    pub fn die(&mut self) -> Vec<Reply> {
        self.recordings.clear();
        let remotes = std::mem::take(&mut self.ports).into_values().filter_map(|port| port.remote);
        remotes.map(|remote| Reply::Heard(remote, Sound::Nothing)).collect()
    }

    pub fn obey(&mut self, at: Duration, command: Command) -> Vec<Reply> {
        match command {
            Command::Hello { .. } => self.hello(at),
            // Nobody dies here who could leave anything to an heir: see `hello`.
            Command::Will { .. } | Command::Adopt { .. } => vec![],
            Command::Open { port, loopback } => self.open(port, loopback),
            Command::Connect { port, remote } => self.with(port, |entry| {
                entry.remote = Some(remote.addr);
                vec![]
            }),
            Command::Mute { port, .. } | Command::Digit { port, .. } | Command::Shield { port, .. } => {
                self.with(port, |_| vec![])
            }
            // No talk of this day has more than two, and no branch a recording server.
            Command::Copy { .. } | Command::RecordPause { .. } | Command::Mix { .. } => vec![],
            Command::Join { a, b } => self.join(a, b),
            Command::Part { port } => self.part(port),
            Command::Play { port, play, sounds, again } => {
                let names = sounds.into_iter().filter_map(|sound| match sound {
                    plane::Sound::Prompt(name) => Some(name),
                    plane::Sound::Tone(tone) => Some(tone.tone.name().to_owned()),
                    // It has no voice.
                    plane::Sound::Speech(_) => None,
                });
                self.play(port, play, names.collect(), again)
            }
            Command::Stop { port } => self.with(port, |entry| {
                entry.playing = None;
                vec![]
            }),
            Command::Record { recording, port } => self.record(at, recording, port),
            Command::RecordEnd { recording } => self.seal(at, &recording).into_iter().collect(),
            Command::Close { port } => self.close(at, port),
        }
    }

    /// Is the prompt still playing? Then it has been heard to its end.
    pub fn prompt_ends(&mut self, port: PortId, play: PlayId) -> Option<Event> {
        let entry = self.ports.get_mut(&port)?;
        entry.playing.take_if(|playing| *playing == play).map(|play| Event::Played { port, play })
    }

    /// The port of a tunnel at this address hears something, or nothing any more. In the second case it is to be asked
    /// again when the silence has lasted.
    pub fn tunnel_hears(&mut self, at: Duration, local: SocketAddr, sound: bool) -> Option<(PortId, Option<Event>)> {
        let (id, port) = self.ports.iter_mut().find(|(_, port)| port.local == local)?;
        let told = matches!(port.hears, Hears::Nothing { told: true, .. });
        match (sound, port.hears) {
            (true, _) => port.hears = Hears::Sound,
            (false, Hears::Nothing { .. }) => return None,
            (false, Hears::Sound) => port.hears = Hears::Nothing { since: at, told: false },
        }
        Some((*id, told.then_some(Event::Silent { port: *id, silent: false })))
    }

    /// Has the silence lasted?
    pub fn silence(&mut self, at: Duration, id: PortId) -> Option<Event> {
        let port = self.ports.get_mut(&id)?;
        match &mut port.hears {
            Hears::Nothing { since, told } if !*told && at >= *since + SILENT_AFTER => *told = true,
            _ => return None,
        }
        Some(Event::Silent { port: id, silent: true })
    }

    /// A key pressed by a party that sends to `local`, as its SDP said.
    pub fn pressed(&self, local: SocketAddr, digit: char) -> Option<Event> {
        let (port, _) = self.ports.iter().find(|(_, port)| port.local == local && port.remote.is_some())?;
        Some(Event::Digit { port: *port, digit })
    }

    fn open(&mut self, port: PortId, loopback: bool) -> Vec<Reply> {
        self.handed_out = (self.handed_out + 1) % PORTS;
        self.opened += 1;
        let mut local = self.side.box_addr();
        if loopback {
            local.set_ip([127, 0, 0, 1].into());
        }
        local.set_port(20_000 + 2 * self.handed_out);
        self.ports.insert(port, Port { local, remote: None, joined: None, playing: None, hears: Hears::Sound });
        vec![Reply::Event(ANSWER, Event::Opened { port, local })]
    }

    fn join(&mut self, a: PortId, b: PortId) -> Vec<Reply> {
        if a == b || !self.ports.contains_key(&a) || !self.ports.contains_key(&b) {
            return vec![Reply::Event(ANSWER, Event::Failed { port: a, why: Failure::UnknownPort })];
        }
        let mut replies = self.part(a);
        replies.extend(self.part(b));
        for (one, other) in [(a, b), (b, a)] {
            if let Some(port) = self.ports.get_mut(&one) {
                port.joined = Some(other);
                replies.extend(port.remote.map(|remote| Reply::Heard(remote, Sound::Person)));
            }
        }
        replies
    }

    fn part(&mut self, id: PortId) -> Vec<Reply> {
        let Some(peer) = self.ports.get_mut(&id).and_then(|port| port.joined.take()) else { return vec![] };
        if let Some(port) = self.ports.get_mut(&peer) {
            port.joined = None;
        }
        let remotes = [id, peer].map(|id| self.ports.get(&id).and_then(|port| port.remote));
        remotes.into_iter().flatten().map(|remote| Reply::Heard(remote, Sound::Nothing)).collect()
    }

    fn play(&mut self, port: PortId, play: PlayId, prompts: Vec<String>, again: bool) -> Vec<Reply> {
        let length = prompts.iter().map(|prompt| length_of(prompt)).sum();
        self.with(port, |entry| {
            entry.playing = Some(play);
            let heard = entry.remote.map(|remote| Reply::Heard(remote, Sound::Prompts(prompts)));
            let ends = (!again).then_some(Reply::PromptEnds(length, port, play));
            heard.into_iter().chain(ends).collect()
        })
    }

    fn record(&mut self, at: Duration, recording: String, port: PortId) -> Vec<Reply> {
        if !self.ports.contains_key(&port) {
            return vec![Reply::Event(ANSWER, Event::Failed { port, why: Failure::UnknownPort })];
        }
        self.recordings.insert(recording.clone(), (port, at));
        vec![Reply::Event(ANSWER, Event::Recording { recording, state: RecordingState::Started })]
    }

    /// Twenty milliseconds a frame, two sides, half a second a chunk.
    fn seal(&mut self, at: Duration, recording: &str) -> Option<Reply> {
        let (_, since) = self.recordings.remove(recording)?;
        let ms = u64::try_from(at.saturating_sub(since).as_millis()).unwrap_or(u64::MAX);
        let chunks = u32::try_from(ms / 500 + 1).unwrap_or(u32::MAX);
        let state = RecordingState::Sealed { chunks, frames: ms / 20 * 2, sha256: "0".repeat(64), ms };
        Some(Reply::Event(SEAL, Event::Recording { recording: recording.to_owned(), state }))
    }

    fn close(&mut self, at: Duration, id: PortId) -> Vec<Reply> {
        let mut replies = self.part(id);
        let ended: Vec<String> =
            self.recordings.iter().filter(|(_, (port, _))| *port == id).map(|(name, _)| name.clone()).collect();
        replies.extend(ended.iter().filter_map(|recording| self.seal(at, recording)));
        if let Some(port) = self.ports.remove(&id) {
            let stats = Event::Stats { port: id, stats: Default::default() };
            replies.push(Reply::Event(ANSWER, stats));
            replies.extend(port.remote.map(|remote| Reply::Heard(remote, Sound::Nothing)));
        }
        replies
    }

    fn with(&mut self, port: PortId, act: impl FnOnce(&mut Port) -> Vec<Reply>) -> Vec<Reply> {
        match self.ports.get_mut(&port) {
            Some(entry) => act(entry),
            None => vec![Reply::Event(ANSWER, Event::Failed { port, why: Failure::UnknownPort })],
        }
    }
}

/// How long the prompts of the house are, about.
fn length_of(prompt: &str) -> Duration {
    Duration::from_millis(match prompt {
        "greeting" => 4_200,
        "menu" => 7_500,
        "closed" => 6_000,
        "waiting" => 30_000,
        _ => 1_800,
    })
}
