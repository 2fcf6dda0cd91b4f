//! Keys: one per recording, wrapped by the branch key, which exists on the box alone. A file has two places for wrapped
//! keys, each in a sector of its own: another branch key gets the place that is not in use, so that whatever moment the
//! power fails in, one of the two opens.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    digest,
};
use zeroize::Zeroizing;

use super::Error;

/// Bytes of a branch key and of a recording's key.
pub const BRANCH_KEY_LEN: usize = 32;
/// The only way of wrapping so far: AES-256-GCM under the branch key.
const WRAP_AES_256_GCM: u8 = 1;
const NAME_LEN: usize = 16;
const SEALED_LEN: usize = BRANCH_KEY_LEN + 16;
/// Bytes of a wrapped key: way, name of the branch key, nonce, key and tag.
pub(super) const WRAPPED_LEN: usize = 1 + NAME_LEN + NONCE_LEN + SEALED_LEN;

pub(super) type Secret = Zeroizing<[u8; BRANCH_KEY_LEN]>;

/// `nonce` must be fresh: the shell draws it.
pub(super) fn wrap(
    branch: &[u8; BRANCH_KEY_LEN],
    key: &Secret,
    nonce: [u8; NONCE_LEN],
    recording: &str,
) -> Result<[u8; WRAPPED_LEN], Error> {
    let mut sealed = key.to_vec();
    cipher(branch)?
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(recording.as_bytes()), &mut sealed)
        .map_err(|_| Error::Key)?;
    let mut bytes = [0; WRAPPED_LEN];
    bytes[0] = WRAP_AES_256_GCM;
    bytes[1..=NAME_LEN].copy_from_slice(&name(branch));
    bytes[1 + NAME_LEN..1 + NAME_LEN + NONCE_LEN].copy_from_slice(&nonce);
    bytes[1 + NAME_LEN + NONCE_LEN..].copy_from_slice(&sealed);
    Ok(bytes)
}

/// None: wrapped by another branch key, or damaged.
pub(super) fn unwrap(wrapped: &[u8], branch: &[u8; BRANCH_KEY_LEN], recording: &str) -> Option<Secret> {
    let (way, rest) = wrapped.split_first()?;
    let (named, rest) = rest.split_first_chunk::<NAME_LEN>()?;
    let (nonce, rest) = rest.split_first_chunk::<NONCE_LEN>()?;
    let sealed = rest.first_chunk::<SEALED_LEN>()?;
    if *way != WRAP_AES_256_GCM || *named != name(branch) {
        return None;
    }
    let mut sealed = Zeroizing::new(sealed.to_vec());
    let opened = cipher(branch)
        .ok()?
        .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(recording.as_bytes()), &mut sealed)
        .ok()?;
    Some(Zeroizing::new((&*opened).try_into().ok()?))
}

pub(super) fn cipher(key: &[u8; BRANCH_KEY_LEN]) -> Result<LessSafeKey, Error> {
    UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new).map_err(|_| Error::Key)
}

/// First half of SHA-256 over the branch key: which key opens this.
fn name(branch: &[u8; BRANCH_KEY_LEN]) -> [u8; NAME_LEN] {
    let mut name = [0; NAME_LEN];
    if let Some(half) = digest::digest(&digest::SHA256, branch).as_ref().get(..NAME_LEN) {
        name.copy_from_slice(half);
    }
    name
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
