//! Replaces (RFC 3891): which dialog of ours a REFER or an INVITE means.

use crate::lex;
use crate::message::Request;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaces {
    pub call_id: String,
    /// Ours.
    pub to_tag: String,
    /// Theirs.
    pub from_tag: String,
    pub early_only: bool,
}

impl Replaces {
    /// `call-id;to-tag=…;from-tag=…`, each tag once.
    pub fn parse(text: &str) -> Option<Self> {
        let mut pieces = text.split(';').map(str::trim);
        let call_id = pieces.next().filter(|id| !id.is_empty() && !id.contains(' '))?.to_string();
        let (mut to_tag, mut from_tag, mut early_only) = (None, None, false);
        for piece in pieces {
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            let slot = match name.trim().to_ascii_lowercase().as_str() {
                "to-tag" => &mut to_tag,
                "from-tag" => &mut from_tag,
                "early-only" => {
                    early_only = true;
                    continue;
                }
                _ => continue,
            };
            if slot.replace(value.trim().to_string()).is_some() {
                return None;
            }
        }
        Some(Self { call_id, to_tag: to_tag?, from_tag: from_tag?, early_only })
    }

    /// Of an INVITE; Err is the status to refuse with (RFC 3891 §3).
    pub fn of_invite(request: &Request) -> Result<Option<Self>, u16> {
        let mut lines = request.head.all("Replaces");
        match (lines.next(), lines.next()) {
            (None, _) => Ok(None),
            (Some(line), None) => Self::parse(line).map(Some).ok_or(400),
            (Some(_), Some(_)) => Err(400),
        }
    }

    /// Among the headers of a Refer-To URI: `Replaces=` escaped, others do not count.
    pub fn of_uri_headers(headers: &str) -> Option<Self> {
        let mut found = headers.split('&').filter_map(|header| {
            let (name, value) = header.split_once('=')?;
            name.eq_ignore_ascii_case("Replaces").then_some(value)
        });
        let value = found.next()?;
        if found.next().is_some() {
            return None;
        }
        Self::parse(&lex::percent_decode(value).filter(|text| lex::is_clean(text))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_tags_are_needed_and_each_once() {
        let of = |text: &str| Replaces::parse(text).map(|r| (r.call_id, r.to_tag, r.from_tag, r.early_only));
        let expected = Some(("a@b".to_string(), "t1".to_string(), "f1".to_string(), false));
        assert_eq!(of("a@b;to-tag=t1;from-tag=f1"), expected);
        assert_eq!(of("a@b; from-tag = f1 ;to-tag=t1;x=y"), expected);
        assert!(of("a@b;to-tag=t1;from-tag=f1;early-only").is_some_and(|(.., early_only)| early_only));
        for bad in ["", "a@b", "a@b;to-tag=t1", "a@b;to-tag=t1;to-tag=t2;from-tag=f1", ";to-tag=t1;from-tag=f1"] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }

    #[test]
    fn it_is_read_out_of_a_refer_to_uri() {
        let of = |text: &str| Replaces::of_uri_headers(text).map(|r| r.call_id);
        assert_eq!(of("Replaces=a%40b%3Bto-tag%3Dt%3Bfrom-tag%3Df&Require=replaces").as_deref(), Some("a@b"));
        assert_eq!(of("Subject=x"), None);
        assert_eq!(of("Replaces=a%3Bto-tag%3Dt%3Bfrom-tag%3Df&replaces=b"), None);
        assert_eq!(of("Replaces=a%0d%3Bto-tag%3Dt%3Bfrom-tag%3Df"), None);
    }
}
