//! One replica of one document: applying encoded changes, the sync protocol, heads. What the fields mean is not
//! known here.
//!
//! A document is bound to its kind and site by a first change that every replica makes alike; a change that does not
//! descend from it is foreign. The CRDT library runs on a copy and behind `catch_unwind` whenever bytes of a peer are
//! involved: a refusal, and a bug in it, leave the document as it was.

use std::{
    collections::BTreeSet,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};

use automerge::{
    ActorId, Automerge, ChangeHash, ROOT, ReadDoc,
    sync::{Message, State, SyncDoc},
    transaction::{CommitOptions, Transactable},
};
use model::{Millis, SiteId, change::Doc};
use sha2::{Digest, Sha256};

use crate::{error::Error, front, scalar::Scalar};

/// Changes of one document's whole life.
pub(crate) const CHANGES_MAX: u64 = 200_000;
/// Changes that wait for others they depend on.
pub(crate) const WAITING_MAX: usize = 256;
/// How far a change's operation counter may run ahead of all we know, so that nobody exhausts it.
const COUNTER_LEAP_MAX: u64 = 1_000_000;
/// A received message, in bytes.
pub(crate) const MESSAGE_BYTES_MAX: usize = 1024 * 1024;
/// Changes are put into one message up to this size; the rest follows in the next.
const MESSAGE_BYTES_WANTED: usize = 256 * 1024;
const MESSAGE_HASHES_MAX: usize = 4_096;
/// Persisted sync state.
const STATE_BYTES_MAX: usize = 64 * 1024;
// The parameters that automerge's own Bloom filters have.
const BLOOM_BITS_PER_ENTRY: u64 = 10;
const BLOOM_PROBES: u64 = 7;
/// The key that binds a document; never shown.
pub(crate) const BINDING: &str = "document";

/// Who is at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    Cloud,
    Box,
}

/// May changes of this document be taken from that peer? A box takes everything from the cloud; the cloud takes only
/// what the branch may write.
pub fn may_receive(doc: Doc, from: Peer) -> bool {
    match from {
        Peer::Cloud => true,
        Peer::Box => doc == Doc::Local,
    }
}

/// What became of an encoded change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    New,
    Known,
    /// It depends on changes that are not here yet.
    Waiting,
}

/// The newest changes of a replica. Equal heads mean equal documents.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Heads(pub Vec<[u8; 32]>);

/// Sixteen hexadecimal digits.
impl fmt::Display for Heads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut hash = Sha256::new();
        self.0.iter().for_each(|head| hash.update(head));
        f.write_str(hex::encode(hash.finalize()).get(..16).unwrap_or_default())
    }
}

/// What we know of one peer's replica.
#[derive(Debug, Clone)]
pub struct SyncState {
    state: State,
    peer: Peer,
}

impl SyncState {
    /// What is worth keeping until the next connection.
    pub fn encode(&self) -> Vec<u8> {
        self.state.encode()
    }
}

#[derive(Clone)]
pub struct Document {
    kind: Doc,
    automerge: Automerge,
    genesis: ChangeHash,
    waiting: BTreeSet<ChangeHash>,
    changes: u64,
    counter: u64,
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({:?} {})", self.kind, self.heads())
    }
}

impl Document {
    /// An empty document. `actor` is random and fresh for every start of the process. The organisation's document is
    /// the same for all sites.
    pub fn new(kind: Doc, site: &SiteId, actor: [u8; 16]) -> Document {
        let binding = match kind {
            Doc::Org => "org 1".to_owned(),
            Doc::Site => format!("site {site} 1"),
            Doc::Local => format!("local {site} 1"),
        };
        let first = Sha256::digest(format!("branchline document {binding}"));
        let mut automerge = Automerge::new().with_actor(ActorId::from(&first[..16]));
        let mut transaction = automerge.transaction();
        // The root is a map and the value a scalar: the library has nothing to refuse.
        transaction.put(ROOT, BINDING, binding).ok();
        transaction.commit_with(CommitOptions::default().with_time(0));
        automerge.set_actor(ActorId::from(actor));
        let genesis = automerge.get_heads().first().copied().unwrap_or(ChangeHash([0; 32]));
        Document { kind, automerge, genesis, waiting: BTreeSet::new(), changes: 1, counter: 1 }
    }

    pub fn kind(&self) -> Doc {
        self.kind
    }

