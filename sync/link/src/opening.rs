//! The first words on a connection: what it is for, and whether it may. Each is `length: u16 big endian`, then CBOR.

use bytes::Bytes;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Longest message of this kind: a certificate request or two certificates.
pub const MESSAGE_BYTES_MAX: usize = 32 * 1024;

/// A box with a certificate says what the connection is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "open", rename_all = "snake_case")]
pub enum Opening {
    /// Frames follow on this stream, both ways.
    Control,
    /// Datagrams follow, once the cloud has answered.
    Media,
    /// A bundle's bytes follow the answer, from an offset on.
    Bulk { name: String, offset: u64 },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    Ready {
        /// Of the whole bundle; 0 where there is none.
        size: u64,
    },
    Refused {
        reason: Refusal,
        retry_after_ms: u64,
    },
}

/// A box without a certificate asks for one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolRequest {
    pub token: String,
    /// DER.
    pub csr: Bytes,
    pub software: [u16; 3],
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum EnrolAnswer {
    /// PEM, both.
    Granted {
        certificate: Bytes,
        ca: Bytes,
    },
    Refused {
        reason: Refusal,
        retry_after_ms: u64,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    UnknownToken,
    UsedToken,
    ExpiredToken,
    /// The request for a certificate is not one, or not signed by its key.
    BadRequest,
    NotLinked,
    NoSuchBundle,
    Overload,
    Unavailable,
    #[serde(other)]
    Other,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("reading: {0}")]
    Read(#[from] quinn::ReadExactError),
    #[error("writing: {0}")]
    Write(#[from] quinn::WriteError),
    #[error("a message of {0} bytes")]
    TooLarge(usize),
    #[error("not a message: {0}")]
    Body(String),
}

pub async fn write<T: Serialize>(stream: &mut quinn::SendStream, message: &T) -> Result<(), Error> {
    let mut body = Vec::new();
    ciborium::into_writer(message, &mut body).map_err(|e| Error::Body(e.to_string()))?;
    let length = u16::try_from(body.len()).ok().filter(|_| body.len() <= MESSAGE_BYTES_MAX);
    stream.write_all(&length.ok_or(Error::TooLarge(body.len()))?.to_be_bytes()).await?;
    Ok(stream.write_all(&body).await?)
}

pub async fn read<T: DeserializeOwned>(stream: &mut quinn::RecvStream) -> Result<T, Error> {
    let mut prefix = [0; 2];
    stream.read_exact(&mut prefix).await?;
    let length = usize::from(u16::from_be_bytes(prefix));
    if length > MESSAGE_BYTES_MAX {
        return Err(Error::TooLarge(length));
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    ciborium::from_reader(body.as_slice()).map_err(|e| Error::Body(e.to_string()))
}
