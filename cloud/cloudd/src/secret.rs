//! Tokens and passwords: made here, and kept elsewhere only as hashes.

use anyhow::Context;
use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// Shortest password that a person may choose, in characters.
pub const PASSWORD_LEN_MIN: usize = 12;
/// Longest, in bytes: hashing costs time in proportion.
pub const PASSWORD_LEN_MAX: usize = 256;

/// 256 random bits as text for a cookie.
pub fn token() -> anyhow::Result<String> {
    Ok(URL_SAFE_NO_PAD.encode(random::<32>()?))
}

/// A password for a person to copy: four groups of five letters and digits; 100 bits.
pub fn password() -> anyhow::Result<String> {
    let letters = letters()?;
    let groups: Vec<_> = letters.as_bytes().chunks(5).map(String::from_utf8_lossy).collect();
    Ok(groups.join("-"))
}

/// The secret part of an enrolment code; 100 bits.
pub fn enrolment_token() -> anyhow::Result<String> {
    Ok(letters()?.to_ascii_uppercase())
}

/// Twenty letters and digits that look unlike one another.
fn letters() -> anyhow::Result<String> {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    Ok(random::<20>()?.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect())
}

fn random<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).context("no randomness")?;
    Ok(bytes)
}

/// What a token is stored and found by.
pub fn sha256(text: &str) -> [u8; 32] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    let mut hash = [0; 32];
    hash.copy_from_slice(digest.as_ref());
    hash
}

/// Argon2id in the PHC string format. Takes tens of milliseconds and 19 MiB.
pub fn hash_password(password: &str) -> anyhow::Result<String> {
    let hash = Argon2::default().hash_password(password.as_bytes()).map_err(|error| anyhow::anyhow!("{error}"))?;
    Ok(hash.to_string())
}

/// With `None`, for a login that is not there, takes the same time and says no (S-05).
pub fn password_fits(password: &str, stored: Option<&str>) -> bool {
    // Hash of nothing anybody knows, with the parameters of `hash_password`.
    const NOBODY: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5c19zYWx0X19fXw$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let Ok(hash) = PasswordHash::new(stored.unwrap_or(NOBODY)) else { return false };
    Argon2::default().verify_password(password.as_bytes(), &hash).is_ok() && stored.is_some()
}

/// Why a password that somebody chose is not taken.
pub fn password_is_weak(password: &str) -> Option<String> {
    if password.chars().count() < PASSWORD_LEN_MIN {
        return Some(format!("a password has at least {PASSWORD_LEN_MIN} characters"));
    }
    (password.len() > PASSWORD_LEN_MAX).then(|| format!("a password has at most {PASSWORD_LEN_MAX} bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_fits_its_own_hash_alone() {
        let hash = hash_password("correct horse battery").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(password_fits("correct horse battery", Some(&hash)));
        assert!(!password_fits("correct horse batterz", Some(&hash)));
        assert!(!password_fits("correct horse battery", None));
        assert!(!password_fits("", Some("not a hash")));
    }

    #[test]
    fn a_login_that_is_not_there_costs_a_real_hash() {
        let cost = |stored: Option<&str>| {
            let start = std::time::Instant::now();
            password_fits("correct horse battery", stored);
            start.elapsed()
        };
        let hash = hash_password("something else").unwrap();
        assert!(cost(None) * 20 > cost(Some(&hash)), "the unknown login is answered at once");
    }

    #[test]
    fn made_passwords_differ_and_are_not_weak() {
        let (one, two) = (password().unwrap(), password().unwrap());
        assert_ne!(one, two);
        assert_eq!(one.len(), 23);
        assert_eq!(password_is_weak(&one), None);
        assert!(password_is_weak("short").is_some());
        assert!(password_is_weak(&"x".repeat(PASSWORD_LEN_MAX + 1)).is_some());
    }
}
