//! Mixes: ports that hear several others. Only they are decoded; a port is in one mix or one join.

use std::{collections::BTreeMap, time::Instant};

use super::{AUDIO_MAX, Engine, Sink, Slot, seat::Seat};
use crate::{
    coder::ENCODED_MAX,
    plane::{self, Codec, Failure, MixId, PortId, Side},
    rtp::{HEADER_LEN, Header},
    sound,
};

/// Parties of one mix: a bit for each.
pub const SEATS_MAX: usize = 16;
/// Mixes at once.
pub const MIXES_MAX: usize = 256;

/// Where a port sits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    mix: MixId,
    seat: u8,
}

#[derive(Default)]
pub(super) struct Mixes {
    all: BTreeMap<MixId, Vec<Seat>>,
}

impl Mixes {
    /// A packet of somebody in a mix.
    pub fn hear(&mut self, now: Instant, place: Place, codec: Codec, header: &Header, payload: &[u8]) {
        if let Some(seat) = self.all.get_mut(&place.mix).and_then(|seats| seats.get_mut(usize::from(place.seat))) {
            seat.hear(now, codec, header, payload);
        }
    }

    /// Somebody in a mix is silent on purpose.
    pub fn calm(&mut self, place: Place, payload: &[u8]) {
        if let Some(seat) = self.all.get_mut(&place.mix).and_then(|seats| seats.get_mut(usize::from(place.seat))) {
            seat.calm(payload);
        }
    }

    /// The ports that hear what this one sends.
    pub fn hearers(&self, place: Place) -> impl Iterator<Item = PortId> + '_ {
        let bit = 1_u16.checked_shl(place.seat.into()).unwrap_or(0);
        self.all.get(&place.mix).into_iter().flatten().filter(move |seat| seat.hears & bit != 0).map(|seat| seat.port)
    }
}

impl Engine {
    /// `Command::Mix`.
    pub(super) fn mix(&mut self, mix: MixId, wanted: &[plane::Seat]) {
        let known = self.mixes.all.contains_key(&mix);
        let pairs = mix.0 >= PAIRS;
        if wanted.len() > SEATS_MAX || !known && !pairs && self.mixes.all.len() >= MIXES_MAX {
            return self.fail(wanted.first().map_or(PortId(0), |seat| seat.port), Failure::Limit);
        }
        for seat in wanted {
            if !self.is_transcoded(seat.port) {
                self.part(seat.port);
            }
            if self.ports.get_mut(seat.port).is_some_and(|port| port.place.is_some_and(|place| place.mix != mix)) {
                self.leave_mix(seat.port);
            }
        }
        let mut before = self.mixes.all.remove(&mix).unwrap_or_default();
        for seat in &before {
            if let Some(port) = self.ports.get_mut(seat.port) {
                port.place = None;
            }
        }
        let mut seats: Vec<Seat> = Vec::with_capacity(wanted.len());
        for seat in wanted {
            let kept = before.iter().position(|old| old.port == seat.port).map(|at| before.swap_remove(at));
            match kept.or_else(|| self.seat(seat.port)) {
                Some(seat) if seats.iter().all(|other| other.port != seat.port) => seats.push(seat),
                Some(_) => {}
                None => self.fail(seat.port, Failure::UnknownPort),
            }
        }
        let hears = |port: PortId| wanted.iter().find(|seat| seat.port == port).map_or(&[][..], |seat| &seat.hears);
        let ports: Vec<PortId> = seats.iter().map(|seat| seat.port).collect();
        for seat in &mut seats {
            // Nobody hears themselves.
            let heard = hears(seat.port).iter().filter(|other| **other != seat.port);
            seat.hears = heard.filter_map(|other| bit(&ports, *other)).fold(0, |all, one| all | one);
        }
        self.seated(mix, seats);
    }

    fn seat(&mut self, id: PortId) -> Option<Seat> {
        let slot = self.ports.slot(id)?;
        let codec = self.ports.get_mut(id)?.remote.map_or(Codec::Pcma, |remote| remote.codec);
        Some(Seat::new(id, slot, codec, self.levelled))
    }

    fn seated(&mut self, mix: MixId, seats: Vec<Seat>) {
        for (at, seat) in (0_u8..).zip(&seats) {
            if let Some(port) = self.ports.get_mut(seat.port) {
                port.place = Some(Place { mix, seat: at });
            }
        }
        if !seats.is_empty() {
            self.mixes.all.insert(mix, seats);
        }
    }

