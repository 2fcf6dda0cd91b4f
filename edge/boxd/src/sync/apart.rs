//! An outage drill, as the link has it: none until a moment that is kept in a file, so that a process that begins again
//! stays apart as well; and for no longer than a drill may last, whatever the file or the clock says.

use std::{path::PathBuf, time::Duration};

use model::{Millis, drill::MINUTES_MAX};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

pub struct Apart {
    file: PathBuf,
    /// By the wall, and by the steady clock.
    until: watch::Sender<Option<(Millis, Instant)>>,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    until: Millis,
}

impl Apart {
    /// Goes on with what an earlier life of the process was told.
    pub fn open(file: PathBuf, wall: Millis) -> Apart {
        let kept = std::fs::read(&file).ok().and_then(|bytes| serde_json::from_slice::<Kept>(&bytes).ok());
        let apart = Apart { file, until: watch::Sender::new(None) };
        match kept {
            Some(Kept { until }) if until > wall => apart.cut(until, wall),
            Some(_) => apart.forget(),
            None => {}
        }
        apart
    }

    pub fn is_apart(&self) -> bool {
        self.until.borrow().is_some_and(|(_, until)| Instant::now() < until)
    }

    /// From now until then. The same said again changes nothing.
    pub fn cut(&self, until: Millis, wall: Millis) {
        if self.until.borrow().is_some_and(|(known, _)| known == until) {
            return;
        }
        let most = Duration::from_secs(u64::from(MINUTES_MAX).saturating_mul(60));
        let left = Duration::from_millis(until.since(wall)).min(most);
        self.until.send_replace(Some((until, Instant::now() + left)));
        let kept = serde_json::to_vec(&Kept { until }).unwrap_or_default();
        if let Err(error) = std::fs::write(&self.file, kept) {
            tracing::warn!(%error, "a drill is not kept: it ends when this process does");
        }
    }

    /// The link may be had again.
    pub fn join(&self) {
        if self.until.send_replace(None).is_some() {
            self.forget();
        }
    }

    /// Resolves when it is over: its time has come, or it was ended.
    pub fn over(&self) -> impl Future<Output = ()> + use<> {
        let mut hears = self.until.subscribe();
        async move {
            loop {
                let Some((_, until)) = *hears.borrow_and_update() else { return };
                tokio::select! {
                    () = sleep_until(until) => return,
                    changed = hears.changed() => if changed.is_err() { return },
                }
            }
        }
    }

    fn forget(&self) {
        match std::fs::remove_file(&self.file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(%error, "a drill that is over is still kept");
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Millis = Millis(1_795_000_000_000);

    fn after(minutes: i64) -> Millis {
        Millis(NOON.0 + minutes * 60_000)
    }

    /// Minutes that are left, rounded up.
    fn left(apart: &Apart) -> Option<u64> {
        let until = apart.until.borrow().map(|(_, until)| until)?;
        Some(until.saturating_duration_since(Instant::now()).as_secs().div_ceil(60))
    }

    #[tokio::test]
    async fn it_lasts_to_its_time_and_ends_when_somebody_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let apart = Apart::open(dir.path().join("apart.json"), NOON);
        assert!(!apart.is_apart());
        apart.over().await;

        apart.cut(after(30), NOON);
        assert_eq!((left(&apart), apart.is_apart()), (Some(30), true));
        apart.cut(after(30), after(-60));
        assert_eq!(left(&apart), Some(30), "the same order does not lengthen it, whatever the clock says");
        let over = tokio::spawn(apart.over());
        apart.join();
        over.await.unwrap();
        assert!(!apart.is_apart());
    }

    #[test]
    fn a_process_that_begins_again_stays_apart_until_its_time() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("apart.json");
        Apart::open(file.clone(), NOON).cut(after(30), NOON);
        assert_eq!(left(&Apart::open(file.clone(), after(10))), Some(20));
        assert!(!Apart::open(file.clone(), after(31)).is_apart());
        assert!(!file.exists(), "it is forgotten");
    }

    #[test]
    fn nothing_keeps_a_box_apart_for_longer_than_a_drill_may_last() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("apart.json");
        std::fs::write(&file, r#"{"until":9000000000000000}"#).unwrap();
        assert_eq!(left(&Apart::open(file.clone(), NOON)), Some(u64::from(MINUTES_MAX)));
        std::fs::write(&file, "for ever").unwrap();
        assert!(!Apart::open(file, NOON).is_apart());
    }
}
