//! The people who may sign in at the console. Passwords are kept as argon2id hashes made by `cloudd`.

use model::Millis;

use crate::{
    Error, Result,
    sql::{Connection, Row, params},
};

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
    let sql = r#"INSERT INTO "user" (login, password, role, created) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING"#;
    Ok(conn.execute(sql, params![user.login, user.password, user.role.name(), now.0])? == 1)
}

/// Sets a password and ends every session that was opened with the old one; false when there is no such user.
pub fn password(conn: &Connection, login: &str, password: &str) -> Result<bool> {
    conn.execute("DELETE FROM session WHERE login = ?1", params![login])?;
    Ok(conn.execute(r#"UPDATE "user" SET password = ?2 WHERE login = ?1"#, params![login, password])? == 1)
}

/// From then on the user cannot sign in and is signed out; false when there is no such user.
pub fn disable(conn: &Connection, login: &str, now: Millis) -> Result<bool> {
    conn.execute("DELETE FROM session WHERE login = ?1", params![login])?;
    Ok(conn.execute(r#"UPDATE "user" SET disabled = ?2 WHERE login = ?1"#, params![login, now.0])? == 1)
}

/// A user who may sign in.
pub fn one(conn: &Connection, login: &str) -> Result<Option<User>> {
    let sql = r#"SELECT login, password, role FROM "user" WHERE login = ?1 AND disabled IS NULL"#;
    let user = |row: &Row<'_>| {
        Ok(User { login: row.get(0)?, password: row.get(1)?, role: Role::parse(&row.get::<String>(2)?)? })
    };
    conn.one(sql, params![login], user)
}
