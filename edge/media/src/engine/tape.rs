//! What is being recorded: each tape fills a batch, and all batches are handed over together, so that one sync makes
//! them all durable.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::{Sink, copy::Copies};
use crate::{
    plane::{Codec, PortId, Side},
    record::{Batch, CHUNK_MS_MAX, Heard},
};

/// Batches are closed this often: what is left of `CHUNK_MS_MAX` is for encrypting, writing and syncing them.
pub const CLOSE_EVERY: Duration = Duration::from_millis(CHUNK_MS_MAX - 100);
/// Recordings of one port at a time.
pub const TAPES_PER_PORT_MAX: usize = 4;

/// A recording while it runs; the shell knows it by this number, which is used again after its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TapeId(pub u32);

pub(super) struct Tape {
    pub port: PortId,
    began: Instant,
    batch: Batch,
    /// It is no file, but goes to these ports: the caller's side and the agent's.
    to: Option<[PortId; 2]>,
    pub paused: bool,
}

#[derive(Default)]
pub(super) struct Tapes {
    all: Vec<Option<Tape>>,
    free: Vec<u32>,
    by_name: BTreeMap<String, TapeId>,
    pub copies: Copies,
    closed: Option<Instant>,
}

impl Tapes {
    pub fn begin(&mut self, now: Instant, name: &str, port: PortId, sink: &mut impl Sink) -> Option<TapeId> {
        let id = self.add(name, Tape { port, began: now, batch: Batch::default(), to: None, paused: false })?;
        sink.record_begin(id, name);
        Some(id)
    }

    /// A copy: the shell knows nothing of it.
    pub fn copy(&mut self, now: Instant, name: &str, port: PortId, to: [PortId; 2]) -> Option<TapeId> {
        let id = self.add(name, Tape { port, began: now, batch: Batch::default(), to: Some(to), paused: false })?;
        self.copies.prepare();
        Some(id)
    }

    fn add(&mut self, name: &str, tape: Tape) -> Option<TapeId> {
        if self.by_name.contains_key(name) {
            return None;
        }
        let id = match self.free.pop() {
            Some(index) => TapeId(index),
            None => {
                self.all.push(None);
                TapeId(u32::try_from(self.all.len() - 1).ok()?)
            }
        };
        *self.all.get_mut(id.0 as usize)? = Some(tape);
        self.by_name.insert(name.to_owned(), id);
        Some(id)
    }

    /// The tape's port, which is to forget it.
    pub fn end(&mut self, name: &str, sink: &mut impl Sink) -> Option<(TapeId, PortId)> {
        let id = self.by_name.remove(name)?;
        let mut tape = self.all.get_mut(id.0 as usize)?.take()?;
        self.free.push(id.0);
        if tape.to.is_none() {
            sink.batch(id, &mut tape.batch);
            sink.record_end(id);
        }
        Some((id, tape.port))
    }

    pub fn names_of(&self, port: PortId) -> Vec<String> {
        let of_port = |id: TapeId| self.all.get(id.0 as usize)?.as_ref().map(|tape| tape.port);
        self.by_name.iter().filter(|(_, id)| of_port(**id) == Some(port)).map(|(name, _)| name.clone()).collect()
    }

    /// All copies, and where each goes.
    pub fn copied(&self) -> Vec<(String, [PortId; 2])> {
        let to = |id: TapeId| self.all.get(id.0 as usize)?.as_ref()?.to;
        self.by_name.iter().filter_map(|(name, id)| Some((name.clone(), to(*id)?))).collect()
    }

    pub fn pause(&mut self, name: &str, paused: bool) {
        if let Some(id) = self.by_name.get(name)
            && let Some(Some(tape)) = self.all.get_mut(id.0 as usize)
        {
            tape.paused = paused;
        }
    }

    #[allow(clippy::too_many_arguments)]
    pub fn hear(
        &mut self,
        now: Instant,
        tapes: &[TapeId],
        side: Side,
        codec: Codec,
        timestamp: u32,
        payload: &[u8],
        sink: &mut impl Sink,
    ) {
        for id in tapes {
            let Some(Some(tape)) = self.all.get_mut(id.0 as usize) else { continue };
            if tape.paused {
                continue;
            }
            if let Some([caller, agent]) = tape.to {
                let to = if side == Side::Caller { caller } else { agent };
                self.copies.put(to, codec, payload);
                continue;
            }
            let at_ms = u32::try_from(now.saturating_duration_since(tape.began).as_millis()).unwrap_or(u32::MAX);
            let heard = Heard { side, codec, timestamp, at_ms, payload };
            if !tape.batch.push(&heard) {
                sink.batch(*id, &mut tape.batch);
                if !tape.batch.push(&heard) {
                    tape.batch.lose(1);
                }
            }
        }
    }

    /// Hands over all batches that hold something, when it is time.
    pub fn tick(&mut self, now: Instant, sink: &mut impl Sink) {
        // Half a tick early rather than half a tick late.
        let due =
            self.closed.is_none_or(|at| now.saturating_duration_since(at) + Duration::from_millis(10) >= CLOSE_EVERY);
        if !due {
            return;
        }
        self.closed = Some(now);
        let mut any = false;
        for (index, tape) in self.all.iter_mut().enumerate() {
            let (Some(tape), Ok(id)) = (tape, u32::try_from(index)) else { continue };
            if !tape.batch.is_empty() {
                sink.batch(TapeId(id), &mut tape.batch);
                any = true;
            }
        }
        if any {
            sink.batches_end();
        }
    }
}
