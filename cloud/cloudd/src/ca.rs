//! The organisation's certificate authority: made on the first start, kept in a folder that only the daemon reads. It
//! signs the cloud's own certificate and those of enrolled boxes; what a request asks for beyond its key is ignored.

use std::{
    fs,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use link::{
    CLOUD_NAME,
    identity::{self, sha256, write_secret},
};
use model::Millis;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType, SerialNumber,
    SigningKey,
};
use rustls::pki_types::{CertificateDer, CertificateSigningRequestDer, PrivateKeyDer, pem::PemObject};
use time::OffsetDateTime;
use wire::session::Peer;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// DESIGN 14: renewed by the box at a third of it.
pub const BOX_LIFE: Duration = Duration::from_secs(90 * 24 * 3600);
const CA_LIFE: Duration = Duration::from_secs(20 * 365 * 24 * 3600);
const CLOUD_LIFE: Duration = Duration::from_secs(2 * 365 * 24 * 3600);

/// The asking box's fault.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("not a certificate request with a P-256 key: {0}")]
    Request(String),
    #[error("signing: {0}")]
    Signing(#[from] rcgen::Error),
}

/// A certificate for a box.
#[derive(Debug)]
pub struct Signed {
    pub pem: String,
    pub serial: String,
    pub not_after: Millis,
}

pub struct Ca {
    dir: PathBuf,
    certificate: CertificateDer<'static>,
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Ca {
    /// Opens the CA in `dir`, or makes it.
    pub fn open(dir: &Path, now: Millis) -> anyhow::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).with_context(|| dir.display().to_string())?;
        let (key_path, path) = (dir.join("ca-key.pem"), dir.join("ca.pem"));
        if !path.exists() {
            create(&key_path, &path, now).context("making the certificate authority")?;
        }
        let key = KeyPair::from_pem(&read(&key_path)?).context("the CA's key")?;
        let pem = read(&path)?;
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).context("the CA's certificate")?;
        let issuer = Issuer::from_ca_cert_der(&certificate, key).context("the CA's certificate")?;
        Ok(Self { dir: dir.to_owned(), certificate, pem, issuer })
    }

    /// What enrolment codes carry.
    pub fn sha256(&self) -> [u8; 32] {
        sha256(&self.certificate)
    }

    pub fn certificate(&self) -> CertificateDer<'static> {
        self.certificate.clone()
    }

    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// The cloud's own certificate and key; made anew when less than a third of its life is left.
    pub fn cloud(&self, now: Millis) -> anyhow::Result<(CertificateDer<'static>, PrivateKeyDer<'static>)> {
        let (key_path, path) = (self.dir.join("cloud-key.pem"), self.dir.join("cloud.pem"));
        let left = fs::read(&path).ok().and_then(|pem| remaining(&pem, now)).unwrap_or(0);
        if left < i64::try_from(CLOUD_LIFE.as_secs() / 3)? {
            let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
            let mut params = params(now, CLOUD_LIFE)?;
            params.subject_alt_names = vec![SanType::DnsName(CLOUD_NAME.try_into()?)];
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
            let certificate = params.signed_by(&key, &self.issuer)?;
            write_secret(&key_path, key.serialize_pem().as_bytes())?;
            write_secret(&path, certificate.pem().as_bytes())?;
        }
        let certificate = CertificateDer::from_pem_slice(read(&path)?.as_bytes()).context("the cloud's certificate")?;
        let key = PrivateKeyDer::from_pem_slice(read(&key_path)?.as_bytes()).context("the cloud's key")?;
        Ok((certificate, key))
    }

    /// ECDSA P-256 with SHA-256, ASN.1: the organisation's word, by the key of its CA.
    pub fn witness(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(self.issuer.key().sign(message)?)
    }

    /// A certificate for this box, with the request's key and nothing else of it.
    pub fn sign(&self, csr: &[u8], peer: &Peer, now: Millis, life: Duration) -> Result<Signed, Error> {
        let request = parse(csr)?;
        let mut params = params(now, life)?;
        let uri = identity::uri(peer).as_str().try_into()?;
        params.subject_alt_names = vec![SanType::URI(uri)];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let serial = params.serial_number.clone().map(|serial| hex::encode(serial.to_bytes())).unwrap_or_default();
        let not_after = Millis(params.not_after.unix_timestamp().saturating_mul(1000));
        let certificate = params.signed_by(&request.public_key, &self.issuer)?;
        Ok(Signed { pem: certificate.pem(), serial, not_after })
    }
}

/// SHA-256 of the key that a request is for. Refuses what is not signed by that key.
pub fn key_sha256(csr: &[u8]) -> Result<[u8; 32], Error> {
    use rcgen::PublicKeyData;
    Ok(sha256(parse(csr)?.public_key.der_bytes()))
}

