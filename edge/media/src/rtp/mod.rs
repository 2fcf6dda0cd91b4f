//! RTP (RFC 3550): the fixed header, what a receiver counts, a sender's own stream, and the reports of both.

pub mod receive;
pub mod rtcp;
pub mod send;
pub mod xr;

/// Bytes of a header without CSRCs.
pub const HEADER_LEN: usize = 12;

/// A parsed packet; `payload` is a range of the datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    pub marker: bool,
    pub payload_type: u8,
    pub sequence: u16,
    pub timestamp: u32,
    pub ssrc: u32,
}

/// Reads RFC 3550 §5.1; None for what is not RTP version 2 or lies about its lengths. Returns the payload too.
pub fn parse(packet: &[u8]) -> Option<(Header, &[u8])> {
    let (fixed, rest) = packet.split_first_chunk::<HEADER_LEN>()?;
    let [first, second, s0, s1, t0, t1, t2, t3, c0, c1, c2, c3] = *fixed;
    if first >> 6 != 2 {
        return None;
    }
    let mut payload = rest.get(usize::from(first & 0x0f) * 4..)?;
    if first & 0x10 != 0 {
        let (extension, _) = payload.split_first_chunk::<4>()?;
        let words = usize::from(u16::from_be_bytes([extension[2], extension[3]]));
        payload = payload.get(4 + words * 4..)?;
    }
    if first & 0x20 != 0 {
        let padding = usize::from(*payload.last()?);
        if padding == 0 {
            return None;
        }
        payload = payload.get(..payload.len().checked_sub(padding)?)?;
    }
    let header = Header {
        marker: second & 0x80 != 0,
        payload_type: second & 0x7f,
        sequence: u16::from_be_bytes([s0, s1]),
        timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
        ssrc: u32::from_be_bytes([c0, c1, c2, c3]),
    };
    Some((header, payload))
}

/// Writes the fixed header.
pub fn write(header: &Header) -> [u8; HEADER_LEN] {
    let [s0, s1] = header.sequence.to_be_bytes();
    let [t0, t1, t2, t3] = header.timestamp.to_be_bytes();
    let [c0, c1, c2, c3] = header.ssrc.to_be_bytes();
    let second = u8::from(header.marker) << 7 | header.payload_type & 0x7f;
    [0x80, second, s0, s1, t0, t1, t2, t3, c0, c1, c2, c3]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn parse_undoes_write(marker: bool, payload_type in 0_u8..128, sequence: u16, timestamp: u32, ssrc: u32, body: Vec<u8>) {
            let header = Header { marker, payload_type, sequence, timestamp, ssrc };
            let mut packet = write(&header).to_vec();
            packet.extend(&body);
            prop_assert_eq!(parse(&packet), Some((header, body.as_slice())));
        }

        #[test]
        fn lies_about_lengths_are_refused_quietly(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = parse(&bytes);
        }
    }
}
