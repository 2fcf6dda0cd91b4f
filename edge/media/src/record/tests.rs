//! Power cuts, flipped bytes, strangers' keys.

use super::*;
use crate::plane::{Codec, Side};

const BRANCH: [u8; 32] = [7; 32];

/// A recording of `frames` × 20 ms per side, 400 ms in a chunk; (bytes, lengths after each append).
fn record(frames: u32) -> (Vec<u8>, Vec<usize>) {
    let (mut writer, mut bytes) = Writer::begin("rec-1", "branch-a", 0, &BRANCH, &[9; 44]).expect("begun");
    let mut ends = vec![bytes.len()];
    let mut batch = Batch::default();
    for n in 0..frames {
        for (side, codec) in [(Side::Caller, Codec::Pcma), (Side::Agent, Codec::Pcmu)] {
            let payload = [u8::try_from(n % 200).expect("small"); 160];
            assert!(batch.push(&Heard { side, codec, timestamp: n * 160, at_ms: n * 20, payload: &payload }));
        }
        if n % 20 == 19 || n == frames - 1 {
            bytes.extend(writer.seal(&mut batch).expect("sealed"));
            batch.clear();
            ends.push(bytes.len());
        }
    }
    let (last, _) = writer.end().expect("ended");
    bytes.extend(last);
    (bytes, ends)
}

#[test]
fn a_sealed_recording_proves_itself_and_holds_every_frame() {
    let (bytes, _) = record(120);
    let journal = read(&bytes, &BRANCH).expect("readable");
    assert_eq!(journal.fault, None);
    assert_eq!(journal.frames.len(), 240);
    let trailer = journal.trailer.expect("sealed");
    assert_eq!((trailer.frames, trailer.ms, trailer.recovered), (240, 119 * 20, false));
    assert!(trailer.chunks >= 5, "at most half a second in each");
}

#[test]
fn every_prefix_is_playable_to_its_last_whole_chunk_and_can_be_sealed() {
    let (bytes, ends) = record(80);
    for cut in ends[0]..bytes.len() {
        let prefix = &bytes[..cut];
        let whole = ends.iter().filter(|end| **end <= cut).count() - 1;
        let journal = read(prefix, &BRANCH).expect("readable");
        assert!(journal.fault.is_some(), "a cut at {cut} went unnoticed");
        assert!(journal.chunks as usize >= whole, "cut at {cut}");
        let mend = recover(prefix, &BRANCH).expect("readable").expect("unsealed");
        let mut mended = prefix[..mend.keep].to_vec();
        mended.extend(mend.append);
        let mended = read(&mended, &BRANCH).expect("readable");
        assert_eq!(mended.fault, None, "cut at {cut}");
        assert!(mended.trailer.expect("sealed").recovered);
    }
}

#[test]
fn every_flipped_byte_is_found_and_its_chunk_named() {
    let (bytes, ends) = record(60);
    for at in (0..bytes.len()).step_by(3) {
        let mut bad = bytes.clone();
        bad[at] ^= 0x10;
        let Ok(journal) = read(&bad, &BRANCH) else {
            assert!(at < ends[0], "byte {at} made it unreadable");
            continue;
        };
        // The place that holds no key, and what pads the other, carry nothing.
        if (512 + 77..HEAD_LEN).contains(&at) {
            assert_eq!(journal.fault, None, "byte {at}");
            continue;
        }
        let fault = journal.fault.unwrap_or_else(|| panic!("byte {at} went unnoticed"));
        if at >= ends[0] && at < *ends.last().expect("chunks") {
            let chunk = u32::try_from(ends.iter().filter(|end| **end <= at).count() - 1).expect("small");
            assert!(
                matches!(fault, Fault::Chunk(n) | Fault::Torn(n) if n == chunk),
                "byte {at}: {fault:?}, not {chunk}"
            );
        }
    }
}

#[test]
fn chunks_cannot_change_places_or_come_from_another_recording() {
    let (bytes, ends) = record(80);
    let mut swapped = bytes[..ends[0]].to_vec();
    swapped.extend(&bytes[ends[1]..ends[2]]);
    swapped.extend(&bytes[ends[0]..ends[1]]);
    swapped.extend(&bytes[ends[2]..]);
    assert_eq!(read(&swapped, &BRANCH).expect("readable").fault, Some(Fault::Chunk(0)));
    let mut cut = bytes[..ends[1]].to_vec();
    cut.extend(&bytes[ends[2]..]);
    assert_eq!(read(&cut, &BRANCH).expect("readable").fault, Some(Fault::Chunk(1)));
    let mut longer = bytes;
    longer.push(0);
    assert_eq!(read(&longer, &BRANCH).expect("readable").fault, Some(Fault::Surplus));
}

#[test]
fn another_branch_key_opens_nothing() {
    let (bytes, _) = record(5);
    assert_eq!(read(&bytes, &[8; 32]).expect_err("another key"), Error::Key);
    assert_eq!(read(b"RIFF....", &BRANCH).expect_err("no journal"), Error::Format);
}

#[test]
fn a_gap_stays_a_gap_of_the_same_length() {
    let frame =
        |at_ms, timestamp| Frame { side: Side::Caller, codec: Codec::Pcmu, timestamp, at_ms, payload: vec![0x10; 160] };
    // Arrival jitters by some ms; the RTP clock places the frames. Then a pause of one second.
    let Stereo { samples, .. } = stereo(&[frame(0, 5_000), frame(27, 5_160), frame(1_040, 13_320)]);
    let left: Vec<i16> = samples.iter().step_by(2).copied().collect();
    let loud: Vec<usize> = left.iter().enumerate().filter(|(_, sample)| **sample != 0).map(|(at, _)| at).collect();
    assert_eq!((loud.first(), loud.last()), (Some(&0), Some(&(8_320 + 159))));
    assert_eq!(loud.len(), 480);
    assert!(samples.iter().skip(1).step_by(2).all(|sample| *sample == 0), "the agent said nothing");
}

