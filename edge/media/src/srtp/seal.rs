//! Sealing our own stream.

use super::{
    Master, Suite,
    cipher::{Cipher, Place, Traffic},
    open::head_len,
    replay::Seen,
};

/// RFC 3711 §3.4: RTCP's index has 31 bits, and the first bit says that the packet is encrypted.
pub(super) const ENCRYPTED: u32 = 0x8000_0000;

/// One direction's keys, and how far our stream is.
pub struct Sealer {
    suite: Suite,
    rtp: Cipher,
    rtcp: Cipher,
    sent: Seen,
    rtcp_index: u32,
}

impl Sealer {
    /// None when the library refuses the key.
    pub fn new(master: &Master) -> Option<Self> {
        Some(Self {
            suite: master.suite(),
            rtp: Cipher::new(master, Traffic::Rtp)?,
            rtcp: Cipher::new(master, Traffic::Rtcp)?,
            sent: Seen::default(),
            rtcp_index: 0,
        })
    }

    /// Seals the first `length` bytes of `packet`, which is our RTP; the new length. None when it is no RTP, there is no
    /// room for the tag, or the stream is at its end: then it must not be sent.
    pub fn rtp(&mut self, packet: &mut [u8], length: usize) -> Option<usize> {
        let plain = packet.get_mut(..length)?;
        let head = head_len(plain)?;
        let (sequence, ssrc) = super::open::stream(plain)?;
        let index = self.sent.guess(sequence).filter(|index| self.sent.is_fresh(*index))?;
        let tag = self.rtp.seal(Place { ssrc, index }, plain, head, rollover(index), false)?;
        self.sent.note(index);
        let tag = tag.get(..self.suite.rtp_tag())?;
        packet.get_mut(length..length.checked_add(tag.len())?)?.copy_from_slice(tag);
        Some(length + tag.len())
    }

    /// The same for a compound RTCP packet.
    pub fn rtcp(&mut self, packet: &mut [u8], length: usize) -> Option<usize> {
        let plain = packet.get_mut(..length)?;
        let ssrc = u32::from_be_bytes(*plain.get(4..)?.first_chunk()?);
        let index = self.rtcp_index;
        let next = index.checked_add(1).filter(|next| *next < ENCRYPTED)?;
        let word = (index | ENCRYPTED).to_be_bytes();
        let tag = self.rtcp.seal(Place { ssrc, index: index.into() }, plain, 8, word, true)?;
        self.rtcp_index = next;
        let tag = tag.get(..self.suite.rtcp_tag())?;
        // RFC 3711 §3.4: the index, then the tag; RFC 7714 §9.1: the tag belongs to the ciphertext.
        let (first, second) = if self.suite.is_aead() { (tag, &word[..]) } else { (&word[..], tag) };
        let end = length + first.len() + second.len();
        let (a, b) = packet.get_mut(length..end)?.split_at_mut(first.len());
        a.copy_from_slice(first);
        b.copy_from_slice(second);
        Some(end)
    }
}

#[allow(clippy::cast_possible_truncation)]
pub(super) fn rollover(index: u64) -> [u8; 4] {
    ((index >> 16) as u32).to_be_bytes()
}
