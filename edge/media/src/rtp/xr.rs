//! RTCP extended reports (RFC 3611): how a receiver says that a stream sounds to it (§4.7, VoIP metrics). Written for who
//! asks for them in its SDP (§5.1), read from whoever sends them.

/// The packet type.
pub const TYPE: u8 = 207;
/// Bytes of one packet of ours: a head, the sender's SSRC, and one block.
pub const LEN: usize = 8 + 4 + VOIP_LEN;
/// The block's kind, and its bytes after the block's head.
const VOIP: u8 = 7;
const VOIP_LEN: usize = 32;
/// Blocks of one packet that are looked at.
const BLOCKS_MAX: usize = 16;
/// What stands where a value is not known (§4.7.5).
const UNKNOWN: u8 = 127;
/// §4.7.2: so many good packets end a burst.
pub const GMIN: u32 = 16;

/// How one stream sounds to who receives it. Rates and densities of 256, times in ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Voip {
    pub ssrc: u32,
    pub lost: u8,
    /// Came too late to be played.
    pub discarded: u8,
    pub burst_density: u8,
    pub gap_density: u8,
    pub burst_ms: u16,
    pub gap_ms: u16,
    pub round_trip_ms: u16,
    /// R of ITU-T G.107, 0 to 100.
    pub rating: Option<u8>,
    /// The opinion of listening, in tenths, 10 to 50.
    pub opinion: Option<u8>,
}

/// The report about one source in the body of a packet (behind its head). The outer None: its lengths do not add up.
#[allow(clippy::option_option)]
pub fn parse(body: &[u8], about: u32) -> Option<Option<Voip>> {
    let (_, mut rest) = body.split_first_chunk::<4>()?;
    for _ in 0..BLOCKS_MAX {
        let Some((head, after)) = rest.split_first_chunk::<4>() else { break };
        let length = usize::from(u16::from_be_bytes([head[2], head[3]])) * 4;
        let block = after.get(..length)?;
        if head[0] == VOIP
            && let Some(voip) = block.first_chunk::<VOIP_LEN>().map(read).filter(|voip| voip.ssrc == about)
        {
            return Some(Some(voip));
        }
        rest = after.get(length..)?;
    }
    Some(None)
}

fn read(block: &[u8; VOIP_LEN]) -> Voip {
    let [s0, s1, s2, s3, lost, discarded, burst_density, gap_density, b0, b1, g0, g1, t0, t1, ..] = *block;
    // The R factor, and the opinion of listening.
    let (rating, opinion) = (block[20], block[22]);
    Voip {
        ssrc: u32::from_be_bytes([s0, s1, s2, s3]),
        lost,
        discarded,
        burst_density,
        gap_density,
        burst_ms: u16::from_be_bytes([b0, b1]),
        gap_ms: u16::from_be_bytes([g0, g1]),
        round_trip_ms: u16::from_be_bytes([t0, t1]),
        // Zeros all over are of somebody who does not know.
        rating: Some(rating).filter(|rating| *rating <= 100 && (*rating > 0 || (10..=50).contains(&opinion))),
        opinion: Some(opinion).filter(|opinion| (10..=50).contains(opinion)),
    }
}

/// A packet of `sender`'s with one block.
pub fn write(sender: u32, voip: &Voip) -> [u8; LEN] {
    let mut out = [0; LEN];
    let known = |value: Option<u8>| value.unwrap_or(UNKNOWN);
    let (rating, opinion) = (known(voip.rating), known(voip.opinion));
    let [b0, b1] = voip.burst_ms.to_be_bytes();
    let [g0, g1] = voip.gap_ms.to_be_bytes();
    let [t0, t1] = voip.round_trip_ms.to_be_bytes();
    #[allow(clippy::cast_possible_truncation)]
    let gmin = GMIN as u8;
    let parts: [&[u8]; 9] = [
        &[0x80, TYPE, 0, 10],
        &sender.to_be_bytes(),
        &[VOIP, 0, 0, 8],
        &voip.ssrc.to_be_bytes(),
        &[voip.lost, voip.discarded, voip.burst_density, voip.gap_density],
        &[b0, b1, g0, g1, t0, t1],
        // No delay of ours, no levels: we pass audio on.
        &[0, 0, UNKNOWN, UNKNOWN, UNKNOWN, gmin],
        &[rating, UNKNOWN, opinion, opinion],
        // Concealment and buffer are not ours to tell.
        &[0, 0, 0, 0, 0, 0, 0, 0],
    ];
    let mut at = 0;
    for part in parts {
        if let Some(place) = out.get_mut(at..at + part.len()) {
            place.copy_from_slice(part);
            at += part.len();
        }
    }
    out
}

/// RFC 3611 A.2: losses that come together are a burst, those far apart are in the gaps between. Counts of transitions
/// between the four states of its Markov chain.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bursts {
    /// Packets since the last loss, and losses of the stretch.
    good: u32,
    run: u32,
    lost: u32,
    c11: u32,
    c13: u32,
    c14: u32,
    c22: u32,
    c23: u32,
    c33: u32,
}

impl Bursts {
    pub fn came(&mut self) {
        self.good = self.good.saturating_add(1);
    }

    pub fn lost(&mut self, count: u32) {
        let Some(further) = count.checked_sub(1) else { return };
        self.lost_one();
        // Each of them follows a loss at once.
        for sum in [&mut self.run, &mut self.lost, &mut self.c33] {
            *sum = sum.saturating_add(further);
        }
    }

