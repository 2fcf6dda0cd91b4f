//! A scripted media process: opens ports, seals recordings, remembers who is joined, and can die.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use media::plane::{Command, Event, Failure, MixId, PortId, RecordingState, Seat, Security, Sound};

#[derive(Default)]
pub struct Media {
    /// Short names in the order of opening, for ladders.
    names: BTreeMap<PortId, usize>,
    pub open: BTreeMap<PortId, SocketAddr>,
    pub joined: BTreeMap<PortId, PortId>,
    pub mixes: BTreeMap<MixId, Vec<Seat>>,
    pub recording: BTreeSet<String>,
    /// What protects each port, as often as it was told.
    pub connects: Vec<(PortId, Security)>,
    /// Opens, and does not say so.
    pub deaf: bool,
    /// Has no free port.
    pub full: bool,
}

impl Media {
    pub fn name(&mut self, port: PortId) -> String {
        let next = self.names.len() + 1;
        format!("p{}", self.names.entry(port).or_insert(next))
    }

    pub fn obey(&mut self, command: &Command) -> Vec<Event> {
        match command {
            Command::Open { port, .. } if self.full => vec![Event::Failed { port: *port, why: Failure::NoPort }],
            Command::Open { port, loopback } => {
                let ip = if *loopback { "127.0.0.1" } else { "192.0.2.1" };
                let number = self.name(*port)[1..].parse::<u16>().unwrap();
                let local = format!("{ip}:{}", 30_000 + 2 * number).parse().unwrap();
                assert!(self.open.insert(*port, local).is_none(), "opened twice");
                if self.deaf { vec![] } else { vec![Event::Opened { port: *port, local }] }
            }
            Command::Close { port } => {
                self.unjoin(*port);
                match self.open.remove(port) {
                    Some(_) => vec![],
                    None => vec![Event::Failed { port: *port, why: Failure::UnknownPort }],
                }
            }
            Command::Join { a, b } => {
                assert!(self.open.contains_key(a) && self.open.contains_key(b), "joined what is not open");
                self.unjoin(*a);
                self.unjoin(*b);
                self.joined.insert(*a, *b);
                self.joined.insert(*b, *a);
                vec![]
            }
            Command::Mix { mix, seats } => {
                for seat in seats {
                    assert!(self.open.contains_key(&seat.port), "mixed what is not open");
                    self.unjoin(seat.port);
                }
                self.mixes.insert(*mix, seats.clone());
                self.mixes.retain(|_, seats| !seats.is_empty());
                vec![]
            }
            Command::Part { port } => {
                self.unjoin(*port);
                vec![]
            }
            Command::Record { recording, port } => {
                assert!(self.open.contains_key(port), "records what is not open");
                self.recording.insert(recording.clone());
                vec![Event::Recording { recording: recording.clone(), state: RecordingState::Started }]
            }
            Command::Copy { recording, port, caller, agent } => {
                assert!(
                    [port, caller, agent].iter().all(|port| self.open.contains_key(port)),
                    "copies what is not open"
                );
                self.recording.insert(recording.clone());
                vec![]
            }
            Command::RecordEnd { recording } if recording.starts_with("copy") => {
                self.recording.remove(recording);
                vec![]
            }
            Command::RecordEnd { recording } => {
                assert!(self.recording.remove(recording), "seals what does not run");
                let state = RecordingState::Sealed { chunks: 1, frames: 1, sha256: "00".into(), ms: 20 };
                vec![Event::Recording { recording: recording.clone(), state }]
            }
            Command::Connect { port, remote } => {
                assert!(self.open.contains_key(port), "{command:?} for a port that is not open");
                self.connects.push((*port, remote.security.clone()));
                vec![]
            }
            Command::Mute { port, .. }
            | Command::Play { port, .. }
            | Command::Stop { port }
            | Command::Shield { port, .. }
            | Command::Digit { port, .. } => {
                assert!(self.open.contains_key(port), "{command:?} for a port that is not open");
                vec![]
            }
            Command::RecordPause { recording, .. } => {
                assert!(self.recording.contains(recording), "pauses what does not run");
                vec![]
            }
            Command::Hello { .. } | Command::Will { .. } | Command::Adopt { .. } => vec![],
        }
    }

    fn unjoin(&mut self, port: PortId) {
        if let Some(peer) = self.joined.remove(&port) {
            self.joined.remove(&peer);
        }
    }

    pub fn die(&mut self) {
        self.open.clear();
        self.joined.clear();
        self.mixes.clear();
        self.recording.clear();
    }

    /// One line of a ladder.
    pub fn line(&mut self, command: &Command) -> Option<String> {
        Some(match command {
            Command::Hello { .. } | Command::Will { .. } | Command::Adopt { .. } => return None,
            Command::Open { port, loopback: false } => format!("open {}", self.name(*port)),
            Command::Open { port, loopback: true } => format!("open {} on loopback", self.name(*port)),
            Command::Connect { port, remote } => {
                format!("connect {} {} {:?}", self.name(*port), remote.addr, remote.codec)
            }
            Command::Mute { port, muted } => format!("mute {} {muted}", self.name(*port)),
            Command::Join { a, b } => format!("join {} {}", self.name(*a), self.name(*b)),
            Command::Mix { seats, .. } => {
                let hears = |scene: &mut Self, seat: &Seat| {
                    let hears: Vec<String> = seat.hears.iter().map(|port| scene.name(*port)).collect();
                    format!(" {}<{}", scene.name(seat.port), hears.join("+"))
                };
                format!("mix{}", seats.iter().map(|seat| hears(self, seat)).collect::<String>())
            }
            Command::Part { port } => format!("part {}", self.name(*port)),
            Command::Play { port, sounds, again, .. } => {
                let sounds: Vec<String> = sounds.iter().map(sound).collect();
                format!("play {} {}{}", self.name(*port), sounds.join(" "), if *again { " again" } else { "" })
            }
            Command::Stop { port } => format!("stop {}", self.name(*port)),
            Command::Digit { port, digit, .. } => format!("digit {} {digit}", self.name(*port)),
            Command::Record { port, .. } => format!("record {}", self.name(*port)),
            Command::Copy { port, caller, agent, .. } => {
                format!("copy {} to {} and {}", self.name(*port), self.name(*caller), self.name(*agent))
            }
            Command::RecordPause { recording, paused } if recording.starts_with("copy") => {
                format!("copy pause {paused}")
            }
            Command::RecordEnd { recording } if recording.starts_with("copy") => "copy end".to_owned(),
            Command::RecordPause { paused, .. } => format!("record pause {paused}"),
            Command::Shield { port, shielded } => format!("shield {} {shielded}", self.name(*port)),
            Command::RecordEnd { .. } => "record end".to_owned(),
            Command::Close { port } => format!("close {}", self.name(*port)),
        })
    }
}

/// A tone of a country that is known says whose it is.
fn sound(sound: &Sound) -> String {
    match sound {
        Sound::Tone(tone) if !tone.country.is_empty() => format!("{} of +{}", sound.as_str(), tone.country),
        _ => sound.as_str().to_owned(),
    }
}
