//! The update machine: `match (state, input)`. It survives reboots as [`Saved`]; what it asks for comes out as
//! [`Output`]. An update is committed only after the new system has proved itself healthy for [`STEADY`] without a
//! break; it is rolled back after [`PATIENCE`]. The box never reboots over a live call.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use crate::{Bundle, Slot, Version};

/// How long all local proofs must hold before a trial is committed.
pub const STEADY: Duration = Duration::from_secs(30);
/// How long a trial may take before it is given up.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// Tunable only for tests and for slow hardware.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    pub steady: Duration,
    pub patience: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self { steady: STEADY, patience: PATIENCE }
    }
}

/// Where the update stands, as kept on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Saved {
    Idle,
    /// Written before the install begins: after a power cut it is begun again.
    Installing {
        bundle: Bundle,
        from: Slot,
    },
    /// The other slot holds the new system and boots next.
    AwaitingReboot {
        bundle: Bundle,
        from: Slot,
    },
    /// Booted into the new system, not yet believed.
    Trial {
        bundle: Bundle,
        from: Slot,
    },
    /// Told to go back; waiting to boot the old slot.
    RollingBack {
        bundle: Bundle,
        from: Slot,
        reason: Reason,
    },
}

/// How an update ended; the last one is kept and reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    Committed {
        version: Version,
    },
    /// The bundle was not installed: the running system is untouched.
    Refused {
        version: Version,
        why: String,
    },
    RolledBack {
        version: Version,
        reason: Reason,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The local proofs did not hold in time.
    Unhealthy,
    /// The boot chooser fell back by itself: the new system never came up.
    DidNotBoot,
}

#[derive(Debug, Clone)]
pub enum Input {
    /// The agent came up on this slot.
    Booted(Slot),
    Offered(Bundle),
    /// RAUC finished writing the other slot, or said why not.
    Installed(Result<(), String>),
    /// What the health file says: all proofs hold, and how many calls are in progress.
    Health {
        good: bool,
        calls: u32,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Make this durable before obeying what follows.
    Save(Saved),
    Install(Bundle),
    Reboot,
    /// RAUC `mark good booted`.
    CommitBooted,
    /// RAUC `mark bad booted` and `mark active other`.
    AbandonBooted,
    /// RAUC `mark bad other`: a stray `mark good` must not re-arm it.
    CondemnOther,
    Finished(Outcome),
}

pub struct Trial {
    timing: Timing,
    slot: Slot,
    saved: Saved,
    /// Versions that failed here; not tried again by themselves.
    failed: Vec<Version>,
    running: Version,
    healthy_since: Option<Instant>,
    trial_since: Option<Instant>,
    output: VecDeque<Output>,
}

/// Failed versions that are remembered.
const FAILED_MAX: usize = 16;

impl Trial {
    /// `saved` is what the disk held; `running` the version of the running system.
    pub fn new(timing: Timing, saved: Saved, failed: Vec<Version>, running: Version) -> Self {
        Self {
            timing,
            slot: Slot::A,
            saved,
            failed,
            running,
            healthy_since: None,
            trial_since: None,
            output: VecDeque::new(),
        }
    }

    pub fn saved(&self) -> &Saved {
        &self.saved
    }

    pub fn failed(&self) -> &[Version] {
        &self.failed
    }

    pub fn slot(&self) -> Slot {
        self.slot
    }

    pub fn handle_input(&mut self, now: Instant, input: Input) {
        match (self.saved.clone(), input) {
            (saved, Input::Booted(slot)) => self.booted(now, saved, slot),
            (Saved::Idle, Input::Offered(bundle)) => self.offered(bundle),
            // One update at a time; the offer stays in the spool and is offered again.
            (_, Input::Offered(_)) => {}
            (Saved::Installing { bundle, from }, Input::Installed(Ok(()))) => {
                self.save(Saved::AwaitingReboot { bundle, from });
            }
            (Saved::Installing { bundle, .. }, Input::Installed(Err(why))) => {
                self.save(Saved::Idle);
                self.fail(bundle.version);
                self.output.push_back(Output::Finished(Outcome::Refused { version: bundle.version, why }));
            }
            (_, Input::Installed(_)) => {}
            (Saved::AwaitingReboot { .. } | Saved::RollingBack { .. }, Input::Health { calls: 0, .. }) => {
                self.output.push_back(Output::Reboot);
            }
            (Saved::Trial { bundle, from }, Input::Health { good, .. }) => self.tried(now, bundle, from, good),
            (_, Input::Health { .. }) => {}
        }
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        if let (Saved::Trial { bundle, from }, Some(since)) = (self.saved.clone(), self.trial_since)
            && now.duration_since(since) >= self.timing.patience
        {
            self.output.push_back(Output::AbandonBooted);
            self.save(Saved::RollingBack { bundle, from, reason: Reason::Unhealthy });
        }
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        matches!(self.saved, Saved::Trial { .. })
            .then_some(self.trial_since)
            .flatten()
            .map(|at| at + self.timing.patience)
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.output.pop_front()
    }

