//! Where the cloud is: an address for QUIC, or a WebSocket that carries QUIC's packets where UDP is blocked.

use std::{fmt, str::FromStr};

use base64::{Engine, prelude::BASE64_STANDARD};

/// The subprotocol of a WebSocket whose binary messages are QUIC's packets, one each.
pub const SUBPROTOCOL: &str = "branchline.quic.1";
const URL_LEN_MAX: usize = 1_024;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// `host:port`; the name is looked up at each connection.
    Udp(String),
    Web(Web),
}

impl From<&str> for Endpoint {
    fn from(cloud: &str) -> Self {
        Self::Udp(cloud.to_owned())
    }
}

impl From<&String> for Endpoint {
    fn from(cloud: &String) -> Self {
        Self::Udp(cloud.clone())
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Udp(cloud) => f.write_str(cloud),
            Self::Web(web) => f.write_str(&web.url.text),
        }
    }
}

/// A WebSocket, and the proxy on the way to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Web {
    pub url: Url,
    pub proxy: Option<Proxy>,
}

/// `wss://host[:port]/path`; `ws://` where something else sees to TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    pub(crate) text: String,
    pub(crate) tls: bool,
    pub(crate) host: String,
    pub(crate) port: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("wss://host/path or ws://host:port/path, such as \"wss://cloud.example/link\"")]
pub struct BadUrl;

impl FromStr for Url {
    type Err = BadUrl;

    fn from_str(text: &str) -> Result<Self, BadUrl> {
        if text.len() > URL_LEN_MAX {
            return Err(BadUrl);
        }
        let uri: tungstenite::http::Uri = text.parse().map_err(|_| BadUrl)?;
        let tls = match uri.scheme_str() {
            Some("wss") => true,
            Some("ws") => false,
            _ => return Err(BadUrl),
        };
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@')).ok_or(BadUrl)?;
        let host = authority.host().to_owned();
        if host.is_empty() {
            return Err(BadUrl);
        }
        let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
        Ok(Self { text: text.to_owned(), tls, host, port })
    }
}

/// An HTTP proxy that opens ways with CONNECT (RFC 9110 §9.3.6).
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    /// `host:port`.
    pub address: String,
    /// `name:password`, if it asks for one.
    pub credentials: Option<String>,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Proxy {
    /// RFC 7617.
    pub(crate) fn authorization(&self) -> Option<String> {
        self.credentials.as_ref().map(|credentials| format!("Basic {}", BASE64_STANDARD.encode(credentials)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_url_has_the_port_of_its_scheme_unless_it_names_one() {
        for (text, tls, host, port) in [
            ("wss://cloud.example/link", true, "cloud.example", 443),
            ("ws://192.0.2.1/link", false, "192.0.2.1", 80),
            ("wss://[2001:db8::1]:8443/a/b", true, "[2001:db8::1]", 8_443),
        ] {
            let url: Url = text.parse().unwrap();
            assert_eq!((url.tls, url.host.as_str(), url.port), (tls, host, port), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_of_a_web_socket_is_refused() {
        for text in ["", "cloud.example", "https://cloud.example/link", "wss://", "wss://user:secret@cloud.example/"] {
            assert_eq!(text.parse::<Url>(), Err(BadUrl), "{text}");
        }
        assert_eq!(format!("wss://{}/", "a".repeat(URL_LEN_MAX)).parse::<Url>(), Err(BadUrl));
    }

    #[test]
    fn a_proxys_password_is_not_for_logs() {
        let proxy = Proxy { address: "proxy:3128".into(), credentials: Some("box:secret".into()) };
        assert!(!format!("{proxy:?}").contains("secret"));
        assert_eq!(proxy.authorization().unwrap(), "Basic Ym94OnNlY3JldA==");
    }
}
