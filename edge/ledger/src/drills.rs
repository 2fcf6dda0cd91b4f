//! Outage drills among the facts.

use model::{ContactId, Millis, fact::Fact};
use rusqlite::params;

use crate::{error::Error, reader::Reader};

/// Facts of drills that are read at once: three each.
const FACTS_MAX: i64 = 600;

impl Reader {
    /// What was told of drills since then, by any life of the process, the oldest first; of too many the newest.
    pub fn drills_since(&self, since: Millis) -> Result<Vec<Fact>, Error> {
        let mut select = self.db().prepare_cached(
            "SELECT json FROM facts WHERE contact IS NULL AND at >= ?1 AND json LIKE '%\"fact\":\"drill_%'
             ORDER BY epoch DESC, seq DESC LIMIT ?2",
        )?;
        let mut facts = Vec::new();
        for json in select.query_map(params![since.0, FACTS_MAX], |row| row.get::<_, String>(0))? {
            facts.push(serde_json::from_str(&json?).map_err(|_| Error::Unreadable { what: "fact" })?);
        }
        facts.reverse();
        Ok(facts)
    }

    /// Contacts that told something in this time, are not open, and have no record.
    pub fn unkept(&self, from: Millis, until: Millis) -> Result<Vec<ContactId>, Error> {
        let mut select = self.db().prepare_cached(
            "SELECT DISTINCT contact FROM facts WHERE contact IS NOT NULL AND at >= ?1 AND at < ?2
             AND contact NOT IN (SELECT contact FROM cdr) AND contact NOT IN (SELECT contact FROM open_contacts)
             LIMIT 1000",
        )?;
        let rows = select.query_map(params![from.0, until.0], |row| row.get::<_, [u8; 16]>(0))?;
        Ok(rows.map(|id| Ok(ContactId(u128::from_be_bytes(id?)))).collect::<Result<_, rusqlite::Error>>()?)
    }
}
