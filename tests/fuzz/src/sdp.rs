//! One SDP body. What is read as an audio stream is answered: the answer is read again, refuses the other streams in
//! their places, and sends nothing where policy forbids (S-14).

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use media::plane::{Remote, Security};
use media::sdp::{self, Audio, Direction, Ours};

const LOCAL: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 40_000);

pub fn run(data: &[u8]) {
    let Ok(session) = sdp::parse(data) else { return };
    let Ok(audio) = session.audio() else { return };
    if let Some(Remote { addr, .. }) = audio.remote(false, false, Security::Clear) {
        assert!(!addr.ip().is_multicast() && addr.ip() != IpAddr::V4(Ipv4Addr::BROADCAST), "{addr}");
    }
    let answer = sdp::answer(&audio, &ours(&audio));
    check(&answer);
    let again = sdp::parse(answer.as_bytes()).and_then(sdp::Session::audio);
    let again = again.unwrap_or_else(|error| panic!("{error}: {answer}"));
    assert_eq!((again.codec(), again.profile, again.mux), (audio.codec(), audio.profile, audio.mux), "{answer}");
    assert_eq!(again.bundle(), audio.bundle(), "{answer}");
    // Their order of streams is kept (RFC 3264 §6).
    let text = String::from_utf8_lossy(data);
    assert_eq!(kinds(&answer), kinds(&text), "{answer}");
}

fn ours(audio: &Audio) -> Ours<'_> {
    let shown = audio.shown.as_ref().filter(|_| audio.profile.is_handshake());
    let cryptos = &audio.cryptos;
    Ours { profile: audio.profile, cryptos, mux: audio.mux, shown, ..Ours::clear(LOCAL, Direction::SendRecv, 1, 1) }
}

/// Every line is `x=…`, ended by CRLF, without a control character.
fn check(text: &str) {
    let lines = text.strip_suffix("\r\n").expect("the last line ends").split("\r\n");
    for line in lines {
        let (kind, value) = line.split_once('=').expect("a line has a kind");
        assert!(kind.len() == 1 && !value.contains(char::is_control), "{line:?}");
    }
}

fn kinds(text: &str) -> Vec<&str> {
    let media = text.lines().filter_map(|line| line.strip_prefix("m="));
    media.filter_map(|value| value.split_whitespace().next()).collect()
}
