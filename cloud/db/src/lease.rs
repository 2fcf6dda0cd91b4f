//! Work that one of several equal instances does for all. A lease is held for as long as its holder says so again; whoever
//! lost it may not know yet, so that what is written under it must also name what it was made of.

use model::Millis;

use crate::{
    Result,
    sql::{Connection, params},
};

/// Takes the lease, or holds it on, until then. False: another has it.
pub fn hold(conn: &Connection, work: &str, holder: &str, until: Millis, now: Millis) -> Result<bool> {
    let sql = "INSERT INTO lease (work, holder, until) VALUES (?1, ?2, ?3)
               ON CONFLICT (work) DO UPDATE SET holder = excluded.holder, until = excluded.until
               WHERE lease.holder = excluded.holder OR lease.until <= ?4";
    Ok(conn.execute(sql, params![work, holder, until.0, now.0])? == 1)
}

/// Another need not wait until it is over.
pub fn leave(conn: &Connection, work: &str, holder: &str) -> Result<()> {
    conn.execute("DELETE FROM lease WHERE work = ?1 AND holder = ?2", params![work, holder]).map(drop)
}
