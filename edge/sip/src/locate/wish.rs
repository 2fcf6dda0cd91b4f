//! What is to be found: a name, and what the configuration fixes of port and transport.

use crate::endpoint::Transport;
use crate::uri::{Host, host_port};

/// RFC 3263 §4: the TARGET of a URI and what its port and parameters say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// In lower case, without the last dot.
    pub host: String,
    pub port: Option<u16>,
    pub transport: Option<Transport>,
    /// As a `sips:` URI: TLS or nothing.
    pub secure: bool,
}

impl Wish {
    /// `carrier.example` or `carrier.example:5070`; None for what is no name, such as an address. Over TLS it stays
    /// TLS, over TCP it stays TCP; with UDP DNS may choose another transport.
    pub fn new(name: &str, transport: Transport) -> Option<Self> {
        let Ok((Host::Name(host), port)) = host_port(name) else { return None };
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let fixed = (transport != Transport::Udp).then_some(transport);
        // RFC 1035 §2.3.4, less the longest service prefix.
        let fits = (1..=240).contains(&host.len()) && host.split('.').all(|label| (1..=63).contains(&label.len()));
        fits.then_some(Self { host, port, transport: fixed, secure: transport.is_secure() })
    }
}
