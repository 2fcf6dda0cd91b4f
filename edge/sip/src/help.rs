//! Who may call for help without a proof (S-150): a device that stands on a network of ours and dials an emergency
//! number, so often and no more. Whatever else it asks is refused as a stranger's.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::str::FromStr;
use std::time::{Duration, Instant};

use crate::uri::Uri;

/// Calls for help without a proof that run at once: each may take a line from somebody else.
pub const AT_ONCE_MAX: usize = 4;
/// Such calls in any minute, of one address and of all together.
const OF_ONE_MAX: usize = 3;
const OF_ALL_MAX: usize = 12;
const MINUTE: Duration = Duration::from_secs(60);

/// What may be dialled without a proof, and from where. The default is nothing from nowhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Help {
    /// Emergency numbers as they may be dialled: digits alone.
    pub numbers: BTreeSet<String>,
    /// What is dialled for a service (RFC 5031) that is called by its name: `sos`, `sos.fire`.
    pub services: BTreeMap<String, String>,
    pub networks: Vec<Network>,
}

impl Help {
    pub fn is_for(&self, dialled: &str, source: IpAddr) -> bool {
        self.is_dialled(dialled) && self.networks.iter().any(|network| network.contains(source))
    }

    /// The number of the service that `uri` names. One that is not known by its own name is the one above it
    /// (RFC 5031 §4.2). None: no emergency service, or nobody is called for any.
    pub fn service(&self, uri: &Uri) -> Option<&str> {
        let mut name = format!("sos{}", uri.sos()?.to_ascii_lowercase());
        loop {
            if let Some(number) = self.services.get(&name) {
                return Some(number);
            }
            name.truncate(name.rfind('.')?);
        }
    }

    /// Exact digits; visual separators (RFC 3966 §5.1.1) do not count.
    pub fn is_dialled(&self, dialled: &str) -> bool {
        let digits: String = dialled.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')')).take(32).collect();
        self.numbers.contains(&digits)
    }
}

/// `192.0.2.0/24`, `fd00::/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a network, such as \"192.168.0.0/16\"")]
pub struct NotANetwork(String);

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let fault = || NotANetwork(text.chars().take(60).collect());
        let (address, bits) = text.split_once('/').ok_or_else(fault)?;
        let address: IpAddr = address.parse().map_err(|_| fault())?;
        let bits: u8 = bits.parse().map_err(|_| fault())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        if bits > most { Err(fault()) } else { Ok(Self { address, bits }) }
    }
}

impl Network {
    pub fn contains(&self, ip: IpAddr) -> bool {
        let first = |bits: u128, wide: u32, of: u128| match wide.checked_sub(u32::from(self.bits)) {
            Some(shift) => bits.checked_shr(shift).unwrap_or(0) == of.checked_shr(shift).unwrap_or(0),
            None => false,
        };
        match (self.address, ip.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(ip)) => first(u32::from(ip).into(), 32, u32::from(own).into()),
            (IpAddr::V6(own), IpAddr::V6(ip)) => first(u128::from(ip), 128, u128::from(own)),
            _ => false,
        }
    }
}

/// The calls of the last minute.
#[derive(Debug, Default)]
pub struct Helped(VecDeque<(Instant, IpAddr)>);

impl Helped {
    /// Whether one more may be made from there.
    pub fn take(&mut self, now: Instant, source: IpAddr) -> bool {
        while self.0.front().is_some_and(|(at, _)| now.saturating_duration_since(*at) >= MINUTE) {
            self.0.pop_front();
        }
        let of_one = self.0.iter().filter(|(_, ip)| *ip == source).count();
        let room = self.0.len() < OF_ALL_MAX && of_one < OF_ONE_MAX;
        if room {
            self.0.push_back((now, source));
        }
        room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_called_by_its_own_number_or_that_of_the_one_above_it() {
        let services = [("sos", "112"), ("sos.fire", "119")].map(|(name, number)| (name.to_owned(), number.to_owned()));
        let help = Help { services: services.into(), ..Help::default() };
        let table = [
            ("urn:service:sos", Some("112")),
            ("URN:Service:SOS", Some("112")),
            ("urn:service:sos.fire", Some("119")),
            ("urn:service:sos.FIRE.forest", Some("119")),
            ("urn:service:sos.ambulance", Some("112")),
            ("urn:service:sosfire", None),
            ("urn:service:counseling", None),
            ("urn:nena:service:sos", None),
            ("sip:sos@h", None),
            ("tel:112", None),
        ];
        for (uri, number) in table {
            assert_eq!(help.service(&Uri::parse(uri).unwrap()), number, "{uri}");
        }
        assert_eq!(Help::default().service(&Uri::parse("urn:service:sos").unwrap()), None);
    }

    #[test]
    fn help_is_for_exact_numbers_from_networks_of_ours() {
        let networks = ["10.1.0.0/16", "fd00::/8"].iter().map(|text| text.parse().unwrap()).collect();
        let help = Help { numbers: ["110", "0110"].map(str::to_owned).into(), networks, ..Help::default() };
        let table = [
            ("110", "10.1.2.3", true),
            ("0110", "fd12::7", true),
            ("1-1 0", "10.1.2.3", true),
            ("110", "::ffff:10.1.2.3", true),
            ("110", "10.2.2.3", false),
            ("110", "203.0.113.7", false),
            ("110", "2001:db8::1", false),
            ("1100", "10.1.2.3", false),
            ("13811012345", "10.1.2.3", false),
            ("110;ext=1", "10.1.2.3", false),
            ("", "10.1.2.3", false),
        ];
        for (dialled, from, expected) in table {
            assert_eq!(help.is_for(dialled, from.parse().unwrap()), expected, "{dialled} from {from}");
        }
        assert!(!Help::default().is_for("110", "127.0.0.1".parse().unwrap()));
    }

    #[test]
    fn a_network_is_an_address_and_bits() {
        for text in ["10.0.0.0", "10.0.0.0/33", "fd00::/129", "x/8", "10.0.0.0/", "/8"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
        assert!("0.0.0.0/0".parse::<Network>().unwrap().contains("203.0.113.7".parse().unwrap()));
        assert!("::/0".parse::<Network>().unwrap().contains("2001:db8::1".parse().unwrap()));
        let one: Network = "127.0.0.1/32".parse().unwrap();
        assert!(one.contains("127.0.0.1".parse().unwrap()) && !one.contains("127.0.0.2".parse().unwrap()));
    }

    #[test]
    fn one_address_and_all_together_call_so_often_in_a_minute() {
        let mut helped = Helped::default();
        #[allow(clippy::disallowed_methods, reason = "a test needs some first instant")]
        let start = Instant::now();
        let from = |n: u8| IpAddr::from([10, 0, 0, n]);
        for _ in 0..OF_ONE_MAX {
            assert!(helped.take(start, from(1)));
        }
        assert!(!helped.take(start, from(1)));
        let others = (2..100).filter(|n| helped.take(start, from(*n))).count();
        assert_eq!(others, OF_ALL_MAX - OF_ONE_MAX);
        assert!(helped.take(start + MINUTE, from(1)));
    }
}
