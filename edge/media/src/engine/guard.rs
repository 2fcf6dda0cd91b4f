//! What stands between a protected port and its engine: packets are proven and decrypted on their way in, sealed on
//! their way out. Where there is no key, nothing passes. The keys come from signalling, or of a handshake of the
//! media's own, which may begin only on the path that ICE has chosen (S-23).

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use crate::{
    dtls::{Certificate, Handshake, Step},
    plane::{self, Security, Unkeyed},
    srtp::{Keys, Opener, Sealer},
    stun,
};

/// A party that was found and has not finished the handshake by then is given up. Whether it will be found nobody knows:
/// an answer that is not given yet names no address.
const PATIENCE: Duration = Duration::from_secs(15);

#[derive(Default)]
pub(super) struct Guard {
    keys: Option<Keys>,
    opener: Option<Opener>,
    sealer: Option<Sealer>,
    path: Option<Box<Path>>,
    pub unproven: u64,
}

/// How the party is found and what it proves, where signalling brought no keys.
struct Path {
    wish: plane::Handshake,
    /// Where DTLS and audio may come from. With ICE: where a proven request said so.
    chosen: Option<SocketAddr>,
    handshake: Option<Handshake>,
    /// When its path was chosen.
    since: Instant,
    failed: Option<Unkeyed>,
    /// Of its failure nobody has been told.
    untold: bool,
}

/// What a packet on a port with a handshake was.
pub(super) enum Met {
    /// SRTP, SRTCP, or anything else that is not ours to take.
    Other,
    Taken,
    /// The party is there from now on.
    Chosen(SocketAddr),
}

impl Guard {
    /// What this security asks for, of what stood before: a direction whose key is the same goes on, so that no key's
    /// stream is ever used twice and nothing that was heard can be played again.
    pub fn over(
        now: Instant,
        before: Option<Box<Self>>,
        security: &Security,
        addr: SocketAddr,
        certificate: Option<&Certificate>,
    ) -> Option<Box<Self>> {
        let mut guard = before.unwrap_or_default();
        match security {
            Security::Clear => return None,
            Security::Keys(keys) => {
                guard.path = None;
                guard.take(keys);
            }
            Security::Handshake(wish) => guard.walk(now, wish, addr, certificate),
        }
        Some(guard)
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

    /// A party with the same fingerprint keeps its keys (RFC 5763 §6.6: a new handshake follows a new fingerprint or
    /// role); with other ICE credentials it must be found anew (RFC 8445 §9).
    fn walk(&mut self, now: Instant, wish: &plane::Handshake, addr: SocketAddr, certificate: Option<&Certificate>) {
        let mut path = self.path.take().unwrap_or_else(|| Box::new(Path::new(now, wish)));
        let same = path.wish.fingerprint == wish.fingerprint && path.wish.active == wish.active;
        if !same || path.wish.ice != wish.ice {
            path.chosen = None;
        }
        if !same || path.handshake.is_none() {
            (self.keys, self.opener, self.sealer) = (None, None, None);
            path.handshake = certificate.map(|shown| Handshake::new(now, shown, wish.fingerprint, wish.active));
            (path.failed, path.untold, path.since) = (None, false, now);
            if path.handshake.is_none() {
                path.fail(Unkeyed::NoCertificate);
            }
        }
        if wish.ice.is_none() {
            path.chosen = Some(addr);
        }
        path.wish = wish.clone();
        self.path = Some(path);
    }

    pub fn has_path(&self) -> bool {
        self.path.is_some()
    }

    /// The path as it is chosen; None where signalling alone says it, or nothing is chosen yet.
    pub fn chosen(&self) -> Option<SocketAddr> {
        self.path.as_ref()?.chosen
    }

    /// STUN and DTLS of a port with a handshake. `send` sends to an address.
    pub fn meet(
        &mut self,
        now: Instant,
        source: SocketAddr,
        packet: &[u8],
        mut send: impl FnMut(SocketAddr, &[u8]),
    ) -> Met {
        let Some(path) = self.path.as_mut() else { return Met::Other };
        if stun::is_stun(packet) {
            let Some(ice) = &path.wish.ice else { return Met::Taken };
            let Some(request) = stun::read(packet, &ice.user, &ice.password) else {
                self.unproven = self.unproven.saturating_add(1);
                return Met::Taken;
            };
            let mut out = [0; stun::ANSWER_MAX];
            let length = stun::answer(&mut out, &request, source, &ice.password);
            send(source, out.get(..length).unwrap_or_default());
            if request.nominates && path.chosen != Some(source) {
                path.chosen = Some(source);
                return Met::Chosen(source);
            }
            return Met::Taken;
        }
        if !Handshake::is_dtls(packet) {
            return Met::Other;
        }
        if path.chosen != Some(source) || path.failed.is_some() {
            self.unproven = self.unproven.saturating_add(1);
            return Met::Taken;
        }
        let step =
            path.handshake.as_mut().map(|handshake| handshake.packet(now, packet, |packet| send(source, packet)));
        self.step(step);
        Met::Taken
    }

    /// What a handshake has to send again, or first.
    pub fn tick(&mut self, now: Instant, mut send: impl FnMut(SocketAddr, &[u8])) {
        if self.keys.is_some() {
            return;
        }
        let Some(path) = self.path.as_mut().filter(|path| path.failed.is_none()) else { return };
        let (Some(to), Some(handshake)) = (path.chosen, path.handshake.as_mut()) else {
            path.since = now;
            return;
        };
        if now.saturating_duration_since(path.since) >= PATIENCE {
            return path.fail(Unkeyed::Silent);
        }
        let step = handshake.tick(now, |packet| send(to, packet));
        self.step(Some(step));
    }

    fn step(&mut self, step: Option<Step>) {
        match step {
            Some(Step::Keys(keys)) => self.take(&keys),
            Some(Step::Failed(why)) => {
                (self.keys, self.opener, self.sealer) = (None, None, None);
                if let Some(path) = self.path.as_mut() {
                    path.fail(why);
                }
            }
            Some(Step::Nothing) | None => {}
        }
    }

    /// Why there are no keys and will be none; told once.
    pub fn failure(&mut self) -> Option<Unkeyed> {
        let path = self.path.as_mut()?;
        path.failed.filter(|_| std::mem::take(&mut path.untold))
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

impl Path {
    fn new(now: Instant, wish: &plane::Handshake) -> Self {
        Self { wish: wish.clone(), chosen: None, handshake: None, since: now, failed: None, untold: false }
    }

    fn fail(&mut self, why: Unkeyed) {
        (self.failed, self.untold) = (Some(why), true);
    }
}
