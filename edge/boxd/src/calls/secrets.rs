//! Credentials: kept in the ledger, in no configuration document. Phones prove themselves by digest (their HA1s are
//! stored), people at the desk by Argon2, trunks need the password itself.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use call::Secrets;
use desk::{Role, StaffMember};
use ledger::{Credential, CredentialChange, CredentialKind, Reader, Secret};
use md5::{Digest, Md5};
use model::{AgentId, Extension, TrunkId, config::Config};
use sha2::Sha256;
use sip::endpoint::PhoneAuth;

/// Shortest phone or desk password.
const PASSWORD_LEN_MIN: usize = 8;

/// What the telephone lines need of the phones and trunks of a configuration.
pub fn of_lines(reader: &Reader, config: &Config, realm: &str) -> anyhow::Result<Secrets> {
    let mut secrets = Secrets::default();
    for phone in config.phones.keys() {
        let ha1 = |algorithm: &str| {
            let (phone, realm, algorithm) = (phone.clone(), realm.to_owned(), algorithm.to_owned());
            credential(reader, &CredentialKind::Phone { phone, realm, algorithm })
        };
        if let Some(sha256) = ha1("SHA-256")? {
            let ha1_md5 = ha1("MD5")?.map(|secret| secret.reveal().to_owned());
            let auth = PhoneAuth { ha1_sha256: sha256.reveal().to_owned(), ha1_md5 };
            secrets.phones.insert(phone.clone(), auth);
        }
    }
    for trunk in config.trunks.keys() {
        if let Some(secret) = credential(reader, &CredentialKind::Trunk { trunk: trunk.clone() })? {
            secrets.trunks.insert(trunk.clone(), secret.reveal().to_owned());
        }
    }
    Ok(secrets)
}

/// Who may sign in at the desk.
pub fn of_staff(reader: &Reader, config: &Config) -> anyhow::Result<BTreeMap<AgentId, StaffMember>> {
    let mut staff = BTreeMap::new();
    for agent in config.agents.keys() {
        let Some(secret) = credential(reader, &CredentialKind::Desk { agent: agent.clone() })? else { continue };
        let (role, hash) = match secret.reveal().split_once(' ') {
            Some(("supervisor", hash)) => (Role::Supervisor, hash),
            Some(("agent", hash)) => (Role::Agent, hash),
            _ => continue,
        };
        staff.insert(agent.clone(), StaffMember { role, password_hash: hash.to_owned() });
    }
    Ok(staff)
}

/// One that this key does not open is nobody's: without it callers are answered and help is called, and whoever has to
/// prove a password cannot.
fn credential(reader: &Reader, kind: &CredentialKind) -> Result<Option<Secret>, ledger::Error> {
    match reader.credential(kind) {
        Err(ledger::Error::Sealed) => Ok(None),
        read => read,
    }
}

/// The two HA1s of a phone's password (RFC 7616 §3.4.2): SHA-256, and MD5 for phones that know nothing else.
pub fn phone_password(phone: &Extension, realm: &str, password: &str) -> anyhow::Result<Vec<CredentialChange>> {
    long_enough(password)?;
    let text = format!("{phone}:{realm}:{password}");
    let ha1s = [("SHA-256", hex::encode(Sha256::digest(&text))), ("MD5", hex::encode(Md5::digest(&text)))];
    Ok(ha1s
        .into_iter()
        .map(|(algorithm, ha1)| {
            let kind = CredentialKind::Phone {
                phone: phone.clone(),
                realm: realm.to_owned(),
                algorithm: algorithm.to_owned(),
            };
            CredentialChange::Put(Credential { kind, secret: Secret::new(ha1) })
        })
        .collect())
}

pub fn desk_password(agent: &AgentId, supervisor: bool, password: &str) -> anyhow::Result<CredentialChange> {
    long_enough(password)?;
    let hash = desk::hash_password(password).context("the password cannot be hashed")?;
    let role = if supervisor { "supervisor" } else { "agent" };
    let kind = CredentialKind::Desk { agent: agent.clone() };
    Ok(CredentialChange::Put(Credential { kind, secret: Secret::new(format!("{role} {hash}")) }))
}

pub fn trunk_password(trunk: &TrunkId, password: &str) -> CredentialChange {
    let kind = CredentialKind::Trunk { trunk: trunk.clone() };
    CredentialChange::Put(Credential { kind, secret: Secret::new(password) })
}

fn long_enough(password: &str) -> anyhow::Result<()> {
    ensure!(password.len() >= PASSWORD_LEN_MIN, "a password has at least {PASSWORD_LEN_MIN} characters");
    Ok(())
}
