//! What TLS accepts: boxes and clouds of one organisation, told apart by key usage; and, for enrolment, a CA known only
//! by its fingerprint. TLS 1.3, aws-lc, no session tickets that carry early data.

use std::{sync::Arc, time::Duration};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime},
    server::{
        WebPkiClientVerifier,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
};
use wire::session::Peer;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::{ALPN_BOX, ALPN_ENROL, identity};

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn roots(ca: &CertificateDer<'_>) -> Result<Arc<RootCertStore>, rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(ca.clone().into_owned())?;
    Ok(Arc::new(roots))
}

fn box_verifier(ca: &CertificateDer<'_>) -> Result<Arc<dyn ClientCertVerifier>, rustls::Error> {
    WebPkiClientVerifier::builder_with_provider(roots(ca)?, provider())
        .build()
        .map_err(|e| rustls::Error::General(e.to_string()))
}

fn cloud_verifier(ca: &CertificateDer<'_>) -> Result<Arc<WebPkiServerVerifier>, rustls::Error> {
    WebPkiServerVerifier::builder_with_provider(roots(ca)?, provider())
        .build()
        .map_err(|e| rustls::Error::General(e.to_string()))
}

/// A box's side.
pub fn client(identity: &identity::Identity) -> Result<QuicClientConfig, rustls::Error> {
    let mut config = rustls::ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_webpki_verifier(cloud_verifier(&identity.ca)?)
        .with_client_auth_cert(vec![identity.certificate.clone()], identity.key())?;
    config.alpn_protocols = vec![ALPN_BOX.to_vec()];
    quic_client(config)
}

/// The side of a box that has no certificate yet.
pub fn enrolling(ca_sha256: [u8; 32]) -> Result<QuicClientConfig, rustls::Error> {
    let verifier = Arc::new(PinnedCa { sha256: ca_sha256, provider: provider() });
    let mut config = rustls::ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.alpn_protocols = vec![ALPN_ENROL.to_vec()];
    quic_client(config)
}

fn quic_client(config: rustls::ClientConfig) -> Result<QuicClientConfig, rustls::Error> {
    QuicClientConfig::try_from(config).map_err(|e| rustls::Error::General(e.to_string()))
}

/// The cloud's side. A certificate is optional in TLS, since enrolling boxes have none: the server refuses a box
/// without one before anything is read from it.
pub fn server(
    ca: &CertificateDer<'static>,
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
) -> Result<QuicServerConfig, rustls::Error> {
    let verifier = Arc::new(BoxOrNobody(box_verifier(ca)?));
    let mut config = rustls::ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![certificate, ca.clone()], key)?;
    config.alpn_protocols = vec![ALPN_BOX.to_vec(), ALPN_ENROL.to_vec()];
    // S-81: nothing is accepted before the handshake is complete.
    config.max_early_data_size = 0;
    QuicServerConfig::try_from(config).map_err(|e| rustls::Error::General(e.to_string()))
}

/// Verifies box certificates and what boxes have signed, outside of TLS.
#[derive(Clone)]
pub struct Trust {
    verifier: Arc<dyn ClientCertVerifier>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("not a certificate of this organisation: {0}")]
    Certificate(#[from] rustls::Error),
    #[error(transparent)]
    Identity(#[from] identity::Error),
    #[error("the signature does not match")]
    Signature,
}

impl Trust {
    pub fn new(ca: &CertificateDer<'_>) -> Result<Self, rustls::Error> {
        Ok(Self { verifier: box_verifier(ca)? })
    }

    /// The box that holds the certificate's key and signed this message.
    pub fn signed_by(&self, certificate: &[u8], message: &[u8], signature: &[u8], now_s: u64) -> Result<Peer, Error> {
        let der = CertificateDer::from(certificate);
        let now = UnixTime::since_unix_epoch(Duration::from_secs(now_s));
        self.verifier.verify_client_cert(&der, &[], now)?;
        let peer = identity::peer_of(certificate)?;
        let (_, parsed) = X509Certificate::from_der(certificate).map_err(|_| identity::Error::Certificate)?;
        let key = &parsed.public_key().subject_public_key.data;
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key.as_ref())
            .verify(message, signature)
            .map_err(|_| Error::Signature)?;
        Ok(peer)
    }
}

/// Verifies a certificate when there is one.
#[derive(Debug)]
struct BoxOrNobody(Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for BoxOrNobody {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        match self.0.verify_client_cert(end_entity, intermediates, now) {
            // DESIGN 14: an expired certificate may only renew itself. It is verified as of its last second, and the
            // server tells the hub that this box may do nothing else.
            Err(rustls::Error::InvalidCertificate(
                CertificateError::Expired | CertificateError::ExpiredContext { .. },
            )) => {
                let end = identity::validity(end_entity).ok().and_then(|(_, end)| u64::try_from(end).ok());
                let end = end.ok_or(rustls::Error::InvalidCertificate(CertificateError::BadEncoding))?;
                let then = UnixTime::since_unix_epoch(Duration::from_secs(end.saturating_sub(1)));
                self.0.verify_client_cert(end_entity, intermediates, then)
            }
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// The CA must be among what the cloud shows, and have the fingerprint of the enrolment code.
#[derive(Debug)]
struct PinnedCa {
    sha256: [u8; 32],
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for PinnedCa {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let ca = intermediates
            .iter()
            .find(|ca| identity::sha256(ca) == self.sha256)
            .ok_or(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer))?;
        cloud_verifier(ca)?.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.3 only".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
