//! Keys and sealing: AES-256-GCM under the branch key, or under a key per contact that the branch key wraps.

use std::fmt;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand,
};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::error::Error;

pub(crate) const KEY_LEN: usize = 32;

/// The key of a branch. It never leaves the box, and everything personal on the box depends on it.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct BranchKey([u8; KEY_LEN]);

impl fmt::Debug for BranchKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BranchKey(…)")
    }
}

impl BranchKey {
    pub fn new(bytes: [u8; KEY_LEN]) -> BranchKey {
        BranchKey(bytes)
    }

    pub fn bytes(&self) -> &[u8; KEY_LEN] {
        &self.0
    }

    pub(crate) fn seal(&self, context: &[u8], plain: &[u8]) -> Result<Vec<u8>, Error> {
        seal(&self.0, context, plain)
    }

    pub(crate) fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        open(&self.0, context, sealed)
    }
}

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

pub(crate) fn random_key() -> Result<Zeroizing<[u8; KEY_LEN]>, Error> {
    let mut key = Zeroizing::new([0; KEY_LEN]);
    rand::fill(key.as_mut_slice()).map_err(|_| Error::Refused("no randomness".into()))?;
    Ok(key)
}

/// Nonce, then ciphertext and tag; `context` is authenticated beside it. Keys seal few values, so a random nonce of 96
/// bits does not repeat (NIST SP 800-38D §8.3: fewer than 2^32 per key).
pub(crate) fn seal(key: &[u8; KEY_LEN], context: &[u8], plain: &[u8]) -> Result<Vec<u8>, Error> {
    let mut nonce = [0; NONCE_LEN];
    rand::fill(&mut nonce).map_err(|_| Error::Sealed)?;
    let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).map_err(|_| Error::Sealed)?);
    let mut sealed = plain.to_vec();
    cipher
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(context), &mut sealed)
        .map_err(|_| Error::Sealed)?;
    let mut out = nonce.to_vec();
    out.append(&mut sealed);
    Ok(out)
}

pub(crate) fn open(key: &[u8; KEY_LEN], context: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let (nonce, body) = sealed.split_at_checked(NONCE_LEN).ok_or(Error::Sealed)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Error::Sealed)?;
    let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).map_err(|_| Error::Sealed)?);
    let mut plain = Zeroizing::new(body.to_vec());
    let len = cipher.open_in_place(nonce, Aad::from(context), &mut plain).map_err(|_| Error::Sealed)?.len();
    plain.truncate(len);
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_text_opens_with_its_key_and_its_context_only() {
        let key = BranchKey::new([1; 32]);
        let sealed = key.seal(b"a", b"hello").unwrap();
        assert_eq!(key.open(b"a", &sealed).unwrap().as_slice(), b"hello");
        assert_eq!(key.open(b"b", &sealed), Err(Error::Sealed));
        assert_eq!(BranchKey::new([2; 32]).open(b"a", &sealed), Err(Error::Sealed));
        for len in 0..sealed.len() {
            assert_eq!(key.open(b"a", &sealed[..len]), Err(Error::Sealed));
        }
    }

    #[test]
    fn keys_and_secrets_do_not_print_themselves() {
        let text = format!("{:?} {:?}", BranchKey::new([65; 32]), Secret::new("AAAA"));
        assert!(!text.contains("AA") && !text.contains("65"), "{text}");
    }
}