#[test]
fn another_branch_key_is_a_second_place_and_the_chunks_stay_as_they_are() {
    const NEXT: [u8; 32] = [8; 32];
    const LAST: [u8; 32] = [9; 32];
    let (mut bytes, ends) = record(80);
    let chunks = bytes[ends[0]..].to_vec();
    let apply = |bytes: &mut Vec<u8>, patch: &Patch| {
        let at = usize::try_from(patch.offset).expect("small");
        bytes[at..at + patch.bytes.len()].copy_from_slice(&patch.bytes);
    };
    let patch = rewrap(&bytes[..HEAD_LEN], &BRANCH, &NEXT, [1; 12]).expect("ours").expect("not yet done");
    // The power fails while the patch is written: its sector holds anything.
    let mut torn = bytes.clone();
    torn[1_024..1_536].fill(0xa5);
    assert_eq!(read(&torn, &BRANCH).expect("still readable").fault, None);
    apply(&mut bytes, &patch);
    for key in [&BRANCH, &NEXT] {
        assert_eq!(read(&bytes, key).expect("readable").fault, None);
    }
    assert_eq!(rewrap(&bytes[..HEAD_LEN], &BRANCH, &NEXT, [2; 12]), Ok(None), "it is done already");
    assert_eq!(rewrap(&bytes[..HEAD_LEN], &LAST, &BRANCH, [2; 12]), Ok(None));
    assert_eq!(rewrap(&bytes[..HEAD_LEN], &LAST, &[7; 32].map(|byte: u8| byte + 3), [2; 12]), Err(Error::Key));
    // The next change takes the place of the oldest key, which opens nothing any more.
    let patch = rewrap(&bytes[..HEAD_LEN], &NEXT, &LAST, [3; 12]).expect("ours").expect("not yet done");
    apply(&mut bytes, &patch);
    assert_eq!(read(&bytes, &BRANCH).expect_err("the oldest"), Error::Key);
    assert_eq!(read(&bytes, &LAST).expect("readable").fault, None);
    let patch = forget(&bytes[..HEAD_LEN], &LAST).expect("ours").expect("the key before opens it still");
    assert_eq!(forget(&bytes[..HEAD_LEN], &BRANCH), Err(Error::Key));
    apply(&mut bytes, &patch);
    assert_eq!(read(&bytes, &NEXT).expect_err("forgotten"), Error::Key);
    assert_eq!(read(&bytes, &LAST).expect("readable").fault, None);
    assert_eq!(forget(&bytes[..HEAD_LEN], &LAST), Ok(None), "there is nothing left to forget");
    assert_eq!(bytes[ends[0]..], chunks, "not a byte of the audio was touched");
}

/// One leg spoke Opus, the other A-law; the recording has both where they were said.
#[test]
fn a_recording_of_other_codecs_is_rendered_wide_and_in_time() {
    let mut encoder = crate::coder::Encoder::new(Codec::Opus);
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
    let tone = |at: u32| std::array::from_fn(|n| (((at as usize * 320 + n) as f32 * 0.3).sin() * 8_000.0) as i16);
    let mut batch = Batch::default();
    let (mut writer, mut bytes) = Writer::begin("rec-1", "branch-a", 0, &BRANCH, &[9; 44]).expect("begun");
    for n in 0..50_u32 {
        let mut opus = [0; crate::coder::ENCODED_MAX];
        let length = encoder.encode(&tone(n), &mut opus);
        // The caller begins after 200 ms and speaks for a second; the agent speaks from the start.
        let caller = Heard {
            side: Side::Caller,
            codec: Codec::Opus,
            timestamp: n * 960,
            at_ms: 200 + n * 20,
            payload: &opus[..length],
        };
        let agent =
            Heard { side: Side::Agent, codec: Codec::Pcma, timestamp: n * 160, at_ms: n * 20, payload: &[0x2a; 160] };
        for heard in [caller, agent] {
            if !batch.push(&heard) {
                bytes.extend(writer.seal(&mut batch).expect("sealed"));
                batch.clear();
                assert!(batch.push(&heard));
            }
        }
    }
    bytes.extend(writer.seal(&mut batch).expect("sealed"));
    let (last, _) = writer.end().expect("ended");
    bytes.extend(last);
    let journal = read(&bytes, &BRANCH).expect("readable");
    assert_eq!(journal.fault, None);
    let Stereo { rate, samples } = stereo(&journal.frames);
    assert_eq!((rate, samples.len()), (16_000, 2 * 1_200 * 16));
    let loud = |side: usize, from_ms: usize, to_ms: usize| {
        let part = samples.iter().skip(side).step_by(2).skip(from_ms * 16).take((to_ms - from_ms) * 16);
        part.map(|sample| sample.unsigned_abs()).max().unwrap_or(0)
    };
    assert_eq!(loud(0, 0, 199), 0, "the caller is silent at first");
    assert!(loud(0, 300, 400) > 4_000 && loud(0, 1_100, 1_180) > 4_000);
    assert!(loud(1, 20, 900) > 4_000);
    assert_eq!(loud(1, 1_050, 1_200), 0, "the agent is silent at last");
    assert_eq!(peaks(&journal.frames, 6).ms, 200);
}
