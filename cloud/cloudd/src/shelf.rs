//! What the hub asks of the database, on `db`.

use std::{collections::BTreeSet, sync::Arc};

use db::{
    Db, boxes, change, egress,
    enrolment::{self, Claim, Redeemed},
    ingest, sync_state,
};
use model::{BoxId, Epoch, Millis, SiteId, change::Doc};
use serde_json::json;
use wire::{
    frame::{Bundle, Checkpoint},
    outbox::Row,
};

use crate::{
    clock,
    hints::Hints,
    hub::store::{ChangeHash, ConfigChange, Enrolled, Enrolment, Error, KeptChange, Standing, Store},
    metrics::Metrics,
};

#[derive(Clone)]
pub struct Shelf {
    pub db: Db,
    pub hints: Arc<Hints>,
    pub metrics: Arc<Metrics>,
}

type Result<T> = std::result::Result<T, Error>;

fn world(error: db::Error) -> Error {
    Error(error.into())
}

impl Shelf {
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&db::Connection) -> db::Result<T> + Send + 'static,
    ) -> Result<T> {
        self.db.read(work).await.map_err(world)
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&db::Connection) -> db::Result<T> + Send + 'static,
    ) -> Result<T> {
        self.db.write(work).await.map_err(world)
    }

    fn count(&self, taken: ingest::Taken) {
        let good = taken.fresh.saturating_sub(taken.aside);
        for (outcome, rows) in [("fresh", good), ("repeated", taken.repeated), ("aside", taken.aside)] {
            self.metrics.rows.with_label_values(&[outcome]).inc_by(rows);
        }
    }
}

impl Store for Shelf {
    async fn standing(&self, box_id: BoxId) -> Result<Option<Standing>> {
        let device = self.read(move |conn| boxes::one(conn, box_id)).await?;
        Ok(device.map(|device| Standing { site: device.site, revoked: device.revoked.is_some() }))
    }

    async fn watermark(&self, box_id: BoxId, epoch: Epoch) -> Result<u64> {
        self.read(move |conn| ingest::watermark(conn, box_id, epoch)).await
    }

    async fn ingest(&self, box_id: BoxId, site: &SiteId, epoch: Epoch, rows: Vec<Row>) -> Result<u64> {
        let Some(first) = rows.first().map(|row| row.seq) else { return self.watermark(box_id, epoch).await };
        let rows = rows.iter().map(|row| ingest::decode(row.kind, &row.body)).collect();
        let batch = ingest::Batch { box_id, site: site.clone(), epoch, first, rows };
        let taken = self.db.write(move |conn| ingest::take(conn, &batch, clock::now())).await;
        let taken = taken.map_err(|refused| Error(refused.into()))?;
        self.count(taken);
        if taken.aside > 0 {
            tracing::warn!(%box_id, rows = taken.aside, "rows of an outbox were not understood and are set aside");
        }
        if taken.fresh > 0 {
            self.hints.touch(site);
        }
        Ok(taken.watermark)
    }

    async fn config_heads(&self, site: &SiteId, doc: Doc) -> Result<BTreeSet<ChangeHash>> {
        let site = site.clone();
        self.read(move |conn| change::heads(conn, change::Of { site: &site, doc })).await
    }

    async fn config_changes(&self, site: &SiteId, doc: Doc, after: u64) -> Result<Vec<KeptChange>> {
        let site = site.clone();
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        let kept = self.read(move |conn| change::after(conn, change::Of { site: &site, doc }, after)).await?;
        let kept = kept.into_iter().map(|(position, change::Change { hash, deps, bytes })| KeptChange {
            position: position.cast_unsigned(),
            change: ConfigChange { hash, deps, bytes },
        });
        Ok(kept.collect())
    }

    async fn config_append(&self, site: &SiteId, doc: Doc, changes: Vec<ConfigChange>) -> Result<()> {
        let changes: Vec<change::Change> = changes
            .into_iter()
            .map(|ConfigChange { hash, deps, bytes }| change::Change { hash, deps, bytes })
            .collect();
        let of = site.clone();
        let signed = change::Signed { author: BRANCH.into(), note: String::new(), at: clock::now() };
        let added = self.write(move |conn| change::add(conn, change::Of { site: &of, doc }, &changes, &signed)).await?;
        if added > 0 {
            self.hints.touch(site);
        }
        Ok(())
    }

    async fn sync_state(&self, box_id: BoxId, doc: Doc) -> Result<Option<Vec<u8>>> {
        self.read(move |conn| sync_state::read(conn, box_id, doc)).await
    }

    async fn sync_state_put(&self, box_id: BoxId, doc: Doc, state: Vec<u8>) -> Result<()> {
        self.write(move |conn| sync_state::keep(conn, box_id, doc, &state, clock::now())).await
    }

    async fn enrol(&self, enrolment: Enrolment) -> Result<Enrolled> {
        let Enrolment { token_sha256, key_sha256, box_id, now } = enrolment;
        let redeemed = self
            .write(move |conn| {
                let redeemed = enrolment::redeem(conn, &Claim { code: token_sha256, key: key_sha256, box_id }, now)?;
                if let Redeemed::Granted { box_id, site } = &redeemed {
                    let detail = json!({ "box": box_id, "site": site });
                    db::audit::add(conn, MACHINE, "box.enrol", &detail, now)?;
                }
                Ok(redeemed)
            })
            .await?;
        Ok(match redeemed {
            Redeemed::Granted { box_id, site } => {
                self.hints.touch(&site);
                Enrolled::Granted { box_id, site }
            }
            Redeemed::Unknown => Enrolled::UnknownToken,
            Redeemed::Expired => Enrolled::ExpiredToken,
            Redeemed::Used => Enrolled::UsedToken,
        })
    }

    async fn certificate_issued(&self, box_id: BoxId, serial: &str, not_after: Millis) -> Result<()> {
        let serial = serial.to_owned();
        self.write(move |conn| {
            boxes::certify(conn, box_id, &serial, not_after)?;
            let detail = json!({ "box": box_id, "serial": serial, "not_after": not_after });
            db::audit::add(conn, MACHINE, "box.certify", &detail, clock::now()).map(drop)
        })
        .await
    }

    async fn checkpoint(&self, box_id: BoxId, checkpoint: Checkpoint) -> Result<Option<Millis>> {
        let Checkpoint { origin, first, count, at, root, signature } = checkpoint;
        let shown = egress::Shown { origin, first, count, at, root, signature: signature.into() };
        self.write(move |conn| egress::keep(conn, box_id, &shown, clock::now())).await
    }

    async fn bundle_offer(&self, site: &SiteId) -> Result<Option<Bundle>> {
        let site = site.clone();
        let offered = self.read(move |conn| db::bundle::offered(conn, &site)).await?;
        Ok(offered.map(|bundle| Bundle { name: bundle.name, size: bundle.size, sha256: bundle.sha256 }))
    }
}

/// Author, in the audit, of what the daemon did by itself.
pub const MACHINE: &str = "cloudd";
/// Author, in a document's history, of what a site's own people or box changed there.
pub const BRANCH: &str = "branch";

#[cfg(test)]
mod tests {
    #[test]
    fn wire_and_database_mean_the_same_kinds_and_sizes() {
        assert_eq!(wire::outbox::KIND_LEAVING, db::ingest::KIND_LEAVING);
        assert_eq!(wire::outbox::ROW_BYTES_MAX, db::ingest::ASIDE_LEN_MAX);
    }
}
