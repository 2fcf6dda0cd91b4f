//! What can be told of a datagram by a glance, before it is read in earnest: enough to say how much it matters, and not
//! trusted for anything else. One pass, no allocation.

/// A glance at a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peek<'a> {
    /// None: a response.
    pub method: Option<&'a str>,
    /// The user part of the Request-URI, as written; the whole of one that begins with `urn:`.
    pub user: &'a str,
    /// To's tag: of a dialog, or so it says.
    pub tag: Option<&'a [u8]>,
}

impl<'a> Peek<'a> {
    /// None: this is no SIP message. Whatever the front door would answer is one, however wrong it is.
    pub fn at(bytes: &'a [u8]) -> Option<Self> {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let start = bytes.get(..end)?.trim_ascii_end();
        let is_version = |word: &[u8]| word.get(..4).is_some_and(|begins| begins.eq_ignore_ascii_case(b"SIP/"));
        if is_version(start) {
            return Some(Self { method: None, user: "", tag: None });
        }
        let mut words = start.split(|byte| matches!(byte, b' ' | b'\t')).map(|word| (word, std::str::from_utf8(word)));
        let (last, _) = words.clone().next_back()?;
        let mut named = words.by_ref().filter(|(word, _)| !word.is_empty()).map(|(_, text)| text.unwrap_or_default());
        let (method, uri) = (named.next()?, named.next()?);
        if !is_version(last) {
            return None;
        }
        let user = uri.split_once(':').and_then(|(_, rest)| rest.split_once('@')).map_or("", |(user, _)| user);
        let user = user.split([';', ':']).next().unwrap_or_default();
        let is_urn = uri.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("urn:"));
        let user = if is_urn { uri } else { user };
        Some(Self { method: Some(method), user, tag: to_tag(bytes.get(end..)?) })
    }

    /// Something that begins here: not of a call, a transaction or a dialog that we may have.
    pub fn is_new(&self) -> bool {
        let follows = matches!(self.method, None | Some("ACK" | "BYE" | "CANCEL" | "PRACK" | "UPDATE" | "INFO"));
        !follows && self.tag.is_none()
    }

    /// The ACK of a [`super::refusal`]: of what it acknowledges nothing was kept.
    pub fn is_ack_of_refusal(&self) -> bool {
        self.method == Some("ACK") && self.tag.is_some_and(|tag| tag.starts_with(REFUSED.as_bytes()))
    }
}

/// How To's tag begins in our refusals.
pub const REFUSED: &str = "busy-";

/// What follows `;tag=` in the To line.
fn to_tag(head: &[u8]) -> Option<&[u8]> {
    for line in head.split(|byte| *byte == b'\n') {
        if line.len() <= 1 && !line.is_empty() {
            return None;
        }
        let is_to = matches!(line, [b'T' | b't', b'O' | b'o', b':' | b' ', ..] | [b'T' | b't', b':' | b' ', ..]);
        if is_to {
            let rest = line.rsplit(|byte| *byte == b'>').next().unwrap_or_default();
            let begins =
                |piece: &[u8]| matches!(piece, [b';' | b' ', name @ .., b'='] if name.eq_ignore_ascii_case(b"tag"));
            let at = rest.windows(5).position(begins)?;
            return rest.get(at.checked_add(5)?..);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glance_tells_what_a_message_is() {
        let check = |text: &str, expected: Option<(Option<&str>, &str, bool)>| {
            let got = Peek::at(text.as_bytes()).map(|peek| (peek.method, peek.user, peek.is_new()));
            assert_eq!(got, expected, "{text:?}");
        };
        check("INVITE sip:112@h SIP/2.0\r\nTo: <sip:112@h>\r\n\r\n", Some((Some("INVITE"), "112", true)));
        check(
            "INVITE sip:112;x=y@h SIP/2.0\r\nf: x\r\nt : <sip:112@h>;tag=1\r\n\r\n",
            Some((Some("INVITE"), "112", false)),
        );
        check(
            "INVITE sip:a@h SIP/2.0\r\nSubject: To: x;tag=1\r\nTo: <sip:a@h;tag=1>\r\n\r\n",
            Some((Some("INVITE"), "a", true)),
        );
        let sos = "INVITE URN:service:sos.fire SIP/2.0\r\n\r\n";
        check(sos, Some((Some("INVITE"), "URN:service:sos.fire", true)));
        check("BYE sip:h SIP/2.0\r\n\r\n", Some((Some("BYE"), "", false)));
        check("REGISTER sip:h SIP/2.0\r\n\r\nTo: x;tag=1", Some((Some("REGISTER"), "", true)));
        check("SIP/2.0 200 OK\r\n\r\n", Some((None, "", false)));
        check("GET / HTTP/1.1\r\n\r\n", None);
        // Wrong, or strange, and to be answered: RFC 4475 §3.1.1.2, §3.1.2.8 to §3.1.2.10.
        let long = "m".repeat(600);
        check(&format!("{long} sip:a@h SIP/2.0\r\n\r\n"), Some((Some(&long), "a", true)));
        check("INVITE  sip:a@h  SIP/2.0\r\n\r\n", Some((Some("INVITE"), "a", true)));
        check("INVITE sip:a@h; lr SIP/2.0\r\n\r\n", Some((Some("INVITE"), "a", true)));
        check("OPTIONS\tsip:a@h sip/7.0  \r\n\r\n", Some((Some("OPTIONS"), "a", true)));
        check("INVITE sip:a@h SIP/2.0", None);
        let ack = |tag: &str| format!("ACK sip:a@h SIP/2.0\r\nTo: <sip:a@h>;tag={tag}\r\n\r\n");
        let of_refusal = |text: String| Peek::at(text.as_bytes()).is_some_and(|peek| peek.is_ack_of_refusal());
        assert!(of_refusal(ack("busy-1")) && !of_refusal(ack("1")) && !of_refusal(ack("busy-1").replace("ACK", "BYE")));
        check("", None);
        check("\u{0}\u{1}\n", None);
    }
}
