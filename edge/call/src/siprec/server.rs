//! The box as a recording server (RFC 7866 §6.2): a declared peer brings a call as one or two streams, and the owner has
//! them recorded as one recording with two sides.

use std::time::Instant;

use bytes::Bytes;
use media::plane::Command;
use media::sdp::{self, Direction, OurStream, Stream};
use model::{LegId, TrunkId};
use sip::endpoint::{self, DialogId, Invited, Source};

use super::strand::Strand;
use super::{Metadata, SESSIONS_MAX, STREAMS_MAX, Sessions, metadata};
use crate::calls::Calls;
use crate::leg::Event;
use crate::session::Part;
use crate::timer::Timer;

/// The will of a stream that a peer brings: its session ends with the process that took it, and the next one closes it.
pub(crate) const WILL: &str = "brought";

#[derive(Debug)]
pub(crate) struct Brought {
    by: TrunkId,
    dialog: DialogId,
    /// Of our o= line.
    said_by: u64,
    /// In the order of their media lines.
    lines: Vec<Line>,
    metadata: Metadata,
    /// Of the first line: it is the caller's.
    label: Option<String>,
    /// Their offer is to be answered when the ports are open.
    owes: bool,
    /// They asked how things stand, and answer with their ACK.
    in_ack: bool,
    /// The owner knows of it.
    told: bool,
    paused: bool,
}

#[derive(Debug)]
enum Line {
    Taken(Box<Strand>),
    /// As it is refused.
    Refused(String),
}

impl Brought {
    fn strands(&self) -> impl Iterator<Item = &Strand> {
        self.lines.iter().filter_map(Line::strand)
    }

    /// What is said of it, the caller first: who is heard on the first line.
    fn described(&self) -> Metadata {
        let mut metadata = self.metadata.clone();
        let caller = self.label.as_deref().and_then(|label| metadata.heard_on(label)).map(|one| one.id.clone());
        // Nobody else changes places.
        metadata.participants.sort_by_key(|one| Some(&one.id) != caller.as_ref());
        metadata
    }

    /// Our description once more, as an offer. None while something is to be answered, by us or by them.
    fn as_it_stands(&mut self) -> Option<Bytes> {
        let is_ready = |strand: &Strand| strand.refused || strand.session.can_probe();
        if self.owes || !self.strands().all(is_ready) {
            return None;
        }
        let texts: Option<Vec<Result<Bytes, String>>> = self
            .lines
            .iter_mut()
            .map(|line| match line {
                Line::Taken(strand) if !strand.refused => strand.session.probe().map(Ok),
                Line::Taken(strand) => Some(Err(refusal(&strand.session.last().unwrap_or_default()))),
                Line::Refused(line) => Some(Err(line.clone())),
            })
            .collect();
        body(&texts?, Some(Direction::RecvOnly))
    }

    fn sends(&self) -> bool {
        self.strands().any(|strand| !strand.refused && strand.session.is_sent())
    }
}

impl Line {
    fn strand(&self) -> Option<&Strand> {
        match self {
            Line::Taken(strand) => Some(strand),
            Line::Refused(_) => None,
        }
    }
}

impl Sessions {
    /// Whether this leg stands for a call that a peer brings.
    pub fn is_brought(&self, leg: LegId) -> bool {
        self.brought.contains_key(&leg)
    }
}

impl Calls {
    pub(super) fn bring(&mut self, now: Instant, dialog: DialogId, invited: Invited) {
        if let Err((cause, status)) = self.may_bring(now, dialog, invited) {
            self.endpoint.reject(now, dialog, status);
            self.tell(Event::Refused { cause, status: Some(status) });
        }
    }

