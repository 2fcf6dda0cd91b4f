//! An outage drill, as the link has it: none until a moment that is kept in a file, so that a process that begins again
//! stays apart as well; and for no longer than a drill may last, whatever the file or the clock says.

use std::{
    io::Write as _,
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::Duration,
};

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
    /// When the file was written last.
    written: Mutex<Option<Instant>>,
}

/// What is left is written anew so often: by no more does a restart lengthen a drill, wherever the clock was set.
const WRITE_EVERY: Duration = Duration::from_secs(60);
/// Longest that a box is apart, in ms.
const MOST_MS: u64 = MINUTES_MAX as u64 * 60_000;

#[derive(Serialize, Deserialize)]
struct Kept {
    until: Millis,
    /// Of its time, by the steady clock.
    #[serde(default = "most")]
    left_ms: u64,
}

fn most() -> u64 {
    MOST_MS
}

impl Apart {
    /// Goes on with what an earlier life of the process was told.
    pub fn open(file: PathBuf, wall: Millis) -> Apart {
        let kept = std::fs::read(&file).ok().and_then(|bytes| serde_json::from_slice::<Kept>(&bytes).ok());
        let apart = Apart { file, until: watch::Sender::new(None), written: Mutex::default() };
        match kept {
            Some(Kept { until, left_ms }) if until > wall => apart.begin(until, until.since(wall).min(left_ms)),
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
        let known = self.until.borrow().filter(|(known, _)| *known == until);
        match known {
            Some((_, end)) => self.write(until, end, WRITE_EVERY),
            None => self.begin(until, until.since(wall)),
        }
    }

    fn begin(&self, until: Millis, left_ms: u64) {
        let end = Instant::now() + Duration::from_millis(left_ms.min(MOST_MS));
        self.until.send_replace(Some((until, end)));
        self.write(until, end, Duration::ZERO);
    }

    /// Unless it was written less than `every` ago.
    fn write(&self, until: Millis, end: Instant, every: Duration) {
        let now = Instant::now();
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if written.is_some_and(|at| now.saturating_duration_since(at) < every) {
            return;
        }
        *written = Some(now);
        let left = end.saturating_duration_since(now).as_millis();
        let kept = Kept { until, left_ms: u64::try_from(left).unwrap_or(MOST_MS) };
        if let Err(error) = self.keep(&kept) {
            tracing::warn!(%error, "a drill is not kept: it ends when this process does");
        }
    }

    /// Whole or not at all, also where the power goes.
    fn keep(&self, kept: &Kept) -> std::io::Result<()> {
        let fresh = self.file.with_extension("new");
        let mut file = std::fs::File::create(&fresh)?;
        file.write_all(&serde_json::to_vec(kept)?)?;
        file.sync_all()?;
        std::fs::rename(&fresh, &self.file)
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
        Apart::open(file.clone(), NOON).cut(after(30), NOON);
        let set_back = after(-600);
        assert_eq!(left(&Apart::open(file, set_back)), Some(30), "wherever the clock was set");
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