    /// The port is closed, or joined to another.
    pub(super) fn leave_mix(&mut self, id: PortId) {
        let Some(place) = self.ports.get_mut(id).and_then(|port| port.place.take()) else { return };
        let Some(mut seats) = self.mixes.all.remove(&place.mix) else { return };
        let gone = usize::from(place.seat);
        if gone < seats.len() {
            seats.remove(gone);
        }
        for seat in &mut seats {
            let below = seat.hears & ((1 << gone) - 1);
            let above = seat.hears.checked_shr(u32::from(place.seat) + 1).unwrap_or(0);
            seat.hears = below | above << gone;
        }
        self.seated(place.mix, seats);
    }

    /// Two ports whose codecs can be passed on as they are.
    pub(super) fn passes(&mut self, a: PortId, b: PortId) -> bool {
        let codec = |engine: &mut Self, port| Some(engine.ports.get_mut(port)?.remote?.codec);
        match (codec(self, a), codec(self, b)) {
            (Some(a), Some(b)) => a.passes_as(b),
            _ => true,
        }
    }

    /// A join of two who share no codec: a mix of their own.
    pub(super) fn transcode(&mut self, a: PortId, b: PortId) {
        let Some(mix) = self.ports.slot(a).map(pair) else { return };
        self.mix(mix, &[plane::Seat { port: a, hears: vec![b] }, plane::Seat { port: b, hears: vec![a] }]);
    }

    pub(super) fn is_transcoded(&mut self, id: PortId) -> bool {
        self.ports.get_mut(id).and_then(|port| port.place).is_some_and(|place| place.mix.0 >= PAIRS)
    }

    pub(super) fn untranscode(&mut self, id: PortId) {
        if let Some(place) = self.ports.get_mut(id).and_then(|port| port.place) {
            self.mix(place.mix, &[]);
        }
    }

    /// A port's codec may have changed: its join is made anew, as it must be now.
    pub(super) fn rejoin(&mut self, id: PortId) {
        let joined = self.ports.get_mut(id).and_then(|port| port.joined);
        let peer = match joined {
            Some(peer) => self.ports.at(peer).map(|peer| peer.id),
            None if self.is_transcoded(id) => self.partner(id),
            None => None,
        };
        if let Some(peer) = peer
            && self.passes(id, peer) != joined.is_some()
        {
            self.join(id, peer);
        }
    }

    #[cfg(test)]
    pub(super) fn mixes_are_empty(&self) -> bool {
        self.mixes.all.is_empty()
    }

    fn partner(&mut self, id: PortId) -> Option<PortId> {
        let place = self.ports.get_mut(id)?.place?;
        self.mixes.all.get(&place.mix)?.iter().map(|seat| seat.port).find(|port| *port != id)
    }

    /// 20 ms of every mix.
    pub(super) fn tick_mixes(&mut self, now: Instant, sink: &mut impl Sink) {
        let (ports, tapes) = (&mut self.ports, &mut self.tapes);
        for seats in self.mixes.all.values_mut() {
            seats.iter_mut().for_each(Seat::tick);
            for at in 0..seats.len() {
                let Some(hears) = seats.get(at).map(|seat| seat.hears).filter(|hears| *hears != 0) else { continue };
                let heard = sound::mix(
                    seats.iter().enumerate().filter(|(n, _)| hears >> n & 1 != 0).map(|(_, seat)| &seat.said),
                );
                let Some(seat) = seats.get_mut(at) else { continue };
                let Some(port) = ports.at_mut(seat.slot.index).filter(|port| port.id == seat.port) else { continue };
                let Some((codec, sent)) = port.remote.map(|remote| (remote.codec, remote.payload.sent)) else {
                    continue;
                };
                let mut payload = [0; ENCODED_MAX];
                let (length, clock) = seat.encode(codec, &heard, &mut payload);
                if length == 0 {
                    continue;
                }
                let Some(payload) = payload.get(..length) else { continue };
                tapes.hear(now, &port.tapes, Side::Agent, codec, clock, payload, sink);
                if port.sendable().is_none() || port.is_speaking(now) {
                    continue;
                }
                let mut out = [0_u8; AUDIO_MAX];
                let (head, body) = out.split_at_mut(HEADER_LEN);
                head.copy_from_slice(&port.sender.next(now, MIXED, sent));
                if let Some(body) = body.get_mut(..length) {
                    body.copy_from_slice(payload);
                }
                port.sender.carried(length);
                port.send(seat.slot, &mut out, HEADER_LEN + length, sink);
            }
        }
    }
}

/// Mixes of this number and above are joins of two. *Calls* chooses numbers below 2^53.
const PAIRS: u64 = 1 << 63;

fn pair(first: Slot) -> MixId {
    MixId(PAIRS | u64::from(first.index))
}

/// Feeder number of a mix; a port's is its id plus one.
const MIXED: u64 = u64::MAX;

fn bit(ports: &[PortId], port: PortId) -> Option<u16> {
    let at = ports.iter().position(|other| *other == port)?;
    1_u16.checked_shl(u32::try_from(at).ok()?)
}
