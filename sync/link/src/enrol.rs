//! Enrolment: a one-time code becomes a certificate. `TOKEN.FINGERPRINT`: the token proves the box to the cloud, the
//! CA's fingerprint proves the cloud to the box.
//!
//! The device key is on disk before the token is sent, and the cloud answers the same key again, so an answer lost on
//! the way costs nothing but a second try.

use std::{fmt, path::Path, str::FromStr, time::Duration};

use wire::session::Peer;

use crate::{
    CLOUD_NAME, client, code,
    endpoint::Endpoint,
    identity::{self, sha256},
    opening::{self, EnrolAnswer, EnrolRequest, Refusal},
    tls, transport,
};

/// Characters of a token.
pub const TOKEN_LEN_MAX: usize = 64;
const PATIENCE: Duration = Duration::from_secs(15);

/// What a person types or pastes on the box.
#[derive(Clone, PartialEq, Eq)]
pub struct Code {
    pub token: String,
    pub ca_sha256: [u8; 32],
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.token, hex::encode(self.ca_sha256))
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(…)")
    }
}

impl FromStr for Code {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (token, fingerprint) = text.trim().split_once('.').ok_or(Error::Code)?;
        let fits = (8..=TOKEN_LEN_MAX).contains(&token.len()) && token.bytes().all(|b| b.is_ascii_alphanumeric());
        let mut ca_sha256 = [0; 32];
        hex::decode_to_slice(fingerprint, &mut ca_sha256).map_err(|_| Error::Code)?;
        if fits { Ok(Self { token: token.to_owned(), ca_sha256 }) } else { Err(Error::Code) }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("an enrolment code is TOKEN.FINGERPRINT, the fingerprint of 64 hexadecimal digits")]
    Code,
    #[error("the cloud refused: {reason:?}")]
    Refused { reason: Refusal, retry_after: Duration },
    #[error("the cloud's answer does not fit the code or the key")]
    Answer,
    #[error("no answer in time")]
    Silent,
    #[error(transparent)]
    Connect(#[from] client::Error),
    #[error(transparent)]
    Message(#[from] opening::Error),
    #[error(transparent)]
    Identity(#[from] identity::Error),
    #[error(transparent)]
    Tls(#[from] rustls::Error),
}

/// Asks the cloud for a certificate and writes `key.pem`, `cert.pem` and `ca.pem` to `dir`.
pub async fn enrol(cloud: impl Into<Endpoint>, code: &Code, dir: &Path, software: [u16; 3]) -> Result<Peer, Error> {
    let cloud = cloud.into();
    let csr = identity::request(dir)?;
    let request = EnrolRequest { token: code.token.clone(), csr: csr.into(), software };
    let answer = tokio::time::timeout(PATIENCE, ask(&cloud, code, &request)).await.map_err(|_| Error::Silent)??;
    let (certificate, ca) = match answer {
        EnrolAnswer::Granted { certificate, ca } => (certificate, ca),
        EnrolAnswer::Refused { reason, retry_after_ms } => {
            return Err(Error::Refused { reason, retry_after: Duration::from_millis(retry_after_ms) });
        }
    };
    accept(code, dir, &certificate, &ca)
}

async fn ask(cloud: &Endpoint, code: &Code, request: &EnrolRequest) -> Result<EnrolAnswer, Error> {
    let (endpoint, address) = client::endpoint(cloud).await?;
    let config = client::config(tls::enrolling(code.ca_sha256)?, transport::ours());
    let connection = client::handshake(&endpoint, config, address, CLOUD_NAME).await?;
    let (mut send, mut receive) = connection.open_bi().await.map_err(client::Error::from)?;
    opening::write(&mut send, request).await?;
    let answer = opening::read(&mut receive).await?;
    connection.close(code::DONE, b"");
    endpoint.wait_idle().await;
    Ok(answer)
}

/// The CA must be the one of the code, and the certificate must be for our key.
fn accept(code: &Code, dir: &Path, certificate: &[u8], ca: &[u8]) -> Result<Peer, Error> {
    use rustls::pki_types::{CertificateDer, pem::PemObject};
    let der = CertificateDer::from_pem_slice(certificate).map_err(|_| Error::Answer)?;
    let ca_der = CertificateDer::from_pem_slice(ca).map_err(|_| Error::Answer)?;
    let peer = identity::peer_of(&der)?;
    if sha256(&ca_der) != code.ca_sha256 || !identity::is_for_key(dir, &der)? {
        return Err(Error::Answer);
    }
    identity::keep(dir, certificate, Some(ca))?;
    Ok(peer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_survives_printing_and_parsing() {
        let code = Code { token: "ABCDEFGH2345".into(), ca_sha256: [7; 32] };
        assert_eq!(format!(" {code}\n").parse::<Code>().unwrap(), code);
        assert_eq!(format!("{code:?}"), "Code(…)", "a token is not for logs");
    }

    #[test]
    fn what_is_not_a_code_is_refused() {
        let fingerprint = "07".repeat(32);
        for text in [
            String::new(),
            "ABCDEFGH".into(),
            format!("short.{fingerprint}"),
            format!("ABC/EFGH.{fingerprint}"),
            format!("{}.{fingerprint}", "A".repeat(TOKEN_LEN_MAX + 1)),
            format!("ABCDEFGH.{}", &fingerprint[1..]),
            format!("ABCDEFGH.{fingerprint}.x"),
        ] {
            assert!(text.parse::<Code>().is_err(), "{text}");
        }
    }
}
