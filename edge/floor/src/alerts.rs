//! What supervisors must look up for: thresholds of queues and the sound of calls, each raised once and cleared when it has been
//! well for a while. What is raised dies with the process: the next life finds it again.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use acd::service_level::{Variant, permille};
use call::plane::Quality;
use model::{
    AgentId, ContactId, LegId, QueueId,
    alert::Alert,
    config,
    fact::{AgentState, Kind},
    leaving::Figures,
};

use crate::{
    Floor,
    board::{AlertLine, Intake},
    contact::{Partner, State},
    lines::Lines,
    timer::Timer,
};

/// How often queues are looked at while one is watched.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Something must have been well for so long before its alert is cleared.
const CLEAR_AFTER: Duration = Duration::from_secs(15);
/// So long too many must wait.
const CROWD_AFTER: Duration = Duration::from_secs(5);
/// So long nobody must be there.
const UNSERVED_AFTER: Duration = Duration::from_secs(10);
/// A share of fewer contacts says nothing.
const JUDGED_MIN: u32 = 10;
/// A share must be better than its threshold by so much to be well again, in tenths of a percent.
const SHARE_MARGIN: u32 = 20;
/// R below which a call sounds badly (IM-06), and from which it sounds well again.
const RATING_BAD: u16 = 70;
const RATING_GOOD: u16 = 75;
/// A verdict is of five seconds: two bad ones in a row are ten.
const RATING_AFTER: Duration = Duration::from_secs(5);
/// Of a leg that nothing is heard of for so long, no alert stands.
const VERDICT_WITHIN: Duration = Duration::from_secs(20);
/// Things that are watched at once; of more nothing is said.
const WATCHED_MAX: usize = 4_000;
/// Alerts that a desk is shown, the oldest.
const LINES_MAX: usize = 30;

/// What an alert is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct About {
    queue: Option<QueueId>,
    alert: Alert,
    /// Of a call: whose, and at which of its ends.
    call: Option<(ContactId, LegId)>,
}

/// How something stands to its threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    Bad,
    /// No worse than the threshold, and not well by the margin: everything stays as it is.
    Between,
    Good,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Raised,
    Cleared,
}

#[derive(Debug, Default)]
struct Gauge {
    bad_since: Option<Instant>,
    good_since: Option<Instant>,
    raised: Option<Instant>,
    value: u32,
    agent: Option<AgentId>,
    read: Option<Instant>,
}

impl Gauge {
    /// `after`: so long it must be bad before it is raised.
    fn read(&mut self, now: Instant, reading: Reading, value: u32, after: Duration) -> Option<Turn> {
        (self.read, self.value) = (Some(now), value);
        let passed = |since: Instant| now.saturating_duration_since(since);
        match reading {
            Reading::Bad => {
                self.good_since = None;
                let since = *self.bad_since.get_or_insert(now);
                if self.raised.is_none() && passed(since) >= after {
                    self.raised = Some(now);
                    return Some(Turn::Raised);
                }
            }
            Reading::Between => (self.bad_since, self.good_since) = (None, None),
            Reading::Good => {
                self.bad_since = None;
                let since = *self.good_since.get_or_insert(now);
                if self.raised.is_some() && passed(since) >= CLEAR_AFTER {
                    self.raised = None;
                    return Some(Turn::Cleared);
                }
            }
        }
        None
    }
}

#[derive(Debug, Default)]
pub(crate) struct Alarms {
    gauges: BTreeMap<About, Gauge>,
}

/// Above a threshold is bad; well again is four fifths of it.
fn above(value: u32, threshold: u32) -> Reading {
    if value > threshold {
        Reading::Bad
    } else if u64::from(value) * 5 <= u64::from(threshold) * 4 {
        Reading::Good
    } else {
        Reading::Between
    }
}

fn share_above(value: u32, threshold: u32) -> Reading {
    if value > threshold {
        Reading::Bad
    } else if value.saturating_add(SHARE_MARGIN) <= threshold {
        Reading::Good
    } else {
        Reading::Between
    }
}

/// In tenths of a percent; None: too few to say anything.
fn level_of(today: &Figures) -> Option<u32> {
    let judged = today.answered.saturating_add(today.abandoned);
    let figures = Figures { offered: judged, ..*today };
    let level = permille(Variant::WithoutShortAbandons, &figures)?;
    (judged >= JUDGED_MIN).then_some(level.into())
}

