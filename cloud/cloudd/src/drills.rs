//! Which outage drill stands at a site (N-04): ordered, and not reported yet.

use db::Connection;
use model::{Millis, SiteId, drill::Drill};

use crate::{app::App, links::Link};

/// A report that is not here so long after a drill's end is not waited for, in ms: the box looks for the link for an hour, and
/// the last interval is closed in the next.
const REPORT_MS_MAX: i64 = 3 * 3_600 * 1_000;
/// A badge says that a site is cut off by its drill for so long after its time, in ms; then it is lost like any other.
const APART_MS_MAX: i64 = 120_000;

/// The drill that is ordered at a site, and of which no report is here. What is not reported long after its time is over.
pub fn standing(app: &App, conn: &Connection, site: &SiteId, now: Millis) -> db::Result<Option<Drill>> {
    let ordered = app.documents.effective(conn, site)?.and_then(|effective| effective.drill);
    let Some(drill) = ordered.filter(|drill| now.0 < drill.until().0.saturating_add(REPORT_MS_MAX)) else {
        return Ok(None);
    };
    let waits = drill.at > now || !db::drill::is_reported(conn, site, drill)?;
    Ok(waits.then_some(drill))
}

/// Whether a site that is not linked is cut off by its drill: it was here until then, and its time is not over.
pub fn is_apart(drill: Drill, link: Link, now: Millis) -> bool {
    let was_here = link.last_heard.is_none_or(|at| at.0.saturating_add(APART_MS_MAX) >= drill.at.0);
    !link.linked && drill.at <= now && now.0 < drill.until().0.saturating_add(APART_MS_MAX) && was_here
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_in_its_drill_only_while_that_lasts_and_only_if_it_was_here_before() {
        let minute = |n: i64| Millis(1_795_000_000_000 + n * 60_000);
        let drill = Drill { at: minute(0), minutes: 30 };
        let link = |linked, heard: Option<i64>| Link { linked, last_heard: heard.map(minute), ..Link::default() };
        let here = link(false, Some(0));
        assert!(is_apart(drill, here, minute(1)) && is_apart(drill, here, minute(31)));
        assert!(!is_apart(drill, here, minute(-1)) && !is_apart(drill, here, minute(33)), "then it is lost");
        assert!(!is_apart(drill, link(true, Some(1)), minute(1)));
        assert!(!is_apart(drill, link(false, Some(-10)), minute(1)), "it was lost before");
        assert!(is_apart(drill, link(false, None), minute(1)), "who was here is not known");
    }
}
