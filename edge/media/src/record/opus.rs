//! Ogg Opus (RFC 7845): a rendered recording in a tenth of its WAV's bytes, for players and exports. Each side is a stream
//! of its own: coded as a pair, what one says would be heard on the other's side.

use ogg::{PacketWriteEndInfo, PacketWriter};
use rusty_opus::{Application, OpusEncoder};

use super::{Frame, Stereo, stereo};
use crate::resample::{NARROW_MAX, Up, WIDE_MAX};

/// A second inside; granules of Ogg Opus are always 48 kHz (RFC 7845 §4).
const RATE: i32 = 16_000;
const GRANULES: u64 = 48_000 / 50;
/// Samples of 20 ms and one side.
const FRAME: usize = 320;
/// What the encoder is ahead, in granules: 6.5 ms, libopus' own for this kind of sound. A player drops it.
const PRE_SKIP: u16 = 312;
/// Of each side.
const BITS: i32 = 24_000;
const PACKET_MAX: usize = 1_275;
/// Packets of a page: half a second.
const PAGE: usize = 25;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the sound cannot be encoded: {0}")]
    Opus(String),
    #[error("a packet of 20 ms holds more than one frame")]
    Frames,
    #[error("the file cannot be made: {0}")]
    Ogg(#[from] std::io::Error),
}

/// Both legs: the caller left, the agent right. `serial` tells streams of one file apart, so any will do.
pub fn ogg_opus(frames: &[Frame], serial: u32) -> Result<Vec<u8>, Error> {
    let wide = wide(stereo(frames));
    let opus = |error: rusty_opus::Error| Error::Opus(error.to_string());
    let mut left = OpusEncoder::new(RATE, 1, Application::Voip).map_err(opus)?;
    let mut right = OpusEncoder::new(RATE, 1, Application::Voip).map_err(opus)?;
    (left.bitrate_bps, right.bitrate_bps) = (BITS, BITS);
    let mut writer = PacketWriter::new(Vec::new());
    writer.write_packet(head(), serial, PacketWriteEndInfo::EndPage, 0)?;
    writer.write_packet(tags(), serial, PacketWriteEndInfo::EndPage, 0)?;
    // What the encoder is ahead must come out too.
    let count = (wide.len() / 2 + usize::from(PRE_SKIP) / 3).div_ceil(FRAME).max(1);
    let end = u64::from(PRE_SKIP) + wide.len() as u64 / 2 * 3;
    for at in 0..count {
        let code = |encoder: &mut OpusEncoder, side: usize| {
            let mut sound = [0.0_f32; FRAME];
            for (sample, value) in sound.iter_mut().zip(wide.iter().skip(at * 2 * FRAME + side).step_by(2)) {
                *sample = f32::from(*value) / 32_768.0;
            }
            let mut packet = [0; PACKET_MAX];
            let length = encoder.encode(&sound, FRAME, &mut packet).map_err(opus)?;
            Ok::<_, Error>(packet.get(..length).unwrap_or_default().to_vec())
        };
        let packet = together(&code(&mut left, 0)?, &code(&mut right, 1)?).ok_or(Error::Frames)?;
        let (last, granule) = (at + 1 == count, (at as u64 + 1) * GRANULES);
        let (info, granule) = match (last, (at + 1).is_multiple_of(PAGE)) {
            // RFC 7845 §4.4: the last page's granule cuts off what is only padding.
            (true, _) => (PacketWriteEndInfo::EndStream, end.min(granule)),
            (false, true) => (PacketWriteEndInfo::EndPage, granule),
            (false, false) => (PacketWriteEndInfo::NormalPacket, granule),
        };
        writer.write_packet(packet, serial, info, granule)?;
    }
    Ok(writer.into_inner())
}

/// RFC 7845 §3: of several streams all packets but the last say how long they are (RFC 6716 appendix B).
fn together(first: &[u8], last: &[u8]) -> Option<Vec<u8>> {
    let (toc, frame) = first.split_first().filter(|(toc, _)| *toc & 3 == 0)?;
    let mut packet = vec![*toc];
    // RFC 6716 §3.2.1
    match u8::try_from(frame.len()) {
        Ok(length) if length < 252 => packet.push(length),
        _ => {
            let low = 252 + frame.len() % 4;
            packet.extend([u8::try_from(low).ok()?, u8::try_from((frame.len() - low) / 4).ok()?]);
        }
    }
    packet.extend_from_slice(frame);
    packet.extend_from_slice(last);
    Some(packet)
}

