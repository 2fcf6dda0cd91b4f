//! STUN as an ICE-lite agent needs it (RFC 8489, RFC 8445 §2.5): a party's binding request proven and answered. We send
//! none of our own.

use std::net::{IpAddr, SocketAddr};

use aws_lc_rs::hmac;

const HEADER_LEN: usize = 20;
/// RFC 8489 §5.
const COOKIE: u32 = 0x2112_a442;
const BINDING_REQUEST: u16 = 0x0001;
const BINDING_SUCCESS: u16 = 0x0101;
/// RFC 8489 §18.3, RFC 8445 §20.
const USERNAME: u16 = 0x0006;
const MESSAGE_INTEGRITY: u16 = 0x0008;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
const USE_CANDIDATE: u16 = 0x0025;
const FINGERPRINT: u16 = 0x8028;
/// Attributes of one message that are looked at.
const ATTRIBUTES_MAX: usize = 24;
/// Bytes of an answer of ours.
pub const ANSWER_MAX: usize = HEADER_LEN + 24 + 24 + 8;

/// A request that proved itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    pub transaction: [u8; 12],
    /// The party has chosen this path (RFC 8445 §7.3.1.5).
    pub nominates: bool,
}

/// RFC 7983 §7: the first byte tells.
pub fn is_stun(packet: &[u8]) -> bool {
    packet.first().is_some_and(|first| *first < 4)
}

/// Reads a binding request to `user` (`ours:theirs`) that was signed with our `password`. None for everything else: it
/// gets no answer, so that nobody who does not know the password learns or moves anything.
pub fn read(packet: &[u8], user: &str, password: &str) -> Option<Request> {
    let (head, mut rest) = packet.split_first_chunk::<HEADER_LEN>()?;
    let [k0, k1, l0, l1, c0, c1, c2, c3, transaction @ ..] = *head;
    let kind = u16::from_be_bytes([k0, k1]);
    let length = usize::from(u16::from_be_bytes([l0, l1]));
    if kind != BINDING_REQUEST || u32::from_be_bytes([c0, c1, c2, c3]) != COOKIE || rest.len() != length {
        return None;
    }
    let (mut named, mut nominates) = (false, false);
    for _ in 0..ATTRIBUTES_MAX {
        let at = packet.len().checked_sub(rest.len())?;
        let (attribute, after) = rest.split_first_chunk::<4>()?;
        let kind = u16::from_be_bytes([attribute[0], attribute[1]]);
        let length = usize::from(u16::from_be_bytes([attribute[2], attribute[3]]));
        let value = after.get(..length)?;
        match kind {
            USERNAME => named = value == user.as_bytes(),
            USE_CANDIDATE => nominates = true,
            // What follows the signature is not signed: it is not looked at (RFC 8489 §14.5).
            MESSAGE_INTEGRITY => {
                let signed = packet.get(..at)?;
                let good = verify(signed, at.checked_add(24)?.checked_sub(HEADER_LEN)?, password, value);
                return (good && named).then_some(Request { transaction, nominates });
            }
            _ => {}
        }
        rest = after.get(length.next_multiple_of(4)..)?;
    }
    None
}

/// The signature is over the message up to itself, whose length is said to end with it (RFC 8489 §14.5).
fn verify(signed: &[u8], length: usize, password: &str, tag: &[u8]) -> bool {
    let Some(made) = sign(signed, length, password) else { return false };
    aws_lc_rs::constant_time::verify_slices_are_equal(made.as_ref(), tag).is_ok()
}

fn sign(signed: &[u8], length: usize, password: &str) -> Option<hmac::Tag> {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
    let mut context = hmac::Context::with_key(&key);
    context.update(signed.get(..2)?);
    context.update(&u16::try_from(length).ok()?.to_be_bytes());
    context.update(signed.get(4..)?);
    Some(context.sign())
}

/// The success answer: where the request came from, signed. Its length.
pub fn answer(out: &mut [u8; ANSWER_MAX], request: &Request, source: SocketAddr, password: &str) -> usize {
    let mut pen = Pen { out, at: 0 };
    pen.put(&BINDING_SUCCESS.to_be_bytes());
    pen.put(&[0, 0]);
    pen.put(&COOKIE.to_be_bytes());
    pen.put(&request.transaction);
    mapped(&mut pen, source, &request.transaction);
    let signed = pen.at;
    let tag = pen.out.get(..signed).and_then(|text| sign(text, signed + 24 - HEADER_LEN, password));
    pen.attribute(MESSAGE_INTEGRITY, tag.as_ref().map_or(&[0; 20][..], AsRef::as_ref));
    pen.length(pen.at + 8 - HEADER_LEN);
    // RFC 8489 §14.7: CRC-32 of what stands before, XORed.
    let crc = crc32(pen.out.get(..pen.at).unwrap_or_default()) ^ 0x5354_554e;
    pen.attribute(FINGERPRINT, &crc.to_be_bytes());
    pen.at
}

/// RFC 8489 §14.2: the address, so veiled that no helpful router rewrites it.
fn mapped(pen: &mut Pen<'_>, source: SocketAddr, transaction: &[u8; 12]) {
    let [high, low, ..] = COOKIE.to_be_bytes();
    let port = source.port() ^ u16::from_be_bytes([high, low]);
    let mut value = [0; 20];
    value[2..4].copy_from_slice(&port.to_be_bytes());
    let length = match source.ip().to_canonical() {
        IpAddr::V4(ip) => {
            value[1] = 1;
            value[4..8].copy_from_slice(&(u32::from(ip) ^ COOKIE).to_be_bytes());
            8
        }
        IpAddr::V6(ip) => {
            value[1] = 2;
            let mut veil = [0; 16];
            veil[..4].copy_from_slice(&COOKIE.to_be_bytes());
            veil[4..].copy_from_slice(transaction);
            for ((place, byte), veil) in value[4..].iter_mut().zip(ip.octets()).zip(veil) {
                *place = byte ^ veil;
            }
            20
        }
    };
    pen.attribute(XOR_MAPPED_ADDRESS, value.get(..length).unwrap_or_default());
}