    /// An error is the counter's name and the status.
    fn may_bring(&mut self, now: Instant, dialog: DialogId, invited: Invited) -> Result<(), (&'static str, u16)> {
        let Source::Trunk(name) = &invited.source else { return Err(("recorder", 403)) };
        let recorder = self.recorder(name).filter(|recorder| recorder.brings).ok_or(("recorder", 403))?;
        let (by, terms) = (recorder.name.clone(), self.terms_of(recorder));
        if self.siprec.brought.len() >= SESSIONS_MAX {
            return Err(("recorder_limit", 503));
        }
        let metadata = match invited.recording.as_deref() {
            None | Some([]) => Metadata::default(),
            Some(bytes) => Metadata::parse(bytes).map_err(|_| ("recorder_metadata", 400))?,
        };
        // A client brings what it has: there is nothing that we could offer.
        let offer = invited.sdp.as_deref().ok_or(("recorder_offer", 488))?;
        let streams = sdp::split(offer).map_err(|_| ("sdp", 488))?;
        let label = streams.iter().find(|stream| stream.live).and_then(|stream| stream.label.clone());
        let (id, said_by) = (self.leg_id(), self.session_id());
        let (owes, told, paused) = (true, false, false);
        let mut brought =
            Brought { by, dialog, said_by, lines: Vec::new(), metadata, label, owes, in_ack: false, told, paused };
        self.hear_brought(now, id, &mut brought, &streams, terms);
        if brought.strands().all(|strand| strand.refused) {
            brought.strands().for_each(|strand| self.close_strand(strand));
            return Err(("sdp", 488));
        }
        self.siprec.brought.insert(id, brought);
        self.siprec.by_dialog.insert(dialog, id);
        Ok(())
    }

    /// Takes in their description: known streams go on, new ones get a port while there is room, what ended is refused.
    fn hear_brought(
        &mut self,
        now: Instant,
        id: LegId,
        brought: &mut Brought,
        streams: &[Stream],
        terms: crate::protect::Terms,
    ) {
        for (at, stream) in streams.iter().enumerate() {
            let has_room = brought.strands().count() < STREAMS_MAX;
            match brought.lines.get_mut(at) {
                Some(Line::Taken(strand)) => {
                    let heard = strand.session.hear(Part::Offer, stream.text.as_bytes(), &self.ports);
                    strand.refused = !stream.live || heard.is_err();
                }
                line if stream.live && has_room => {
                    let mut strand = self.strand(id, brought.said_by, terms, None);
                    strand.refused = strand.session.hear(Part::Offer, stream.text.as_bytes(), &self.ports).is_err();
                    self.timers.start(now, strand.leg, Timer::Port);
                    let taken = Line::Taken(Box::new(strand));
                    match line {
                        Some(line) => *line = taken,
                        None => brought.lines.push(taken),
                    }
                }
                Some(line) => *line = Line::Refused(stream.refusal.clone()),
                None => brought.lines.push(Line::Refused(stream.refusal.clone())),
            }
        }
        // RFC 3264 §8: lines never vanish; one that did is as good as refused.
        for line in brought.lines.iter_mut().skip(streams.len()) {
            if let Line::Taken(strand) = line {
                strand.refused = true;
            }
        }
    }

    /// Answers as soon as every port is open.
    pub(super) fn brought_opened(&mut self, now: Instant, id: LegId) {
        let Some(mut brought) = self.siprec.brought.remove(&id) else { return };
        if brought.owes
            && let Some(answer) = self.answer_brought(&mut brought)
        {
            brought.owes = false;
            self.endpoint.accept(now, brought.dialog, answer);
            self.connect_brought(&mut brought);
            for port in brought.strands().map(|strand| strand.port).collect::<Vec<_>>() {
                self.media(Command::Will { port, will: WILL.to_owned() });
            }
            self.tell_brought(id, &mut brought);
        }
        self.siprec.brought.insert(id, brought);
    }

    /// None while a port is not open.
    fn answer_brought(&mut self, brought: &mut Brought) -> Option<Bytes> {
        let mut texts: Vec<Result<Bytes, String>> = Vec::new();
        for line in &mut brought.lines {
            texts.push(match line {
                Line::Taken(strand) => {
                    let local = self.ports.local(strand.port)?;
                    let text = strand.session.answer(local);
                    if strand.refused { Err(refusal(&text)) } else { Ok(text) }
                }
                Line::Refused(line) => Err(line.clone()),
            });
        }
        body(&texts, None)
    }

