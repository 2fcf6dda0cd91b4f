//! What a caller keys in at one step: one key of a menu, a mark, or some digits.

use std::{collections::BTreeMap, time::Duration};

use model::{PromptId, StepId, VariableId, flow::Step};

/// A step that listens to keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Keys {
    pub prompt: PromptId,
    pub wait: Duration,
    tries: u32,
    /// Digits so far.
    typed: String,
    wants: Wants,
    /// After the last try.
    otherwise: StepId,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Wants {
    Choice(BTreeMap<char, StepId>),
    Mark { best: u8, next: StepId },
    Consent { agree: char, refuse: char, next: StepId },
    Digits { into: VariableId, min: usize, max: usize, next: StepId },
}

/// What a key, or silence, came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Listen on.
    More,
    /// Ask once more.
    Again,
    Go(StepId),
    /// Digits for this variable.
    Typed {
        into: VariableId,
        digits: String,
        next: StepId,
    },
    Marked {
        mark: u8,
        best: u8,
        next: StepId,
    },
    Consented {
        given: bool,
        next: StepId,
    },
}

impl Keys {
    pub fn of(step: &Step) -> Option<Keys> {
        let (prompt, wait_s, tries, otherwise, wants) = match step {
            Step::Menu { prompt, choices, wait_s, tries, otherwise } => {
                (prompt, *wait_s, *tries, otherwise, Wants::Choice(choices.clone()))
            }
            Step::Digits { prompt, into, min, max, wait_s, tries, next, otherwise } => {
                let wants =
                    Wants::Digits { into: into.clone(), min: (*min).into(), max: (*max).into(), next: next.clone() };
                (prompt, *wait_s, *tries, otherwise, wants)
            }
            Step::Survey { prompt, best, wait_s, next } => {
                (prompt, *wait_s, 1, next, Wants::Mark { best: *best, next: next.clone() })
            }
            Step::Consent { prompt, agree, refuse, wait_s, tries, next, otherwise } => {
                let wants = Wants::Consent { agree: *agree, refuse: *refuse, next: next.clone() };
                (prompt, *wait_s, *tries, otherwise, wants)
            }
            _ => return None,
        };
        let wait = Duration::from_secs(wait_s.max(1).into());
        let (prompt, otherwise, tries) = (prompt.clone(), otherwise.clone(), tries.max(1));
        Some(Keys { prompt, wait, tries, typed: String::new(), wants, otherwise })
    }

    pub fn key(&mut self, key: char) -> Outcome {
        match &self.wants {
            Wants::Choice(choices) => match choices.get(&key) {
                Some(step) => Outcome::Go(step.clone()),
                None => self.round_lost(),
            },
            Wants::Mark { best, next } => match key.to_digit(10).and_then(|mark| u8::try_from(mark).ok()) {
                Some(mark) if (1..=*best).contains(&mark) => Outcome::Marked { mark, best: *best, next: next.clone() },
                _ => self.round_lost(),
            },
            Wants::Consent { agree, next, .. } if key == *agree => {
                Outcome::Consented { given: true, next: next.clone() }
            }
            Wants::Consent { refuse, .. } if key == *refuse => {
                Outcome::Consented { given: false, next: self.otherwise.clone() }
            }
            Wants::Consent { .. } => self.round_lost(),
            Wants::Digits { .. } if key == '#' => self.all_typed(),
            Wants::Digits { max, .. } if key.is_ascii_digit() => {
                let max = *max;
                self.typed.push(key);
                if self.typed.len() >= max { self.all_typed() } else { Outcome::More }
            }
            Wants::Digits { .. } => self.round_lost(),
        }
    }

    /// The time for the next key is over: what was keyed in may be enough.
    pub fn silence(&mut self) -> Outcome {
        if matches!(self.wants, Wants::Digits { .. }) { self.all_typed() } else { self.round_lost() }
    }

    fn all_typed(&mut self) -> Outcome {
        match &self.wants {
            Wants::Digits { into, min, next, .. } if self.typed.len() >= *min => {
                Outcome::Typed { into: into.clone(), digits: std::mem::take(&mut self.typed), next: next.clone() }
            }
            _ => self.round_lost(),
        }
    }

    /// Once more, or on at `otherwise`.
    fn round_lost(&mut self) -> Outcome {
        self.typed.clear();
        self.tries = self.tries.saturating_sub(1);
        if self.tries == 0 { Outcome::Go(self.otherwise.clone()) } else { Outcome::Again }
    }
}
