//! Via (RFC 3261 §20.42) and the way back (§18.2, RFC 3581).

use std::fmt;
use std::net::SocketAddr;

use super::{Error, Params};
use crate::lex;
use crate::uri::{self, Host};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Via {
    /// `UDP`, `TCP`, `TLS`, `WS`, `WSS`, or what another hop used.
    pub transport: String,
    pub host: Host,
    pub port: Option<u16>,
    pub params: Params,
}

const SYNTAX: Error = Error::Syntax { header: "Via" };

impl Via {
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut pieces = lex::split_outside(text, b';').ok_or(SYNTAX)?.into_iter();
        let mut protocol = pieces.next().unwrap_or_default().splitn(3, '/').map(str::trim);
        let (name, version) = (protocol.next().unwrap_or_default(), protocol.next().unwrap_or_default());
        let rest = protocol.next().unwrap_or_default();
        let (transport, sent_by) = rest.split_once([' ', '\t']).ok_or(SYNTAX)?;
        if !name.eq_ignore_ascii_case("SIP") || version != "2.0" || !lex::is_token(transport) {
            return Err(SYNTAX);
        }
        let (host, port) = uri::host_port(sent_by.trim())?;
        Ok(Self { transport: transport.to_string(), host, port, params: Params::parse("Via", pieces)? })
    }

    /// A hop of ours; it asks for symmetric responses (RFC 3581 §3).
    pub fn ours(transport: &str, sent_by: SocketAddr, branch: &str) -> Self {
        let mut params = Params::default();
        params.set("rport", None);
        params.set("branch", Some(branch));
        Self { transport: transport.to_string(), host: sent_by.into(), port: Some(sent_by.port()), params }
    }

    pub fn branch(&self) -> Option<&str> {
        self.params.get("branch")
    }

    /// RFC 3261 §18.2.1 and RFC 3581 §4: write down where the request came from.
    pub fn stamp(&mut self, source: SocketAddr) {
        if self.params.has("rport") {
            self.params.set("rport", Some(&source.port().to_string()));
            self.params.set("received", Some(&source.ip().to_string()));
        } else if !self.host.is_ip(source.ip()) {
            self.params.set("received", Some(&source.ip().to_string()));
        }
    }

    /// Where a UDP response goes. A sender whose address the network changed, and that forgot to ask for `rport`, is
    /// answered at its source all the same: nothing else can reach it.
    pub fn reply_to(&self, source: SocketAddr) -> SocketAddr {
        if self.params.has("rport") || !self.host.is_ip(source.ip()) {
            return source;
        }
        // RFC 3261 §18.2.2: the port of sent-by, 5060 when there is none.
        SocketAddr::new(source.ip(), self.port.unwrap_or(5060))
    }

    pub fn sent_by(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.to_string(),
        }
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SIP/2.0/{} {}{}", self.transport, self.sent_by(), self.params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_around_the_slashes_are_allowed_and_dropped() {
        let via = Via::parse("SIP  / 2.0  / TCP     spindle.example.com   ;  branch  =   z9hG4bK9ikj8").unwrap();
        assert_eq!(via.to_string(), "SIP/2.0/TCP spindle.example.com;branch=z9hG4bK9ikj8");
    }

    #[test]
    fn empty_parameters_other_versions_and_missing_hosts_are_refused() {
        for text in ["SIP/2.0/UDP 192.0.2.15;;,;,,", "SIP/7.0/UDP h;branch=x", "SIP/2.0/UDP", "SIP/2.0/UDP ;branch=x"] {
            assert!(Via::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_way_back_is_symmetric_when_asked_for_or_when_nothing_else_can_work() {
        let source: SocketAddr = "192.0.2.1:40000".parse().unwrap();
        let check = |via, expected: &str| {
            assert_eq!(Via::parse(via).unwrap().reply_to(source), expected.parse().unwrap(), "{via}");
        };
        check("SIP/2.0/UDP 192.0.2.1:5070;branch=x", "192.0.2.1:5070");
        check("SIP/2.0/UDP 192.0.2.1;branch=x", "192.0.2.1:5060");
        check("SIP/2.0/UDP 192.0.2.1:5070;rport;branch=x", "192.0.2.1:40000");
        check("SIP/2.0/UDP 10.0.0.9:5070;branch=x", "192.0.2.1:40000");
    }
}
