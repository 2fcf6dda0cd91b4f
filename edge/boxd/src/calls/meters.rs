//! What Prometheus reads of the calls process.

use model::fact::{CopyMissing, Kind, RecordingMissing};
use prometheus::{IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};

use super::refusals::Refusals;

pub struct Meters {
    pub registry: Registry,
    pub contacts: IntCounter,
    pub answered: IntCounter,
    pub abandoned: IntCounter,
    pub refused: Refusals,
    pub emergencies: IntCounter,
    /// S-140: what an alarm is set on.
    pub outward_refused: IntCounterVec,
    /// What became of the recording of each answered contact: how much of what was to be recorded is.
    pub recordings: IntCounterVec,
    /// What became of copies at recording servers of the customer's own, by the server.
    pub copies: IntCounterVec,
    /// Copies that such a server has at this moment, and recording sessions of peers.
    pub recording_sessions: IntGaugeVec,
    pub facts: IntCounter,
    pub waiting: IntGauge,
    pub phones: IntGauge,
    pub trunks_up: IntGauge,
    /// By trunk: 1 when it answers; calls by trunk and `in` or `out`.
    pub trunk_up: IntGaugeVec,
    pub trunk_calls: IntGaugeVec,
    pub connections: IntGauge,
    pub config_findings: IntGauge,
    /// Datagrams that the kernel had no room for: the box did not read fast enough.
    pub kernel_dropped: IntCounter,
    pub datagrams_waiting: IntGauge,
    pub datagrams_waiting_bytes: IntGauge,
    /// Calls a second that may begin; -1: as many as come.
    pub calls_rate: IntGauge,
    pub transactions: IntGauge,
    pub dialogs: IntGauge,
}

impl Meters {
    pub fn new() -> anyhow::Result<Self> {
        let registry = Registry::new();
        let counter = |name: &str, help: &str| -> anyhow::Result<IntCounter> {
            let counter = IntCounter::new(name, help)?;
            registry.register(Box::new(counter.clone()))?;
            Ok(counter)
        };
        let gauge = |name: &str, help: &str| -> anyhow::Result<IntGauge> {
            let gauge = IntGauge::new(name, help)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok(gauge)
        };
        let refused = Refusals::new(&registry)?;
        let outward_refused = IntCounterVec::new(
            Opts::new("branchline_outward_refused_total", "Calls out that the dial plan or a cap refused"),
            &["why"],
        )?;
        registry.register(Box::new(outward_refused.clone()))?;
        let recordings = IntCounterVec::new(
            Opts::new(
                "branchline_recordings_total",
                "Recordings that began, and those that are missing, by their reason",
            ),
            &["outcome"],
        )?;
        registry.register(Box::new(recordings.clone()))?;
        for outcome in RECORDING_OUTCOMES {
            // A reason that never was is 0, and not unknown.
            recordings.with_label_values(&[outcome]).reset();
        }
        let copies = IntCounterVec::new(
            Opts::new(
                "branchline_siprec_copies_total",
                "Copies that a recording server began to take, and those that it has not, by their reason",
            ),
            &["recorder", "outcome"],
        )?;
        registry.register(Box::new(copies.clone()))?;
        let of_trunk = |name: &str, help: &str, labels: &[&str]| -> anyhow::Result<IntGaugeVec> {
            let gauge = IntGaugeVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok(gauge)
        };
        Ok(Self {
            contacts: counter("branchline_contacts_total", "Contacts that ended")?,
            answered: counter("branchline_contacts_answered_total", "Contacts that were answered")?,
            abandoned: counter("branchline_contacts_abandoned_total", "Contacts that left a queue unanswered")?,
            emergencies: counter("branchline_emergency_calls_total", "Emergency calls from a phone of the branch")?,
            facts: counter("branchline_facts_total", "Facts written down")?,
            waiting: gauge("branchline_contacts_waiting", "Contacts in queues")?,
            phones: gauge("branchline_phones_registered", "Phones with a registration")?,
            trunk_up: of_trunk("branchline_trunk_up", "Whether the trunk answers", &["trunk"])?,
            trunk_calls: of_trunk("branchline_trunk_calls", "Calls on the trunk", &["trunk", "way"])?,
            trunks_up: gauge("branchline_trunks_up", "Trunks that answer")?,
            connections: gauge("branchline_sip_connections", "SIP connections over TCP")?,
            config_findings: gauge("branchline_config_findings", "Findings of the configuration")?,
            kernel_dropped: counter("branchline_sip_kernel_dropped_total", "SIP datagrams the kernel had no room for")?,
            datagrams_waiting: gauge("branchline_sip_datagrams_waiting", "SIP datagrams that wait for the engine")?,
            datagrams_waiting_bytes: gauge("branchline_sip_datagrams_waiting_bytes", "Bytes of these")?,
            calls_rate: gauge("branchline_sip_calls_rate", "Calls a second that may begin; -1: no limit")?,
            transactions: gauge("branchline_sip_transactions", "SIP transactions that are remembered")?,
            dialogs: gauge("branchline_sip_dialogs", "SIP dialogs")?,
            recording_sessions: of_trunk(
                "branchline_siprec_sessions",
                "Recording sessions: wanted by us, taken by a server, brought by a peer",
                &["what"],
            )?,
            copies,
            refused,
            outward_refused,
            recordings,
            registry,
        })
    }

