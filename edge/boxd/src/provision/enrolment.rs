//! Which device is which phone, and by what it proves so. It never leaves the box.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use ledger::{Batch, Credential, CredentialChange, CredentialKind, Reader, Secret, Writer};
use model::{
    AgentId, Extension, Millis,
    fact::{Fact, Kind},
};
use provision::{Mac, Make, TOKEN_LEN};
use rand::RngExt;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What is kept of a phone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolment {
    pub mac: String,
    pub make: String,
    /// SHA-256 in hexadecimal; the token itself is 99 bits of chance, in the phone alone.
    pub token_sha256: String,
    /// Of the phone's own pages.
    pub web_password: String,
    /// Whom it watches.
    pub lamps: Vec<Extension>,
    /// Until then it may fetch by its address alone, as long as it has never shown its token.
    pub open_until: Millis,
    /// How often it was told to fetch again.
    pub resyncs: u32,
    pub seen: Option<Seen>,
}

/// Its last fetch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    pub at: Millis,
    pub model: Option<String>,
    pub firmware: Option<String>,
}

impl Enrolment {
    pub fn mac(&self) -> Option<Mac> {
        self.mac.parse().ok()
    }

    pub fn make(&self) -> Option<Make> {
        self.make.parse().ok()
    }

    pub(super) fn change(&self, phone: &Extension) -> anyhow::Result<CredentialChange> {
        let kind = CredentialKind::Enrolment { phone: phone.clone() };
        Ok(CredentialChange::Put(Credential { kind, secret: Secret::new(serde_json::to_string(self)?) }))
    }
}

/// Everybody, by extension. One that cannot be read is left out, and said.
pub fn enrolments(reader: &Reader) -> Result<BTreeMap<Extension, Enrolment>, ledger::Error> {
    let mut all = BTreeMap::new();
    for phone in reader.enrolled()? {
        let kept = reader.credential(&CredentialKind::Enrolment { phone: phone.clone() })?;
        match kept.map(|kept| serde_json::from_str(kept.reveal())) {
            Some(Ok(enrolment)) => drop(all.insert(phone, enrolment)),
            Some(Err(error)) => tracing::warn!(%phone, %error, "an enrolment cannot be read"),
            None => {}
        }
    }
    Ok(all)
}

/// Enrols a device as a phone, in place of the one before it, and returns its token.
pub fn enrol(
    writer: &Writer,
    reader: &Reader,
    phone: &Extension,
    device: (Mac, Make),
    lamps: Vec<Extension>,
    open_until: Millis,
    by: Option<AgentId>,
) -> anyhow::Result<String> {
    let (mac, make) = device;
    ensure!(lamps.len() <= provision::LAMPS_MAX, "a phone has at most {} lamps", provision::LAMPS_MAX);
    let all = enrolments(reader)?;
    let other = all.iter().find(|(other, one)| *other != phone && one.mac() == Some(mac));
    ensure!(other.is_none(), "{mac} is enrolled already, as {}", other.map_or("", |(other, _)| other.as_str()));
    let token = chance(TOKEN_LEN);
    let enrolment = Enrolment {
        mac: mac.to_string(),
        make: make.to_string(),
        token_sha256: hashed(&token),
        web_password: chance(12),
        lamps,
        open_until,
        resyncs: all.get(phone).map_or(0, |before| before.resyncs),
        seen: None,
    };
    let kind = Kind::PhoneEnrolled { phone: phone.clone(), make: make.to_string(), by };
    write(writer, enrolment.change(phone)?, vec![kind])?;
    Ok(token)
}

/// Asks the running box to have the phone fetch again, and so have another password.
pub fn resync(writer: &Writer, reader: &Reader, phone: &Extension) -> anyhow::Result<()> {
    let mut enrolment = enrolments(reader)?.remove(phone).with_context(|| format!("{phone} is not enrolled"))?;
    enrolment.resyncs = enrolment.resyncs.wrapping_add(1);
    write(writer, enrolment.change(phone)?, Vec::new())
}

/// The phone may no longer fetch; its password is void, and registering by it too.
pub fn dismiss(writer: &Writer, phone: &Extension, realm: &str, by: Option<AgentId>) -> anyhow::Result<()> {
    let of = |algorithm: &str| CredentialKind::Phone {
        phone: phone.clone(),
        realm: realm.to_owned(),
        algorithm: algorithm.to_owned(),
    };
    let gone = [CredentialKind::Enrolment { phone: phone.clone() }, of("SHA-256"), of("MD5")];
    let credentials = gone.into_iter().map(CredentialChange::Remove).collect();
    let facts = facts(vec![Kind::PhoneDismissed { phone: phone.clone(), by }]);
    writer.submit(Batch { credentials, facts, ..Batch::default() }).wait().context("the ledger")?;
    Ok(())
}

fn write(writer: &Writer, change: CredentialChange, kinds: Vec<Kind>) -> anyhow::Result<()> {
    let batch = Batch { credentials: vec![change], facts: facts(kinds), ..Batch::default() };
    writer.submit(batch).wait().context("the ledger")?;
    Ok(())
}

pub(super) fn facts(kinds: Vec<Kind>) -> Vec<Fact> {
    let fact = |kind| Fact { seq: 0, at: crate::calls::wall(), contact: None, kind };
    kinds.into_iter().map(fact).collect()
}

pub(super) fn hashed(token: &str) -> String {
    hex::encode(Sha256::digest(token))
}

/// Lower-case letters and digits of which none looks like another, each with 31 equal chances.
pub(crate) fn chance(len: usize) -> String {
    const OF: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
    let mut rng = rand::rng();
    (0..len).filter_map(|_| OF.get(rng.random_range(0..OF.len())).map(|b| char::from(*b))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_and_no_two_are_the_same() {
        let (one, other) = (chance(TOKEN_LEN), chance(TOKEN_LEN));
        assert!(provision::is_token(&one) && provision::is_token(&other) && one != other);
        assert_eq!(hashed(&one).len(), 64);
    }
}
