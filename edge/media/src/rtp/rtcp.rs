//! RTCP (RFC 3550 §6): sender and receiver reports with a name, read and written; what else comes is passed over. A BYE
//! is no hang-up: only signalling ends a call (S-27).

use super::xr::{self, Voip};

/// Bytes of one compound packet of ours: a sender report with one block, a name, and how it sounds.
pub const LEN_MAX: usize = 8 + 20 + 24 + 4 + 4 + 2 + CNAME_LEN_MAX + 4 + xr::LEN;
const CNAME_LEN_MAX: usize = 16;
/// Packets of one compound that are looked at.
const PACKETS_MAX: usize = 16;
/// Report blocks of one packet (RFC 3550 §6.4.1: five bits).
const BLOCKS_MAX: usize = 31;

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const DESCRIPTION: u8 = 202;
const BLOCK_LEN: usize = 24;

/// RFC 3550 §6.4.1: what a receiver says of one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Block {
    pub ssrc: u32,
    /// Of 256, since the report before.
    pub fraction_lost: u8,
    /// 24 bits, signed.
    pub lost: i32,
    pub highest: u32,
    /// In timestamp units.
    pub jitter: u32,
    /// The middle 32 bits of the last sender report's time, and the delay since, in 1/65536 s.
    pub last_report: u32,
    pub delay: u32,
}

/// What a sender says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sent {
    /// 32 bits of seconds, 32 bits of fraction.
    pub ntp: u64,
    pub rtp: u32,
    pub packets: u32,
    pub octets: u32,
}

/// What a compound packet told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Report {
    pub ssrc: u32,
    pub sent: Option<Sent>,
    /// Of the source that was asked for.
    pub block: Option<Block>,
    pub voip: Option<Voip>,
}

/// Reads a compound packet; None for what is none (RFC 3550 A.2: version 2, a report first, lengths that add up).
/// `about` is our SSRC: other sources' blocks are passed over.
pub fn parse(compound: &[u8], about: u32) -> Option<Report> {
    let mut report: Option<Report> = None;
    let mut rest = compound;
    for _ in 0..PACKETS_MAX {
        let Some((head, after)) = rest.split_first_chunk::<4>() else { break };
        let length = usize::from(u16::from_be_bytes([head[2], head[3]])) * 4;
        let body = after.get(..length)?;
        if head[0] >> 6 != 2 {
            return None;
        }
        let count = usize::from(head[0] & 0x1f);
        match head[1] {
            SENDER_REPORT => {
                let (ssrc, body) = number(body)?;
                let (sent, body) = sent(body)?;
                let block = find(body, count, about)?;
                let known = report.get_or_insert_default();
                (known.ssrc, known.sent, known.block) = (ssrc, Some(sent), known.block.or(block));
            }
            RECEIVER_REPORT => {
                let (ssrc, body) = number(body)?;
                let block = find(body, count, about)?;
                let known = report.get_or_insert_default();
                (known.ssrc, known.block) = (ssrc, known.block.or(block));
            }
            // A compound begins with a report.
            _ if report.is_none() => return None,
            xr::TYPE => {
                // A sloppy one costs nobody the report before it.
                let voip = xr::parse(body, about).flatten();
                let known = report.get_or_insert_default();
                known.voip = known.voip.or(voip);
            }
            _ => {}
        }
        rest = after.get(length..)?;
    }
    report
}

/// Writes a compound into `out`: a sender report when something was sent, else a receiver report; then our name, which
/// says nothing about the box.
pub fn write(out: &mut [u8; LEN_MAX], report: &Report) -> usize {
    let mut pen = Pen { out, at: 0 };
    let blocks = u8::from(report.block.is_some());
    let kind = if report.sent.is_some() { SENDER_REPORT } else { RECEIVER_REPORT };
    let words = 1 + if report.sent.is_some() { 5 } else { 0 } + if report.block.is_some() { 6 } else { 0 };
    pen.put(&[0x80 | blocks, kind, 0, words]);
    pen.put(&report.ssrc.to_be_bytes());
    if let Some(sent) = report.sent {
        pen.put(&sent.ntp.to_be_bytes());
        for value in [sent.rtp, sent.packets, sent.octets] {
            pen.put(&value.to_be_bytes());
        }
    }
    if let Some(block) = report.block {
        pen.put(&block.ssrc.to_be_bytes());
        let [_, lost @ ..] = block.lost.clamp(-0x80_0000, 0x7f_ffff).to_be_bytes();
        pen.put(&[block.fraction_lost]);
        pen.put(&lost);
        for value in [block.highest, block.jitter, block.last_report, block.delay] {
            pen.put(&value.to_be_bytes());
        }
    }
    // RFC 7022 §4.2: a short-term name of random bits; ours are the SSRC's.
    let name = report.ssrc.to_be_bytes();
    pen.put(&[0x81, DESCRIPTION, 0, 4]);
    pen.put(&report.ssrc.to_be_bytes());
    pen.put(&[1, 8]);
    for byte in name {
        pen.put(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
    }
    pen.put(&[0, 0]);
    if let Some(voip) = &report.voip {
        pen.put(&xr::write(report.ssrc, voip));
    }
    pen.at
}

const HEX: &[u8; 16] = b"0123456789abcdef";

struct Pen<'a> {
    out: &'a mut [u8; LEN_MAX],
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
}

fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (word, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_be_bytes(*word), rest))
}

fn sent(bytes: &[u8]) -> Option<(Sent, &[u8])> {
    let (ntp, rest) = bytes.split_first_chunk::<8>()?;
    let (rtp, rest) = number(rest)?;
    let (packets, rest) = number(rest)?;
    let (octets, rest) = number(rest)?;
    Some((Sent { ntp: u64::from_be_bytes(*ntp), rtp, packets, octets }, rest))
}

/// The block about a source among `count`. The outer None: the packet is shorter than it says.
#[allow(clippy::option_option)]
fn find(bytes: &[u8], count: usize, about: u32) -> Option<Option<Block>> {
    let blocks = bytes.get(..count.min(BLOCKS_MAX) * BLOCK_LEN)?;
    Some(blocks.chunks_exact(BLOCK_LEN).find_map(|block| read(block).filter(|block| block.ssrc == about)))
}

fn read(bytes: &[u8]) -> Option<Block> {
    let (ssrc, rest) = number(bytes)?;
    let (lost, rest) = number(rest)?;
    let (highest, rest) = number(rest)?;
    let (jitter, rest) = number(rest)?;
    let (last_report, rest) = number(rest)?;
    let (delay, _) = number(rest)?;
    let [fraction_lost, ..] = lost.to_be_bytes();
    // The sign of 24 bits.
    let lost = (lost << 8).cast_signed() >> 8;
    Some(Block { ssrc, fraction_lost, lost, highest, jitter, last_report, delay })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn parse_undoes_write(ssrc: u32, about: u32, lost in -0x80_0000..0x80_0000, words: [u32; 8], with_sent: bool, with_block: bool) {
            let [packets, octets, rtp, highest, jitter, last_report, delay, high] = words;
            let sent = with_sent.then_some(Sent { ntp: u64::from(high) << 32 | u64::from(rtp), rtp, packets, octets });
            let block = with_block.then_some(Block { ssrc: about, fraction_lost: 7, lost, highest, jitter, last_report, delay });
            let voip = with_block.then_some(Voip { ssrc: about, lost: 9, rating: Some(80), ..Voip::default() });
            let report = Report { ssrc, sent, block, voip };
            let mut out = [0; LEN_MAX];
            let length = write(&mut out, &report);
            prop_assert_eq!(parse(&out[..length], about), Some(report));
            if let Some(block) = block {
                prop_assert_eq!(parse(&out[..length], block.ssrc ^ 1), Some(Report { block: None, voip: None, ..report }));
            }
            for cut in 1..length {
                let _ = parse(&out[..cut], about);
            }
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&bytes, 1);
        }

        #[test]
        fn no_likely_bytes_make_the_reader_panic(
            heads in proptest::collection::vec((0x80_u8..0xa0, 199_u8..206, 0_u8..20), 1..20),
            filler: u8,
        ) {
            let mut bytes = Vec::new();
            for (first, kind, words) in heads {
                bytes.extend([first, kind, 0, words]);
                bytes.extend(vec![filler; usize::from(words) * 4]);
            }
            bytes.pop();
            let _ = parse(&bytes, 1);
        }
    }

    #[test]
    fn a_compound_that_does_not_begin_with_a_report_is_none() {
        assert_eq!(parse(&[0x81, 203, 0, 1, 0, 0, 0, 1], 1), None, "a BYE alone");
        assert_eq!(parse(&[0x80, 0, 0, 0], 1), None, "RTP");
        assert_eq!(parse(&[], 1), None);
    }
}