    /// Both streams are heard as the two sides of one call; nothing is sent on either.
    fn connect_brought(&mut self, brought: &mut Brought) {
        let mut ports = Vec::new();
        for line in &mut brought.lines {
            if let Line::Taken(strand) = line {
                let before = strand.connected.is_some();
                if before || !strand.refused {
                    self.connect_strand(strand, false);
                }
                ports.push((strand.port, !before && strand.connected.is_some()));
            }
        }
        if let [(a, first), (b, second)] = ports.as_slice()
            && (*first || *second)
        {
            self.media(Command::Join { a: *a, b: *b });
        }
    }

    fn tell_brought(&mut self, leg: LegId, brought: &mut Brought) {
        if !std::mem::replace(&mut brought.told, true) {
            let (by, metadata) = (brought.by.clone(), Box::new(brought.described()));
            self.tell(Event::Brought { leg, by, metadata });
        }
        let paused = !brought.sends();
        if brought.paused != paused {
            brought.paused = paused;
            self.tell(Event::BroughtPaused { leg, paused });
        }
    }

    /// A recording of it begins: what its first stream brings is the caller's side, the second the agent's.
    pub(crate) fn record_brought(&mut self, leg: LegId) {
        let Some(brought) = self.siprec.brought.get(&leg) else { return };
        let Some(port) = brought.strands().next().map(|strand| strand.port) else { return };
        for command in self.recordings.begin(leg, port) {
            self.media(command);
        }
    }

    pub(super) fn on_brought(&mut self, now: Instant, id: LegId, event: endpoint::Event) {
        use endpoint::Event as E;
        match event {
            E::Described { metadata, .. } => self.described(id, &metadata),
            E::Reoffer { dialog, sdp } => self.brought_reoffered(now, id, dialog, sdp.as_deref()),
            E::Ended { dialog, .. } | E::Failed { dialog, .. } => {
                self.siprec.by_dialog.remove(&dialog);
                self.brought_over(id);
            }
            E::Reanswered { sdp, .. } => self.brought_reanswered(id, sdp.as_deref()),
            E::Confirmed { sdp, .. } if self.siprec.brought.get(&id).is_some_and(|brought| brought.in_ack) => {
                self.brought_reanswered(id, sdp.as_deref());
            }
            E::RefreshDue { .. } => self.ask_brought(now, id),
            E::Referred { dialog, .. } => self.endpoint.refer_reject(now, dialog),
            _ => {}
        }
    }

    /// Nothing has come by a stream for a while: a peer that is gone does not answer, or knows nothing of it any more
    /// (RFC 3261 §12.2.1.2). False: it is no stream of a peer's.
    pub(crate) fn probe_brought(&mut self, now: Instant, strand: LegId) -> bool {
        let Some(id) = self.siprec.of_strand(strand).filter(|id| self.siprec.is_brought(*id)) else { return false };
        self.timers.start(now, strand, Timer::Probe);
        self.ask_brought(now, id);
        true
    }

    /// A re-INVITE that changes nothing.
    fn ask_brought(&mut self, now: Instant, id: LegId) {
        let Some(brought) = self.siprec.brought.get_mut(&id) else { return };
        let dialog = brought.dialog;
        if let Some(offer) = brought.as_it_stands() {
            self.endpoint.reinvite(now, dialog, offer);
        }
    }

    fn brought_reanswered(&mut self, id: LegId, answer: Option<&[u8]>) {
        let Some(mut brought) = self.siprec.brought.remove(&id) else { return };
        brought.in_ack = false;
        let theirs = answer.map(|answer| sdp::split(answer).unwrap_or_default());
        for (at, line) in brought.lines.iter_mut().enumerate() {
            if let Line::Taken(strand) = line {
                let text = theirs.as_ref().and_then(|theirs| theirs.get(at)).filter(|stream| stream.live);
                let _same = strand.session.reanswered(text.map(|stream| stream.text.as_bytes()), &self.ports);
            }
        }
        self.connect_brought(&mut brought);
        self.tell_brought(id, &mut brought);
        self.siprec.brought.insert(id, brought);
    }

