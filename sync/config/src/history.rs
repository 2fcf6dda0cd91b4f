//! What was written into one document, change by change: which fields, what stood there before, which side wrote it and
//! when, and what of it stands still. Read from the encoded changes alone, in the order in which they were stored.
//!
//! An operation names those it replaces. Whoever writes replaces all that they see at a path: two operations on a path
//! of which neither replaces the other, directly or by others, were written by people who did not know of one another.

use std::{
    collections::{BTreeMap, BTreeSet},
    panic::catch_unwind,
};

use automerge::{
    ActorId, ChangeHash,
    legacy::{Key, OpType},
};
use model::{
    Millis,
    change::Doc,
    history::{By, Entry, FIELDS_SHOWN, Field, Left, Side, Value},
};

use crate::{front, scalar::Scalar};

/// A stored change. What a store does not know is taken from the change itself, which a peer may have made up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its place among the document's changes; grows.
    pub seq: u64,
    pub bytes: Vec<u8>,
    pub side: Option<Side>,
    pub author: Option<String>,
    /// When it was stored.
    pub taken: Option<Millis>,
}

/// The changes of one document.
#[derive(Debug, Clone)]
pub struct History {
    pub(crate) doc: Doc,
    pub(crate) changes: Vec<Written>,
    pub(crate) ops: Vec<Op>,
    /// The operations on each path, in the order of their changes.
    pub(crate) paths: BTreeMap<String, Vec<usize>>,
}

#[derive(Debug, Clone)]
pub(crate) struct Written {
    pub by: By,
    /// Changes it directly builds on, by their index.
    deps: Vec<usize>,
    ops: std::ops::Range<usize>,
}

#[derive(Debug, Clone)]
pub(crate) struct Op {
    pub change: usize,
    pub path: String,
    /// None: what was said is taken away.
    pub value: Option<Scalar>,
    id: (u64, ActorId),
    /// What it replaces, and what replaces it, by their index.
    pub over: Vec<usize>,
    pub later: Vec<usize>,
    /// What its writer saw and let stand. Writing the value that is in force already takes away the others alone.
    pub beside: Vec<usize>,
}

/// What an undo writes, and what it leaves alone because somebody wrote there since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undo {
    pub back: Vec<(String, Option<Scalar>)>,
    pub left: Vec<Left>,
}

impl History {
    /// Changes come after those they build on. What is not a change of this house is passed over.
    pub fn read(doc: Doc, kept: impl IntoIterator<Item = Kept>) -> History {
        let mut history = History { doc, changes: Vec::new(), ops: Vec::new(), paths: BTreeMap::new() };
        let (mut hashes, mut ids) = (BTreeMap::new(), BTreeMap::new());
        for kept in kept {
            history.take(kept, &mut hashes, &mut ids);
        }
        history
    }

