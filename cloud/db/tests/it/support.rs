//! A site, a box, rows; on whichever store the crate that includes this opens.

use db::{Connection, Db};
use model::{BoxId, Epoch, Millis, QueueId, SiteId, leaving};

pub const BOX: BoxId = BoxId(7);
pub const EPOCH: Epoch = Epoch(1);
/// 2026-01-01T00:00:00Z
pub const START: i64 = 1_767_225_600_000;

pub fn site() -> SiteId {
    SiteId::new("north").unwrap()
}

/// A database with one site and one box in a folder of its own.
pub fn fresh() -> (tempfile::TempDir, Db) {
    let dir = tempfile::tempdir().unwrap();
    let db = crate::store(dir.path());
    write(&db, |conn| {
        db::site::add(conn, &site(), Millis(START))?;
        db::boxes::add(conn, BOX, &site(), Millis(START))
    });
    (dir, db)
}

pub fn write<T: Send + 'static>(db: &Db, work: impl FnOnce(&Connection) -> db::Result<T> + Send + 'static) -> T {
    db.write_blocking(work).unwrap()
}

pub fn read<T>(db: &Db, work: impl FnOnce(&Connection) -> db::Result<T>) -> T {
    db.read_blocking(work).unwrap()
}

/// The `n`-th quarter of an hour.
pub fn interval(n: i64, queue: Option<&str>, revision: u32, offered: u32) -> leaving::Interval {
    leaving::Interval {
        queue: queue.map(|queue| QueueId::new(queue).unwrap()),
        start: Millis(START + n * 900_000),
        length_s: 900,
        revision,
        figures: leaving::Figures { offered, ..Default::default() },
    }
}

pub fn body(leaving: &leaving::Leaving) -> Vec<u8> {
    let mut body = Vec::new();
    ciborium::into_writer(leaving, &mut body).unwrap();
    body
}
