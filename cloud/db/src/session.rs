//! Who is signed in. A session is found by the hash of its token; the token itself is only in the browser.

use model::Millis;

use crate::{
    Result,
    sql::{Connection, Row, params},
    user::{Role, Scope},
};

/// Most sessions of one user; the oldest ends when one more begins.
pub const SESSIONS_MAX: i64 = 20;

pub type Hash = [u8; 32];

/// Whose session it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    pub login: String,
    pub role: Role,
    pub scope: Scope,
}

pub fn open(conn: &Connection, token: &Hash, login: &str, now: Millis, expires: Millis) -> Result<()> {
    conn.execute("DELETE FROM session WHERE expires <= ?1", params![now.0])?;
    let sql = "DELETE FROM session WHERE token_hash IN
               (SELECT token_hash FROM session WHERE login = ?1 ORDER BY created DESC LIMIT 1000000 OFFSET ?2)";
    conn.execute(sql, params![login, SESSIONS_MAX - 1])?;
    let sql = "INSERT INTO session (token_hash, login, created, expires) VALUES (?1, ?2, ?3, ?4)";
    conn.execute(sql, params![token, login, now.0, expires.0])?;
    conn.execute(r#"UPDATE "user" SET signed_in = ?2 WHERE login = ?1"#, params![login, now.0])?;
    Ok(())
}

/// None when the session is unknown or over, or its user may not sign in any more.
pub fn who(conn: &Connection, token: &Hash, now: Millis) -> Result<Option<Who>> {
    let sql = r#"SELECT login, role, sites FROM session JOIN "user" USING (login)
                 WHERE token_hash = ?1 AND expires > ?2 AND disabled IS NULL"#;
    let who = |row: &Row<'_>| {
        let (role, scope) = (Role::parse(&row.get::<String>(1)?)?, Scope::parse(&row.get::<String>(2)?)?);
        Ok(Who { login: row.get(0)?, role, scope })
    };
    conn.one(sql, params![token, now.0], who)
}

pub fn close(conn: &Connection, token: &Hash) -> Result<()> {
    conn.execute("DELETE FROM session WHERE token_hash = ?1", params![token])?;
    Ok(())
}
