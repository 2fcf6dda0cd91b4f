//! Adds people to the console and gives them new passwords.

use anyhow::ensure;
use clap::Subcommand;
use db::user::{self, LOGIN_LEN_MAX, Role, SCOPE_MAX, Scope};
use model::SiteId;
use serde_json::json;

use crate::{
    clock, secret,
    settings::Settings,
    shelf::{BRANCH, MACHINE},
};

#[derive(Subcommand)]
pub enum User {
    /// Add somebody; prints a password unless one is given.
    Add {
        login: String,
        /// administrator, site_administrator, supervisor, analyst, compliance or viewer.
        #[arg(long, value_parser = role_of)]
        role: Role,
        /// Only these sites; may be repeated. Without it, all.
        #[arg(long = "site")]
        sites: Vec<SiteId>,
        /// Read the password from the first line of standard input.
        #[arg(long)]
        password_stdin: bool,
    },
    /// Give somebody a new password and end their sessions.
    Password {
        login: String,
        #[arg(long)]
        password_stdin: bool,
    },
    /// Sign somebody out for good.
    Disable { login: String },
}

fn role_of(text: &str) -> Result<Role, String> {
    Role::named(text).ok_or_else(|| {
        let names: Vec<&str> = Role::ALL.iter().map(|role| role.name()).collect();
        format!("is none of {}", names.join(", "))
    })
}

/// All of them when none is named.
pub fn scope_of(role: Role, sites: Vec<SiteId>) -> Result<Scope, String> {
    if sites.is_empty() {
        return Ok(Scope::All);
    }
    if !role.can_be_scoped() {
        return Err(format!("the role {} is always of all sites", role.name()));
    }
    if sites.len() > SCOPE_MAX {
        return Err(format!("more than {SCOPE_MAX} sites: name none, which is all"));
    }
    Ok(Scope::Sites(sites.into_iter().collect()))
}

impl User {
    pub async fn execute(self, settings: &Settings) -> anyhow::Result<()> {
        let db = super::open(settings)?;
        let now = clock::now();
        match self {
            User::Add { login, role, sites, password_stdin } => {
                let login = login_of(&login)?;
                let password = Password::new(password_stdin)?;
                let scope = scope_of(role, sites).map_err(|why| anyhow::anyhow!("--site: {why}"))?;
                let fresh = user::User { login: login.clone(), password: password.hash()?, role, scope };
                let added = db
                    .write(move |conn| {
                        let detail = json!({ "login": fresh.login, "role": fresh.role.name(), "sites": fresh.scope.to_string() });
                        let added = user::add(conn, &fresh, now)?;
                        if added {
                            db::audit::add(conn, MACHINE, "user.add", &detail, now)?;
                        }
                        Ok::<_, db::Error>(added)
                    })
                    .await?;
                ensure!(added, "there is a user {login} already");
                password.tell(&login);
            }
            User::Password { login, password_stdin } => {
                let login = login_of(&login)?;
                let password = Password::new(password_stdin)?;
                let (of, hash) = (login.clone(), password.hash()?);
                let done = db
                    .write(move |conn| {
                        db::audit::add(conn, MACHINE, "user.password", &json!({ "login": of }), now)?;
                        user::password(conn, &of, &hash)
                    })
                    .await?;
                ensure!(done, "there is no user {login}");
                password.tell(&login);
            }
            User::Disable { login } => {
                let login = login_of(&login)?;
                let of = login.clone();
                let done = db
                    .write(move |conn| {
                        db::audit::add(conn, MACHINE, "user.disable", &json!({ "login": of }), now)?;
                        user::disable(conn, &of, now)
                    })
                    .await?;
                ensure!(done, "there is no user {login}");
                println!("{login} is signed out and cannot sign in.");
            }
        }
        Ok(())
    }
}

/// Logins are compared in lower case.
pub fn login_of(text: &str) -> anyhow::Result<String> {
    let login = text.trim().to_ascii_lowercase();
    let fits = !login.is_empty()
        && login.len() <= LOGIN_LEN_MAX
        && login.bytes().all(|b| b.is_ascii_alphanumeric() || b"@.-_+".contains(&b));
    // Histories and the audit call the branch's people and the server itself so.
    ensure!(![BRANCH, MACHINE].contains(&login.as_str()), "nobody can be called {login}");
    ensure!(fits, "a login has 1 to {LOGIN_LEN_MAX} letters, digits and @ . - _ +, as in ann@example.org");
    Ok(login)
}

/// A password that is made here and shown once, or given by whoever runs the command.
pub enum Password {
    Made(String),
    Given(String),
}

impl Password {
    pub fn new(from_stdin: bool) -> anyhow::Result<Self> {
        if !from_stdin {
            return secret::password().map(Self::Made);
        }
        let mut line = String::new();
        std::io::stdin().read_line(&mut line)?;
        let password = line.trim_end_matches(['\r', '\n']).to_owned();
        match secret::password_is_weak(&password) {
            Some(why) => anyhow::bail!("{why}"),
            None => Ok(Self::Given(password)),
        }
    }

    pub fn hash(&self) -> anyhow::Result<String> {
        let (Self::Made(password) | Self::Given(password)) = self;
        secret::hash_password(password)
    }

    pub fn tell(&self, login: &str) {
        match self {
            Self::Made(password) => println!("{login} signs in with {password}\nIt is not shown again."),
            Self::Given(_) => println!("{login} signs in with the given password."),
        }
    }
}
