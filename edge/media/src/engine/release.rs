//! What happens to ports whose calls process died: audio goes on as long as somebody speaks; when both sides of a join
//! have been quiet for ten seconds they are closed and their recordings sealed.

use std::time::{Duration, Instant};

use super::{Engine, Sink};
use crate::plane::PortId;

/// Quiet on both sides for this long ends an orphaned call.
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
            .filter(|(id, port)| port.orphan && quiet(**id) && port.joined.is_none_or(quiet))
            .map(|(id, _)| *id)
            .collect();
        for id in ended {
            self.close(id, sink);
        }
        self.orphaned = self.ports.values().any(|port| port.orphan);
    }
}
