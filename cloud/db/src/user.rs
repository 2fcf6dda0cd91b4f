//! The people who may sign in at the console. Passwords are kept as argon2id hashes made by `cloudd`.

use model::Millis;
use rusqlite::{Connection, OptionalExtension, params};

use crate::{Error, Result};

/// Longest login, in bytes.
pub const LOGIN_LEN_MAX: usize = 120;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    Administrator,
    /// Sees everything a console shows and changes nothing.
    Analyst,
}

impl Role {
    pub const ALL: [Role; 2] = [Role::Administrator, Role::Analyst];

    pub fn name(self) -> &'static str {
        match self {
            Role::Administrator => "administrator",
            Role::Analyst => "analyst",
        }
    }

    pub(crate) fn parse(text: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|role| role.name() == text).ok_or_else(|| Error::corrupt("a role", text))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub login: String,
    /// In the PHC string format.
    pub password: String,
    pub role: Role,
}

/// False when the login is taken.
pub fn add(conn: &Connection, user: &User, now: Millis) -> Result<bool> {
    let sql = "INSERT OR IGNORE INTO user (login, password, role, created) VALUES (?1, ?2, ?3, ?4)";
    Ok(conn.execute(sql, params![user.login, user.password, user.role.name(), now.0])? == 1)
}

/// Sets a password and ends every session that was opened with the old one; false when there is no such user.
pub fn password(conn: &Connection, login: &str, password: &str) -> Result<bool> {
    conn.execute("DELETE FROM session WHERE login = ?1", [login])?;
    Ok(conn.execute("UPDATE user SET password = ?2 WHERE login = ?1", params![login, password])? == 1)
}

/// From then on the user cannot sign in and is signed out; false when there is no such user.
pub fn disable(conn: &Connection, login: &str, now: Millis) -> Result<bool> {
    conn.execute("DELETE FROM session WHERE login = ?1", [login])?;
    Ok(conn.execute("UPDATE user SET disabled = ?2 WHERE login = ?1", params![login, now.0])? == 1)
}

/// A user who may sign in.
pub fn one(conn: &Connection, login: &str) -> Result<Option<User>> {
    let sql = "SELECT login, password, role FROM user WHERE login = ?1 AND disabled IS NULL";
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?));
    let found: Option<(String, String, String)> = conn.prepare_cached(sql)?.query_row([login], row).optional()?;
    found.map(|(login, password, role)| Ok(User { login, password, role: Role::parse(&role)? })).transpose()
}
