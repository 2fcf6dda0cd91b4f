//! The metadata of a recording session (RFC 7865): read from XML without entities or a document type and within limits,
//! folded update by update, and written. Names and addresses in it are personal.

use std::fmt::Write;

use model::Millis;
use roxmltree::{Document, Node, ParsingOptions};

/// RFC 7865 §9.
const NAMESPACE: &str = "urn:ietf:params:xml:ns:recording:1";
/// Largest document, in bytes.
pub const BYTES_MAX: usize = 64 * 1024;
/// Most elements, attributes and texts of one document.
const NODES_MAX: u32 = 4_000;
/// Deepest nesting: the model has four levels, extensions may have more.
const DEPTH_MAX: usize = 16;
/// Most objects of one kind.
pub const OBJECTS_MAX: usize = 64;
/// Names and call identifiers of one object.
const NAMES_MAX: usize = 8;
/// Longest identifier, label, name or address, in bytes.
pub const TEXT_MAX: usize = 256;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("metadata has at most {BYTES_MAX} bytes of text, {OBJECTS_MAX} objects of a kind, {DEPTH_MAX} levels")]
    Limit,
    #[error("it is not XML, or has a document type")]
    Xml,
    #[error("it is not the metadata of a recording")]
    Kind,
    #[error("an object has no identifier, or one that cannot be kept")]
    Identifier,
}

/// One document, or what all of them so far come to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Metadata {
    /// It says only what has changed.
    pub partial: bool,
    pub groups: Vec<Group>,
    pub sessions: Vec<Session>,
    pub participants: Vec<Participant>,
    pub streams: Vec<Stream>,
    /// Which communication sessions this recording session is about, by id.
    pub recorded: Vec<Association>,
    /// Who takes part, participant by participant.
    pub takes_part: Vec<Association>,
    /// Who is heard on which stream.
    pub heard: Vec<Heard>,
}

/// RFC 7865 §6.2: sessions that belong together, such as a call and its consultation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Group {
    pub id: String,
    pub span: Span,
}

/// RFC 7865 §6.3: a communication session.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Session {
    pub id: String,
    /// RFC 7989.
    pub sip_ids: Vec<String>,
    pub group: Option<String>,
    pub reason: Option<String>,
    pub start: Option<Millis>,
    pub stop: Option<Millis>,
}

/// RFC 7865 §6.5. Personal.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Participant {
    pub id: String,
    pub names: Vec<Name>,
}

impl std::fmt::Debug for Participant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Participant({})", self.id)
    }
}

#[derive(Clone, PartialEq, Eq, Default)]
pub struct Name {
    /// Address of record, such as `sip:201@branch.example`.
    pub aor: String,
    pub display: Option<String>,
}

/// RFC 7865 §6.7.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stream {
    pub id: String,
    pub session: Option<String>,
    /// Of the media line.
    pub label: Option<String>,
}

/// From when to when; None: not said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    pub since: Option<Millis>,
    pub until: Option<Millis>,
}

/// RFC 7865 §6.4, §6.6.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Association {
    pub session: String,
    /// None: the session itself with the recording.
    pub participant: Option<String>,
    pub span: Span,
}

/// RFC 7865 §6.8.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Heard {
    pub participant: String,
    pub sends: Vec<String>,
    pub receives: Vec<String>,
    pub span: Span,
}

