//! A flow: what a caller hears, which keys lead where, what is asked of other systems, and where the road ends. A graph
//! of steps; `ivr` walks it, `flow` looks at it without walking.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{Extension, FlowId, HoursId, LanguageId, PromptId, QueueId, StepId, VariableId, routing::Asks};

/// Variables of one flow.
pub const VARIABLES_MAX: usize = 32;
/// Variables that agents are shown.
pub const SHOWN_MAX: usize = 8;
/// Characters of what such a variable is called at the desk.
pub const SHOWN_LABEL_MAX: usize = 60;
/// Characters of a text in a variable.
pub const TEXT_MAX: usize = 200;
/// Digits that a caller keys in at one step.
pub const DIGITS_MAX: u8 = 20;
/// Parts of one announcement.
pub const PARTS_MAX: usize = 12;
/// Characters of words to be said, with what variables hold in them.
pub const SPEECH_MAX: usize = 300;
/// Conditions of one step.
pub const TESTS_MAX: usize = 8;
/// Fields sent to, and taken from, another system at one step.
pub const FIELDS_MAX: usize = 16;
/// Sub-flows within one another.
pub const DEPTH_MAX: usize = 5;
/// Length of a message that a caller leaves, in seconds.
pub const MESSAGE_S: (u32, u32) = (10, 600);
/// Longest wait for another system.
pub const LOOK_UP_MS: (u32, u32) = (100, 10_000);

#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Flow {
    /// Shown to people; at most 60 characters.
    pub label: String,
    /// What the caller is spoken to in from here on, also behind the flow: prompts of this language where there are. None:
    /// as it was, and at first the house's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<LanguageId>,
    pub start: StepId,
    /// What each variable holds at the beginning, and with it of which type it is. A variable of the same name in a
    /// sub-flow is the same variable.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(feature = "schema", schema(value_type = BTreeMap<VariableId, FlowValue>))]
    pub variables: BTreeMap<VariableId, Value>,
    /// Variables that the agent who gets the caller is shown, and what each is called there; what is not here is shown to
    /// nobody. Kept with the contact's personal data.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub shown: BTreeMap<VariableId, String>,
    pub steps: BTreeMap<StepId, Step>,
}

/// Of one of three types, for the whole run.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = FlowValue))]
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    Flag(bool),
    Number(i64),
    Text(String),
}

/// Its name in the description of an interface, where `Value` would be anything.
#[cfg(feature = "schema")]
type FlowValue = Value;

