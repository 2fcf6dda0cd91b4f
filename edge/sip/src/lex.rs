//! The smallest rules of RFC 3261 §25.1: tokens, quoted strings, escapes, lists. Total functions over `&str`.

/// RFC 3261 §25.1: token.
pub fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&byte)
}

pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}

/// A value in one header line: no control character at all (CR, LF and NUL split lines or end strings elsewhere).
pub fn is_clean(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

/// Cuts at `separator` outside quoted strings and angle brackets; None when either stays open.
pub fn split_outside(text: &str, separator: u8) -> Option<Vec<&str>> {
    let mut pieces = Vec::new();
    let (mut start, mut quoted, mut escaped, mut angled) = (0, false, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'<' if angled => return None,
            b'<' => angled = true,
            b'>' if !angled => return None,
            b'>' => angled = false,
            _ if byte == separator && !angled => {
                pieces.push(text.get(start..at)?.trim());
                start = at.saturating_add(1);
            }
            _ => {}
        }
    }
    if quoted || angled {
        return None;
    }
    pieces.push(text.get(start..)?.trim());
    Some(pieces)
}

/// The text of a quoted-string that is exactly `text`; None when it is not one.
pub fn unquote(text: &str) -> Option<String> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    let mut plain = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => return None,
            '\\' => plain.push(chars.next()?),
            c => plain.push(c),
        }
    }
    Some(plain)
}

pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len().saturating_add(2));
    quoted.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

/// Undoes `%HH`; None for a broken escape or for bytes that are not UTF-8.
pub fn percent_decode(text: &str) -> Option<String> {
    let mut plain = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            plain.push(hex_digit(bytes.next()?)? << 4 | hex_digit(bytes.next()?)?);
        } else {
            plain.push(byte);
        }
    }
    String::from_utf8(plain).ok()
}

/// Escapes what RFC 3261 §25.1 does not let stand in a user part.
pub fn percent_encode_user(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

/// A decimal number of digits only; None when it overflows `u32`.
pub fn number(text: &str) -> Option<u32> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_cut_outside_quotes_and_brackets() {
        let check = |text, expected: Option<Vec<&str>>| assert_eq!(split_outside(text, b','), expected, "{text}");
        check("a, b", Some(vec!["a", "b"]));
        check(r#""a,\",b" <sip:x,y@h>, c"#, Some(vec![r#""a,\",b" <sip:x,y@h>"#, "c"]));
        check(r#""open"#, None);
        check("<sip:open", None);
        check("close>", None);
    }

    #[test]
    fn quoting_and_escaping_come_back_the_same() {
        for text in ["", "a", r#"a "b" \ c"#, "漢字 é"] {
            assert_eq!(unquote(&quote(text)).as_deref(), Some(text));
            assert_eq!(percent_decode(&percent_encode_user(text)).as_deref(), Some(text));
        }
        assert_eq!(percent_decode("%2"), None);
        assert_eq!(percent_decode("%FF"), None);
    }
}
