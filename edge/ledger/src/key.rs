//! Keys and sealing: AES-256-GCM under the branch key, or under a key per contact that the branch key wraps.

use std::{fmt, fs, io, os::unix::fs::OpenOptionsExt, path::Path};

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

    /// Reads the key file, or makes one (mode 0600) where there is none.
    pub fn load_or_create(path: &Path) -> io::Result<BranchKey> {
        let mut key = BranchKey([0; KEY_LEN]);
        match fs::read(path) {
            Ok(bytes) => {
                let bytes = Zeroizing::new(bytes);
                let wrong = || io::Error::new(io::ErrorKind::InvalidData, "a branch key has 32 bytes");
                key.0 = bytes.as_slice().try_into().map_err(|_| wrong())?;
                Ok(key)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                rand::fill(&mut key.0).map_err(|_| io::Error::other("no randomness"))?;
                let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
                io::Write::write_all(&mut file, &key.0)?;
                file.sync_all()?;
                Ok(key)
            }
            Err(error) => Err(error),
        }
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

    #[test]
    fn a_key_file_is_made_once_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("branch.key");
        let made = BranchKey::load_or_create(&path).unwrap();
        assert_eq!(BranchKey::load_or_create(&path).unwrap().bytes(), made.bytes());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(&path, b"short").unwrap();
        assert!(BranchKey::load_or_create(&path).is_err());
    }
}
