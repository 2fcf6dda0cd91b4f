//! The report as data: JSON with sorted keys, so that what is signed can be written again from what was read.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::plan::Kind;
use crate::verdict::{Mark, Text};

/// Grows when a reader of older reports would misread a newer one.
pub const VERSION: u32 = 1;
/// Longest report that is read, in bytes.
pub const BYTES_MAX: usize = 16 * 1024 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    Sent,
    Received,
}

/// One message, secrets masked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Since the probe began.
    pub at_ms: u64,
    pub way: Way,
    pub link: String,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    pub id: String,
    pub rfc: String,
    pub title: Text,
    pub mark: Mark,
    pub said: Text,
    /// What to do about it, for fail and warn.
    pub advice: Option<Text>,
    pub took_ms: u64,
    pub evidence: Vec<Evidence>,
}

/// What the engine found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Findings {
    /// As the device names itself.
    pub product: Option<String>,
    pub outcomes: Vec<Outcome>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub version: u32,
    pub kind: Kind,
    /// The target's URI.
    pub target: String,
    pub product: Option<String>,
    /// Who tested: site and software.
    pub site: String,
    pub software: String,
    /// RFC 3339, UTC.
    pub began: String,
    pub took_s: u64,
    pub outcomes: Vec<Outcome>,
}

/// A report and who vouches for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    pub report: Report,
    pub signature: Signature,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// `ecdsa-p256-sha256` over the canonical JSON of `report`; ASN.1 form.
    pub algorithm: String,
    /// `identity` (the box's, with its certificate) or `lab` (a key of its own).
    pub by: Signer,
    /// Uncompressed point, hex.
    pub public_key: String,
    /// PEM, for a box's identity.
    pub certificate: Option<String>,
    pub value: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signer {
    Identity,
    Lab,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("a report has at most {BYTES_MAX} bytes")]
    TooLarge,
    #[error("not a report: {0}")]
    Syntax(#[from] serde_json::Error),
    #[error("a report of version {0}; this program reads {VERSION}")]
    Version(u32),
}

impl Report {
    pub fn count(&self, mark: Mark) -> usize {
        self.outcomes.iter().filter(|outcome| outcome.mark == mark).count()
    }

    pub fn outcome(&self, id: &str) -> Option<&Outcome> {
        self.outcomes.iter().find(|outcome| outcome.id == id)
    }

    /// What the signature is over.
    pub fn canonical(&self) -> Result<Vec<u8>, Error> {
        Ok(serde_json::to_vec(&sorted(serde_json::to_value(self)?))?)
    }
}

impl Signed {
    /// Reads a report; the signature is not looked at here.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > BYTES_MAX {
            return Err(Error::TooLarge);
        }
        let signed: Self = serde_json::from_slice(bytes)?;
        if signed.report.version != VERSION {
            return Err(Error::Version(signed.report.version));
        }
        Ok(signed)
    }

    pub fn write(&self) -> Result<String, Error> {
        Ok(serde_json::to_string_pretty(&sorted(serde_json::to_value(self)?))?)
    }
}

/// Keys in order of their bytes, at every depth.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut pairs: Vec<(String, Value)> = map.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            pairs.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(pairs.into_iter().collect())
        }
        Value::Array(list) => Value::Array(list.into_iter().map(sorted).collect()),
        other => other,
    }
}
