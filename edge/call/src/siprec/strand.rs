//! One stream of a recording session: a description of its own, and a port.

use std::net::SocketAddr;

use bytes::Bytes;
use media::plane::{Codec, Command, PortId, Remote};
use media::sdp::{self, Direction, OurStream, Stream};
use model::LegId;

use crate::calls::Calls;
use crate::protect::Terms;
use crate::session::{Part, Session};

#[derive(Debug)]
pub(super) struct Strand {
    /// By which ports and timers know it.
    pub leg: LegId,
    pub session: Session,
    pub port: PortId,
    pub connected: Option<Remote>,
    pub muted: bool,
    /// They want nothing of it, or took it back.
    pub refused: bool,
}

impl Calls {
    /// Another stream of a session, whose port is asked for. `said_by` is the session's one o= id (RFC 3264 §8), `codec`
    /// what is best spoken.
    pub(super) fn strand(&mut self, of: LegId, said_by: u64, terms: Terms, codec: Option<Codec>) -> Strand {
        let leg = self.leg_id();
        let session = Session::new(said_by, false, self.protector(terms)).meeting(codec);
        let (port, command) = self.ports.open(leg, false);
        self.siprec.strands.insert(leg, of);
        self.media(command);
        Strand { leg, session, port, connected: None, muted: false, refused: false }
    }

    pub(super) fn close_strand(&mut self, strand: &Strand) {
        self.siprec.strands.remove(&strand.leg);
        self.timers.forget(strand.leg);
        if let Some(command) = self.ports.close(strand.port) {
            self.media(command);
        }
    }

    /// Tells media where the other end of a stream is. `sends`: something of ours goes there.
    pub(super) fn connect_strand(&mut self, strand: &mut Strand, sends: bool) {
        let Some(remote) = strand.session.remote().cloned() else { return };
        if strand.connected.as_ref() != Some(&remote)
            && let Some(command) = self.ports.connect(strand.port, remote.clone())
        {
            self.media(command);
            strand.connected = Some(remote);
        }
        let muted = !sends || strand.session.holds().by_them;
        if strand.connected.is_some() && strand.muted != muted {
            strand.muted = muted;
            self.media(Command::Mute { port: strand.port, muted });
        }
    }

    pub(super) fn terms_of(&self, recorder: &super::Recorder) -> Terms {
        let protection = recorder.protection;
        // A recorder is no browser, and keys go in its signalling.
        Terms { protection, ..Terms::CLEAR }.over(&[recorder.transport])
    }
}

/// Hears their streams in the order of ours; a line that is refused or makes no sense refuses its stream. False: nothing
/// is left.
pub(super) fn hear(calls: &Calls, strands: &mut [Strand], part: Part, theirs: &[Stream]) -> bool {
    for (at, strand) in strands.iter_mut().enumerate() {
        let live = theirs.get(at).filter(|stream| stream.live);
        strand.refused =
            live.is_none_or(|stream| strand.session.hear(part, stream.text.as_bytes(), &calls.ports).is_err());
    }
    strands.iter().any(|strand| !strand.refused)
}

/// One body of all streams of an offer of ours, labelled from 1.
pub(super) fn offer(bodies: &[Bytes], direction: Option<Direction>) -> Option<Bytes> {
    let labels: Vec<String> = (1..=bodies.len()).map(|label| label.to_string()).collect();
    let texts: Vec<&str> = bodies.iter().map(|body| std::str::from_utf8(body).unwrap_or_default()).collect();
    let streams: Vec<OurStream<'_>> = texts
        .iter()
        .zip(&labels)
        .map(|(text, label)| OurStream::Stream { text, label: Some(label), direction })
        .collect();
    sdp::merge(&streams).map(Bytes::from)
}

/// One body of our answers to the lines of theirs: what is refused has no port (RFC 3264 §6).
pub(super) fn answer(
    bodies: &[Bytes],
    strands: &[Strand],
    theirs: &[Stream],
    direction: Option<Direction>,
) -> Option<Bytes> {
    let labels: Vec<String> = (1..=bodies.len()).map(|label| label.to_string()).collect();
    let streams: Vec<OurStream<'_>> = theirs
        .iter()
        .enumerate()
        .map(|(at, stream)| match (bodies.get(at), strands.get(at), labels.get(at)) {
            (Some(body), Some(strand), Some(label)) if !strand.refused => {
                let text = std::str::from_utf8(body).unwrap_or_default();
                OurStream::Stream { text, label: Some(label), direction }
            }
            _ => OurStream::Refused(&stream.refusal),
        })
        .collect();
    sdp::merge(&streams).map(Bytes::from)
}

/// The addresses of all ports; None while one is not open.
pub(super) fn locals(calls: &Calls, strands: &[Strand]) -> Option<Vec<SocketAddr>> {
    strands.iter().map(|strand| calls.ports.local(strand.port)).collect()
}
