//! How complete what is known of a site is (N-08). A box says up to where it has closed its intervals, behind the rows of
//! their figures; so that all which start in `from..until` have arrived, those without callers and those with too few to
//! be told as well. What is expected and has not been said to have arrived is missing, and is never zero.
//!
//! `intake` takes in what boxes say; here is what can be asked.

mod intake;

use std::collections::BTreeMap;

use model::{Millis, QueueId, SiteId, leaving::Closed};
use serde::Serialize;

use crate::{
    Error, Result, interval, site,
    sql::{Connection, Param, Row, Value},
};

pub(crate) use intake::{Filled, Intake};

/// After its end, an interval has this long to arrive before it is late; or missing, while it has not.
pub const GRACE_MS: i64 = 120_000;
/// How far ahead of the cloud's clock a box's may be and still be believed.
pub const AHEAD_MS: i64 = 86_400_000;
/// Stretches kept of one site: beyond them nothing that begins another is believed.
pub const STRETCHES_MAX: i64 = 50_000;
/// Lives of queues kept of one site.
pub const LIVES_MAX: i64 = 20_000;
/// Length of intervals of a site that has not said it yet.
const LENGTH_S: u32 = 900;
/// Queues that one statement may name.
const QUEUES_MAX: usize = 1_000;

/// Why a statement is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("intervals of {0} s")]
    Length(u32),
    #[error("intervals from {from} until {until}")]
    Span { from: i64, until: i64 },
    #[error("{0} queues")]
    Queues(usize),
}

pub fn check(closed: &Closed) -> std::result::Result<(), Problem> {
    let (from, until, length_s) = (closed.from.0, closed.until.0, closed.length_s);
    if length_s == 0 || length_s > interval::LENGTH_S_MAX {
        return Err(Problem::Length(length_s));
    }
    let length_ms = i64::from(length_s) * 1_000;
    if from < 0 || until <= from || from % length_ms != 0 || until % length_ms != 0 || closed.at.0 < 0 {
        return Err(Problem::Span { from, until });
    }
    if closed.queues.len() > QUEUES_MAX {
        return Err(Problem::Queues(closed.queues.len()));
    }
    Ok(())
}

/// How intervals came here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    OnTime,
    /// The box closed them in time and could not deliver them: it was cut off.
    Isolated,
    /// The box itself closed them late: it was off.
    Late,
}

impl Fate {
    const ALL: [Fate; 3] = [Fate::OnTime, Fate::Isolated, Fate::Late];

    fn name(self) -> &'static str {
        match self {
            Fate::OnTime => "on_time",
            Fate::Isolated => "isolated",
            Fate::Late => "late",
        }
    }
}

/// Intervals that start in `since..until`, both multiples of their length. When they were closed at the box and when
/// they arrived: of the last of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    pub since: i64,
    pub until: i64,
    pub length_s: u32,
    pub fate: Fate,
    pub measured: Millis,
    pub received: Millis,
}

/// Numbers of intervals. `expected` are those that have arrived and those that are missing; `isolated` and `late` came
/// after their time and are among those that arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, utoipa::ToSchema)]
pub struct Counts {
    pub expected: u64,
    pub arrived: u64,
    pub isolated: u64,
    pub late: u64,
}

impl Counts {
    pub fn add(&mut self, other: Counts) {
        self.expected = self.expected.saturating_add(other.expected);
        self.arrived = self.arrived.saturating_add(other.arrived);
        self.isolated = self.isolated.saturating_add(other.isolated);
        self.late = self.late.saturating_add(other.late);
    }

    pub fn missing(self) -> u64 {
        self.expected.saturating_sub(self.arrived)
    }

    /// 0 to 1; None while nothing is expected.
    pub fn part(self) -> Option<f64> {
        (self.expected > 0).then(|| self.arrived as f64 / self.expected as f64)
    }
}

/// What is known of one site from some moment on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cover {
    from: i64,
    /// Since when intervals are expected. None: its boxes have never said how far they count.
    begun: Option<i64>,
    /// Of the intervals that are to come.
    length_s: u32,
    stretches: Vec<Stretch>,
    lives: BTreeMap<QueueId, Vec<(i64, i64)>>,
    now: i64,
}

/// Of every site for which `wanted` is true, what concerns intervals that end after `from`, as of `now`.
pub fn read(
    conn: &Connection,
    from: Millis,
    now: Millis,
    wanted: impl Fn(&SiteId) -> bool,
) -> Result<BTreeMap<SiteId, Cover>> {
    gather(conn, (from, now), None, wanted)
}

/// Of one site, what concerns intervals that end after `from`; None: there is no such site.
pub fn of_site_since(conn: &Connection, site: &SiteId, from: Millis, now: Millis) -> Result<Option<Cover>> {
    Ok(gather(conn, (from, now), Some(site), |_| true)?.remove(site))
}