/// Interleaved samples at 16 kHz.
fn wide(Stereo { rate, samples }: Stereo) -> Vec<i16> {
    if rate == 16_000 {
        return samples;
    }
    let mut filters = [Up::default(), Up::default()];
    let mut out = Vec::with_capacity(samples.len() * 2);
    for part in samples.chunks(2 * NARROW_MAX) {
        let sides = [0, 1].map(|side| {
            let narrow: Vec<i16> = part.iter().skip(side).step_by(2).copied().collect();
            let mut wide = [0; WIDE_MAX];
            let length = filters.get_mut(side).map_or(0, |filter| filter.run(&narrow, &mut wide));
            (wide, length)
        });
        let [(left, length), (right, _)] = &sides;
        out.extend(left.iter().zip(right).take(*length).flat_map(|(left, right)| [*left, *right]));
    }
    out
}

/// RFC 7845 §5.1: two channels, no gain; mapping family 1: two streams that are no pair, the first left.
fn head() -> Vec<u8> {
    let mut head = b"OpusHead\x01\x02".to_vec();
    head.extend(PRE_SKIP.to_le_bytes());
    head.extend(RATE.to_le_bytes());
    head.extend([0, 0, 1, 2, 0, 0, 1]);
    head
}

/// RFC 7845 §5.2: who made it, and nothing else.
fn tags() -> Vec<u8> {
    const VENDOR: &[u8] = b"branchline";
    let mut tags = b"OpusTags".to_vec();
    tags.extend(u32::try_from(VENDOR.len()).unwrap_or(0).to_le_bytes());
    tags.extend(VENDOR);
    tags.extend(0_u32.to_le_bytes());
    tags
}

#[cfg(test)]
mod tests {
    use ogg::PacketReader;
    use rusty_opus::OpusDecoder;

    use super::*;
    use crate::plane::{Codec, Side};

    #[test]
    fn what_was_said_comes_out_of_the_file_on_its_side_and_as_long() {
        let frame = |side, at_ms: u32, byte| Frame {
            side,
            codec: Codec::Pcma,
            timestamp: at_ms * 8,
            at_ms,
            payload: (0..160).map(|n| if n % 16 < 8 { byte } else { byte ^ 0x80 }).collect(),
        };
        // The caller speaks in the first second, the agent in the second.
        let mut frames: Vec<Frame> = (0..50).map(|n| frame(Side::Caller, n * 20, 0x2a)).collect();
        frames.extend((50..100).map(|n| frame(Side::Agent, n * 20, 0x2a)));
        let file = ogg_opus(&frames, 7).expect("made");
        assert!(file.len() < 20_000, "{} bytes of two seconds", file.len());
        let mut reader = PacketReader::new(std::io::Cursor::new(file));
        let head = reader.read_packet_expected().expect("a head");
        assert_eq!((&head.data[..8], head.data[9]), (&b"OpusHead"[..], 2));
        assert_eq!(&reader.read_packet_expected().expect("tags").data[..8], b"OpusTags");
        let mut decoders = [0, 1].map(|_| OpusDecoder::new(48_000, 1).expect("a decoder"));
        let (mut sides, mut end) = ([Vec::new(), Vec::new()], 0);
        while let Some(packet) = reader.read_packet().expect("whole") {
            // The first says how long it is, in its second byte.
            let length = usize::from(packet.data[1]);
            assert!(length < 252, "a short packet");
            let (first, last) = packet.data.split_at(2 + length);
            let first = [&first[..1], &first[2..]].concat();
            for ((packet, decoder), side) in [&first[..], last].into_iter().zip(&mut decoders).zip(&mut sides) {
                let mut out = [0.0_f32; 960];
                let length = decoder.decode(packet, 960, &mut out).expect("decoded");
                side.extend_from_slice(&out[..length]);
            }
            end = packet.absgp_page();
        }
        assert_eq!(end, u64::from(PRE_SKIP) + 96_000, "two seconds");
        let loud = |side: usize, from_ms: usize, to_ms: usize| {
            let part = sides[side].iter().skip(312 + from_ms * 48).take((to_ms - from_ms) * 48);
            part.map(|sample| sample.abs()).fold(0.0_f32, f32::max)
        };
        for (side, speaks, silent) in [(0, 100, 1_200), (1, 1_100, 100)] {
            assert!(loud(side, speaks, speaks + 800) > 0.2, "side {side} speaks");
            assert!(
                loud(side, silent, silent + 700) < 0.05,
                "side {side} is silent: {}",
                loud(side, silent, silent + 700)
            );
        }
    }

    #[test]
    fn a_recording_without_a_frame_is_a_file_without_sound() {
        let file = ogg_opus(&[], 1).expect("made");
        let mut reader = PacketReader::new(std::io::Cursor::new(file));
        let packets = std::iter::from_fn(|| reader.read_packet().expect("whole")).count();
        assert_eq!(packets, 3);
    }
}
