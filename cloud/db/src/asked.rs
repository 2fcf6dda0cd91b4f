//! Sign-ins that an identity provider is asked about: what must come back, kept until it does. In the database, because
//! the answer may reach another instance.

use model::Millis;

use crate::{
    Result,
    sql::{Connection, params},
};

/// Most at one time; a flood of begun sign-ins pushes the oldest out and fills nothing.
pub const ASKED_MAX: i64 = 1_000;

pub type Hash = [u8; 32];

/// What belongs to one sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Must stand in the identity token (OpenID Connect Core §3.1.2.1).
    pub nonce: String,
    /// RFC 7636: proves that who comes back is who was sent.
    pub verifier: String,
}

pub fn keep(conn: &Connection, state: &Hash, asked: &Asked, now: Millis, expires: Millis) -> Result<()> {
    conn.execute("DELETE FROM asked WHERE expires <= ?1", params![now.0])?;
    let sql =
        "DELETE FROM asked WHERE state IN (SELECT state FROM asked ORDER BY expires DESC LIMIT 1000000 OFFSET ?1)";
    conn.execute(sql, params![ASKED_MAX - 1])?;
    let sql = "INSERT INTO asked (state, nonce, verifier, expires) VALUES (?1, ?2, ?3, ?4)";
    conn.execute(sql, params![state, asked.nonce, asked.verifier, expires.0])?;
    Ok(())
}

/// Each can be taken once; None: unknown, taken before, or too late.
pub fn take(conn: &Connection, state: &Hash, now: Millis) -> Result<Option<Asked>> {
    let sql = "DELETE FROM asked WHERE state = ?1 RETURNING nonce, verifier, expires";
    let found = conn.one(sql, params![state], |row| {
        Ok((Asked { nonce: row.get(0)?, verifier: row.get(1)? }, row.get::<i64>(2)?))
    })?;
    Ok(found.filter(|(_, expires)| *expires > now.0).map(|(asked, _)| asked))
}
