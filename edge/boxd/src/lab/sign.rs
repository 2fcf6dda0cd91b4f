//! Who vouches for a report: the box's identity where it is enrolled, else a key of the lab's own, made on first use.

use std::{io::Write as _, os::unix::fs::OpenOptionsExt, path::Path};

use anyhow::{Context, bail};
use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey},
};
use lab::report::{Report, Signature, Signed, Signer};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject};

use crate::config::BoxConfig;

const ALGORITHM: &str = "ecdsa-p256-sha256";

/// Why a signature is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// This box's own identity.
    Identity,
    /// This box's own lab key.
    Lab,
    /// The key that was named.
    Named,
}

pub fn sign(config: &BoxConfig, report: Report) -> anyhow::Result<Signed> {
    let (pair, by, certificate) = match identity(config)? {
        Some((pair, certificate)) => (pair, Signer::Identity, Some(certificate)),
        None => (lab_key(config)?, Signer::Lab, None),
    };
    let value = pair.sign(&SystemRandom::new(), &report.canonical()?).context("the report cannot be signed")?;
    let signature = Signature {
        algorithm: ALGORITHM.into(),
        by,
        public_key: hex::encode(pair.public_key().as_ref()),
        certificate,
        value: hex::encode(value.as_ref()),
    };
    Ok(Signed { report, signature })
}

/// Err names what is wrong: the words were changed, or the key is not one that is known here.
pub fn verify(config: &BoxConfig, signed: &Signed, named: Option<&str>) -> anyhow::Result<Trust> {
    let Signature { algorithm, public_key, value, .. } = &signed.signature;
    anyhow::ensure!(algorithm == ALGORITHM, "signed with {algorithm}, which this program does not know");
    let key = hex::decode(public_key).context("the public key is no hex")?;
    let value = hex::decode(value).context("the signature is no hex")?;
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &key)
        .verify(&signed.report.canonical()?, &value)
        .ok()
        .context("the signature is wrong: the report was changed after it was signed")?;
    if let Some(named) = named {
        anyhow::ensure!(named.eq_ignore_ascii_case(public_key), "signed with another key: {public_key}");
        return Ok(Trust::Named);
    }
    let is_ours = |pair: &EcdsaKeyPair| pair.public_key().as_ref() == key.as_slice();
    if identity(config)?.is_some_and(|(pair, _)| is_ours(&pair)) {
        return Ok(Trust::Identity);
    }
    if config.lab_key().exists() && is_ours(&lab_key(config)?) {
        return Ok(Trust::Lab);
    }
    bail!("the words are as signed, but the key is not this box's: name it with --key {public_key} if you know it")
}

fn identity(config: &BoxConfig) -> anyhow::Result<Option<(EcdsaKeyPair, String)>> {
    let (key, certificate) = (config.identity().join("key.pem"), config.identity().join("cert.pem"));
    if !key.exists() || !certificate.exists() {
        return Ok(None);
    }
    let certificate = std::fs::read_to_string(&certificate).context("the box's certificate cannot be read")?;
    Ok(Some((pair(&key)?, certificate)))
}

fn lab_key(config: &BoxConfig) -> anyhow::Result<EcdsaKeyPair> {
    let file = config.lab_key();
    if !file.exists() {
        std::fs::create_dir_all(&config.data).context("the data folder")?;
        let made = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).context("a key cannot be made")?;
        let opened = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file);
        opened
            .and_then(|mut out| out.write_all(made.serialize_pem().as_bytes()))
            .with_context(|| format!("{} cannot be written", file.display()))?;
    }
    pair(&file)
}

fn pair(file: &Path) -> anyhow::Result<EcdsaKeyPair> {
    let text = std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let der = PrivateKeyDer::from_pem_slice(&text).with_context(|| format!("{} is no key", file.display()))?;
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, der.secret_der())
        .with_context(|| format!("{} is no P-256 key", file.display()))
}
