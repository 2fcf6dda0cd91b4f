//! What happens to ports whose calls process died: audio goes on while both sides send it. The next life is told what
//! was left, and may take it over. For what it leaves alone nobody hears a hang-up any more, so a side that sends nothing
//! for ten seconds is taken to have left: both ports are closed and their recording is sealed.

use std::time::{Duration, Instant};

use super::{Engine, Sink, port::Port, push};
use crate::plane::{Event, Failure, PortId, WILL_BYTES_MAX};

/// A side that is quiet for this long ends an orphaned call.
pub const ORPHAN_QUIET: Duration = Duration::from_secs(10);

impl Engine {
    /// A new life of the calls process is told what the old one left. Copies end: it knows none of them, and could neither
    /// pause nor end one.
    pub(super) fn orphan_all(&mut self, now: Instant, sink: &mut impl Sink) {
        for (copy, to) in self.tapes.copied() {
            self.record_end(&copy, sink);
            to.into_iter().for_each(|port| self.close(port, sink));
        }
        for (_, port) in self.ports.iter_mut() {
            port.orphan = Some(now);
            if let Some(local) = port.local.filter(|_| !port.will.is_empty()) {
                push(&mut self.events, Event::Left { port: port.id, local, will: port.will.clone() });
            }
        }
        push(&mut self.events, Event::LeftAll);
        self.orphaned = self.ports.len() > 0;
    }

    pub(super) fn bequeath(&mut self, port: PortId, will: String) {
        if will.len() > WILL_BYTES_MAX {
            return self.fail(port, Failure::Limit);
        }
        self.with(port, |port| port.will = will);
    }

    pub(super) fn release_orphans(&mut self, now: Instant, sink: &mut impl Sink) {
        let left = |port: &Port| {
            let alone = port.orphan.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
            port.quiet_for(now).min(alone) >= ORPHAN_QUIET
        };
        let mut orphans: Vec<(PortId, bool, Option<u32>)> = self
            .ports
            .iter_mut()
            .filter(|(_, port)| port.orphan.is_some())
            .map(|(_, port)| (port.id, left(port), port.joined))
            .collect();
        let peer_left = |seat: u32| self.ports.at(seat).is_none_or(left);
        orphans.retain(|(_, left, joined)| *left || joined.is_some_and(peer_left));
        for (id, ..) in orphans {
            self.close(id, sink);
        }
        self.orphaned = self.ports.iter_mut().any(|(_, port)| port.orphan.is_some());
    }
}