impl Value {
    pub fn has_type_of(&self, other: &Value) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Step {
    Play {
        prompt: PromptId,
        next: StepId,
    },
    /// Several prompts, and what variables hold, in one sentence.
    Say {
        parts: Vec<Part>,
        next: StepId,
    },
    /// Play, then wait for one digit; after `tries` silent or wrong rounds go on at `otherwise`.
    Menu {
        prompt: PromptId,
        choices: BTreeMap<char, StepId>,
        wait_s: u32,
        tries: u32,
        otherwise: StepId,
    },
    /// Play, then collect `min` to `max` digits into a text; `#` ends early. `wait_s` counts anew with every digit.
    Digits {
        prompt: PromptId,
        into: VariableId,
        min: u8,
        max: u8,
        wait_s: u32,
        tries: u32,
        next: StepId,
        otherwise: StepId,
    },
    Open {
        hours: HoursId,
        then: StepId,
        otherwise: StepId,
    },
    /// Then, when every one of `all` holds.
    If {
        all: Vec<Test>,
        then: StepId,
        otherwise: StepId,
    },
    Set {
        variable: VariableId,
        #[cfg_attr(feature = "schema", schema(value_type = FlowValue))]
        to: Value,
        next: StepId,
    },
    /// Ask another system, by POST of a JSON object; `take` fills variables from fields of the object that comes back.
    /// Whatever goes wrong, or is of another type than the variable, leads on at `otherwise` with every variable as it was.
    LookUp {
        /// `http://HOST[:PORT]/PATH`, at an address that `box.toml` allows.
        url: String,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        send: BTreeMap<String, Source>,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        take: BTreeMap<VariableId, String>,
        wait_ms: u32,
        next: StepId,
        otherwise: StepId,
    },
    /// Play, and take a mark from 1 to `best` (3 to 9): a fact, in no variable. Silence leads on as well.
    Survey {
        prompt: PromptId,
        best: u8,
        wait_s: u32,
        next: StepId,
    },
    /// Play, and ask whether the call may be recorded: a fact, in no variable. Who agrees goes on at `next`; who refuses,
    /// or says nothing in all `tries`, at `otherwise`. What the word counts for is the queue's rule.
    Consent {
        prompt: PromptId,
        agree: char,
        refuse: char,
        wait_s: u32,
        tries: u32,
        next: StepId,
        otherwise: StepId,
    },
    /// Another flow, which comes back by `return`.
    SubFlow {
        flow: FlowId,
        next: StepId,
    },
    Return,
    /// Ring a phone of ours; busy, away or unanswered leads on.
    Transfer {
        phone: Extension,
        ring_s: u32,
        otherwise: StepId,
    },
    Queue {
        queue: QueueId,
        #[serde(default)]
        asks: Asks,
        /// Where the caller goes on when the agent has hung up first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<StepId>,
        /// Where the caller goes when the queue takes no new contacts: closed by hand, by its hours, or full. Without
        /// it the caller hears so and is let go.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        otherwise: Option<StepId>,
    },
    /// Promise to call back when it is the caller's turn in this queue: at the caller's own number, or at the one that
    /// was keyed in. Leads on at `next` when the promise is kept in mind, and the call may end; at `otherwise` when it
    /// cannot be given: no number is known, or it is none that may be dialled from here.
    Callback {
        queue: QueueId,
        #[serde(default)]
        asks: Asks,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        number: Option<VariableId>,
        next: StepId,
        otherwise: StepId,
    },
    /// A tone, then the caller leaves a message for the queue's agents, at most `max_s` long; any key ends it. Leads on at
    /// `otherwise` when none can be kept: the queue has as many as it holds, or nothing can be recorded.
    Voicemail {
        queue: QueueId,
        max_s: u32,
        next: StepId,
        otherwise: StepId,
    },
    Hangup,
}

/// A piece of an announcement.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = FlowPart))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    Prompt(PromptId),
    /// A text's digits, one by one, or a number's.
    Digits(VariableId),
    /// Words that the box says itself; `{account}` in them is what that variable holds ([`crate::sound::pieces`]). Nothing
    /// is said where the box has no voice, or none for this language.
    Speech {
        language: LanguageId,
        text: String,
    },
}

/// What another system is told.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = FlowSource))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The caller's number; empty when withheld.
    Caller,
    /// Our number that was called.
    Called,
    Variable(VariableId),
}

/// One condition.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = FlowTest))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Test {
    /// The caller's number is not known.
    Withheld,
    /// The caller is a phone of ours.
    Inside,
    /// The caller's number begins with one of these.
    CallerBegins {
        with: BTreeSet<String>,
    },
    Open {
        hours: HoursId,
    },
    /// The queue takes new contacts: closed neither by hand nor by its hours.
    Takes {
        queue: QueueId,
    },
    /// More contacts than this wait in the queue.
    Waiting {
        queue: QueueId,
        more_than: u32,
    },
    /// Who came now would wait longer than this; false while nothing is known.
    WaitLonger {
        queue: QueueId,
        than_s: u32,
    },
    /// An agent of the queue is signed in.
    Served {
        queue: QueueId,
    },
    Equal {
        variable: VariableId,
        #[cfg_attr(feature = "schema", schema(value_type = FlowValue))]
        to: Value,
    },
    AtLeast {
        variable: VariableId,
        number: i64,
    },
}

