//! Trunks that are known by their certificate: who connects is asked for one and need not have one. Chain, dates, name and
//! pin are judged after the handshake, so a phone that shows its maker's certificate is served as any stranger is.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConfig, SignatureScheme};

use super::domain;
use crate::config::TlsTrunk;
use crate::tls::{Own, spki_sha256};

/// Names of issuers that one certificate is judged with.
const INTERMEDIATES_MAX: usize = 10;

pub struct Callers {
    server: Arc<ServerConfig>,
    chain: Arc<dyn ClientCertVerifier>,
    trunks: Vec<Known>,
}

struct Known {
    trunk: String,
    name: Option<ServerName<'static>>,
    pin: Option<[u8; 32]>,
}

impl Callers {
    /// Of `trunks`, those that are known by certificate; None when there are none. Errors: a name that is none, no CA.
    pub fn new<'a>(
        trunks: impl Iterator<Item = (String, &'a TlsTrunk)>,
        own: &Own,
        roots: Arc<RootCertStore>,
    ) -> anyhow::Result<Option<Arc<Self>>> {
        let known = trunks.filter(|(_, wanted)| wanted.by_certificate).map(|(trunk, wanted)| {
            let name = wanted.name.clone().map(ServerName::try_from).transpose()?;
            Ok(Known { trunk, name, pin: wanted.pin })
        });
        let trunks: Vec<Known> = known.collect::<anyhow::Result<_>>()?;
        if trunks.is_empty() {
            return Ok(None);
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let chain = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&provider)).build()?;
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let asks = Arc::new(Asks(Arc::clone(&chain)));
        let server =
            builder.with_client_cert_verifier(asks).with_single_cert(own.chain.clone(), own.key.clone_key())?;
        Ok(Some(Arc::new(Self { server: Arc::new(server), chain, trunks })))
    }

    /// The TLS of listeners that trunks come to; browsers, which would bother people, are not asked.
    pub fn server(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.server)
    }

    /// Whose certificate was shown, the leaf first. Err says why it is nobody's; Ok(None): none was shown.
    pub fn who(&self, shown: Option<&[CertificateDer<'_>]>) -> Result<Option<&str>, String> {
        let Some((leaf, rest)) = shown.and_then(<[CertificateDer<'_>]>::split_first) else { return Ok(None) };
        let rest = rest.get(..rest.len().min(INTERMEDIATES_MAX)).unwrap_or_default();
        let judged = self.chain.verify_client_cert(leaf, rest, UnixTime::now());
        judged.map_err(|error| error.to_string())?;
        let mut why = String::new();
        for Known { trunk, name, pin } in &self.trunks {
            let named = name.as_ref().map_or(Ok(()), |name| domain::is_for(leaf, name));
            match named {
                Ok(()) if pin.is_none_or(|pin| spki_sha256(leaf) == Some(pin)) => return Ok(Some(trunk)),
                Ok(()) => why = format!("not the pinned key of {trunk}"),
                Err(error) => why = error.to_string(),
            }
        }
        Err(why)
    }
}

/// Takes any certificate whose key is there, and none as well.
#[derive(Debug)]
struct Asks(Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for Asks {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
