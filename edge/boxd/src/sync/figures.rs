//! What *sync* counts.

use prometheus::{IntCounter, IntGauge, Registry};

#[derive(Clone)]
pub struct Figures {
    pub linked: IntGauge,
    /// The link goes through a WebSocket.
    pub web: IntGauge,
    pub attempts: IntCounter,
    pub rows_sent: IntCounter,
    /// Rows the cloud does not have yet.
    pub rows_waiting: IntGauge,
    pub config_received: IntCounter,
    /// How far the cloud's clock is ahead of ours.
    pub skew_ms: IntGauge,
    pub packets_sent: IntCounter,
    pub packets_received: IntCounter,
    pub packets_dropped: IntCounter,
    pub overflow_calls: IntGauge,
    /// Checkpoints of what left that the customer's witness has not taken.
    pub witness_waiting: IntGauge,
}

impl Figures {
    pub fn new(registry: &Registry) -> prometheus::Result<Self> {
        let counter = |name: &str, help: &str| {
            let counter = IntCounter::new(format!("branchline_sync_{name}"), help)?;
            registry.register(Box::new(counter.clone()))?;
            Ok::<_, prometheus::Error>(counter)
        };
        let gauge = |name: &str, help: &str| {
            let gauge = IntGauge::new(format!("branchline_sync_{name}"), help)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok::<_, prometheus::Error>(gauge)
        };
        Ok(Self {
            linked: gauge("linked", "1 while the cloud answers")?,
            web: gauge("web", "1 while the link goes through a WebSocket, for want of UDP")?,
            attempts: counter("attempts_total", "Attempts to link")?,
            rows_sent: counter("rows_sent_total", "Outbox rows sent, repeated ones too")?,
            rows_waiting: gauge("rows_waiting", "Outbox rows the cloud does not have yet")?,
            config_received: counter("config_received_total", "Configuration changes taken from the cloud")?,
            skew_ms: gauge("clock_skew_milliseconds", "How far the cloud's clock is ahead")?,
            packets_sent: counter("media_packets_sent_total", "Sealed packets sent")?,
            packets_received: counter("media_packets_received_total", "Sealed packets opened")?,
            packets_dropped: counter("media_packets_dropped_total", "Packets not sent, not sealed or not expected")?,
            overflow_calls: gauge("overflow_calls", "Overflow calls known")?,
            witness_waiting: gauge("witness_waiting", "Checkpoints that the customer's witness has not taken")?,
        })
    }
}
