//! From, To, Contact, Route and their parameters (RFC 3261 §20.10, §25.1: name-addr, addr-spec).

use std::fmt;

use super::Error;
use crate::lex;
use crate::uri::Uri;

/// Parameters of one header value; the longest lists in the field have a dozen. Each is compared with all before it.
pub const PARAMS_MAX: usize = 64;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Unquoted.
    pub display: Option<String>,
    pub uri: Uri,
    pub params: Params,
}

/// `;name=value` pairs, values as written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Params(Vec<(String, Option<String>)>);

impl Address {
    pub fn new(uri: Uri) -> Self {
        Self { display: None, uri, params: Params::default() }
    }

    pub fn parse(header: &'static str, text: &str) -> Result<Self, Error> {
        let syntax = Error::Syntax { header };
        let mut pieces = lex::split_outside(text, b';').ok_or(syntax.clone())?.into_iter();
        let subject = pieces.next().unwrap_or_default();
        let params = Params::parse(header, pieces)?;
        let Some(opening) = opening_bracket(subject) else {
            // RFC 3261 §20.10: a bare addr-spec may hold no comma, question mark or semicolon.
            if subject.contains([',', '?']) {
                return Err(syntax);
            }
            return Ok(Self { display: None, uri: Uri::parse(subject)?, params });
        };
        let (display, rest) = subject.split_at_checked(opening).ok_or(syntax.clone())?;
        let inner = rest.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).ok_or(syntax.clone())?;
        Ok(Self { display: display_name(display.trim()).ok_or(syntax)?, uri: Uri::parse(inner)?, params })
    }

    pub fn tag(&self) -> Option<&str> {
        self.params.get("tag")
    }

    pub fn set_tag(&mut self, tag: &str) {
        self.params.set("tag", Some(tag));
    }

    pub fn without_tag(mut self) -> Self {
        self.params.remove("tag");
        self
    }
}

impl Params {
    pub fn parse<'a>(header: &'static str, pieces: impl Iterator<Item = &'a str>) -> Result<Self, Error> {
        let mut params: Vec<(String, Option<String>)> = Vec::new();
        for piece in pieces {
            if params.len() >= PARAMS_MAX {
                return Err(Error::Syntax { header });
            }
            let (name, value) = match piece.split_once('=') {
                Some((name, value)) => (name.trim(), Some(value.trim())),
                None => (piece, None),
            };
            let doubled = params.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
            if doubled || !lex::is_token(name) || !value.is_none_or(value_fits) {
                return Err(Error::Syntax { header });
            }
            params.push((name.to_string(), value.map(str::to_string)));
        }
        Ok(Self(params))
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(key, _)| key.eq_ignore_ascii_case(name))
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).and_then(|(_, value)| value.as_deref())
    }

    pub fn set(&mut self, name: &str, value: Option<&str>) {
        match self.0.iter_mut().find(|(key, _)| key.eq_ignore_ascii_case(name)) {
            Some((_, old)) => *old = value.map(str::to_string),
            None => self.0.push((name.to_string(), value.map(str::to_string))),
        }
    }

    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
    }
}

/// Where `<` stands outside the quoted display name.
fn opening_bracket(text: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    text.bytes().position(|byte| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'<' if !quoted => return true,
            _ => {}
        }
        false
    })
}

/// Some(None) for no name; None for one that is neither a quoted string nor tokens. Letters beyond ASCII may stand
/// unquoted: many phones send them so, and they have one meaning.
fn display_name(text: &str) -> Option<Option<String>> {
    if text.is_empty() {
        return Some(None);
    }
    if text.starts_with('"') {
        return lex::unquote(text).map(Some);
    }
    let word_fits = |word: &str| word.chars().all(|c| !c.is_ascii() || u8::try_from(c).is_ok_and(lex::is_token_byte));
    text.split_ascii_whitespace().all(word_fits).then(|| Some(text.to_string()))
}

/// RFC 3261 §25.1: gen-value is a token, a host or a quoted string.
fn value_fits(value: &str) -> bool {
    if value.starts_with('"') {
        return lex::unquote(value).is_some();
    }
    !value.is_empty() && value.bytes().all(|b| lex::is_token_byte(b) || b"[]:".contains(&b))
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(display) = &self.display {
            write!(f, "{} ", lex::quote(display))?;
        }
        write!(f, "<{}>{}", self.uri, self.params)
    }
}

impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(name, value)| match value {
            Some(value) => write!(f, ";{name}={value}"),
            None => write!(f, ";{name}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read_and_one_is_printed() {
        let check = |text, printed: &str| assert_eq!(Address::parse("From", text).unwrap().to_string(), printed);
        check("sip:vivekg@h ;   tag    = 1918181833n", "<sip:vivekg@h>;tag=1918181833n");
        check("caller<sip:caller@h>;tag=323", "\"caller\" <sip:caller@h>;tag=323");
        check(r#""J \"R\"" <sip:j@h;lr>;x="y;z""#, r#""J \"R\"" <sip:j@h;lr>;x="y;z""#);
    }

    #[test]
    fn the_limit_on_parameters_holds() {
        let with = |n: usize| (0..n).fold("<sip:a@h>".to_string(), |text, i| format!("{text};p{i}"));
        assert!(Address::parse("To", &with(PARAMS_MAX)).is_ok());
        assert!(Address::parse("To", &with(PARAMS_MAX + 1)).is_err());
    }

    #[test]
    fn a_doubtful_address_is_refused() {
        for text in [
            "Bell, Alexander <sip:a.g.bell@h>;tag=43",
            "\"Mr. J. User <sip:j.user@h>",
            "\"Watson\" < sip:t.watson@h >",
            "sip:user@h?Route=x",
            "<sip:a@h>;;",
            "<sip:a@h>;tag=1;tag=2",
            "<sip:a@h> x",
            "",
        ] {
            assert!(Address::parse("To", text).is_err(), "{text}");
        }
    }
}
