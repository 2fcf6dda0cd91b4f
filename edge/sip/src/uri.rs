//! SIP URIs (RFC 3261 §19.1): parsed strictly, kept as written, printed the same. Other schemes are carried opaquely.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use crate::lex;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("not a URI")]
    Syntax,
    #[error("the host is neither a name nor an address")]
    Host,
    #[error("the port is not a number below 65536")]
    Port,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Host {
    Ip(IpAddr),
    Name(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Uri {
    Sip(SipUri),
    /// `tel:`, `urn:` and whatever else: scheme and the rest, as written.
    Other {
        scheme: String,
        rest: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SipUri {
    pub secure: bool,
    /// The userinfo as written: escapes, parameters, a password.
    user: Option<String>,
    pub host: Host,
    pub port: Option<u16>,
    /// As written, without the leading `;`.
    params: Vec<String>,
    /// What follows `?`.
    headers: Option<String>,
}

/// The same for the text behind `urn:`.
pub fn sos(rest: &str) -> Option<&str> {
    let (name, below) = rest.split_at_checked("service:sos".len())?;
    // RFC 5031 §4: the labels are compared without regard to case, and parted by dots.
    (name.eq_ignore_ascii_case("service:sos") && (below.is_empty() || below.starts_with('.'))).then_some(below)
}

impl Uri {
    pub fn parse(text: &str) -> Result<Self, Error> {
        let (scheme, rest) = text.split_once(':').ok_or(Error::Syntax)?;
        let scheme_fits = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
        if !scheme_fits || rest.is_empty() || !rest.bytes().all(|b| b.is_ascii_graphic() && !b"<>\"".contains(&b)) {
            return Err(Error::Syntax);
        }
        match scheme.to_ascii_lowercase().as_str() {
            "sip" => SipUri::parse(false, rest).map(Self::Sip),
            "sips" => SipUri::parse(true, rest).map(Self::Sip),
            _ => Ok(Self::Other { scheme: scheme.to_string(), rest: rest.to_string() }),
        }
    }

    /// `sip:user@host:port`; the user is escaped.
    pub fn sip(user: Option<&str>, host: Host, port: Option<u16>) -> Self {
        let user = user.filter(|user| !user.is_empty()).map(lex::percent_encode_user);
        Self::Sip(SipUri { secure: false, user, host, port, params: Vec::new(), headers: None })
    }

    pub fn as_sip(&self) -> Option<&SipUri> {
        match self {
            Self::Sip(uri) => Some(uri),
            Self::Other { .. } => None,
        }
    }

    /// The user part without its parameters, unescaped; the number of a `tel:` URI. None when there is none, or when
    /// its escapes hide control characters.
    pub fn user(&self) -> Option<String> {
        let raw = match self {
            Self::Sip(uri) => uri.user.as_deref()?,
            Self::Other { scheme, rest } if scheme.eq_ignore_ascii_case("tel") => rest,
            Self::Other { .. } => return None,
        };
        let bare = raw.split([';', ':']).next().unwrap_or(raw);
        lex::percent_decode(bare).filter(|user| !user.is_empty() && lex::is_clean(user))
    }

    /// What follows `urn:service:sos` in an emergency service's name (RFC 5031): nothing, or `.police`.
    pub fn sos(&self) -> Option<&str> {
        match self {
            Self::Other { scheme, rest } if scheme.eq_ignore_ascii_case("urn") => sos(rest),
            _ => None,
        }
    }

    pub fn host(&self) -> Option<&Host> {
        self.as_sip().map(|uri| &uri.host)
    }

    pub fn port(&self) -> Option<u16> {
        self.as_sip().and_then(|uri| uri.port)
    }

    pub fn has_headers(&self) -> bool {
        self.as_sip().is_some_and(|uri| uri.headers.is_some())
    }

    /// What follows `?`, as written.
    pub fn headers(&self) -> Option<&str> {
        self.as_sip().and_then(|uri| uri.headers.as_deref())
    }

    pub fn param(&self, name: &str) -> Option<&str> {
        self.as_sip()?.params.iter().find_map(|param| {
            let (key, value) = param.split_once('=').unwrap_or((param, ""));
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub fn with_param(mut self, param: &str) -> Self {
        if let Self::Sip(uri) = &mut self {
            uri.params.push(param.to_string());
        }
        self
    }

    /// As a Request-URI may be written (RFC 3261 §19.1.1, table 1): what stands after `?` is left out.
    pub fn without_headers(mut self) -> Self {
        if let Self::Sip(uri) = &mut self {
            uri.headers = None;
        }
        self
    }

    /// RFC 3261 §19.1.4, as far as bindings need it: user, host, port and transport.
    pub fn same_target(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Sip(a), Self::Sip(b)) => {
                let transport = |uri: &Self| uri.param("transport").map(str::to_ascii_lowercase);
                let user = |uri: &SipUri| uri.user.as_deref().map(lex::percent_decode);
                a.secure == b.secure
                    && user(a) == user(b)
                    && a.host.is(&b.host)
                    && a.port == b.port
                    && transport(self) == transport(other)
            }
            (a, b) => a == b,
        }
    }
}

impl SipUri {
    fn parse(secure: bool, text: &str) -> Result<Self, Error> {
        let (user, rest) = match text.split_once('@') {
            Some((userinfo, rest)) => (Some(user_of(userinfo)?), rest),
            None => (None, text),
        };
        let (rest, headers) = match rest.split_once('?') {
            Some((rest, headers)) if !headers.is_empty() => (rest, Some(headers.to_string())),
            Some(_) => return Err(Error::Syntax),
            None => (rest, None),
        };
        let mut pieces = rest.split(';');
        let (host, port) = host_port(pieces.next().unwrap_or_default())?;
        let params = pieces.map(uri_param).collect::<Result<Vec<_>, _>>()?;
        let headers_fit = headers.as_deref().is_none_or(|h| escapes_fit(h) && !h.contains('@'));
        if !headers_fit {
            return Err(Error::Syntax);
        }
        Ok(Self { secure, user, host, port, params, headers })
    }
}

impl Host {
    pub fn parse(text: &str) -> Result<Self, Error> {
        if let Some(inner) = text.strip_prefix('[') {
            let inner = inner.strip_suffix(']').ok_or(Error::Host)?;
            return ipv6(inner).map(|ip| Self::Ip(ip.into())).ok_or(Error::Host);
        }
        if let Ok(ip) = text.parse::<std::net::Ipv4Addr>() {
            return Ok(Self::Ip(ip.into()));
        }
        let label_fits =
            |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let name = text.strip_suffix('.').unwrap_or(text);
        if name.len() > 255 || !name.split('.').all(label_fits) {
            return Err(Error::Host);
        }
        Ok(Self::Name(text.to_string()))
    }

    pub fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Name(a), Self::Name(b)) => a.eq_ignore_ascii_case(b),
            (a, b) => a == b,
        }
    }

    pub fn is_ip(&self, ip: IpAddr) -> bool {
        matches!(self, Self::Ip(own) if *own == ip)
    }
}

/// RFC 4291 §2.2; and `hexpart "::" ":" IPv4address`, which RFC 3261's grammar allowed by mistake and which "an
/// implementation must tolerate" (RFC 5118 §4.10).
fn ipv6(text: &str) -> Option<Ipv6Addr> {
    if let Ok(ip) = text.parse() {
        return Some(ip);
    }
    let (before, v4) = text.split_once(":::")?;
    v4.parse::<std::net::Ipv4Addr>().ok()?;
    format!("{before}::{v4}").parse().ok()
}

/// `host[:port]`, as in Via and in URIs.
pub fn host_port(text: &str) -> Result<(Host, Option<u16>), Error> {
    let colon = if text.starts_with('[') { text.find("]:").map(|at| at.saturating_add(1)) } else { text.find(':') };
    let Some(colon) = colon else {
        return Ok((Host::parse(text.trim())?, None));
    };
    let (host, port) = text.split_at_checked(colon).ok_or(Error::Host)?;
    let port = lex::number(port.trim_start_matches(':').trim()).and_then(|port| u16::try_from(port).ok());
    match port {
        Some(port) if !text.get(colon..).unwrap_or_default().starts_with("::") => {
            Ok((Host::parse(host.trim())?, Some(port)))
        }
        _ => Err(Error::Port),
    }
}

fn user_of(userinfo: &str) -> Result<String, Error> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/%:".contains(&b);
    if userinfo.is_empty() || userinfo.starts_with(':') || !userinfo.bytes().all(fits) || !escapes_fit(userinfo) {
        return Err(Error::Syntax);
    }
    Ok(userinfo.to_string())
}

fn uri_param(text: &str) -> Result<String, Error> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"-_.!~*'()[]/:&+$%=".contains(&b);
    if text.is_empty() || text.starts_with('=') || !text.bytes().all(fits) || !escapes_fit(text) {
        return Err(Error::Syntax);
    }
    Ok(text.to_string())
}

