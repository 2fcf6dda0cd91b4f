//! How a message comes to the box, and what is heard of it. Silence is known by the answer to what was asked behind it;
//! that a stream waits, by the reply that comes when the rest is there.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use anyhow::{Context, bail};
use conformance::torture::Reply;
use harness::company::PHONE_PASSWORD;
use sip::auth::Algorithm;
use sip::front::{self, Carrier, Opened};
use sip::message::Message;
use tungstenite::client::IntoClientRequest;

use crate::house::{BOX, BOX_WS, DOMAIN, House, STRANGER, TRUNK, is_of_phones};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Datagram,
    OneWrite,
    ByteByByte,
    WebSocket,
}

impl Way {
    pub const ALL: [Self; 4] = [Self::Datagram, Self::OneWrite, Self::ByteByByte, Self::WebSocket];

    pub fn is_stream(self) -> bool {
        matches!(self, Self::OneWrite | Self::ByteByByte)
    }
}

pub struct Heard {
    pub reply: Reply,
    /// The first line of the reply.
    pub line: Option<String>,
}

const PATIENCE: Duration = Duration::from_secs(5);
/// For what must not come before the rest is there.
const GLANCE: Duration = Duration::from_millis(100);
const PROBE: &str = "torture-probe";

/// Says it as a stranger, or as a trunk; a phone's request is said again with a proof of its password.
pub fn ask(_house: &House, way: Way, known: bool, bytes: &[u8], expected: Reply) -> anyhow::Result<Heard> {
    let from_trunk = known && !is_of_phones(bytes);
    let first = say(way, from_trunk, bytes, if known && !from_trunk { Reply::Status(401) } else { expected })?;
    let Some(nonce) = first.text.as_deref().filter(|_| known && !from_trunk).and_then(nonce) else {
        return Ok(first.heard());
    };
    match proved(bytes, &nonce) {
        Some(proved) => Ok(say(way, false, &proved, expected)?.heard()),
        None => Ok(first.heard()),
    }
}

struct Said {
    reply: Reply,
    text: Option<String>,
}

impl Said {
    fn heard(self) -> Heard {
        Heard { reply: self.reply, line: self.text.and_then(|text| text.lines().next().map(str::to_string)) }
    }
}

fn say(way: Way, from_trunk: bool, bytes: &[u8], expected: Reply) -> anyhow::Result<Said> {
    let mut line = Line::open(way, from_trunk)?;
    line.write(bytes)?;
    if expected == Reply::Waits {
        if let Some(text) = line.read(GLANCE)? {
            return said(text);
        }
        line.write(&vec![b'x'; 10_000])?;
        let text = line.read(PATIENCE)?.context("the stream did not wait: it is deaf")?;
        return Ok(Said { reply: Reply::Waits, text: Some(text) });
    }
    if expected == Reply::Silence {
        line.write(probe(way).as_bytes())?;
    }
    let text = line.read(PATIENCE)?.context("nothing, not even of what was asked behind it")?;
    if text.contains(PROBE) { Ok(Said { reply: Reply::Silence, text: None }) } else { said(text) }
}

fn said(text: String) -> anyhow::Result<Said> {
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
    let Some(status) = status.filter(|_| text.starts_with("SIP/2.0 ")) else { bail!("no reply: {text:?}") };
    Ok(Said { reply: Reply::Status(status), text: Some(text) })
}

fn probe(way: Way) -> String {
    let via = match way {
        Way::Datagram => "UDP",
        Way::OneWrite | Way::ByteByByte => "TCP",
        Way::WebSocket => "WS",
    };
    format!(
        "OPTIONS sip:{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/{via} probe.invalid;branch=z9hG4bKprobe\r\nMax-Forwards: 70\r\n\
         From: <sip:probe@probe.invalid>;tag=1\r\nTo: <sip:{DOMAIN}>\r\nCall-ID: {PROBE}\r\nCSeq: 1 OPTIONS\r\n\
         Content-Length: 0\r\n\r\n"
    )
}

enum Line {
    Udp(UdpSocket),
    Tcp { stream: TcpStream, pieces: usize, buffer: Vec<u8> },
    WebSocket(Box<tungstenite::WebSocket<TcpStream>>),
}

