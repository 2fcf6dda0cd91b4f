//! SDP as the lab needs it: offers with an odd line on purpose, and a reader that shows everything a device wrote.
//! The strict reader of the box is `media::sdp`; what it refuses is a finding.

use std::net::{IpAddr, SocketAddr};

pub const PCMU: u8 = 0;
pub const PCMA: u8 = 8;
/// RFC 3389.
pub const COMFORT_NOISE: u8 = 13;
pub const TELEPHONE_EVENT: u8 = 101;
/// Lines of one body that are looked at.
pub const LINES_MAX: usize = 400;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    #[default]
    SendRecv,
    SendOnly,
    RecvOnly,
    Inactive,
}

impl Direction {
    pub fn word(self) -> &'static str {
        match self {
            Direction::SendRecv => "sendrecv",
            Direction::SendOnly => "sendonly",
            Direction::RecvOnly => "recvonly",
            Direction::Inactive => "inactive",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::SendRecv, Self::SendOnly, Self::RecvOnly, Self::Inactive].into_iter().find(|one| one.word() == word)
    }
}

/// What we write.
#[derive(Debug, Clone)]
pub struct Written {
    pub address: SocketAddr,
    pub direction: Direction,
    pub profile: &'static str,
    /// Payload types of the audio line.
    pub formats: Vec<u8>,
    /// Grows with each body of a session.
    pub version: u32,
    /// RFC 2543's hold: `c=0.0.0.0`.
    pub zero: bool,
    /// Lines after the audio stream, such as a second stream.
    pub more: Vec<String>,
}

impl Written {
    pub fn offer(address: SocketAddr) -> Self {
        Self {
            address,
            direction: Direction::SendRecv,
            profile: "RTP/AVP",
            formats: vec![PCMA, PCMU, COMFORT_NOISE, TELEPHONE_EVENT],
            version: 1,
            zero: false,
            more: Vec::new(),
        }
    }

    pub fn direction(mut self, direction: Direction) -> Self {
        self.direction = direction;
        self
    }

    pub fn version(mut self, version: u32) -> Self {
        self.version = version;
        self
    }

    /// RFC 3264 §6: an answer to `theirs` with the formats both know.
    pub fn answer(theirs: &Sdp, address: SocketAddr) -> Self {
        let known = |format: &&Format| matches!(format.name.as_str(), "pcma" | "pcmu" | "telephone-event");
        let formats = theirs.audio().map(|audio| audio.formats.iter().filter(known).map(|one| one.payload).collect());
        Self { formats: formats.unwrap_or_default(), ..Self::offer(address) }
    }

    pub fn render(&self) -> String {
        let family = if self.address.is_ipv4() { "IP4" } else { "IP6" };
        let ip = self.address.ip();
        let connection = if self.zero { "0.0.0.0".to_string() } else { ip.to_string() };
        let mut text = format!(
            "v=0\r\no=- 4711 {} IN {family} {ip}\r\ns=-\r\nc=IN {family} {connection}\r\nt=0 0\r\n",
            self.version
        );
        let formats: Vec<String> = self.formats.iter().map(ToString::to_string).collect();
        text.push_str(&format!("m=audio {} {} {}\r\n", self.address.port(), self.profile, formats.join(" ")));
        for format in &self.formats {
            match *format {
                PCMU => text.push_str("a=rtpmap:0 PCMU/8000\r\n"),
                PCMA => text.push_str("a=rtpmap:8 PCMA/8000\r\n"),
                COMFORT_NOISE => text.push_str("a=rtpmap:13 CN/8000\r\n"),
                98 => text.push_str("a=rtpmap:98 X-LAB/8000\r\n"),
                event => {
                    text.push_str(&format!("a=rtpmap:{event} telephone-event/8000\r\na=fmtp:{event} 0-15\r\n"));
                }
            }
        }
        text.push_str(&format!("a=ptime:20\r\na={}\r\n", self.direction.word()));
        for line in &self.more {
            text.push_str(&format!("{line}\r\n"));
        }
        text
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format {
    pub payload: u8,
    /// Lower case; RFC 3551's name for static types without a map.
    pub name: String,
    pub rate: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    pub kind: String,
    pub port: u16,
    pub profile: String,
    pub connection: Option<IpAddr>,
    pub direction: Direction,
    pub formats: Vec<Format>,
    pub ptime_ms: Option<u32>,
}

impl Stream {
    pub fn payload_of(&self, name: &str) -> Option<u8> {
        self.formats.iter().find(|format| format.name == name).map(|format| format.payload)
    }

    pub fn names(&self) -> String {
        let names: Vec<String> = self.formats.iter().map(|one| format!("{}/{}", one.name, one.rate)).collect();
        names.join(", ")
    }
}

/// What they wrote.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sdp {
    pub streams: Vec<Stream>,
    /// The version of `o=`.
    pub version: Option<u64>,
    /// The box's own reader takes it.
    pub strict: bool,
}

impl Sdp {
    pub fn read(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?;
        if !text.trim_start().starts_with("v=") {
            return None;
        }
        let strict = media::sdp::parse(body).is_ok();
        let mut sdp = Sdp { strict, ..Sdp::default() };
        let (mut connection, mut direction) = (None, Direction::SendRecv);
        for line in text.lines().take(LINES_MAX) {
            let Some((kind, value)) = line.trim().split_once('=') else { continue };
            match (kind, sdp.streams.last_mut()) {
                ("o", _) => sdp.version = value.split_whitespace().nth(2).and_then(|version| version.parse().ok()),
                ("c", None) => connection = address(value),
                ("c", Some(stream)) => stream.connection = address(value),
                ("m", _) => sdp.streams.extend(stream(value, connection, direction)),
                ("a", None) => direction = Direction::parse(value).unwrap_or(direction),
                ("a", Some(stream)) => stream.attribute(value),
                _ => {}
            }
        }
        Some(sdp)
    }

