//! Looks now and then at how long the box can run cut off, and tells whoever asks: the health file, desks, the centre.

use std::{
    collections::BTreeSet,
    sync::{Arc, PoisonError},
    time::Duration,
};

use model::{Millis, leaving::End};
use tokio::{sync::watch, time::interval};
use tracing::warn;

use super::{
    clock::wall,
    engine::{Engine, Standing},
};
use crate::{alone, config::BoxConfig};

const EVERY: Duration = Duration::from_secs(600);

/// Reads folders and files, away from the lines.
pub struct Looking {
    config: BoxConfig,
    effective: watch::Receiver<Arc<desk::Effective>>,
    standing: Arc<Standing>,
    /// When the ledger began.
    began: Millis,
}

impl Looking {
    pub fn new(engine: &Engine) -> Self {
        let first = engine.reader.facts_after(0, 1).ok().and_then(|facts| facts.first().map(|fact| fact.at));
        Self {
            config: engine.config.clone(),
            effective: engine.effective.subscribe(),
            standing: Arc::clone(&engine.standing),
            // An empty one begins with this life.
            began: first.unwrap_or_else(wall),
        }
    }

    pub async fn forever(self) {
        let mut looks = interval(EVERY);
        let mut warned = BTreeSet::new();
        loop {
            looks.tick().await;
            let by_name = |effective: &desk::Effective| {
                let trunks = effective.config.trunks.iter().filter(|(_, trunk)| call::wish(trunk).is_some());
                trunks.map(|(id, _)| id.to_string()).collect::<Vec<_>>()
            };
            let (config, began, trunks) = (self.config.clone(), Some(self.began), by_name(&self.effective.borrow()));
            let measured = tokio::task::spawn_blocking(move || {
                alone::ends(&alone::measure(&config, began, &trunks, wall()), wall())
            });
            let Ok(ends) = measured.await else { continue };
            let short: BTreeSet<End> = ends.iter().filter(|end| end.is_short()).map(|end| end.until).collect();
            for end in ends.iter().filter(|end| end.is_short() && !warned.contains(&end.until)) {
                warn!(until = ?end.until, days = end.days, "the box cannot run cut off for long");
            }
            warned = short;
            *self.standing.alone.lock().unwrap_or_else(PoisonError::into_inner) = ends;
        }
    }
}

impl Engine {
    /// Desks are told when it is another than before.
    pub fn show_alone(&mut self) {
        let ends = self.standing.alone.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if self.effective.borrow().alone != ends {
            self.effective.send_modify(|effective| Arc::make_mut(effective).alone = ends);
        }
    }
}
