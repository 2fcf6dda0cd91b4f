//! Prints an enrolment code.

use anyhow::Context;
use model::SiteId;

use crate::{enrol, settings::Settings, shelf::MACHINE};

pub async fn execute(settings: &Settings, site: &SiteId) -> anyhow::Result<()> {
    let db = super::open(settings)?;
    let ca = super::authority(settings)?;
    let issued = enrol::issue(&db, settings, ca.sha256(), site, MACHINE).await?;
    let issued = issued.with_context(|| format!("there is no site {site}"))?;
    // The code alone on standard output, so that a script can take it.
    println!("{}", issued.code);
    eprintln!("It enrols one box at {site} within {} minutes.", settings.enrolment.as_secs() / 60);
    Ok(())
}
