//! Requests and responses with every header that steers us already typed. A message read passed the front door; a
//! message written is printed from the same types, so that what we print is what a strict reader reads.

mod address;
mod reason;
mod release;
mod via;

use std::fmt::{self, Write as _};

use bytes::Bytes;
pub use rsip::Method;

pub use address::{Address, Params};
pub use reason::reason;
pub use release::Release;
pub use via::Via;

use crate::lex;
use crate::uri::Uri;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("a control character in a header value")]
    Control,
    #[error("{header} cannot be read")]
    Syntax { header: &'static str },
    #[error(transparent)]
    Uri(#[from] crate::uri::Error),
}

/// A header value that cannot hold CR, LF, NUL or any other control character.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Value(String);

impl Value {
    pub fn new(text: impl Into<String>) -> Result<Self, Error> {
        let text = text.into();
        if lex::is_clean(&text) { Ok(Self(text)) } else { Err(Error::Control) }
    }

    /// For text of people: control characters become spaces.
    pub fn cleaned(text: &str) -> Self {
        Self(text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().trim().to_string())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Contacts {
    #[default]
    None,
    /// `Contact: *` of a REGISTER.
    Star,
    List(Vec<Address>),
}

impl Contacts {
    pub fn first(&self) -> Option<&Address> {
        match self {
            Self::List(list) => list.first(),
            Self::None | Self::Star => None,
        }
    }
}

/// The headers that requests and responses share.
#[derive(Debug, Clone, PartialEq)]
pub struct Head {
    /// Top first.
    pub via: Vec<Via>,
    pub from: Address,
    pub to: Address,
    pub call_id: Value,
    pub cseq: u32,
    /// CSeq's method; in a request the request's own.
    pub method: Method,
    pub max_forwards: Option<u8>,
    pub contacts: Contacts,
    pub route: Vec<Address>,
    pub record_route: Vec<Address>,
    pub content_type: Option<Value>,
    /// All the others, in order; names as [`crate::front`] spells them.
    pub fields: Vec<(String, Value)>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    pub uri: Uri,
    pub head: Head,
    pub body: Bytes,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    pub status: u16,
    pub reason: Value,
    pub head: Head,
    pub body: Bytes,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    Request(Request),
    Response(Response),
}

impl Head {
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The members of a header that is a comma separated list, over all its lines.
    pub fn list(&self, name: &str) -> Vec<&str> {
        let mut members = Vec::new();
        for (_, line) in self.fields.iter().filter(|(n, _)| n == name) {
            members.extend(lex::split_outside(line.as_str(), b',').unwrap_or_default());
        }
        members.retain(|member| !member.is_empty());
        members
    }

    /// Header lines when it is printed.
    pub fn lines(&self) -> usize {
        let contacts = match &self.contacts {
            Contacts::None => 0,
            Contacts::Star => 1,
            Contacts::List(list) => list.len(),
        };
        // From, To, Call-ID, CSeq and Content-Length are always there.
        let single = [true; 5].into_iter().chain([self.max_forwards.is_some(), self.content_type.is_some()]);
        let single = single.filter(|is_there| *is_there).count();
        [single, contacts, self.via.len(), self.route.len(), self.record_route.len(), self.fields.len()].iter().sum()
    }

    pub fn push(&mut self, name: &str, value: Value) {
        self.fields.push((name.to_string(), value));
    }

    /// A line of our own making; one that holds a control character is left out.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        if let Ok(value) = Value::new(value) {
            self.fields.retain(|(n, _)| n != name);
            self.push(name, value);
        }
    }

    pub fn top_branch(&self) -> &str {
        self.via.first().and_then(|via| via.branch()).unwrap_or_default()
    }
}

impl Request {
    pub fn method(&self) -> Method {
        self.head.method
    }

    pub fn with_body(mut self, content_type: &str, body: Bytes) -> Self {
        self.head.content_type = Value::new(content_type).ok();
        self.body = body;
        self
    }

    pub fn to_bytes(&self) -> Bytes {
        let start = format!("{} {} SIP/2.0", name_of(self.head.method), self.uri);
        print(start, &self.head, &self.body)
    }

    /// The 100; RFC 3261 §8.2.6.1: the caller's Timestamp comes back.
    pub fn trying(&self) -> Response {
        let response = self.response(100, "");
        match self.head.field("Timestamp") {
            Some(sent) => response.with("Timestamp", sent),
            None => response,
        }
    }

    /// RFC 3261 §8.2.6.2: Via, From, To, Call-ID and CSeq come back; the tag is added when To has none.
    pub fn response(&self, status: u16, tag: &str) -> Response {
        let mut to = self.head.to.clone();
        if status > 100 && to.tag().is_none() {
            to.set_tag(tag);
        }
        let head = Head {
            via: self.head.via.clone(),
            from: self.head.from.clone(),
            to,
            call_id: self.head.call_id.clone(),
            cseq: self.head.cseq,
            method: self.head.method,
            max_forwards: None,
            contacts: Contacts::None,
            route: Vec::new(),
            record_route: Vec::new(),
            content_type: None,
            fields: Vec::new(),
        };
        Response { status, reason: Value::cleaned(reason(status)), head, body: Bytes::new() }
    }
}

impl Response {
    pub fn with_body(mut self, content_type: &str, body: Bytes) -> Self {
        self.head.content_type = Value::new(content_type).ok();
        self.body = body;
        self
    }

    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.head.set(name, value);
        self
    }

    pub fn to_bytes(&self) -> Bytes {
        print(format!("SIP/2.0 {} {}", self.status, self.reason), &self.head, &self.body)
    }

    /// The SDP it carries, if that is what it carries.
    pub fn sdp(&self) -> Option<Bytes> {
        sdp(&self.head, &self.body)
    }
}

