//! Which packets of a stream came already (RFC 3711 §3.3.2), and where a packet stands that says only the last 16 bits
//! of its index (§3.3.1).

/// Packets behind the newest that may still come.
pub const WINDOW: u64 = 128;
/// RFC 3711 §9.2: a stream ends before its index does.
const INDEX_MAX: u64 = (1 << 48) - 1;

/// What came of one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seen {
    highest: Option<u64>,
    /// Bit n: the packet n before the highest came.
    recent: u128,
}

impl Seen {
    /// The index that a sequence number most likely stands for. None: before the stream's beginning or after its end.
    pub fn guess(&self, sequence: u16) -> Option<u64> {
        let Some(highest) = self.highest else { return Some(u64::from(sequence)) };
        let (rollover, last) = (highest >> 16, highest & 0xffff);
        let sequence = u64::from(sequence);
        let rollover = if last < 0x8000 {
            if sequence > last + 0x8000 { rollover.checked_sub(1)? } else { rollover }
        } else if sequence + 0x8000 < last {
            rollover + 1
        } else {
            rollover
        };
        Some(rollover << 16 | sequence).filter(|index| *index <= INDEX_MAX)
    }

    /// Whether a packet of this index did not come yet and is not too old to tell.
    pub fn is_fresh(&self, index: u64) -> bool {
        match self.highest.map(|highest| highest.checked_sub(index)) {
            None | Some(None) => true,
            Some(Some(behind)) => behind < WINDOW && self.recent >> behind & 1 == 0,
        }
    }

    /// Only for packets that were proven.
    pub fn note(&mut self, index: u64) {
        match self.highest {
            Some(highest) if index <= highest => {
                let behind = highest - index;
                if behind < WINDOW {
                    self.recent |= 1 << behind;
                }
            }
            before => {
                let ahead = before.map_or(WINDOW, |highest| index - highest);
                self.recent = if ahead < WINDOW { self.recent << ahead | 1 } else { 1 };
                self.highest = Some(index);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_index_goes_on_over_every_wrap_and_back() {
        let mut seen = Seen::default();
        let mut index = 65_000_u64;
        for _ in 0..200_000 {
            #[allow(clippy::cast_possible_truncation)]
            let guessed = seen.guess(index as u16);
            assert_eq!(guessed, Some(index));
            seen.note(index);
            index += 1;
        }
        assert_eq!(seen.guess(0), Some(index >> 16 << 16));
        assert_eq!(Seen { highest: Some(5), recent: 1 }.guess(65_530), None, "before the beginning");
        assert_eq!(Seen { highest: Some(INDEX_MAX), recent: 1 }.guess(0), None, "after the end");
    }

    proptest! {
        #[test]
        fn each_packet_is_taken_once_in_any_order(steps in proptest::collection::vec((0_u64..140, any::<bool>()), 1..300)) {
            let mut seen = Seen::default();
            let mut taken = std::collections::BTreeSet::new();
            let mut highest = 1_000_u64;
            for (step, ahead) in steps {
                let index = if ahead { highest + step } else { highest - step };
                let fresh = seen.is_fresh(index);
                prop_assert!(!fresh || !taken.contains(&index));
                prop_assert!(fresh || taken.contains(&index) || highest - index >= WINDOW);
                if fresh {
                    seen.note(index);
                    taken.insert(index);
                    highest = highest.max(index);
                }
            }
        }
    }
}
