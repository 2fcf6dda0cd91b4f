//! Bodies of several parts (RFC 2046 §5.1, RFC 5621): read strictly and within limits, written from scratch. And the one
//! that opens a recording session (RFC 7866 §9.1): a description beside metadata.

use bytes::{BufMut, Bytes, BytesMut};

use crate::lex;
use crate::message::{self, Head, Value};

/// Parts of one body: a description, metadata, and what a vendor adds.
pub const PARTS_MAX: usize = 8;
/// Bytes of one part's head.
pub const PART_HEAD_MAX: usize = 2_048;
/// RFC 2046 §5.1.1.
pub const BOUNDARY_MAX: usize = 70;

const SDP: &str = "application/sdp";
/// RFC 7866 §9.1, and the spelling of RFC 7865 §10.1 that some peers keep to.
pub const METADATA: &str = "application/rs-metadata+xml";
const METADATA_ALIAS: &str = "application/rs-metadata";

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the body's kind is none that is taken here")]
    Kind,
    #[error("the body has no boundary, or one that is none")]
    Boundary,
    #[error("a body has at most {PARTS_MAX} parts, each with a head of at most {PART_HEAD_MAX} bytes")]
    Limit,
    #[error("the last part has no end")]
    Open,
    #[error("the head of a part cannot be read")]
    Head,
    #[error("a part stands there twice")]
    Twice,
}

impl Error {
    /// RFC 3261 §21.4.13, §21.4.1.
    pub fn status(self) -> u16 {
        match self {
            Error::Kind => 415,
            _ => 400,
        }
    }
}

/// One part as it is read: its media type in lower case, without parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub kind: String,
    /// Who does not know the part must refuse the whole (RFC 5621 §3.2).
    pub required: bool,
    pub body: Bytes,
}

/// What a request of a recording session carries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recording {
    pub sdp: Option<Bytes>,
    pub metadata: Option<Bytes>,
}

/// Reads the parts of a `multipart/…` body. `content_type` is the header's whole value. What stands before the first
/// delimiter and behind the last one is passed over.
pub fn read(content_type: &str, body: &Bytes) -> Result<Vec<Part>, Error> {
    let boundary = boundary(content_type).ok_or(Error::Boundary)?;
    let delimiter = format!("--{boundary}");
    let mut parts = Vec::new();
    let mut from: Option<usize> = None;
    let mut at = 0;
    loop {
        let Some(line) = next_delimiter(body, at, delimiter.as_bytes()) else { return Err(Error::Open) };
        if let Some(from) = from {
            // The line end before a delimiter belongs to it.
            let end = line.start.saturating_sub(2).max(from);
            if parts.len() >= PARTS_MAX {
                return Err(Error::Limit);
            }
            parts.push(part(&body.slice(from..end))?);
        }
        if line.closes {
            return Ok(parts);
        }
        from = Some(line.end);
        // The line end of this delimiter may be the one before the next.
        at = line.end.saturating_sub(2);
    }
}

struct Delimiter {
    start: usize,
    /// Behind its line end.
    end: usize,
    closes: bool,
}

/// The next line, from `at` on, that is the delimiter or closes the body.
fn next_delimiter(body: &[u8], at: usize, delimiter: &[u8]) -> Option<Delimiter> {
    let mut at = at;
    loop {
        let rest = body.get(at..)?;
        let found = rest.windows(delimiter.len()).position(|window| window == delimiter)?;
        let start = at.checked_add(found)?;
        let behind = start.checked_add(delimiter.len())?;
        let begins_line = start == 0 || body.get(start.checked_sub(2)?..start) == Some(b"\r\n");
        let rest = body.get(behind..)?;
        let closes = rest.starts_with(b"--");
        // RFC 2046 §5.1.1: transport padding.
        let padding = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let ends_line = rest.get(padding..)?.starts_with(b"\r\n");
        if begins_line && (closes || ends_line) {
            let end = behind.checked_add(padding)?.checked_add(2)?;
            return Some(Delimiter { start, end, closes });
        }
        at = start.checked_add(1)?;
    }
}

