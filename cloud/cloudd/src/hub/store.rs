//! What the hub asks of the database. Every method is one transaction; what it returns `Ok` for is durable.
//!
//! The hub reads when a box connects and writes only when a box has said something: presence stays in memory.

use std::{collections::BTreeSet, future::Future};

use model::{BoxId, Epoch, Millis, SiteId, change::Doc};
use wire::{
    frame::{Bundle, Checkpoint},
    outbox::Row,
};

/// Hash of an automerge change.
pub type ChangeHash = [u8; 32];

/// Why the store could not answer. The world's fault: the hub keeps the box waiting with `retry_after`.
#[derive(Debug, thiserror::Error)]
#[error("the store: {0}")]
pub struct Error(#[from] pub anyhow::Error);

/// What the store knows of a box that proved its identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub site: SiteId,
    /// A revoked box is refused, and its certificate is not renewed.
    pub revoked: bool,
}

/// One automerge change as it is kept. `deps` lets heads be kept without loading the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigChange {
    pub hash: ChangeHash,
    pub deps: Vec<ChangeHash>,
    pub bytes: Vec<u8>,
}

/// A kept change with its place in the document's table: positions grow, and need not be gapless.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptChange {
    pub position: u64,
    pub change: ConfigChange,
}

/// Somebody presents an enrolment token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolment {
    /// SHA-256 of the token: the token itself is never stored.
    pub token_sha256: [u8; 32],
    /// SHA-256 of the public key that asks, so that a lost answer can be asked for again by the same key alone.
    pub key_sha256: [u8; 32],
    /// The id the box gets when the token is fresh.
    pub box_id: BoxId,
    pub now: Millis,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Enrolled {
    /// Fresh token: marked as used by this key, and the box is registered. Or the same token by the same key, before
    /// it expired: the box it got then.
    Granted {
        box_id: BoxId,
        site: SiteId,
    },
    UnknownToken,
    /// By another key.
    UsedToken,
    ExpiredToken,
}

pub trait Store: Send + Sync + 'static {
    /// None: no such box.
    fn standing(&self, box_id: BoxId) -> impl Future<Output = Result<Option<Standing>, Error>> + Send;

    /// The last row of this epoch that took effect; 0 for none.
    fn watermark(&self, box_id: BoxId, epoch: Epoch) -> impl Future<Output = Result<u64, Error>> + Send;

    /// Rows are gapless and in order, and may begin at or below the watermark: those are skipped. The effect of the
    /// rest and the new watermark are one transaction. A row that cannot be understood (unknown kind, undecodable
    /// body, too large) is kept aside and counts as taken: one poisoned row must not stop the others. A gap after
    /// the watermark is an error. Returns the watermark.
    fn ingest(
        &self,
        box_id: BoxId,
        site: &SiteId,
        epoch: Epoch,
        rows: Vec<Row>,
    ) -> impl Future<Output = Result<u64, Error>> + Send;

    /// Heads of one document without loading it; see [`merge_heads`].
    fn config_heads(&self, site: &SiteId, doc: Doc)
    -> impl Future<Output = Result<BTreeSet<ChangeHash>, Error>> + Send;

    /// Changes at positions above `after`, in the order of their positions.
    fn config_changes(
        &self,
        site: &SiteId,
        doc: Doc,
        after: u64,
    ) -> impl Future<Output = Result<Vec<KeptChange>, Error>> + Send;

    /// Appends those not yet kept (by hash) and updates the heads. Changes come after what they depend on.
    fn config_append(
        &self,
        site: &SiteId,
        doc: Doc,
        changes: Vec<ConfigChange>,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// The encoded sync state with one box; None if there was none.
    fn sync_state(&self, box_id: BoxId, doc: Doc) -> impl Future<Output = Result<Option<Vec<u8>>, Error>> + Send;
    fn sync_state_put(&self, box_id: BoxId, doc: Doc, state: Vec<u8>)
    -> impl Future<Output = Result<(), Error>> + Send;

    /// Consumes a token and registers the box, or says why not.
    fn enrol(&self, enrolment: Enrolment) -> impl Future<Output = Result<Enrolled, Error>> + Send;

    /// A certificate was signed for the box: remembered for the list of devices and for revocation.
    fn certificate_issued(
        &self,
        box_id: BoxId,
        serial: &str,
        not_after: Millis,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Keeps a checkpoint whose signature was verified, once. Says when it was first seen; None: no more of this box's
    /// contradictions are kept.
    fn checkpoint(
        &self,
        box_id: BoxId,
        checkpoint: Checkpoint,
    ) -> impl Future<Output = Result<Option<Millis>, Error>> + Send;

    /// The bundle on offer to this site's boxes.
    fn bundle_offer(&self, site: &SiteId) -> impl Future<Output = Result<Option<Bundle>, Error>> + Send;
}

/// The heads after `change` joined a document whose heads were `heads`. Call once per change that was not kept before.
pub fn merge_heads(heads: &mut BTreeSet<ChangeHash>, change: &ConfigChange) {
    for dep in &change.deps {
        heads.remove(dep);
    }
    heads.insert(change.hash);
}