    fn take(
        &mut self,
        kept: Kept,
        hashes: &mut BTreeMap<ChangeHash, usize>,
        ids: &mut BTreeMap<(u64, ActorId), usize>,
    ) {
        if front::check(&kept.bytes).is_err() {
            return;
        }
        let decoded = catch_unwind(|| {
            let change = automerge::Change::try_from(kept.bytes.as_slice()).ok()?;
            Some((change.hash(), change.decode()))
        });
        let Ok(Some((hash, decoded))) = decoded else { return };
        let (at, first) = (self.changes.len(), self.ops.len());
        let side = match decoded.message.as_deref() {
            Some("branch") => Side::Branch,
            _ => Side::Centre,
        };
        let written = Millis(decoded.time.saturating_mul(1_000));
        let by = By {
            doc: self.doc,
            seq: kept.seq,
            side: kept.side.unwrap_or(side),
            author: kept.author,
            written,
            taken: kept.taken.unwrap_or(written),
        };
        let deps = decoded.deps.iter().filter_map(|dep| hashes.get(dep).copied()).collect();
        hashes.insert(hash, at);
        self.changes.push(Written { by, deps, ops: first..first });
        for (counter, op) in (decoded.start_op.get()..).zip(decoded.operations) {
            let Key::Map(path) = op.key else { continue };
            let value = match op.action {
                OpType::Put(value) => Some(Scalar::from(&value)),
                OpType::Delete => None,
                _ => continue,
            };
            let over: Vec<usize> =
                op.pred.into_iter().filter_map(|id| ids.get(&(id.counter(), id.actor().clone())).copied()).collect();
            let index = self.ops.len();
            for replaced in &over {
                if let Some(replaced) = self.ops.get_mut(*replaced) {
                    replaced.later.push(index);
                }
            }
            let beside = if value.is_none() { self.let_stand(at, &path) } else { Vec::new() };
            let id = (counter, decoded.actor_id.clone());
            ids.insert(id.clone(), index);
            self.paths.entry(path.to_string()).or_default().push(index);
            self.ops.push(Op { change: at, path: path.to_string(), value, id, over, later: Vec::new(), beside });
        }
        if let Some(change) = self.changes.get_mut(at) {
            change.ops = first..self.ops.len();
        }
    }

    fn let_stand(&self, change: usize, path: &str) -> Vec<usize> {
        let ops = self.paths.get(path).map(Vec::as_slice).unwrap_or_default().iter().copied();
        let known = |op: &usize| self.ops.get(*op).is_some_and(|op| self.knew(change, op.change));
        ops.filter(|op| self.is_visible(*op)).filter(known).collect()
    }

