//! Enrolment codes: shown once, kept as a hash, used once, for minutes (S-70).

use model::{BoxId, Millis, SiteId};

use crate::{
    Error, Result, boxes, site,
    sql::{Connection, Row, params},
};

/// SHA-256 of a code or of a public key.
pub type Hash = [u8; 32];

const DAY_MS: i64 = 86_400_000;

/// A box presents a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub code: Hash,
    /// The key that asks: the same key may ask again when the answer was lost.
    pub key: Hash,
    /// The id the box gets when the code is fresh.
    pub box_id: BoxId,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redeemed {
    /// The code is spent on this key and the box belongs to the site.
    Granted {
        box_id: BoxId,
        site: SiteId,
    },
    Unknown,
    Expired,
    /// By another key.
    Used,
}

pub fn issue(conn: &Connection, code: &Hash, site: &SiteId, now: Millis, expires: Millis) -> Result<()> {
    // Codes that nobody can use any more are swept here: the table stays as small as a day's work.
    conn.execute("DELETE FROM enrolment WHERE expires < ?1", params![now.0.saturating_sub(DAY_MS)])?;
    let sql = "INSERT INTO enrolment (token_hash, site, created, expires) VALUES (?1, ?2, ?3, ?4)";
    conn.execute(sql, params![code, site, now.0, expires.0])?;
    Ok(())
}

/// Spends the code and enrols the box, both or neither.
pub fn redeem(conn: &Connection, claim: &Claim, now: Millis) -> Result<Redeemed> {
    let sql = "SELECT site, expires, used_by, key_hash FROM enrolment WHERE token_hash = ?1";
    type Found = (String, i64, Option<String>, Option<Vec<u8>>);
    let row = |row: &Row<'_>| Ok::<Found, Error>((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
    let found = conn.one(sql, params![claim.code], row)?;
    let Some((site, expires, used_by, key)) = found else { return Ok(Redeemed::Unknown) };
    if key.as_deref().is_some_and(|key| key != claim.key) {
        return Ok(Redeemed::Used);
    }
    if expires <= now.0 {
        return Ok(Redeemed::Expired);
    }
    let site = site::parse(&site)?;
    if let Some(used_by) = used_by {
        return Ok(Redeemed::Granted { box_id: boxes::parse(&used_by)?, site });
    }
    if !boxes::add(conn, claim.box_id, &site, now)? {
        return Ok(Redeemed::Used);
    }
    let sql = "UPDATE enrolment SET used = ?2, used_by = ?3, key_hash = ?4 WHERE token_hash = ?1";
    conn.execute(sql, params![claim.code, now.0, claim.box_id.to_string(), claim.key])?;
    Ok(Redeemed::Granted { box_id: claim.box_id, site })
}