/// The whole of one site; None: there is no such site.
pub fn of_site(conn: &Connection, site: &SiteId, now: Millis) -> Result<Option<Cover>> {
    Ok(gather(conn, (Millis(0), now), Some(site), |_| true)?.remove(site))
}

fn gather(
    conn: &Connection,
    (from, now): (Millis, Millis),
    only: Option<&SiteId>,
    wanted: impl Fn(&SiteId) -> bool,
) -> Result<BTreeMap<SiteId, Cover>> {
    let of = |condition: &'static str| if only.is_some() { condition } else { "" };
    let site_of = |row: &Row<'_>| site::parse(&row.get::<String>(0)?);
    let one: Vec<Value<'_>> = only.iter().map(Param::value).collect();
    let since = [&[from.0.value()], one.as_slice()].concat();
    // The newest stretch says how long the intervals are, also where none is of this time.
    let sql = format!(
        "SELECT site.site, expected_from, coverage.length_s FROM site
         LEFT JOIN coverage ON coverage.site = site.site AND coverage.since =
             (SELECT max(since) FROM coverage AS newest WHERE newest.site = site.site) {}",
        of("WHERE site.site = ?1")
    );
    let mut covers = BTreeMap::new();
    for (site, begun, length_s) in conn.all(&sql, &one, |row| Ok((site_of(row)?, row.get(1)?, row.get(2)?)))? {
        if wanted(&site) {
            let length_s: Option<i64> = length_s;
            let length_s = length_s.and_then(|length| u32::try_from(length).ok()).unwrap_or(LENGTH_S);
            let (stretches, lives) = (Vec::new(), BTreeMap::new());
            covers.insert(site, Cover { from: from.0, begun, length_s, stretches, lives, now: now.0 });
        }
    }
    let sql = format!(
        "SELECT site, since, until, length_s, fate, measured, received FROM coverage
         WHERE until > ?1 {} ORDER BY site, since",
        of("AND site = ?2")
    );
    for (site, stretch) in conn.all(&sql, &since, |row| Ok((site_of(row)?, stretch(row, 1)?)))? {
        if let Some(cover) = covers.get_mut(&site) {
            cover.stretches.push(stretch);
        }
    }
    let sql = format!(
        "SELECT site, queue, since, until FROM queue_life {} ORDER BY site, queue, since",
        of("WHERE site = ?1")
    );
    let life =
        |row: &Row<'_>| Ok((site_of(row)?, interval::queue(&row.get::<String>(1)?)?, (row.get(2)?, row.get(3)?)));
    for (site, queue, life) in conn.all(&sql, &one, life)? {
        if let Some(cover) = covers.get_mut(&site) {
            cover.lives.entry(queue).or_default().push(life);
        }
    }
    Ok(covers)
}

/// From the columns of a row that begin with this one.
fn stretch(row: &Row<'_>, first: usize) -> Result<Stretch> {
    let fate: String = row.get(first + 3)?;
    let known = Fate::ALL.into_iter().find(|known| known.name() == fate);
    Ok(Stretch {
        since: row.get(first)?,
        until: row.get(first + 1)?,
        length_s: row.get(first + 2)?,
        fate: known.ok_or_else(|| Error::corrupt("how an interval came", fate))?,
        measured: Millis(row.get(first + 4)?),
        received: Millis(row.get(first + 5)?),
    })
}

/// How many multiples of `length_ms` are in `from..until`.
fn starts(from: i64, until: i64, length_s: u32) -> u64 {
    let length_ms = i64::from(length_s.max(1)).saturating_mul(1_000);
    let ceil = |at: i64| at.saturating_add(length_ms - 1).div_euclid(length_ms);
    ceil(until).saturating_sub(ceil(from)).max(0).cast_unsigned()
}

fn floor(at: i64, length_s: u32) -> i64 {
    at.saturating_sub(at.rem_euclid(i64::from(length_s.max(1)).saturating_mul(1_000)))
}

impl Cover {
    /// Whether anything can be said.
    pub fn is_known(&self) -> bool {
        self.begun.is_some()
    }

    /// Whether every interval has arrived that touches this time.
    pub fn holds(&self, from: Millis, until: Millis) -> bool {
        let first = self.stretches.iter().skip_while(|stretch| stretch.until <= from.0);
        let reached = first.fold(None, |reached: Option<i64>, stretch| {
            let at = reached.unwrap_or(from.0);
            if stretch.since <= at { Some(at.max(stretch.until)) } else { reached }
        });
        // Where nothing has arrived, no time is held, however short.
        reached.is_some_and(|at| at >= until.0)
    }

    pub fn queues(&self) -> impl Iterator<Item = &QueueId> {
        self.lives.keys()
    }

    /// Up to where everything has arrived; None: nothing has, of this time.
    pub fn known_until(&self) -> Option<Millis> {
        let first_gap = self.gaps().first().map(|(since, _)| *since);
        let last = self.stretches.last().map(|stretch| stretch.until);
        first_gap.filter(|gap| self.stretches.first().is_some_and(|first| first.since < *gap)).or(last).map(Millis)
    }