fn escapes_fit(text: &str) -> bool {
    text.split('%').skip(1).all(|rest| rest.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2)
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
            Self::Ip(ip) => write!(f, "{ip}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sip(uri) => uri.fmt(f),
            Self::Other { scheme, rest } => write!(f, "{scheme}:{rest}"),
        }
    }
}

impl fmt::Display for SipUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.secure { "sips:" } else { "sip:" })?;
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        write!(f, "{}", self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        for param in &self.params {
            write!(f, ";{param}")?;
        }
        match &self.headers {
            Some(headers) => write!(f, "?{headers}"),
            None => Ok(()),
        }
    }
}

impl From<SocketAddr> for Host {
    fn from(addr: SocketAddr) -> Self {
        Self::Ip(addr.ip())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_parsed_is_printed_the_same() {
        for text in [
            "sip:alice@branch-a.example",
            "sip:j.user@example.com:5070;transport=tcp;lr",
            "sip:user;par=u%40example.net@example.com",
            "sips:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*@example.com",
            "sip:[2001:db8::9:1]:6060",
            "sip:%00%00@host5.example.com",
            "sip:user@example.com?Route=%3Csip:sip.example.com%3E",
            "tel:+1-212-555-0100",
            "soap.beep://192.0.2.103:3002",
        ] {
            assert_eq!(Uri::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_has_no_single_reading_is_refused() {
        for text in [
            "",
            "sip:",
            "alice",
            "sip:a@b@c",
            "sip:a@",
            "sip:a@h:",
            "sip:a@h:99999",
            "sip:a@h::5060",
            "sip:%4@h",
            "sip:a@h;",
            "sip:a@h;;x",
            "sip:a@h?",
            "sip:a b@h",
            "sip:[::1",
            "sip:a@ex_ample..com",
            "<sip:a@h>",
            "1x:y",
        ] {
            assert!(Uri::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn three_colons_stand_only_before_an_embedded_ipv4_address() {
        let ip = |text: &str| Host::parse(text).ok();
        let right = ip("[2001:db8::192.0.2.1]");
        assert!(right.is_some());
        assert_eq!(ip("[2001:db8:::192.0.2.1]"), right);
        for text in
            ["[2001:db8:::10]", "[2001:db8::::192.0.2.1]", "[2001:db8::1:::192.0.2.1]", "[:::]", "[1:::192.0.2.256]"]
        {
            assert_eq!(ip(text), None, "{text}");
        }
    }

    #[test]
    fn a_user_part_is_bare_and_unescaped_or_absent() {
        let check = |text, user: Option<&str>| assert_eq!(Uri::parse(text).unwrap().user().as_deref(), user, "{text}");
        check("sip:%61lice;x=y@h", Some("alice"));
        check("sip:sips%3Auser%40example.com@example.net", Some("sips:user@example.com"));
        check("tel:+4930123;phone-context=x", Some("+4930123"));
        check("sip:null-%00-null@h", None);
        check("sip:h", None);
    }
}
