//! What TLS asks of us and of others: our certificate for those who connect, and what a trunk's peer must prove when we
//! connect to it (S-15): chain, name, dates, and the pin if there is one.

mod callers;
mod domain;

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_cert_signed_by_trust_anchor};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore, ServerConfig,
    SignatureScheme,
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::config::TlsTrunk;
use crate::tls::Own;
pub use callers::Callers;

/// What listeners need.
#[derive(Clone, Default)]
pub struct Security {
    /// None: no listener for TLS or secure WebSocket can be opened.
    pub server: Option<Arc<ServerConfig>>,
    /// None: no trunk is known by its certificate.
    pub callers: Option<Arc<Callers>>,
    /// Origins of pages that may open a WebSocket, such as `https://box.example:8443`.
    pub origins: Vec<String>,
}

impl Security {
    /// Asks who connects over TLS for a certificate, when one of `trunks` is known by it. Errors: a name that is none, no
    /// CA in `roots`.
    pub fn asking<'a>(
        self,
        trunks: impl Iterator<Item = (String, &'a TlsTrunk)>,
        own: &Own,
        roots: Arc<RootCertStore>,
    ) -> anyhow::Result<Self> {
        Ok(Self { callers: Callers::new(trunks, own, roots)?, ..self })
    }
}

/// What a trunk's peer must prove.
#[derive(Clone)]
pub struct Peer {
    name: ServerName<'static>,
    config: Arc<ClientConfig>,
    /// The trunk that is known by what it proves here; None: by its address.
    trunk: Option<String>,
    /// What it was made of: connections outlive a configuration that says the same.
    marks: (String, Option<[u8; 32]>),
}

impl PartialEq for Peer {
    fn eq(&self, other: &Self) -> bool {
        self.marks == other.marks
    }
}

impl Peer {
    /// `name` is the host name or address that the certificate must be for; `pin` the SHA-256 of its public key
    /// (SubjectPublicKeyInfo, RFC 7469 §2.4). Errors: a name that is none.
    pub fn new(
        name: &str,
        pin: Option<[u8; 32]>,
        roots: Arc<rustls::RootCertStore>,
        own: Option<&crate::tls::Own>,
    ) -> anyhow::Result<Self> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let chain = WebPkiServerVerifier::builder_with_provider(Arc::clone(&roots), provider.clone()).build()?;
        let verifier = Arc::new(Verifier { chain, roots, algorithms: provider.signature_verification_algorithms, pin });
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
        let config = match own {
            Some(own) => builder.with_client_auth_cert(own.chain.clone(), own.key.clone_key())?,
            None => builder.with_no_client_auth(),
        };
        let marks = (name.to_string(), pin);
        let name = ServerName::try_from(name.to_string())?;
        Ok(Self { name, config: Arc::new(config), trunk: None, marks })
    }

    /// What comes down a connection to this peer is the trunk's (RFC 5923), whatever its address.
    pub fn known_as(self, trunk: String) -> Self {
        Self { trunk: Some(trunk), ..self }
    }

    pub fn trunk(&self) -> Option<String> {
        self.trunk.clone()
    }

    pub async fn connect(&self, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        TlsConnector::from(Arc::clone(&self.config)).connect(self.name.clone(), stream).await
    }
}

/// As people are told it; rustls prints some causes by `Debug`.
#[derive(thiserror::Error)]
#[error("not the pinned key")]
struct NotPinned;

impl std::fmt::Debug for NotPinned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

/// Chain and dates as webpki judges them, the name by RFC 5922; then the pin.
#[derive(Debug)]
struct Verifier {
    chain: Arc<WebPkiServerVerifier>,
    roots: Arc<RootCertStore>,
    algorithms: WebPkiSupportedAlgorithms,
    pin: Option<[u8; 32]>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if domain::domains(end_entity).is_empty() {
            self.chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)?;
        } else {
            let leaf = ParsedCertificate::try_from(end_entity)?;
            verify_server_cert_signed_by_trust_anchor(&leaf, &self.roots, intermediates, now, self.algorithms.all)?;
            domain::is_for(end_entity, server_name)?;
        }
        match self.pin {
            Some(pin) if crate::tls::spki_sha256(end_entity) != Some(pin) => {
                Err(Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(NotPinned)))))
            }
            _ => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}
