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
        for port in self.ports.values_mut() {
            port.orphan = true;
        }
        self.orphaned = !self.ports.is_empty();
    }

    pub(super) fn release_orphans(&mut self, now: Instant, sink: &mut impl Sink) {
        let quiet = |id: PortId| self.ports.get(&id).is_none_or(|port| port.quiet_for(now) >= ORPHAN_QUIET);
        let ended: Vec<PortId> = self
            .ports
            .iter()
            .filter(|(id, port)| port.orphan && (quiet(**id) || port.joined.is_some_and(quiet)))
            .map(|(id, _)| *id)
            .collect();
        for id in ended {
            self.close(id, sink);
        }
        self.orphaned = self.ports.values().any(|port| port.orphan);
    }
}
