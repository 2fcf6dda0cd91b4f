//! By what a report is split and narrowed.

use std::collections::BTreeMap;

use model::{
    SkillId,
    cdr::{Cdr, Direction, Outcome},
    config::Config,
    fact::Disposition,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dimension {
    /// The first queue that the contact was put into.
    Queue,
    /// Who answered first; of times, who had them.
    Agent,
    /// What was asked for, all of it together: `english+repairs`.
    Skill,
    /// Our number that was called.
    Number,
    /// The flow that it began with.
    Flow,
    Direction,
    Ending,
    /// By the last word of an agent.
    Disposition,
}

impl Dimension {
    pub const ALL: [Dimension; 8] = [
        Dimension::Queue,
        Dimension::Agent,
        Dimension::Skill,
        Dimension::Number,
        Dimension::Flow,
        Dimension::Direction,
        Dimension::Ending,
        Dimension::Disposition,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Dimension::Queue => "queue",
            Dimension::Agent => "agent",
            Dimension::Skill => "skill",
            Dimension::Number => "number",
            Dimension::Flow => "flow",
            Dimension::Direction => "direction",
            Dimension::Ending => "ending",
            Dimension::Disposition => "disposition",
        }
    }

    pub fn of_name(name: &str) -> Option<Dimension> {
        Dimension::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// How a contact ended: one of these, each contact once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// It has not.
    InProgress,
    Answered,
    /// By another site.
    AnsweredElsewhere,
    /// Promised a call back, and reached.
    CalledBack,
    /// Promised a call back, and not reached.
    CallbackFailed,
    /// Nobody answered, and the caller left a message.
    MessageLeft,
    Abandoned,
    /// Within T of the queue's service level.
    ShortAbandoned,
    /// In the flow, before any queue.
    InFlow,
    /// At the door.
    Refused,
    /// A call that began inside, and that nobody took.
    NotTaken,
}

impl Ending {
    pub const ALL: [Ending; 11] = [
        Ending::InProgress,
        Ending::Answered,
        Ending::AnsweredElsewhere,
        Ending::CalledBack,
        Ending::CallbackFailed,
        Ending::MessageLeft,
        Ending::Abandoned,
        Ending::ShortAbandoned,
        Ending::InFlow,
        Ending::Refused,
        Ending::NotTaken,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Ending::InProgress => "in_progress",
            Ending::Answered => "answered",
            Ending::AnsweredElsewhere => "answered_elsewhere",
            Ending::CalledBack => "called_back",
            Ending::CallbackFailed => "callback_failed",
            Ending::MessageLeft => "message_left",
            Ending::Abandoned => "abandoned",
            Ending::ShortAbandoned => "short_abandoned",
            Ending::InFlow => "in_flow",
            Ending::Refused => "refused",
            Ending::NotTaken => "not_taken",
        }
    }

    /// Of a contact that has ended.
    pub(crate) fn of(cdr: &Cdr, messages: u64, short: bool) -> Ending {
        match (cdr.answered, cdr.called_back) {
            (Some(_), Some(_)) => Ending::CalledBack,
            (Some(_), None) if cdr.answered_at.is_some() => Ending::AnsweredElsewhere,
            (Some(_), None) => Ending::Answered,
            (None, _) if messages > 0 => Ending::MessageLeft,
            (None, Some(_)) => Ending::CallbackFailed,
            (None, None) => match cdr.outcome {
                Outcome::Abandoned if short => Ending::ShortAbandoned,
                Outcome::Answered | Outcome::Abandoned => Ending::Abandoned,
                Outcome::InFlow => Ending::InFlow,
                Outcome::Refused if cdr.direction == Direction::Inbound => Ending::Refused,
                Outcome::Refused => Ending::NotTaken,
            },
        }
    }
}

pub(crate) fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Inbound => "inbound",
        Direction::Outbound => "outbound",
        Direction::Internal => "internal",
    }
}

pub(crate) fn disposition(said: &Disposition) -> String {
    match said {
        Disposition::Code(code) => code.to_string(),
        // No code has a colon.
        Disposition::NoneChosen => ":none_chosen".to_owned(),
    }
}

/// What the contact asked for: its queue's skills, as they are configured, and its own wishes as far as it came to an offer
/// or a promise.
pub(crate) fn skills(config: &Config, cdr: &Cdr, asked: &BTreeMap<SkillId, u8>) -> Option<String> {
    let queue = cdr.queue.as_ref().and_then(|queue| config.queues.get(queue));
    let own = queue.into_iter().flat_map(|queue| queue.skills.keys());
    let all: std::collections::BTreeSet<&str> = own.chain(asked.keys()).map(SkillId::as_str).collect();
    let all: Vec<&str> = all.into_iter().collect();
    (!all.is_empty()).then(|| all.join("+"))
}
