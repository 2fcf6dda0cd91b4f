//! Who talks over a line that an emergency call takes (NORMS 2) hears why. The line itself is free at once; the party at
//! the other end of it stays for the length of a sentence, without a part in the contact, which is over.

use std::time::Duration;

use call::leg::Cause;
use model::{ContactId, LegId, PromptId};

use crate::{Floor, contact::Role, lines::Lines, timer::Timer};

/// A branch may record a sentence of its own under this name.
const LINE_TAKEN: &str = "line-taken";
/// For the sentence; then the party is let go, whatever was heard.
const FAREWELL: Duration = Duration::from_secs(6);

impl<L: Lines> Floor<L> {
    /// A leg of the contact has ended so: were people talking, and was it taken from them?
    pub(crate) fn tell_if_taken(&mut self, id: ContactId, role: &Role, cause: Cause) {
        let talked = self.contacts.get(&id).is_some_and(|contact| contact.answered.is_some());
        let talks = |role: &Role| matches!(role, Role::Caller | Role::Partner);
        let (Ok(prompt), Some(at)) = (PromptId::new(LINE_TAKEN), self.now.checked_add(FAREWELL)) else { return };
        if cause != Cause::Overload || !talked || !talks(role) {
            return;
        }
        let left = self.legs.iter().filter(|(_, (of, role))| *of == id && talks(role));
        let left: Vec<LegId> = left.map(|(leg, _)| *leg).collect();
        for leg in left {
            self.legs.remove(&leg);
            self.lines.play(self.now, leg, vec![prompt.clone().into()]);
            self.timers.set(Timer::Farewell(leg), at);
        }
    }

    pub(crate) fn farewell_over(&mut self, leg: LegId) {
        self.lines.hang_up(self.now, leg);
    }
}
