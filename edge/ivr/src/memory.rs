//! What a run keeps in mind of its caller: variables, each of one type for the whole run.

use std::collections::BTreeMap;

use model::{
    LanguageId, PromptId, VariableId,
    flow::{Flow, Part, SHOWN_MAX, SPEECH_MAX, TEXT_MAX, Test, Value},
    sound::{self, Piece, Sound, Speech},
};

/// Variables of a run, of all its flows together.
const VARIABLES_MAX: usize = 128;

/// Who calls whom. `caller` is a personal datum, empty when withheld.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Visit {
    pub caller: String,
    pub called: String,
    /// The caller is a phone of ours.
    pub inside: bool,
}

impl std::fmt::Debug for Visit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Visit").field("called", &self.called).field("inside", &self.inside).finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
pub struct Memory {
    values: BTreeMap<VariableId, Value>,
    /// What agents are shown, and how it is called there.
    shown: BTreeMap<VariableId, String>,
}

impl Memory {
    /// A flow begins: what is known already stays.
    pub fn begin(&mut self, flow: &Flow) {
        for (name, first) in &flow.variables {
            if self.values.len() < VARIABLES_MAX || self.values.contains_key(name) {
                self.values.entry(name.clone()).or_insert_with(|| first.clone());
            }
        }
        for (name, label) in &flow.shown {
            if self.shown.len() < SHOWN_MAX {
                self.shown.entry(name.clone()).or_insert_with(|| label.clone());
            }
        }
    }

    pub fn value(&self, name: &VariableId) -> Option<&Value> {
        self.values.get(name)
    }

    /// What an agent is shown, with what it is called; variables that hold nothing are left out. Personal data.
    pub fn shown(&self) -> Vec<(String, String)> {
        let says = |name: &VariableId| match self.values.get(name)? {
            Value::Text(text) => (!text.is_empty()).then(|| text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Flag(flag) => Some(if *flag { "✓" } else { "✗" }.to_owned()),
        };
        self.shown.iter().filter_map(|(name, label)| Some((label.clone(), says(name)?))).collect()
    }

    /// False, and nothing has changed, when there is no such variable, or of another type, or the text is too long.
    pub fn set(&mut self, name: &VariableId, value: Value) -> bool {
        let Some(stands) = self.values.get_mut(name) else { return false };
        let fits = !matches!(&value, Value::Text(text) if text.chars().count() > TEXT_MAX);
        let fits = fits && stands.has_type_of(&value);
        if fits {
            *stands = value;
        }
        fits
    }

    /// Is every value of its variable's type?
    pub fn takes(&self, values: &BTreeMap<VariableId, Value>) -> bool {
        values.iter().all(|(name, value)| {
            let long = matches!(value, Value::Text(text) if text.chars().count() > TEXT_MAX);
            !long && self.values.get(name).is_some_and(|stands| stands.has_type_of(value))
        })
    }

    /// All or none.
    pub fn set_all(&mut self, values: BTreeMap<VariableId, Value>) -> bool {
        let all = self.takes(&values);
        if all {
            self.values.extend(values);
        }
        all
    }

    /// What can be said without asking anybody; None: the owner must be asked.
    pub fn judge(&self, test: &Test, visit: &Visit) -> Option<bool> {
        match test {
            Test::Withheld => Some(!visit.caller.bytes().any(|b| b.is_ascii_digit())),
            Test::Inside => Some(visit.inside),
            Test::CallerBegins { with } => Some(with.iter().any(|start| visit.caller.starts_with(start.as_str()))),
            Test::Equal { variable, to } => Some(self.values.get(variable) == Some(to)),
            Test::AtLeast { variable, number } => {
                Some(matches!(self.values.get(variable), Some(Value::Number(value)) if value >= number))
            }
            Test::Open { .. }
            | Test::Takes { .. }
            | Test::Waiting { .. }
            | Test::WaitLonger { .. }
            | Test::Served { .. } => None,
        }
    }

    /// An announcement as sounds: digits are `digit-0` to `digit-9`, and of a number the sign is not said.
    pub fn speak(&self, parts: &[Part]) -> Vec<Sound> {
        let mut sounds = Vec::new();
        for part in parts {
            match part {
                Part::Prompt(prompt) => sounds.push(prompt.clone().into()),
                Part::Speech { language, text } => sounds.extend(self.say(language, text)),
                Part::Digits(variable) => {
                    let text = match self.values.get(variable) {
                        Some(Value::Text(text)) => text.clone(),
                        Some(Value::Number(number)) => number.unsigned_abs().to_string(),
                        Some(Value::Flag(_)) | None => String::new(),
                    };
                    let digits = text.chars().filter(char::is_ascii_digit);
                    let digits = digits.filter_map(|digit| PromptId::new(&format!("digit-{digit}")).ok());
                    sounds.extend(digits.map(Sound::Prompt));
                }
            }
        }
        sounds
    }

    /// Words with what variables hold; None: nothing is left to be said.
    fn say(&self, language: &LanguageId, text: &str) -> Option<Sound> {
        let (mut said, mut personal) = (String::new(), false);
        for piece in sound::pieces(text)? {
            match piece {
                Piece::Words(words) => said.push_str(words),
                Piece::Variable(variable) => {
                    personal = true;
                    match self.values.get(&variable) {
                        Some(Value::Text(text)) => said.push_str(text),
                        Some(Value::Number(number)) => said.push_str(&number.to_string()),
                        Some(Value::Flag(_)) | None => {}
                    }
                }
            }
        }
        let said: String = said.chars().filter(|c| !c.is_control()).take(SPEECH_MAX).collect();
        let speech = Speech { language: language.clone(), text: said, personal };
        (!speech.text.trim().is_empty()).then_some(Sound::Speech(speech))
    }
}
