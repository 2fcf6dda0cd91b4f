//! What a console shows of a site at a glance: is it linked, how old and how complete is what is known of it.

use db::Connection;
use model::{Millis, SiteId, leaving::Health};

/// From the database alone; whether the site is linked is known to the hub.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// When something of its outbox was last taken in.
    pub data_at: Option<Millis>,
    pub health: Option<Health>,
    pub completeness: Option<f64>,
}

pub fn known(conn: &Connection, site: &SiteId) -> db::Result<Known> {
    let latest = db::health::of_site(conn, site)?.into_iter().next();
    Ok(Known {
        data_at: db::ingest::last_taken(conn, site)?,
        health: latest.map(|latest| latest.health),
        completeness: completeness(conn, site)?,
    })
}

/// Intervals received ÷ intervals the box says it closed, 0 to 1; none before it has closed any.
pub fn completeness(conn: &Connection, site: &SiteId) -> db::Result<Option<f64>> {
    let closed = db::health::of_site(conn, site)?.into_iter().next().map_or(0, |latest| latest.health.intervals_closed);
    if closed == 0 {
        return Ok(None);
    }
    let received = db::interval::received(conn, site)?;
    // Figures may arrive before the health that counts them.
    Ok(Some(received.min(closed) as f64 / closed as f64))
}
