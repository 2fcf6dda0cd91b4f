//! One roll-out: a set of changes on its way to many sites, wave after wave. A wave is over when each of its sites has run
//! by the changes for the time of the soak, is linked, and callers there fare as before. Where a box refuses them, or far
//! fewer callers reach somebody, all that was written is taken back at once; where a site is silent, everything waits for
//! a person.
//!
//! It survives its process as what `serde` writes of it: what it asks for is asked again until it is told the outcome.

use std::collections::{BTreeMap, VecDeque};

use model::{BoxId, Millis, SiteId, leaving::Fare};
use serde::{Deserialize, Serialize};

/// A site whose processes were started again more often than this, while it ran by the changes and had not passed, waits
/// for a person: it would begin its soak anew for ever.
pub const RESTARTS_MAX: u32 = 2;
/// Boxes of one site whose restarts are counted.
const BOXES_MAX: usize = 64;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub waves: Vec<Vec<SiteId>>,
    /// How long each site must run by it before the next wave.
    pub soak_ms: i64,
    /// How long a site may be silent before everything waits for a person.
    pub patience_ms: i64,
    /// The first wave is over only when enough have called at each of its sites to know that they fare as before.
    pub wants_calls: bool,
}

/// Why it stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Why {
    Person {
        by: String,
    },
    /// Far fewer callers reach somebody there than before.
    CallsFell {
        site: SiteId,
    },
    /// Its box found it could not run by this.
    Refused {
        site: SiteId,
    },
    /// Its documents did not take the changes.
    Unfit {
        site: SiteId,
    },
    /// Processes of its box are started again and again.
    Restless {
        site: SiteId,
    },
    /// Its box has not said that it runs by this, or was lost since.
    Silent {
        site: SiteId,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// A second person must agree.
    AwaitsSecond,
    Running,
    /// Nothing more is written until a person says so; what is written is still watched.
    Held {
        #[serde(flatten)]
        why: Why,
    },
    /// What was written is being taken back.
    Reverting {
        #[serde(flatten)]
        why: Why,
    },
    Reverted {
        #[serde(flatten)]
        why: Why,
    },
    Done,
}

impl State {
    /// Something may still happen without a person.
    pub fn is_live(&self) -> bool {
        matches!(self, State::Running | State::Held { .. } | State::Reverting { .. })
    }

    pub fn is_over(&self) -> bool {
        matches!(self, State::Reverted { .. } | State::Done)
    }

    /// The person who stopped it; None: nobody did, or it was stopped by itself.
    pub fn stopped_by(&self) -> Option<&str> {
        match self {
            State::Held { why } | State::Reverting { why } | State::Reverted { why } => match why {
                Why::Person { by } => Some(by),
                _ => None,
            },
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Standing {
    Waiting,
    /// In the site's documents; its box has not said that it runs by them.
    Written,
    Runs,
    Passed,
    /// It was so already.
    Alike,
    /// But for so many fields which somebody wrote since.
    TakenBack {
        left: u32,
    },
    /// Its documents could not be read: what was written is there still.
    Stuck,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    #[serde(flatten)]
    pub standing: Standing,
    pub since: Millis,
    pub linked: bool,
    /// Since when it is not seen to run by it, though it did. Such time is no part of the soak.
    #[serde(default)]
    pub lost: Option<Millis>,
    /// Of the processes of each of its boxes, as last said.
    #[serde(default)]
    pub counts: BTreeMap<BoxId, u32>,
    /// How many of them there were since it runs by this, and before it has passed.
    #[serde(default)]
    pub restless: u32,
    /// The word of its calls, as last said.
    pub calls: Fare,
}

impl Site {
    /// How many restarts there were since they were last told; of a box that is seen first, none.
    fn count(&mut self, told: &BTreeMap<BoxId, u32>) -> u32 {
        let mut more = 0_u32;
        for (box_id, now) in told {
            if self.counts.len() >= BOXES_MAX && !self.counts.contains_key(box_id) {
                continue;
            }
            let since = match self.counts.insert(*box_id, *now) {
                None => 0,
                // A box that was booted counts from nothing.
                Some(before) => now.checked_sub(before).unwrap_or(*now),
            };
            more = more.saturating_add(since);
        }
        more
    }

    fn is_stuck(&self) -> bool {
        self.standing == Standing::Stuck
    }
}

/// What is known of a site at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    pub linked: bool,
    /// Its boxes run by documents that have the changes.
    pub runs: bool,
    /// One of them found a fatal fault in those.
    pub refused: bool,
    /// Somebody else has written at the site since.
    pub others_wrote: bool,
    /// How often processes were started again since the boot, of each of its boxes that is linked and tells it.
    pub restarts: BTreeMap<BoxId, u32>,
    /// By the configuration that runs.
    pub calls: Fare,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    Seen {
        site: SiteId,
        evidence: Evidence,
    },
    /// The site's documents have the changes; false: they were so already.
    Written {
        site: SiteId,
        changed: bool,
    },
    /// They do not take them.
    Unfit {
        site: SiteId,
    },
    TakenBack {
        site: SiteId,
        left: u32,
    },
    /// Its documents cannot be read, so nothing is taken back there.
    Stuck {
        site: SiteId,
    },
}

/// What is to be done, and answered by an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    Write(SiteId),
    TakeBack(SiteId),
}

/// What a person says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    Agree,
    Pause,
    Resume,
    TakeBack,
    /// To go on though too few have called to know.
    GoOn,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("the roll-out is past that")]
    NotNow,
    #[error("whoever began it cannot be the second person")]
    SamePerson,
}

