//! The database's double: one lock, and faults on demand.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use cloudd::hub::store::{
    ChangeHash, ConfigChange, Enrolled, Enrolment, Error, KeptChange, Standing, Store, merge_heads,
};
use model::{BoxId, Epoch, Millis, SiteId, change::Doc};
use wire::{
    frame::{Bundle, Checkpoint},
    outbox::Row,
};

/// The site a token enrols for, and the key and box that used it.
type Token = (SiteId, Option<([u8; 32], BoxId)>);

#[derive(Default)]
pub struct State {
    pub boxes: BTreeMap<BoxId, Standing>,
    /// By the token's hash.
    pub tokens: BTreeMap<[u8; 32], Token>,
    pub watermarks: BTreeMap<(BoxId, Epoch), u64>,
    /// Each effect that took place, in order.
    pub effects: Vec<(BoxId, Row)>,
    pub changes: BTreeMap<(SiteId, Doc), Vec<ConfigChange>>,
    pub heads: BTreeMap<(SiteId, Doc), BTreeSet<ChangeHash>>,
    pub sync_states: BTreeMap<(BoxId, Doc), Vec<u8>>,
    pub certificates: u32,
    pub offers: BTreeMap<SiteId, Bundle>,
    pub checkpoints: Vec<(BoxId, Checkpoint)>,
    /// Transactions that wrote.
    pub writes: u32,
    /// How long an ingest takes, and whether its answer is then lost.
    pub ingest_takes: Duration,
    pub answers_lost: u32,
}

#[derive(Clone, Default)]
pub struct Database(Arc<Mutex<State>>);

impl Database {
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> MutexGuard<'_, State> {
        let mut state = self.lock();
        state.writes += 1;
        state
    }
}

impl Store for Database {
    async fn standing(&self, box_id: BoxId) -> Result<Option<Standing>, Error> {
        Ok(self.lock().boxes.get(&box_id).cloned())
    }

    async fn watermark(&self, box_id: BoxId, epoch: Epoch) -> Result<u64, Error> {
        Ok(self.lock().watermarks.get(&(box_id, epoch)).copied().unwrap_or(0))
    }

    async fn ingest(&self, box_id: BoxId, _: &SiteId, epoch: Epoch, rows: Vec<Row>) -> Result<u64, Error> {
        let takes = self.lock().ingest_takes;
        tokio::time::sleep(takes).await;
        let mut state = self.write();
        let mut watermark = state.watermarks.get(&(box_id, epoch)).copied().unwrap_or(0);
        for row in rows.into_iter().filter(|row| row.seq > watermark).collect::<Vec<_>>() {
            if row.seq != watermark + 1 {
                return Err(Error(anyhow::anyhow!("row {} after {watermark}", row.seq)));
            }
            watermark = row.seq;
            state.effects.push((box_id, row));
        }
        state.watermarks.insert((box_id, epoch), watermark);
        if state.answers_lost > 0 {
            state.answers_lost -= 1;
            return Err(Error(anyhow::anyhow!("the answer is lost")));
        }
        Ok(watermark)
    }

    async fn config_heads(&self, site: &SiteId, doc: Doc) -> Result<BTreeSet<ChangeHash>, Error> {
        Ok(self.lock().heads.get(&(site.clone(), doc)).cloned().unwrap_or_default())
    }

    async fn config_changes(&self, site: &SiteId, doc: Doc, after: u64) -> Result<Vec<KeptChange>, Error> {
        let state = self.lock();
        let kept = state.changes.get(&(site.clone(), doc)).map(Vec::as_slice).unwrap_or_default();
        let numbered =
            kept.iter().zip(1_u64..).map(|(change, position)| KeptChange { position, change: change.clone() });
        Ok(numbered.filter(|kept| kept.position > after).collect())
    }

    async fn config_append(&self, site: &SiteId, doc: Doc, changes: Vec<ConfigChange>) -> Result<(), Error> {
        let mut state = self.write();
        for change in changes {
            let kept = state.changes.entry((site.clone(), doc)).or_default();
            if kept.iter().all(|known| known.hash != change.hash) {
                kept.push(change.clone());
                merge_heads(state.heads.entry((site.clone(), doc)).or_default(), &change);
            }
        }
        Ok(())
    }

    async fn sync_state(&self, box_id: BoxId, doc: Doc) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.lock().sync_states.get(&(box_id, doc)).cloned())
    }

    async fn sync_state_put(&self, box_id: BoxId, doc: Doc, state: Vec<u8>) -> Result<(), Error> {
        self.write().sync_states.insert((box_id, doc), state);
        Ok(())
    }

    async fn enrol(&self, enrolment: Enrolment) -> Result<Enrolled, Error> {
        let mut state = self.write();
        let Some((site, used)) = state.tokens.get_mut(&enrolment.token_sha256) else {
            return Ok(Enrolled::UnknownToken);
        };
        let site = site.clone();
        match used {
            Some((key, box_id)) if *key == enrolment.key_sha256 => Ok(Enrolled::Granted { box_id: *box_id, site }),
            Some(_) => Ok(Enrolled::UsedToken),
            None => {
                *used = Some((enrolment.key_sha256, enrolment.box_id));
                state.boxes.insert(enrolment.box_id, Standing { site: site.clone(), revoked: false });
                Ok(Enrolled::Granted { box_id: enrolment.box_id, site })
            }
        }
    }

    async fn certificate_issued(&self, _: BoxId, _: &str, _: Millis) -> Result<(), Error> {
        self.write().certificates += 1;
        Ok(())
    }

    async fn checkpoint(&self, box_id: BoxId, checkpoint: Checkpoint) -> Result<Option<Millis>, Error> {
        self.write().checkpoints.push((box_id, checkpoint));
        Ok(Some(Millis(1)))
    }

    async fn bundle_offer(&self, site: &SiteId) -> Result<Option<Bundle>, Error> {
        Ok(self.lock().offers.get(site).cloned())
    }
}
