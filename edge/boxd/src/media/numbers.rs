//! RTP port numbers: which are free, and how long they rest after a call (S-31).

use std::{
    collections::VecDeque,
    io,
    net::{IpAddr, Ipv4Addr, UdpSocket},
    ops::RangeInclusive,
    time::{Duration, Instant},
};

use tracing::warn;

/// A freed number rests this long, so that late packets of the old call find nobody.
pub const QUARANTINE: Duration = Duration::from_secs(5);
/// Numbers tried for one port.
const TRIES_MAX: usize = 64;

/// The numbers of a range that a port may have. RFC 3550 §11: RTP on even ports, RTCP on the next.
pub fn of_range(range: RangeInclusive<u16>) -> impl Iterator<Item = u16> {
    let last = *range.end();
    range.filter(move |number| number % 2 == 0 && *number < last)
}

pub struct Numbers {
    ip: IpAddr,
    /// The one that rested longest comes first.
    free: VecDeque<(Instant, u16)>,
}

/// A port's sockets.
pub struct Bound {
    pub rtp: UdpSocket,
    /// None on loopback, where another process of this box is the other end.
    pub rtcp: Option<UdpSocket>,
    /// To be given back; None for a number that the system chose.
    pub number: Option<u16>,
}

impl Numbers {
    pub fn new(ip: IpAddr, range: RangeInclusive<u16>, now: Instant) -> Self {
        let free = of_range(range).map(|number| (now, number)).collect();
        Self { ip, free }
    }

    pub fn loopback() -> io::Result<Bound> {
        Ok(Bound { rtp: UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?, rtcp: None, number: None })
    }

    /// None when every number is in use or at rest. One that a stranger holds is tried again later.
    pub fn bind(&mut self, now: Instant) -> Option<Bound> {
        for _ in 0..self.free.len().min(TRIES_MAX) {
            let (rested, number) = self.free.pop_front()?;
            if rested > now {
                self.free.push_front((rested, number));
                return None;
            }
            let bind = |number| UdpSocket::bind((self.ip, number));
            match bind(number).and_then(|rtp| Ok((rtp, bind(number + 1)?))) {
                Ok((rtp, rtcp)) => return Some(Bound { rtp, rtcp: Some(rtcp), number: Some(number) }),
                Err(error) => {
                    warn!(number, %error, "an RTP port of the range cannot be used");
                    self.rest(now, number);
                }
            }
        }
        None
    }

    pub fn rest(&mut self, now: Instant, number: u16) {
        self.free.push_back((now + QUARANTINE, number));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range() -> Numbers {
        Numbers::new(Ipv4Addr::LOCALHOST.into(), 29_100..=29_105, Instant::now())
    }

    #[test]
    fn a_number_rests_before_it_is_used_again() {
        let (mut numbers, now) = (range(), Instant::now());
        let used: Vec<u16> = std::iter::from_fn(|| numbers.bind(now)).filter_map(|bound| bound.number).collect();
        assert_eq!(used, [29_100, 29_102, 29_104]);
        for number in used {
            numbers.rest(now, number);
        }
        assert!(numbers.bind(now + QUARANTINE / 2).is_none());
        assert_eq!(numbers.bind(now + QUARANTINE).and_then(|bound| bound.number), Some(29_100));
    }

    #[test]
    fn what_a_stranger_holds_is_passed_over() {
        let _stranger = UdpSocket::bind((Ipv4Addr::LOCALHOST, 29_111)).expect("free");
        let mut numbers = Numbers::new(Ipv4Addr::LOCALHOST.into(), 29_110..=29_113, Instant::now());
        assert_eq!(numbers.bind(Instant::now()).and_then(|bound| bound.number), Some(29_112));
        assert!(numbers.bind(Instant::now()).is_none());
    }
}