    pub fn audio(&self) -> Option<&Stream> {
        self.streams.iter().find(|stream| stream.kind == "audio")
    }

    /// Where audio goes; None on hold by address or with port 0.
    pub fn target(&self) -> Option<SocketAddr> {
        let audio = self.audio()?;
        let ip = audio.connection.filter(|ip| !ip.is_unspecified())?;
        (audio.port != 0).then_some(SocketAddr::new(ip, audio.port))
    }
}

impl Stream {
    fn attribute(&mut self, value: &str) {
        if let Some(direction) = Direction::parse(value) {
            self.direction = direction;
        } else if let Some(ms) = value.strip_prefix("ptime:") {
            self.ptime_ms = ms.trim().parse().ok();
        } else if let Some((payload, encoding)) = value.strip_prefix("rtpmap:").and_then(|map| map.split_once(' ')) {
            let Ok(payload) = payload.trim().parse::<u8>() else { return };
            let mut parts = encoding.trim().split('/');
            let name = parts.next().unwrap_or_default().to_ascii_lowercase();
            let rate = parts.next().and_then(|rate| rate.parse().ok()).unwrap_or(0);
            if let Some(format) = self.formats.iter_mut().find(|format| format.payload == payload) {
                (format.name, format.rate) = (name, rate);
            }
        }
    }
}

fn address(value: &str) -> Option<IpAddr> {
    value.split_whitespace().nth(2)?.split('/').next()?.parse().ok()
}

fn stream(value: &str, connection: Option<IpAddr>, direction: Direction) -> Option<Stream> {
    let mut words = value.split_whitespace();
    let (kind, port, profile) = (words.next()?, words.next()?, words.next()?);
    let port = port.split('/').next()?.parse().ok()?;
    let formats = words.take(64).filter_map(|word| word.parse().ok()).map(|payload| Format {
        payload,
        name: static_name(payload).to_string(),
        rate: 8_000,
    });
    Some(Stream {
        kind: kind.to_string(),
        port,
        profile: profile.to_string(),
        connection,
        direction,
        formats: formats.collect(),
        ptime_ms: None,
    })
}

/// RFC 3551 §6.
fn static_name(payload: u8) -> &'static str {
    match payload {
        0 => "pcmu",
        3 => "gsm",
        4 => "g723",
        8 => "pcma",
        9 => "g722",
        13 => "cn",
        18 => "g729",
        _ => "?",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let address: SocketAddr = "192.0.2.1:4000".parse().expect("an address");
        let mut written = Written::offer(address).direction(Direction::SendOnly).version(3);
        written.more.push("m=video 0 RTP/AVP 31".into());
        let read = Sdp::read(written.render().as_bytes()).expect("SDP");
        assert_eq!(read.target(), Some(address));
        assert_eq!(read.version, Some(3));
        assert_eq!(read.streams.len(), 2);
        let audio = read.audio().expect("audio");
        assert_eq!((audio.direction, audio.ptime_ms), (Direction::SendOnly, Some(20)));
        assert_eq!(audio.payload_of("telephone-event"), Some(TELEPHONE_EVENT));
        written.zero = true;
        assert_eq!(Sdp::read(written.render().as_bytes()).expect("SDP").target(), None);
        assert_eq!(Sdp::read(b"hello"), None);
    }
}
