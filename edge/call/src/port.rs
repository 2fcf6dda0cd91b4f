//! Media ports: one for each leg that has audio. Which are asked for, which are open, which have a remote; and where
//! audio may be sent at all (S-14).

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use media::plane::{Command, PortId, Remote};
use model::LegId;

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("audio cannot be sent to {0}")]
    NoTarget(SocketAddr),
    #[error("audio for {0} would come back to ourselves")]
    Ourselves(SocketAddr),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// `Open` is sent.
    Awaited,
    Open(SocketAddr),
    /// The other end is known too.
    Connected(SocketAddr),
}

#[derive(Debug, Clone, Copy)]
struct Port {
    leg: LegId,
    stage: Stage,
}

#[derive(Debug)]
pub struct Ports {
    last: u64,
    ports: BTreeMap<PortId, Port>,
    /// Our addresses, and how many ports have each.
    locals: BTreeMap<SocketAddr, usize>,
    loopback_allowed: bool,
}

impl Ports {
    /// `first` differs from life to life of this process, so that a port kept by media from an earlier life is not
    /// taken for one of ours.
    pub fn new(first: u64, loopback_allowed: bool) -> Self {
        Self { last: first, ports: BTreeMap::new(), locals: BTreeMap::new(), loopback_allowed }
    }

    pub fn open(&mut self, leg: LegId, loopback: bool) -> (PortId, Command) {
        self.last = self.last.wrapping_add(1);
        let port = PortId(self.last);
        self.ports.insert(port, Port { leg, stage: Stage::Awaited });
        (port, Command::Open { port, loopback })
    }

    /// Media opened it. None: nobody waits for it any more (asked of a media process that died, or closed meanwhile),
    /// and it is to be closed.
    pub fn opened(&mut self, port: PortId, local: SocketAddr) -> Option<LegId> {
        let entry = self.ports.get_mut(&port)?;
        let before = std::mem::replace(&mut entry.stage, Stage::Open(local)).local();
        let leg = entry.leg;
        self.left(before);
        let count = self.locals.entry(local).or_default();
        *count = count.saturating_add(1);
        Some(leg)
    }

    /// A port has left this address.
    fn left(&mut self, local: Option<SocketAddr>) {
        let Some(local) = local else { return };
        if let Some(count) = self.locals.get_mut(&local) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.locals.remove(&local);
            }
        }
    }

    /// Names the other end to media. None while the port is not open.
    pub fn connect(&mut self, port: PortId, remote: Remote) -> Option<Command> {
        let entry = self.ports.get_mut(&port)?;
        let local = entry.stage.local()?;
        entry.stage = Stage::Connected(local);
        Some(Command::Connect { port, remote })
    }

    pub fn close(&mut self, port: PortId) -> Option<Command> {
        let entry = self.ports.remove(&port)?;
        self.left(entry.stage.local());
        Some(Command::Close { port })
    }

    /// Media could not open it: there is nothing to close.
    pub fn failed(&mut self, port: PortId) {
        if let Some(entry) = self.ports.remove(&port) {
            self.left(entry.stage.local());
        }
    }

    /// As an earlier life left it: open, and connected.
    pub fn stand(&mut self, port: PortId, leg: LegId, local: SocketAddr) {
        self.ports.insert(port, Port { leg, stage: Stage::Connected(local) });
        let count = self.locals.entry(local).or_default();
        *count = count.saturating_add(1);
    }

    /// The media process lost everything.
    pub fn media_lost(&mut self) {
        self.ports.clear();
        self.locals.clear();
    }

    pub fn leg(&self, port: PortId) -> Option<LegId> {
        self.ports.get(&port).map(|entry| entry.leg)
    }

    /// Our address, once open.
    pub fn local(&self, port: PortId) -> Option<SocketAddr> {
        self.ports.get(&port)?.stage.local()
    }

    pub fn is_connected(&self, port: PortId) -> bool {
        self.ports.get(&port).is_some_and(|entry| matches!(entry.stage, Stage::Connected(_)))
    }

    pub fn count(&self) -> usize {
        self.ports.len()
    }

    pub fn allow_loopback(&mut self, allowed: bool) {
        self.loopback_allowed = allowed;
    }

    /// Whether a peer may ask us to send audio there.
    pub fn permits(&self, target: SocketAddr) -> Result<(), Error> {
        let ip = target.ip().to_canonical();
        let refused = match ip {
            IpAddr::V4(v4) => v4.is_multicast() || v4.is_broadcast() || v4.is_unspecified() || v4.is_link_local(),
            IpAddr::V6(v6) => v6.is_multicast() || v6.is_unspecified(),
        };
        if refused || target.port() == 0 || (ip.is_loopback() && !self.loopback_allowed) {
            return Err(Error::NoTarget(target));
        }
        if self.locals.contains_key(&target) {
            return Err(Error::Ourselves(target));
        }
        Ok(())
    }
}

impl Stage {
    fn local(self) -> Option<SocketAddr> {
        match self {
            Stage::Awaited => None,
            Stage::Open(local) | Stage::Connected(local) => Some(local),
        }
    }
}

#[cfg(test)]
mod tests {
    use media::plane::Codec;

    use super::*;

    fn addr(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_port_is_asked_for_opened_connected_and_closed_once() {
        let mut ports = Ports::new(40, false);
        let (port, command) = ports.open(LegId(1), false);
        assert_eq!(command, Command::Open { port: PortId(41), loopback: false });
        let remote = Remote::clear(addr("192.0.2.9:4000"), Codec::Pcma, None);
        assert_eq!(ports.connect(port, remote.clone()), None);
        assert_eq!(ports.opened(port, addr("192.0.2.1:30000")), Some(LegId(1)));
        assert!(!ports.is_connected(port));
        assert_eq!(ports.connect(port, remote.clone()), Some(Command::Connect { port, remote }));
        assert!(ports.is_connected(port));
        assert_eq!(ports.close(port), Some(Command::Close { port }));
        assert_eq!(ports.close(port), None);
        assert_eq!(ports.opened(port, addr("192.0.2.1:30000")), None);
        assert_eq!(ports.count(), 0);
    }

    #[test]
    fn audio_is_never_aimed_at_ourselves_or_at_no_single_host() {
        let mut ports = Ports::new(0, false);
        let (port, _) = ports.open(LegId(1), false);
        ports.opened(port, addr("192.0.2.1:30000"));
        assert_eq!(ports.permits(addr("192.0.2.1:30000")), Err(Error::Ourselves(addr("192.0.2.1:30000"))));
        assert_eq!(ports.permits(addr("192.0.2.1:30002")), Ok(()));
        assert_eq!(ports.permits(addr("10.0.0.7:4000")), Ok(()));
        for bad in [
            "224.0.0.1:4000",
            "255.255.255.255:4000",
            "0.0.0.0:4000",
            "169.254.169.254:80",
            "127.0.0.1:5060",
            "[::1]:4000",
            "[::ffff:127.0.0.1]:4000",
            "[ff02::1]:4000",
            "192.0.2.1:0",
        ] {
            assert_eq!(ports.permits(addr(bad)), Err(Error::NoTarget(addr(bad))), "{bad}");
        }
        ports.allow_loopback(true);
        assert_eq!(ports.permits(addr("127.0.0.1:4000")), Ok(()));
    }
}
