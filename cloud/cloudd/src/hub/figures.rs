//! What the hub counts.

use prometheus::{IntCounter, IntCounterVec, IntGauge, Opts, Registry};

#[derive(Clone)]
pub struct Figures {
    pub sessions: IntGauge,
    pub overflow_calls: IntGauge,
    /// By why: `overload`, `identity`, `revoked`, `unavailable`, `protocol`, `other`.
    pub refused: IntCounterVec,
    pub rows: IntCounter,
    pub config_changes: IntCounter,
    pub signals: IntCounter,
    pub datagrams: IntCounter,
    /// Datagrams of no call, of a box without a media connection, or that did not fit.
    pub datagrams_dropped: IntCounter,
    /// By outcome: `granted`, `refused`.
    pub enrolments: IntCounterVec,
    pub bundle_bytes: IntCounter,
}

impl Figures {
    pub fn new(registry: &Registry) -> prometheus::Result<Self> {
        let counter = |name: &str, help: &str| {
            let counter = IntCounter::new(format!("branchline_hub_{name}"), help)?;
            registry.register(Box::new(counter.clone()))?;
            Ok::<_, prometheus::Error>(counter)
        };
        let counters = |name: &str, help: &str, label: &str| {
            let counters = IntCounterVec::new(Opts::new(format!("branchline_hub_{name}"), help), &[label])?;
            registry.register(Box::new(counters.clone()))?;
            Ok::<_, prometheus::Error>(counters)
        };
        let gauge = |name: &str, help: &str| {
            let gauge = IntGauge::new(format!("branchline_hub_{name}"), help)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok::<_, prometheus::Error>(gauge)
        };
        Ok(Self {
            sessions: gauge("sessions", "Boxes linked")?,
            overflow_calls: gauge("overflow_calls", "Calls carried between sites")?,
            refused: counters("refused_total", "Sessions refused", "reason")?,
            rows: counter("rows_total", "Outbox rows handed to the database, repeated ones too")?,
            config_changes: counter("config_changes_total", "Configuration changes taken from boxes")?,
            signals: counter("signals_total", "Signals of overflow calls forwarded")?,
            datagrams: counter("datagrams_total", "Sealed media datagrams forwarded")?,
            datagrams_dropped: counter("datagrams_dropped_total", "Media datagrams that went nowhere")?,
            enrolments: counters("enrolments_total", "Enrolments", "outcome")?,
            bundle_bytes: counter("bundle_bytes_total", "Bytes of bundles served")?,
        })
    }
}
