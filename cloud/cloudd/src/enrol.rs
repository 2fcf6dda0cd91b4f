//! Enrolment codes, as the console and the command line give them out.

use db::Db;
use model::{Millis, SiteId};
use serde_json::json;

use crate::{clock, secret, settings::Settings};

/// What a person carries to the box, once.
#[derive(Debug)]
pub struct Issued {
    pub code: link::enrol::Code,
    pub expires: Millis,
}

/// None: there is no such site.
pub async fn issue(
    db: &Db,
    settings: &Settings,
    ca_sha256: [u8; 32],
    site: &SiteId,
    who: &str,
) -> anyhow::Result<Option<Issued>> {
    let token = secret::enrolment_token()?;
    let (hash, now) = (secret::sha256(&token), clock::now());
    let expires = clock::after(now, settings.enrolment);
    let (site, who) = (site.clone(), who.to_owned());
    let exists = db
        .write(move |conn| {
            if !db::site::exists(conn, &site)? {
                return Ok(false);
            }
            db::enrolment::issue(conn, &hash, &site, now, expires)?;
            db::audit::add(conn, &who, "box.code", &json!({ "site": site, "expires": expires }), now)?;
            Ok::<_, db::Error>(true)
        })
        .await?;
    Ok(exists.then_some(Issued { code: link::enrol::Code { token, ca_sha256 }, expires }))
}
