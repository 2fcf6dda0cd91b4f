//! A request as text, header by header: the lab must be able to write what a good stack never would.

use std::net::SocketAddr;

use sip::uri::Uri;

use crate::plan::Link;

/// How a message is spelled; all of them mean the same (RFC 3261 §7.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Spelling {
    #[default]
    Plain,
    /// RFC 3261 §7.3.3, and no space after the colon.
    Compact,
    /// Folded lines, spaces before the colon, names in odd case.
    Folded,
}

#[derive(Debug, Clone)]
pub struct Draft {
    pub method: String,
    pub uri: String,
    pub link: Link,
    pub to: SocketAddr,
    pub branch: String,
    pub call_id: String,
    pub cseq: u32,
    /// In the order of printing, Via first.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub spelling: Spelling,
}

const COMPACT: [(&str, &str); 9] = [
    ("Via", "v"),
    ("From", "f"),
    ("To", "t"),
    ("Call-ID", "i"),
    ("Contact", "m"),
    ("Supported", "k"),
    ("Content-Type", "c"),
    ("Content-Length", "l"),
    ("Session-Expires", "x"),
];

impl Draft {
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_string(), value.into()));
        self
    }

    /// All lines of this name become one.
    pub fn set(mut self, name: &str, value: impl Into<String>) -> Self {
        let at = self.headers.iter().position(|(one, _)| one == name).unwrap_or(self.headers.len());
        self.headers.retain(|(one, _)| one != name);
        self.headers.insert(at.min(self.headers.len()), (name.to_string(), value.into()));
        self
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(one, _)| one == name).map(|(_, value)| value.as_str())
    }

    pub fn spelled(mut self, spelling: Spelling) -> Self {
        self.spelling = spelling;
        self
    }

    pub fn body(mut self, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.set("Content-Type", kind)
    }

    pub fn over(mut self, link: Link, to: SocketAddr) -> Self {
        let via = self.header("Via").unwrap_or_default().replacen(self.link.word(), link.word(), 1);
        (self.link, self.to) = (link, to);
        self.set("Via", via)
    }

    /// A new transaction of the same request: another branch, the next CSeq.
    pub fn again(mut self, branch: String) -> Self {
        self.cseq = self.cseq.saturating_add(1);
        let via = self.header("Via").unwrap_or_default().replacen(&self.branch, &branch, 1);
        self.branch = branch;
        let cseq = format!("{} {}", self.cseq, self.method);
        self.set("Via", via).set("CSeq", cseq)
    }

    pub fn render(&self) -> Vec<u8> {
        let mut text = format!("{} {} SIP/2.0\r\n", self.method, self.uri);
        let length = self.body.len().to_string();
        let lines = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in lines.chain([("Content-Length", length.as_str())]) {
            match self.spelling {
                Spelling::Plain => text.push_str(&format!("{name}: {value}\r\n")),
                Spelling::Compact => {
                    let short = COMPACT.iter().find(|(long, _)| *long == name).map_or(name, |(_, short)| short);
                    text.push_str(&format!("{short}:{value}\r\n"));
                }
                Spelling::Folded => text.push_str(&format!("{} :\r\n  {value} \r\n", name.to_ascii_uppercase())),
            }
        }
        text.push_str("\r\n");
        [text.as_bytes(), &self.body].concat()
    }
}

/// Where a request for a URI goes when nothing else says: its address, else `fallback`.
pub fn address_of(uri: &Uri, fallback: SocketAddr) -> SocketAddr {
    match uri.host() {
        Some(sip::uri::Host::Ip(ip)) => SocketAddr::new(*ip, uri.port().unwrap_or(5060)),
        _ => fallback,
    }
}
