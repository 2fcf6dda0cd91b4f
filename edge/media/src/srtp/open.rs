//! Opening a peer's streams: proven, decrypted, never twice.

use super::{
    Master, Suite,
    cipher::{Cipher, Place, Traffic},
    replay::Seen,
    seal::{ENCRYPTED, rollover},
};

/// Longest packet that is opened.
pub(super) const LEN_MAX: usize = 1_500;
/// Streams of one peer at a time: it sends one, and begins another after a change. The oldest makes room.
const STREAMS_MAX: usize = 4;
/// Rollover counters beside zero that are tried for a stream whose beginning we did not hear, one with each packet: five
/// hours of it.
const JOIN_TRIES: u64 = 16;

/// One direction's keys, and what came of each stream under them.
pub struct Opener {
    suite: Suite,
    rtp: Cipher,
    rtcp: Cipher,
    pub(super) streams: [Option<Stream>; STREAMS_MAX],
    /// Packets that did not open since one did; says which rollover counter a stream is tried with that we joined late.
    failed: u64,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Stream {
    ssrc: u32,
    rtp: Seen,
    rtcp: Seen,
}

impl Opener {
    /// None when the library refuses the key.
    pub fn new(master: &Master) -> Option<Self> {
        Some(Self {
            suite: master.suite(),
            rtp: Cipher::new(master, Traffic::Rtp)?,
            rtcp: Cipher::new(master, Traffic::Rtcp)?,
            streams: [None; STREAMS_MAX],
            failed: 0,
        })
    }

    /// Opens an RTP packet where it lies; the length of the plain packet. None for what is no RTP, is not proven, or came
    /// already: then `packet` holds nothing that may be used.
    pub fn rtp(&mut self, packet: &mut [u8]) -> Option<usize> {
        let length = packet.len().checked_sub(self.suite.rtp_tag()).filter(|_| packet.len() <= LEN_MAX)?;
        let (plain, tag) = packet.split_at_mut_checked(length)?;
        let head = head_len(plain)?;
        let (sequence, ssrc) = stream(plain)?;
        let known = self.streams.iter().flatten().find(|stream| stream.ssrc == ssrc);
        let seen = known.map_or_else(Seen::default, |stream| stream.rtp);
        let index = seen.guess(sequence).filter(|index| seen.is_fresh(*index))?;
        let late = (seen == Seen::default()).then(|| index | (1 + self.failed % JOIN_TRIES) << 16);
        let opened = [Some(index), late].into_iter().flatten().find(|index| {
            let place = Place { ssrc, index: *index };
            self.rtp.open(place, plain, head, rollover(*index), tag, false).is_some()
        });
        match opened {
            Some(index) => {
                self.failed = 0;
                self.stream(ssrc).rtp.note(index);
                Some(length)
            }
            None => {
                self.failed = self.failed.wrapping_add(1);
                None
            }
        }
    }

    /// The same for a compound RTCP packet. What is authenticated and not encrypted is refused: nobody here asked for it.
    pub fn rtcp(&mut self, packet: &mut [u8]) -> Option<usize> {
        let tag_len = self.suite.rtcp_tag();
        let length = packet.len().checked_sub(tag_len + 4).filter(|_| packet.len() <= LEN_MAX)?;
        let (plain, end) = packet.split_at_mut_checked(length)?;
        let (word, tag) = if self.suite.is_aead() {
            let (tag, word) = end.split_at_checked(tag_len)?;
            (word.first_chunk::<4>()?, tag)
        } else {
            end.split_first_chunk::<4>()?
        };
        let index = u32::from_be_bytes(*word);
        if index & ENCRYPTED == 0 {
            return None;
        }
        let index = u64::from(index & !ENCRYPTED);
        let ssrc = u32::from_be_bytes(*plain.get(4..)?.first_chunk()?);
        let known = self.streams.iter().flatten().find(|stream| stream.ssrc == ssrc);
        if !known.is_none_or(|stream| stream.rtcp.is_fresh(index)) {
            return None;
        }
        self.rtcp.open(Place { ssrc, index }, plain, 8, *word, tag, true)?;
        self.stream(ssrc).rtcp.note(index);
        Some(length)
    }

    /// A proven packet's stream.
    fn stream(&mut self, ssrc: u32) -> &mut Stream {
        let at = self.streams.iter().position(|stream| stream.is_some_and(|stream| stream.ssrc == ssrc));
        let fresh = Stream { ssrc, rtp: Seen::default(), rtcp: Seen::default() };
        if at.is_none() {
            self.streams.rotate_right(1);
            self.streams[0] = Some(fresh);
        }
        self.streams[at.unwrap_or(0)].get_or_insert(fresh)
    }
}

/// Bytes that stay in clear: fixed header, sources, extension. None for what is no RTP.
pub(super) fn head_len(packet: &[u8]) -> Option<usize> {
    let first = *packet.first().filter(|first| **first >> 6 == 2)?;
    let mut length = 12 + usize::from(first & 0x0f) * 4;
    if first & 0x10 != 0 {
        let words = u16::from_be_bytes(*packet.get(length..)?.get(2..)?.first_chunk()?);
        length += 4 + usize::from(words) * 4;
    }
    (length <= packet.len()).then_some(length)
}

/// Sequence number and source.
pub(super) fn stream(packet: &[u8]) -> Option<(u16, u32)> {
    let sequence = u16::from_be_bytes(*packet.get(2..)?.first_chunk()?);
    let ssrc = u32::from_be_bytes(*packet.get(8..)?.first_chunk()?);
    Some((sequence, ssrc))
}
