//! The primitives: AES in counter mode with HMAC-SHA1 (RFC 3711 §4), and AES-GCM (RFC 7714). One direction's session
//! keys of either RTP or RTCP.

use aws_lc_rs::{
    aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    cipher::{AES_128, EncryptingKey, EncryptionContext, UnboundCipherKey},
    hmac,
    iv::FixedLength,
};

use super::{Master, derive};

/// Bytes of the longest tag.
pub const TAG_MAX: usize = 16;

/// RTP or RTCP: each has keys of its own (RFC 3711 §4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traffic {
    Rtp,
    Rtcp,
}

/// A packet's place in its stream: source and 48-bit index (31 bits of RTCP).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub ssrc: u32,
    pub index: u64,
}

#[allow(clippy::large_enum_variant, reason = "a protected port has four; each packet would pay for a pointer")]
pub enum Cipher {
    Counter { key: EncryptingKey, salt: [u8; 14], auth: hmac::Key },
    Gcm { key: LessSafeKey, salt: [u8; NONCE_LEN] },
}

impl Cipher {
    /// None when the library refuses the key, which it does not.
    pub fn new(master: &Master, traffic: Traffic) -> Option<Self> {
        if master.suite().is_aead() {
            let algorithm = if master.suite().key_len() == 16 { &AES_128_GCM } else { &AES_256_GCM };
            let key = derive::encryption_key(master, traffic)?;
            let key = UnboundKey::new(algorithm, key.get(..master.suite().key_len())?).ok()?;
            let salt = derive::salt(master, traffic)?;
            return Some(Self::Gcm { key: LessSafeKey::new(key), salt: *salt.first_chunk()? });
        }
        let key = derive::encryption_key(master, traffic)?;
        let key = UnboundCipherKey::new(&AES_128, key.get(..16)?).ok()?;
        let auth = derive::auth_key(master, traffic)?;
        Some(Self::Counter {
            key: EncryptingKey::ctr(key).ok()?,
            salt: derive::salt(master, traffic)?,
            auth: hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, auth.as_slice()),
        })
    }

    /// Encrypts what follows `head` bytes. `trailer` is what is authenticated behind the packet: the rollover counter of
    /// RTP, the index word of RTCP. The tag is to be cut to the suite's length.
    pub fn seal(
        &self,
        place: Place,
        packet: &mut [u8],
        head: usize,
        trailer: [u8; 4],
        rtcp: bool,
    ) -> Option<[u8; TAG_MAX]> {
        let mut tag = [0; TAG_MAX];
        match self {
            Self::Counter { key, salt, auth } => {
                counter(key, salt, place, packet.get_mut(head..)?)?;
                copy(&mut tag, sign(auth, packet, trailer).as_ref());
            }
            Self::Gcm { key, salt } => {
                let (aad, length) = associated(packet.get(..head)?, trailer, rtcp)?;
                let body = packet.get_mut(head..)?;
                let aad = Aad::from(aad.get(..length)?);
                let sealed = key.seal_in_place_separate_tag(nonce(salt, place, rtcp), aad, body).ok()?;
                copy(&mut tag, sealed.as_ref());
            }
        }
        Some(tag)
    }

    /// Proves and decrypts what follows `head` bytes. None, and nothing was decrypted that may be used, when the tag is
    /// not this packet's.
    pub fn open(
        &self,
        place: Place,
        packet: &mut [u8],
        head: usize,
        trailer: [u8; 4],
        tag: &[u8],
        rtcp: bool,
    ) -> Option<()> {
        match self {
            Self::Counter { key, salt, auth } => {
                let made = sign(auth, packet, trailer);
                let made = made.as_ref().get(..tag.len())?;
                aws_lc_rs::constant_time::verify_slices_are_equal(made, tag).ok()?;
                counter(key, salt, place, packet.get_mut(head..)?)
            }
            Self::Gcm { key, salt } => {
                let (aad, length) = associated(packet.get(..head)?, trailer, rtcp)?;
                let body = packet.get_mut(head..)?;
                // The library wants the tag behind what it opens, and room for both.
                let mut whole = [0; super::open::LEN_MAX];
                let end = body.len().checked_add(tag.len())?;
                let room = whole.get_mut(..end)?;
                let (text, last) = room.split_at_mut_checked(body.len())?;
                text.copy_from_slice(body);
                last.copy_from_slice(tag);
                let opened = key.open_in_place(nonce(salt, place, rtcp), Aad::from(aad.get(..length)?), room).ok()?;
                body.copy_from_slice(opened);
                Some(())
            }
        }
    }
}

/// Longest part of a packet in clear: the fixed header, fifteen sources, and an extension of 64 words; an RTCP head and
/// its index word.
const ASSOCIATED_MAX: usize = 12 + 15 * 4 + 4 + 64 * 4;

/// RFC 7714 §8.1: the RTP header; §9.2: the first eight bytes of RTCP and the index word.
fn associated(head: &[u8], trailer: [u8; 4], rtcp: bool) -> Option<([u8; ASSOCIATED_MAX], usize)> {
    let mut aad = [0; ASSOCIATED_MAX];
    aad.get_mut(..head.len())?.copy_from_slice(head);
    if rtcp {
        aad.get_mut(head.len()..head.len() + 4)?.copy_from_slice(&trailer);
        return Some((aad, head.len() + 4));
    }
    Some((aad, head.len()))
}

/// RFC 3711 §4.1.1: IV = (salt · 2^16) ⊕ (SSRC · 2^64) ⊕ (index · 2^16).
fn counter(key: &EncryptingKey, salt: &[u8; 14], place: Place, body: &mut [u8]) -> Option<()> {
    let mut iv = [0; 16];
    iv[..14].copy_from_slice(salt);
    xor(&mut iv[4..8], &place.ssrc.to_be_bytes());
    xor(&mut iv[8..14], &place.index.to_be_bytes()[2..]);
    let context = EncryptionContext::Iv128(FixedLength::from(&iv));
    key.less_safe_encrypt(body, context).ok().map(drop)
}

/// RFC 7714 §8.1: two zero bytes, SSRC, rollover counter and sequence; §9.1: two zero bytes more before RTCP's index.
fn nonce(salt: &[u8; NONCE_LEN], place: Place, rtcp: bool) -> Nonce {
    let mut iv = *salt;
    xor(&mut iv[2..6], &place.ssrc.to_be_bytes());
    let index = place.index.to_be_bytes();
    if rtcp {
        xor(&mut iv[8..12], &index[4..]);
    } else {
        xor(&mut iv[6..12], &index[2..]);
    }
    Nonce::assume_unique_for_key(iv)
}

fn sign(key: &hmac::Key, packet: &[u8], trailer: [u8; 4]) -> hmac::Tag {
    let mut context = hmac::Context::with_key(key);
    context.update(packet);
    context.update(&trailer);
    context.sign()
}

fn xor(bytes: &mut [u8], with: &[u8]) {
    for (byte, other) in bytes.iter_mut().zip(with) {
        *byte ^= other;
    }
}

fn copy(tag: &mut [u8; TAG_MAX], made: &[u8]) {
    for (byte, made) in tag.iter_mut().zip(made) {
        *byte = *made;
    }
}
