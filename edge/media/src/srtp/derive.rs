//! Session keys from a master key (RFC 3711 §4.3, with a key derivation rate of zero: once).

use aws_lc_rs::{
    cipher::{AES_128, AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey},
    iv::FixedLength,
};

use super::{Master, cipher::Traffic};

/// RFC 3711 §4.3.1.
fn label(traffic: Traffic, rtp: u8) -> u8 {
    match traffic {
        Traffic::Rtp => rtp,
        Traffic::Rtcp => rtp + 3,
    }
}

/// As many bytes as the suite's key has count.
pub fn encryption_key(master: &Master, traffic: Traffic) -> Option<[u8; 32]> {
    derived(master.key(), master.salt(), label(traffic, 0))
}

/// RFC 3711 §5.2: 160 bits.
pub fn auth_key(master: &Master, traffic: Traffic) -> Option<[u8; 20]> {
    derived(master.key(), master.salt(), label(traffic, 1))
}

/// As many bytes as the suite's salt has count.
pub fn salt(master: &Master, traffic: Traffic) -> Option<[u8; 14]> {
    derived(master.key(), master.salt(), label(traffic, 2))
}

/// RFC 3711 §4.3.3: AES in counter mode over (label · 2^48 ⊕ salt) · 2^16. A salt of 96 bits is filled up with zeroes
/// at its end (RFC 7714 §11), and AES has the length of the master key (RFC 6188 §3).
pub(super) fn derived<const N: usize>(key: &[u8], salt: &[u8], label: u8) -> Option<[u8; N]> {
    let mut iv = [0; 16];
    iv.get_mut(..salt.len())?.copy_from_slice(salt);
    iv[7] ^= label;
    let algorithm = if key.len() == 16 { &AES_128 } else { &AES_256 };
    let cipher = EncryptingKey::ctr(UnboundCipherKey::new(algorithm, key).ok()?).ok()?;
    let mut out = [0; N];
    cipher.less_safe_encrypt(&mut out, EncryptionContext::Iv128(FixedLength::from(&iv))).ok()?;
    Some(out)
}
