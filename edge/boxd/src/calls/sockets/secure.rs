//! What TLS asks of us and of others: our certificate for those who connect, and what a trunk's peer must prove when we
//! connect to it (S-15): chain, name, dates, and the pin if there is one.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, ServerConfig, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// What listeners need.
#[derive(Clone, Default)]
pub struct Security {
    /// None: no listener for TLS or secure WebSocket can be opened.
    pub server: Option<Arc<ServerConfig>>,
    /// Origins of pages that may open a WebSocket, such as `https://box.example:8443`.
    pub origins: Vec<String>,
}

/// What a trunk's peer must prove.
#[derive(Clone)]
pub struct Peer {
    name: ServerName<'static>,
    config: Arc<ClientConfig>,
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
        let chain = WebPkiServerVerifier::builder_with_provider(roots, provider.clone()).build()?;
        let verifier = Arc::new(Verifier { chain, pin });
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
        let config = match own {
            Some(own) => builder.with_client_auth_cert(own.chain.clone(), own.key.clone_key())?,
            None => builder.with_no_client_auth(),
        };
        let marks = (name.to_string(), pin);
        Ok(Self { name: ServerName::try_from(name.to_string())?, config: Arc::new(config), marks })
    }

    pub async fn connect(&self, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        TlsConnector::from(Arc::clone(&self.config)).connect(self.name.clone(), stream).await
    }
}

/// Chain, dates and name as webpki judges them; then the pin.
#[derive(Debug)]
struct Verifier {
    chain: Arc<WebPkiServerVerifier>,
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
        let verified = self.chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)?;
        match self.pin {
            Some(pin) if crate::tls::spki_sha256(end_entity) != Some(pin) => {
                Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
            }
            _ => Ok(verified),
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