/// NORMS 4: `(B − B≤T) / (O − B≤T)`.
fn abandonment_of(today: &Figures) -> Option<u32> {
    let judged = today.answered.saturating_add(today.abandoned);
    let all = u64::from(judged.saturating_sub(today.abandoned_in_t));
    let gone = u64::from(today.abandoned.saturating_sub(today.abandoned_in_t));
    let share = (gone * 1_000 + all / 2).checked_div(all)?;
    (judged >= JUDGED_MIN).then_some(u32::try_from(share).unwrap_or(1_000))
}

impl<L: Lines> Floor<L> {
    /// Looks again in a second, while there is something to look at.
    pub(crate) fn watch_alerts(&mut self) {
        let watches = |queue: &config::Queue| {
            let alerts = &queue.alerts;
            let counts = [alerts.longest_wait_s, alerts.waiting, alerts.service_level, alerts.abandoned];
            alerts.unserved || counts.iter().any(Option::is_some)
        };
        if self.config.queues.values().any(watches) || !self.alarms.gauges.is_empty() {
            self.timers.set(Timer::Alerts, self.now + LOOK_EVERY);
        } else {
            self.timers.cancel(Timer::Alerts);
        }
    }

    pub(crate) fn look_for_alerts(&mut self) {
        for (about, reading, value, after) in self.readings() {
            self.read(about, reading, value, after, None);
        }
        self.forget_silent();
        self.watch_alerts();
    }

