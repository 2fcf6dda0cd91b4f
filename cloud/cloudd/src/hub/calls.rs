//! Which two boxes an overflow call is between, and whether its media may flow. A table without I/O: the hub asks it
//! where a signal or a datagram goes.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use model::{
    BoxId, OverflowId, SiteId,
    overflow::{Kind, Refusal, Signal},
};
use wire::media::flow_of;

/// Overflow calls at one time.
pub const CALLS_MAX: usize = 4_096;
/// A call without signals is forgotten after this: longer than any call.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(6 * 3600);

#[derive(Debug, Clone)]
struct Call {
    origin: BoxId,
    origin_site: SiteId,
    helper: BoxId,
    helper_site: SiteId,
    flow: u64,
    accepted: bool,
    heard: Instant,
}

#[derive(Debug, Default)]
pub struct Calls {
    calls: BTreeMap<OverflowId, Call>,
    flows: BTreeMap<u64, OverflowId>,
}

impl Calls {
    /// The box that this signal of `from` goes to. `linked` finds a box of the addressed site for a new call. On a
    /// refusal nothing has changed.
    pub fn route(
        &mut self,
        now: Instant,
        from: BoxId,
        signal: &Signal,
        linked: impl FnOnce(&SiteId) -> Option<BoxId>,
    ) -> Result<BoxId, Refusal> {
        if let Kind::Offer { .. } = signal.kind {
            return self.offer(now, from, signal, linked);
        }
        let call = self.calls.get_mut(&signal.overflow).ok_or(Refusal::NotLinked)?;
        let (to, by_helper) = if call.origin == from && call.origin_site == signal.from {
            (call.helper, false)
        } else if call.helper == from && call.helper_site == signal.from {
            (call.origin, true)
        } else {
            return Err(Refusal::NotAllowed);
        };
        call.heard = now;
        match signal.kind {
            // Only the helper can accept: the origin asked.
            Kind::Accept { .. } if by_helper => call.accepted = true,
            Kind::Accept { .. } | Kind::Ringing if !by_helper => return Err(Refusal::NotAllowed),
            Kind::End | Kind::Refuse { .. } => self.forget(signal.overflow),
            _ => {}
        }
        Ok(to)
    }

    fn offer(
        &mut self,
        now: Instant,
        from: BoxId,
        signal: &Signal,
        linked: impl FnOnce(&SiteId) -> Option<BoxId>,
    ) -> Result<BoxId, Refusal> {
        self.calls_of_the_past(now);
        let helper = linked(&signal.to).ok_or(Refusal::NotLinked)?;
        let flow = flow_of(signal.overflow);
        if helper == from || self.calls.contains_key(&signal.overflow) || self.flows.contains_key(&flow) {
            return Err(Refusal::NotAllowed);
        }
        if self.calls.len() >= CALLS_MAX {
            return Err(Refusal::Overload);
        }
        let (origin_site, helper_site) = (signal.from.clone(), signal.to.clone());
        let call = Call { origin: from, origin_site, helper, helper_site, flow, accepted: false, heard: now };
        self.calls.insert(signal.overflow, call);
        self.flows.insert(flow, signal.overflow);
        Ok(helper)
    }

    /// The box that a datagram of this flow from `from` goes to; None unless the call was accepted.
    pub fn media(&self, from: BoxId, flow: u64) -> Option<BoxId> {
        let call = self.flows.get(&flow).and_then(|overflow| self.calls.get(overflow)).filter(|call| call.accepted)?;
        if call.origin == from { Some(call.helper) } else { (call.helper == from).then_some(call.origin) }
    }

    pub fn len(&self) -> usize {
        self.calls.len()
    }

    fn forget(&mut self, overflow: OverflowId) {
        if let Some(call) = self.calls.remove(&overflow) {
            self.flows.remove(&call.flow);
        }
    }