    /// Takes the changes of a store, in any order. Returns how many were new. Nothing is taken when one is refused.
    pub fn load<'a>(&mut self, changes: impl IntoIterator<Item = &'a [u8]>) -> Result<usize, Error> {
        let mut parsed = Vec::new();
        for bytes in changes {
            let change = self.parse(bytes, u64::MAX)?;
            if !self.has(&change.hash()) {
                parsed.push(change);
            }
        }
        let before = self.changes;
        self.attempt(parsed, |automerge, changes| automerge.apply_changes(changes).is_ok())?;
        Ok(usize::try_from(self.changes.saturating_sub(before)).unwrap_or(usize::MAX))
    }

    /// Takes one encoded change. On an error nothing has changed.
    pub fn apply(&mut self, bytes: &[u8]) -> Result<Applied, Error> {
        let change = self.parse(bytes, self.counter.saturating_add(COUNTER_LEAP_MAX))?;
        let hash = change.hash();
        if self.has(&hash) {
            return Ok(Applied::Known);
        }
        self.attempt(vec![change], |automerge, changes| automerge.apply_changes(changes).is_ok())?;
        Ok(if self.has(&hash) { Applied::New } else { Applied::Waiting })
    }

    pub fn heads(&self) -> Heads {
        Heads(self.automerge.get_heads().into_iter().map(|head| head.0).collect())
    }

    /// Begins with a peer that nothing is known of.
    pub fn sync_begin(&self, peer: Peer) -> SyncState {
        self.state_of(State::new(), peer)
    }

    /// Goes on with a peer; bytes that are not a state begin anew.
    pub fn sync_resume(&self, peer: Peer, bytes: &[u8]) -> SyncState {
        let decoded = if bytes.len() <= STATE_BYTES_MAX { State::decode(bytes).ok() } else { None };
        self.state_of(decoded.unwrap_or_default(), peer)
    }

    fn state_of(&self, mut state: State, peer: Peer) -> SyncState {
        state.read_only = !may_receive(self.kind, peer);
        SyncState { state, peer }
    }

    /// The next message for the peer; None while there is nothing to say.
    pub fn generate(&self, sync: &mut SyncState) -> Option<Vec<u8>> {
        let mut message = self.automerge.generate_sync_message(&mut sync.state)?;
        let (mut kept, mut bytes) = (Vec::new(), 0_usize);
        for chunk in message.changes.iter() {
            bytes = bytes.saturating_add(chunk.len());
            if bytes > MESSAGE_BYTES_WANTED && !kept.is_empty() {
                // Not sent after all: the next message has it.
                if let Ok(change) = automerge::Change::try_from(chunk) {
                    sync.state.sent_hashes.remove(&change.hash());
                }
            } else {
                kept.push(chunk.to_vec());
            }
        }
        message.changes = kept.into();
        Some(message.encode())
    }

    /// Takes a peer's message. Returns the encoded changes that are new here, to be stored before anything is
    /// answered. On an error nothing has changed.
    pub fn receive(&mut self, sync: &mut SyncState, bytes: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
        let message = self.check_message(sync.peer, bytes)?;
        let heads = self.automerge.get_heads();
        let mut state = sync.state.clone();
        let changes = message
            .changes
            .iter()
            .map(|chunk| self.parse(chunk, self.counter.saturating_add(COUNTER_LEAP_MAX)))
            .collect::<Result<Vec<_>, _>>()?;
        let changes = changes.into_iter().filter(|change| !self.has(&change.hash())).collect();
        self.attempt(changes, |automerge, _| automerge.receive_sync_message(&mut state, message).is_ok())?;
        // Without the capability of the second message version the peer is never sent a deflated whole document.
        state.their_capabilities = None;
        sync.state = state;
        Ok(self.automerge.get_changes(&heads).into_iter().map(|change| change.raw_bytes().to_vec()).collect())
    }

    /// Every change from the first on, encoded, in an order in which they can be loaded.
    pub fn changes(&self) -> Vec<Vec<u8>> {
        let all = self.automerge.get_changes(&[self.genesis]);
        all.into_iter().map(|change| change.raw_bytes().to_vec()).collect()
    }

    fn check_message(&self, peer: Peer, bytes: &[u8]) -> Result<Message, Error> {
        limit("bytes of a message", bytes.len(), MESSAGE_BYTES_MAX)?;
        let decoded = catch_unwind(|| Message::decode(bytes));
        let message = decoded.ok().and_then(Result::ok).ok_or(Error::Malformed("not a sync message"))?;
        limit("heads of a message", message.heads.len(), MESSAGE_HASHES_MAX)?;
        limit("needs of a message", message.need.len(), MESSAGE_HASHES_MAX)?;
        limit("summaries of a message", message.have.len(), 16)?;
        for have in &message.have {
            limit("heads of a message", have.last_sync.len(), MESSAGE_HASHES_MAX)?;
            front::check_bloom(&have.bloom.to_bytes(), BLOOM_BITS_PER_ENTRY, BLOOM_PROBES)?;
        }
        if !message.changes.is_empty() && !may_receive(self.kind, peer) {
            return Err(Error::NotTheirs { doc: self.kind });
        }
        Ok(message)
    }

    fn parse(&self, bytes: &[u8], counter_max: u64) -> Result<automerge::Change, Error> {
        front::check(bytes)?;
        let parsed = catch_unwind(|| automerge::Change::try_from(bytes));
        let change = parsed.ok().and_then(Result::ok).ok_or(Error::Malformed("not an encoded change"))?;
        // The library computes the hash and leaves the checksum unread: the hash's first four bytes, after the magic.
        if bytes.get(4..8) != change.hash().0.get(..4) {
            return Err(Error::Malformed("a wrong checksum"));
        }
        if change.deps().is_empty() && change.hash() != self.genesis {
            return Err(Error::Foreign);
        }
        let last = change.start_op().get().saturating_add(u64::try_from(change.len()).unwrap_or(u64::MAX));
        // The library counts operations in 32 bits.
        let max = counter_max.min(u64::from(u32::MAX / 2));
        if last > max {
            return Err(Error::TooLarge { what: "operation counter", len: last, max });
        }
        Ok(change)
    }

    /// Runs the library on the document and puts the old one back when it fails.
    fn attempt(
        &mut self,
        changes: Vec<automerge::Change>,
        run: impl FnOnce(&mut Automerge, Vec<automerge::Change>) -> bool,
    ) -> Result<(), Error> {
        let total = self.changes.saturating_add(u64::try_from(changes.len()).unwrap_or(u64::MAX));
        if total > CHANGES_MAX {
            return Err(Error::TooLarge { what: "changes of a document", len: total, max: CHANGES_MAX });
        }
        let hashes: Vec<(ChangeHash, u64)> = changes.iter().map(|change| (change.hash(), change.max_op())).collect();
        let before = self.automerge.clone();
        let ran = catch_unwind(AssertUnwindSafe(|| run(&mut self.automerge, changes)));
        if !ran.unwrap_or(false) {
            self.automerge = before;
            return Err(Error::Contradiction);
        }
        let mut waiting = self.waiting.clone();
        waiting.extend(hashes.iter().map(|(hash, _)| *hash));
        let arrived: Vec<ChangeHash> = waiting.iter().filter(|hash| self.has(hash)).copied().collect();
        waiting.retain(|hash| !self.has(hash));
        if waiting.len() > WAITING_MAX {
            self.automerge = before;
            let (len, max) = (waiting.len() as u64, WAITING_MAX as u64);
            return Err(Error::TooLarge { what: "changes that wait for others", len, max });
        }
        self.waiting = waiting;
        self.changes = self.changes.saturating_add(arrived.len() as u64);
        self.counter = hashes.iter().map(|(_, last)| *last).fold(self.counter, u64::max);
        Ok(())
    }

    fn has(&self, hash: &ChangeHash) -> bool {
        self.automerge.get_change_meta_by_hash(hash).is_some()
    }

    /// Writes scalars in one change, or takes away what is said (None), and returns the change encoded.
    pub(crate) fn write<'a>(
        &mut self,
        fields: impl IntoIterator<Item = (&'a str, Option<&'a Scalar>)>,
        author: &str,
        at: Millis,
    ) -> Result<Vec<u8>, Error> {
        if self.changes >= CHANGES_MAX {
            return Err(Error::TooLarge { what: "changes of a document", len: self.changes, max: CHANGES_MAX });
        }
        let mut transaction = self.automerge.transaction();
        for (path, scalar) in fields {
            // The root is a map and the value a scalar: the library has nothing to refuse.
            match scalar {
                Some(scalar) => transaction.put(ROOT, path, scalar.clone()).ok(),
                None => transaction.delete(ROOT, path).ok(),
            };
        }
        let options = CommitOptions::default().with_message(author).with_time(at.0.div_euclid(1_000));
        let (hash, _) = transaction.commit_with(options);
        let change = hash.and_then(|hash| self.automerge.get_change_by_hash(&hash));
        let change = change.ok_or(Error::Malformed("an empty change"))?;
        self.changes = self.changes.saturating_add(1);
        self.counter = self.counter.max(change.max_op());
        Ok(change.raw_bytes().to_vec())
    }

    /// What stands at a path, and whether others wrote it at the same time.
    pub(crate) fn scalar(&self, path: &str) -> Option<(Scalar, bool)> {
        let all = self.automerge.get_all(ROOT, path).ok()?;
        let (won, _) = self.automerge.get(ROOT, path).ok()??;
        Some((Scalar::from(&won), all.len() > 1))
    }

    /// Paths that begin with `prefix`, which ends in `/`.
    pub(crate) fn under(&self, prefix: &str) -> Vec<String> {
        let end = format!("{}0", prefix.trim_end_matches('/'));
        self.automerge.map_range(ROOT, prefix.to_owned()..end).map(|item| item.key.into_owned()).collect()
    }

    /// Everything at the root, in the order of the paths: the winner first, then what was written at the same time.
    pub(crate) fn scalars(&self) -> impl Iterator<Item = (String, Scalar, Vec<Scalar>)> {
        self.automerge.keys(ROOT).filter_map(|path| {
            let (won, _) = self.automerge.get(ROOT, path.as_str()).ok()??;
            let all = self.automerge.get_all(ROOT, path.as_str()).ok()?;
            let others = if all.len() > 1 { all.iter().map(|(value, _)| value.into()).collect() } else { Vec::new() };
            Some((path.to_string(), Scalar::from(&won), others))
        })
    }
}

fn limit(what: &'static str, len: usize, max: usize) -> Result<(), Error> {
    let (len, max) = (len.try_into().unwrap_or(u64::MAX), max.try_into().unwrap_or(u64::MAX));
    if len <= max { Ok(()) } else { Err(Error::TooLarge { what, len, max }) }
}
