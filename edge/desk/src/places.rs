//! Places for reports in the making: so many over all desks, and one for each person. A place is taken until the last who holds
//! it is done: a thread that still reads for a page that has gone counts too.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use model::AgentId;
use tokio::sync::Notify;

/// Reports in the making at once, over all desks.
pub const REPORTS_MAX: usize = 2;
/// For so long one waits for a place: what its reader has just given up for another question ends within it.
const WAIT: Duration = Duration::from_secs(1);

#[derive(Default)]
pub(crate) struct Places {
    taken: Mutex<BTreeSet<AgentId>>,
    freed: Notify,
}

/// The right to make a report. Whoever makes one holds it for as long as that costs anything.
#[derive(Clone)]
#[expect(dead_code, reason = "it is held, and then dropped")]
pub struct ReportPlace(Arc<Held>);

struct Held {
    places: Arc<Places>,
    who: AgentId,
}

impl Places {
    /// None: others have them all, or this person has one already.
    pub async fn take(self: &Arc<Self>, who: &AgentId) -> Option<ReportPlace> {
        let taken = async {
            loop {
                let freed = self.freed.notified();
                tokio::pin!(freed);
                freed.as_mut().enable();
                if let Some(place) = self.try_take(who) {
                    return place;
                }
                freed.await;
            }
        };
        tokio::time::timeout(WAIT, taken).await.ok()
    }

    pub fn taken(&self) -> usize {
        self.held().len()
    }

    fn try_take(self: &Arc<Self>, who: &AgentId) -> Option<ReportPlace> {
        let mut held = self.held();
        let free = held.len() < REPORTS_MAX && held.insert(who.clone());
        free.then(|| ReportPlace(Arc::new(Held { places: Arc::clone(self), who: who.clone() })))
    }

    fn held(&self) -> MutexGuard<'_, BTreeSet<AgentId>> {
        self.taken.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.places.held().remove(&self.who);
        self.places.freed.notify_waiters();
    }
}
