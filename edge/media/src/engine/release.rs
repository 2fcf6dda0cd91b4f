//! What happens to ports whose calls process died: audio goes on while both sides send it. Nobody hears a hang-up any
//! more, so a side that has sent nothing for ten seconds is taken to have left: both ports are closed and their
//! recording is sealed.

use std::time::{Duration, Instant};

use super::{Engine, Sink};
use crate::plane::PortId;

/// A side that is quiet for this long ends an orphaned call.
pub const ORPHAN_QUIET: Duration = Duration::from_secs(10);

impl Engine {
    /// A new life of the calls process knows none of the ports of the old one.
    pub(super) fn orphan_all(&mut self) {
        for (_, port) in self.ports.iter_mut() {
            port.orphan = true;
        }
        self.orphaned = self.ports.len() > 0;
    }

    pub(super) fn release_orphans(&mut self, now: Instant, sink: &mut impl Sink) {
        let mut orphans: Vec<(PortId, bool, Option<u32>)> = self
            .ports
            .iter_mut()
            .filter(|(_, port)| port.orphan)
            .map(|(_, port)| (port.id, port.quiet_for(now) >= ORPHAN_QUIET, port.joined))
            .collect();
        let quiet = |seat: u32| self.ports.at(seat).is_none_or(|port| port.quiet_for(now) >= ORPHAN_QUIET);
        orphans.retain(|(_, left, joined)| *left || joined.is_some_and(quiet));
        for (id, ..) in orphans {
            self.close(id, sink);
        }
        self.orphaned = self.ports.iter_mut().any(|(_, port)| port.orphan);
    }
}
