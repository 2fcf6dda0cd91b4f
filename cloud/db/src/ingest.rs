//! Taking in what a box's outbox sends, once. The watermark of (box, epoch) moves in the transaction of the effects, so
//! that whatever is sent again after a crash on either side is known to be old.
//!
//! A row that cannot be understood is put aside with the reason and counts as taken: it must not stop those behind it
//! (D-23).

use model::{BoxId, Epoch, Millis, SiteId, leaving::Leaving};

use crate::{
    Error, Result, correction, coverage, decode, drill, health, interval, notice, running,
    sql::{Connection, params},
    touched::{self, What},
};

/// The kind of a row whose body is a [`Leaving`] in CBOR.
pub const KIND_LEAVING: u16 = 1;
/// Most rows put aside per box; beyond them only the counter grows.
pub const ASIDE_MAX: i64 = 1000;
/// Most bytes kept of a body that is put aside.
pub const ASIDE_LEN_MAX: usize = 64 * 1024;
/// Most lives of one box's outbox. A box whose disk was restored more often than that is broken or lying.
pub const EPOCHS_MAX: i64 = 256;

/// One row, already decoded.
#[derive(Debug, Clone, PartialEq)]
pub enum Row {
    Good(Leaving),
    Aside { kind: u16, reason: String, body: Vec<u8> },
}

/// Rows of one outbox, gapless: the first has sequence `first`.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    pub box_id: BoxId,
    pub site: SiteId,
    pub epoch: Epoch,
    pub first: u64,
    pub rows: Vec<Row>,
}

/// What came of a batch. `watermark` is the sequence of the last row that is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Taken {
    pub watermark: u64,
    pub fresh: u64,
    pub repeated: u64,
    pub aside: u64,
}

/// The sender's fault, unless it is [`Refused::Db`].
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    #[error("rows begin at {found}, the watermark is {watermark}")]
    Gap { watermark: u64, found: u64 },
    #[error("more than {EPOCHS_MAX} lives of one outbox")]
    Epochs,
    #[error(transparent)]
    Db(#[from] Error),
}

/// Understands one row's body. Needs no database: done before the write, off its thread.
pub fn decode(kind: u16, body: &[u8]) -> Row {
    let leaving = match kind {
        KIND_LEAVING => match decode::interval(body) {
            Some(leaving) => Ok(leaving),
            None => ciborium::from_reader::<Leaving, _>(body).map_err(|error| error.to_string()),
        },
        _ => Err("of a kind unknown here".to_owned()),
    };
    match leaving.and_then(sound) {
        Ok(leaving) => Row::Good(leaving),
        Err(reason) => Row::Aside { kind, reason, body: body.get(..ASIDE_LEN_MAX).unwrap_or(body).to_vec() },
    }
}

fn sound(leaving: Leaving) -> std::result::Result<Leaving, String> {
    match &leaving {
        Leaving::Interval(interval) => interval::check(interval).map_err(|problem| problem.to_string())?,
        Leaving::Closed(closed) => coverage::check(closed).map_err(|problem| problem.to_string())?,
        Leaving::Drill(report) => drill::check(report).map_err(|problem| problem.to_string())?,
        Leaving::Health(_) | Leaving::Notice(_) | Leaving::Running(_) => {}
    }
    Ok(leaving)
}

pub fn watermark(conn: &Connection, box_id: BoxId, epoch: Epoch) -> Result<u64> {
    let sql = "SELECT seq FROM watermark WHERE box = ?1 AND epoch = ?2";
    let seq = conn.one(sql, params![box_id.to_string(), epoch.to_string()], |row| row.get(0))?;
    Ok(seq.map_or(0, i64::cast_unsigned))
}

