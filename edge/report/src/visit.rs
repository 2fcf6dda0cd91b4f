//! What one contact adds to a report, from its facts alone.

use std::collections::BTreeMap;

use floor::{
    cdr::{Fold, Share},
    interval::figures_of,
};
use model::{
    AgentId, Millis, SkillId,
    cdr::Cdr,
    config::Config,
    fact::{Disposition, Fact, Kind},
    flow::Step,
};

use crate::{
    dimension::{self, Dimension, Ending},
    sums::Sums,
};

/// T of a queue that the configuration no longer has, in seconds.
const WITHIN_S_USUAL: u32 = 20;

pub(crate) struct Visit {
    /// When it counts.
    pub at: Millis,
    /// Of every dimension but the agent's.
    pub values: BTreeMap<Dimension, Option<String>>,
    pub agent: Option<AgentId>,
    /// What counts once, where it was answered first.
    pub sums: Sums,
    /// What each agent had of it.
    pub shares: Vec<(Option<AgentId>, Sums)>,
}

/// What the facts say beyond the record.
#[derive(Default)]
struct Beside {
    flow: Option<String>,
    asked_for: BTreeMap<SkillId, u8>,
    talks: Option<AgentId>,
    transferred: BTreeMap<Option<AgentId>, u64>,
    sums: Sums,
}

/// None: no facts, or none of a contact; or of a call that another system brought to be recorded, which was no visit here.
pub(crate) fn visit(facts: &[Fact], config: &Config, now: Millis) -> Option<Visit> {
    let first = facts.first().filter(|first| !matches!(first.kind, Kind::Brought { .. }))?;
    let mut fold = Fold::new(first.contact?, first.at);
    let mut beside = Beside::default();
    for fact in facts {
        fold.apply(fact.at, &fact.kind);
        beside.apply(&fact.kind, config);
    }
    let is_over = fold.has_ended();
    let cdr = fold.cdr().unwrap_or_else(|| fold.so_far(now));
    let shares = shares(&fold, &cdr, &beside.transferred);
    let sums = beside.once(&cdr, config, is_over);
    let ending = if is_over { Ending::of(&cdr, sums.messages, sums.short_abandoned > 0) } else { Ending::InProgress };
    let text = |text: &dyn ToString| Some(text.to_string());
    let values = BTreeMap::from([
        (Dimension::Queue, cdr.queue.as_ref().and_then(|queue| text(queue))),
        (Dimension::Skill, dimension::skills(config, &cdr, &beside.asked_for)),
        (Dimension::Number, cdr.number.as_ref().and_then(|number| text(number))),
        (Dimension::Flow, beside.flow),
        (Dimension::Direction, Some(dimension::direction(cdr.direction).to_owned())),
        (Dimension::Ending, Some(ending.name().to_owned())),
        (Dimension::Disposition, cdr.disposition.as_ref().map(dimension::disposition)),
    ]);
    Some(Visit { at: cdr.queued.unwrap_or(cdr.arrived), values, agent: cdr.agent, sums, shares })
}

impl Beside {
    fn apply(&mut self, kind: &Kind, config: &Config) {
        match kind {
            Kind::FlowEntered { flow, step } => {
                self.flow.get_or_insert_with(|| flow.to_string());
                let step = config.flows.get(flow).and_then(|flow| flow.steps.get(step));
                self.sums.asked = self.sums.asked.saturating_add(matches!(step, Some(Step::Survey { .. })).into());
            }
            Kind::Marked { mark, best, .. } => self.marked((*mark).into(), (*best).into()),
            Kind::Offered { decision: Some(decision), .. } => self.asked_for.extend(decision.skills.clone()),
            Kind::CallbackPromised { asks, .. } => self.asked_for.extend(asks.skills.clone()),
            Kind::Answered { agent } => self.talks.clone_from(agent),
            Kind::HelpGiven { agent, .. } => self.talks = Some(agent.clone()),
            Kind::Transferred { .. } => {
                let count = self.transferred.entry(self.talks.clone()).or_default();
                *count = count.saturating_add(1);
            }
            Kind::MessageLeft { .. } => self.sums.messages = self.sums.messages.saturating_add(1),
            _ => {}
        }
    }

    fn marked(&mut self, mark: u64, best: u64) {
        let Some(permille) = mark.saturating_mul(1_000).checked_div(best) else { return };
        self.sums.marked = self.sums.marked.saturating_add(1);
        self.sums.satisfied = self.sums.satisfied.saturating_add((permille >= 800).into());
        self.sums.mark_permille = self.sums.mark_permille.saturating_add(permille);
    }

    /// What counts once for the contact.
    fn once(&self, cdr: &Cdr, config: &Config, is_over: bool) -> Sums {
        let promised = cdr.called_back;
        let mut sums = Sums {
            contacts: 1,
            in_progress: u64::from(!is_over),
            promised: u64::from(promised.is_some()),
            kept: u64::from(promised.is_some_and(|back| back.attempts > 0)),
            saved: u64::from(promised.is_some() && cdr.answered.is_some()),
            disposed: u64::from(matches!(cdr.disposition, Some(Disposition::Code(_)))),
            undisposed: u64::from(cdr.disposition == Some(Disposition::NoneChosen)),
            // A mark is an answer, also where the flow has no such step any more.
            asked: self.sums.asked.max(self.sums.marked),
            ..self.sums
        };
        let Some(queue) = cdr.queue.as_ref().filter(|_| cdr.queued.is_some()) else {
            sums.others = 1;
            return sums;
        };
        sums.offered = 1;
        let within_s = config.queues.get(queue).map_or(WITHIN_S_USUAL, |queue| queue.service_level_s);
        let figures = figures_of(cdr, within_s);
        sums.overflowed = figures.overflowed.into();
        sums.recorded = figures.recorded.into();
        if cdr.answered.is_some() {
            sums.answered = 1;
            sums.answered_in_t = figures.answered_in_t.into();
            sums.wait_ms = cdr.wait_ms;
        } else if is_over {
            sums.abandoned = 1;
            sums.short_abandoned = figures.abandoned_in_t.into();
        }
        sums
    }
}

/// Times and transfers, each at whose they are.
fn shares(fold: &Fold, cdr: &Cdr, transferred: &BTreeMap<Option<AgentId>, u64>) -> Vec<(Option<AgentId>, Sums)> {
    let of = |(agent, share): (&Option<AgentId>, &Share)| {
        let transferred = transferred.get(agent).copied().unwrap_or(0);
        let Share { talk_ms, hold_ms, wrap_up_ms } = *share;
        let sums = match cdr.queued {
            Some(_) => {
                let handled = u64::from(agent.is_some());
                Sums { talk_ms, hold_ms, wrap_up_ms, handled, transferred, ..Sums::default() }
            }
            None => {
                let other_ms = talk_ms.saturating_add(hold_ms).saturating_add(wrap_up_ms);
                Sums { other_ms, transferred, ..Sums::default() }
            }
        };
        (agent.clone(), sums)
    };
    fold.shares().iter().map(of).collect()
}