    fn lost_one(&mut self) {
        let one = |count: &mut u32| *count = count.saturating_add(1);
        one(&mut self.lost);
        if self.good >= GMIN {
            one(if self.run == 1 { &mut self.c14 } else { &mut self.c13 });
            self.run = 1;
            self.c11 = self.c11.saturating_add(self.good);
        } else {
            one(&mut self.run);
            if self.good == 0 {
                one(&mut self.c33);
            } else {
                one(&mut self.c23);
                self.c22 = self.c22.saturating_add(self.good.saturating_sub(1));
            }
        }
        self.good = 0;
    }

    /// Rates, densities and times of a report; the rest is the caller's. `packet_ms`: of one packet.
    pub fn report(&self, packet_ms: u32) -> Voip {
        // The good packets at the end belong to a gap.
        let c11 = self.c11.saturating_add(self.good);
        let bad = u64::from(self.c13) + u64::from(self.c14) + u64::from(self.c23) + u64::from(self.c33);
        let total = u64::from(c11) + u64::from(self.c22) + u64::from(self.c23) + bad + u64::from(self.c13);
        let of_256 = |part: u64, whole: u64| {
            let share = part.saturating_mul(256).checked_div(whole).unwrap_or(0);
            u8::try_from(share).unwrap_or(u8::MAX)
        };
        let ms = |packets: u64| u16::try_from(packets.saturating_mul(packet_ms.into())).unwrap_or(u16::MAX);
        let (c13, c23, c33) = (u64::from(self.c13), u64::from(self.c23), u64::from(self.c33));
        let in_gaps = u64::from(c11) + u64::from(self.c14) + c13;
        let gap = in_gaps.checked_div(c13).unwrap_or(in_gaps);
        // p23 and p32 of the appendix, in 65536ths.
        let scaled = |part: u64, whole: u64| part.saturating_mul(65_536).checked_div(whole);
        let p32 = scaled(c23, c13 + c23 + c33).unwrap_or(0);
        let p23 = 65_536 - scaled(u64::from(self.c22), u64::from(self.c22) + c23).unwrap_or(0);
        let bursts = c13 > 0;
        Voip {
            lost: of_256(self.lost.into(), u64::from(c11) + u64::from(self.c22) + c23 + u64::from(self.lost)),
            burst_density: if bursts { of_256(p23, p23 + p32) } else { 0 },
            gap_density: of_256(self.c14.into(), u64::from(c11) + u64::from(self.c14)),
            burst_ms: if bursts { ms(total.checked_div(c13).unwrap_or(0).saturating_sub(gap)) } else { 0 },
            gap_ms: ms(gap),
            ..Voip::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn parse_undoes_write(words: [u32; 3], bytes: [u8; 4], rating in prop::option::of(1_u8..=100), opinion in prop::option::of(10_u8..=50)) {
            let [sender, ssrc, times] = words;
            let [lost, discarded, burst_density, gap_density] = bytes;
            let [high, low] = [(times >> 16) as u16, times as u16];
            let voip = Voip { ssrc, lost, discarded, burst_density, gap_density, burst_ms: high, gap_ms: low, round_trip_ms: high ^ low, rating, opinion };
            let packet = write(sender, &voip);
            prop_assert_eq!(usize::from(u16::from_be_bytes([packet[2], packet[3]])) * 4, packet.len() - 4);
            prop_assert_eq!(parse(&packet[4..], ssrc), Some(Some(voip)));
            prop_assert_eq!(parse(&packet[4..], ssrc ^ 1), Some(None));
            for cut in 4..packet.len() {
                let _ = parse(&packet[4..cut], ssrc);
            }
        }

        #[test]
        fn no_pattern_of_loss_makes_nonsense(pattern in prop::collection::vec((0_u32..40, 0_u32..6), 0..60)) {
            let mut bursts = Bursts::default();
            let (mut came, mut lost) = (0_u64, 0_u64);
            for (good, bad) in pattern {
                (0..good).for_each(|_| bursts.came());
                bursts.lost(bad);
                (came, lost) = (came + u64::from(good), lost + u64::from(bad));
            }
            let told = bursts.report(20);
            let share = (lost * 256).checked_div(came + lost).unwrap_or(0);
            prop_assert!(u64::from(told.lost).abs_diff(share.min(255)) <= 8, "{} of 256, not {share}", told.lost);
        }
    }

    #[test]
    fn losses_far_apart_are_no_burst_and_losses_together_are_one() {
        let mut far = Bursts::default();
        for _ in 0..20 {
            (0..50).for_each(|_| far.came());
            far.lost(1);
        }
        let told = far.report(20);
        // The first loss begins what is not yet known to be a gap.
        assert!(told.burst_ms <= 20 && (4..=6).contains(&told.gap_density) && (4..=6).contains(&told.lost), "{told:?}");

        let mut together = Bursts::default();
        for _ in 0..5 {
            (0..200).for_each(|_| together.came());
            for _ in 0..10 {
                together.lost(1);
                together.came();
            }
        }
        let told = together.report(20);
        assert!((300..=450).contains(&told.burst_ms), "ten lost of twenty, 20 ms each: {told:?}");
        assert!((110..=150).contains(&told.burst_density), "about every other: {told:?}");
        assert!(told.gap_ms > 3_000, "{told:?}");
    }

    #[test]
    fn what_is_no_report_of_ours_is_passed_over() {
        assert_eq!(parse(&[], 1), None);
        assert_eq!(parse(&[0, 0, 0, 9], 1), Some(None), "no block");
        assert_eq!(parse(&[0, 0, 0, 9, 4, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8], 1), Some(None), "a reference time");
        assert_eq!(parse(&[0, 0, 0, 9, 7, 0, 0, 8, 1, 2], 1), None, "longer than it is");
        assert_eq!(parse(&[0, 0, 0, 9, 7, 0, 0, 1, 0, 0, 0, 1], 1), Some(None), "shorter than the block is");
    }
}
