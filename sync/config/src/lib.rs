//! The configuration of a site as three documents that branch and centre may edit while apart (`automerge`): typed
//! changes in, the effective `Config` and findings out.
//!
//! Every field is a scalar of its own under a path (`queues/sales/ring_s`), so that edits of different fields both
//! survive. The resolver is pure and total: whatever is in the documents, every replica with the same heads gets the
//! same configuration and the same findings. Storing changes is the ledger's, carrying them `wire`'s.

mod alert;
mod callback;
mod carrier;
mod change;
mod document;
mod documents;
mod drill;
mod effective;
mod error;
mod flow;
mod front;
mod history;
mod layers;
mod plan;
mod recording;
mod references;
mod report;
mod routing;
mod rules;
mod scalar;
mod seed;
mod versions;

pub use document::{Applied, Document, Heads, Peer, SyncState, may_receive};
pub use documents::{Author, Documents};
pub use drill::PATH as DRILL_PATH;
pub use effective::{Effective, effective, heads};
pub use error::Error;
pub use history::{History, Kept, Undo, is_under};
pub use layers::differences;
pub use plan::{Plan, Unfit, plan};
pub use report::{Histories, report};
pub use scalar::Scalar;
pub use seed::changes_from;
pub use versions::flow_versions;
