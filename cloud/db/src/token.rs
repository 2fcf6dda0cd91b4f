//! Programs that use the console's interface: each has a token, found by its hash, with a role and a scope as a person has.

use model::Millis;

use crate::{
    Result,
    session::{Hash, Who},
    sql::{Connection, params},
    user::{Role, Scope},
};

/// What a program is called before its token's name. No person's login has a space.
pub const LOGIN: &str = "token ";
/// Longest name, in bytes.
pub const NAME_LEN_MAX: usize = 40;
/// Most tokens of one cloud, revoked ones too.
pub const TOKENS_MAX: i64 = 1_000;
/// A token's last use is written down this often at most.
pub const USED_EVERY_MS: i64 = 3_600_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub name: String,
    pub role: Role,
    pub scope: Scope,
    pub created: Millis,
    pub created_by: String,
    /// None: never.
    pub expires: Option<Millis>,
    /// When it was last used, give or take [`USED_EVERY_MS`].
    pub used: Option<Millis>,
    pub revoked: Option<Millis>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    Added,
    /// The name was given before. Names of revoked ones are not given again: the history tells of them.
    Taken,
    Full,
}

pub fn add(conn: &Connection, hash: &Hash, token: &Token) -> Result<Added> {
    if conn.only::<i64>("SELECT count(*) FROM token", params![])? >= TOKENS_MAX {
        return Ok(Added::Full);
    }
    let sql = "INSERT INTO token (token_hash, name, role, sites, created, created_by, expires)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING";
    let Token { name, role, scope, created, created_by, expires, .. } = token;
    let expires = expires.map(|at| at.0);
    let (role, scope) = (role.name(), scope.to_string());
    let row = params![hash, name, role, scope, created.0, created_by, expires];
    Ok(if conn.execute(sql, row)? == 1 { Added::Added } else { Added::Taken })
}

/// Whose token it is, as `token NAME`, and whether its use is to be written down again. None: unknown, over or revoked.
pub fn who(conn: &Connection, hash: &Hash, now: Millis) -> Result<Option<(Who, bool)>> {
    let sql = "SELECT name, role, sites, used FROM token
               WHERE token_hash = ?1 AND revoked IS NULL AND (expires IS NULL OR expires > ?2)";
    conn.one(sql, params![hash, now.0], |row| {
        let (role, scope) = (Role::parse(&row.get::<String>(1)?)?, Scope::parse(&row.get::<String>(2)?)?);
        let used = row.get::<Option<i64>>(3)?;
        let stale = used.is_none_or(|used| now.0.saturating_sub(used) >= USED_EVERY_MS);
        Ok((Who { login: format!("{LOGIN}{}", row.get::<String>(0)?), role, scope }, stale))
    })
}

/// Who made the token of this name, revoked or not.
pub fn maker(conn: &Connection, name: &str) -> Result<Option<String>> {
    conn.one("SELECT created_by FROM token WHERE name = ?1", params![name], |row| row.get(0))
}

pub fn used(conn: &Connection, hash: &Hash, now: Millis) -> Result<()> {
    conn.execute("UPDATE token SET used = ?2 WHERE token_hash = ?1", params![hash, now.0]).map(drop)
}

/// All that were ever made, in the order of their names.
pub fn all(conn: &Connection) -> Result<Vec<Token>> {
    let sql = "SELECT name, role, sites, created, created_by, expires, used, revoked FROM token ORDER BY name";
    conn.all(sql, params![], |row| {
        Ok(Token {
            name: row.get(0)?,
            role: Role::parse(&row.get::<String>(1)?)?,
            scope: Scope::parse(&row.get::<String>(2)?)?,
            created: Millis(row.get(3)?),
            created_by: row.get(4)?,
            expires: row.get::<Option<i64>>(5)?.map(Millis),
            used: row.get::<Option<i64>>(6)?.map(Millis),
            revoked: row.get::<Option<i64>>(7)?.map(Millis),
        })
    })
}

/// Ends a token at once; false when there is none of this name, or it was ended before.
pub fn revoke(conn: &Connection, name: &str, now: Millis) -> Result<bool> {
    let sql = "UPDATE token SET revoked = ?2 WHERE name = ?1 AND revoked IS NULL";
    Ok(conn.execute(sql, params![name, now.0])? == 1)
}
