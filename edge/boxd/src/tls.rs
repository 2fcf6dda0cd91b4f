//! The box's own name in TLS: certificate and key from `box.toml`, or a small CA and a leaf that the box makes on its
//! first start and keeps in `data/tls`. Nothing here needs a network, or a clock that is right.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, ensure};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::config::BoxConfig;

/// Where Debian and its relatives, Alpine, and Red Hat keep the roots of the world.
const SYSTEM_ROOTS: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/cert.pem", "/etc/pki/tls/certs/ca-bundle.crt"];

/// A box that was away for years, or that wakes without a clock, is still served: its phones know its CA.
const YEARS_OF_CA: i32 = 40;
const YEARS_OF_LEAF: i32 = 20;
const FIRST_YEAR: i32 = 2020;

/// Certificates in one file.
const CERTIFICATES_MAX: usize = 1_000;

/// What we show: the leaf first.
pub struct Own {
    pub chain: Vec<CertificateDer<'static>>,
    pub key: PrivateKeyDer<'static>,
}

/// Certificate and key as configured, or the box's own, made if need be.
pub fn own(config: &BoxConfig) -> anyhow::Result<Own> {
    let (certificate, key) = match &config.tls.files {
        Some((certificate, key)) => (certificate.clone(), key.clone()),
        None => made(&config.data.join("tls"), &names(config))?,
    };
    let chain = certificates(&certificate)?;
    ensure!(!chain.is_empty(), "{} holds no certificate", certificate.display());
    let key = PrivateKeyDer::from_pem_file(&key).with_context(|| format!("the key {}", key.display()))?;
    Ok(Own { chain, key })
}

/// The CA that phones must know; None when the certificate was configured.
pub fn ca_file(config: &BoxConfig) -> Option<PathBuf> {
    config.tls.files.is_none().then(|| config.data.join("tls/ca.pem"))
}

/// TLS 1.2 and 1.3, nobody asked for a certificate.
pub fn server(own: &Own) -> anyhow::Result<Arc<ServerConfig>> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let config = builder.with_no_client_auth().with_single_cert(own.chain.clone(), own.key.clone_key());
    Ok(Arc::new(config.context("certificate and key do not belong together")?))
}

/// Whom we believe that a trunk is who it says: a file of CAs, or the roots of the system.
pub fn roots(file: Option<&Path>) -> anyhow::Result<RootCertStore> {
    let system = || SYSTEM_ROOTS.iter().map(Path::new).find(|path| path.exists());
    let mut roots = RootCertStore::empty();
    if let Some(file) = file.or_else(system) {
        roots.add_parsable_certificates(certificates(file)?);
        ensure!(!roots.is_empty(), "{} holds no usable CA", file.display());
    }
    Ok(roots)
}

/// RFC 7469 §2.4: SHA-256 of the SubjectPublicKeyInfo; None when the certificate cannot be read.
pub fn spki_sha256(certificate: &[u8]) -> Option<[u8; 32]> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    Some(Sha256::digest(parsed.tbs_certificate.subject_pki.raw).into())
}

/// `AB:CD:…`, as phones and browsers show it.
pub fn fingerprint(certificate: &[u8]) -> String {
    let hash: Vec<String> = Sha256::digest(certificate).iter().map(|byte| format!("{byte:02X}")).collect();
    hash.join(":")
}

pub(crate) fn certificates(file: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let read = CertificateDer::pem_file_iter(file).with_context(|| file.display().to_string())?;
    let certificates = read.take(CERTIFICATES_MAX).collect::<Result<Vec<_>, _>>();
    certificates.with_context(|| format!("{} is no file of certificates", file.display()))
}

/// The domain and every address that phones come to.
fn names(config: &BoxConfig) -> Vec<String> {
    let mut names = vec![config.sip.domain.clone()];
    let listening = config.sip.listen.iter().map(|(_, addr)| addr);
    let desk = config.desk_tls.then_some(&config.desk);
    for addr in listening.chain(config.provision.as_ref().map(|provision| &provision.listen)).chain(desk) {
        let name = addr.ip().to_string();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The box's leaf and its key; another leaf when the box is called otherwise. The CA stays, phones know it.
fn made(dir: &Path, names: &[String]) -> anyhow::Result<(PathBuf, PathBuf)> {
    let (leaf, leaf_key, called) = (dir.join("cert.pem"), dir.join("key.pem"), dir.join("names"));
    let known = fs::read_to_string(&called).unwrap_or_default();
    if leaf.exists() && leaf_key.exists() && known.lines().eq(names.iter().map(String::as_str)) {
        return Ok((leaf, leaf_key));
    }
    fs::create_dir_all(dir).with_context(|| dir.display().to_string())?;
    let (ca, ca_key) = (dir.join("ca.pem"), dir.join("ca.key.pem"));
    if !ca.exists() || !ca_key.exists() {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
        let mut params = dated(CertificateParams::default(), YEARS_OF_CA);
        params.distinguished_name.push(DnType::CommonName, "Branchline box CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key)?;
        link::identity::write_secret(&ca_key, key.serialize_pem().as_bytes())?;
        link::identity::write_secret(&ca, certificate.pem().as_bytes())?;
    }
    let issuer_key = KeyPair::from_pem(&fs::read_to_string(&ca_key)?)?;
    let issuer = Issuer::from_ca_cert_pem(&fs::read_to_string(&ca)?, issuer_key)?;
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
    let mut params = dated(CertificateParams::new(names.to_vec())?, YEARS_OF_LEAF);
    params.distinguished_name.push(DnType::CommonName, names.first().map(String::as_str).unwrap_or("box"));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages =
        vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth, rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    let certificate = params.signed_by(&key, &issuer)?;
    link::identity::write_secret(&leaf_key, key.serialize_pem().as_bytes())?;
    link::identity::write_secret(&leaf, certificate.pem().as_bytes())?;
    link::identity::write_secret(&called, names.join("\n").as_bytes())?;
    Ok((leaf, leaf_key))
}

fn dated(mut params: CertificateParams, years: i32) -> CertificateParams {
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.not_before = rcgen::date_time_ymd(FIRST_YEAR, 1, 1);
    params.not_after = rcgen::date_time_ymd(FIRST_YEAR.saturating_add(years), 1, 1);
    params
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_box_makes_itself_a_leaf_once_and_another_when_its_name_changes() {
        let dir = tempfile::tempdir().unwrap();
        let make = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| name.to_string()).collect();
            let (leaf, _) = made(dir.path(), &names).unwrap();
            let ca = fs::read(dir.path().join("ca.pem")).unwrap();
            (certificates(&leaf).unwrap().remove(0), ca)
        };
        let (first, ca) = make(&["branch-a.example", "192.0.2.10", "2001:db8::1"]);
        assert_eq!((first.clone(), ca.clone()), make(&["branch-a.example", "192.0.2.10", "2001:db8::1"]));
        let (second, same_ca) = make(&["branch-a.example", "192.0.2.11"]);
        assert!(first != second && ca == same_ca);
        let (_, parsed) = X509Certificate::from_der(&second).unwrap();
        assert!(format!("{:?}", parsed.subject_alternative_name().unwrap()).contains("[192, 0, 2, 11]"));
    }
}
