//! The table of fields: what type each has, its bounds, which documents may say it, and who wins when several do.

use model::change::Doc::{self, Local, Org, Site};

/// A field's type and bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Flag,
    /// Whole number, both ends allowed.
    Int(i64, i64),
    /// As `Int`, or null: not needed, not had.
    Level,
    /// At most this many characters.
    Text(usize),
    /// An id, or null for none.
    Id,
    /// `local_only` or `may_leave`.
    Locality,
}

/// Who wins. Documents speak in the order org, site, local.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Merge {
    /// The later document, where the branch may speak.
    Last,
    /// True when any of them says so.
    Union,
    /// The strictest of all, whoever said it.
    Strictest,
}

#[derive(Debug)]
pub(crate) struct Rule {
    /// `*` stands for one part.
    pub path: &'static str,
    pub is: Type,
    pub by: &'static [Doc],
    pub merge: Merge,
}

const LABEL: Type = Type::Text(LABEL_MAX);
pub(crate) const LABEL_MAX: usize = 60;
pub(crate) const LEVEL: (i64, i64) = (1, 10);
pub(crate) const FLOW_MAX: usize = 16_000;
/// A dial plan and a place are one text each.
pub(crate) const DIALLING_MAX: usize = 8_000;
pub(crate) const PLACE_MAX: usize = 1_200;
/// So is how a queue chooses.
pub(crate) const ROUTING_MAX: usize = 4_000;
/// So is how customers are called back.
pub(crate) const CALLBACK_MAX: usize = 400;
/// Of alert thresholds as they are written.
pub(crate) const ALERTS_MAX: usize = 400;
/// So is how calls are recorded.
pub(crate) const RECORDING_MAX: usize = 400;
/// So is what a queue asks of who writes a contact up.
pub(crate) const DISPOSITIONS_MAX: usize = 5_000;
/// So is where a phone's calls go.
pub(crate) const FORWARD_MAX: usize = 400;
/// So is an outage drill.
pub(crate) const DRILL_MAX: usize = 60;
/// So is how a carrier is treated.
pub(crate) const CARRIER_MAX: usize = 4_000;

const fn rule(path: &'static str, is: Type, by: &'static [Doc]) -> Rule {
    Rule { path, is, by, merge: Merge::Last }
}

const CENTRE: &[Doc] = &[Site];
const BRANCH: &[Doc] = &[Site, Local];

pub(crate) const RULES: &[Rule] = &[
    rule("site/label", LABEL, CENTRE),
    rule("site/time_zone", Type::Text(40), CENTRE),
    Rule { path: "site/emergency/*", is: Type::Flag, by: &[Org, Site], merge: Merge::Union },
    rule("site/outward", Type::Id, CENTRE),
    rule("site/dialling", Type::Text(DIALLING_MAX), CENTRE),
    rule("site/recording", Type::Text(RECORDING_MAX), CENTRE),
    rule("site/closed", Type::Flag, BRANCH),
    rule("site/drill", Type::Text(DRILL_MAX), BRANCH),
    rule("site/pauses/*", LABEL, BRANCH),
    rule("site/dispositions/*", LABEL, BRANCH),
    rule("places/*", Type::Text(PLACE_MAX), CENTRE),
    rule("queues/*/is", Type::Flag, CENTRE),
    rule("queues/*/label", LABEL, CENTRE),
    rule("queues/*/skills/*", Type::Level, CENTRE),
    rule("queues/*/music", Type::Id, BRANCH),
    rule("queues/*/position_every_s", Type::Int(0, 600), BRANCH),
    rule("queues/*/ring_s", Type::Int(5, 300), BRANCH),
    rule("queues/*/wrap_up_s", Type::Int(0, 3_600), BRANCH),
    rule("queues/*/service_level_s", Type::Int(1, 3_600), BRANCH),
    rule("queues/*/hours", Type::Id, BRANCH),
    rule("queues/*/recorded", Type::Flag, CENTRE),
    rule("queues/*/recording", Type::Text(RECORDING_MAX), CENTRE),
    rule("queues/*/closed", Type::Flag, BRANCH),
    Rule { path: "queues/*/locality", is: Type::Locality, by: &[Org, Site, Local], merge: Merge::Strictest },
    rule("queues/*/overflow_after_s", Type::Int(0, 3_600), CENTRE),
    rule("queues/*/overflow_to", Type::Text(700), CENTRE),
    rule("queues/*/routing", Type::Text(ROUTING_MAX), BRANCH),
    rule("queues/*/callback", Type::Text(CALLBACK_MAX), BRANCH),
    rule("queues/*/alerts", Type::Text(ALERTS_MAX), BRANCH),
    rule("queues/*/dispositions", Type::Text(DISPOSITIONS_MAX), BRANCH),
    rule("agents/*/is", Type::Flag, BRANCH),
    rule("agents/*/badge", LABEL, BRANCH),
    rule("agents/*/phone", Type::Id, BRANCH),
    rule("agents/*/skills/*", Type::Level, BRANCH),
    rule("agents/*/queues/*", Type::Flag, BRANCH),
    rule("phones/*/is", Type::Flag, BRANCH),
    rule("phones/*/label", LABEL, BRANCH),
    rule("phones/*/number", Type::Id, CENTRE),
    rule("phones/*/place", Type::Id, BRANCH),
    rule("phones/*/protection", Type::Id, CENTRE),
    rule("phones/*/forward", Type::Text(FORWARD_MAX), BRANCH),
    rule("trunks/*/is", Type::Flag, CENTRE),
    rule("trunks/*/label", LABEL, CENTRE),
    rule("trunks/*/kind", Type::Text(600), CENTRE),
    rule("trunks/*/calls_max", Type::Int(1, 1_000), CENTRE),
    rule("trunks/*/behind_nat", Type::Flag, CENTRE),
    rule("trunks/*/spelling", Type::Id, CENTRE),
    rule("trunks/*/protection", Type::Id, CENTRE),
    rule("trunks/*/carrier", Type::Text(CARRIER_MAX), CENTRE),
    rule("numbers/*", Type::Id, CENTRE),
    rule("flows/*", Type::Text(FLOW_MAX), CENTRE),
    rule("flow_versions/*/*", Type::Text(FLOW_MAX), CENTRE),
    rule("hours/*/is", Type::Flag, BRANCH),
    rule("hours/*/label", LABEL, BRANCH),
    rule("hours/*/week/*", Type::Text(200), BRANCH),
    rule("hours/*/closed/*", Type::Flag, BRANCH),
];

