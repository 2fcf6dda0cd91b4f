//! May this box have a session, from which row on, and of which documents must be spoken?

use config::Document;
use model::change::Doc;
use wire::{
    frame::{Heads, Hello, Reason},
    session::Peer,
};

use super::store::{self, Store};

const DOCS: [Doc; 3] = [Doc::Org, Doc::Site, Doc::Local];

/// Watermark and documents to sync; or why it is turned away.
pub(super) async fn decide<S: Store>(
    store: &S,
    peer: &Peer,
    hello: &Hello,
) -> Result<Result<(u64, Vec<Doc>), Reason>, store::Error> {
    let Some(standing) = store.standing(peer.box_id).await? else { return Ok(Err(Reason::Identity)) };
    if standing.revoked {
        return Ok(Err(Reason::Revoked));
    }
    if standing.site != peer.site {
        return Ok(Err(Reason::Identity));
    }
    let mut sync = Vec::new();
    for doc in DOCS {
        let mut ours = store.config_heads(&peer.site, doc).await?;
        if ours.is_empty() {
            // An empty document has the first change that all replicas make alike.
            ours = Document::new(doc, &peer.site, [0; 16]).heads().0.into_iter().collect();
        }
        if hello.heads.iter().find(|heads| heads.doc == doc).is_none_or(|Heads { heads, .. }| *heads != ours) {
            sync.push(doc);
        }
    }
    Ok(Ok((store.watermark(peer.box_id, hello.epoch).await?, sync)))
}