    /// What cannot be read, or is too much, changes nothing: the audio is what is to be kept.
    fn described(&mut self, leg: LegId, bytes: &[u8]) {
        let Some(brought) = self.siprec.brought.get_mut(&leg) else { return };
        let why = match Metadata::parse(bytes) {
            Ok(next) => match brought.metadata.update(next) {
                true => {
                    let metadata = Box::new(brought.described());
                    return self.tell(Event::BroughtAnew { leg, metadata });
                }
                false => metadata::Error::Limit,
            },
            Err(error) => error,
        };
        tracing::debug!(%leg, %why, "metadata that cannot be used");
        self.tell(Event::Refused { cause: "recorder_metadata", status: None });
    }

    fn brought_reoffered(&mut self, now: Instant, id: LegId, dialog: DialogId, offer: Option<&[u8]>) {
        let Some(mut brought) = self.siprec.brought.remove(&id) else { return };
        let terms = self.recorder(brought.by.as_str()).map(|recorder| self.terms_of(recorder));
        if offer.is_none()
            && let Some(stands) = brought.as_it_stands()
        {
            // RFC 3261 §14.2: their answer comes with the ACK.
            brought.in_ack = true;
            self.endpoint.accept(now, dialog, stands);
            self.siprec.brought.insert(id, brought);
            return;
        }
        let streams = offer.map(sdp::split).and_then(Result::ok);
        match (streams, terms) {
            (Some(streams), Some(terms)) if !brought.owes => {
                self.hear_brought(now, id, &mut brought, &streams, terms);
                brought.owes = true;
                self.siprec.brought.insert(id, brought);
                self.brought_opened(now, id);
            }
            _ => {
                self.endpoint.reject(now, dialog, 488);
                self.siprec.brought.insert(id, brought);
            }
        }
    }

    /// No port, or no keys: it ends, and the peer may bring it anew.
    pub(super) fn brought_failed(&mut self, now: Instant, id: LegId) {
        let Some(brought) = self.siprec.brought.get(&id) else { return };
        let (dialog, told) = (brought.dialog, brought.told);
        self.siprec.by_dialog.remove(&dialog);
        if told {
            self.endpoint.end(now, dialog);
        } else {
            self.endpoint.reject(now, dialog, 503);
        }
        self.brought_over(id);
    }

    fn brought_over(&mut self, id: LegId) {
        let Some(brought) = self.siprec.brought.remove(&id) else { return };
        for recording in self.recordings.of(id) {
            self.end_recording(recording);
        }
        brought.strands().for_each(|strand| self.close_strand(strand));
        if brought.told {
            self.tell(Event::BroughtOver { leg: id });
        }
    }

    /// Recording sessions of peers at this moment.
    pub fn brought(&self) -> usize {
        self.siprec.brought.len()
    }
}

/// One body of these streams; an error is a line that is refused.
fn body(texts: &[Result<Bytes, String>], direction: Option<Direction>) -> Option<Bytes> {
    let streams: Vec<OurStream<'_>> = texts
        .iter()
        .map(|one| match one {
            Ok(text) => {
                let text = std::str::from_utf8(text).unwrap_or_default();
                OurStream::Stream { text, label: None, direction }
            }
            Err(line) => OurStream::Refused(line),
        })
        .collect();
    sdp::merge(&streams).map(Bytes::from)
}

/// The media line of a body of ours, refused.
fn refusal(text: &[u8]) -> String {
    let text = std::str::from_utf8(text).unwrap_or_default();
    sdp::split(text.as_bytes())
        .ok()
        .and_then(|streams| streams.into_iter().next())
        .map_or_else(|| "m=audio 0 RTP/AVP 0".to_owned(), |stream| stream.refusal)
}
