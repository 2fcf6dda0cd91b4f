//! Who a box is: its device key, its certificate, and the organisation's CA, as files of one folder.
//!
//! The certificate names the box in a SAN URI, `urn:branchline:box:<32 hex>:site:<slug>`; nothing else in it counts.

use std::{
    fs,
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use aws_lc_rs::{
    digest,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, UnparsedPublicKey},
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use wire::session::Peer;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

const URI_BOX: &str = "urn:branchline:box:";
const URI_SITE: &str = ":site:";

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{path}: {source}")]
    File { path: PathBuf, source: std::io::Error },
    #[error("{0} is not PEM")]
    Pem(PathBuf),
    #[error("the certificate cannot be read")]
    Certificate,
    #[error("the certificate names no box")]
    NoBox,
    #[error("the device key cannot be used")]
    Key,
    #[error("certificate request: {0}")]
    Request(#[from] rcgen::Error),
}

/// The SAN URI of a box.
pub fn uri(peer: &Peer) -> String {
    format!("{URI_BOX}{}{URI_SITE}{}", peer.box_id, peer.site)
}

/// The box that a certificate names. Says nothing about who signed it.
pub fn peer_of(certificate: &[u8]) -> Result<Peer, Error> {
    let (_, certificate) = X509Certificate::from_der(certificate).map_err(|_| Error::Certificate)?;
    let names = certificate.subject_alternative_name().map_err(|_| Error::Certificate)?.ok_or(Error::NoBox)?;
    let mut uris = names.value.general_names.iter().filter_map(|name| match name {
        GeneralName::URI(uri) => uri.strip_prefix(URI_BOX),
        _ => None,
    });
    let (Some(rest), None) = (uris.next(), uris.next()) else { return Err(Error::NoBox) };
    let (box_id, site) = rest.split_once(URI_SITE).ok_or(Error::NoBox)?;
    let box_id = box_id.parse().map_err(|_| Error::NoBox)?;
    Ok(Peer { box_id, site: site.parse().map_err(|_| Error::NoBox)? })
}

/// Whether the key of a certificate made this signature (ECDSA P-256 with SHA-256, ASN.1). Says nothing of the certificate.
pub fn is_signed_by(certificate: &[u8], message: &[u8], signature: &[u8]) -> bool {
    X509Certificate::from_der(certificate).is_ok_and(|(_, certificate)| {
        let key = &certificate.public_key().subject_public_key.data;
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key).verify(message, signature).is_ok()
    })
}

/// Seconds since 1970 between which a certificate holds.
pub fn validity(certificate: &[u8]) -> Result<(i64, i64), Error> {
    let (_, certificate) = X509Certificate::from_der(certificate).map_err(|_| Error::Certificate)?;
    let validity = certificate.validity();
    Ok((validity.not_before.timestamp(), validity.not_after.timestamp()))
}

pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    out
}

/// A box's identity as loaded from its folder.
pub struct Identity {
    pub peer: Peer,
    pub certificate: CertificateDer<'static>,
    pub ca: CertificateDer<'static>,
    /// Seconds since 1970.
    pub not_before: i64,
    pub not_after: i64,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    /// Reads `key.pem`, `cert.pem` and `ca.pem`.
    pub fn load(dir: &Path) -> Result<Self, Error> {
        let key = PrivateKeyDer::from_pem_slice(&read(dir, "key.pem")?).map_err(|_| pem(dir, "key.pem"))?;
        let certificate = CertificateDer::from_pem_slice(&read(dir, "cert.pem")?).map_err(|_| pem(dir, "cert.pem"))?;
        let ca = CertificateDer::from_pem_slice(&read(dir, "ca.pem")?).map_err(|_| pem(dir, "ca.pem"))?;
        let (not_before, not_after) = validity(&certificate)?;
        Ok(Self { peer: peer_of(&certificate)?, certificate, ca, not_before, not_after, key })
    }

    pub fn key(&self) -> PrivateKeyDer<'static> {
        self.key.clone_key()
    }

    /// ECDSA P-256 with SHA-256, ASN.1.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, self.key.secret_der()).map_err(|_| Error::Key)?;
        let signature = pair.sign(&SystemRandom::new(), message).map_err(|_| Error::Key)?;
        Ok(signature.as_ref().to_vec())
    }

    /// Whether a third of the certificate's life has passed (DESIGN 14).
    pub fn wants_renewal(&self, now_s: i64) -> bool {
        let third = self.not_after.saturating_sub(self.not_before) / 3;
        now_s >= self.not_before.saturating_add(third)
    }
}

/// The device key of a folder, made on first use, and a request for a certificate with it (DER).
pub fn request(dir: &Path) -> Result<Vec<u8>, Error> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|source| file(dir, source))?;
    let path = dir.join("key.pem");
    let key = if path.exists() {
        let pem = String::from_utf8(read(dir, "key.pem")?).map_err(|_| Error::Key)?;
        rcgen::KeyPair::from_pem(&pem)?
    } else {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
        write_secret(&path, key.serialize_pem().as_bytes())?;
        key
    };
    let mut params = rcgen::CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    Ok(params.serialize_request(&key)?.der().to_vec())
}

/// Puts a certificate beside the key: whole or not at all.
pub fn keep(dir: &Path, certificate_pem: &[u8], ca_pem: Option<&[u8]>) -> Result<(), Error> {
    if let Some(ca) = ca_pem {
        write_secret(&dir.join("ca.pem"), ca)?;
    }
    write_secret(&dir.join("cert.pem"), certificate_pem)
}

/// Writes a file that only its owner reads: beside the old one, synced, then in its place.
pub fn write_secret(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let fresh = path.with_extension("new");
    let write = || -> std::io::Result<()> {
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&fresh, path)?;
        path.parent().map_or(Ok(()), |dir| fs::File::open(dir)?.sync_all())
    };
    write().map_err(|source| file(path, source))
}

fn read(dir: &Path, name: &str) -> Result<Vec<u8>, Error> {
    let path = dir.join(name);
    fs::read(&path).map_err(|source| Error::File { path, source })
}

fn file(path: &Path, source: std::io::Error) -> Error {
    Error::File { path: path.to_owned(), source }
}

fn pem(dir: &Path, name: &str) -> Error {
    Error::Pem(dir.join(name))
}

/// Whether a certificate is for the folder's device key.
pub fn is_for_key(dir: &Path, certificate: &[u8]) -> Result<bool, Error> {
    let pem = String::from_utf8(read(dir, "key.pem")?).map_err(|_| Error::Key)?;
    let key = rcgen::KeyPair::from_pem(&pem)?;
    let (_, certificate) = X509Certificate::from_der(certificate).map_err(|_| Error::Certificate)?;
    Ok(certificate.public_key().subject_public_key.data.as_ref() == key.public_key_raw())
}

/// The same for a certificate in PEM.
pub fn is_pem_for_key(dir: &Path, certificate: &[u8]) -> Result<bool, Error> {
    let der = CertificateDer::from_pem_slice(certificate).map_err(|_| Error::Certificate)?;
    is_for_key(dir, &der)
}
