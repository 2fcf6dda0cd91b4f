//! The merge report: what two sides wrote without knowing of one another, by which rule one of it is in force, and what
//! waits for a person. No edit is lost without a line here.
//!
//! Within a document the changes themselves say who knew of what. Between documents, and for what merely came late, the
//! times do: a change that was stored here a good while after it was written was written apart.

mod conflicts;
mod windows;

use std::collections::BTreeMap;

use model::{
    change::Doc,
    history::{Blame, By, Meeting, Outcome, Report, Rule, Said, Side, Value},
};

use crate::{
    document::BINDING,
    history::{History, is_under},
    layers::{Findings, typed},
    rules::{self, Merge},
    scalar::Scalar,
};
use conflicts::conflicts;
use windows::{Window, windows};

/// Most meetings of a report; older ones are in the history alone.
const MEETINGS_MAX: usize = 30;
/// Most changes that a meeting lists of one side.
const LISTED_MAX: usize = 100;
/// Most outcomes of a meeting, and of a list of what stands.
const OUTCOMES_MAX: usize = 500;

/// The histories of a site's three documents.
#[derive(Debug, Clone)]
pub struct Histories {
    pub org: History,
    pub site: History,
    pub local: History,
}

impl Histories {
    pub fn all(&self) -> [&History; 3] {
        [&self.org, &self.site, &self.local]
    }

    pub fn of(&self, doc: Doc) -> &History {
        match doc {
            Doc::Org => &self.org,
            Doc::Site => &self.site,
            Doc::Local => &self.local,
        }
    }
}

/// An outcome, and the time it belongs to.
struct Found {
    outcome: Outcome,
    window: Window,
}

/// What became of the edits that were made apart. Pure: the same histories give the same report.
pub fn report(of: &Histories) -> Report {
    let mut found: Vec<Found> = of.all().into_iter().flat_map(conflicts).collect();
    let windows = windows(of, found.iter().map(|found| found.window));
    found.extend(windows.iter().flat_map(|window| between(of, *window)));
    let mut waiting: Vec<Outcome> =
        found.iter().filter(|found| found.outcome.waits).map(|found| found.outcome.clone()).collect();
    waiting.truncate(OUTCOMES_MAX);
    let mut meetings: Vec<Meeting> = windows.into_iter().map(|window| meeting(of, window, &found)).collect();
    meetings.sort_by_key(|meeting| std::cmp::Reverse((meeting.until, meeting.from)));
    meetings.truncate(MEETINGS_MAX);
    Report { waiting, differs: differs(of), meetings }
}

fn meeting(of: &Histories, window: Window, found: &[Found]) -> Meeting {
    let mut meeting = Meeting {
        from: window.from,
        until: window.until,
        centre: Vec::new(),
        branch: Vec::new(),
        more: 0,
        outcomes: found
            .iter()
            .filter(|found| window.holds(found.window))
            .map(|found| found.outcome.clone())
            .take(OUTCOMES_MAX)
            .collect(),
    };
    for history in of.all() {
        for change in history.changes.iter().filter(|change| window.holds(Window::of(&change.by))) {
            let side = match change.by.side {
                Side::Centre => &mut meeting.centre,
                Side::Branch => &mut meeting.branch,
            };
            if side.len() < LISTED_MAX {
                side.push(history.shown(change));
            } else {
                meeting.more = meeting.more.saturating_add(1);
            }
        }
    }
    for side in [&mut meeting.centre, &mut meeting.branch] {
        side.sort_by_key(|entry| (entry.by.written, entry.by.seq));
    }
    meeting
}

/// What the two sides wrote into different documents within a time apart.
fn between(of: &Histories, window: Window) -> Vec<Found> {
    let centre = last_words(of, window, Side::Centre);
    let branch = last_words(of, window, Side::Branch);
    let mut found = Vec::new();
    let mut add = |path: &str, rule, said: [&Word; 2], kept| {
        let said = said.map(Word::said).into();
        let outcome = Outcome { path: path.into(), rule, said, kept, waits: false, decided: None };
        found.push(Found { outcome, window });
    };
    for (path, own) in &branch {
        let Some(rule) = rules::of(path) else { continue };
        // Within one document the changes say it themselves.
        let other = centre.get(path).filter(|plan| plan.by.doc != own.by.doc && plan.value != own.value);
        if let (Some(plan), Some(value)) = (other, said(path, own.value)) {
            let (by, kept) = match rule.merge {
                Merge::Last => (Rule::BranchWins, value),
                Merge::Union => (Rule::BothKept, Scalar::Flag(true)),
                Merge::Strictest => (Rule::Strictest, crate::change::LOCAL_ONLY.into()),
            };
            add(path, by, [plan, own], Some(Value::from(&kept)));
        }
    }
    for (edits, removals) in [(&branch, &centre), (&centre, &branch)] {
        for (path, edit) in edits {
            let Some(thing) = thing(path).filter(|thing| thing != path && edit.value.is_some()) else { continue };
            if let Some(gone) = removals.get(&thing).filter(|word| word.value == Some(&Scalar::Flag(false))) {
                // Who took it away too, or took it in again, is told nothing.
                if !edits.contains_key(&thing) {
                    add(path, Rule::Removed, [gone, edit], None);
                }
            }
        }
    }
    found
}