    /// The newest change first.
    pub fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        self.changes.iter().rev().map(|change| self.shown(change))
    }

    /// Whether a change of this place wrote under a path.
    pub fn wrote(&self, seq: u64, under: &str) -> bool {
        self.find(seq).is_some_and(|change| self.ops_of(change).any(|op| is_under(&op.path, under)))
    }

    /// Whether a change of this place wrote at this path, and nowhere else.
    pub fn wrote_only(&self, seq: u64, path: &str) -> bool {
        self.wrote(seq, path) && self.find(seq).is_some_and(|change| self.ops_of(change).all(|op| op.path == path))
    }

    pub(crate) fn shown(&self, change: &Written) -> Entry {
        let all = change.ops.len();
        let fields = self.ops_of(change).take(FIELDS_SHOWN).map(|op| Field {
            path: op.path.clone(),
            before: self.before(op).map(Value::from),
            after: self.after(op).map(Value::from),
            stands: self.newer(op).is_none(),
        });
        let more = u32::try_from(all.saturating_sub(FIELDS_SHOWN)).unwrap_or(u32::MAX);
        Entry { by: change.by.clone(), fields: fields.collect(), more }
    }

    /// Who wrote what stands at each path.
    pub fn blame(&self) -> BTreeMap<String, By> {
        let who = |path: &String| Some((path.clone(), self.by(self.winner(path)?)?.clone()));
        self.paths.keys().filter_map(who).collect()
    }

    /// What stands at each path.
    pub fn standing(&self) -> impl Iterator<Item = (&str, &Scalar)> {
        self.paths.keys().filter_map(|path| Some((path.as_str(), self.winner(path)?.value.as_ref()?)))
    }

    /// How to take a change back; None: there is no such change.
    pub fn undo(&self, seq: u64) -> Option<Undo> {
        let mut undo = Undo { back: Vec::new(), left: Vec::new() };
        for op in self.ops_of(self.find(seq)?) {
            let before = self.before(op);
            match self.newer(op).and_then(|newer| self.by(newer)) {
                _ if before == self.after(op) => {}
                // Its own second word on the same path.
                Some(by) if by.seq == seq => {}
                Some(by) => undo.left.push(Left { path: op.path.clone(), by: by.clone() }),
                None => undo.back.push((op.path.clone(), before.cloned())),
            }
        }
        Some(undo)
    }

    /// How to take a row of changes back together, as if none of them had been made; None: one of them is not there.
    pub fn undo_row(&self, first: u64, last: u64) -> Option<Undo> {
        let mut ends: BTreeMap<&str, (&Op, &Op)> = BTreeMap::new();
        for seq in first..=last {
            for op in self.ops_of(self.find(seq)?) {
                ends.entry(op.path.as_str()).and_modify(|(_, end)| *end = op).or_insert((op, op));
            }
        }
        let mut undo = Undo { back: Vec::new(), left: Vec::new() };
        for (path, (begin, end)) in ends {
            let before = self.before(begin);
            match self.newer(end).and_then(|newer| self.by(newer)) {
                _ if before == self.after(end) => {}
                Some(by) => undo.left.push(Left { path: path.to_owned(), by: by.clone() }),
                None => undo.back.push((path.to_owned(), before.cloned())),
            }
        }
        Some(undo)
    }

    fn find(&self, seq: u64) -> Option<&Written> {
        let at = self.changes.binary_search_by_key(&seq, |change| change.by.seq).ok()?;
        self.changes.get(at)
    }

    pub(crate) fn ops_of(&self, change: &Written) -> impl Iterator<Item = &Op> {
        self.ops.get(change.ops.clone()).unwrap_or_default().iter()
    }

    pub(crate) fn by(&self, op: &Op) -> Option<&By> {
        self.changes.get(op.change).map(|change| &change.by)
    }

    /// What stood at the path for whoever wrote.
    fn before(&self, op: &Op) -> Option<&Scalar> {
        self.latest(op.over.iter().chain(&op.beside).copied())?.value.as_ref()
    }

    /// What stood there for them then.
    pub(crate) fn after<'a>(&'a self, op: &'a Op) -> Option<&'a Scalar> {
        op.value.as_ref().or_else(|| self.latest(op.beside.iter().copied())?.value.as_ref())
    }

    /// Whose word counts at the path instead.
    fn newer(&self, op: &Op) -> Option<&Op> {
        let newer = self.latest(op.later.iter().copied());
        let won = || self.winner(&op.path).filter(|won| !std::ptr::eq(*won, op));
        let let_stand =
            |won: &&Op| op.beside.iter().filter_map(|op| self.ops.get(*op)).any(|op| std::ptr::eq(op, *won));
        newer.or_else(|| won().filter(|won| !let_stand(won)))
    }

    /// What stands at a path: of several, the one that every replica chooses.
    pub(crate) fn winner(&self, path: &str) -> Option<&Op> {
        let visible = self.paths.get(path)?.iter().copied().filter(|op| self.is_visible(*op));
        self.latest(visible)
    }

    fn is_visible(&self, op: usize) -> bool {
        self.ops.get(op).is_some_and(|op| op.value.is_some() && op.later.is_empty())
    }

    /// Of several operations the one with the highest name, as the library chooses.
    pub(crate) fn latest(&self, ops: impl Iterator<Item = usize>) -> Option<&Op> {
        ops.filter_map(|op| self.ops.get(op)).max_by(|a, b| a.id.cmp(&b.id))
    }

    /// Whether whoever wrote the later change had the earlier one.
    pub(crate) fn knew(&self, later: usize, earlier: usize) -> bool {
        let (mut seen, mut open) = (BTreeSet::new(), vec![later]);
        while let Some(change) = open.pop() {
            if change == earlier {
                return true;
            }
            let deps = self.changes.get(change).map(|change| change.deps.as_slice()).unwrap_or_default();
            // Changes come after those they build on: below the earlier one there is nothing to look for.
            open.extend(deps.iter().copied().filter(|dep| *dep >= earlier && seen.insert(*dep)));
        }
        false
    }
}

/// `queues/sales` is over `queues/sales/ring_s`, and over itself.
pub fn is_under(path: &str, under: &str) -> bool {
    let under = under.trim_end_matches('/');
    under.is_empty() || path.strip_prefix(under).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
