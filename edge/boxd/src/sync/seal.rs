//! Sealed media packets between two boxes: `flow: 8 bytes`, `counter: 8 bytes`, then AES-256-GCM of a kind and its
//! payload. One key per direction, so a counter is a nonce; a window refuses what was seen or is too old.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use bytes::{BufMut, Bytes, BytesMut};
use wire::media::FLOW_BYTES;

const HEADER: usize = FLOW_BYTES + 8;
const TAG: usize = 16;
/// What sealing adds to a payload: header, kind, tag.
pub const OVERHEAD: usize = HEADER + 1 + TAG;
/// Packets that may arrive late (RFC 3711 §3.3.2 asks for at least 64).
const WINDOW: u64 = 128;

/// What is inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Rtp = 0,
    /// The caller's number.
    Caller = 1,
    /// Nothing: the path lives.
    Alive = 2,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the key cannot be used")]
    Key,
    /// The peer's fault, or a forger's: dropped and counted.
    #[error("not a sealed packet of this flow")]
    Packet,
    #[error("seen before, or too old")]
    Replayed,
    #[error("the counter is used up")]
    Counter,
}

fn key(bytes: &[u8; 32]) -> Result<LessSafeKey, Error> {
    Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, bytes).map_err(|_| Error::Key)?))
}

fn nonce(counter: u64) -> Nonce {
    let mut nonce = [0; 12];
    if let Some(low) = nonce.last_chunk_mut::<8>() {
        *low = counter.to_be_bytes();
    }
    Nonce::assume_unique_for_key(nonce)
}

pub struct Sealer {
    key: LessSafeKey,
    flow: u64,
    counter: u64,
}

impl Sealer {
    pub fn new(key_bytes: &[u8; 32], flow: u64) -> Result<Self, Error> {
        Ok(Self { key: key(key_bytes)?, flow, counter: 0 })
    }

    pub fn seal(&mut self, kind: Kind, payload: &[u8]) -> Result<Bytes, Error> {
        self.counter = self.counter.checked_add(1).ok_or(Error::Counter)?;
        let mut packet = BytesMut::with_capacity(payload.len().saturating_add(OVERHEAD));
        packet.put_u64(self.flow);
        packet.put_u64(self.counter);
        let header = packet.clone();
        let mut body = packet.split_off(HEADER);
        body.put_u8(kind as u8);
        body.put_slice(payload);
        let tag = self
            .key
            .seal_in_place_separate_tag(nonce(self.counter), Aad::from(&header), &mut body)
            .map_err(|_| Error::Key)?;
        body.put_slice(tag.as_ref());
        packet.unsplit(body);
        Ok(packet.freeze())
    }
}

pub struct Opener {
    key: LessSafeKey,
    flow: u64,
    window: Window,
}

impl Opener {
    pub fn new(key_bytes: &[u8; 32], flow: u64) -> Result<Self, Error> {
        Ok(Self { key: key(key_bytes)?, flow, window: Window::default() })
    }

    pub fn open(&mut self, packet: &[u8]) -> Result<(Kind, Vec<u8>), Error> {
        let (header, body) = packet.split_at_checked(HEADER).ok_or(Error::Packet)?;
        let (Some(flow), Some(counter)) = (header.first_chunk::<8>(), header.last_chunk::<8>()) else {
            return Err(Error::Packet);
        };
        let counter = u64::from_be_bytes(*counter);
        if u64::from_be_bytes(*flow) != self.flow {
            return Err(Error::Packet);
        }
        if !self.window.admits(counter) {
            return Err(Error::Replayed);
        }
        let mut body = body.to_vec();
        let plain = self.key.open_in_place(nonce(counter), Aad::from(header), &mut body).map_err(|_| Error::Packet)?;
        let (kind, payload) = plain.split_first().ok_or(Error::Packet)?;
        let kind = [Kind::Rtp, Kind::Caller, Kind::Alive].into_iter().find(|known| *known as u8 == *kind);
        let opened = (kind.ok_or(Error::Packet)?, payload.to_vec());
        // Only a genuine packet moves the window.
        self.window.admit(counter);
        Ok(opened)
    }
}

/// The highest counter seen, and which of the ones below it.
#[derive(Debug, Default)]
struct Window {
    highest: u64,
    /// Bit n: `highest - n` was seen.
    seen: u128,
}

impl Window {
    fn admits(&self, counter: u64) -> bool {
        match self.highest.checked_sub(counter) {
            None => true,
            Some(age) if age >= WINDOW => false,
            Some(age) => counter > 0 && (self.seen >> age) & 1 == 0,
        }
    }

    fn admit(&mut self, counter: u64) {
        match counter.checked_sub(self.highest) {
            Some(ahead) => {
                let shift = u32::try_from(ahead).unwrap_or(u32::MAX);
                self.seen = self.seen.checked_shl(shift).unwrap_or(0) | 1;
                self.highest = counter;
            }
            None => {
                self.seen |=
                    1_u128.checked_shl(u32::try_from(self.highest.abs_diff(counter)).unwrap_or(127)).unwrap_or(0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (Sealer, Opener) {
        (Sealer::new(&[7; 32], 42).unwrap(), Opener::new(&[7; 32], 42).unwrap())
    }

    #[test]
    fn a_sealed_packet_opens_once_and_shows_nothing() {
        let (mut sealer, mut opener) = pair();
        let packet = sealer.seal(Kind::Rtp, b"spoken words").unwrap();
        assert_eq!(packet.len(), 12 + OVERHEAD);
        assert!(!packet.windows(6).any(|bytes| bytes == b"spoken"));
        assert_eq!(opener.open(&packet), Ok((Kind::Rtp, b"spoken words".to_vec())));
        assert_eq!(opener.open(&packet), Err(Error::Replayed));
    }

    #[test]
    fn late_packets_pass_within_the_window_and_not_behind_it() {
        let (mut sealer, mut opener) = pair();
        let packets: Vec<_> = (0..200).map(|_| sealer.seal(Kind::Rtp, b"x").unwrap()).collect();
        opener.open(&packets[150]).unwrap();
        assert!(opener.open(&packets[149]).is_ok());
        assert!(opener.open(&packets[23]).is_ok());
        assert_eq!(opener.open(&packets[22]), Err(Error::Replayed));
        assert_eq!(opener.open(&packets[149]), Err(Error::Replayed));
        assert!(opener.open(&packets[199]).is_ok());
    }

    #[test]
    fn a_changed_packet_another_key_or_flow_is_refused_and_moves_nothing() {
        let (mut sealer, mut opener) = pair();
        let first = sealer.seal(Kind::Alive, b"").unwrap();
        for n in 0..first.len() {
            let mut spoilt = first.to_vec();
            spoilt[n] ^= 1;
            assert!(opener.open(&spoilt).is_err(), "byte {n}");
            assert!(opener.open(&first[..n]).is_err(), "cut at {n}");
        }
        assert!(Opener::new(&[8; 32], 42).unwrap().open(&first).is_err());
        assert!(Opener::new(&[7; 32], 43).unwrap().open(&first).is_err());
        assert_eq!(opener.open(&first), Ok((Kind::Alive, vec![])));
    }
}