    /// Counts what a fact says of a recording.
    pub fn count_recording(&self, kind: &Kind) {
        if let Some(outcome) = recording_outcome(kind) {
            self.recordings.with_label_values(&[outcome]).inc();
        }
        match kind {
            Kind::CopyStarted { recorder, .. } => {
                self.copies.with_label_values(&[recorder.as_str(), "copied"]).inc();
            }
            Kind::CopyMissing { recorder, reason, .. } => {
                let recorder = recorder.as_ref().map_or("", |recorder| recorder.as_str());
                self.copies.with_label_values(&[recorder, no_copy(*reason)]).inc();
            }
            _ => {}
        }
    }
}

fn no_copy(reason: CopyMissing) -> &'static str {
    match reason {
        CopyMissing::Refused => "refused",
        CopyMissing::Unreachable => "unreachable",
        CopyMissing::Lost => "lost",
        CopyMissing::Media => "media",
        CopyMissing::Limit => "limit",
    }
}

const RECORDING_OUTCOMES: [&str; 7] =
    ["recorded", "not_wanted", "no_consent", "refused", "disk_full", "media_failed", "key_unavailable"];

/// The label of what a fact says of a recording, if it does.
fn recording_outcome(kind: &Kind) -> Option<&'static str> {
    let [recorded, not_wanted, no_consent, refused, disk_full, media_failed, key_unavailable] = RECORDING_OUTCOMES;
    match kind {
        Kind::RecordingStarted { .. } => Some(recorded),
        Kind::RecordingMissing { reason } => Some(match reason {
            RecordingMissing::NotWanted => not_wanted,
            RecordingMissing::NoConsent => no_consent,
            RecordingMissing::Refused => refused,
            RecordingMissing::DiskFull => disk_full,
            RecordingMissing::MediaFailed => media_failed,
            RecordingMissing::KeyUnavailable => key_unavailable,
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use model::RecordingId;

    use super::*;

    #[test]
    fn each_recording_and_each_that_is_missing_is_counted_by_its_reason() {
        let meters = Meters::new().expect("counters");
        meters.count_recording(&Kind::RecordingStarted { recording: RecordingId(1) });
        meters.count_recording(&Kind::RecordingStarted { recording: RecordingId(2) });
        meters.count_recording(&Kind::RecordingMissing { reason: RecordingMissing::DiskFull });
        meters.count_recording(&Kind::RecordingMissing { reason: RecordingMissing::NotWanted });
        meters.count_recording(&Kind::Held);
        let counted = RECORDING_OUTCOMES.map(|outcome| meters.recordings.with_label_values(&[outcome]).get());
        assert_eq!(counted, [2, 1, 0, 0, 1, 0, 0]);
        let shown = meters.registry.gather().iter().any(|family| {
            family.name() == "branchline_recordings_total" && family.get_metric().len() == RECORDING_OUTCOMES.len()
        });
        assert!(shown, "a reason that never was is shown as 0");
    }
}