/// Header lines, an empty line, the body. RFC 2046 §5.1: without header lines it is plain text.
fn part(bytes: &Bytes) -> Result<Part, Error> {
    let (head, body) = if bytes.starts_with(b"\r\n") {
        (Bytes::new(), bytes.slice(2..))
    } else {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").ok_or(Error::Head)?;
        (bytes.slice(..end), bytes.slice(end.saturating_add(4)..))
    };
    if head.len() > PART_HEAD_MAX {
        return Err(Error::Limit);
    }
    let head = std::str::from_utf8(&head).map_err(|_| Error::Head)?;
    let (mut kind, mut required) = ("text/plain".to_owned(), false);
    for line in head.split("\r\n").filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').filter(|(name, _)| lex::is_token(name)).ok_or(Error::Head)?;
        match name.to_ascii_lowercase().as_str() {
            "content-type" => kind = media_type(value),
            "content-disposition" => required = parameter(value, "handling").as_deref() == Some("required"),
            // Bodies of SIP are binary; nobody needs these.
            "content-transfer-encoding" if !is_plain(value) => return Err(Error::Head),
            "content-encoding" if !value.trim().eq_ignore_ascii_case("identity") => return Err(Error::Head),
            _ => {}
        }
    }
    Ok(Part { kind, required, body })
}

fn is_plain(value: &str) -> bool {
    ["binary", "8bit", "7bit"].iter().any(|plain| value.trim().eq_ignore_ascii_case(plain))
}

fn media_type(value: &str) -> String {
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// A parameter of a header's value, without quotes.
fn parameter(value: &str, wanted: &str) -> Option<String> {
    let pieces = lex::split_outside(value, b';')?;
    let (_, written) = pieces.into_iter().skip(1).find_map(|piece| {
        let (name, value) = piece.split_once('=')?;
        name.trim().eq_ignore_ascii_case(wanted).then_some((name, value.trim()))
    })?;
    if written.starts_with('"') { lex::unquote(written) } else { Some(written.to_owned()) }
}

fn boundary(content_type: &str) -> Option<String> {
    let boundary = parameter(content_type, "boundary")?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte);
    let legal = (1..=BOUNDARY_MAX).contains(&boundary.len()) && boundary.bytes().all(fits) && !boundary.ends_with(' ');
    legal.then_some(boundary)
}

/// Content-Type and body of these parts; each with its head lines, without line ends. The boundary is the caller's to
/// draw, and stands in none of them.
pub fn write(boundary: &str, parts: &[(&[&str], &[u8])]) -> (String, Bytes) {
    let mut body = BytesMut::new();
    for (head, part) in parts {
        body.put_slice(format!("--{boundary}\r\n").as_bytes());
        for line in *head {
            body.put_slice(Value::cleaned(line).as_str().as_bytes());
            body.put_slice(b"\r\n");
        }
        body.put_slice(b"\r\n");
        body.put_slice(part);
        body.put_slice(b"\r\n");
    }
    body.put_slice(format!("--{boundary}--\r\n").as_bytes());
    (format!("multipart/mixed;boundary={boundary}"), body.freeze())
}

/// RFC 7866 §9.1: the description, and the metadata with its disposition.
pub fn write_recording(boundary: &str, sdp: &[u8], metadata: &[u8]) -> (String, Bytes) {
    let kind = format!("Content-Type: {METADATA}");
    let of_metadata = [kind.as_str(), "Content-Disposition: recording-session"];
    write(boundary, &[(&["Content-Type: application/sdp"], sdp), (&of_metadata, metadata)])
}

