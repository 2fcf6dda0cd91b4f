//! The people who may use the console: what each may do (a role) and of which sites (a scope). Passwords are kept as
//! argon2id hashes made by `cloudd`; who is vouched for by an identity provider has none.

use std::{collections::BTreeSet, fmt};

use model::{Millis, SiteId};

use crate::{
    Error, Result, site,
    sql::{Connection, Row, params},
};

/// Longest login, in bytes.
pub const LOGIN_LEN_MAX: usize = 120;
/// Most sites that a scope names; whoever is to see more sees all.
pub const SCOPE_MAX: usize = 1_000;
/// Most people of one cloud.
pub const PEOPLE_MAX: i64 = 10_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Everything, people too. Always of all sites.
    Administrator,
    /// Edits the configuration of their sites and lets boxes join them.
    SiteAdministrator,
    /// Sees their sites, and answers notices.
    Supervisor,
    /// Sees everything a console shows of their sites and changes nothing.
    Analyst,
    /// Sees also who did what, and who may. Always of all sites.
    Compliance,
    /// Sees how sites stand, and nothing of their configuration.
    Viewer,
}

impl Role {
    pub const ALL: [Role; 6] =
        [Role::Administrator, Role::SiteAdministrator, Role::Supervisor, Role::Analyst, Role::Compliance, Role::Viewer];

    pub fn name(self) -> &'static str {
        match self {
            Role::Administrator => "administrator",
            Role::SiteAdministrator => "site_administrator",
            Role::Supervisor => "supervisor",
            Role::Analyst => "analyst",
            Role::Compliance => "compliance",
            Role::Viewer => "viewer",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Whether the role can be had for some of the sites.
    pub fn can_be_scoped(self) -> bool {
        !matches!(self, Role::Administrator | Role::Compliance)
    }

    pub(crate) fn parse(text: &str) -> Result<Self> {
        Self::named(text).ok_or_else(|| Error::corrupt("a role", text))
    }
}

/// Of which sites.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    All,
    Sites(BTreeSet<SiteId>),
}

impl Scope {
    pub fn holds(&self, site: &SiteId) -> bool {
        match self {
            Scope::All => true,
            Scope::Sites(sites) => sites.contains(site),
        }
    }

    pub(crate) fn parse(text: &str) -> Result<Self> {
        match text {
            "*" => Ok(Scope::All),
            _ => text.split_ascii_whitespace().map(site::parse).collect::<Result<_>>().map(Scope::Sites),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scope::All => f.write_str("*"),
            Scope::Sites(sites) => {
                let names: Vec<&str> = sites.iter().map(SiteId::as_str).collect();
                f.write_str(&names.join(" "))
            }
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub login: String,
    /// In the PHC string format; empty for somebody an identity provider vouches for.
    pub password: String,
    pub role: Role,
    pub scope: Scope,
}

/// One line of the list of people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub login: String,
    pub role: Role,
    pub scope: Scope,
    pub created: Millis,
    pub disabled: Option<Millis>,
    /// When they last signed in.
    pub signed_in: Option<Millis>,
    /// The identity provider that vouches for them; None: they have a password here.
    pub issuer: Option<String>,
}

/// What a person is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub role: Role,
    pub scope: Scope,
    pub disabled: bool,
}

/// What came of changing a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Set {
    Done,
    Unknown,
    /// Nobody would be left who can administer people.
    LastAdministrator,
}

