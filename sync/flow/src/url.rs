//! Whom a step may ask. Whether the address is allowed is decided on the box, by what the name stands for there.

/// Characters of a URL.
pub const URL_MAX: usize = 200;

/// `http://HOST[:PORT]/PATH`: no user, no fragment, nothing that must be decoded to be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// A name, or an address; IPv6 without its brackets.
    pub host: String,
    pub port: u16,
    /// From the slash on.
    pub path: String,
}

impl Url {
    pub fn parse(text: &str) -> Option<Url> {
        let graphic = text.len() <= URL_MAX && text.bytes().all(|b| b.is_ascii_graphic());
        let rest = text.strip_prefix("http://").filter(|_| graphic)?;
        let slash = rest.find('/')?;
        let (authority, path) = rest.split_at_checked(slash)?;
        if path.contains(['#', '\\', '"', '<', '>']) {
            return None;
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(literal) => {
                let (host, rest) = literal.split_once(']')?;
                host.parse::<std::net::Ipv6Addr>().ok()?;
                (host, rest.strip_prefix(':').or(rest.is_empty().then_some(""))?)
            }
            None => authority.split_once(':').unwrap_or((authority, "")),
        };
        let name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':');
        if host.is_empty() || !host.bytes().all(name) {
            return None;
        }
        let port = if port.is_empty() { 80 } else { port.parse().ok().filter(|port| *port != 0)? };
        Some(Url { host: host.to_owned(), port, path: path.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_understood_at_first_sight_is_a_url() {
        let url = |host: &str, port, path: &str| Some(Url { host: host.into(), port, path: path.into() });
        let table = [
            ("http://crm.example/look-up?v=1", url("crm.example", 80, "/look-up?v=1")),
            ("http://192.0.2.1:8080/", url("192.0.2.1", 8080, "/")),
            ("http://[2001:db8::1]:81/a", url("2001:db8::1", 81, "/a")),
            ("http://[2001:db8::1]/a", url("2001:db8::1", 80, "/a")),
            ("http://crm.example", None),
            ("https://crm.example/", None),
            ("http://user@crm.example/", None),
            ("http://crm.example:0/", None),
            ("http://crm.example:65536/", None),
            ("http://crm example/", None),
            ("http://crm.example/\r\nHost: x", None),
            ("http://[::1]x/", None),
            ("http:///a", None),
            ("http://crm.example/#a", None),
            ("file:///etc/passwd", None),
        ];
        for (text, expected) in table {
            assert_eq!(Url::parse(text), expected, "{text}");
        }
        let longest = format!("http://a/{}", "x".repeat(URL_MAX - 9));
        assert!(Url::parse(&longest).is_some());
        assert!(Url::parse(&format!("{longest}x")).is_none());
    }
}
