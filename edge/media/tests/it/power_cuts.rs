//! Power cuts over a growing journal. What was synced is on disk; of what was written after it any sector may be there,
//! missing (zeroes), or left over from an older file, and the file may have any length in between. Whatever the state,
//! everything up to the last synced chunk plays, and what is mended proves itself.

use media::{
    plane::{Codec, Side},
    record::{Batch, Frame, HEAD_LEN, Heard, Writer, read, recover, rewrap},
};
use rand_chacha::{
    ChaCha12Rng,
    rand_core::{Rng, SeedableRng},
};

const BRANCH: [u8; 32] = [7; 32];
const NEXT: [u8; 32] = [8; 32];
const SECTOR: usize = 512;

/// States to try; all of a million with `BRANCHLINE_POWER_CUTS=1000000`.
fn states() -> u64 {
    std::env::var("BRANCHLINE_POWER_CUTS").ok().and_then(|count| count.parse().ok()).unwrap_or(4_000)
}

#[test]
fn every_power_cut_leaves_a_recording_that_plays_up_to_its_last_synced_chunk() {
    let mut dice = Dice(ChaCha12Rng::seed_from_u64(20_261_123));
    let (mut tried, mut of_one) = (0, 0);
    let mut journal = Recorded::new(&mut dice);
    while tried < states() {
        if of_one == 400 {
            (journal, of_one) = (Recorded::new(&mut dice), 0);
        }
        of_one += 1;
        tried += 1;
        let seen = dice.0.next_u64();
        journal.check(&mut Dice(ChaCha12Rng::seed_from_u64(seen)), seen);
    }
}

struct Dice(ChaCha12Rng);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.0.next_u64() % u64::try_from(limit.max(1)).expect("64 bits")).expect("64 bits")
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }
}

/// A whole journal, with the file's length and the frames after each write.
struct Recorded {
    bytes: Vec<u8>,
    ends: Vec<(usize, usize)>,
    frames: Vec<Frame>,
    /// The whole file under another branch key too.
    patched: Vec<u8>,
}

impl Recorded {
    fn new(dice: &mut Dice) -> Self {
        let mut random = [0; 44];
        dice.0.fill_bytes(&mut random);
        let (mut writer, mut bytes) = Writer::begin("rec", "branch-a", 0, &BRANCH, &random).expect("begun");
        let (mut ends, mut frames, mut batch) = (vec![(bytes.len(), 0)], Vec::new(), Batch::default());
        for round in 0..1 + dice.below(6) {
            for n in 0..1 + dice.below(20) {
                let mut payload = vec![0; 20 + dice.below(140)];
                dice.0.fill_bytes(&mut payload);
                let at_ms = u32::try_from(round * 400 + n * 20).expect("small");
                let side = if dice.one_in(2) { Side::Caller } else { Side::Agent };
                let frame = Frame { side, codec: Codec::Pcma, timestamp: at_ms * 8, at_ms, payload };
                let Frame { side, codec, timestamp, at_ms, ref payload } = frame;
                assert!(batch.push(&Heard { side, codec, timestamp, at_ms, payload }));
                frames.push(frame);
            }
            bytes.extend(writer.seal(&mut batch).expect("sealed"));
            batch.clear();
            ends.push((bytes.len(), frames.len()));
        }
        bytes.extend(writer.end().expect("ended").0);
        ends.push((bytes.len(), frames.len()));
        let patch = rewrap(&bytes[..HEAD_LEN], &BRANCH, &NEXT, [3; 12]).expect("ours").expect("not yet");
        let mut patched = bytes.clone();
        let at = usize::try_from(patch.offset).expect("small");
        patched[at..at + patch.bytes.len()].copy_from_slice(&patch.bytes);
        Self { bytes, ends, frames, patched }
    }

    /// One state of the disk.
    fn check(&self, dice: &mut Dice, seed: u64) {
        let synced = dice.below(self.ends.len());
        let (durable, frames) = self.ends[synced];
        let rewrapping = dice.one_in(4);
        let source = if rewrapping { &self.patched } else { &self.bytes };
        let mut disk = source[..durable + dice.below(source.len() - durable + 1)].to_vec();
        // Sectors after the synced length; the one it ends in was written again and may be torn behind that point.
        let mut at = durable;
        while at < disk.len() {
            let end = (at / SECTOR * SECTOR + SECTOR).min(disk.len());
            match dice.below(6) {
                0 => disk[at..end].fill(0),
                1 => dice.0.fill_bytes(&mut disk[at..end]),
                2 => {
                    let from = dice.below(self.bytes.len() - (end - at) + 1);
                    disk[at..end].copy_from_slice(&self.bytes[from..from + (end - at)]);
                }
                _ => {}
            }
            at = end;
        }
        if rewrapping && dice.one_in(2) {
            dice.0.fill_bytes(&mut disk[2 * SECTOR..3 * SECTOR]);
        }
        let journal = read(&disk, &BRANCH).unwrap_or_else(|error| panic!("state {seed}: unreadable: {error}"));
        assert!(journal.frames.len() >= frames, "state {seed}: {} frames of {frames}", journal.frames.len());
        assert_eq!(journal.frames[..], self.frames[..journal.frames.len()], "state {seed}: other frames");
        match recover(&disk, &BRANCH).expect("readable") {
            None => assert!(journal.trailer.is_some(), "state {seed}"),
            Some(mend) => {
                let mut mended = disk[..mend.keep].to_vec();
                mended.extend(&mend.append);
                let mended = read(&mended, &BRANCH).expect("readable");
                assert_eq!(mended.fault, None, "state {seed}: the mended file does not prove itself");
                assert_eq!(mended.frames, journal.frames, "state {seed}");
            }
        }
    }
}