/// False when the login is taken, or when there are [`PEOPLE_MAX`] already.
pub fn add(conn: &Connection, user: &User, now: Millis) -> Result<bool> {
    let count: i64 = conn.only(r#"SELECT count(*) FROM "user""#, params![])?;
    if count >= PEOPLE_MAX {
        return Ok(false);
    }
    let sql = r#"INSERT INTO "user" (login, password, role, created, sites) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO NOTHING"#;
    let User { login, password, role, scope } = user;
    Ok(conn.execute(sql, params![login, password, role.name(), now.0, scope.to_string()])? == 1)
}

/// Sets a password and ends every session that was opened with the old one; false when there is no such user, or when
/// an identity provider vouches for them.
pub fn password(conn: &Connection, login: &str, password: &str) -> Result<bool> {
    let sql = r#"UPDATE "user" SET password = ?2 WHERE login = ?1 AND subject IS NULL"#;
    let done = conn.execute(sql, params![login, password])? == 1;
    if done {
        conn.execute("DELETE FROM session WHERE login = ?1", params![login])?;
    }
    Ok(done)
}

/// From then on the user cannot sign in and is signed out; false when there is no such user.
pub fn disable(conn: &Connection, login: &str, now: Millis) -> Result<bool> {
    conn.execute("DELETE FROM session WHERE login = ?1", params![login])?;
    Ok(conn.execute(r#"UPDATE "user" SET disabled = ?2 WHERE login = ?1"#, params![login, now.0])? == 1)
}

/// Changes what a person may; who is disabled is signed out.
pub fn set(conn: &Connection, login: &str, standing: &Standing, now: Millis) -> Result<Set> {
    let Standing { role, scope, disabled } = standing;
    let others = r#"SELECT count(*) FROM "user" WHERE role = 'administrator' AND disabled IS NULL AND login <> ?1"#;
    let stays = *role == Role::Administrator && !disabled;
    if !stays && conn.only::<i64>(others, params![login])? == 0 {
        return Ok(Set::LastAdministrator);
    }
    let disabled = disabled.then_some(now.0);
    let sql = r#"UPDATE "user" SET role = ?2, sites = ?3,
                     disabled = CASE WHEN CAST(?4 AS BIGINT) IS NULL THEN NULL ELSE coalesce(disabled, ?4) END
                 WHERE login = ?1"#;
    if conn.execute(sql, params![login, role.name(), scope.to_string(), disabled])? == 0 {
        return Ok(Set::Unknown);
    }
    if disabled.is_some() {
        conn.execute("DELETE FROM session WHERE login = ?1", params![login])?;
    }
    Ok(Set::Done)
}

/// A user who may sign in.
pub fn one(conn: &Connection, login: &str) -> Result<Option<User>> {
    let sql = r#"SELECT login, password, role, sites FROM "user" WHERE login = ?1 AND disabled IS NULL"#;
    let user = |row: &Row<'_>| {
        let (role, scope) = (Role::parse(&row.get::<String>(2)?)?, Scope::parse(&row.get::<String>(3)?)?);
        Ok(User { login: row.get(0)?, password: row.get(1)?, role, scope })
    };
    conn.one(sql, params![login], user)
}

/// Everybody, in the order of their logins.
pub fn all(conn: &Connection) -> Result<Vec<Listed>> {
    let sql = r#"SELECT login, role, sites, created, disabled, signed_in, issuer FROM "user" ORDER BY login"#;
    conn.all(sql, params![], |row| {
        Ok(Listed {
            login: row.get(0)?,
            role: Role::parse(&row.get::<String>(1)?)?,
            scope: Scope::parse(&row.get::<String>(2)?)?,
            created: Millis(row.get(3)?),
            disabled: row.get::<Option<i64>>(4)?.map(Millis),
            signed_in: row.get::<Option<i64>>(5)?.map(Millis),
            issuer: row.get(6)?,
        })
    })
}

/// Whom an identity provider vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vouched {
    pub issuer: String,
    /// The provider's name for the person, which never changes hands (OpenID Connect Core §2, `sub`).
    pub subject: String,
    pub login: String,
    pub role: Role,
    pub scope: Scope,
}

/// What became of somebody who was vouched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Met {
    /// Under this login, which is the one of the first time.
    Known(String),
    /// An administrator has shut them out here.
    Disabled,
    /// Somebody else has the login: a password here, or another subject.
    Taken,
    Full,
}

/// Keeps the person, with the role that the provider's groups give them this time.
pub fn meet(conn: &Connection, vouched: &Vouched, now: Millis) -> Result<Met> {
    let Vouched { issuer, subject, login, role, scope } = vouched;
    let found = r#"SELECT login, disabled FROM "user" WHERE issuer = ?1 AND subject = ?2"#;
    let known = conn.one(found, params![issuer, subject], |row| Ok((row.get(0)?, row.get::<Option<i64>>(1)?)))?;
    let scope = scope.to_string();
    if let Some((login, disabled)) = known {
        if disabled.is_some() {
            return Ok(Met::Disabled);
        }
        let sql = r#"UPDATE "user" SET role = ?2, sites = ?3 WHERE login = ?1"#;
        conn.execute(sql, params![login, role.name(), scope])?;
        return Ok(Met::Known(login));
    }
    if conn.only::<i64>(r#"SELECT count(*) FROM "user""#, params![])? >= PEOPLE_MAX {
        return Ok(Met::Full);
    }
    let sql = r#"INSERT INTO "user" (login, password, role, created, sites, issuer, subject)
                 VALUES (?1, '', ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING"#;
    let added = conn.execute(sql, params![login, role.name(), now.0, scope, issuer, subject])? == 1;
    Ok(if added { Met::Known(login.clone()) } else { Met::Taken })
}
