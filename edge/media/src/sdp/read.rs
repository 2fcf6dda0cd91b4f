//! Reading: line by line, once; what is not understood is passed over, what is wrong is refused.

use std::net::{IpAddr, SocketAddr};

use super::{
    Audio, BYTES_MAX, CRYPTOS_MAX, Credentials, Crypto, Direction, Error, LINES_MAX, MEDIA_MAX, Profile, Setup, Shown,
    forbidden,
};
use crate::{dtls::Fingerprint, plane::Codec};

/// A body that is SDP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    connection: Option<IpAddr>,
    direction: Direction,
    /// What stands above all media lines and counts for each that does not say it itself.
    common: Handshake,
    /// The names in the first bundle.
    bundle: Vec<String>,
    media: Vec<Media>,
}

/// The attributes of a handshake, as far as they were read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Handshake {
    fingerprint: Option<Fingerprint>,
    setup: Option<Setup>,
    user: Option<String>,
    password: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Media {
    kind: String,
    port: u16,
    profile: String,
    formats: Vec<String>,
    connection: Option<IpAddr>,
    direction: Option<Direction>,
    /// (payload type, encoding name in lower case, clock rate)
    maps: Vec<(u8, String, u32)>,
    cryptos: Vec<Crypto>,
    mux: bool,
    wants_xr: bool,
    name: Option<String>,
    handshake: Handshake,
}

/// Parses a whole body.
pub fn parse(body: &[u8]) -> Result<Session, Error> {
    if body.len() > BYTES_MAX {
        return Err(Error::TooLarge);
    }
    let text = std::str::from_utf8(body).map_err(|_| Error::Syntax { line: 0 })?;
    let mut session = Session {
        connection: None,
        direction: Direction::SendRecv,
        common: Handshake::default(),
        bundle: Vec::new(),
        media: Vec::new(),
    };
    let mut versions = 0;
    for (at, line) in text.lines().enumerate() {
        if at >= LINES_MAX {
            return Err(Error::TooLarge);
        }
        if line.is_empty() {
            continue;
        }
        let wrong = || Error::Syntax { line: at + 1 };
        let (kind, value) = line.split_once('=').ok_or_else(wrong)?;
        if at == 0 && (kind != "v" || value.trim() != "0") {
            return Err(wrong());
        }
        match kind {
            "v" => versions += 1,
            "c" => session.set_connection(value).ok_or_else(wrong)?,
            "m" => session.add_media(value).ok_or_else(wrong)?,
            "a" => session.attribute(value),
            _ if kind.len() == 1 => {}
            _ => return Err(wrong()),
        }
        if session.media.len() > MEDIA_MAX {
            return Err(Error::TooLarge);
        }
    }
    if versions == 1 { Ok(session) } else { Err(Error::Syntax { line: 1 }) }
}

impl Session {
    /// `IN IP4 192.0.2.1`, perhaps with a TTL. Host names are not looked up (S-14).
    fn set_connection(&mut self, value: &str) -> Option<()> {
        let mut words = value.split_whitespace();
        let (net, family, address) = (words.next()?, words.next()?, words.next()?);
        if net != "IN" || !matches!(family, "IP4" | "IP6") {
            return None;
        }
        let address: IpAddr = address.split('/').next()?.parse().ok()?;
        match self.media.last_mut() {
            Some(media) => media.connection = Some(address),
            None => self.connection = Some(address),
        }
        Some(())
    }

    /// Its words are said again when the stream is refused (RFC 3264 §6), so they are plain ones.
    fn add_media(&mut self, value: &str) -> Option<()> {
        if !value.split_whitespace().all(|word| word.bytes().all(|byte| byte.is_ascii_graphic())) {
            return None;
        }
        let mut words = value.split_whitespace();
        let (kind, port, profile) = (words.next()?, words.next()?, words.next()?);
        let port = port.split('/').next()?.parse().ok()?;
        let formats: Vec<String> = words.take(64).map(str::to_owned).collect();
        if formats.is_empty() {
            return None;
        }
        let (kind, profile) = (kind.to_owned(), profile.to_owned());
        self.media.push(Media { kind, port, profile, formats, ..Media::default() });
        Some(())
    }

    fn attribute(&mut self, value: &str) {
        let direction = match value.trim() {
            "sendrecv" => Some(Direction::SendRecv),
            "sendonly" => Some(Direction::SendOnly),
            "recvonly" => Some(Direction::RecvOnly),
            "inactive" => Some(Direction::Inactive),
            _ => None,
        };
        match (direction, self.media.last_mut()) {
            (Some(direction), Some(media)) => media.direction = Some(direction),
            (Some(direction), None) => self.direction = direction,
            (None, Some(media)) => media.attribute(value.trim()),
            (None, None) => match value.trim().strip_prefix("group:BUNDLE ") {
                Some(names) if self.bundle.is_empty() => {
                    self.bundle = names.split_whitespace().take(MEDIA_MAX).map(str::to_owned).collect();
                }
                _ => self.common.attribute(value.trim()),
            },
        }
    }

    /// The first live audio stream.
    pub fn audio(self) -> Result<Audio, Error> {
        self.audio_of(&[])
    }

