//! What stands between a protected port and its engine: packets are proven and decrypted on their way in, sealed on
//! their way out. Where there is no key, nothing passes.

use crate::{
    plane::Security,
    srtp::{Keys, Opener, Sealer},
};

pub(super) struct Guard {
    keys: Option<Keys>,
    opener: Option<Opener>,
    sealer: Option<Sealer>,
    pub unproven: u64,
}

impl Guard {
    /// What this security asks for, of what stood before: a direction whose key is the same goes on, so that no key's
    /// stream is ever used twice and nothing that was heard can be played again.
    pub fn over(before: Option<Box<Self>>, security: &Security) -> Option<Box<Self>> {
        match security {
            Security::Clear => None,
            Security::Keys(keys) => {
                let mut guard =
                    before.unwrap_or_else(|| Box::new(Self { keys: None, opener: None, sealer: None, unproven: 0 }));
                guard.take(keys);
                Some(guard)
            }
        }
    }

    fn take(&mut self, keys: &Keys) {
        let before = self.keys.replace(keys.clone());
        if before.as_ref().is_none_or(|before| before.theirs != keys.theirs) {
            self.opener = Opener::new(&keys.theirs);
        }
        if before.as_ref().is_none_or(|before| before.ours != keys.ours) {
            self.sealer = Sealer::new(&keys.ours);
        }
    }

    /// The length of the plain packet; None, and counted, for what does not prove itself.
    pub fn open(&mut self, packet: &mut [u8]) -> Option<usize> {
        self.counted(|opener| opener.rtp(packet))
    }

    pub fn open_report(&mut self, packet: &mut [u8]) -> Option<usize> {
        self.counted(|opener| opener.rtcp(packet))
    }

    fn counted(&mut self, open: impl FnOnce(&mut Opener) -> Option<usize>) -> Option<usize> {
        let length = self.opener.as_mut().and_then(open);
        self.unproven = self.unproven.saturating_add(u64::from(length.is_none()));
        length
    }

    /// Seals the first `length` bytes; the new length. None: it must not be sent.
    pub fn seal(&mut self, packet: &mut [u8], length: usize) -> Option<usize> {
        self.sealer.as_mut()?.rtp(packet, length)
    }

    pub fn seal_report(&mut self, packet: &mut [u8], length: usize) -> Option<usize> {
        self.sealer.as_mut()?.rtcp(packet, length)
    }
}