    /// Of every queue, what is watched of it.
    fn readings(&self) -> Vec<(About, Reading, u32, Duration)> {
        let mut all = Vec::new();
        for (id, queue) in &self.config.queues {
            let mut say = |alert, reading, value, after| {
                all.push((About { queue: Some(id.clone()), alert, call: None }, reading, value, after));
            };
            let (alerts, count) = (&queue.alerts, self.acd.count(id));
            let today = self.chronicle.today(id);
            if let Some(most) = alerts.longest_wait_s {
                let oldest = count.and_then(|count| count.oldest);
                let wait = oldest.map_or(Duration::ZERO, |at| self.now.saturating_duration_since(at));
                let seconds = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX);
                say(Alert::LongestWait, above(seconds, most), seconds, Duration::ZERO);
            }
            if let Some(most) = alerts.waiting {
                let waiting = u32::try_from(count.map_or(0, |count| count.waiting)).unwrap_or(u32::MAX);
                say(Alert::Waiting, above(waiting, most), waiting, CROWD_AFTER);
            }
            if let Some(least) = alerts.service_level {
                // Below is as bad as the rest is above.
                let level = level_of(&today).unwrap_or(1_000);
                let missed = 1_000_u32.saturating_sub(level);
                let most = 1_000_u32.saturating_sub(least.saturating_mul(10));
                let reading = if level_of(&today).is_none() { Reading::Good } else { share_above(missed, most) };
                say(Alert::ServiceLevel, reading, level, Duration::ZERO);
            }
            if let Some(most) = alerts.abandoned {
                let share = abandonment_of(&today);
                let reading = share.map_or(Reading::Good, |share| share_above(share, most.saturating_mul(10)));
                say(Alert::Abandoned, reading, share.unwrap_or(0), Duration::ZERO);
            }
            if alerts.unserved {
                let deserted = self.intake_of(queue) == Intake::Open && !self.is_served(id);
                let reading = if deserted { Reading::Bad } else { Reading::Good };
                say(Alert::Unserved, reading, 0, UNSERVED_AFTER);
            }
        }
        all
    }

    /// Is an agent of the queue ready, or at work?
    fn is_served(&self, queue: &QueueId) -> bool {
        let there = |agent: &AgentId| {
            let state = self.acd.state(agent).unwrap_or(AgentState::SignedOut);
            !matches!(state, AgentState::SignedOut | AgentState::NotReady)
        };
        self.config.agents.iter().any(|(id, agent)| agent.queues.contains(queue) && there(id))
    }

    /// A verdict about a leg of somebody's talk.
    pub(crate) fn judge_sound(&mut self, id: ContactId, leg: LegId, quality: &Quality) {
        let Some(contact) = self.contacts.get(&id) else { return };
        let queue = contact.line.as_ref().map(|line| line.queue.clone());
        let watched = queue.as_ref().and_then(|queue| self.config.queues.get(queue));
        if watched.is_some_and(|queue| !queue.alerts.quality) {
            return;
        }
        let agent = match &contact.state {
            State::Talking(talk) => match &talk.with {
                Partner::Agent(agent) => Some(agent.clone()),
                Partner::Party | Partner::Site(..) => None,
            },
            _ => None,
        };
        let rating = quality.rating_at_worst();
        let reading = match rating {
            ..RATING_BAD => Reading::Bad,
            RATING_GOOD.. => Reading::Good,
            _ => Reading::Between,
        };
        let about = About { queue, alert: Alert::Quality, call: Some((id, leg)) };
        // Of a call that always sounded well there is nothing to keep in mind.
        if reading != Reading::Bad && !self.alarms.gauges.contains_key(&about) {
            return;
        }
        self.read(about, reading, rating.into(), RATING_AFTER, agent);
        self.watch_alerts();
    }

    /// The contact is about to end: nothing more is alerted of it.
    pub(crate) fn sounds_no_more(&mut self, id: ContactId) {
        let of_it = |about: &About| about.call.is_some_and(|(contact, _)| contact == id);
        self.forget(|about, _| of_it(about));
    }

    fn read(&mut self, about: About, reading: Reading, value: u32, after: Duration, agent: Option<AgentId>) {
        if self.alarms.gauges.len() >= WATCHED_MAX && !self.alarms.gauges.contains_key(&about) {
            return;
        }
        let gauge = self.alarms.gauges.entry(about.clone()).or_default();
        gauge.agent = agent.or(gauge.agent.take());
        match gauge.read(self.now, reading, value, after) {
            Some(Turn::Raised) => self.tell_alert(&about, Some(value)),
            Some(Turn::Cleared) => self.tell_alert(&about, None),
            None => {}
        }
    }

    /// What is not watched any more, or not heard of.
    fn forget_silent(&mut self) {
        let now = self.now;
        self.forget(|about, gauge| {
            let within = if about.call.is_some() { VERDICT_WITHIN } else { Duration::ZERO };
            gauge.read.is_none_or(|read| now.saturating_duration_since(read) > within)
        });
    }

    fn forget(&mut self, is: impl Fn(&About, &Gauge) -> bool) {
        let gone: Vec<About> = self
            .alarms
            .gauges
            .iter()
            .filter(|(about, gauge)| is(about, gauge))
            .map(|(about, _)| about.clone())
            .collect();
        for about in gone {
            let gauge = self.alarms.gauges.remove(&about);
            if gauge.is_some_and(|gauge| gauge.raised.is_some()) {
                self.tell_alert(&about, None);
            }
        }
    }

    fn tell_alert(&mut self, about: &About, raised: Option<u32>) {
        let (queue, alert) = (about.queue.clone(), about.alert);
        let kind = match raised {
            Some(value) => Kind::AlertRaised { queue, alert, value },
            None => Kind::AlertCleared { queue, alert },
        };
        match about.call {
            Some((contact, _)) => self.chronicle.tell_of(contact, kind),
            None => self.chronicle.tell(kind),
        }
    }

    /// The longest raised first.
    pub(crate) fn alert_lines(&self, now: Instant) -> Vec<AlertLine> {
        let line = |(about, gauge): (&About, &Gauge)| {
            let since = gauge.raised?;
            let queue = about.queue.as_ref().and_then(|id| self.config.queues.get(id));
            Some(AlertLine {
                queue: about.queue.clone(),
                label: queue.map(|queue| queue.label.clone()),
                alert: about.alert,
                value: gauge.value,
                agent: gauge.agent.clone(),
                contact: about.call.map(|(contact, _)| contact),
                since: now.saturating_duration_since(since),
            })
        };
        let mut lines: Vec<AlertLine> = self.alarms.gauges.iter().filter_map(line).collect();
        lines.sort_by_key(|line| std::cmp::Reverse(line.since));
        lines.truncate(LINES_MAX);
        lines
    }
}
