//! A jitter buffer: packets wait in their order until their time, longer where the network is uneven (RFC 3550 A.8 gives
//! the measure, this the use). It keeps bytes; what they mean is the decoder's.

use std::time::{Duration, Instant};

/// Packets that wait at most.
const SLOTS: usize = 32;
/// Bytes of one.
pub const BYTES_MAX: usize = 640;
/// What waits before the first is played, at least and at most.
const WAIT_MIN: Duration = Duration::from_millis(40);
const WAIT_MAX: Duration = Duration::from_millis(240);
/// A sequence further away than this is another stream's.
const JUMP_MAX: u64 = 100;
/// Looks within which the shortest queue is what can be spared: a second.
const LOOKS: u32 = 50;

#[derive(Clone, Copy)]
struct Slot {
    sequence: u64,
    length: u16,
    bytes: [u8; BYTES_MAX],
}

/// What is next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next<'a> {
    Packet(&'a [u8]),
    /// It did not come in time; the one behind it did, or not.
    Lost {
        behind: Option<&'a [u8]>,
    },
    /// Nothing is there (yet).
    Nothing,
}

pub struct Jitter {
    slots: Box<[Slot; SLOTS]>,
    /// Whose packets they are.
    ssrc: Option<u32>,
    /// To be played next; and the newest that came, by extended sequence number.
    next: u64,
    newest: u64,
    filling: bool,
    /// What a packet holds.
    span: Duration,
    delay: Delay,
    looks: u32,
    shortest: u64,
    /// Packets that came too late or twice.
    pub late: u64,
    /// Packets that did not come.
    pub lost: u64,
}

impl Default for Jitter {
    fn default() -> Self {
        Self {
            slots: Box::new([Slot { sequence: 0, length: 0, bytes: [0; BYTES_MAX] }; SLOTS]),
            ssrc: None,
            next: 0,
            newest: 0,
            filling: true,
            span: Duration::from_millis(20),
            delay: Delay::default(),
            looks: 0,
            shortest: u64::MAX,
            late: 0,
            lost: 0,
        }
    }
}

impl Jitter {
    /// Takes a packet of `span` of sound.
    pub fn put(&mut self, now: Instant, (ssrc, sequence): (u32, u16), span: Duration, payload: &[u8]) {
        let Ok(length) = u16::try_from(payload.len()) else { return };
        if payload.is_empty() || payload.len() > BYTES_MAX || span.is_zero() {
            return;
        }
        let extended = self.extend(sequence);
        if self.ssrc != Some(ssrc) || extended.abs_diff(self.newest) > JUMP_MAX {
            self.begin(ssrc, sequence);
            return self.put(now, (ssrc, sequence), span, payload);
        }
        self.span = span;
        self.delay.note(now, extended, span);
        if extended < self.next {
            self.late = self.late.saturating_add(1);
            return;
        }
        let Some(slot) = self.slots.get_mut(place(extended)) else { return };
        slot.sequence = extended;
        slot.length = length;
        if let Some(bytes) = slot.bytes.get_mut(..payload.len()) {
            bytes.copy_from_slice(payload);
        }
        self.newest = self.newest.max(extended);
        // Whoever never takes loses the oldest.
        self.next = self.next.max(self.newest.saturating_sub(SLOTS as u64 - 1));
    }

    /// The next packet's time has come.
    pub fn take(&mut self) -> Next<'_> {
        let waits = self.waits();
        if self.ssrc.is_none() || waits == 0 || self.filling && self.time(waits) < self.wanted() {
            return Next::Nothing;
        }
        self.filling = false;
        let sequence = self.next;
        if self.at(sequence).is_none() && self.time(waits) < self.wanted() {
            // It may come yet: what is made up meanwhile makes the queue longer.
            return Next::Nothing;
        }
        self.next = self.next.saturating_add(1);
        if self.at(sequence).is_none() {
            self.lost = self.lost.saturating_add(1);
            return Next::Lost { behind: self.at(self.next) };
        }
        self.at(sequence).map_or(Next::Nothing, Next::Packet)
    }

    /// Asked once every 20 ms: true when a packet more waits than is needed, and has for a second.
    pub fn can_spare(&mut self) -> bool {
        if self.filling {
            return false;
        }
        self.shortest = self.shortest.min(self.waits());
        self.looks = self.looks.saturating_add(1);
        if self.looks < LOOKS {
            return false;
        }
        let spare = self.time(self.shortest) > self.wanted() + self.span;
        (self.looks, self.shortest) = (0, u64::MAX);
        spare
    }

    /// It ran dry: enough is to wait again before it goes on.
    pub fn dry(&mut self) {
        self.filling = true;
    }

    /// How much is to wait, as uneven as the network is.
    pub fn wanted(&self) -> Duration {
        (self.delay.spread() + self.span).clamp(WAIT_MIN, WAIT_MAX)
    }

    fn waits(&self) -> u64 {
        (self.newest + 1).saturating_sub(self.next)
    }

    fn time(&self, packets: u64) -> Duration {
        self.span.saturating_mul(u32::try_from(packets).unwrap_or(u32::MAX))
    }

    fn at(&self, sequence: u64) -> Option<&[u8]> {
        let slot = self.slots.get(place(sequence)).filter(|slot| slot.sequence == sequence && slot.length > 0)?;
        slot.bytes.get(..usize::from(slot.length))
    }

    fn begin(&mut self, ssrc: u32, sequence: u16) {
        for slot in self.slots.iter_mut() {
            slot.length = 0;
        }
        let first = 0x1_0000 + u64::from(sequence);
        (self.ssrc, self.next, self.newest) = (Some(ssrc), first, first);
        (self.filling, self.delay) = (true, Delay::default());
        (self.looks, self.shortest) = (0, u64::MAX);
    }

    /// The sequence number nearest to the newest.
    fn extend(&self, sequence: u16) -> u64 {
        #[allow(clippy::cast_possible_truncation)]
        let ahead = sequence.wrapping_sub(self.newest as u16);
        let back = ahead.wrapping_neg();
        if ahead < 0x8000 {
            self.newest.saturating_add(u64::from(ahead))
        } else {
            self.newest.saturating_sub(u64::from(back))
        }
    }
}

