//! Card mode (C-01): while a caller keys in a card, nothing of it reaches the agent's ear, and the recording pauses. It
//! ends when the agent says so, or by itself; a caller who is put on hold or transferred stays in it.

use std::time::Duration;

use model::{
    ContactId, LegId,
    fact::{CardModeEnd, Kind},
};

use crate::{Floor, lines::Lines, timer::Timer};

/// Card mode that nobody ended: as long as a card takes, generously.
pub const CARD_MODE_MAX: Duration = Duration::from_secs(180);

impl<L: Lines> Floor<L> {
    /// The party that this leg talks to is about to key in a card. False: there is none, or it is at it already.
    pub(crate) fn begin_card_mode(&mut self, id: ContactId, leg: LegId) -> bool {
        let Some(other) = self.other_leg(id, leg) else { return false };
        let Some(contact) = self.contacts.get_mut(&id) else { return false };
        if contact.card_mode.is_some() {
            return false;
        }
        contact.card_mode = Some(other);
        let recordings = contact.recordings();
        self.lines.shield(self.now, other, true);
        for recording in recordings {
            self.lines.record_pause(self.now, recording, true);
        }
        self.timers.set(Timer::CardMode(id), self.now + CARD_MODE_MAX);
        self.chronicle.tell_of(id, Kind::CardModeBegan);
        true
    }

    /// False: it was not on.
    pub(crate) fn end_card_mode(&mut self, id: ContactId, why: CardModeEnd) -> bool {
        let Some(contact) = self.contacts.get_mut(&id) else { return false };
        let Some(other) = contact.card_mode.take() else { return false };
        let recordings = contact.recordings().filter(|_| contact.paused.is_none()).collect::<Vec<_>>();
        self.timers.cancel(Timer::CardMode(id));
        self.lines.shield(self.now, other, false);
        for recording in recordings {
            self.lines.record_pause(self.now, recording, false);
        }
        self.chronicle.tell_of(id, Kind::CardModeEnded { why });
        true
    }
}
