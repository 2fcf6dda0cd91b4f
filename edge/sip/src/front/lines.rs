//! Head and body apart, lines unfolded, names in one spelling. The first fault is kept, not returned, so that the
//! refusal can still name the transaction it refuses.

use bytes::Bytes;

use super::{Fault, HEADER_BYTES_MAX, HEADERS_MAX};
use crate::lex;

#[derive(Debug, Default)]
pub struct Lines {
    pub start: String,
    headers: Vec<(String, String)>,
    pub fault: Option<Fault>,
}

/// RFC 3261 §7.3.3 and its extensions: compact forms and the one spelling of every name we read or write.
const NAMES: [(&str, &str); 52] = [
    ("a", "Accept-Contact"),
    ("b", "Referred-By"),
    ("c", "Content-Type"),
    ("d", "Request-Disposition"),
    ("e", "Content-Encoding"),
    ("f", "From"),
    ("i", "Call-ID"),
    ("j", "Reject-Contact"),
    ("k", "Supported"),
    ("l", "Content-Length"),
    ("m", "Contact"),
    ("o", "Event"),
    ("r", "Refer-To"),
    ("s", "Subject"),
    ("t", "To"),
    ("u", "Allow-Events"),
    ("v", "Via"),
    ("x", "Session-Expires"),
    ("y", "Identity"),
    ("", "Accept"),
    ("", "Allow"),
    ("", "Authorization"),
    ("", "CSeq"),
    ("", "Diversion"),
    ("", "Expires"),
    ("", "History-Info"),
    ("", "Max-Forwards"),
    ("", "Min-Expires"),
    ("", "Min-SE"),
    ("", "P-Asserted-Identity"),
    ("", "P-Early-Media"),
    ("", "P-Preferred-Identity"),
    ("", "Proxy-Authenticate"),
    ("", "Proxy-Authorization"),
    ("", "Privacy"),
    ("", "Proxy-Require"),
    ("", "RAck"),
    ("", "Reason"),
    ("", "Record-Route"),
    ("", "Remote-Party-ID"),
    ("", "RSeq"),
    ("", "Refer-Sub"),
    ("", "Replaces"),
    ("", "Require"),
    ("", "Retry-After"),
    ("", "Route"),
    ("", "Server"),
    ("", "Subscription-State"),
    ("", "Unsupported"),
    ("", "User-Agent"),
    ("", "Warning"),
    ("", "WWW-Authenticate"),
];

impl Lines {
    /// The lines and the bytes after the blank line; Err(cause) when this is not SIP at all.
    pub fn split(bytes: &Bytes, from: usize) -> Result<(Self, Bytes), &'static str> {
        let rest = bytes.get(from..).unwrap_or_default();
        let (head_len, body_at) = match rest.windows(4).position(|w| w == b"\r\n\r\n") {
            Some(at) => (at, Some(at.saturating_add(4))),
            None => (rest.len(), None),
        };
        let mut lines = Self::default();
        if body_at.is_none() {
            lines.blame("head_end");
        }
        let head = rest.get(..head_len).unwrap_or_default();
        let text = String::from_utf8_lossy(head);
        if matches!(text, std::borrow::Cow::Owned(_)) {
            lines.blame("utf8");
        }
        let mut raw = text.split("\r\n");
        let start = raw.next().unwrap_or_default().replace('\t', " ");
        lines.start = lines.without_controls(&start, Quoting::None);
        if !lines.is_response() && !looks_like_request(&lines.start) {
            return Err("not_sip");
        }
        for line in raw {
            lines.add(line);
        }
        lines.finish();
        let body = match body_at.and_then(|at| from.checked_add(at)) {
            Some(at) if at <= bytes.len() => bytes.slice(at..),
            _ => Bytes::new(),
        };
        Ok((lines, body))
    }

    pub fn is_response(&self) -> bool {
        self.start.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("SIP/"))
    }

    pub fn is_ack(&self) -> bool {
        self.start.starts_with("ACK ")
    }

    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers().filter(move |(n, _)| *n == name).map(|(_, value)| value)
    }

    fn add(&mut self, line: &str) {
        if self.headers.len() > HEADERS_MAX {
            return self.blame("header_count");
        }
        let value = line.replace('\t', " ");
        if value.starts_with(' ') {
            match self.headers.last_mut() {
                // RFC 3261 §7.3.1: a folded line continues the one before.
                Some((_, before)) if before.len().saturating_add(value.len()) <= HEADER_BYTES_MAX => {
                    before.push(' ');
                    before.push_str(value.trim_matches(' '));
                }
                Some(_) => self.blame("header_size"),
                None => self.blame("fold"),
            }
            return;
        }
        let Some((name, value)) = value.split_once(':') else {
            return self.blame("header_colon");
        };
        let name = name.trim_end_matches(' ');
        if !lex::is_token(name) {
            return self.blame("header_name");
        }
        if value.len() > HEADER_BYTES_MAX {
            return self.blame("header_size");
        }
        self.headers.push((canonical(name), value.trim_matches(' ').to_string()));
    }

    /// After unfolding, for a quoted string may run over a fold.
    fn finish(&mut self) {
        for at in 0..self.headers.len() {
            let Some(value) = self.headers.get_mut(at).map(|(_, value)| std::mem::take(value)) else { continue };
            let value = self.without_controls(value.trim_matches(' '), Quoting::Pairs);
            if let Some((_, place)) = self.headers.get_mut(at) {
                *place = value;
            }
        }
    }

    /// A control character is a fault, but for one that a quoted-pair may hold (RFC 3261 §25.1: all of ASCII less CR
    /// and LF). Either way it stands as `?` from here on: nothing behind this door meets one (S-10).
    fn without_controls(&mut self, text: &str, quoting: Quoting) -> String {
        if lex::is_clean(text) {
            return text.to_string();
        }
        let (mut quoted, mut escaped, mut bad) = (false, false, false);
        let cleaned = text.chars().map(|c| {
            let paired = escaped && quoting == Quoting::Pairs && c.is_ascii() && !matches!(c, '\r' | '\n');
            match c {
                _ if escaped => escaped = false,
                '\\' if quoted => escaped = true,
                '"' => quoted = !quoted,
                _ => {}
            }
            bad |= c.is_control() && !paired;
            if c.is_control() { '?' } else { c }
        });
        let cleaned = cleaned.collect();
        if bad {
            self.blame("control");
        }
        cleaned
    }

    fn blame(&mut self, cause: &'static str) {
        self.fault.get_or_insert(Fault { status: 400, cause });
    }
}

/// Whether a text may hold quoted-pairs: a header value may, a start-line may not.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quoting {
    None,
    Pairs,
}

/// `… SIP/x`, however wrong before it.
fn looks_like_request(start: &str) -> bool {
    let last = start.trim_end().rsplit(' ').next().unwrap_or_default();
    start.trim_end().contains(' ') && last.get(..4).is_some_and(|end| end.eq_ignore_ascii_case("SIP/"))
}

fn canonical(name: &str) -> String {
    let known = NAMES.iter().find(|(short, long)| name.eq_ignore_ascii_case(long) || name.eq_ignore_ascii_case(short));
    known.map_or_else(|| name.to_string(), |(_, long)| (*long).to_string())
}
