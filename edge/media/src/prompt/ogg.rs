//! Ogg Opus (RFC 7845): one stream of one or two channels, from its beginning to its end.

use std::io::{Read, Seek};

use ogg::{OggReadError, Packet, PacketReader};
use rusty_opus::OpusDecoder;

use super::{Error, Take};
use crate::plane::Codec;

/// Decoded at; its granules are always of 48 kHz.
const RATE: u32 = 16_000;
const GRANULES: u64 = 3;
/// Samples of one packet: 120 ms (RFC 6716 §3.2.5).
const PACKET: usize = 1_920;
/// Of a gain; louder or quieter than this a file is damaged, or made to hurt ears.
const GAIN_DB_MAX: f32 = 40.0;

/// From the file's first byte on.
pub(super) fn read(source: impl Read + Seek, take: impl FnOnce(u32) -> Take) -> Result<Take, Error> {
    let mut reader = PacketReader::new(source);
    let first = next(&mut reader)?.ok_or(Error::CutOff)?;
    let head = Head::read(&first)?;
    let serial = first.stream_serial();
    let tags = next(&mut reader)?.ok_or(Error::CutOff)?;
    if tags.stream_serial() != serial {
        return Err(Error::Ogg("it holds more than one stream"));
    }
    if !tags.data.starts_with(b"OpusTags") {
        return Err(Error::Ogg("it has no OpusTags"));
    }
    let decoder = OpusDecoder::new(i32::try_from(RATE).unwrap_or(0), head.channels);
    let decoder = decoder.map_err(|_| Error::Ogg("it cannot be decoded"))?;
    let mut voice = Voice { head, decoder, take: take(RATE), passed: 0, zero: None, sound: vec![0.0; PACKET * 2] };
    loop {
        let Some(packet) = next(&mut reader)? else { return Err(Error::CutOff) };
        if packet.stream_serial() != serial {
            return Err(Error::Ogg("it holds more than one stream"));
        }
        voice.hear(&packet)?;
        if packet.last_in_stream() {
            return Ok(voice.take);
        }
    }
}

fn next(reader: &mut PacketReader<impl Read + Seek>) -> Result<Option<Packet>, Error> {
    match reader.read_packet() {
        Ok(packet) => Ok(packet),
        Err(OggReadError::ReadError(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => Err(Error::CutOff),
        Err(OggReadError::ReadError(error)) => Err(Error::Read(error.to_string())),
        Err(OggReadError::HashMismatch(..)) => Err(Error::Ogg("a page is damaged")),
        Err(_) => Err(Error::Ogg("its pages are not in order")),
    }
}

/// RFC 7845 §5.1.
struct Head {
    channels: usize,
    /// Granules before the sound begins.
    skip: u64,
    gain: f32,
}

impl Head {
    fn read(packet: &Packet) -> Result<Self, Error> {
        let Some(head) = packet.data.strip_prefix(b"OpusHead") else {
            return Err(Error::Ogg("what it holds is not Opus"));
        };
        let [version, channels, skip_low, skip_high, _, _, _, _, gain_low, gain_high, family, ..] = head else {
            return Err(Error::Ogg("its OpusHead is too short"));
        };
        if version >> 4 != 0 {
            return Err(Error::Ogg("it is of a later version of RFC 7845"));
        }
        if *family != 0 || !matches!(channels, 1 | 2) {
            return Err(Error::Channels { channels: *channels, family: *family });
        }
        // Q7.8 dB.
        let gain = f32::from(i16::from_le_bytes([*gain_low, *gain_high])) / 256.0;
        if gain.abs() > GAIN_DB_MAX {
            return Err(Error::Ogg("its gain is beyond 40 dB"));
        }
        let skip = u64::from(u16::from_le_bytes([*skip_low, *skip_high]));
        Ok(Self { channels: usize::from(*channels), skip, gain: 10_f32.powf(gain / 20.0) })
    }
}

struct Voice {
    head: Head,
    decoder: OpusDecoder,
    take: Take,
    /// Granules that were decoded.
    passed: u64,
    /// The granule position before the first packet: not nothing in what was cut out of a longer one (§4.3).
    zero: Option<u64>,
    sound: Vec<f32>,
}

impl Voice {
    #[allow(clippy::cast_precision_loss)]
    fn hear(&mut self, packet: &Packet) -> Result<(), Error> {
        let span = Codec::Opus.span(&packet.data);
        let granules = u64::try_from(span.as_micros() * 48 / 1_000).unwrap_or(0);
        let length = usize::try_from(granules / GRANULES).unwrap_or(0);
        if length == 0 || length > PACKET {
            return Err(Error::Ogg("a packet is not Opus"));
        }
        let channels = self.head.channels;
        let place = self.sound.get_mut(..length * channels).unwrap_or_default();
        place.fill(0.0);
        // What cannot be decoded is as long, and silent.
        let _ = self.decoder.decode(&packet.data, length, place);
        let before = self.passed;
        self.passed = self.passed.saturating_add(granules);
        if packet.last_in_page() && self.zero.is_none() {
            self.zero = Some(packet.absgp_page().saturating_sub(self.passed));
        }
        let from = usize::try_from(self.head.skip.saturating_sub(before) / GRANULES).unwrap_or(length).min(length);
        let gain = self.head.gain / channels as f32;
        let sound = self.sound.get(from * channels..length * channels).unwrap_or_default();
        let mixed = sound.chunks_exact(channels).map(|pair| pair.iter().sum::<f32>() * gain);
        self.take.push(mixed.map(|sample| if sample.is_finite() { sample.clamp(-1.0, 1.0) } else { 0.0 }))?;
        if packet.last_in_stream() {
            // §4.4: the last page says where the sound ends.
            let end = packet.absgp_page().saturating_sub(self.zero.unwrap_or(0)).saturating_sub(self.head.skip);
            self.take.cut(usize::try_from(end / GRANULES).unwrap_or(usize::MAX));
        }
        Ok(())
    }
}
