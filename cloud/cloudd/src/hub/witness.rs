//! Boxes show checkpoints of their egress ledgers; each is verified, kept, and counter-signed, so that neither a box nor
//! whoever holds its disk can tell another history later.

use link::identity;
use model::Millis;
use rustls::pki_types::CertificateDer;
use wire::{frame::Checkpoint, session::Peer};

use super::{
    Shared,
    store::{self, Store},
};

/// Why a checkpoint gets no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// The box's fault.
    #[error("the box did not sign it")]
    Signature,
    /// The box's fault.
    #[error("too many of this box's checkpoints contradict each other")]
    Disputed,
    #[error("counter-signing: {0}")]
    Ca(#[from] crate::ca::Error),
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// When it was first seen, and our word on that.
pub(super) async fn see<S: Store>(
    shared: &Shared<S>,
    peer: &Peer,
    connection: &quinn::Connection,
    checkpoint: Checkpoint,
) -> Result<(Millis, Vec<u8>), Error> {
    let statement =
        gate::Checkpoint { first: checkpoint.first, count: checkpoint.count, at: checkpoint.at, root: checkpoint.root }
            .statement(peer.box_id, &checkpoint.origin);
    if !is_signed(connection, &statement, &checkpoint.signature) {
        return Err(Error::Signature);
    }
    let at = shared.store.checkpoint(peer.box_id, checkpoint).await?.ok_or(Error::Disputed)?;
    Ok((at, shared.ca.witness(&gate::Checkpoint::seen(&statement, at))?))
}

fn is_signed(connection: &quinn::Connection, statement: &[u8], signature: &[u8]) -> bool {
    let chain = connection.peer_identity().and_then(|shown| shown.downcast::<Vec<CertificateDer<'static>>>().ok());
    let certificate = chain.and_then(|chain| chain.into_iter().next());
    certificate.is_some_and(|certificate| identity::is_signed_by(&certificate, statement, signature))
}
