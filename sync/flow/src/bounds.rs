//! Bounds and types within one step.

use model::{
    VariableId,
    flow::{
        DIGITS_MAX, FIELDS_MAX, Fault, Flow, LOOK_UP_MS, MESSAGE_S, PARTS_MAX, Part, SHOWN_LABEL_MAX, SHOWN_MAX,
        SPEECH_MAX, Source, Step, TESTS_MAX, TEXT_MAX, Test, VARIABLES_MAX, Value,
    },
    sound::{self, Piece},
};

use crate::url;

const WAIT_S: (i64, i64) = (1, 60);
const TRIES: (i64, i64) = (1, 10);
const RING_S: (i64, i64) = (5, 120);
const BEST: (i64, i64) = (3, 9);
/// Characters of a field's name in another system's object.
const FIELD_MAX: usize = 60;
/// Beginnings of numbers in one condition, and digits of each.
const BEGINNINGS_MAX: usize = 32;
const BEGINNING_MAX: usize = 15;
const SECONDS_MAX: i64 = 86_400;

pub(crate) fn of_variables(flow: &Flow) -> Vec<Fault> {
    let mut faults: Vec<Fault> =
        outside("variables", size(flow.variables.len()), (0, size(VARIABLES_MAX))).into_iter().collect();
    faults.extend(flow.variables.values().filter_map(text_fits));
    faults.extend(outside("shown", size(flow.shown.len()), (0, size(SHOWN_MAX))));
    faults.extend(flow.shown.keys().filter_map(|variable| there(flow, variable)));
    let labels = flow.shown.values().map(|label| size(label.chars().filter(|c| !c.is_control()).count()));
    faults.extend(labels.filter_map(|len| outside("shown", len, (1, size(SHOWN_LABEL_MAX)))));
    faults
}

pub(crate) fn of_step(flow: &Flow, step: &Step) -> Vec<Fault> {
    let mut faults = Vec::new();
    match step {
        Step::Say { parts, .. } => {
            faults.extend(count("parts", parts.len(), PARTS_MAX));
            let variables = parts.iter().filter_map(|part| match part {
                Part::Digits(variable) => Some(variable),
                Part::Prompt(_) | Part::Speech { .. } => None,
            });
            faults.extend(variables.filter_map(|variable| there(flow, variable)));
            for part in parts {
                if let Part::Speech { text, .. } = part {
                    of_speech(flow, text, &mut faults);
                }
            }
        }
        Step::Menu { choices, wait_s, tries, .. } => {
            faults.extend(choices.is_empty().then_some(Fault::Empty));
            faults.extend(choices.keys().filter_map(|key| is_no_key(*key)));
            faults.extend(outside("wait_s", i64::from(*wait_s), WAIT_S));
            faults.extend(outside("tries", i64::from(*tries), TRIES));
        }
        Step::Digits { into, min, max, wait_s, tries, .. } => {
            faults.extend(typed(flow, into, &Value::Text(String::new())));
            faults.extend(outside("max", i64::from(*max), (1, i64::from(DIGITS_MAX))));
            faults.extend(outside("min", i64::from(*min), (1, i64::from(*max).max(1))));
            faults.extend(outside("wait_s", i64::from(*wait_s), WAIT_S));
            faults.extend(outside("tries", i64::from(*tries), TRIES));
        }
        Step::If { all, .. } => {
            faults.extend(count("all", all.len(), TESTS_MAX));
            all.iter().for_each(|test| of_test(flow, test, &mut faults));
        }
        Step::Set { variable, to, .. } => {
            faults.extend(typed(flow, variable, to));
            faults.extend(text_fits(to));
        }
        Step::LookUp { url, send, take, wait_ms, .. } => {
            faults.extend(url::Url::parse(url).is_none().then_some(Fault::Url));
            faults.extend(outside("wait_ms", i64::from(*wait_ms), (LOOK_UP_MS.0.into(), LOOK_UP_MS.1.into())));
            faults.extend(outside("send", size(send.len()), (0, size(FIELDS_MAX))));
            faults.extend(outside("take", size(take.len()), (0, size(FIELDS_MAX))));
            let names = send.keys().chain(take.values());
            faults.extend(names.filter_map(|name| outside("field", size(name.chars().count()), (1, size(FIELD_MAX)))));
            let sent = send.values().filter_map(|source| match source {
                Source::Variable(variable) => Some(variable),
                Source::Caller | Source::Called => None,
            });
            faults.extend(sent.chain(take.keys()).filter_map(|variable| there(flow, variable)));
        }
        Step::Survey { best, wait_s, .. } => {
            faults.extend(outside("best", i64::from(*best), BEST));
            faults.extend(outside("wait_s", i64::from(*wait_s), WAIT_S));
        }
        Step::Consent { agree, refuse, wait_s, tries, .. } => {
            let same = (agree == refuse).then_some(Fault::Key { key: *refuse });
            faults.extend(is_no_key(*agree).into_iter().chain(is_no_key(*refuse)).chain(same));
            faults.extend(outside("wait_s", i64::from(*wait_s), WAIT_S));
            faults.extend(outside("tries", i64::from(*tries), TRIES));
        }
        Step::Transfer { ring_s, .. } => faults.extend(outside("ring_s", i64::from(*ring_s), RING_S)),
        Step::Callback { number, .. } => {
            faults.extend(number.iter().filter_map(|number| typed(flow, number, &Value::Text(String::new()))));
        }
        Step::Voicemail { max_s, .. } => {
            faults.extend(outside("max_s", i64::from(*max_s), (MESSAGE_S.0.into(), MESSAGE_S.1.into())));
        }
        Step::Play { .. }
        | Step::Open { .. }
        | Step::SubFlow { .. }
        | Step::Return
        | Step::Queue { .. }
        | Step::Hangup => {}
    }
    faults
}

