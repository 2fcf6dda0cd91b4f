//! Founds a cloud: its certificate authority, its database and the first administrator. All or nothing: a second try
//! after a failure goes on where the first ended.

use anyhow::ensure;
use clap::Args;
use db::user::{Role, Scope, User};
use serde_json::json;

use super::user::{Password, login_of};
use crate::{ca::Ca, clock, settings::Settings, shelf::MACHINE};

#[derive(Args)]
pub struct Init {
    /// The organisation's name, at most 60 characters.
    #[arg(long, default_value = "Branchline")]
    label: String,
    /// Of the first administrator, as in ann@example.org.
    #[arg(long, default_value = "admin")]
    login: String,
    /// Read the administrator's password from the first line of standard input instead of making one.
    #[arg(long)]
    password_stdin: bool,
}

impl Init {
    pub async fn execute(self, settings: &Settings) -> anyhow::Result<()> {
        ensure!((1..=60).contains(&self.label.chars().count()), "--label: 1 to 60 characters");
        let login = login_of(&self.login)?;
        super::private_folder(&settings.data)?;
        let db = super::store(settings)?;
        let founded = db.read(db::org::read).await?;
        ensure!(founded.is_none(), "{} was initialised before", settings.data.display());
        let password = Password::new(self.password_stdin)?;
        let ca = Ca::open(&super::ca_folder(settings), clock::now())?;
        let user =
            User { login: login.clone(), password: password.hash()?, role: Role::Administrator, scope: Scope::All };
        let (label, now) = (self.label, clock::now());
        db.write(move |conn| {
            db::org::found(conn, &label, now)?;
            db::user::add(conn, &user, now)?;
            db::audit::add(conn, MACHINE, "org.found", &json!({ "label": label, "admin": user.login }), now)
        })
        .await?;
        println!("The cloud lies in {}", settings.data.display());
        println!("Fingerprint of its certificate authority: {}", hex::encode(ca.sha256()));
        password.tell(&login);
        Ok(())
    }
}
