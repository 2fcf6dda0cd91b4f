//! Reads the body of a row in the one form in which boxes of this version write it, field after field and without an
//! allocation but the queue's id. Any other form is left to the general decoder, which takes several times as long: a
//! row is never refused here.

use model::{
    Millis, QueueId,
    leaving::{Figures, Interval, Leaving},
};

/// None: not an interval, or not in this form.
pub(crate) fn interval(body: &[u8]) -> Option<Leaving> {
    let mut at = Cursor(body);
    at.head(MAP, 6)?;
    at.key("item")?;
    at.key("interval")?;
    at.key("queue")?;
    let queue = at.queue()?;
    at.key("start")?;
    let start = Millis(at.int()?);
    let [length_s, revision] = [at.named("length_s")?, at.named("revision")?];
    at.key("figures")?;
    at.head(MAP, 11)?;
    let figures = Figures {
        offered: at.named("offered")?,
        answered: at.named("answered")?,
        abandoned: at.named("abandoned")?,
        answered_in_t: at.named("answered_in_t")?,
        abandoned_in_t: at.named("abandoned_in_t")?,
        overflowed: at.named("overflowed")?,
        recorded: at.named("recorded")?,
        wait_s: at.named("wait_s")?,
        talk_s: at.named("talk_s")?,
        hold_s: at.named("hold_s")?,
        wrap_up_s: at.named("wrap_up_s")?,
    };
    let whole = Leaving::Interval(Interval { queue, start, length_s, revision, figures });
    at.0.is_empty().then_some(whole)
}

// RFC 8949 §3.1: major types.
const UNSIGNED: u8 = 0;
const NEGATIVE: u8 = 1;
const TEXT: u8 = 3;
const MAP: u8 = 5;
/// RFC 8949 §3.3: the simple value null.
const NULL: u8 = 0xf6;

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// Major type and argument, of definite length.
    fn item(&mut self) -> Option<(u8, u64)> {
        let first = *self.take(1)?.first()?;
        let argument = match first & 0x1f {
            small @ 0..=23 => u64::from(small),
            size @ 24..=27 => {
                let bytes = self.take(1_usize.checked_shl(u32::from(size.checked_sub(24)?))?)?;
                bytes.iter().fold(0, |value: u64, byte| value << 8 | u64::from(*byte))
            }
            _ => return None,
        };
        Some((first >> 5, argument))
    }

    fn head(&mut self, major: u8, argument: u64) -> Option<()> {
        (self.item()? == (major, argument)).then_some(())
    }

    fn text(&mut self) -> Option<&'a str> {
        let (TEXT, length) = self.item()? else { return None };
        std::str::from_utf8(self.take(usize::try_from(length).ok()?)?).ok()
    }

    fn key(&mut self, name: &str) -> Option<()> {
        (self.text()? == name).then_some(())
    }

    fn named(&mut self, name: &str) -> Option<u32> {
        self.key(name)?;
        let (UNSIGNED, value) = self.item()? else { return None };
        u32::try_from(value).ok()
    }

    fn int(&mut self) -> Option<i64> {
        match self.item()? {
            (UNSIGNED, value) => i64::try_from(value).ok(),
            (NEGATIVE, value) => Some(!i64::try_from(value).ok()?),
            _ => None,
        }
    }

    fn queue(&mut self) -> Option<Option<QueueId>> {
        if let Some(rest) = self.0.strip_prefix(&[NULL]) {
            self.0 = rest;
            return Some(None);
        }
        QueueId::new(self.text()?).ok().map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(queue: Option<&str>, start: i64, figures: Figures) -> Leaving {
        let queue = queue.map(|queue| QueueId::new(queue).unwrap());
        Leaving::Interval(Interval { queue, start: Millis(start), length_s: 900, revision: 70_000, figures })
    }

    fn encoded(row: &Leaving) -> Vec<u8> {
        let mut bytes = Vec::new();
        ciborium::into_writer(row, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn what_boxes_write_is_read_here_and_means_what_the_general_decoder_says() {
        let full = Figures { offered: 23, answered: 24, abandoned: 255, answered_in_t: 256, ..Figures::default() };
        let large = Figures { wait_s: 65_535, talk_s: 65_536, hold_s: u32::MAX, wrap_up_s: 1, ..full };
        for queue in [None, Some("s"), Some("a-queue-with-a-name-of-forty-characters0")] {
            for start in [0, -1, -900_000, 1_760_000_000_000, i64::MAX, i64::MIN] {
                for figures in [Figures::default(), full, large] {
                    let row = row(queue, start, figures);
                    assert_eq!(interval(&encoded(&row)), Some(row));
                }
            }
        }
    }

    #[test]
    fn whatever_is_read_here_the_general_decoder_reads_alike() {
        let good = encoded(&row(Some("sales"), 900_000, Figures { offered: 300, ..Figures::default() }));
        for at in 0..good.len() {
            assert_eq!(interval(&good[..at]), None, "cut at {at}");
            for byte in 0..=255 {
                let mut spoilt = good.clone();
                spoilt[at] = byte;
                if let Some(row) = interval(&spoilt) {
                    assert_eq!(ciborium::from_reader::<Leaving, _>(spoilt.as_slice()).unwrap(), row, "{at} {byte}");
                }
            }
        }
        let mut longer = good.clone();
        longer.push(0);
        assert_eq!(interval(&longer), None);
    }
}