fn is_no_key(key: char) -> Option<Fault> {
    (!"0123456789*#".contains(key)).then_some(Fault::Key { key })
}

fn of_speech(flow: &Flow, text: &str, faults: &mut Vec<Fault>) {
    faults.extend(text.trim().is_empty().then_some(Fault::Empty));
    faults.extend(outside("text", size(text.chars().count()), (0, size(SPEECH_MAX))));
    match sound::pieces(text) {
        Some(pieces) => faults.extend(pieces.into_iter().filter_map(|piece| match piece {
            Piece::Variable(variable) => there(flow, &variable),
            Piece::Words(_) => None,
        })),
        None => faults.push(Fault::Braces { text: text.chars().take(TEXT_MAX).collect() }),
    }
}

fn of_test(flow: &Flow, test: &Test, faults: &mut Vec<Fault>) {
    match test {
        Test::CallerBegins { with } => {
            faults.extend(count("with", with.len(), BEGINNINGS_MAX));
            let digits = |text: &String| {
                let digits = text.strip_prefix('+').unwrap_or(text);
                !digits.is_empty() && digits.len() <= BEGINNING_MAX && digits.bytes().all(|b| b.is_ascii_digit())
            };
            let max = size(BEGINNING_MAX);
            let bad = with.iter().any(|text| !digits(text));
            faults.extend(bad.then(|| Fault::OutOfBounds { field: "with".to_owned(), min: 1, max }));
        }
        Test::Waiting { more_than, .. } => faults.extend(outside("more_than", i64::from(*more_than), (0, 2_000))),
        Test::WaitLonger { than_s, .. } => faults.extend(outside("than_s", i64::from(*than_s), (0, SECONDS_MAX))),
        Test::Equal { variable, to } => {
            faults.extend(typed(flow, variable, to));
            faults.extend(text_fits(to));
        }
        Test::AtLeast { variable, .. } => faults.extend(typed(flow, variable, &Value::Number(0))),
        Test::Withheld | Test::Inside | Test::Open { .. } | Test::Takes { .. } | Test::Served { .. } => {}
    }
}

fn there(flow: &Flow, variable: &VariableId) -> Option<Fault> {
    let known = flow.variables.contains_key(variable);
    (!known).then(|| Fault::NoVariable { variable: variable.clone() })
}

fn typed(flow: &Flow, variable: &VariableId, value: &Value) -> Option<Fault> {
    match flow.variables.get(variable) {
        None => Some(Fault::NoVariable { variable: variable.clone() }),
        Some(first) if first.has_type_of(value) => None,
        Some(_) => Some(Fault::OtherType { variable: variable.clone() }),
    }
}

fn text_fits(value: &Value) -> Option<Fault> {
    let Value::Text(text) = value else { return None };
    outside("text", size(text.chars().count()), (0, size(TEXT_MAX)))
}

/// Some, and not more than `max`.
fn count(field: &str, len: usize, max: usize) -> Option<Fault> {
    if len == 0 { Some(Fault::Empty) } else { outside(field, size(len), (1, size(max))) }
}

fn outside(field: &str, value: i64, (min, max): (i64, i64)) -> Option<Fault> {
    (!(min..=max).contains(&value)).then(|| Fault::OutOfBounds { field: field.to_owned(), min, max })
}

fn size(len: usize) -> i64 {
    i64::try_from(len).unwrap_or(i64::MAX)
}