    fn booted(&mut self, now: Instant, saved: Saved, slot: Slot) {
        self.slot = slot;
        match saved {
            Saved::Idle => {}
            Saved::Installing { bundle, from } if slot == from => self.output.push_back(Output::Install(bundle)),
            Saved::AwaitingReboot { bundle, from } | Saved::Trial { bundle, from } if slot != from => {
                self.trial_since = Some(now);
                self.healthy_since = None;
                self.save(Saved::Trial { bundle, from });
            }
            Saved::RollingBack { bundle, from, reason } if slot == from => self.rolled_back(bundle.version, reason),
            Saved::Trial { bundle, .. } => self.rolled_back(bundle.version, Reason::DidNotBoot),
            Saved::AwaitingReboot { bundle, from } => {
                // A restart of the agent alone lands here too: the reboot is still to come.
                self.save(Saved::AwaitingReboot { bundle, from });
            }
            Saved::Installing { .. } | Saved::RollingBack { .. } => self.save(Saved::Idle),
        }
    }

    /// The machine rebooted and the boot chooser did not choose the new slot.
    pub fn fell_back(&mut self) {
        if let Saved::AwaitingReboot { bundle, .. } = self.saved.clone() {
            self.rolled_back(bundle.version, Reason::DidNotBoot);
        }
    }

    /// An offer lies in the spool and is seen in every round: what runs already, and what was refused once, is not
    /// judged again.
    fn offered(&mut self, bundle: Bundle) {
        let version = bundle.version;
        if self.failed.contains(&version) {
            return;
        }
        let why = if let Err(error) = bundle.check() {
            error.to_string()
        } else if version == self.running {
            return;
        } else if version < self.running {
            // S-101, rollback: an older system comes only from the other slot, never from an offer.
            format!("version {version} is older than the running {}", self.running)
        } else {
            self.save(Saved::Installing { bundle: bundle.clone(), from: self.slot });
            self.output.push_back(Output::Install(bundle));
            return;
        };
        self.fail(version);
        self.output.push_back(Output::Finished(Outcome::Refused { version, why }));
    }

    fn tried(&mut self, now: Instant, bundle: Bundle, _from: Slot, good: bool) {
        if !good {
            self.healthy_since = None;
            return;
        }
        let since = *self.healthy_since.get_or_insert(now);
        if now.duration_since(since) >= self.timing.steady {
            self.output.push_back(Output::CommitBooted);
            self.running = bundle.version;
            self.save(Saved::Idle);
            self.output.push_back(Output::Finished(Outcome::Committed { version: bundle.version }));
        }
    }

    fn rolled_back(&mut self, version: Version, reason: Reason) {
        self.output.push_back(Output::CondemnOther);
        self.fail(version);
        self.save(Saved::Idle);
        self.output.push_back(Output::Finished(Outcome::RolledBack { version, reason }));
    }

    fn fail(&mut self, version: Version) {
        if !self.failed.contains(&version) {
            self.failed.truncate(FAILED_MAX - 1);
            self.failed.insert(0, version);
        }
    }