    fn calls_of_the_past(&mut self, now: Instant) {
        let old = |call: &Call| now.saturating_duration_since(call.heard) >= FORGOTTEN_AFTER;
        let past: Vec<OverflowId> = self.calls.iter().filter(|(_, call)| old(call)).map(|(id, _)| *id).collect();
        past.into_iter().for_each(|overflow| self.forget(overflow));
    }
}

#[cfg(test)]
mod tests {
    use model::{
        QueueId,
        config::Locality,
        overflow::{Passport, PublicKey},
    };

    use super::*;

    const NORTH: BoxId = BoxId(1);
    const SOUTH: BoxId = BoxId(2);
    const EAST: BoxId = BoxId(3);

    fn key() -> PublicKey {
        PublicKey { key: String::new(), signature: String::new(), certificate: String::new() }
    }

    fn offer() -> Kind {
        let passport = Passport { locality: Locality::MayLeave, show_number: false, may_record: false, hops: 0 };
        Kind::Offer { queue: QueueId::new("sales").unwrap(), passport, key: key() }
    }

    fn signal(overflow: u128, from: &str, to: &str, kind: Kind) -> Signal {
        let site = |text| SiteId::new(text).unwrap();
        Signal { overflow: OverflowId(overflow), from: site(from), to: site(to), kind }
    }

    fn south(_: &SiteId) -> Option<BoxId> {
        Some(SOUTH)
    }

    #[test]
    fn media_flows_between_the_two_boxes_of_an_accepted_call_until_its_end() {
        let (mut calls, now) = (Calls::default(), Instant::now());
        let flow = flow_of(OverflowId(5));
        assert_eq!(calls.route(now, NORTH, &signal(5, "north", "south", offer()), south), Ok(SOUTH));
        assert_eq!(calls.media(NORTH, flow), None, "not accepted");
        let accept = signal(5, "south", "north", Kind::Accept { key: key() });
        assert_eq!(calls.route(now, SOUTH, &accept, south), Ok(NORTH));
        assert_eq!(calls.media(NORTH, flow), Some(SOUTH));
        assert_eq!(calls.media(SOUTH, flow), Some(NORTH));
        assert_eq!(calls.media(EAST, flow), None, "a stranger");
        assert_eq!(calls.route(now, NORTH, &signal(5, "north", "south", Kind::End), south), Ok(SOUTH));
        assert_eq!(calls.media(NORTH, flow), None);
        assert_eq!(calls.len(), 0);
    }

    #[test]
    fn strangers_and_turned_roles_are_refused() {
        let (mut calls, now) = (Calls::default(), Instant::now());
        calls.route(now, NORTH, &signal(5, "north", "south", offer()), south).unwrap();
        for (from, signal) in [
            (EAST, signal(5, "east", "north", Kind::End)),
            (NORTH, signal(5, "north", "south", Kind::Accept { key: key() })),
            (NORTH, signal(5, "north", "south", Kind::Ringing)),
            (EAST, signal(5, "east", "south", offer())),
        ] {
            assert_eq!(calls.route(now, from, &signal, south), Err(Refusal::NotAllowed), "{signal:?}");
        }
        let unknown = signal(6, "north", "south", Kind::Ringing);
        assert_eq!(calls.route(now, NORTH, &unknown, south), Err(Refusal::NotLinked));
        let nobody = signal(7, "north", "west", offer());
        assert_eq!(calls.route(now, NORTH, &nobody, |_| None), Err(Refusal::NotLinked));
        assert_eq!(calls.len(), 1);
    }

    #[test]
    fn there_is_a_limit_and_forgotten_calls_make_room() {
        let (mut calls, now) = (Calls::default(), Instant::now());
        for n in 0..CALLS_MAX as u128 {
            calls.route(now, NORTH, &signal(n, "north", "south", offer()), south).unwrap();
        }
        let more = signal(u64::MAX.into(), "north", "south", offer());
        assert_eq!(calls.route(now, NORTH, &more, south), Err(Refusal::Overload));
        assert_eq!(calls.route(now + FORGOTTEN_AFTER, NORTH, &more, south), Ok(SOUTH));
        assert_eq!(calls.len(), 1);
    }
}
