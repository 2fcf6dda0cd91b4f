//! INVITEs that were taken in: who repeats one is not somebody new, and is not to be refused while the call is being set up.

use std::collections::{BTreeSet, VecDeque};

/// INVITEs that are remembered, the oldest forgotten first: half a minute (RFC 3261 §17.1.1.2, Timer B) of more calls
/// than a box carries.
const BEGUN_MAX: usize = 32_768;
/// Of its beginning, in bytes, what is looked at.
const LOOKED_AT: usize = 512;

#[derive(Debug, Default)]
pub struct Begun {
    marks: BTreeSet<u64>,
    order: VecDeque<u64>,
}

/// The same for each repetition of an INVITE, another one for another: its first two lines, when the second is the Via
/// that names the transaction. None: it cannot be told so cheaply. `key` is secret, so that nobody can aim at another's.
pub fn mark(key: u64, bytes: &[u8]) -> Option<u64> {
    let looked_at = bytes.get(..LOOKED_AT).unwrap_or(bytes);
    let mut ends = looked_at.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at);
    let (first, second) = (ends.next()?, ends.next()?);
    let via = looked_at.get(first.checked_add(1)?..second)?;
    let (name, _) = via.split_at_checked(via.iter().position(|byte| *byte == b':')?)?;
    let name = name.trim_ascii_end();
    let is_via = name.eq_ignore_ascii_case(b"Via") || name.eq_ignore_ascii_case(b"v");
    is_via.then(|| super::sources::mixed(key, looked_at.get(..second).unwrap_or_default()))
}

impl Begun {
    pub fn add(&mut self, mark: u64) {
        if !self.marks.insert(mark) {
            return;
        }
        self.order.push_back(mark);
        if self.order.len() > BEGUN_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.marks.remove(&oldest);
        }
    }

    pub fn has(&self, mark: u64) -> bool {
        self.marks.contains(&mark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repetition_has_its_invite_s_mark_and_nobody_else_has() {
        let text = |second: &str| format!("INVITE sip:a@h SIP/2.0\r\n{second}\r\nFrom: x\r\n\r\n");
        let of = |second: &str| mark(7, text(second).as_bytes());
        assert!(of("Via: SIP/2.0/UDP h;branch=1").is_some());
        assert_eq!(of("Via: SIP/2.0/UDP h;branch=1"), of("Via: SIP/2.0/UDP h;branch=1"));
        assert_ne!(of("Via: SIP/2.0/UDP h;branch=1"), of("Via: SIP/2.0/UDP h;branch=2"));
        assert!(of("v : SIP/2.0/UDP h;branch=1").is_some());
        assert_eq!(of("Max-Forwards: 70"), None, "two calls begin alike");
        assert_eq!(of(&format!("Via: {}", "x".repeat(600))), None);
        assert_eq!(mark(7, b"INVITE sip:a@h SIP/2.0"), None);
    }

    #[test]
    fn as_many_are_remembered_as_may_be() {
        let mut begun = Begun::default();
        (0..40_000).for_each(|mark| begun.add(mark));
        assert!(!begun.has(0) && begun.has(39_999) && begun.has(40_000 - BEGUN_MAX as u64));
        assert_eq!((begun.marks.len(), begun.order.len()), (BEGUN_MAX, BEGUN_MAX));
    }
}
