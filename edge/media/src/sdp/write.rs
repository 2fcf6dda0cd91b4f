//! Writing offers and answers. Nothing of the peer's text is repeated except the refused media lines RFC 3264 §6 wants
//! back, whose parts were read as plain words.

use std::{fmt::Write, net::SocketAddr};

use super::{Audio, Crypto, Direction, PREFERRED, Profile, Shown, TELEPHONE_EVENT};
use crate::plane::Codec;

/// What we say of ourselves.
#[derive(Debug, Clone, Copy)]
pub struct Ours<'a> {
    pub local: SocketAddr,
    pub direction: Direction,
    /// Stays the same for a leg; `version` grows with each body (RFC 8866 §5.2).
    pub id: u64,
    pub version: u64,
    /// Of an offer; an answer repeats theirs (RFC 3264 §6).
    pub profile: Profile,
    pub cryptos: &'a [Crypto],
    /// What is offered, in this order; none for all.
    pub codecs: &'a [Codec],
    /// Reports share the port.
    pub mux: bool,
    /// What we show for a handshake, and our name in a bundle where we offer one.
    pub shown: Option<&'a Shown>,
    pub bundle: Option<&'a str>,
}

impl Ours<'_> {
    /// In clear.
    pub fn clear(local: SocketAddr, direction: Direction, id: u64, version: u64) -> Self {
        Self {
            local,
            direction,
            id,
            version,
            profile: Profile::Avp,
            cryptos: &[],
            codecs: &[],
            mux: false,
            shown: None,
            bundle: None,
        }
    }
}

/// Our offer: all codecs, or those that are wanted, and telephone-event.
pub fn offer(ours: &Ours<'_>) -> String {
    let mut text = head(ours, ours.bundle);
    let codecs = if ours.codecs.is_empty() { &PREFERRED[..] } else { ours.codecs };
    let codecs: Vec<(Codec, u8)> = codecs.iter().map(|codec| (*codec, codec.payload_type())).collect();
    audio(&mut text, ours, ours.bundle, ours.profile, &codecs, Some(TELEPHONE_EVENT));
    text
}

/// Our answer: one codec, theirs; other streams refused in their places.
pub fn answer(theirs: &Audio, ours: &Ours<'_>) -> String {
    let bundled = theirs.bundled.as_deref();
    let mut text = head(ours, bundled);
    for line in theirs.others.iter().take(theirs.index) {
        let _ = write!(text, "{line}\r\n");
    }
    audio(&mut text, ours, bundled, theirs.profile, &[(theirs.codec, theirs.payload_type)], theirs.telephone_event);
    for line in theirs.others.iter().skip(theirs.index) {
        let _ = write!(text, "{line}\r\n");
    }
    text
}

fn head(ours: &Ours<'_>, bundled: Option<&str>) -> String {
    let family = if ours.local.is_ipv4() { "IP4" } else { "IP6" };
    let (ip, id, version) = (ours.local.ip(), ours.id, ours.version);
    let mut text = format!("v=0\r\no=- {id} {version} IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\n");
    if let Some(name) = bundled {
        let _ = write!(text, "a=group:BUNDLE {name}\r\n");
    }
    // RFC 8839 §5.3: we answer checks and make none.
    if ours.shown.is_some_and(|shown| shown.ice.is_some()) {
        text.push_str("a=ice-lite\r\n");
    }
    text
}

fn audio(
    text: &mut String,
    ours: &Ours<'_>,
    bundled: Option<&str>,
    profile: Profile,
    codecs: &[(Codec, u8)],
    event: Option<u8>,
) {
    let mut formats: Vec<String> = codecs.iter().map(|(_, number)| number.to_string()).collect();
    formats.extend(event.map(|event| event.to_string()));
    let _ = write!(text, "m=audio {} {} {}\r\n", ours.local.port(), profile.as_str(), formats.join(" "));
    for (codec, number) in codecs {
        let name = match codec {
            Codec::Pcmu => "PCMU/8000",
            Codec::Pcma => "PCMA/8000",
            // RFC 3551 §4.5.2: the clock of G.722 is told wrong for ever.
            Codec::G722 => "G722/8000",
            Codec::Opus => "opus/48000/2",
        };
        let _ = write!(text, "a=rtpmap:{number} {name}\r\n");
        if *codec == Codec::Opus {
            // RFC 7587 §6.1: we play one channel of 16 kHz, and want redundancy.
            let _ = write!(text, "a=fmtp:{number} maxplaybackrate=16000;stereo=0;useinbandfec=1\r\n");
        }
    }
    if let Some(event) = event {
        let _ = write!(text, "a=rtpmap:{event} telephone-event/8000\r\na=fmtp:{event} 0-15\r\n");
    }
    for crypto in ours.cryptos {
        let _ = write!(text, "a=crypto:{crypto}\r\n");
    }
    if let Some(name) = bundled {
        let _ = write!(text, "a=mid:{name}\r\n");
    }
    if let Some(shown) = ours.shown {
        handshake(text, ours.local, shown);
    }
    if ours.mux {
        text.push_str("a=rtcp-mux\r\n");
    }
    let _ = write!(text, "a=ptime:20\r\na={}\r\n", ours.direction.as_str());
}

/// One candidate: the port itself (RFC 8839 §5.1, priority of a host's only address).
fn handshake(text: &mut String, local: SocketAddr, shown: &Shown) {
    let _ = write!(text, "a=fingerprint:{}\r\na=setup:{}\r\n", shown.fingerprint, shown.setup.as_str());
    if let Some(ice) = &shown.ice {
        let (ip, port) = (local.ip(), local.port());
        let _ = write!(text, "a=ice-ufrag:{}\r\na=ice-pwd:{}\r\n", ice.user, ice.password);
        let _ = write!(text, "a=candidate:1 1 udp 2130706431 {ip} {port} typ host\r\na=end-of-candidates\r\n");
        // A stream's name, without which a browser's page finds the track in no stream.
        text.push_str("a=msid:branchline audio\r\n");
    }
}
