//! The little of SIP's syntax that a generator reads, and the messages it writes.

use std::net::SocketAddr;

/// A message, read by line.
#[derive(Clone, Copy)]
pub struct Text<'a>(pub &'a str);

impl<'a> Text<'a> {
    pub fn is_response(self) -> bool {
        self.0.starts_with("SIP/2.0 ")
    }

    pub fn status(self) -> u16 {
        self.0.get(8..11).and_then(|code| code.parse().ok()).unwrap_or(0)
    }

    /// The method of a request, or of the request that is answered.
    pub fn method(self) -> &'a str {
        match self.is_response() {
            true => self.first("CSeq").and_then(|value| value.split_whitespace().nth(1)).unwrap_or_default(),
            false => self.0.split(' ').next().unwrap_or_default(),
        }
    }

    pub fn all(self, name: &'static str) -> impl Iterator<Item = &'a str> {
        let head = self.0.split("\r\n\r\n").next().unwrap_or_default();
        head.split("\r\n").skip(1).filter_map(move |line| {
            let (of, value) = line.split_once(':')?;
            of.trim_end().eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub fn first(self, name: &'static str) -> Option<&'a str> {
        self.all(name).next()
    }

    /// The URI in the first Contact.
    pub fn contact(self) -> Option<&'a str> {
        let contact = self.first("Contact")?;
        match contact.split_once('<') {
            Some((_, rest)) => rest.split('>').next(),
            None => contact.split(';').next(),
        }
    }

    /// Where its description wants audio, if it has one.
    pub fn audio_port(self) -> Option<u16> {
        let (_, body) = self.0.split_once("\r\n\r\n")?;
        let stream = body.lines().find_map(|line| line.strip_prefix("m=audio "))?;
        stream.split(' ').next()?.parse().ok()
    }

    /// The number that begins our Call-IDs.
    pub fn call(self) -> Option<u64> {
        u64::from_str_radix(self.first("Call-ID")?.split('-').next()?, 16).ok()
    }
}

/// An answer to a request: what RFC 3261 §8.2.6.2 brings back, `more` (whole lines), and a body.
pub fn answer(request: Text<'_>, status: &str, tag: &str, more: &str, sdp: Option<&str>) -> String {
    let mut text = format!("SIP/2.0 {status}\r\n");
    for name in ["Via", "Record-Route", "From"] {
        request.all(name).for_each(|value| text.push_str(&format!("{name}: {value}\r\n")));
    }
    let to = request.first("To").unwrap_or_default();
    let tag = if to.contains(";tag=") { String::new() } else { format!(";tag={tag}") };
    text.push_str(&format!("To: {to}{tag}\r\n"));
    for name in ["Call-ID", "CSeq"] {
        text.push_str(&format!("{name}: {}\r\n", request.first(name).unwrap_or_default()));
    }
    text.push_str(more);
    text.push_str(&body(sdp));
    text
}

/// The end of a head, and the body.
pub fn body(sdp: Option<&str>) -> String {
    match sdp {
        Some(sdp) => format!("Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}", sdp.len()),
        None => "Content-Length: 0\r\n\r\n".to_owned(),
    }
}

/// A description of one G.711 stream; nothing is sent there.
pub fn sdp(of: SocketAddr) -> String {
    let ip = of.ip();
    format!(
        "v=0\r\no=bench 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n",
        of.port()
    )
}
