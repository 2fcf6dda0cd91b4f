//! Writing offers and answers. Nothing of the peer's text is repeated except the refused media lines RFC 3264 §6 wants
//! back, whose parts were read as plain words.

use std::{fmt::Write, net::SocketAddr};

use super::{Audio, Direction, TELEPHONE_EVENT};
use crate::plane::Codec;

/// Our offer: both G.711 laws and telephone-event. `id` stays the same for a leg, `version` grows with each body.
pub fn offer(local: SocketAddr, direction: Direction, id: u64, version: u64) -> String {
    let mut text = head(local, id, version);
    audio(&mut text, local, &[Codec::Pcma, Codec::Pcmu], Some(TELEPHONE_EVENT), direction);
    text
}

/// Our answer: one codec, theirs; other streams refused in their places.
pub fn answer(theirs: &Audio, local: SocketAddr, direction: Direction, id: u64, version: u64) -> String {
    let mut text = head(local, id, version);
    for line in theirs.others.iter().take(theirs.index) {
        let _ = write!(text, "{line}\r\n");
    }
    audio(&mut text, local, &[theirs.codec], theirs.telephone_event, direction);
    for line in theirs.others.iter().skip(theirs.index) {
        let _ = write!(text, "{line}\r\n");
    }
    text
}

fn head(local: SocketAddr, id: u64, version: u64) -> String {
    let family = if local.is_ipv4() { "IP4" } else { "IP6" };
    let ip = local.ip();
    format!("v=0\r\no=- {id} {version} IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\n")
}

fn audio(text: &mut String, local: SocketAddr, codecs: &[Codec], event: Option<u8>, direction: Direction) {
    let mut formats: Vec<String> = codecs.iter().map(|codec| codec.payload_type().to_string()).collect();
    formats.extend(event.map(|event| event.to_string()));
    let _ = write!(text, "m=audio {} RTP/AVP {}\r\n", local.port(), formats.join(" "));
    for codec in codecs {
        let name = match codec {
            Codec::Pcmu => "PCMU",
            Codec::Pcma => "PCMA",
        };
        let _ = write!(text, "a=rtpmap:{} {name}/8000\r\n", codec.payload_type());
    }
    if let Some(event) = event {
        let _ = write!(text, "a=rtpmap:{event} telephone-event/8000\r\na=fmtp:{event} 0-15\r\n");
    }
    let _ = write!(text, "a=ptime:20\r\na={}\r\n", direction.as_str());
}