    /// The longest that an interval of this time took from its end to here, in ms; 0 when all came in time.
    pub fn lateness_ms_max(&self, from: Millis, until: Millis) -> u64 {
        let late = self
            .stretches
            .iter()
            .filter(|stretch| stretch.fate != Fate::OnTime && stretch.until > from.0 && stretch.since < until.0);
        let took = late.map(|stretch| {
            let first = stretch.since.max(from.0).saturating_add(i64::from(stretch.length_s) * 1_000);
            stretch.received.0.saturating_sub(first)
        });
        took.max().unwrap_or(0).max(0).cast_unsigned()
    }

    /// Of all its intervals.
    pub fn whole(&self) -> Counts {
        self.count(Millis(0), Millis(i64::MAX), None)
    }

    /// Of the intervals that start in `from..until`; of one queue, or of the site.
    pub fn count(&self, from: Millis, until: Millis, queue: Option<&QueueId>) -> Counts {
        let mut counts = Counts::default();
        for (fate, since, end, length_s) in self.arrived(queue) {
            let count = starts(since.max(from.0), end.min(until.0), length_s);
            counts.add(fated(fate, count));
        }
        for (since, end) in self.missing(queue) {
            counts.expected += starts(since.max(from.0), end.min(until.0), self.length_s);
        }
        counts
    }

    /// The same for many stretches of time of the same length, one after another from `from` on.
    pub(crate) fn spread(&self, from: i64, bin_ms: i64, queue: Option<&QueueId>, bins: &mut [Counts]) {
        let mut share = |since: i64, end: i64, length_s: u32, fate: Option<Fate>| {
            let first = usize::try_from(since.saturating_sub(from).div_euclid(bin_ms)).unwrap_or(0);
            for (n, bin) in (0_i64..).zip(bins.iter_mut()).skip(first) {
                let begin = from.saturating_add(n.saturating_mul(bin_ms));
                if begin >= end {
                    break;
                }
                let count = starts(since.max(begin), end.min(begin.saturating_add(bin_ms)), length_s);
                match fate {
                    Some(fate) => bin.add(fated(fate, count)),
                    None => bin.expected += count,
                }
            }
        };
        for (fate, since, end, length_s) in self.arrived(queue) {
            share(since, end, length_s, Some(fate));
        }
        for (since, end) in self.missing(queue) {
            share(since, end, self.length_s, None);
        }
    }

    fn arrived(&self, queue: Option<&QueueId>) -> Vec<(Fate, i64, i64, u32)> {
        let whole = |one: &Stretch| (one.fate, one.since, one.until, one.length_s);
        let Some(queue) = queue else { return self.stretches.iter().map(whole).collect() };
        let mut parts = Vec::new();
        for (since, until) in self.lives.get(queue).into_iter().flatten() {
            let first = self.stretches.partition_point(|stretch| stretch.until <= *since);
            let within = self.stretches.iter().skip(first).take_while(|stretch| stretch.since < *until);
            parts.extend(within.map(|one| (one.fate, one.since.max(*since), one.until.min(*until), one.length_s)));
        }
        parts
    }

    /// Where intervals are expected and have not arrived. Of a queue: from its first interval on, and while it is there.
    fn missing(&self, queue: Option<&QueueId>) -> Vec<(i64, i64)> {
        let Some(queue) = queue else { return self.gaps() };
        let Some(lives) = self.lives.get(queue) else { return Vec::new() };
        let (Some(first), Some(last)) = (lives.first(), lives.last()) else { return Vec::new() };
        let lives_on = self.stretches.last().is_none_or(|stretch| stretch.until <= last.1);
        let end = if lives_on { i64::MAX } else { last.1 };
        let clipped = self.gaps().into_iter().map(|(since, until)| (since.max(first.0), until.min(end)));
        clipped.filter(|(since, until)| since < until).collect()
    }

    fn gaps(&self) -> Vec<(i64, i64)> {
        let Some(begun) = self.begun else { return Vec::new() };
        let due = floor(self.now.saturating_sub(GRACE_MS), self.length_s);
        let mut at = floor(begun, self.length_s).max(floor(self.from, self.length_s));
        let mut gaps = Vec::new();
        for stretch in &self.stretches {
            if at >= due {
                break;
            }
            if stretch.since > at {
                gaps.push((at, stretch.since.min(due)));
            }
            at = at.max(stretch.until);
        }
        if at < due {
            gaps.push((at, due));
        }
        gaps
    }
}

fn fated(fate: Fate, count: u64) -> Counts {
    let of = |wanted| if fate == wanted { count } else { 0 };
    Counts { expected: count, arrived: count, isolated: of(Fate::Isolated), late: of(Fate::Late) }
}