fn parse(csr: &[u8]) -> Result<CertificateSigningRequestParams, Error> {
    let der = CertificateSigningRequestDer::from(csr);
    let request = CertificateSigningRequestParams::from_der(&der).map_err(|e| Error::Request(e.to_string()))?;
    if request.public_key.algorithm() != &PKCS_ECDSA_P256_SHA256 {
        return Err(Error::Request("another algorithm".into()));
    }
    Ok(request)
}

/// The serial is random, and an hour of the past is covered for boxes whose clock is behind.
fn params(now: Millis, life: Duration) -> Result<CertificateParams, rcgen::Error> {
    let begin = OffsetDateTime::from_unix_timestamp(now.0 / 1000).map_err(|_| rcgen::Error::Time)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.not_before = begin.checked_sub(time::Duration::HOUR).ok_or(rcgen::Error::Time)?;
    params.not_after = begin.checked_add(life.try_into().map_err(|_| rcgen::Error::Time)?).ok_or(rcgen::Error::Time)?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let mut serial: [u8; 16] = rand::random();
    // RFC 5280 §4.1.2.2: positive.
    serial[0] &= 0x7f;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn create(key_path: &Path, path: &Path, now: Millis) -> anyhow::Result<()> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = params(now, CA_LIFE)?;
    params.distinguished_name.push(DnType::CommonName, "Branchline organisation CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = false;
    params.not_before = params.not_before.checked_sub(DAY.try_into()?).context("the clock")?;
    let certificate = params.self_signed(&key)?;
    // The key first: a certificate without its key would be taken for a CA.
    write_secret(key_path, key.serialize_pem().as_bytes())?;
    write_secret(path, certificate.pem().as_bytes())?;
    Ok(())
}

fn remaining(pem: &[u8], now: Millis) -> Option<i64> {
    let certificate = CertificateDer::from_pem_slice(pem).ok()?;
    let (_, not_after) = identity::validity(&certificate).ok()?;
    Some(not_after.saturating_sub(now.0 / 1000))
}

fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use model::{BoxId, SiteId};

    use super::*;

    const NOW: Millis = Millis(1_800_000_000_000);

    fn peer() -> Peer {
        Peer { box_id: BoxId(0xabc), site: SiteId::new("north").unwrap() }
    }

    #[test]
    fn the_authority_stays_the_same_over_restarts_and_its_files_are_private() {
        let dir = tempfile::tempdir().unwrap();
        let first = Ca::open(dir.path(), NOW).unwrap();
        first.cloud(NOW).unwrap();
        let second = Ca::open(dir.path(), NOW).unwrap();
        assert_eq!(first.sha256(), second.sha256());
        assert_eq!(first.cloud(NOW).unwrap().0, second.cloud(NOW).unwrap().0);
        for file in fs::read_dir(dir.path()).unwrap() {
            let mode = file.unwrap().metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn the_clouds_certificate_is_made_anew_before_it_ends() {
        let dir = tempfile::tempdir().unwrap();
        let ca = Ca::open(dir.path(), NOW).unwrap();
        let first = ca.cloud(NOW).unwrap().0;
        let later = Millis(NOW.0 + 500 * 24 * 3600 * 1000);
        assert_ne!(ca.cloud(later).unwrap().0, first);
    }

    #[test]
    fn a_signed_certificate_names_the_box_and_lives_ninety_days() {
        let (dir, device) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let ca = Ca::open(dir.path(), NOW).unwrap();
        let csr = identity::request(device.path()).unwrap();
        let signed = ca.sign(&csr, &peer(), NOW, BOX_LIFE).unwrap();
        let der = CertificateDer::from_pem_slice(signed.pem.as_bytes()).unwrap();
        assert_eq!(identity::peer_of(&der).unwrap(), peer());
        assert!(identity::is_for_key(device.path(), &der).unwrap());
        assert_eq!(signed.not_after.0, NOW.0 + 90 * 24 * 3600 * 1000);
        assert_eq!(key_sha256(&csr).unwrap(), key_sha256(&csr).unwrap());
    }

    #[test]
    fn a_request_that_is_torn_or_has_another_signature_is_refused() {
        let (dir, device) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let ca = Ca::open(dir.path(), NOW).unwrap();
        let csr = identity::request(device.path()).unwrap();
        let mut spoilt = csr.clone();
        *spoilt.last_mut().unwrap() ^= 1;
        for bad in [&csr[..csr.len() - 5], &spoilt, b"".as_slice()] {
            assert!(matches!(ca.sign(bad, &peer(), NOW, BOX_LIFE), Err(Error::Request(_))));
        }
    }
}
