//! What the two kinds of people at the end of a line have in common: a SIP endpoint of their own, a place for audio, and
//! the words of SDP.

use std::net::SocketAddr;

use bytes::Bytes;
use sip::endpoint::{self, Endpoint, Flow, Transport, TrunkRegistration};

use crate::town::{PASSWORD, Side};

/// The name that every party's endpoint has for the branch's box.
pub const BOX: &str = "box";

/// The endpoint of a phone (which registers) or of a carrier.
pub fn endpoint(side: Side, addr: SocketAddr, phone: Option<&str>, seed: [u8; 32]) -> Endpoint {
    let registration = phone.map(|user| TrunkRegistration {
        user: user.into(),
        domain: side.domain(),
        password: PASSWORD.into(),
        expires_s: 3_600,
    });
    let to_box = endpoint::Trunk {
        peer: side.box_addr(),
        transport: Transport::Udp,
        registration,
        options_every_s: 0,
        rules: Default::default(),
    };
    let config = endpoint::Config {
        domain: addr.ip().to_string(),
        local: vec![addr],
        trunks: [(BOX.to_owned(), to_box)].into(),
        product: "Party".into(),
        ..Default::default()
    };
    Endpoint::new(config, seed)
}

/// A datagram as the receiving endpoint sees it.
pub fn received(from: SocketAddr, to: SocketAddr, bytes: Bytes) -> endpoint::Input {
    let flow = Flow { transport: Transport::Udp, local: to, remote: from, connection: 0 };
    endpoint::Input::Received { flow, bytes }
}

/// G.711 and keys, at this address; in answer to an offer that holds us, the hold.
pub fn sdp(rtp: SocketAddr, offer: Option<&Bytes>) -> Bytes {
    let asked = |what: &str| offer.is_some_and(|offer| String::from_utf8_lossy(offer).contains(what));
    let direction = match () {
        () if asked("a=sendonly") => "recvonly",
        () if asked("a=inactive") => "inactive",
        () if asked("a=recvonly") => "sendonly",
        () => "sendrecv",
    };
    let (ip, port) = (rtp.ip(), rtp.port());
    Bytes::from(format!(
        "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 8 101\r\n\
         a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na={direction}\r\n"
    ))
}

/// Where the other end of this SDP wants its audio.
pub fn audio_of(sdp: &[u8]) -> Option<SocketAddr> {
    let text = std::str::from_utf8(sdp).ok()?;
    let word = |begins: &str, nth: usize| {
        let line = text.lines().find(|line| line.starts_with(begins))?;
        line.split_whitespace().nth(nth)
    };
    let (ip, port) = (word("c=IN IP4", 2)?, word("m=audio", 1)?);
    format!("{ip}:{port}").parse().ok()
}