/// What is worth a line in the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Note {
    /// Counted from 1.
    Wave {
        wave: usize,
    },
    Held(Why),
    Halted(Why),
    Reverted,
    Done,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollout {
    pub plan: Plan,
    pub by: String,
    pub state: State,
    /// The wave that is on, counted from 0.
    pub wave: usize,
    pub sites: BTreeMap<SiteId, Site>,
    /// A person said to go on though too few have called.
    pub waived: bool,
    #[serde(skip)]
    outputs: VecDeque<Output>,
    #[serde(skip)]
    notes: Vec<Note>,
}

impl Rollout {
    /// `needs_second`: another person must agree before anything is written.
    pub fn new(plan: Plan, by: String, needs_second: bool, now: Millis) -> Self {
        let site = Site {
            standing: Standing::Waiting,
            since: now,
            linked: false,
            lost: None,
            counts: BTreeMap::new(),
            restless: 0,
            calls: Fare::Few,
        };
        let sites = plan.waves.iter().flatten().map(|id| (id.clone(), site.clone())).collect();
        let state = if needs_second { State::AwaitsSecond } else { State::Running };
        Self { plan, by, state, wave: 0, sites, waived: false, outputs: VecDeque::new(), notes: Vec::new() }
    }

    pub fn command(&mut self, now: Millis, by: &str, command: Command) -> Result<(), Refused> {
        let person = || Why::Person { by: by.to_owned() };
        match (command, &self.state) {
            (Command::Agree, State::AwaitsSecond) if by == self.by => return Err(Refused::SamePerson),
            (Command::Agree, State::AwaitsSecond) => self.state = State::Running,
            (Command::Pause, State::Running) => self.state = State::Held { why: person() },
            (Command::Resume, State::Held { .. }) => {
                self.state = State::Running;
                // Who was silent is given its time again.
                for site in self.sites.values_mut() {
                    site.restless = 0;
                    match (site.standing, site.lost) {
                        (Standing::Written, _) => site.since = now,
                        (_, Some(lost)) => {
                            (site.since, site.lost) = (later(site.since, lost, now), Some(now));
                        }
                        _ => {}
                    }
                }
            }
            (Command::TakeBack, State::AwaitsSecond | State::Running | State::Held { .. } | State::Done) => {
                self.state = State::Reverting { why: person() };
            }
            // Once more where it could not be.
            (Command::TakeBack, State::Reverted { .. }) if self.sites.values().any(Site::is_stuck) => {
                let stuck = self.sites.values_mut().filter(|site| site.is_stuck());
                stuck.for_each(|site| (site.standing, site.since) = (Standing::Written, now));
                self.state = State::Reverting { why: person() };
            }
            (Command::GoOn, State::Running) if self.plan.wants_calls && self.wave == 0 => self.waived = true,
            _ => return Err(Refused::NotNow),
        }
        Ok(())
    }

    pub fn handle_input(&mut self, now: Millis, input: Input) {
        match input {
            Input::Seen { site, evidence } => self.seen(now, &site, evidence),
            Input::Written { site, changed } => {
                self.stand(now, &site, if changed { Standing::Written } else { Standing::Alike });
            }
            Input::Unfit { site } => self.halt(Why::Unfit { site }),
            Input::TakenBack { site, left } => self.stand(now, &site, Standing::TakenBack { left }),
            Input::Stuck { site } => self.stand(now, &site, Standing::Stuck),
        }
    }

    /// Looks at what is due, and asks for it.
    pub fn handle_timeout(&mut self, now: Millis) {
        self.outputs.clear();
        if self.state == State::Running {
            self.go_on(now);
        }
        if let State::Reverting { why } = &self.state {
            let why = why.clone();
            let written = self.sites.iter().filter(|(_, site)| is_written(site.standing));
            self.outputs = written.map(|(id, _)| Output::TakeBack(id.clone())).collect();
            if self.outputs.is_empty() {
                self.state = State::Reverted { why };
                self.notes.push(Note::Reverted);
            }
        }
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// What has happened since it was asked last.
    pub fn notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }

