//! The engine's reception: whom the lines know and what they call an emergency, put to `sip::arrivals`; and how far what
//! calls need beside SIP (ports, the ledger) is behind.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use bytes::Bytes;
use call::Calls;
use media::plane::{Command, Event};
use sip::{
    arrivals::{Arrivals, Limits, Turn, Who},
    endpoint::Flow,
};

/// Batches on their way to the disk beyond which no call begins: half a second of them.
const BATCHES_MAX: usize = 50;
/// Ports that *media* was asked for and has not opened, beyond which no call begins.
const PORTS_MAX: usize = 200;

pub struct Reception(Arrivals);

impl Reception {
    pub fn new(secret: u64) -> Self {
        Self(Arrivals::new(Limits::default(), secret))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Err says why it was dropped; None: it was no fault.
    pub fn arrive(
        &mut self,
        now: Instant,
        flow: Flow,
        bytes: Bytes,
        lines: &Calls,
    ) -> Result<(), Option<&'static str>> {
        let who = Who { known: lines.knows(flow), emergency: &|dialled| lines.is_emergency(dialled) };
        self.0.arrive(now, flow, bytes, &who).map_err(|dropped| dropped.cause())
    }

    pub fn next(&mut self, now: Instant, pressed: bool) -> Option<Turn> {
        self.0.next(now, pressed)
    }
}

/// What was asked of others and is not done.
#[derive(Default)]
pub struct Backlog {
    ports: usize,
    batches: Arc<AtomicUsize>,
}

/// A batch on its way; dropped when the disk has it, or has refused it.
pub struct Written(Arc<AtomicUsize>);

impl Drop for Written {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Backlog {
    /// No call is to begin until they have caught up.
    pub fn is_behind(&self) -> bool {
        self.ports > PORTS_MAX || self.batches.load(Ordering::Relaxed) > BATCHES_MAX
    }

    pub fn asks(&mut self, command: &Command) {
        if matches!(command, Command::Open { .. }) {
            self.ports = self.ports.saturating_add(1);
        }
    }

    pub fn heard(&mut self, event: &Event) {
        if matches!(event, Event::Opened { .. } | Event::Failed { .. }) {
            self.ports = self.ports.saturating_sub(1);
        }
    }

    /// Another *media* owes us nothing of what its predecessor did.
    pub fn media_began(&mut self) {
        self.ports = 0;
    }

    pub fn writes(&self) -> Written {
        self.batches.fetch_add(1, Ordering::Relaxed);
        Written(self.batches.clone())
    }
}