    fn save(&mut self, saved: Saved) {
        self.saved = saved.clone();
        self.output.push_back(Output::Save(saved));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle(version: [u16; 3]) -> Bundle {
        Bundle { name: "box.raucb".into(), version: Version(version), size: 1, sha256: "0".repeat(64) }
    }

    fn drain(trial: &mut Trial) -> Vec<Output> {
        std::iter::from_fn(|| trial.poll_output()).collect()
    }

    /// One life of the agent after another, with the state carried over as the disk would.
    fn reborn(trial: &Trial, slot: Slot, now: Instant) -> (Trial, Vec<Output>) {
        let mut next = Trial::new(trial.timing, trial.saved.clone(), trial.failed.clone(), trial.running);
        next.handle_input(now, Input::Booted(slot));
        let out = drain(&mut next);
        (next, out)
    }

    fn start() -> Instant {
        // The one reading of the clock: everything after is arithmetic.
        #[allow(clippy::disallowed_methods)]
        Instant::now()
    }

    fn until_reboot(now: Instant) -> Trial {
        let mut trial = Trial::new(Timing::default(), Saved::Idle, vec![], Version([1, 0, 0]));
        trial.handle_input(now, Input::Booted(Slot::A));
        trial.handle_input(now, Input::Offered(bundle([1, 1, 0])));
        trial.handle_input(now, Input::Installed(Ok(())));
        drain(&mut trial);
        trial
    }

    #[test]
    fn a_healthy_update_is_committed_after_a_steady_while_and_not_before() {
        let t0 = start();
        let trial = until_reboot(t0);
        let (mut trial, _) = reborn(&trial, Slot::B, t0);
        let good = Input::Health { good: true, calls: 0 };
        trial.handle_input(t0, good.clone());
        trial.handle_input(t0 + STEADY - Duration::from_millis(1), good.clone());
        assert_eq!(drain(&mut trial), vec![], "nothing yet");
        trial.handle_input(t0 + STEADY, good);
        let out = drain(&mut trial);
        assert!(out.contains(&Output::CommitBooted));
        assert!(out.contains(&Output::Finished(Outcome::Committed { version: Version([1, 1, 0]) })));
    }

    #[test]
    fn one_bad_report_starts_the_steady_while_again() {
        let t0 = start();
        let trial = until_reboot(t0);
        let (mut trial, _) = reborn(&trial, Slot::B, t0);
        trial.handle_input(t0, Input::Health { good: true, calls: 0 });
        trial.handle_input(t0 + STEADY / 2, Input::Health { good: false, calls: 0 });
        trial.handle_input(t0 + STEADY, Input::Health { good: true, calls: 0 });
        assert_eq!(drain(&mut trial), vec![]);
    }

    #[test]
    fn an_unhealthy_update_goes_back_and_is_not_tried_again() {
        let t0 = start();
        let trial = until_reboot(t0);
        let (mut trial, _) = reborn(&trial, Slot::B, t0);
        assert_eq!(trial.poll_timeout(), Some(t0 + PATIENCE));
        trial.handle_timeout(t0 + PATIENCE);
        assert!(drain(&mut trial).contains(&Output::AbandonBooted));
        trial.handle_input(t0 + PATIENCE, Input::Health { good: false, calls: 0 });
        assert_eq!(drain(&mut trial), vec![Output::Reboot]);
        let (mut trial, out) = reborn(&trial, Slot::A, t0);
        assert!(out.contains(&Output::CondemnOther));
        let reason = Reason::Unhealthy;
        assert!(out.contains(&Output::Finished(Outcome::RolledBack { version: Version([1, 1, 0]), reason })));
        trial.handle_input(t0, Input::Offered(bundle([1, 1, 0])));
        assert_eq!(drain(&mut trial), vec![], "the failed version is left alone");
        trial.handle_input(t0, Input::Offered(bundle([1, 1, 1])));
        assert!(drain(&mut trial).contains(&Output::Install(bundle([1, 1, 1]))), "a newer one is taken");
    }

    #[test]
    fn no_reboot_over_a_live_call() {
        let t0 = start();
        let mut trial = until_reboot(t0);
        trial.handle_input(t0, Input::Health { good: true, calls: 2 });
        assert_eq!(drain(&mut trial), vec![]);
        trial.handle_input(t0, Input::Health { good: true, calls: 0 });
        assert_eq!(drain(&mut trial), vec![Output::Reboot]);
    }

    #[test]
    fn a_power_cut_while_installing_begins_again() {
        let t0 = start();
        let mut trial = Trial::new(Timing::default(), Saved::Idle, vec![], Version([1, 0, 0]));
        trial.handle_input(t0, Input::Booted(Slot::A));
        trial.handle_input(t0, Input::Offered(bundle([1, 1, 0])));
        let (_, out) = reborn(&trial, Slot::A, t0);
        assert_eq!(out, vec![Output::Install(bundle([1, 1, 0]))]);
    }

    #[test]
    fn a_system_that_never_boots_is_condemned_when_the_chooser_falls_back() {
        let t0 = start();
        let trial = until_reboot(t0);
        let (mut trial, _) = reborn(&trial, Slot::A, t0);
        trial.fell_back();
        let reason = Reason::DidNotBoot;
        assert!(
            drain(&mut trial).contains(&Output::Finished(Outcome::RolledBack { version: Version([1, 1, 0]), reason }))
        );
    }

    #[test]
    fn an_older_version_is_refused_once_and_the_running_one_is_no_news() {
        let t0 = start();
        let mut trial = Trial::new(Timing::default(), Saved::Idle, vec![], Version([1, 0, 0]));
        trial.handle_input(t0, Input::Offered(bundle([1, 0, 0])));
        assert_eq!(drain(&mut trial), []);
        trial.handle_input(t0, Input::Offered(bundle([0, 9, 9])));
        assert!(matches!(drain(&mut trial)[..], [Output::Finished(Outcome::Refused { .. })]));
        trial.handle_input(t0, Input::Offered(bundle([0, 9, 9])));
        assert_eq!(drain(&mut trial), [], "it lies in the spool still");
    }

    #[test]
    fn a_refused_install_leaves_the_box_idle() {
        let t0 = start();
        let mut trial = Trial::new(Timing::default(), Saved::Idle, vec![], Version([1, 0, 0]));
        trial.handle_input(t0, Input::Offered(bundle([2, 0, 0])));
        trial.handle_input(t0, Input::Installed(Err("signature verification failed".into())));
        assert_eq!(trial.saved(), &Saved::Idle);
    }
}
