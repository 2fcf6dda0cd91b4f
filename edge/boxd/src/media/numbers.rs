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

    /// The number that rested longest, be it not long enough: *calls* begins no ordinary call then, so who asks is an
    /// emergency, or the other leg of a call that has begun. None when every number is in use. One that a stranger holds is
    /// tried again later.
    pub fn bind(&mut self, now: Instant) -> Option<Bound> {
        for _ in 0..self.free.len().min(TRIES_MAX) {
            let (_, number) = self.free.pop_front()?;
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
    fn the_number_that_rested_longest_is_used_next_and_none_is_used_twice_at_once() {
        let (mut numbers, now) = (range(), Instant::now());
        let bind = |numbers: &mut Numbers| numbers.bind(now).and_then(|bound| bound.number);
        assert_eq!([29_100, 29_102, 29_104].map(Some), [(); 3].map(|()| bind(&mut numbers)));
        assert_eq!(bind(&mut numbers), None);
        for number in [29_102, 29_100] {
            numbers.rest(now, number);
        }
        // Two calls for help in a row, while all others rest or talk.
        assert_eq!([Some(29_102), Some(29_100), None], [(); 3].map(|()| bind(&mut numbers)));
    }

    #[test]
    fn what_a_stranger_holds_is_passed_over() {
        let _stranger = UdpSocket::bind((Ipv4Addr::LOCALHOST, 29_111)).expect("free");
        let mut numbers = Numbers::new(Ipv4Addr::LOCALHOST.into(), 29_110..=29_113, Instant::now());
        assert_eq!(numbers.bind(Instant::now()).and_then(|bound| bound.number), Some(29_112));
        assert!(numbers.bind(Instant::now()).is_none());
    }
}
