//! Whose phone is which, which can be rung, and which are busy. A phone has one call at a time; whoever dials a busy
//! one hears so.

use std::collections::{BTreeMap, BTreeSet};

use call::endpoint::Binding;
use model::{AgentId, Extension, LegId, config::Config};

use crate::{Floor, Output, lines::Lines};

#[derive(Debug)]
pub(crate) struct Phones {
    agents: BTreeMap<Extension, AgentId>,
    /// Every leg of a phone.
    legs: BTreeMap<LegId, Extension>,
    by_phone: BTreeMap<Extension, BTreeSet<LegId>>,
    /// Legs that the distributor counts as an agent's other call.
    other: BTreeMap<LegId, AgentId>,
    /// Legs that talk in a browser.
    browsers: BTreeSet<LegId>,
}

impl Phones {
    pub fn new(config: &Config) -> Self {
        let mut phones = Self {
            agents: BTreeMap::new(),
            legs: BTreeMap::new(),
            by_phone: BTreeMap::new(),
            other: BTreeMap::new(),
            browsers: BTreeSet::new(),
        };
        phones.configure(config);
        phones
    }

    pub fn configure(&mut self, config: &Config) {
        let phone = |(id, agent): (&AgentId, &model::config::Agent)| Some((agent.phone.clone()?, id.clone()));
        self.agents = config.agents.iter().rev().filter_map(phone).collect();
    }

    pub fn agent(&self, phone: &Extension) -> Option<&AgentId> {
        self.agents.get(phone)
    }

    pub fn is_busy(&self, phone: &Extension) -> bool {
        self.by_phone.get(phone).is_some_and(|legs| !legs.is_empty())
    }

    /// The phone's legs, in no order that means anything.
    pub fn legs(&self, phone: &Extension) -> impl Iterator<Item = LegId> + '_ {
        self.by_phone.get(phone).into_iter().flatten().copied()
    }

    pub fn phone_of(&self, leg: LegId) -> Option<&Extension> {
        self.legs.get(&leg)
    }

    pub fn add(&mut self, leg: LegId, phone: &Extension) {
        self.legs.insert(leg, phone.clone());
        self.by_phone.entry(phone.clone()).or_default().insert(leg);
    }

    pub fn in_browser(&mut self, leg: LegId) {
        self.browsers.insert(leg);
    }

    pub fn is_in_browser(&self, leg: LegId) -> bool {
        self.browsers.contains(&leg)
    }

    /// `new` goes on as what `old` was, on the same phone.
    pub fn take_place(&mut self, old: LegId, new: LegId) {
        if let Some(agent) = self.remove(old) {
            self.other.insert(new, agent);
        }
    }

    fn remove(&mut self, leg: LegId) -> Option<AgentId> {
        self.browsers.remove(&leg);
        let phone = self.legs.remove(&leg)?;
        if let Some(legs) = self.by_phone.get_mut(&phone) {
            legs.remove(&leg);
        }
        self.other.remove(&leg)
    }
}

impl<L: Lines> Floor<L> {
    /// A phone has a call that is no offer: its agent, if any, is busy with it.
    pub(crate) fn engage(&mut self, leg: LegId, phone: &Extension) {
        self.phones.add(leg, phone);
        if let Some(agent) = self.phones.agent(phone).cloned() {
            self.phones.other.insert(leg, agent.clone());
            self.ask_acd(acd::Input::OtherCallBegan { agent });
        }
    }

    pub(crate) fn disengage(&mut self, leg: LegId) {
        if let Some(agent) = self.phones.remove(leg) {
            self.ask_acd(acd::Input::OtherCallEnded { agent });
        }
    }

    pub(crate) fn registered(&mut self, phone: Extension, up: bool, binding: Binding) {
        if let Some(agent) = self.phones.agent(&phone).cloned() {
            match self.lines.is_registered(&phone) {
                true => self.phone_is_back(agent),
                false => self.phone_is_away(agent),
            }
        }
        if up {
            self.browser_is_back(&phone);
        }
        self.chronicle.put(Output::Registered { phone, up, binding });
    }
}
