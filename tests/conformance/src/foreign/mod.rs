//! Our messages as others read them: libre (what baresip is made of) and Kamailio, each the real program, beside our own
//! front door. A reading is what a reader says of each part; two readings of one message must not differ.

pub mod kamailio;
pub mod libre;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use media::sdp::Direction;
use sip::front::{self, Carrier, Opened};
use sip::message::{Address, Contacts, Head, Message, Via, name_of};

/// Headers that hold one address each; readers say its URI.
pub const ADDRESSES: [&str; 7] = [
    "P-Asserted-Identity",
    "P-Preferred-Identity",
    "Remote-Party-ID",
    "Diversion",
    "Refer-To",
    "Referred-By",
    "Reply-To",
];

/// Part by part what a reader says of a message: `from-tag`, `uri`, `vias` (how many), `body`. A part that is not there
/// has no entry.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    pub parts: BTreeMap<String, Bytes>,
    /// The names of its headers, in small letters; None when the reader does not say.
    pub names: Option<BTreeSet<String>>,
}

impl Reading {
    fn put(&mut self, part: &str, text: impl Into<Vec<u8>>) {
        let text = text.into();
        if !text.is_empty() {
            self.parts.insert(part.to_owned(), text.into());
        }
    }

    /// `name=hex name=hex …`, as both readers write it.
    fn told(line: &str) -> Self {
        let mut reading = Self::default();
        for (name, value) in line.split_whitespace().filter_map(|word| word.split_once('=')) {
            let value = hex(value).unwrap_or_else(|| panic!("{name} is not told in hex: {line}"));
            match name {
                "name" => {
                    let name = String::from_utf8_lossy(&value).to_ascii_lowercase();
                    reading.names.get_or_insert_default().insert(name);
                }
                name => reading.put(name, value),
            }
        }
        reading
    }

    /// Whether it is a reply that had to repeat what a good request never says: a Via without a branch (RFC 2543), an
    /// address that is no SIP or telephone URI. libre reads no such message, whoever wrote it.
    pub fn repeats_oddities(&self) -> bool {
        let is_odd = |part: &str| {
            let uri = self.parts.get(part).map(|uri| uri.to_ascii_lowercase()).unwrap_or_default();
            !(uri.starts_with(b"sip:") || uri.starts_with(b"sips:") || uri.starts_with(b"tel:"))
        };
        self.parts.contains_key("status") && (!self.parts.contains_key("branch") || is_odd("from") || is_odd("to"))
    }

    /// In words, where `other` says something else of a part that both speak of; `parts` are those that `other` tells.
    pub fn differs(&self, other: &Self, parts: &[&str]) -> Vec<String> {
        let text = |part: Option<&Bytes>| part.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let mut differences: Vec<String> = parts
            .iter()
            .filter(|part| self.parts.get(**part) != other.parts.get(**part))
            .map(|part| format!("{part}: {:?} and {:?}", text(self.parts.get(*part)), text(other.parts.get(*part))))
            .collect();
        if let (Some(ours), Some(theirs)) = (&self.names, &other.names)
            && ours != theirs
        {
            differences.push(format!("headers: {ours:?} and {theirs:?}"));
        }
        differences
    }
}

/// What we meant: the front door's reading of a message of our own. Errors: it would not be let in.
pub fn ours(bytes: &Bytes) -> Result<Reading, String> {
    let message = match front::open(bytes, Carrier::Datagram, 1 << 20) {
        Opened::Message(message) => *message,
        other => return Err(format!("the front door says {other:?}")),
    };
    let mut reading = Reading::default();
    let (head, body) = match &message {
        Message::Request(request) => {
            reading.put("uri", request.uri.to_string());
            reading.put("method", name_of(request.head.method));
            (&request.head, &request.body)
        }
        Message::Response(response) => {
            reading.put("status", response.status.to_string());
            (&response.head, &response.body)
        }
    };
    of_head(&mut reading, head);
    reading.put("length", body.len().to_string());
    reading.put("body", body.to_vec());
    if sip::message::sdp(head, body).is_some() {
        of_sdp(&mut reading, body);
    }
    Ok(reading)
}

/// What we meant by a refusal that repeats the lines of what was refused (RFC 3261 §8.2.6.2), which no strict reader need
/// understand: its status, no body, and its lines by name. Errors: it is no such refusal.
pub fn refusal(bytes: &Bytes) -> Result<Reading, String> {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n").ok_or("no end of the head")?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.strip_prefix("SIP/2.0 ")?.split(' ').next()).unwrap_or_default();
    let mut names = BTreeSet::new();
    for line in lines {
        let (name, _) = line.split_once(':').ok_or_else(|| format!("{line:?} is no header"))?;
        names.insert(name.trim().to_ascii_lowercase());
    }
    if !status.starts_with(['4', '5', '6']) || !body.is_empty() || !head.ends_with("Content-Length: 0") {
        return Err(format!("{status:?} with {} bytes", body.len()));
    }
    let mut reading = Reading { names: Some(names), ..Reading::default() };
    reading.put("status", status);
    reading.put("length", "0");
    Ok(reading)
}

fn of_head(reading: &mut Reading, head: &Head) {
    for (part, tag, address) in [("from", "from-tag", &head.from), ("to", "to-tag", &head.to)] {
        reading.put(part, address.uri.to_string());
        reading.put(tag, address.tag().unwrap_or_default());
    }
    reading.put("call-id", head.call_id.as_str());
    reading.put("cseq", head.cseq.to_string());
    reading.put("cseq-method", name_of(head.method));
    reading.put("vias", head.via.len().to_string());
    reading.put("branch", head.via.first().and_then(Via::branch).unwrap_or_default());
    match &head.contacts {
        Contacts::Star => reading.put("contact", "*"),
        contacts => reading.put("contact", contacts.first().map(|of| of.uri.to_string()).unwrap_or_default()),
    }
    for name in ADDRESSES {
        let first = head.list(name).into_iter().next().and_then(|text| Address::parse(name, text).ok());
        reading.put(name, first.map(|address| address.uri.to_string()).unwrap_or_default());
    }
    let mut names: BTreeSet<String> = head.fields.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    let there = [
        ("via", !head.via.is_empty()),
        ("route", !head.route.is_empty()),
        ("record-route", !head.record_route.is_empty()),
        ("max-forwards", head.max_forwards.is_some()),
        ("contact", head.contacts != Contacts::None),
        ("content-type", head.content_type.is_some()),
        ("from", true),
        ("to", true),
        ("call-id", true),
        ("cseq", true),
        ("content-length", true),
    ];
    names.extend(there.iter().filter(|(_, there)| *there).map(|(name, _)| (*name).to_owned()));
    reading.names = Some(names);
}

/// Where the audio is and what it may do, seen by who reads it; nothing for what is not an SDP of ours.
fn of_sdp(reading: &mut Reading, body: &[u8]) {
    let Ok(audio) = media::sdp::parse(body).and_then(|session| session.audio()) else { return };
    let remote = audio.remote(false, false, media::plane::Security::Clear);
    let direction = match audio.direction {
        Direction::SendRecv => "sendrecv",
        Direction::SendOnly => "recvonly",
        Direction::RecvOnly => "sendonly",
        Direction::Inactive => "inactive",
    };
    if let Some(remote) = remote.filter(|_| !audio.profile.is_protected()) {
        reading.put("audio", format!("{} {direction}", remote.addr));
    }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    text.len().is_multiple_of(2).then(|| text.as_bytes().chunks(2).map(pair).collect()).flatten()
}
