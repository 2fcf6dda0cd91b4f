//! The telephone network: UDP datagrams that are late, lost, doubled and out of order. Everything that is sent passes
//! here, and is noted for the ladders.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;

use crate::{dice::Dice, event::Event, stage::Stage};

/// Of all datagrams.
const LOST: f64 = 0.01;
const DOUBLED: f64 = 0.003;
/// Those that take a longer way, and may be overtaken.
const DETOUR: f64 = 0.02;

pub struct Net {
    dice: Dice,
    pub sent: u64,
    pub lost: u64,
    pub doubled: u64,
}

impl Net {
    pub fn new(seed: u64) -> Self {
        Self { dice: Dice::new(seed, "telephone network"), sent: 0, lost: 0, doubled: 0 }
    }

    fn delay(&mut self, outside: bool) -> Duration {
        let ms = |from, to| (Duration::from_millis(from), Duration::from_millis(to));
        let (from, to) = if outside { ms(8, 30) } else { ms(1, 4) };
        let detour = if self.dice.chance(DETOUR) { self.dice.between(Duration::ZERO, to * 4) } else { Duration::ZERO };
        self.dice.between(from, to) + detour
    }
}

impl Stage {
    /// Puts a datagram on its way.
    pub fn send(&mut self, from: SocketAddr, to: SocketAddr, bytes: Bytes) {
        self.net.sent += 1;
        let lost = self.net.dice.chance(LOST);
        self.journal.message(self.clock.passed(), from, to, &bytes, lost);
        if lost {
            self.net.lost += 1;
            return;
        }
        let outside = |addr: SocketAddr| matches!(addr, SocketAddr::V4(v4) if v4.ip().octets()[0] == 198);
        let far = outside(from) || outside(to);
        if self.net.dice.chance(DOUBLED) {
            self.net.doubled += 1;
            let delay = self.net.delay(far);
            self.later(delay, Event::Datagram { from, to, bytes: bytes.clone() });
        }
        let delay = self.net.delay(far);
        self.later(delay, Event::Datagram { from, to, bytes });
    }
}
