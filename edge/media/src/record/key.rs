//! Keys: one per recording, wrapped by the branch key, which exists on the box alone.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    digest,
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::Error;

/// Bytes of a branch key and of a recording's key.
pub const BRANCH_KEY_LEN: usize = 32;
/// The only way of wrapping so far: AES-256-GCM under the branch key.
const WRAP_AES_256_GCM: u8 = 1;

/// A recording's key as it lies in the header, in hex.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrappedKey {
    pub version: u8,
    /// First half of SHA-256 over the branch key: which key opens this.
    pub branch: String,
    nonce: String,
    sealed: String,
}

pub(super) type Secret = Zeroizing<[u8; BRANCH_KEY_LEN]>;

impl WrappedKey {
    /// `nonce` must be fresh: the shell draws it.
    pub(super) fn wrap(
        branch: &[u8; BRANCH_KEY_LEN],
        key: &Secret,
        nonce: [u8; NONCE_LEN],
        recording: &str,
    ) -> Result<Self, Error> {
        let mut sealed = key.to_vec();
        cipher(branch)?
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(recording.as_bytes()), &mut sealed)
            .map_err(|_| Error::Key)?;
        Ok(Self { version: WRAP_AES_256_GCM, branch: name(branch), nonce: hex(&nonce), sealed: hex(&sealed) })
    }

    pub(super) fn open(&self, branch: &[u8; BRANCH_KEY_LEN], recording: &str) -> Result<Secret, Error> {
        if self.version != WRAP_AES_256_GCM || self.branch != name(branch) {
            return Err(Error::Key);
        }
        let nonce: [u8; NONCE_LEN] = unhex(&self.nonce).and_then(|bytes| bytes.try_into().ok()).ok_or(Error::Header)?;
        let mut sealed = Zeroizing::new(unhex(&self.sealed).ok_or(Error::Header)?);
        let opened = cipher(branch)?
            .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(recording.as_bytes()), &mut sealed)
            .map_err(|_| Error::Key)?;
        Ok(Zeroizing::new((&*opened).try_into().map_err(|_| Error::Key)?))
    }
}

pub(super) fn cipher(key: &[u8; BRANCH_KEY_LEN]) -> Result<LessSafeKey, Error> {
    UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new).map_err(|_| Error::Key)
}

fn name(branch: &[u8; BRANCH_KEY_LEN]) -> String {
    hex(digest::digest(&digest::SHA256, branch).as_ref().get(..16).unwrap_or_default())
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || text.len() > 1_024 || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}
