//! Files as FFmpeg and libopus write them, each a sine of 1 kHz at half of full scale; and files that are none.

use std::io::Cursor;

use ::ogg::{PacketReader, PacketWriteEndInfo, PacketWriter};

use super::*;

macro_rules! file {
    ($name:literal) => {
        &include_bytes!(concat!("fixtures/", $name))[..]
    };
}

fn read(bytes: &[u8]) -> Result<Prompt, Error> {
    Prompt::read(Cursor::new(bytes))
}

/// At 8 kHz.
fn samples(prompt: &Prompt) -> Vec<i16> {
    let frames = (0..).map_while(|at| prompt.frame(Codec::Pcma, at));
    frames.flatten().map(|byte| Codec::Pcma.decode(*byte)).collect()
}

/// Amplitudes of the sine of this frequency, and of all that is beside it.
fn sine(samples: &[i16], hertz: f64) -> (f64, f64) {
    let (mut real, mut imaginary, mut power) = (0.0, 0.0, 0.0);
    for (n, sample) in samples.iter().enumerate() {
        let (angle, value) = (n as f64 * hertz * std::f64::consts::TAU / 8_000.0, f64::from(*sample));
        real += value * angle.cos();
        imaginary += value * angle.sin();
        power += value * value;
    }
    let count = samples.len() as f64;
    let own = f64::hypot(real, imaginary) * 2.0 / count;
    (own, (power / count * 2.0 - own * own).max(0.0).sqrt())
}

/// A stretch in the middle is the sine, `gain` times as loud.
fn holds_the_sine(name: &str, prompt: &Prompt, gain: f64) {
    let all = samples(prompt);
    let middle = &all[80..all.len() - 160];
    let (own, beside) = sine(&middle[..middle.len() / 8 * 8], 1_000.0);
    assert!((own / gain / 16_384.0 - 1.0).abs() < 0.06, "{name}: {own}");
    assert!(beside < own * 0.06, "{name}: {beside} beside {own}");
}

