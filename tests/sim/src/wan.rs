//! The lines between the boxes and the cloud. A connection keeps the order of its bytes and loses none of them, as QUIC
//! does: while the line is cut they wait, and when nothing was heard for the idle time the connection is broken at
//! both ends and what waited is gone. Everything that passes is looked at.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;

use crate::{
    dice::Dice,
    event::Event,
    stage::Stage,
    town::{MARKER, SIDES, Side},
};

/// `link` breaks a connection after this much silence.
pub const IDLE: Duration = Duration::from_secs(15);
/// A tunnel that hears nothing for this long is lost (`boxd`).
pub const LOST_AFTER: Duration = Duration::from_secs(3);
/// An attempt to connect to nobody.
pub const CONNECT_MAX: Duration = Duration::from_secs(10);

/// Bytes of one connection, in one direction.
#[derive(Debug)]
pub struct Parcel {
    pub side: Side,
    /// Which of the box's connections.
    pub attempt: u32,
    pub way: Way,
    pub bytes: Bytes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    ToCloud,
    ToBox,
}

struct Line {
    up: bool,
    /// How often it was cut.
    cuts: u32,
    /// Sent while the line was cut, or on the way when that happened; by their place in the order of sending.
    held: BTreeMap<u64, Parcel>,
    /// When the last parcel of each way arrives: the next one does not overtake it.
    arrives: [Duration; 2],
}

pub struct Wan {
    lines: Vec<Line>,
    dice: Dice,
    /// How often any media path broke.
    pub broken: u32,
    pub bytes: [u64; 2],
    pub parcels: u64,
    /// Everything that left for the cloud: when, from where, and each byte of it.
    pub egress: Vec<u8>,
    /// Parcels with a caller's number in them.
    pub leaks: u64,
}

impl Wan {
    pub fn new(seed: u64) -> Self {
        let line = || Line { up: true, cuts: 0, held: BTreeMap::new(), arrives: [Duration::ZERO; 2] };
        let lines = SIDES.iter().map(|_| line()).collect();
        Self { lines, dice: Dice::new(seed, "wan"), broken: 0, bytes: [0; 2], parcels: 0, egress: Vec::new(), leaks: 0 }
    }

    pub fn is_up(&self, side: Side) -> bool {
        self.lines[side.index()].up
    }

    pub fn cuts(&self, side: Side) -> u32 {
        self.lines[side.index()].cuts
    }

    fn delay(&mut self) -> Duration {
        self.dice.between(Duration::from_millis(15), Duration::from_millis(60))
    }
}

impl Stage {
    pub fn transmit(&mut self, parcel: Parcel) {
        self.wan.parcels += 1;
        let place = self.wan.parcels;
        self.wan.bytes[parcel.way as usize] += parcel.bytes.len() as u64;
        if parcel.way == Way::ToCloud {
            let (at, length) = (self.clock.passed().as_nanos(), parcel.bytes.len());
            let head = format!("{at} {} {length}\n", parcel.side.name());
            self.wan.egress.extend_from_slice(head.as_bytes());
            self.wan.egress.extend_from_slice(&parcel.bytes);
        }
        if parcel.bytes.windows(MARKER.len()).any(|bytes| bytes == MARKER.as_bytes()) {
            self.wan.leaks += 1;
            let text = format!("a caller's number is on the line of {}", parcel.side.name());
            self.journal.violation(self.clock.passed(), text);
        }
        self.carry(place, parcel);
    }

    /// Puts a parcel on its way, or beside the cut line.
    pub fn carry(&mut self, place: u64, parcel: Parcel) {
        let delay = self.wan.delay();
        let line = &mut self.wan.lines[parcel.side.index()];
        if !line.up {
            line.held.insert(place, parcel);
            return;
        }
        let last = &mut line.arrives[parcel.way as usize];
        *last = (self.clock.passed() + delay).max(*last + Duration::from_micros(10));
        self.agenda.at(*last, Event::Parcel { place, parcel });
    }

    /// The line is cut.
    pub fn cut(&mut self, side: Side) {
        let line = &mut self.wan.lines[side.index()];
        (line.up, line.cuts) = (false, line.cuts + 1);
        self.path_breaks(false);
        self.journal.say(self.clock.passed(), side.name(), "the line is cut");
    }

    /// The line is whole again: what waited goes on.
    pub fn mend(&mut self, side: Side) {
        let line = &mut self.wan.lines[side.index()];
        line.up = true;
        for (place, parcel) in std::mem::take(&mut line.held) {
            self.carry(place, parcel);
        }
        self.journal.say(self.clock.passed(), side.name(), "the line is whole again");
    }

    /// A path of overflow calls is broken, for good or until the line is whole.
    pub fn path_breaks(&mut self, for_good: bool) {
        self.wan.broken += 1;
        self.later(LOST_AFTER, Event::PathsLost { cut: self.wan.broken, for_good });
    }
}

/// A text without what differs from run to run: epochs are as random here as in a box.
pub fn without_ids(text: &str) -> String {
    let is_id = |word: &str| word.len() == 32 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let parts: Vec<&str> = text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()).collect();
    let cleaned = parts.into_iter().map(|part| {
        let word = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        if is_id(word) { part.replacen(word, "…", 1) } else { part.to_owned() }
    });
    cleaned.collect()
}