fn place(sequence: u64) -> usize {
    usize::try_from(sequence % SLOTS as u64).unwrap_or(0)
}

/// By how much packets are late beside the quickest.
#[derive(Debug, Clone, Default)]
struct Delay {
    zero: Option<(Instant, u64)>,
    /// Microseconds.
    quickest: i64,
    slowest: i64,
}

impl Delay {
    fn note(&mut self, now: Instant, sequence: u64, span: Duration) {
        let (began, first) = *self.zero.get_or_insert((now, sequence));
        let micros = |span: Duration| i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        let packets = i64::try_from(sequence).unwrap_or(0).saturating_sub(i64::try_from(first).unwrap_or(0));
        let due = packets.saturating_mul(micros(span));
        let late = micros(now.saturating_duration_since(began)).saturating_sub(due);
        // Quick to widen, slow to narrow: a packet's worth in about five seconds; and clocks drift.
        self.quickest = if late < self.quickest { late } else { self.quickest + (late - self.quickest) / 512 };
        self.slowest = if late > self.slowest { late } else { self.slowest - (self.slowest - late) / 256 };
    }

    fn spread(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.slowest.saturating_sub(self.quickest)).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: Duration = Duration::from_millis(20);

    struct Line {
        jitter: Jitter,
        zero: Instant,
        heard: Vec<String>,
    }

    impl Line {
        fn new() -> Self {
            #[allow(clippy::disallowed_methods)]
            let zero = Instant::now();
            Self { jitter: Jitter::default(), zero, heard: Vec::new() }
        }

        fn put(&mut self, ms: u64, sequence: u16) {
            let now = self.zero + Duration::from_millis(ms);
            self.jitter.put(now, (1, sequence), SPAN, &sequence.to_be_bytes());
        }

        fn take(&mut self) {
            let next = match self.jitter.take() {
                Next::Packet(bytes) => u16::from_be_bytes([bytes[0], bytes[1]]).to_string(),
                Next::Lost { behind } => if behind.is_some() { "lost+" } else { "lost" }.to_owned(),
                Next::Nothing => "-".to_owned(),
            };
            self.heard.push(next);
        }
    }

    #[test]
    fn packets_are_played_in_order_across_the_wrap_once_two_wait() {
        let mut line = Line::new();
        for (n, sequence) in [65_534_u16, 0, 65_535, 0, 1, 2].into_iter().enumerate() {
            line.put(20 * n as u64, sequence);
            line.take();
        }
        assert_eq!(line.heard, ["-", "65534", "65535", "0", "1", "2"]);
    }

    #[test]
    fn a_lost_packet_is_named_once_the_one_behind_it_is_there() {
        let mut line = Line::new();
        for (n, sequence) in [1_u16, 2, 3, 5, 6, 7].into_iter().enumerate() {
            line.put(20 * n as u64, sequence);
            if n > 0 {
                line.take();
            }
        }
        line.take();
        assert_eq!(line.heard[..4], ["1", "2", "3", "lost+"]);
        assert_eq!(line.heard[4..], ["5", "6"]);
        assert_eq!(line.jitter.lost, 1);
    }

    #[test]
    fn an_uneven_network_is_waited_for_and_an_even_one_no_longer() {
        let mut line = Line::new();
        for n in 0..200_u16 {
            let late = if n % 10 == 0 { 90 } else { 0 };
            line.put(u64::from(n) * 20 + late, n);
            line.take();
        }
        assert!(line.jitter.wanted() >= Duration::from_millis(100), "{:?}", line.jitter.wanted());
        let mut spared = 0;
        for n in 200..2_200_u16 {
            line.put(u64::from(n) * 20, n);
            line.take();
            if line.jitter.can_spare() {
                spared += 1;
                line.take();
            }
        }
        assert!(line.jitter.wanted() < Duration::from_millis(60), "{:?}", line.jitter.wanted());
        assert!(spared > 0 || line.jitter.waits() <= 3, "{} wait", line.jitter.waits());
        assert!(line.jitter.waits() <= 4, "{} wait", line.jitter.waits());
    }

    #[test]
    fn a_new_stream_and_a_flood_begin_afresh_and_nothing_grows() {
        let mut line = Line::new();
        for n in 0..1_000_u16 {
            line.put(u64::from(n), n);
        }
        line.take();
        assert_eq!(line.heard, ["968"]);
        let now = line.zero + Duration::from_secs(2);
        line.jitter.put(now, (2, 7), SPAN, &[0, 7]);
        line.jitter.put(now, (2, 8), SPAN, &[0, 8]);
        line.take();
        assert_eq!(line.heard, ["968", "7"]);
    }

    #[test]
    fn duplicates_and_the_late_are_counted_and_not_played() {
        let mut line = Line::new();
        for sequence in [1_u16, 2, 3] {
            line.put(0, sequence);
        }
        for _ in 0..2 {
            line.take();
        }
        line.put(60, 1);
        line.put(60, 3);
        line.take();
        line.take();
        assert_eq!(line.heard, ["1", "2", "3", "-"]);
        assert_eq!(line.jitter.late, 1);
    }
}