struct Pen<'a> {
    out: &'a mut [u8; ANSWER_MAX],
    at: usize,
}

impl Pen<'_> {
    fn put(&mut self, bytes: &[u8]) {
        let end = self.at + bytes.len();
        if let Some(place) = self.out.get_mut(self.at..end) {
            place.copy_from_slice(bytes);
            self.at = end;
        }
    }

    /// Ours have lengths of whole words.
    fn attribute(&mut self, kind: u16, value: &[u8]) {
        self.put(&kind.to_be_bytes());
        self.put(&u16::try_from(value.len()).unwrap_or(0).to_be_bytes());
        self.put(value);
    }

    fn length(&mut self, length: usize) {
        self.out[2..4].copy_from_slice(&u16::try_from(length).unwrap_or(0).to_be_bytes());
    }
}

/// ITU-T V.42, reflected.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    const PASSWORD: &str = "VOkJxbRl1RmTxUk/WvJxBt";

    /// A request as a browser sends it.
    pub(crate) fn request(user: &str, password: &str, nominates: bool) -> Vec<u8> {
        let mut bytes = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
        bytes.extend([7; 12]);
        let mut attribute = |kind: u16, value: &[u8]| {
            bytes.extend(kind.to_be_bytes());
            bytes.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
            bytes.extend(value);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        };
        attribute(USERNAME, user.as_bytes());
        attribute(0x802a, &[1; 8]);
        if nominates {
            attribute(USE_CANDIDATE, &[]);
        }
        attribute(0x0024, &[0x6e, 0, 1, 0xff]);
        let length = bytes.len() + 24 - HEADER_LEN;
        let tag = sign(&bytes, length, password).unwrap();
        bytes.extend([0, 8, 0, 20]);
        bytes.extend(tag.as_ref());
        let length = u16::try_from(bytes.len() + 8 - HEADER_LEN).unwrap();
        bytes[2..4].copy_from_slice(&length.to_be_bytes());
        let crc = crc32(&bytes) ^ 0x5354_554e;
        bytes.extend([0x80, 0x28, 0, 4]);
        bytes.extend(crc.to_be_bytes());
        bytes
    }

    /// RFC 5769 §2.1: a request of a known user under a known password.
    #[test]
    fn the_request_of_the_rfc_is_proven() {
        let text = "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74002400046e0001ff\
                    80290008932ff9b151263b36000600096576746a3a68367659202020000800149aeaa70cbfd8cb56781ef2b5b2d3f249\
                    c1b571a280280004e57a3bcf";
        let bytes: Vec<u8> =
            (0..text.len() / 2).map(|n| u8::from_str_radix(&text[2 * n..2 * n + 2], 16).unwrap()).collect();
        let read = read(&bytes, "evtj:h6vY", PASSWORD).expect("proven");
        assert_eq!((read.nominates, read.transaction[0]), (false, 0xb7));
        assert_eq!(crc32(&bytes[..bytes.len() - 8]) ^ 0x5354_554e, 0xe57a_3bcf);
    }

    #[test]
    fn only_who_knows_user_and_password_is_answered() {
        let good = request("us:them", PASSWORD, true);
        let proven = read(&good, "us:them", PASSWORD).expect("proven");
        assert!(proven.nominates);
        assert_eq!(read(&good, "us:others", PASSWORD), None);
        assert_eq!(read(&good, "us:them", "another password here"), None);
        for at in 0..good.len() - 8 {
            let mut bad = good.clone();
            bad[at] ^= 0x10;
            assert_eq!(read(&bad, "us:them", PASSWORD), None, "byte {at}");
            assert_eq!(read(&good[..at], "us:them", PASSWORD), None, "cut at {at}");
        }
    }

    #[test]
    fn an_answer_says_where_the_request_came_from_and_is_signed() {
        let request = Request { transaction: [7; 12], nominates: false };
        for (source, length) in [("192.0.2.1:32853", 20 + 12 + 24 + 8), ("[2001:db8::1]:32853", 20 + 24 + 24 + 8)] {
            let mut out = [0; ANSWER_MAX];
            let written = answer(&mut out, &request, source.parse().unwrap(), PASSWORD);
            assert_eq!((written, usize::from(u16::from_be_bytes([out[2], out[3]]))), (length, length - 20));
            let signed = &out[..written - 32];
            assert!(verify(signed, written - 8 - HEADER_LEN, PASSWORD, &out[written - 28..written - 8]), "{source}");
        }
        let mut out = [0; ANSWER_MAX];
        answer(&mut out, &request, "192.0.2.1:32853".parse().unwrap(), PASSWORD);
        assert_eq!(out[20..32], [0, 0x20, 0, 8, 0, 1, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43], "RFC 5769 §2.2");
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), real: bool) {
            let mut bytes = bytes;
            if real && bytes.len() > 20 {
                let length = u16::try_from(bytes.len() - 20).unwrap();
                bytes[..8].copy_from_slice(&[0, 1, length.to_be_bytes()[0], length.to_be_bytes()[1], 0x21, 0x12, 0xa4, 0x42]);
            }
            prop_assert_eq!(read(&bytes, "us:them", PASSWORD), None);
        }
    }
}