/// What a message of a recording session carries: a description, metadata, or both.
pub fn recording(head: &Head, body: &Bytes) -> Result<Recording, Error> {
    if body.is_empty() {
        return Ok(Recording::default());
    }
    let written = head.content_type.as_ref().map(Value::as_str).unwrap_or_default();
    let kind = message::media_type(head);
    let parts = match kind.as_str() {
        "multipart/mixed" => read(written, body)?,
        _ => vec![Part { kind, required: true, body: body.clone() }],
    };
    let mut found = Recording::default();
    for part in parts {
        let place = match part.kind.as_str() {
            SDP => &mut found.sdp,
            METADATA | METADATA_ALIAS => &mut found.metadata,
            _ if part.required => return Err(Error::Kind),
            _ => continue,
        };
        if place.replace(part.body).is_some() {
            return Err(Error::Twice);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// RFC 7866 §9.1, shortened.
    const BODY: &[u8] = b"preamble\r\n--foobar\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n\r\n--foobar\r\n\
        Content-Type: application/rs-metadata+xml\r\nContent-Disposition: recording-session\r\n\r\n<recording/>\r\n\
        --foobar--\r\nepilogue";

    fn kinds(parts: &[Part]) -> Vec<(&str, &[u8])> {
        parts.iter().map(|part| (part.kind.as_str(), part.body.as_ref())).collect()
    }

    #[test]
    fn the_body_of_a_recording_session_is_read() {
        for content_type in ["multipart/mixed;boundary=foobar", "multipart/mixed; Boundary=\"foobar\"; x=y"] {
            let parts = read(content_type, &Bytes::from_static(BODY)).unwrap();
            assert_eq!(kinds(&parts), [(SDP, &b"v=0\r\n"[..]), (METADATA, &b"<recording/>"[..])]);
        }
    }

    #[test]
    fn what_has_no_single_meaning_is_refused() {
        let read = |content_type: &str, body: &str| read(content_type, &Bytes::copy_from_slice(body.as_bytes()));
        let mixed = "multipart/mixed;boundary=b";
        assert_eq!(read("multipart/mixed", "--b--"), Err(Error::Boundary));
        assert_eq!(read("multipart/mixed;boundary=\"\"", "----"), Err(Error::Boundary));
        let long = format!("multipart/mixed;boundary={}", "b".repeat(BOUNDARY_MAX + 1));
        assert_eq!(read(&long, "--b--"), Err(Error::Boundary));
        assert_eq!(read(mixed, ""), Err(Error::Open));
        assert_eq!(read(mixed, "--b\r\nContent-Type: a/b\r\n\r\nhalf"), Err(Error::Open));
        assert_eq!(read(mixed, "--b\r\nno colon\r\n\r\n\r\n--b--"), Err(Error::Head));
        assert_eq!(read(mixed, "--b\r\nContent-Transfer-Encoding: base64\r\n\r\n\r\n--b--"), Err(Error::Head));
        assert_eq!(read(mixed, "--b--").unwrap(), []);
        let long_head = format!("--b\r\nX: {}\r\n\r\n\r\n--b--", "x".repeat(PART_HEAD_MAX));
        assert_eq!(read(mixed, &long_head), Err(Error::Limit));
        let at_most = "--b\r\n\r\nx\r\n".repeat(PARTS_MAX);
        assert_eq!(read(mixed, &format!("{at_most}--b--")).map(|parts| parts.len()), Ok(PARTS_MAX));
        assert_eq!(read(mixed, &format!("{at_most}--b\r\n\r\nx\r\n--b--")), Err(Error::Limit));
    }

    #[test]
    fn a_boundary_within_a_line_is_text() {
        let body = Bytes::from_static(b"--b\r\n\r\nsay --b and\r\n--bc\r\n--b--");
        let parts = read("multipart/mixed;boundary=b", &body).unwrap();
        assert_eq!(kinds(&parts), [("text/plain", &b"say --b and\r\n--bc"[..])]);
    }

    proptest! {
        #[test]
        fn what_is_written_is_what_is_read(bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..PARTS_MAX)) {
            let boundary = "a-boundary-that-no-part-holds-4711";
            let parts: Vec<(&[&str], &[u8])> =
                bodies.iter().map(|body| (&["Content-Type: application/x"][..], body.as_slice())).collect();
            let (content_type, body) = write(boundary, &parts);
            let again = read(&content_type, &body).unwrap();
            let expected: Vec<(&str, &[u8])> = bodies.iter().map(|body| ("application/x", body.as_slice())).collect();
            prop_assert_eq!(kinds(&again), expected);
        }

        #[test]
        fn no_bytes_make_the_reader_fail(body in prop::collection::vec(prop_oneof![
            Just(b"--b".to_vec()), Just(b"\r\n".to_vec()), Just(b"--".to_vec()), Just(b": ".to_vec()),
            Just(b"Content-Type: application/sdp".to_vec()), prop::collection::vec(any::<u8>(), 0..4),
        ], 0..40)) {
            let body = Bytes::from(body.concat());
            let parts = read("multipart/mixed;boundary=b", &body).unwrap_or_default();
            prop_assert!(parts.len() <= PARTS_MAX);
            prop_assert!(parts.iter().map(|part| part.body.len()).sum::<usize>() <= body.len());
        }
    }
}
