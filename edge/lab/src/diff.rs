//! Two reports of one device, before and after: what broke, what was mended, what else changed.

use std::collections::BTreeSet;

use crate::report::{Outcome, Report};
use crate::verdict::Mark;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turn {
    /// Passed or was offered before, and fails.
    Worse,
    Better,
    /// The mark is the same or neither good nor bad, the words are not.
    Other,
    /// Only one of the two reports has it.
    Added,
    Gone,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub turn: Turn,
    pub id: String,
    pub before: Option<Outcome>,
    pub after: Option<Outcome>,
}

/// Changes, worst first; what stayed the same is left out.
pub fn diff(before: &Report, after: &Report) -> Vec<Change> {
    let ids: BTreeSet<&str> =
        before.outcomes.iter().chain(&after.outcomes).map(|outcome| outcome.id.as_str()).collect();
    let mut changes: Vec<Change> = ids
        .into_iter()
        .filter_map(|id| {
            let (old, new) = (before.outcome(id), after.outcome(id));
            let turn = match (old, new) {
                (Some(old), Some(new)) => turn(old, new)?,
                (None, Some(_)) => Turn::Added,
                (Some(_), None) => Turn::Gone,
                (None, None) => return None,
            };
            Some(Change { turn, id: id.to_string(), before: old.cloned(), after: new.cloned() })
        })
        .collect();
    changes.sort_by(|a, b| (a.turn, &a.id).cmp(&(b.turn, &b.id)));
    changes
}

fn turn(old: &Outcome, new: &Outcome) -> Option<Turn> {
    // Figures such as milliseconds differ from run to run.
    let words = |text: &str| text.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
    if old.mark == new.mark {
        return (words(&old.said.en) != words(&new.said.en)).then_some(Turn::Other);
    }
    let rank = |mark: Mark| match mark {
        Mark::Pass => Some(3),
        Mark::NotOffered => Some(2),
        Mark::Warn => Some(1),
        Mark::Fail => Some(0),
        Mark::Skipped => None,
    };
    Some(match (rank(old.mark), rank(new.mark)) {
        (Some(old), Some(new)) if new < old => Turn::Worse,
        (Some(_), Some(_)) => Turn::Better,
        _ => Turn::Other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Kind;
    use crate::report::VERSION;
    use crate::said;

    fn report(marks: &[(&str, Mark)]) -> Report {
        let outcome = |(id, mark): &(&str, Mark)| Outcome {
            id: (*id).to_string(),
            rfc: String::new(),
            title: said!("t", "t"),
            mark: *mark,
            said: said!("took 12 ms", "12"),
            advice: None,
            took_ms: 0,
            evidence: Vec::new(),
        };
        Report {
            version: VERSION,
            kind: Kind::Phone,
            target: "sip:101@192.0.2.9".into(),
            product: None,
            site: "branch-a".into(),
            software: "0.1.0".into(),
            began: "2026-11-28T10:00:00Z".into(),
            took_s: 1,
            outcomes: marks.iter().map(outcome).collect(),
        }
    }

    #[test]
    fn what_broke_comes_first_and_what_stayed_is_left_out() {
        let before = report(&[("a", Mark::Pass), ("b", Mark::Fail), ("c", Mark::Pass), ("d", Mark::Pass)]);
        let mut after = report(&[("a", Mark::Fail), ("b", Mark::Pass), ("c", Mark::Pass), ("e", Mark::Warn)]);
        after.outcomes[2].said = said!("took 99 ms", "99");
        let turns: Vec<(Turn, String)> = diff(&before, &after).into_iter().map(|one| (one.turn, one.id)).collect();
        let expected = [(Turn::Worse, "a"), (Turn::Better, "b"), (Turn::Added, "e"), (Turn::Gone, "d")];
        assert_eq!(turns, expected.map(|(turn, id)| (turn, id.to_string())));
    }
}