struct Word<'a> {
    by: &'a By,
    value: Option<&'a Scalar>,
}

impl Word<'_> {
    fn said(&self) -> Said {
        Said { by: self.by.clone(), value: self.value.map(Value::from) }
    }
}

/// The last that a side wrote at each path within a time.
fn last_words(of: &Histories, window: Window, side: Side) -> BTreeMap<String, Word<'_>> {
    let mut words = BTreeMap::new();
    for history in of.all() {
        for change in &history.changes {
            if change.by.side == side && window.holds(Window::of(&change.by)) {
                let ops = history.ops_of(change);
                words.extend(ops.map(|op| (op.path.clone(), Word { by: &change.by, value: history.after(op) })));
            }
        }
    }
    words
}

/// `queues/sales/is` of `queues/sales/ring_s`.
fn thing(path: &str) -> Option<String> {
    let (kind, rest) = path.split_once('/')?;
    let (id, _) = rest.split_once('/')?;
    let path = format!("{kind}/{id}/is");
    rules::of(&path).map(|_| path)
}

/// What a value says at a path; None: nothing.
fn said(path: &str, value: Option<&Scalar>) -> Option<Scalar> {
    typed(rules::of(path)?, path, value?, &mut Findings::default())
}

/// Where the branch's document says something other than the plan, or what only the centre may say.
fn differs(of: &Histories) -> Vec<Outcome> {
    let plan = |path: &str| [&of.site, &of.org].into_iter().find_map(|history| word(history, path));
    let own = of.local.paths.keys().filter(|path| *path != BINDING);
    let differs = own.filter_map(|path| {
        let own = word(&of.local, path)?;
        let plan = plan(path);
        let planned = plan.as_ref().and_then(|word| word.value);
        let allowed = rules::of(path).filter(|rule| rule.by.contains(&Doc::Local));
        let (rule, kept) = match allowed {
            None => (Rule::CentreWins, planned.map(Value::from)),
            Some(rule) if rule.merge != Merge::Last => return None,
            Some(_) => {
                let value = said(path, own.value)?;
                if plan.as_ref().is_none_or(|plan| said(path, plan.value).as_ref() == Some(&value)) {
                    return None;
                }
                (Rule::BranchWins, Some(Value::from(&value)))
            }
        };
        let said = plan.iter().chain([&own]).map(Word::said).collect();
        Some(Outcome { path: path.clone(), rule, said, kept, waits: false, decided: None })
    });
    differs.take(OUTCOMES_MAX).collect()
}

fn word<'a>(history: &'a History, path: &str) -> Option<Word<'a>> {
    let op = history.winner(path)?;
    Some(Word { by: history.by(op)?, value: op.value.as_ref() })
}

impl Histories {
    /// What the site runs by under a path, and who said it last: the branch's word stands over the plan's, and that over
    /// the organisation's.
    pub fn blame(&self, under: &str) -> Vec<Blame> {
        let mut found = BTreeMap::new();
        for history in self.all() {
            for (path, by) in history.blame() {
                let value = history.winner(&path).and_then(|op| said(&path, op.value.as_ref()));
                let allowed = rules::of(&path).is_some_and(|rule| rule.by.contains(&history.doc));
                if let Some(value) = value.filter(|_| allowed && is_under(&path, under)) {
                    found.insert(path, (value, by));
                }
            }
        }
        found.into_iter().map(|(path, (value, by))| Blame { path, value: Value::from(&value), by }).collect()
    }

    /// What a change of the branch's document wrote at a path: Some(None) when it took away what was said.
    pub fn word(&self, path: &str, seq: u64) -> Option<Option<Scalar>> {
        let ops = self.local.paths.get(path)?.iter().filter_map(|op| self.local.ops.get(*op));
        let mut ops = ops.filter(|op| self.local.by(op).is_some_and(|by| by.seq == seq));
        ops.next_back().map(|op| self.local.after(op).cloned())
    }
}