impl Step {
    /// Where a step can lead within its flow.
    pub fn leads_to(&self) -> Vec<&StepId> {
        match self {
            Step::Play { next, .. }
            | Step::Say { next, .. }
            | Step::Set { next, .. }
            | Step::Survey { next, .. }
            | Step::SubFlow { next, .. } => vec![next],
            Step::Menu { choices, otherwise, .. } => choices.values().chain([otherwise]).collect(),
            Step::Digits { next, otherwise, .. }
            | Step::Consent { next, otherwise, .. }
            | Step::LookUp { next, otherwise, .. }
            | Step::Callback { next, otherwise, .. }
            | Step::Voicemail { next, otherwise, .. } => vec![next, otherwise],
            Step::Open { then, otherwise, .. } | Step::If { then, otherwise, .. } => vec![then, otherwise],
            Step::Transfer { otherwise, .. } => vec![otherwise],
            Step::Queue { after, otherwise, .. } => after.iter().chain(otherwise).collect(),
            Step::Return | Step::Hangup => Vec::new(),
        }
    }

    /// The same, to be led elsewhere.
    pub fn leads_to_mut(&mut self) -> Vec<&mut StepId> {
        match self {
            Step::Play { next, .. }
            | Step::Say { next, .. }
            | Step::Set { next, .. }
            | Step::Survey { next, .. }
            | Step::SubFlow { next, .. } => vec![next],
            Step::Menu { choices, otherwise, .. } => choices.values_mut().chain([otherwise]).collect(),
            Step::Digits { next, otherwise, .. }
            | Step::Consent { next, otherwise, .. }
            | Step::LookUp { next, otherwise, .. }
            | Step::Callback { next, otherwise, .. }
            | Step::Voicemail { next, otherwise, .. } => vec![next, otherwise],
            Step::Open { then, otherwise, .. } | Step::If { then, otherwise, .. } => vec![then, otherwise],
            Step::Transfer { otherwise, .. } => vec![otherwise],
            Step::Queue { after, otherwise, .. } => after.iter_mut().chain(otherwise).collect(),
            Step::Return | Step::Hangup => Vec::new(),
        }
    }

    /// Does it give the caller, or somebody else, time? A circle without such a step runs for ever at once.
    pub fn waits(&self) -> bool {
        match self {
            Step::Menu { .. } | Step::Digits { .. } | Step::Survey { .. } | Step::Consent { .. } => true,
            Step::Transfer { .. } | Step::Queue { .. } => true,
            Step::Play { .. }
            | Step::Say { .. }
            | Step::Open { .. }
            | Step::If { .. }
            | Step::Set { .. }
            | Step::LookUp { .. }
            | Step::Callback { .. }
            | Step::Voicemail { .. }
            | Step::SubFlow { .. }
            | Step::Return
            | Step::Hangup => false,
        }
    }

    /// May the flow end here?
    pub fn ends(&self) -> bool {
        matches!(self, Step::Queue { .. } | Step::Transfer { .. } | Step::Return | Step::Hangup)
    }
}

/// What is wrong with a flow. A closed list, so that every page can say it, and a way out of it, in the reader's language.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = FlowFault))]
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum Fault {
    /// Leads to a step that is not there.
    Dangling {
        to: StepId,
    },
    /// These steps are a circle that never waits for anybody.
    Circle {
        steps: BTreeSet<StepId>,
    },
    /// From here no road leads to an end: who comes here can only hang up.
    NoWayOut,
    /// No road leads here.
    Unreachable,
    /// A menu without a choice, an announcement of nothing, a condition without a test.
    Empty,
    /// A key that no telephone has.
    Key {
        key: char,
    },
    /// A variable that the flow does not have.
    NoVariable {
        variable: VariableId,
    },
    /// A value of another type than the variable's.
    OtherType {
        variable: VariableId,
    },
    OutOfBounds {
        field: String,
        min: i64,
        max: i64,
    },
    /// Not a URL that can be asked.
    Url,
    /// Braces that hold no variable's name.
    Braces {
        text: String,
    },
    /// Sub-flows within one another beyond the limit, or one within itself.
    TooDeep {
        flows: Vec<FlowId>,
    },
    /// A sub-flow, a queue, hours or a phone that is not there.
    Missing {
        what: String,
    },
}

impl Fault {
    /// A flow with this cannot run. The others are somebody's to look at.
    pub fn is_grave(&self) -> bool {
        !matches!(self, Fault::NoWayOut | Fault::Unreachable | Fault::Empty)
    }
}