/// How many of each there may be.
pub(crate) mod most {
    pub const EMERGENCY: usize = 32;
    pub const TARIFFS: usize = 64;
    pub const QUEUES: usize = 200;
    pub const AGENTS: usize = 2_000;
    pub const PHONES: usize = 6_000;
    pub const TRUNKS: usize = 64;
    pub const NUMBERS: usize = 2_000;
    pub const FLOWS: usize = 200;
    pub const HOURS: usize = 100;
    pub const PLACES: usize = 500;
    /// Reasons for being not ready.
    pub const PAUSES: usize = 32;
    pub const DISPOSITIONS: usize = model::disposition::DISPOSITIONS_MAX;
    /// Countries, and premium classes, of a dial plan.
    pub const CLASSES: usize = 300;
    pub const GROUPS: usize = 16;
    pub const MEMBERS: usize = 16;
    /// Numbers that a trunk may show.
    pub const SHOWN: usize = 100;
    pub const CODECS: usize = 8;
    /// Characters of a trunk's name and port (RFC 1035 §2.3.4).
    pub const NAME: usize = 240;
    /// Skills of a queue or an agent.
    pub const SKILLS: usize = 32;
    /// Queues of an agent.
    pub const MEMBERSHIPS: usize = 64;
    pub const HELPERS: usize = 16;
    pub const CLOSED_DAYS: usize = 400;
    /// Spans of one day.
    pub const SPANS: usize = 8;
    pub const FINDINGS: usize = 1_000;
}

/// The rule of a path; None for a path that this version does not know.
pub(crate) fn of(path: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| {
        let (mut pattern, mut parts) = (rule.path.split('/'), path.split('/'));
        loop {
            match (pattern.next(), parts.next()) {
                (None, None) => return true,
                (Some("*"), Some(part)) if !part.is_empty() => {}
                (Some(expected), Some(part)) if expected == part => {}
                _ => return false,
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_finds_its_own_rule_and_strangers_find_none() {
        assert_eq!(of("queues/sales/ring_s").map(|rule| rule.is), Some(Type::Int(5, 300)));
        assert_eq!(of("numbers/+861234").map(|rule| rule.is), Some(Type::Id));
        for path in ["", "queues", "queues/sales", "queues//ring_s", "queues/sales/ring_s/x", "secrets/key"] {
            assert!(of(path).is_none(), "{path}");
        }
    }

    #[test]
    fn the_branch_cannot_touch_what_the_centre_alone_decides() {
        for path in ["site/emergency/110", "site/outward", "trunks/a/kind", "numbers/110", "flows/main", "queues/a/is"]
        {
            assert!(!of(path).unwrap().by.contains(&Local), "{path}");
        }
        for path in [
            "queues/a/ring_s",
            "queues/a/hours",
            "agents/a/skills/b",
            "agents/a/queues/b",
            "hours/a/week/0",
            "site/closed",
        ] {
            assert!(of(path).unwrap().by.contains(&Local), "{path}");
        }
    }
}
