//! Fields of one document that several wrote without knowing of one another.

use model::history::{Outcome, Rule, Said, Value};

use super::{Found, windows::Window};
use crate::{
    history::{History, Op},
    rules::{self, Merge},
    scalar::Scalar,
};

/// What stands at a path while its operations are gone through, and those that met.
#[derive(Default)]
struct Path {
    /// Operations that say something and that nobody has replaced.
    said: Vec<usize>,
    /// Operations that took away what was said, and what nobody wrote over since.
    taken: Vec<usize>,
    /// Operations that decided for what stands beside them, while it stands: they say nothing themselves.
    confirmed: Vec<usize>,
    /// Those that met, while nobody has decided.
    met: Vec<usize>,
}

/// Every meeting at every path.
pub(super) fn conflicts(history: &History) -> Vec<Found> {
    let mut found = Vec::new();
    for (path, ops) in &history.paths {
        let mut at = Path::default();
        for index in ops {
            let Some(op) = history.ops.get(*index) else { continue };
            found.extend(at.step(history, path, (*index, op)));
        }
        found.extend(at.settle(history, path, None));
    }
    found
}

impl Path {
    /// Takes the next operation; what it decides is told.
    fn step(&mut self, history: &History, path: &str, (index, op): (usize, &Op)) -> Option<Found> {
        let knew = |other: &usize| history.ops.get(*other).is_none_or(|other| history.knew(op.change, other.change));
        let seen = |other: &usize| op.over.contains(other) || op.beside.contains(other);
        let strangers: Vec<usize> = self.said.iter().filter(|other| !seen(other)).copied().collect();
        self.said.retain(|other| !op.over.contains(other));
        let (known, unknown): (Vec<usize>, Vec<usize>) = self.taken.iter().partition(|other| knew(other));
        self.taken.retain(|other| !known.contains(other));
        let replaced = |other: &usize| {
            let beside = |decision: &Op| decision.beside.iter().any(|kept| op.over.contains(kept));
            knew(other) || history.ops.get(*other).is_none_or(beside)
        };
        let (over, confirmed) = std::mem::take(&mut self.confirmed).into_iter().partition(replaced);
        self.confirmed = confirmed;
        let overruled = |over: Vec<usize>| over.into_iter().filter(|other| !knew(other));
        let unknown: Vec<usize> = unknown.into_iter().chain(overruled(over)).collect();
        let told = if strangers.is_empty() && unknown.is_empty() {
            self.settle(history, path, Some(op))
        } else {
            let met = strangers.into_iter().chain(unknown).chain([index]);
            self.met.extend(met.filter(|other| !self.met.contains(other)).collect::<Vec<_>>());
            None
        };
        match op.value {
            Some(_) => self.said.push(index),
            None if op.beside.is_empty() => self.taken.push(index),
            None => self.confirmed.push(index),
        }
        told
    }

    /// Ends a meeting: decided by somebody, or as it stands.
    fn settle(&mut self, history: &History, path: &str, decided: Option<&Op>) -> Option<Found> {
        let met: Vec<&Op> = std::mem::take(&mut self.met).into_iter().filter_map(|op| history.ops.get(op)).collect();
        // Whoever went on knowing what they had written has replaced it themselves.
        let last: Vec<&&Op> = met.iter().filter(|op| !met.iter().any(|other| replaces(history, other, op))).collect();
        let first = word(history, last.first()?);
        if last.iter().all(|op| word(history, op) == first) {
            return None;
        }
        let known = rules::of(path).filter(|rule| rule.by.contains(&history.doc));
        let merge = known.map_or(Merge::Last, |rule| rule.merge);
        // A decision for what another had replaced meanwhile is over as well, and nobody is asked.
        let taken_back = last.iter().any(|op| op.value.is_none());
        let winner = history.latest(self.said.iter().copied()).and_then(|op| op.value.clone());
        let (rule, kept) = match (merge, decided) {
            (Merge::Union, _) if !taken_back => (Rule::BothKept, Some(Scalar::Flag(true))),
            (Merge::Strictest, _) if !taken_back => (Rule::Strictest, Some(crate::change::LOCAL_ONLY.into())),
            (_, Some(op)) => (if taken_back { Rule::WrittenStands } else { Rule::Ask }, history.after(op).cloned()),
            (_, None) => (if taken_back { Rule::WrittenStands } else { Rule::Ask }, winner),
        };
        let said: Vec<Said> = last
            .iter()
            .filter_map(|op| Some(Said { by: history.by(op)?.clone(), value: word(history, op).map(Value::from) }))
            .collect();
        let window = said.iter().map(|said| Window::of(&said.by)).reduce(Window::and)?;
        let outcome = Outcome {
            path: path.to_owned(),
            waits: decided.is_none() && rule == Rule::Ask && self.said.len() > 1 && known.is_some(),
            rule,
            kept: kept.as_ref().map(Value::from),
            decided: decided.filter(|_| rule == Rule::Ask).and_then(|op| history.by(op)).cloned(),
            said,
        };
        Some(Found { outcome, window })
    }
}

/// What an operation says: its value, or the one that it decided for.
fn word<'a>(history: &'a History, op: &'a Op) -> Option<&'a Scalar> {
    if op.beside.is_empty() { op.value.as_ref() } else { history.after(op) }
}

/// Whether the other one, which met as well, replaces this one.
fn replaces(history: &History, other: &Op, op: &Op) -> bool {
    !std::ptr::eq(other, op)
        && op.later.iter().filter_map(|later| history.ops.get(*later)).any(|later| std::ptr::eq(later, other))
}