#[test]
fn every_kind_of_wav_is_as_loud_and_as_long() {
    for (name, bytes, frames) in [
        ("8 bits", file!("bits8.wav"), 5),
        ("16 bits", file!("bits16.wav"), 5),
        ("24 bits", file!("bits24.wav"), 5),
        ("32 bits", file!("bits32.wav"), 5),
        ("floating", file!("floating.wav"), 5),
        ("A-law", file!("alaw.wav"), 5),
        ("µ-law", file!("mulaw.wav"), 5),
        ("two channels of 24 bits at 44.1 kHz", file!("extensible.wav"), 2),
        ("from a pipe, without its length", file!("piped.wav"), 5),
    ] {
        let prompt = read(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        holds_the_sine(name, &prompt, 1.0);
        assert_eq!(samples(&prompt).len() / FRAME_LEN, frames, "{name}");
    }
}

#[test]
fn opus_in_ogg_is_as_loud_and_as_long() {
    for (name, bytes, frames) in [("mono", file!("mono.opus"), 35), ("stereo", file!("stereo.opus"), 50)] {
        let prompt = read(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        holds_the_sine(name, &prompt, 1.0);
        assert_eq!(samples(&prompt).len() / FRAME_LEN, frames, "{name}");
    }
}

/// The packets of a file, and its granule positions.
type Packets = Vec<(Vec<u8>, u64)>;

/// A file again, of what `change` makes of its packets; a page each.
fn again(bytes: &[u8], change: impl FnOnce(&mut Packets)) -> Vec<u8> {
    let mut reader = PacketReader::new(Cursor::new(bytes));
    let mut packets = Packets::new();
    let mut passed = 0;
    while let Some(packet) = reader.read_packet().expect("good") {
        if packets.len() >= 2 {
            passed += Codec::Opus.span(&packet.data).as_micros() as u64 * 48 / 1_000;
        }
        let end = if packet.last_in_stream() { packet.absgp_page() } else { passed };
        packets.push((packet.data, end));
    }
    change(&mut packets);
    let mut writer = PacketWriter::new(Vec::new());
    let last = packets.len() - 1;
    for (at, (packet, granule)) in packets.into_iter().enumerate() {
        let info = if at == last { PacketWriteEndInfo::EndStream } else { PacketWriteEndInfo::EndPage };
        writer.write_packet(packet, 7, info, granule).expect("memory");
    }
    writer.into_inner()
}

fn length(bytes: &[u8]) -> usize {
    samples(&read(bytes).expect("good")).len()
}

#[test]
fn a_gain_of_the_file_s_is_obeyed() {
    for (gain, louder) in [(-1_536_i16, 0.501), (768, 1.412)] {
        let file = again(file!("mono.opus"), |packets| packets[0].0[16..18].copy_from_slice(&gain.to_le_bytes()));
        holds_the_sine("a gain", &read(&file).expect("good"), louder);
    }
}

#[test]
fn what_is_before_and_behind_the_sound_is_left_out() {
    let whole = length(file!("mono.opus"));
    assert_eq!(length(&again(file!("mono.opus"), |_| {})), whole);
    let later = again(file!("mono.opus"), |packets| {
        let skip = u16::from_le_bytes([packets[0].0[10], packets[0].0[11]]) + 9_600;
        packets[0].0[10..12].copy_from_slice(&skip.to_le_bytes());
    });
    assert_eq!(whole - length(&later), 1_600, "200 ms less");
    let shorter = again(file!("mono.opus"), |packets| packets.last_mut().unwrap().1 -= 480);
    assert_eq!(length(&shorter), whole, "10 ms less, and the frame is filled");
    let shorter = again(file!("mono.opus"), |packets| packets.last_mut().unwrap().1 -= 961);
    assert_eq!(whole - length(&shorter), 160);
    // RFC 7845 §4.3: cut out of a longer one, its positions do not begin at nothing.
    let cut = again(file!("mono.opus"), |packets| packets.iter_mut().skip(2).for_each(|packet| packet.1 += 480_000));
    assert_eq!(length(&cut), whole);
}

fn refused(bytes: &[u8]) -> Error {
    read(bytes).expect_err("refused")
}

#[test]
fn what_is_no_prompt_is_refused_with_a_reason_and_a_way_out() {
    assert_eq!(refused(b""), Error::Empty);
    assert_eq!(refused(b"ID3 and so on"), Error::Unknown);
    assert_eq!(refused(file!("vorbis.ogg")), Error::Ogg("what it holds is not Opus"));
    assert_eq!(refused(file!("surround.opus")), Error::Channels { channels: 6, family: 1 });
    for whole in [file!("bits16.wav"), file!("extensible.wav"), file!("mono.opus"), file!("stereo.opus")] {
        assert_eq!(refused(&whole[..whole.len() - 40]), Error::CutOff);
        assert_eq!(refused(&whole[..30]), Error::CutOff);
    }
    let mut damaged = file!("mono.opus").to_vec();
    damaged[1_500] ^= 1;
    assert_eq!(refused(&damaged), Error::Ogg("a page is damaged"));
    let deaf = again(file!("mono.opus"), |packets| packets[0].0[16..18].copy_from_slice(&i16::MAX.to_le_bytes()));
    assert_eq!(refused(&deaf), Error::Ogg("its gain is beyond 40 dB"));
    let mut high = file!("bits16.wav").to_vec();
    high[24..28].copy_from_slice(&96_000_u32.to_le_bytes());
    assert_eq!(refused(&high), Error::Format { tag: 1, channels: 1, rate: 96_000, bits: 16 });
    for error in [refused(b"ID3"), refused(file!("vorbis.ogg")), refused(&high)] {
        assert!(error.to_string().contains("ffmpeg -i FILE"), "{error}");
    }
    assert_eq!(Prompt::from_samples(&[]).expect_err("empty"), Error::Empty);
}

/// A packet of two bytes says that it lasts 120 ms: an hour fits into some hundred KB.
#[test]
fn a_file_that_unpacks_to_hours_is_refused_when_it_is_too_long() {
    let bomb = again(file!("mono.opus"), |packets| {
        packets.truncate(2);
        // 48 frames of 2.5 ms, each of no bytes.
        packets.extend((0..30_000).map(|_| (vec![0xe3, 48], 0)));
    });
    assert!(bomb.len() < 1_000_000);
    assert_eq!(refused(&bomb), Error::TooLong);
    let mut wav = file!("bits16.wav").to_vec();
    wav.resize(SECONDS_MAX * 16_000 + 100_000, 1);
    wav[40..44].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(refused(&wav), Error::TooLong);
}

#[test]
fn whatever_bytes_are_no_panic() {
    let mut state = 7_u32;
    let mut random = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 8
    };
    for whole in [file!("bits24.wav"), file!("extensible.wav"), file!("piped.wav"), file!("mono.opus")] {
        for _ in 0..400 {
            let mut bytes = whole.to_vec();
            for _ in 0..=random() % 4 {
                let at = random() as usize % bytes.len().min(200);
                bytes[at] = random().to_le_bytes()[0];
            }
            let _ = read(&bytes);
        }
    }
    for _ in 0..200 {
        let noise = again(file!("mono.opus"), |packets| {
            for (packet, _) in packets.iter_mut().skip(2) {
                packet.iter_mut().skip(1).for_each(|byte| *byte = random().to_le_bytes()[0]);
            }
        });
        let _ = read(&noise);
    }
}
