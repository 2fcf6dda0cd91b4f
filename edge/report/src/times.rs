//! Buckets of time, and how much of each the box was there: what nobody could count is marked, and is no zero.

use model::Millis;

/// A gap between two lives of the *calls* process that is no outage: it was started again.
pub const UNMARKED_MS_MAX: u64 = 90_000;

/// One life of the *calls* process, as far as it is known to have lived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Life {
    pub began: Millis,
    pub seen: Millis,
}

/// A stretch of time, `from` until before `until`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    pub from: Millis,
    pub until: Millis,
}

impl Stretch {
    pub fn ms(self) -> u64 {
        self.until.since(self.from)
    }

    /// What both have; None: nothing.
    pub fn with(self, other: Stretch) -> Option<Stretch> {
        let both = Stretch { from: self.from.max(other.from), until: self.until.min(other.until) };
        (both.from < both.until).then_some(both)
    }
}

/// One bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time {
    pub start: Millis,
    pub until: Millis,
    /// For so long, of what is over of it, the box was down, or was not there yet.
    pub down_ms: u64,
    /// Nothing of it could be counted.
    pub down: bool,
    /// It is not over.
    pub running: bool,
}

/// When the box was up, in order, up to `now`. Before its first known life it is taken to have been up since `first`, the
/// time of the first fact there is.
pub(crate) fn ups(first: Option<Millis>, lives: &[Life], now: Millis) -> Vec<Stretch> {
    let mut lives: Vec<Life> = lives.iter().copied().filter(|life| life.began <= now).collect();
    lives.sort_by_key(|life| life.began);
    let mut ups: Vec<Stretch> = Vec::new();
    let first = first.filter(|first| *first < now);
    let known = lives.first().map_or(now, |life| life.began);
    if let Some(first) = first.filter(|first| *first < known) {
        ups.push(Stretch { from: first, until: known });
    }
    for life in lives {
        let until = life.seen.max(life.began).min(now);
        match ups.last_mut() {
            Some(last) if life.began.since(last.until) <= UNMARKED_MS_MAX => last.until = last.until.max(until),
            _ => ups.push(Stretch { from: life.began, until }),
        }
    }
    // The life that goes on has said so a moment ago.
    if let Some(last) = ups.last_mut().filter(|last| now.since(last.until) <= UNMARKED_MS_MAX) {
        last.until = now;
    }
    ups
}

pub(crate) fn times(edges: &[Millis], ups: &[Stretch], now: Millis) -> Vec<Time> {
    let pairs = edges.iter().zip(edges.iter().skip(1));
    let begun = pairs.filter(|(start, _)| **start < now);
    let time = |(start, until): (&Millis, &Millis)| {
        let over = Stretch { from: *start, until: (*until).min(now) };
        let up = ups.iter().filter_map(|up| up.with(over)).fold(0_u64, |all, part| all.saturating_add(part.ms()));
        Time {
            start: *start,
            until: *until,
            down_ms: over.ms().saturating_sub(up),
            down: up == 0,
            running: *until > now,
        }
    };
    begun.map(time).collect()
}

/// The bucket that a moment falls into.
pub(crate) fn place(edges: &[Millis], at: Millis) -> Option<usize> {
    let after = edges.partition_point(|edge| *edge <= at);
    after.checked_sub(1).filter(|index| index.saturating_add(1) < edges.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn life(began: i64, seen: i64) -> Life {
        Life { began: Millis(began * 60_000), seen: Millis(seen * 60_000) }
    }

    fn up(from: i64, until: i64) -> Stretch {
        Stretch { from: Millis(from * 60_000), until: Millis(until * 60_000) }
    }

    #[test]
    fn the_box_was_up_while_a_life_was_seen_and_a_restart_is_no_outage() {
        let minute = |n: i64| Some(Millis(n * 60_000));
        let now = Millis(100 * 60_000);
        let lives = [life(10, 40), life(41, 50), life(60, 99)];
        assert_eq!(ups(minute(0), &lives, now), [up(0, 50), up(60, 100)]);
        assert_eq!(ups(minute(10), &lives, now), [up(10, 50), up(60, 100)]);
        assert_eq!(ups(None, &[life(10, 40)], now), [up(10, 40)], "nothing was seen of it since");
        assert_eq!(ups(None, &[], now), []);
        assert_eq!(ups(minute(5), &[], now), [up(5, 100)], "a box of before lives were written down");
        assert_eq!(ups(None, &[life(200, 300)], now), [], "by a clock that was wrong");
    }

    #[test]
    fn a_bucket_says_for_how_long_nothing_could_be_counted() {
        let edges: Vec<Millis> = (0..6).map(|n| Millis(n * 900_000)).collect();
        let ups = [up(5, 14), up(31, 35), up(45, 50)];
        let times = times(&edges, &ups, Millis(50 * 60_000));
        let said: Vec<_> = times.iter().map(|time| (time.down_ms / 60_000, time.down, time.running)).collect();
        assert_eq!(said, [(6, false, false), (15, true, false), (11, false, false), (0, false, true)]);
    }

    #[test]
    fn a_moment_falls_into_one_bucket_or_none() {
        let edges = [Millis(10), Millis(20), Millis(40)];
        let found: Vec<_> = [9, 10, 19, 20, 39, 40].map(|at| place(&edges, Millis(at))).into();
        assert_eq!(found, [None, Some(0), Some(0), Some(1), Some(1), None]);
    }
}
