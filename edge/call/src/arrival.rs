//! What a trunk says around its calls, in our terms: numbers in one spelling, the way a call came, why it ended.

use model::LegId;
use model::cdr::Released;
use model::fact;
use sip::endpoint::{Diverted, DivertedFor, Invited};
use sip::message::Release;

use crate::calls::Calls;
use crate::identity;
use crate::leg::{Event, Party};
use crate::numbers;

impl Calls {
    /// The number that was called and the caller's, by the trunk's rules. A call that was sent on to a number that is
    /// not ours is for the one of ours that was called first.
    pub(crate) fn called(&self, party: &Party, invited: &Invited) -> (String, String) {
        let site = &self.config.site;
        let rules = match party {
            Party::Trunk { trunk, .. } => site.trunks.get(trunk).map(|trunk| &trunk.carrier.numbers),
            Party::Phone(_) | Party::Unproved | Party::Tunnel(_) => None,
        };
        let Some(rules) = rules else { return (invited.to.clone(), invited.from.clone()) };
        let plan = &site.site.dialling;
        let called = numbers::arrived(plan, &rules.called, &invited.to);
        let first = invited.diverted.as_ref().map(|diverted| numbers::arrived(plan, &rules.called, &diverted.from));
        let ours = numbers::own(site, &called).or_else(|| numbers::own(site, &first?));
        let caller = numbers::arrived(plan, &rules.caller, &invited.from);
        (ours.map_or(called, ToString::to_string), caller)
    }

    pub(crate) fn diverted(&mut self, leg: LegId, diverted: &Diverted) {
        let from = numbers::own(&self.config.site, &diverted.from).cloned();
        let why = match diverted.why {
            DivertedFor::Always => fact::DivertedFor::Always,
            DivertedFor::Busy => fact::DivertedFor::Busy,
            DivertedFor::NoAnswer => fact::DivertedFor::NoAnswer,
            DivertedFor::Unavailable => fact::DivertedFor::Unavailable,
            DivertedFor::Deflection => fact::DivertedFor::Deflection,
            DivertedFor::Other => fact::DivertedFor::Other,
        };
        self.tell(Event::Diverted { leg, from, why, hops: diverted.hops });
    }

    /// A trunk's own words; a phone's interest nobody.
    pub(crate) fn released(&mut self, leg: LegId, status: Option<u16>, why: Option<Release>) {
        let outside = self.legs.get(&leg).is_some_and(|leg| matches!(leg.party, Party::Trunk { .. }));
        if outside && (status.is_some() || why.is_some()) {
            let Release { q850, sip } = why.unwrap_or_default();
            self.tell(Event::Released { leg, released: Released { status, q850, sip } });
        }
    }

    /// The codecs that a party's trunk is held to.
    pub(crate) fn codecs(&self, party: &Party) -> &[String] {
        match party {
            Party::Trunk { trunk, .. } => self.config.site.trunks.get(trunk).map_or(&[], |trunk| &trunk.carrier.codecs),
            Party::Phone(_) | Party::Unproved | Party::Tunnel(_) => &[],
        }
    }

    pub(crate) fn passes_early(&self, leg: LegId, authorised: bool) -> bool {
        let trunk = self.legs.get(&leg).and_then(|leg| match &leg.party {
            Party::Trunk { trunk, .. } => self.config.site.trunks.get(trunk),
            Party::Phone(_) | Party::Unproved | Party::Tunnel(_) => None,
        });
        trunk.is_none_or(|trunk| identity::passes_early(trunk, authorised))
    }
}