    /// The same, and of these codecs the first that they speak; none for all: a law of G.711 in their order, or else what
    /// they name first.
    pub fn audio_of(self, codecs: &[Codec]) -> Result<Audio, Error> {
        let index =
            self.media.iter().position(|media| media.kind == "audio" && media.port != 0).ok_or(Error::NoAudio)?;
        let media = self.media.get(index).ok_or(Error::NoAudio)?;
        let profile = Profile::named(&media.profile).ok_or(Error::Profile)?;
        let theirs: Vec<(Codec, u8)> = media.formats.iter().filter_map(|format| media.codec(format)).collect();
        let chosen = codecs.iter().find_map(|codec| theirs.iter().find(|(theirs, _)| theirs == codec));
        let any = theirs.iter().find(|(codec, _)| codec.is_g711()).or(theirs.first());
        let codec = if codecs.is_empty() { any } else { chosen };
        let (codec, payload_type) = *codec.ok_or(Error::NoCommonCodec)?;
        let ip = media.connection.or(self.connection).ok_or(Error::NoAddress)?;
        if forbidden(ip) {
            return Err(Error::ForbiddenTarget(ip));
        }
        let shown = media.handshake.shown(&self.common);
        let bundled = media.name.clone().filter(|name| self.bundle.contains(name));
        let by_ice = profile.is_handshake() && shown.as_ref().is_some_and(|shown| shown.ice.is_some());
        let on_hold = ip.is_unspecified() && !by_ice;
        let direction = match (media.direction.unwrap_or(self.direction), on_hold) {
            // RFC 3264 §8.4: the old spelling of hold.
            (Direction::SendRecv, true) => Direction::SendOnly,
            (direction, _) => direction,
        };
        let others = self
            .media
            .iter()
            .enumerate()
            .filter(|(at, _)| *at != index)
            .map(|(_, other)| format!("m={} 0 {} {}", other.kind, other.profile, other.formats.join(" ")))
            .collect();
        Ok(Audio {
            direction,
            profile,
            cryptos: media.cryptos.clone(),
            mux: media.mux,
            wants_xr: media.wants_xr,
            shown,
            bundled,
            addr: (!on_hold).then_some(SocketAddr::new(ip, media.port)),
            codec,
            payload_type,
            telephone_event: media.telephone_event(),
            index,
            others,
        })
    }
}

impl Media {
    fn attribute(&mut self, value: &str) {
        let (name, value) = value.split_once(':').unwrap_or((value, ""));
        match name {
            "rtpmap" if self.maps.len() < 64 => self.maps.extend(rtpmap(value)),
            "crypto" if self.cryptos.len() < CRYPTOS_MAX => self.cryptos.extend(Crypto::read(value)),
            "rtcp-mux" => self.mux = true,
            "rtcp-xr" => self.wants_xr = value.split_whitespace().any(|word| word.starts_with("voip-metrics")),
            "mid" => self.name = Some(value.to_owned()).filter(|name| is_name(name)),
            _ => self.handshake.attribute(&format!("{name}:{value}")),
        }
    }

    /// Static payload types need no map (RFC 3551 §6); a map that says something else wins.
    fn codec(&self, format: &str) -> Option<(Codec, u8)> {
        let payload: u8 = format.parse().ok()?;
        let mapped =
            self.maps.iter().find(|(mapped, ..)| *mapped == payload).map(|(_, name, rate)| (name.as_str(), *rate));
        let codec = match (payload, mapped) {
            (0, None | Some(("pcmu", 8_000))) => Codec::Pcmu,
            (8, None | Some(("pcma", 8_000))) => Codec::Pcma,
            (9, None | Some(("g722", 8_000))) => Codec::G722,
            (96..=127, Some(("opus", 48_000))) => Codec::Opus,
            _ => return None,
        };
        Some((codec, payload))
    }

    fn telephone_event(&self) -> Option<u8> {
        self.maps
            .iter()
            .find(|(payload, name, rate)| {
                name == "telephone-event"
                    && *rate == 8_000
                    && self.formats.iter().any(|format| *format == payload.to_string())
            })
            .map(|(payload, ..)| *payload)
            .filter(|payload| (96..=127).contains(payload))
    }
}

impl Handshake {
    /// A weaker digest beside a good one is passed over (RFC 8122 §5).
    fn attribute(&mut self, value: &str) {
        match value.split_once(':') {
            Some(("fingerprint", value)) => self.fingerprint = self.fingerprint.or_else(|| Fingerprint::read(value)),
            Some(("setup", value)) => self.setup = Setup::read(value),
            Some(("ice-ufrag", value)) => self.user = Some(value.to_owned()),
            Some(("ice-pwd", value)) => self.password = Some(value.to_owned()),
            _ => {}
        }
    }

    fn shown(&self, common: &Handshake) -> Option<Shown> {
        let user = self.user.as_ref().or(common.user.as_ref());
        let password = self.password.as_ref().or(common.password.as_ref());
        let ice = match (user, password) {
            (Some(user), Some(password)) => Some(Credentials::new(user, password)?),
            _ => None,
        };
        Some(Shown { fingerprint: self.fingerprint.or(common.fingerprint)?, setup: self.setup.or(common.setup)?, ice })
    }
}

/// RFC 8859: a short word.
fn is_name(name: &str) -> bool {
    (1..=32).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.+".contains(&byte))
}

/// `101 telephone-event/8000`
fn rtpmap(value: &str) -> Option<(u8, String, u32)> {
    let (payload, encoding) = value.split_once(' ')?;
    let mut parts = encoding.trim().split('/');
    let (name, rate) = (parts.next()?, parts.next()?);
    Some((payload.trim().parse().ok()?, name.to_ascii_lowercase(), rate.parse().ok()?))
}
