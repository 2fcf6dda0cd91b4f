//! Bodies with several audio streams, as recording sessions have them (RFC 7866 §8.1.1, RFC 4574): each stream is cut out
//! as a body of its own, and bodies of our own are put together into one. What a single stream means is not read here.

use std::fmt::Write;

use super::{BYTES_MAX, Direction, Error, LINES_MAX, MEDIA_MAX, parse};

/// Longest label of a stream, in bytes.
pub const LABEL_MAX: usize = 64;

/// One media line of theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// `a=label` (RFC 4574): by which metadata names it.
    pub label: Option<String>,
    /// An audio line that is not refused (port 0).
    pub live: bool,
    /// A body with this line alone.
    pub text: String,
    /// How it is refused (RFC 3264 §6).
    pub refusal: String,
}

/// A stream of ours.
#[derive(Debug, Clone, Copy)]
pub enum Ours<'a> {
    /// A body with one media line, the label it gets, and its direction where that is not as written.
    Stream { text: &'a str, label: Option<&'a str>, direction: Option<Direction> },
    /// A line of theirs that is not taken.
    Refused(&'a str),
}

/// Cuts a body into its streams, in their order.
pub fn split(body: &[u8]) -> Result<Vec<Stream>, Error> {
    parse(body)?;
    if body.len() > BYTES_MAX {
        return Err(Error::TooLarge);
    }
    let text = std::str::from_utf8(body).map_err(|_| Error::Syntax { line: 0 })?;
    let (mut head, mut streams): (String, Vec<Stream>) = (String::new(), Vec::new());
    for line in text.lines().take(LINES_MAX).filter(|line| !line.is_empty()) {
        if let Some(words) = line.strip_prefix("m=") {
            if streams.len() >= MEDIA_MAX {
                return Err(Error::TooLarge);
            }
            streams.push(begin(words, &head).ok_or(Error::Syntax { line: 0 })?);
        }
        let text = match streams.last_mut() {
            Some(stream) => {
                let label = line.strip_prefix("a=label:").map(str::trim).filter(|label| is_label(label));
                if let Some(label) = label {
                    stream.label.get_or_insert_with(|| label.to_owned());
                }
                &mut stream.text
            }
            None => &mut head,
        };
        text.push_str(line);
        text.push_str("\r\n");
    }
    Ok(streams)
}

fn begin(words: &str, head: &str) -> Option<Stream> {
    let mut parts = words.split_whitespace();
    let (kind, port, profile) = (parts.next()?, parts.next()?, parts.next()?);
    let formats: Vec<&str> = parts.collect();
    let live = kind == "audio" && port.split('/').next()? != "0";
    let refusal = format!("m={kind} 0 {profile} {}", formats.join(" "));
    Some(Stream { label: None, live, text: head.to_owned(), refusal })
}

/// A token (RFC 4574 §4), as far as it can be said again.
fn is_label(label: &str) -> bool {
    (1..=LABEL_MAX).contains(&label.len()) && label.bytes().all(|byte| byte.is_ascii_graphic())
}

