//! Whether a house may promise that.

use model::{
    CategoryId, HoursId,
    config::Config,
    ticket::{Priority, Promise, Promised, Terms},
};

/// Categories of one house.
pub const CATEGORIES_MAX: usize = 50;
/// Of a category's label, in characters.
pub const LABEL_CHARS_MAX: usize = 60;
/// The longest promise: a year of minutes.
pub const PROMISE_MIN_MAX: u32 = 525_600;

const PRIORITIES: [Priority; 4] = [Priority::Low, Priority::Normal, Priority::High, Priority::Urgent];

/// What is wrong with terms.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("at most {CATEGORIES_MAX} categories, not {0}")]
    TooManyCategories(usize),
    #[error("the label of {0} has 1 to {LABEL_CHARS_MAX} characters")]
    Label(CategoryId),
    #[error("somebody is warned at 1 to 99 percent, not {0}")]
    WarnPercent(u8),
    #[error("{priority:?} promises its {promise:?} within 1 to {PROMISE_MIN_MAX} minutes")]
    Promise { priority: Priority, promise: Promise },
    #[error("{0:?} promises nothing")]
    Missing(Priority),
    #[error("there are no opening hours {0}")]
    UnknownHours(HoursId),
}

/// All that is wrong, in order.
pub fn check(terms: &Terms, config: &Config) -> Vec<Fault> {
    let mut faults = Vec::new();
    if terms.categories.len() > CATEGORIES_MAX {
        faults.push(Fault::TooManyCategories(terms.categories.len()));
    }
    let bad = |label: &String| label.trim().is_empty() || label.chars().count() > LABEL_CHARS_MAX;
    faults.extend(terms.categories.iter().filter(|(_, label)| bad(label)).map(|(id, _)| Fault::Label(id.clone())));
    if !(1..=99).contains(&terms.warn_percent) {
        faults.push(Fault::WarnPercent(terms.warn_percent));
    }
    for priority in PRIORITIES {
        let Some(Promised { first_answer_min, resolution_min }) = terms.promises.get(&priority) else {
            faults.push(Fault::Missing(priority));
            continue;
        };
        for (promise, minutes) in [(Promise::FirstAnswer, first_answer_min), (Promise::Resolution, resolution_min)] {
            if !(1..=PROMISE_MIN_MAX).contains(minutes) {
                faults.push(Fault::Promise { priority, promise });
            }
        }
    }
    if let Some(hours) = terms.hours.as_ref().filter(|hours| !config.hours.contains_key(*hours)) {
        faults.push(Fault::UnknownHours(hours.clone()));
    }
    faults
}
