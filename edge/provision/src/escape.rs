//! Values are people's words and other people's numbers: no format may be left by one.

/// Longest value, in characters.
const VALUE_LEN_MAX: usize = 512;

/// Text on one line: control characters, and the separators that some readers take for an end of line, are left out.
pub fn line(text: &str) -> String {
    let ends = |c: &char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}');
    let kept: String = text.chars().filter(|c| !ends(c)).take(VALUE_LEN_MAX).collect();
    kept.trim().to_owned()
}

/// A value of Yealink's `key = value`. The first `=` divides, so a later one is harmless; quotes and `%NULL%` mean
/// something to the reader when they are the whole value, and `#` begins a comment only where a line begins.
pub fn yealink(text: &str) -> String {
    let text = line(text).replace('"', "'");
    if text.starts_with('%') || text.starts_with('#') { format!("'{text}'") } else { text }
}

/// Text and attributes of XML 1.0: what it cannot carry at all is left out.
pub fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in line(text).chars() {
        push(&mut out, c);
    }
    out
}

/// The same for a certificate: its line ends stay, as references, so that an attribute keeps them (XML 1.0 §3.3.3).
pub fn xml_lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().filter(|c| *c == '\n' || !c.is_control()) {
        push(&mut out, c);
    }
    out
}

fn push(out: &mut String, c: char) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str("&apos;"),
        '\n' => out.push_str("&#10;"),
        // XML 1.0 §2.2: not characters.
        '\u{fffe}' | '\u{ffff}' => {}
        c => out.push(c),
    }
}