impl Line {
    fn open(way: Way, from_trunk: bool) -> anyhow::Result<Self> {
        let from = if from_trunk { TRUNK.ip() } else { STRANGER };
        Ok(match way {
            Way::Datagram => {
                let socket = UdpSocket::bind(if from_trunk { TRUNK } else { SocketAddr::new(from, 0) })?;
                socket.connect(BOX)?;
                Self::Udp(socket)
            }
            Way::OneWrite | Way::ByteByByte => {
                let pieces = if way == Way::OneWrite { usize::MAX } else { 1 };
                Self::Tcp { stream: connect(from, BOX)?, pieces, buffer: Vec::new() }
            }
            Way::WebSocket => {
                let mut request = format!("ws://{BOX_WS}/").into_client_request()?;
                request
                    .headers_mut()
                    .insert("Sec-WebSocket-Protocol", tungstenite::http::HeaderValue::from_static("sip"));
                let (socket, _) =
                    tungstenite::client(request, connect(from, BOX_WS)?).map_err(|e| anyhow::anyhow!("{e}"))?;
                Self::WebSocket(Box::new(socket))
            }
        })
    }

    fn write(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        match self {
            Self::Udp(socket) => drop(socket.send(bytes)?),
            Self::Tcp { stream, pieces, .. } => {
                for piece in bytes.chunks((*pieces).min(bytes.len()).max(1)) {
                    // The box may have closed behind its reply to the head.
                    match stream.write_all(piece) {
                        Err(error) if !matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => {
                            return Err(error.into());
                        }
                        _ => {}
                    }
                }
            }
            Self::WebSocket(socket) => socket.send(tungstenite::Message::Binary(bytes.to_vec().into()))?,
        }
        Ok(())
    }

    /// The first message that comes; None when none came in time, or the line is closed.
    fn read(&mut self, patience: Duration) -> anyhow::Result<Option<String>> {
        let late = |error: &std::io::Error| matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
        let mut piece = vec![0; 65_535];
        match self {
            Self::Udp(socket) => {
                socket.set_read_timeout(Some(patience))?;
                match socket.recv(&mut piece) {
                    Ok(count) => Ok(Some(String::from_utf8_lossy(piece.get(..count).unwrap_or_default()).into_owned())),
                    Err(error) if late(&error) => Ok(None),
                    Err(error) => Err(error.into()),
                }
            }
            Self::Tcp { stream, buffer, .. } => {
                stream.set_read_timeout(Some(patience))?;
                while !buffer.windows(4).any(|window| window == b"\r\n\r\n") {
                    match stream.read(&mut piece) {
                        Ok(0) => return Ok(None),
                        Ok(count) => buffer.extend_from_slice(piece.get(..count).unwrap_or_default()),
                        Err(error) if late(&error) => return Ok(None),
                        Err(error) => return Err(error.into()),
                    }
                }
                Ok(Some(String::from_utf8_lossy(&std::mem::take(buffer)).into_owned()))
            }
            Self::WebSocket(socket) => {
                socket.get_ref().set_read_timeout(Some(patience))?;
                loop {
                    match socket.read()? {
                        tungstenite::Message::Ping(_) | tungstenite::Message::Pong(_) => {}
                        message => return Ok(Some(message.into_text()?.to_string())),
                    }
                }
            }
        }
    }
}

fn connect(from: IpAddr, to: &str) -> anyhow::Result<TcpStream> {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
    socket.bind(&SocketAddr::new(from, 0).into())?;
    socket.connect(&to.parse::<SocketAddr>()?.into())?;
    socket.set_tcp_nodelay(true)?;
    Ok(socket.into())
}

fn nonce(challenge: &str) -> Option<String> {
    Some(challenge.split("nonce=\"").nth(1)?.split('"').next()?.to_string())
}

/// The request with the proof of its sender's password (RFC 7616 §3.4.1); None when it brings credentials of its own, or
/// has no sender.
fn proved(bytes: &[u8], nonce: &str) -> Option<Vec<u8>> {
    let opened = front::open(&bytes::Bytes::copy_from_slice(bytes), Carrier::Datagram, 65_535);
    let Opened::Message(message) = opened else { return None };
    let Message::Request(request) = *message else { return None };
    let user = request.head.from.uri.user().filter(|_| request.head.field("Authorization").is_none())?;
    let sha = |parts: &[&str]| Algorithm::Sha256.hash(parts);
    let (uri, method) = (request.uri.to_string(), request.method().to_string());
    let (ha1, ha2) = (sha(&[&user, DOMAIN, PHONE_PASSWORD]), sha(&[&method, &uri]));
    let response = sha(&[&ha1, nonce, "00000001", "c", "auth", &ha2]);
    let proof = format!(
        "Authorization: Digest username=\"{user}\", realm=\"{DOMAIN}\", nonce=\"{nonce}\", uri=\"{uri}\", \
         response=\"{response}\", algorithm=SHA-256, cnonce=\"c\", qop=auth, nc=00000001\r\n"
    );
    let at = bytes.windows(2).position(|window| window == b"\r\n")?.checked_add(2)?;
    let (start, rest) = bytes.split_at_checked(at)?;
    Some([start, proof.as_bytes(), rest].concat())
}