/// The body when it is SDP.
pub fn sdp(head: &Head, body: &Bytes) -> Option<Bytes> {
    let is_sdp = media_type(head) == "application/sdp";
    (is_sdp && !body.is_empty()).then(|| body.clone())
}

/// The option tag of recording sessions (RFC 7866 §11.1).
pub const SIPREC: &str = "siprec";

/// Whether a request opens or belongs to a recording session: it says that nobody else is to take it.
pub fn is_recording(head: &Head) -> bool {
    head.list("Require").iter().any(|tag| tag.eq_ignore_ascii_case(SIPREC))
}

/// Content-Type without parameters, in lower case; empty when there is none.
pub fn media_type(head: &Head) -> String {
    let written = head.content_type.as_ref().map(Value::as_str).unwrap_or_default();
    written.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Every method with its name.
const METHODS: [(&str, Method); 14] = [
    ("INVITE", Method::Invite),
    ("ACK", Method::Ack),
    ("BYE", Method::Bye),
    ("CANCEL", Method::Cancel),
    ("REGISTER", Method::Register),
    ("OPTIONS", Method::Options),
    ("PRACK", Method::PRack),
    ("UPDATE", Method::Update),
    ("INFO", Method::Info),
    ("REFER", Method::Refer),
    ("NOTIFY", Method::Notify),
    ("SUBSCRIBE", Method::Subscribe),
    ("MESSAGE", Method::Message),
    ("PUBLISH", Method::Publish),
];

/// RFC 3261 §7.1: methods are case-sensitive.
pub fn method(token: &str) -> Option<Method> {
    METHODS.iter().find(|(name, _)| *name == token).map(|(_, method)| *method)
}

/// As it stands in a request line.
pub fn name_of(method: Method) -> &'static str {
    METHODS.iter().find(|(_, of)| *of == method).map_or("", |(name, _)| name)
}

/// `text` is the start-line.
fn print(mut text: String, head: &Head, body: &Bytes) -> Bytes {
    clean_from(&mut text, 0);
    text.push_str("\r\n");
    let mut line = |name: &str, value: &dyn fmt::Display| {
        let from = text.len();
        // Writing to a String cannot fail.
        let _ = write!(text, "{name}: {value}");
        clean_from(&mut text, from);
        text.push_str("\r\n");
    };
    head.via.iter().for_each(|via| line("Via", via));
    head.route.iter().for_each(|route| line("Route", route));
    head.record_route.iter().for_each(|route| line("Record-Route", route));
    if let Some(hops) = head.max_forwards {
        line("Max-Forwards", &hops);
    }
    line("From", &head.from);
    line("To", &head.to);
    line("Call-ID", &head.call_id);
    line("CSeq", &format_args!("{} {}", head.cseq, name_of(head.method)));
    match &head.contacts {
        Contacts::None => {}
        Contacts::Star => line("Contact", &"*"),
        Contacts::List(list) => list.iter().for_each(|contact| line("Contact", contact)),
    }
    head.fields.iter().for_each(|(name, value)| line(name, value));
    if let Some(content_type) = &head.content_type {
        line("Content-Type", content_type);
    }
    line("Content-Length", &body.len());
    text.push_str("\r\n");
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(body);
    bytes.into()
}

/// S-10: most values cannot hold a control character; whatever came another way ends here, as in [`Value::cleaned`].
fn clean_from(text: &mut String, from: usize) {
    let written = text.get(from..).unwrap_or_default();
    let is_plain = written.bytes().all(|byte| (b' '..0x7f).contains(&byte));
    if !is_plain && !lex::is_clean(written) {
        let cleaned = written.replace(char::is_control, " ");
        text.truncate(from);
        text.push_str(&cleaned);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_is_printed_as_it_is_read() {
        for of in Method::all() {
            assert_eq!(name_of(of), of.to_string());
            assert_eq!(method(name_of(of)), Some(of));
        }
        assert_eq!(method("invite"), None);
    }
}
