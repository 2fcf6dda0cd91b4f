//! When a waiting contact may ask other sites (RT-06): its queue's label lets it leave, there is somebody to ask, and it
//! has waited `after_s` in this line without an agent becoming free for it. Who then helps is the owner's affair; the
//! contact keeps its place meanwhile.

use std::time::{Duration, Instant};

use model::{
    ContactId,
    config::{Locality, Overflow, Queue},
};

use crate::{Acd, OVERFLOW_AGAIN, Output, Stay, timer::Timer};

/// May contacts of this queue ask anybody at all? A call labelled local never leaves.
pub fn allowed(overflow: &Overflow) -> bool {
    overflow.locality == Locality::MayLeave && !overflow.to.is_empty()
}

/// When a contact that came into the line at `entered` becomes eligible.
pub(crate) fn due(queue: &Queue, entered: Instant, stay: Stay) -> Option<Instant> {
    let after = Duration::from_secs(queue.overflow.after_s.into());
    (stay == Stay::Own && allowed(&queue.overflow)).then(|| entered + after)
}

impl Acd {
    /// The timer rang. While an agent is being rung nothing is due; the end of that offer looks again.
    pub(crate) fn overflow_due(&mut self, contact: ContactId) {
        let Some(entry) = self.contacts.get_mut(&contact) else { return };
        let Some(queue) = self.queues.get(&entry.queue) else { return };
        if entry.offered_to.is_some() {
            entry.overflow_late = true;
        } else if allowed(&queue.config.overflow) {
            let (queue, sites) = (entry.queue.clone(), queue.config.overflow.to.clone());
            self.outputs.push_back(Output::OverflowDue { contact, queue, sites });
        }
    }

    /// An offer ended and nobody else is ready: what came due during the ringing is due.
    pub(crate) fn overflow_after_offer(&mut self, contact: ContactId) {
        let late = self.contacts.get_mut(&contact).is_some_and(|entry| std::mem::take(&mut entry.overflow_late));
        if late {
            self.overflow_due(contact);
        }
    }

    pub(crate) fn overflow_failed(&mut self, now: Instant, contact: ContactId) {
        let Some(entry) = self.contacts.get(&contact) else { return };
        let Some(queue) = self.queues.get(&entry.queue) else { return };
        let pause = OVERFLOW_AGAIN.max(Duration::from_secs(queue.config.overflow.after_s.into()));
        if due(&queue.config, now, entry.stay).is_some() {
            self.timers.set(Timer::Overflow(contact), now + pause);
        }
    }
}
