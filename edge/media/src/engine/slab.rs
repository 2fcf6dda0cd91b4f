//! Ports in a row: a packet finds its port by an index, and an index that is used again has another generation, so that
//! what belonged to the port before it finds nobody.

use std::collections::BTreeMap;

use super::port::Port;
use crate::plane::PortId;

/// Generations wrap beyond this, so that a shell can pack one beside other things.
pub const GENERATION_MAX: u32 = u32::MAX >> 4;

/// Where a port stands. The shell gives it back with every packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    pub index: u32,
    pub generation: u32,
}

#[derive(Default)]
pub(super) struct Ports {
    seats: Vec<Seat>,
    free: Vec<u32>,
    by_id: BTreeMap<PortId, u32>,
}

struct Seat {
    generation: u32,
    port: Option<Port>,
}

impl Ports {
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    pub fn contains(&self, id: PortId) -> bool {
        self.by_id.contains_key(&id)
    }

    pub fn insert(&mut self, id: PortId, port: Port) -> Option<Slot> {
        let index = match self.free.pop() {
            Some(index) => index,
            None => {
                let index = u32::try_from(self.seats.len()).ok()?;
                self.seats.push(Seat { generation: 0, port: None });
                index
            }
        };
        let seat = self.seats.get_mut(index as usize)?;
        seat.port = Some(port);
        self.by_id.insert(id, index);
        Some(Slot { index, generation: seat.generation })
    }

    pub fn remove(&mut self, id: PortId) -> Option<(Slot, Port)> {
        let index = self.by_id.remove(&id)?;
        let seat = self.seats.get_mut(index as usize)?;
        let slot = Slot { index, generation: seat.generation };
        seat.generation = seat.generation.wrapping_add(1) & GENERATION_MAX;
        self.free.push(index);
        Some((slot, seat.port.take()?))
    }

    pub fn slot(&self, id: PortId) -> Option<Slot> {
        let index = *self.by_id.get(&id)?;
        Some(Slot { index, generation: self.seats.get(index as usize)?.generation })
    }

    pub fn get_mut(&mut self, id: PortId) -> Option<&mut Port> {
        let index = *self.by_id.get(&id)?;
        self.at_mut(index)
    }

    pub fn find(&mut self, id: PortId) -> Option<(Slot, &mut Port)> {
        let slot = self.slot(id)?;
        Some((slot, self.at_mut(slot.index)?))
    }

    pub fn at(&self, index: u32) -> Option<&Port> {
        self.seats.get(index as usize)?.port.as_ref()
    }

    pub fn at_mut(&mut self, index: u32) -> Option<&mut Port> {
        self.seats.get_mut(index as usize)?.port.as_mut()
    }

    /// The port that stands here still, and the one that it is joined to.
    pub fn pair(&mut self, slot: Slot) -> Option<(&mut Port, Option<(Slot, &mut Port)>)> {
        let seat = self.seats.get(slot.index as usize).filter(|seat| seat.generation == slot.generation)?;
        match seat.port.as_ref()?.joined {
            None => Some((self.at_mut(slot.index)?, None)),
            Some(peer) => {
                let [own, other] = self.seats.get_disjoint_mut([slot.index as usize, peer as usize]).ok()?;
                let place = Slot { index: peer, generation: other.generation };
                Some((own.port.as_mut()?, other.port.as_mut().map(|port| (place, port))))
            }
        }
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = (Slot, &mut Port)> {
        self.seats.iter_mut().enumerate().filter_map(|(index, seat)| {
            let slot = Slot { index: u32::try_from(index).ok()?, generation: seat.generation };
            Some((slot, seat.port.as_mut()?))
        })
    }
}
