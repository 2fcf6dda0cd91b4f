//! The boxes: which there are, and an end to one that was lost.

use anyhow::ensure;
use clap::Subcommand;
use model::BoxId;
use serde_json::json;

use crate::{clock, settings::Settings, shelf::MACHINE};

#[derive(Subcommand)]
pub enum Box {
    /// List the boxes of all sites.
    List,
    /// Refuse a box from now on; a running cloud ends its session within seconds.
    Revoke { id: BoxId },
}

impl Box {
    pub async fn execute(self, settings: &Settings) -> anyhow::Result<()> {
        let db = super::open(settings)?;
        match self {
            Box::List => {
                let boxes = db
                    .read(|conn| {
                        let sites = db::site::all(conn)?;
                        let of = sites.iter().map(|site| db::boxes::of_site(conn, site));
                        of.collect::<db::Result<Vec<_>>>()
                    })
                    .await?;
                for device in boxes.into_iter().flatten() {
                    let state = if device.revoked.is_some() { "revoked" } else { "enrolled" };
                    println!("{} {} {state}", device.id, device.site);
                }
            }
            Box::Revoke { id } => {
                let now = clock::now();
                let done = db
                    .write(move |conn| {
                        let done = db::boxes::revoke(conn, id, now)?;
                        if done {
                            db::audit::add(conn, MACHINE, "box.revoke", &json!({ "box": id }), now)?;
                        }
                        Ok::<_, db::Error>(done)
                    })
                    .await?;
                ensure!(done, "there is no box {id}, or it was revoked before");
                println!("{id} is refused from now on.");
            }
        }
        Ok(())
    }
}
