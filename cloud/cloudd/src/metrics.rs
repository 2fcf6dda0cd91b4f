//! What Prometheus may read. Labels are routes, outcomes and nothing of a person.

use prometheus::{Encoder, IntCounter, IntCounterVec, IntGauge, Opts, Registry, TextEncoder};

pub struct Metrics {
    registry: Registry,
    /// By route and status.
    pub requests: IntCounterVec,
    /// By outcome: `signed_in`, `refused`, `locked_out`.
    pub sign_ins: IntCounterVec,
    /// Rows of outboxes, by what came of them: `fresh`, `repeated`, `aside`.
    pub rows: IntCounterVec,
    pub sites_linked: IntGauge,
    /// How often it was read of a site how it is, for a roll-out that watches it.
    pub evidence_read: IntCounter,
    commits: IntCounter,
    writes: IntCounter,
}

impl Metrics {
    pub fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let vec = |name: &str, help: &str, labels: &[&str]| {
            let counter = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(counter.clone()))?;
            Ok::<_, prometheus::Error>(counter)
        };
        let counter = |name: &str, help: &str| {
            let counter = IntCounter::new(name, help)?;
            registry.register(Box::new(counter.clone()))?;
            Ok::<_, prometheus::Error>(counter)
        };
        let sites_linked = IntGauge::new("cloudd_sites_linked", "Sites with a box connected to this process")?;
        registry.register(Box::new(sites_linked.clone()))?;
        Ok(Self {
            requests: vec("cloudd_http_requests_total", "Requests answered", &["route", "status"])?,
            sign_ins: vec("cloudd_sign_ins_total", "Attempts to sign in", &["outcome"])?,
            rows: vec("cloudd_outbox_rows_total", "Rows received from boxes", &["outcome"])?,
            evidence_read: counter(
                "cloudd_rollout_sites_read_total",
                "Reads of how a site is that a roll-out watches",
            )?,
            commits: counter("cloudd_db_commits_total", "Commits to the database")?,
            writes: counter("cloudd_db_writes_total", "Writes within those commits")?,
            sites_linked,
            registry,
        })
    }

    /// For others to add to.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    pub fn text(&self, counts: &db::Counts) -> anyhow::Result<String> {
        use std::sync::atomic::Ordering::Relaxed;
        for (counter, count) in [(&self.commits, &counts.commits), (&self.writes, &counts.writes)] {
            counter.inc_by(count.load(Relaxed).saturating_sub(counter.get()));
        }
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(String::from_utf8(text)?)
    }
}