    /// Sites of which it must be seen how they are.
    pub fn watched(&self) -> impl Iterator<Item = &SiteId> {
        let watches = matches!(self.state, State::Running | State::Held { .. });
        self.sites.iter().filter(move |(_, site)| watches && is_written(site.standing)).map(|(id, _)| id)
    }

    fn seen(&mut self, now: Millis, id: &SiteId, evidence: Evidence) {
        let Some(site) = self.sites.get_mut(id).filter(|site| is_written(site.standing)) else { return };
        site.linked = evidence.linked;
        let begins = site.standing == Standing::Written;
        let more = site.count(&evidence.restarts);
        // Also where it is lost at this moment: a box that restarts comes and goes.
        if site.standing == Standing::Runs {
            site.restless = site.restless.saturating_add(more);
        }
        if evidence.refused {
            return self.bad(evidence, Why::Refused { site: id.clone() });
        }
        if !(evidence.runs && evidence.linked) {
            site.lost = site.lost.or((!begins).then_some(now));
            return;
        }
        if let Some(lost) = site.lost.take() {
            site.since = later(site.since, lost, now);
        }
        if begins {
            (site.standing, site.since, site.restless) = (Standing::Runs, now, 0);
        } else if more > 0 && site.standing == Standing::Runs {
            site.since = now;
        }
        if evidence.calls == Fare::Worse {
            // The word of what others wrote is not this one's.
            if !evidence.others_wrote {
                site.calls = Fare::Worse;
            }
            return self.bad(evidence, Why::CallsFell { site: id.clone() });
        }
        // A box that begins anew, or another edit, lets the word begin anew.
        site.calls = site.calls.max(evidence.calls);
    }

    /// What is bad after somebody else has written there may be theirs: a person is asked.
    fn bad(&mut self, evidence: Evidence, why: Why) {
        if !evidence.others_wrote {
            self.halt(why);
        } else if self.state == State::Running {
            self.hold(why);
        }
    }

    fn go_on(&mut self, now: Millis) {
        while let Some(wave) = self.plan.waves.get(self.wave) {
            let wants_calls = self.plan.wants_calls && self.wave == 0 && !self.waived;
            let (mut silent, mut restless) = (None, None);
            for id in wave {
                let Some(site) = self.sites.get_mut(id) else { continue };
                let stood_ms = now.0.saturating_sub(site.since.0);
                let runs = site.standing == Standing::Runs && site.lost.is_none();
                let soaked = runs && stood_ms >= self.plan.soak_ms;
                if site.standing == Standing::Runs && site.restless > RESTARTS_MAX {
                    restless = restless.or(Some(id.clone()));
                }
                if soaked && (site.calls == Fare::AsBefore || !wants_calls) {
                    (site.standing, site.since) = (Standing::Passed, now);
                }
                let silent_since = match (site.standing, site.lost) {
                    (Standing::Written, _) => Some(site.since),
                    (Standing::Runs, lost) => lost,
                    _ => None,
                };
                if silent_since.is_some_and(|at| now.0.saturating_sub(at.0) >= self.plan.patience_ms) {
                    silent = silent.or(Some(id.clone()));
                }
            }
            let why = silent.map(|site| Why::Silent { site }).or(restless.map(|site| Why::Restless { site }));
            if let Some(why) = why {
                return self.hold(why);
            }
            let waiting = wave.iter().filter(|id| self.standing(id) == Some(Standing::Waiting));
            self.outputs = waiting.cloned().map(Output::Write).collect();
            if !wave.iter().all(|id| matches!(self.standing(id), Some(Standing::Passed | Standing::Alike))) {
                return;
            }
            (self.wave, self.waived) = (self.wave.saturating_add(1), false);
            self.notes.push(Note::Wave { wave: self.wave });
        }
        self.state = State::Done;
        self.notes.push(Note::Done);
    }

    fn standing(&self, id: &SiteId) -> Option<Standing> {
        self.sites.get(id).map(|site| site.standing)
    }

    fn stand(&mut self, now: Millis, id: &SiteId, standing: Standing) {
        if let Some(site) = self.sites.get_mut(id) {
            (site.standing, site.since) = (standing, now);
        }
    }

    fn hold(&mut self, why: Why) {
        self.state = State::Held { why: why.clone() };
        self.notes.push(Note::Held(why));
    }

    fn halt(&mut self, why: Why) {
        if matches!(self.state, State::Running | State::Held { .. }) {
            self.outputs.clear();
            self.state = State::Reverting { why: why.clone() };
            self.notes.push(Note::Halted(why));
        }
    }
}

/// `since`, later by the time from `from` to `to`.
fn later(since: Millis, from: Millis, to: Millis) -> Millis {
    Millis(since.0.saturating_add(to.0.saturating_sub(from.0).max(0)))
}

fn is_written(standing: Standing) -> bool {
    matches!(standing, Standing::Written | Standing::Runs | Standing::Passed)
}