/// Takes in what is new of the batch.
pub fn take(conn: &Connection, batch: &Batch, now: Millis) -> std::result::Result<Taken, Refused> {
    let mark = watermark(conn, batch.box_id, batch.epoch)?;
    let next = mark.saturating_add(1);
    if batch.first > next || batch.first == 0 {
        return Err(Refused::Gap { watermark: mark, found: batch.first });
    }
    if mark == 0 && epochs(conn, batch.box_id)? >= EPOCHS_MAX {
        return Err(Refused::Epochs);
    }
    let old = usize::try_from(next.saturating_sub(batch.first)).unwrap_or(usize::MAX).min(batch.rows.len());
    let mut taken = Taken { watermark: mark, repeated: old as u64, ..Taken::default() };
    let mut intervals = interval::Intake::new(conn, &batch.site, batch.box_id, now);
    let mut closings = coverage::Intake::new(conn, &batch.site, batch.box_id, now);
    let mut drills = Vec::new();
    for row in batch.rows.iter().skip(old) {
        let seq = taken.watermark.saturating_add(1);
        match row {
            Row::Good(Leaving::Interval(figures)) => intervals.put(figures),
            Row::Good(Leaving::Closed(closed)) => closings.put(closed),
            Row::Good(Leaving::Health(health)) => health::put(conn, batch.box_id, &batch.site, health, now)?,
            Row::Good(Leaving::Running(said)) => running::put(conn, batch.box_id, &batch.site, said, now)?,
            Row::Good(Leaving::Drill(report)) => drills.push(report),
            Row::Good(Leaving::Notice(said)) => notice::put(conn, batch.box_id, &batch.site, said, now)?,
            Row::Aside { kind, reason, body } => {
                put_aside(conn, batch, seq, (*kind, reason, body), now)?;
                taken.aside += 1;
            }
        }
        taken.watermark = seq;
        taken.fresh += 1;
    }
    let changed = intervals.end()?;
    correction::note(conn, &batch.site, &changed, now)?;
    let filled = closings.end()?;
    correction::filled(conn, &batch.site, &filled, now)?;
    for report in drills {
        drill::put(conn, batch.box_id, &batch.site, report, now)?;
    }
    if taken.fresh > 0 {
        let sql = "INSERT INTO watermark (box, epoch, seq, at) VALUES (?1, ?2, ?3, ?4)
                   ON CONFLICT (box, epoch) DO UPDATE SET seq = excluded.seq, at = excluded.at";
        let (box_id, epoch) = (batch.box_id.to_string(), batch.epoch.to_string());
        conn.execute(sql, params![box_id, epoch, taken.watermark.cast_signed(), now.0])?;
        touched::note(conn, &batch.site, What::Figures)?;
    }
    Ok(taken)
}

fn epochs(conn: &Connection, box_id: BoxId) -> Result<i64> {
    conn.only("SELECT count(*) FROM watermark WHERE box = ?1", params![box_id.to_string()])
}

fn put_aside(
    conn: &Connection,
    batch: &Batch,
    seq: u64,
    (kind, reason, body): (u16, &str, &[u8]),
    now: Millis,
) -> Result<()> {
    let box_id = batch.box_id.to_string();
    let sql = "INSERT INTO poison_count (box, seen) VALUES (?1, 1)
               ON CONFLICT (box) DO UPDATE SET seen = poison_count.seen + 1 RETURNING seen";
    let seen: i64 = conn.only(sql, params![box_id])?;
    if seen <= ASIDE_MAX {
        let sql = "INSERT INTO poison (box, epoch, seq, kind, reason, body, at)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING";
        let epoch = batch.epoch.to_string();
        conn.execute(sql, params![box_id, epoch, seq.cast_signed(), kind, reason, body, now.0])?;
    }
    Ok(())
}

/// One row that was put aside, without its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aside {
    pub epoch: String,
    pub seq: u64,
    pub kind: u16,
    pub reason: String,
    pub at: Millis,
}

/// What is aside of one box, oldest first, and how many there ever were.
pub fn aside(conn: &Connection, box_id: BoxId) -> Result<(Vec<Aside>, i64)> {
    let box_id = box_id.to_string();
    let sql = "SELECT epoch, seq, kind, reason, at FROM poison WHERE box = ?1 ORDER BY at, epoch, seq";
    let rows = conn.all(sql, params![box_id], |row| {
        Ok(Aside {
            epoch: row.get(0)?,
            seq: row.get::<i64>(1)?.cast_unsigned(),
            kind: row.get(2)?,
            reason: row.get(3)?,
            at: Millis(row.get(4)?),
        })
    })?;
    let seen = conn.one("SELECT seen FROM poison_count WHERE box = ?1", params![box_id], |row| row.get(0))?;
    Ok((rows, seen.unwrap_or(0)))
}

/// When the newest row of any box of the site became durable.
pub fn last_taken(conn: &Connection, site: &SiteId) -> Result<Option<Millis>> {
    let sql = "SELECT max(watermark.at) FROM watermark JOIN box USING (box) WHERE box.site = ?1";
    Ok(conn.only::<Option<i64>>(sql, params![site])?.map(Millis))
}