impl Metadata {
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > BYTES_MAX {
            return Err(Error::Limit);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| Error::Xml)?;
        if is_deep(text) {
            return Err(Error::Limit);
        }
        let options = ParsingOptions { allow_dtd: false, nodes_limit: NODES_MAX, ..ParsingOptions::default() };
        let document = Document::parse_with_options(text, options).map_err(|error| match error {
            roxmltree::Error::NodesLimitReached => Error::Limit,
            _ => Error::Xml,
        })?;
        let root = document.root_element();
        if !is(root, "recording") {
            return Err(Error::Kind);
        }
        let mut read = Self::default();
        for node in root.children().filter(|node| node.tag_name().namespace() == Some(NAMESPACE)) {
            read.object(node)?;
        }
        Ok(read)
    }

    fn object(&mut self, node: Node<'_, '_>) -> Result<(), Error> {
        match node.tag_name().name() {
            "datamode" => self.partial = text(node).as_deref() == Some("partial"),
            "group" => put(&mut self.groups, Group { id: id(node, "group_id")?, span: span(node) })?,
            "session" => put(&mut self.sessions, session(node)?)?,
            "participant" => put(&mut self.participants, participant(node)?)?,
            "stream" => {
                let session = node.attribute("session_id").and_then(kept);
                put(&mut self.streams, Stream { id: id(node, "stream_id")?, session, label: child(node, "label") })?;
            }
            "sessionrecordingassoc" => put(&mut self.recorded, association(node, false)?)?,
            "participantsessionassoc" => put(&mut self.takes_part, association(node, true)?)?,
            "participantstreamassoc" => {
                let participant = id(node, "participant_id")?;
                let (sends, receives) = (children(node, "send"), children(node, "recv"));
                put(&mut self.heard, Heard { participant, sends, receives, span: span(node) })?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes in the next document: a whole one replaces everything, another one what it names (RFC 7866 §9.1). False: it
    /// would be too much, and nothing has changed.
    pub fn update(&mut self, next: Self) -> bool {
        if !next.partial {
            *self = next;
            return true;
        }
        let mut merged = self.clone();
        let fits = merge(&mut merged.groups, next.groups, |a, b| a.id == b.id)
            && merge(&mut merged.sessions, next.sessions, |a, b| a.id == b.id)
            && merge(&mut merged.participants, next.participants, |a, b| a.id == b.id)
            && merge(&mut merged.streams, next.streams, |a, b| a.id == b.id)
            && merge(&mut merged.recorded, next.recorded, |a, b| a.session == b.session)
            && merge(&mut merged.takes_part, next.takes_part, |a, b| {
                (&a.session, &a.participant) == (&b.session, &b.participant)
            })
            && merge(&mut merged.heard, next.heard, |a, b| a.participant == b.participant);
        if fits {
            *self = merged;
        }
        fits
    }

    /// Who takes part and has not left, in their order; everybody where nothing is said of it.
    pub fn present(&self) -> impl Iterator<Item = &Participant> {
        self.participants.iter().filter(|one| {
            let mut of = self.takes_part.iter().filter(|part| part.participant.as_deref() == Some(one.id.as_str()));
            of.clone().count() == 0 || of.any(|part| part.span.until.is_none())
        })
    }

    /// Who is heard on the stream of this label.
    pub fn heard_on(&self, label: &str) -> Option<&Participant> {
        let stream = self.streams.iter().find(|stream| stream.label.as_deref() == Some(label))?;
        let heard = self.heard.iter().find(|heard| heard.sends.contains(&stream.id) && heard.span.until.is_none())?;
        self.participants.iter().find(|one| one.id == heard.participant)
    }

    /// The document; what is read of it is this again.
    pub fn write(&self) -> String {
        let mut out = Writer(String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n"));
        out.open("recording", &[("xmlns", NAMESPACE)]);
        out.leaf("datamode", if self.partial { "partial" } else { "complete" });
        for group in &self.groups {
            out.open("group", &[("group_id", &group.id)]);
            out.span(group.span);
            out.close("group");
        }
        for session in &self.sessions {
            out.open("session", &[("session_id", &session.id)]);
            session.sip_ids.iter().for_each(|id| out.leaf("sipSessionID", id));
            session.reason.iter().for_each(|reason| out.leaf("reason", reason));
            session.group.iter().for_each(|group| out.leaf("group-ref", group));
            out.time("start-time", session.start);
            out.time("stop-time", session.stop);
            out.close("session");
        }
        for participant in &self.participants {
            out.open("participant", &[("participant_id", &participant.id)]);
            for name in &participant.names {
                out.open("nameID", &[("aor", &name.aor)]);
                name.display.iter().for_each(|display| out.leaf("name", display));
                out.close("nameID");
            }
            out.close("participant");
        }
        for stream in &self.streams {
            let session = stream.session.iter().map(|session| ("session_id", session.as_str()));
            let attributes: Vec<_> = [("stream_id", stream.id.as_str())].into_iter().chain(session).collect();
            out.open("stream", &attributes);
            stream.label.iter().for_each(|label| out.leaf("label", label));
            out.close("stream");
        }
        for (name, all) in [("sessionrecordingassoc", &self.recorded), ("participantsessionassoc", &self.takes_part)] {
            for one in all {
                let participant = one.participant.iter().map(|id| ("participant_id", id.as_str()));
                let attributes: Vec<_> = participant.chain([("session_id", one.session.as_str())]).collect();
                out.open(name, &attributes);
                out.span(one.span);
                out.close(name);
            }
        }
        for heard in &self.heard {
            out.open("participantstreamassoc", &[("participant_id", &heard.participant)]);
            heard.sends.iter().for_each(|id| out.leaf("send", id));
            heard.receives.iter().for_each(|id| out.leaf("recv", id));
            out.span(heard.span);
            out.close("participantstreamassoc");
        }
        out.close("recording");
        out.0
    }
}

/// What opens without closing again, at most: the parser below walks down by calling itself.
fn is_deep(text: &str) -> bool {
    let (mut depth, mut deepest) = (0_usize, 0_usize);
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        rest = rest.get(at.saturating_add(1)..).unwrap_or_default();
        let end = rest.find('>').unwrap_or(rest.len());
        let tag = rest.get(..end).unwrap_or_default();
        match tag.chars().next() {
            Some('/') => depth = depth.saturating_sub(1),
            Some('?' | '!') | None => {}
            Some(_) if tag.ends_with('/') => {}
            Some(_) => depth = depth.saturating_add(1),
        }
        deepest = deepest.max(depth);
    }
    deepest > DEPTH_MAX
}

fn is(node: Node<'_, '_>, name: &str) -> bool {
    node.tag_name().namespace() == Some(NAMESPACE) && node.tag_name().name() == name
}

fn put<T>(all: &mut Vec<T>, one: T) -> Result<(), Error> {
    if all.len() >= OBJECTS_MAX {
        return Err(Error::Limit);
    }
    all.push(one);
    Ok(())
}

fn merge<T>(all: &mut Vec<T>, next: Vec<T>, same: impl Fn(&T, &T) -> bool) -> bool {
    for one in next {
        match all.iter_mut().find(|known| same(known, &one)) {
            Some(known) => *known = one,
            None => all.push(one),
        }
    }
    all.len() <= OBJECTS_MAX
}

fn session(node: Node<'_, '_>) -> Result<Session, Error> {
    Ok(Session {
        id: id(node, "session_id")?,
        sip_ids: children(node, "sipSessionID"),
        group: child(node, "group-ref"),
        reason: child(node, "reason"),
        start: time(node, "start-time"),
        stop: time(node, "stop-time"),
    })
}

fn participant(node: Node<'_, '_>) -> Result<Participant, Error> {
    let names = node.children().filter(|node| is(*node, "nameID")).filter_map(|node| {
        let aor = node.attribute("aor").and_then(kept)?;
        Some(Name { aor, display: child(node, "name") })
    });
    Ok(Participant { id: id(node, "participant_id")?, names: names.take(NAMES_MAX).collect() })
}

fn association(node: Node<'_, '_>, of_participant: bool) -> Result<Association, Error> {
    let participant = of_participant.then(|| id(node, "participant_id")).transpose()?;
    Ok(Association { session: id(node, "session_id")?, participant, span: span(node) })
}

fn span(node: Node<'_, '_>) -> Span {
    Span { since: time(node, "associate-time"), until: time(node, "disassociate-time") }
}

fn time(node: Node<'_, '_>, name: &str) -> Option<Millis> {
    let at: jiff::Timestamp = child(node, name)?.parse().ok()?;
    Some(Millis(at.as_millisecond()))
}

fn id(node: Node<'_, '_>, name: &str) -> Result<String, Error> {
    node.attribute(name).and_then(kept).ok_or(Error::Identifier)
}

fn children(node: Node<'_, '_>, name: &str) -> Vec<String> {
    node.children().filter(|node| is(*node, name)).filter_map(text).take(NAMES_MAX).collect()
}

fn child(node: Node<'_, '_>, name: &str) -> Option<String> {
    node.children().find(|node| is(*node, name)).and_then(text)
}

fn text(node: Node<'_, '_>) -> Option<String> {
    node.text().and_then(kept)
}

/// A line of text without control characters, cut at a limit; None when nothing is left of it.
fn kept(text: &str) -> Option<String> {
    let line: String = text.trim().chars().filter(|c| !c.is_control()).collect();
    let mut end = line.len().min(TEXT_MAX);
    while !line.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    let line = line.get(..end).unwrap_or_default().trim();
    (!line.is_empty()).then(|| line.to_owned())
}

struct Writer(String);

impl Writer {
    fn open(&mut self, name: &str, attributes: &[(&str, &str)]) {
        let _ = write!(self.0, "<{name}");
        for (name, value) in attributes {
            let _ = write!(self.0, " {name}=\"{}\"", escaped(value));
        }
        self.0.push('>');
    }

    fn close(&mut self, name: &str) {
        let _ = write!(self.0, "</{name}>\r\n");
    }

    fn leaf(&mut self, name: &str, text: &str) {
        let _ = write!(self.0, "<{name}>{}</{name}>", escaped(text));
    }

    fn time(&mut self, name: &str, at: Option<Millis>) {
        let at = at.and_then(|at| jiff::Timestamp::from_millisecond(at.0).ok());
        at.into_iter().for_each(|at| self.leaf(name, &at.to_string()));
    }

    fn span(&mut self, span: Span) {
        self.time("associate-time", span.since);
        self.time("disassociate-time", span.until);
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // What XML 1.0 §2.2 knows no way of writing.
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests;
