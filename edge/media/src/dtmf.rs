//! RFC 4733 telephone-events: one keypress per event however its packets are lost or repeated, and the packets of a
//! keypress of our own.

/// Events 0–15 (RFC 4733 §3.2).
const KEYS: &[u8; 16] = b"0123456789*#ABCD";
/// Packets that repeat the end (RFC 4733 §2.5.1.4).
pub const ENDS: u32 = 3;

/// The key an event code stands for.
pub fn key(code: u8) -> Option<char> {
    KEYS.get(usize::from(code)).map(|key| char::from(*key))
}

/// The event code of a key.
pub fn code(key: char) -> Option<u8> {
    KEYS.iter().position(|known| char::from(*known) == key.to_ascii_uppercase()).and_then(|at| u8::try_from(at).ok())
}

/// Hears events by their timestamps: the first packet of a new one is the keypress.
#[derive(Debug, Clone, Default)]
pub struct Listener {
    last: Option<(u32, u8)>,
}

impl Listener {
    /// Some(key) once per event; `begins` for the caller's relay is the same moment.
    pub fn hear(&mut self, timestamp: u32, payload: &[u8]) -> Option<char> {
        let [code, _, _, _] = *payload.first_chunk::<4>()?;
        let key = key(code)?;
        match self.last.replace((timestamp, code)) {
            Some(before) if before == (timestamp, code) => None,
            _ => Some(key),
        }
    }
}

/// A keypress being sent, one packet per 20 ms.
#[derive(Debug, Clone)]
pub struct Press {
    code: u8,
    /// In timestamp units.
    duration: u16,
    total: u16,
    ends_left: u32,
}

impl Press {
    /// None for what is not a key. `ms` is clamped to 40–2000.
    pub fn new(key: char, ms: u16) -> Option<Self> {
        Some(Self { code: code(key)?, duration: 0, total: ms.clamp(40, 2_000) * 8, ends_left: ENDS })
    }
}

impl Iterator for Press {
    type Item = ([u8; 4], bool);

    /// The next payload, and whether it begins the event; None when all are sent.
    fn next(&mut self) -> Option<Self::Item> {
        let begins = self.duration == 0;
        if self.duration < self.total {
            self.duration = self.duration.saturating_add(160).min(self.total);
        }
        let end = self.duration >= self.total;
        if end {
            if self.ends_left == 0 {
                return None;
            }
            self.ends_left -= 1;
        }
        let [d0, d1] = self.duration.to_be_bytes();
        // Volume -10 dBm0.
        Some(([self.code, u8::from(end) << 7 | 10, d0, d1], begins))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_press_is_heard_once_whatever_is_lost() {
        for lost in 0..9_usize {
            let press = Press::new('7', 100).expect("a key");
            let mut listener = Listener::default();
            let mut heard = String::new();
            for (at, (payload, _)) in press.enumerate() {
                if at != lost {
                    heard.extend(listener.hear(1_000, &payload));
                }
            }
            assert_eq!(heard, "7", "packet {lost} lost");
        }
    }

    #[test]
    fn the_same_key_twice_is_two_presses() {
        let mut listener = Listener::default();
        assert_eq!(listener.hear(1_000, &[5, 0, 0, 160]), Some('5'));
        assert_eq!(listener.hear(1_000, &[5, 0x80, 1, 160]), None);
        assert_eq!(listener.hear(3_000, &[5, 0, 0, 160]), Some('5'));
        assert_eq!(listener.hear(5_000, &[99, 0, 0, 160]), None, "no such key");
        assert_eq!(listener.hear(5_000, &[1]), None, "too short");
    }

    #[test]
    fn the_end_is_sent_three_times_with_the_same_duration() {
        let press = Press::new('#', 40).expect("a key");
        let packets: Vec<_> = press.collect();
        let ends: Vec<_> = packets.iter().filter(|(payload, _)| payload[1] & 0x80 != 0).collect();
        assert_eq!(ends.len(), 3);
        assert!(ends.iter().all(|(payload, _)| payload[2..] == [1, 64]));
        assert_eq!(packets.iter().filter(|(_, begins)| *begins).count(), 1);
    }
}
