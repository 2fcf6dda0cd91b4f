//! Which agent a customer spoke with last, by the customer's number. Personal data: it lives in memory and comes from the
//! personal records beside the ledger's chain, never into a fact.

use std::collections::{BTreeMap, BTreeSet};

use model::AgentId;

/// Customers who are known; the one served longest ago makes room.
pub const REGULARS_MAX: usize = 20_000;

#[derive(Default)]
pub(crate) struct Regulars {
    agents: BTreeMap<String, (u64, AgentId)>,
    order: BTreeSet<(u64, String)>,
    last: u64,
}

impl Regulars {
    /// A withheld number is nobody's.
    pub fn served(&mut self, number: &str, agent: &AgentId) {
        if !number.bytes().any(|b| b.is_ascii_digit()) {
            return;
        }
        self.last += 1;
        if let Some((before, _)) = self.agents.insert(number.to_owned(), (self.last, agent.clone())) {
            self.order.remove(&(before, number.to_owned()));
        }
        self.order.insert((self.last, number.to_owned()));
        if self.agents.len() > REGULARS_MAX
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.agents.remove(&oldest);
        }
    }

    pub fn agent_of(&self, number: &str) -> Option<AgentId> {
        self.agents.get(number).map(|(_, agent)| agent.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_agent_counts_and_the_oldest_customer_makes_room() {
        let agent = |text: &str| AgentId::new(text).unwrap();
        let mut regulars = Regulars::default();
        regulars.served("100", &agent("ann"));
        regulars.served("100", &agent("bob"));
        regulars.served("anonymous", &agent("ann"));
        assert_eq!(regulars.agent_of("100"), Some(agent("bob")));
        assert_eq!(regulars.agent_of("anonymous"), None);
        for n in 1_000..1_000 + REGULARS_MAX {
            regulars.served(&n.to_string(), &agent("ann"));
        }
        assert_eq!(regulars.agent_of("100"), None);
        assert_eq!(regulars.agent_of("1000"), Some(agent("ann")));
        assert_eq!((regulars.agents.len(), regulars.order.len()), (REGULARS_MAX, REGULARS_MAX));
    }
}
