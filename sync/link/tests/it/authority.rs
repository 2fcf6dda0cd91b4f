//! An organisation for tests: its CA, its cloud, its boxes.

use std::{path::Path, time::Duration};

use link::{
    CLOUD_NAME, identity,
    server::{Options, Server},
};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType,
};
use rustls::pki_types::{CertificateDer, CertificateSigningRequestDer, PrivateKeyDer};
use wire::session::Peer;

pub struct Authority {
    pub der: CertificateDer<'static>,
    pub pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// Years of a certificate's life.
#[derive(Clone, Copy)]
pub struct Life(pub i32, pub i32);

pub const SOUND: Life = Life(2000, 4000);
pub const EXPIRED: Life = Life(2000, 2020);

impl Authority {
    pub fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let certificate = params.self_signed(&key).unwrap();
        let (der, pem) = (certificate.der().clone(), certificate.pem());
        Self { issuer: Issuer::from_ca_cert_der(&der, key).unwrap(), der, pem }
    }

    /// A cloud of this organisation; with a box's usage it is an impostor.
    pub fn server(&self, usage: ExtendedKeyUsagePurpose) -> Server {
        let key = KeyPair::generate().unwrap();
        let certificate = self.certificate(&key, usage);
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        Server::bind(Options::new("127.0.0.1:0".parse().unwrap(), self.der.clone(), certificate, key)).unwrap()
    }

    fn certificate(&self, key: &KeyPair, usage: ExtendedKeyUsagePurpose) -> CertificateDer<'static> {
        let mut params = CertificateParams::new(vec![CLOUD_NAME.to_owned()]).unwrap();
        params.extended_key_usages = vec![usage];
        params.signed_by(key, &self.issuer).unwrap().der().clone()
    }

    pub fn cloud_certificate(&self, key: &KeyPair) -> CertificateDer<'static> {
        self.certificate(key, ExtendedKeyUsagePurpose::ServerAuth)
    }

    pub fn cloud(&self) -> (Server, String) {
        let server = self.server(ExtendedKeyUsagePurpose::ServerAuth);
        let address = server.local_address().unwrap().to_string();
        (server, address)
    }

    pub fn sign(&self, csr: &[u8], peer: &Peer, life: Life) -> String {
        let csr = CertificateSigningRequestParams::from_der(&CertificateSigningRequestDer::from(csr)).unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.subject_alt_names = vec![SanType::URI(identity::uri(peer).as_str().try_into().unwrap())];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.not_before = rcgen::date_time_ymd(life.0, 1, 1);
        params.not_after = rcgen::date_time_ymd(life.1, 1, 1);
        params.signed_by(&csr.public_key, &self.issuer).unwrap().pem()
    }

    /// A box that was enrolled some other day.
    pub fn enrolled(&self, dir: &Path, peer: &Peer, life: Life) -> identity::Identity {
        let csr = identity::request(dir).unwrap();
        identity::keep(dir, self.sign(&csr, peer, life).as_bytes(), Some(self.pem.as_bytes())).unwrap();
        identity::Identity::load(dir).unwrap()
    }
}

pub fn peer(site: &str) -> Peer {
    Peer { box_id: "000000000000000000000000000000ab".parse().unwrap(), site: site.parse().unwrap() }
}

/// Nothing in these tests takes long; what hangs fails.
pub async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), work).await.expect("this takes too long")
}