/// One body of these streams, in their order; what stands above the first one's media line stands above all. None
/// without a stream that is taken.
pub fn merge(streams: &[Ours<'_>]) -> Option<String> {
    let taken = streams.iter().find_map(|stream| match stream {
        Ours::Stream { text, .. } => Some(*text),
        Ours::Refused(_) => None,
    })?;
    let (head, _) = cut(taken);
    let connection = connection_of(head);
    let mut merged = head.to_owned();
    for stream in streams {
        match stream {
            Ours::Refused(line) => {
                let _ = write!(merged, "{line}\r\n");
            }
            Ours::Stream { text, label, direction } => {
                let (own, media) = cut(text);
                for (at, line) in media.lines().enumerate() {
                    let said = direction.filter(|_| is_direction(line));
                    let _ = match said {
                        Some(direction) => write!(merged, "a={}\r\n", direction.as_str()),
                        None => write!(merged, "{line}\r\n"),
                    };
                    let own = connection_of(own).filter(|own| at == 0 && Some(*own) != connection);
                    if let Some(own) = own {
                        let _ = write!(merged, "{own}\r\n");
                    }
                }
                if let Some(label) = label {
                    let _ = write!(merged, "a=label:{label}\r\n");
                }
            }
        }
    }
    Some(merged)
}

/// What stands above the first media line, and the rest.
fn cut(text: &str) -> (&str, &str) {
    let at = text.find("\r\nm=").map_or(text.len(), |at| at.saturating_add(2));
    text.split_at_checked(at).unwrap_or((text, ""))
}

fn connection_of(head: &str) -> Option<&str> {
    head.lines().find(|line| line.starts_with("c="))
}

fn is_direction(line: &str) -> bool {
    matches!(line, "a=sendrecv" | "a=sendonly" | "a=recvonly" | "a=inactive")
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use proptest::prelude::*;

    use super::super::{Ours as Said, offer};
    use super::*;

    /// RFC 7866 §8.1.1's offer, with a video stream.
    const OFFER: &str = "v=0\r\no=SRC 2890844526 2890844526 IN IP4 198.51.100.1\r\ns=-\r\nc=IN IP4 198.51.100.1\r\n\
        t=0 0\r\nm=audio 12240 RTP/AVP 0 4 8\r\na=sendonly\r\na=label:1\r\nm=video 22456 RTP/AVP 98\r\n\
        a=rtpmap:98 H264/90000\r\na=sendonly\r\na=label:2\r\nm=audio 12242 RTP/AVP 0 4 8\r\na=sendonly\r\na=label:3\r\n";

    fn local(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], port))
    }

    #[test]
    fn each_stream_is_a_body_of_its_own() {
        let streams = split(OFFER.as_bytes()).unwrap();
        let seen: Vec<_> = streams.iter().map(|one| (one.label.as_deref(), one.live)).collect();
        assert_eq!(seen, [(Some("1"), true), (Some("2"), false), (Some("3"), true)]);
        assert_eq!(streams[1].refusal, "m=video 0 RTP/AVP 98");
        let last = parse(streams[2].text.as_bytes()).unwrap().audio().unwrap();
        assert_eq!((last.direction, last.addr), (Direction::SendOnly, Some("198.51.100.1:12242".parse().unwrap())));
    }

    #[test]
    fn an_answer_keeps_the_order_and_the_labels() {
        let theirs = split(OFFER.as_bytes()).unwrap();
        let ours: Vec<String> =
            (0..2).map(|n| offer(&Said::clear(local(30_000 + 2 * n), Direction::RecvOnly, 7, 1))).collect();
        let stream = |at: usize| Ours::Stream { text: &ours[at], label: None, direction: None };
        let answer = merge(&[stream(0), Ours::Refused(&theirs[1].refusal), stream(1)]).unwrap();
        let lines: Vec<&str> = answer.lines().filter(|line| line.starts_with("m=")).collect();
        assert_eq!(
            lines,
            ["m=audio 30000 RTP/AVP 8 0 9 111 101", "m=video 0 RTP/AVP 98", "m=audio 30002 RTP/AVP 8 0 9 111 101"]
        );
        assert_eq!(answer.matches("a=recvonly").count(), 2);
        assert_eq!(answer.matches("c=IN IP4").count(), 1);
        assert_eq!(merge(&[Ours::Refused("m=video 0 RTP/AVP 98")]), None);
    }

    #[test]
    fn a_stream_may_say_another_direction_than_its_body() {
        let text = offer(&Said::clear(local(30_000), Direction::SendOnly, 7, 1));
        let one = Ours::Stream { text: &text, label: Some("9"), direction: Some(Direction::Inactive) };
        let merged = merge(&[one]).unwrap();
        let again = split(merged.as_bytes()).unwrap();
        assert_eq!((again.len(), again[0].label.as_deref()), (1, Some("9")));
        let audio = parse(again[0].text.as_bytes()).unwrap().audio().unwrap();
        assert_eq!(audio.direction, Direction::Inactive);
    }

    #[test]
    fn a_stream_too_many_is_refused() {
        let line = "m=audio 4000 RTP/AVP 0\r\n";
        let body = |count: usize| format!("v=0\r\nc=IN IP4 192.0.2.7\r\n{}", line.repeat(count));
        assert_eq!(split(body(MEDIA_MAX).as_bytes()).map(|streams| streams.len()), Ok(MEDIA_MAX));
        assert_eq!(split(body(MEDIA_MAX + 1).as_bytes()), Err(Error::TooLarge));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_cutting_fail(lines in prop::collection::vec(prop_oneof![
            Just("v=0".to_owned()), Just("m=audio 4000 RTP/AVP 0".to_owned()), Just("a=label:7".to_owned()),
            Just("c=IN IP4 192.0.2.7".to_owned()), "m=\\PC{0,12}", "\\PC{0,8}",
        ], 0..20)) {
            if let Ok(streams) = split(lines.join("\r\n").as_bytes()) {
                for stream in streams {
                    // Each is a body of its own.
                    prop_assert!(parse(stream.text.as_bytes()).is_ok());
                }
            }
        }
    }
}
