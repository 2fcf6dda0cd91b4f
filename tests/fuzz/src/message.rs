//! One SIP message, by datagram and by stream. What is let in is printed again, and read again as the same header list
//! by us and by a reader that knows nothing but lines (S-09); what is refused is answered by lines that are clean.

use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use sip::framing::{Frame, Framer};
use sip::front::{self, Carrier, Opened};
use sip::message::{Contacts, Head, Message};

const BYTES_MAX: usize = 65_535;
const SOURCE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7)), 1_024);

pub fn run(data: &[u8]) {
    let bytes = Bytes::copy_from_slice(data);
    let datagram = opened(&bytes, Carrier::Datagram);
    let frames = frames(&[&bytes]);
    if let Some(Frame::Message(message)) = frames.first() {
        let stream = opened(message, Carrier::Stream);
        // A stream asks for a length, and reads the same when there is one.
        if let (Opened::Message(datagram), Opened::Message(stream)) = (&datagram, &stream) {
            assert!(datagram == stream || bytes.len() > message.len(), "{datagram:?} {stream:?}");
        }
        if let Some((before, behind)) = bytes.split_at_checked(bytes.len() / 2) {
            assert_eq!(self::frames(&[before, behind]), frames);
        }
    }
}

fn opened(bytes: &Bytes, carrier: Carrier) -> Opened {
    let opened = front::open(bytes, carrier, BYTES_MAX);
    match &opened {
        Opened::Message(message) => {
            let printed = print(message);
            let lines = lines_of(&printed);
            assert_eq!(lines.len(), count(head(message)), "{lines:?}");
            let again = front::open(&printed, Carrier::Stream, BYTES_MAX.saturating_mul(4));
            assert_eq!(again, opened, "{:?}", String::from_utf8_lossy(&printed));
        }
        Opened::Refused(refusal) => {
            let answer = refusal.clone().reply(SOURCE, "tag", "Branchline");
            answer.iter().for_each(|(_, bytes)| assert!(!lines_of(bytes).is_empty()));
        }
        Opened::Dropped { .. } | Opened::KeepAlive => {}
    }
    opened
}

/// The header lines as a reader finds them that knows only line ends; they hold no control character.
pub fn lines_of(bytes: &[u8]) -> Vec<&str> {
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").expect("a head ends");
    let head = bytes.get(..end).and_then(|head| std::str::from_utf8(head).ok()).expect("a head is UTF-8");
    let lines: Vec<&str> = head.split("\r\n").collect();
    for line in lines.iter().skip(1) {
        let (name, _) = line.split_once(':').expect("a line has a name");
        assert!(sip::lex::is_token(name), "{line:?}");
    }
    assert!(lines.iter().all(|line| sip::lex::is_clean(line)), "{lines:?}");
    let lengths = lines.iter().filter_map(|line| line.strip_prefix("Content-Length: "));
    let body = bytes.len().saturating_sub(end).saturating_sub(4);
    assert_eq!(lengths.map(str::parse).collect::<Vec<_>>(), [Ok(body)]);
    lines.into_iter().skip(1).collect()
}

fn print(message: &Message) -> Bytes {
    match message {
        Message::Request(request) => request.to_bytes(),
        Message::Response(response) => response.to_bytes(),
    }
}

fn head(message: &Message) -> &Head {
    match message {
        Message::Request(request) => &request.head,
        Message::Response(response) => &response.head,
    }
}

/// From, To, Call-ID, CSeq and Content-Length, and those that are not always there.
fn count(head: &Head) -> usize {
    let contacts = match &head.contacts {
        Contacts::None => 0,
        Contacts::Star => 1,
        Contacts::List(list) => list.len(),
    };
    let single = usize::from(head.max_forwards.is_some()).wrapping_add(usize::from(head.content_type.is_some()));
    [5, single, contacts, head.via.len(), head.route.len(), head.record_route.len(), head.fields.len()].iter().sum()
}

fn frames(pieces: &[&[u8]]) -> Vec<Frame> {
    let mut framer = Framer::new(BYTES_MAX);
    let mut frames = Vec::new();
    for piece in pieces {
        framer.push(piece);
        frames.extend(std::iter::from_fn(|| framer.poll()));
    }
    frames
}
