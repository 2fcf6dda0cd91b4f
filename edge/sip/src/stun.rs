//! STUN as a keep-alive for UDP flows (RFC 5626 §3.5.2, §8): a Binding request on the SIP port is answered with where
//! it came from (RFC 8489). Nothing else of STUN is spoken here.

use std::net::{IpAddr, SocketAddr};

use bytes::{BufMut, Bytes, BytesMut};

const HEADER_BYTES: usize = 20;
/// RFC 8489 §5.
const COOKIE: u32 = 0x2112_a442;
const BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
const BINDING_SUCCESS: u16 = 0x0101;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
/// RFC 5626 §8: keep-alives carry no attributes worth reading; longer ones are not answered.
const REQUEST_BYTES_MAX: usize = 548;

/// The answer to a Binding request; None when this is none.
pub fn answer(bytes: &[u8], source: SocketAddr) -> Option<Bytes> {
    let header = bytes.get(..HEADER_BYTES)?;
    let length = u16::from_be_bytes([*header.get(2)?, *header.get(3)?]);
    let whole = bytes.len().checked_sub(HEADER_BYTES)? == usize::from(length);
    let ours = header.get(..2)? == BINDING_REQUEST && header.get(4..8)? == COOKIE.to_be_bytes();
    if !ours || !whole || length % 4 != 0 || bytes.len() > REQUEST_BYTES_MAX {
        return None;
    }
    let transaction = header.get(8..)?;
    let mut mask = COOKIE.to_be_bytes().to_vec();
    mask.extend_from_slice(transaction);
    let (family, ip): (u8, Vec<u8>) = match source.ip().to_canonical() {
        IpAddr::V4(ip) => (1, ip.octets().to_vec()),
        IpAddr::V6(ip) => (2, ip.octets().to_vec()),
    };
    let value_len = u16::try_from(ip.len()).ok()?.checked_add(4)?;
    let mut answer = BytesMut::with_capacity(44);
    answer.put_u16(BINDING_SUCCESS);
    answer.put_u16(value_len.checked_add(4)?);
    answer.put_u32(COOKIE);
    answer.put_slice(transaction);
    answer.put_u16(XOR_MAPPED_ADDRESS);
    answer.put_u16(value_len);
    answer.put_u8(0);
    answer.put_u8(family);
    // RFC 8489 §14.2: the port with the cookie's upper half, the address with cookie and transaction.
    answer.put_u16(source.port() ^ 0x2112);
    ip.iter().zip(&mask).for_each(|(octet, mask)| answer.put_u8(octet ^ mask));
    Some(answer.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(length: u16) -> Vec<u8> {
        let mut bytes = vec![0, 1];
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&COOKIE.to_be_bytes());
        // RFC 5769 §2: the transaction of the test vectors.
        bytes.extend_from_slice(&[0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae]);
        bytes
    }

    #[test]
    fn a_binding_request_is_answered_with_the_addresses_of_rfc_5769() {
        let four = answer(&request(0), "192.0.2.1:32853".parse().unwrap()).unwrap();
        assert_eq!(four.get(20..).unwrap(), [0, 0x20, 0, 8, 0, 1, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43]);
        let six = answer(&request(0), "[2001:db8:1234:5678:11:2233:4455:6677]:32853".parse().unwrap()).unwrap();
        let mapped = [
            0, 0x20, 0, 20, 0, 2, 0xa1, 0x47, 0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3, 0xf1, 0x79, 0xbc, 0x25, 0xf4, 0xb5,
            0xbe, 0xd2, 0xb9, 0xd9,
        ];
        assert_eq!(six.get(20..).unwrap(), mapped);
    }

    #[test]
    fn what_is_no_whole_binding_request_is_left_to_others() {
        let source = "192.0.2.1:1".parse().unwrap();
        assert!(answer(b"OPTIONS sip:a SIP/2.0\r\n\r\n", source).is_none());
        assert!(answer(&request(4), source).is_none());
        assert!(answer(request(0).get(..19).unwrap(), source).is_none());
        let mut long = request(532);
        long.resize(552, 0);
        assert!(answer(&long, source).is_none());
    }
}
