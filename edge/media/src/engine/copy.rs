//! Copies of what is recorded, as packets to ports of their own (RFC 7866 §7.2): exactly what a recording of the same port
//! takes down, side by side, at the same moments. Costs nothing where there is none, and allocates for no packet.

use std::time::Instant;

use super::{AUDIO_MAX, Engine, PAYLOAD_MAX, Sink, port::Port};
use crate::{
    coder::{DECODED_MAX, Decoder, ENCODED_MAX, Encoder},
    g711::convert,
    plane::{Codec, Failure, PortId},
    rtp::HEADER_LEN,
    sound::{FRAME, Frame},
};

/// Packets of copies that one packet, or one tick of one mix, leads to at most; those beyond are lost.
const PENDING_MAX: usize = 1_024;

/// One packet on its way to a copy's port.
pub(super) struct Pending {
    to: PortId,
    codec: Codec,
    length: usize,
    payload: [u8; PAYLOAD_MAX],
}

/// What waits until the ports that it came from are let go of.
#[derive(Default)]
pub(super) struct Copies {
    pending: Vec<Pending>,
}

impl Copies {
    /// A copy begins: from here on there is room, so that no packet asks for any.
    pub fn prepare(&mut self) {
        self.pending.reserve_exact(PENDING_MAX.saturating_sub(self.pending.capacity()));
    }

    pub fn put(&mut self, to: PortId, codec: Codec, payload: &[u8]) {
        if self.pending.len() >= PENDING_MAX || payload.len() > PAYLOAD_MAX {
            return;
        }
        let mut copy = Pending { to, codec, length: payload.len(), payload: [0; PAYLOAD_MAX] };
        if let Some(place) = copy.payload.get_mut(..payload.len()) {
            place.copy_from_slice(payload);
        }
        self.pending.push(copy);
    }
}

/// What is said in a codec that the other end does not speak.
pub(super) struct Recoder {
    decoder: Decoder,
    encoder: Encoder,
    ready: [i16; DECODED_MAX + FRAME],
    have: usize,
}

impl Recoder {
    fn new(from: Codec, to: Codec) -> Self {
        let (decoder, encoder) = (Decoder::new(from), Encoder::new(to));
        Self { decoder, encoder, ready: [0; DECODED_MAX + FRAME], have: 0 }
    }

    fn is_for(&self, from: Codec, to: Codec) -> bool {
        (self.decoder.codec(), self.encoder.codec()) == (from, to)
    }

    fn hear(&mut self, payload: &[u8]) {
        let mut sound = [0; DECODED_MAX];
        let length = self.decoder.decode(payload, &mut sound);
        let end = self.have.saturating_add(length);
        if let (Some(place), Some(sound)) = (self.ready.get_mut(self.have..end), sound.get(..length)) {
            place.copy_from_slice(sound);
            self.have = end;
        }
    }

    /// The next 20 ms, when they are there.
    fn say(&mut self) -> Option<(usize, [u8; ENCODED_MAX])> {
        if self.have < FRAME {
            return None;
        }
        let mut frame: Frame = [0; FRAME];
        frame.copy_from_slice(self.ready.get(..FRAME)?);
        self.ready.copy_within(FRAME..self.have, 0);
        self.have = self.have.saturating_sub(FRAME);
        let mut payload = [0; ENCODED_MAX];
        Some((self.encoder.encode(&frame, &mut payload), payload))
    }
}

impl Engine {
    /// `Command::Copy`.
    pub(super) fn copy(&mut self, now: Instant, recording: &str, id: PortId, to: [PortId; 2]) {
        let Some(port) = self.ports.get_mut(id) else { return self.no_tape(recording, Failure::UnknownPort) };
        if port.tapes.len() >= super::TAPES_PER_PORT_MAX {
            return self.no_tape(recording, Failure::Limit);
        }
        if let Some(tape) = self.tapes.copy(now, recording, id, to) {
            port.tapes.push(tape);
        }
    }

    /// What was heard leaves.
    pub(super) fn send_copies(&mut self, now: Instant, sink: &mut impl Sink) {
        if self.tapes.copies.pending.is_empty() {
            return;
        }
        let mut pending = std::mem::take(&mut self.tapes.copies.pending);
        for copy in &pending {
            if let Some((slot, port)) = self.ports.find(copy.to) {
                send(now, slot, port, copy, sink);
            }
        }
        pending.clear();
        self.tapes.copies.pending = pending;
    }
}

fn send(now: Instant, slot: super::Slot, port: &mut Port, copy: &Pending, sink: &mut impl Sink) {
    let (Some(remote), Some(payload)) = (port.sendable(), copy.payload.get(..copy.length)) else { return };
    let mut out = [0_u8; AUDIO_MAX];
    if copy.codec.passes_as(remote.codec) {
        let (head, body) = out.split_at_mut(HEADER_LEN);
        head.copy_from_slice(&port.sender.next(now, COPY, remote.payload.sent));
        let Some(body) = body.get_mut(..copy.length) else { return };
        body.copy_from_slice(payload);
        convert(copy.codec, remote.codec, body);
        port.sender.carried(copy.length);
        return port.send(slot, &mut out, HEADER_LEN + copy.length, sink);
    }
    let mut recoder = match port.recoder.take() {
        Some(recoder) if recoder.is_for(copy.codec, remote.codec) => recoder,
        _ => Box::new(Recoder::new(copy.codec, remote.codec)),
    };
    recoder.hear(payload);
    while let Some((length, payload)) = recoder.say() {
        let (head, body) = out.split_at_mut(HEADER_LEN);
        if let (Some(body), Some(payload)) = (body.get_mut(..length), payload.get(..length))
            && length > 0
        {
            head.copy_from_slice(&port.sender.next(now, COPY, remote.payload.sent));
            body.copy_from_slice(payload);
            port.sender.carried(length);
            port.send(slot, &mut out, HEADER_LEN + length, sink);
        }
    }
    port.recoder = Some(recoder);
}

/// Feeder number of copies; nothing else feeds their ports.
const COPY: u64 = u64::MAX - 1;
