//! Differences as lines for people.

use model::{
    Millis,
    change::{Finding, Severity},
    history::{Blame, By, Difference, Side, Value},
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// What stands in a file or comes from a branch, without what a terminal would obey.
pub fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

pub fn difference(difference: &Difference) -> String {
    let Difference { path, before, after } = difference;
    let path = clean(path);
    match (before, after) {
        (None, after) => format!("  + {path}: {}", value(after.as_ref())),
        (before, None) => format!("  - {path}: {}", value(before.as_ref())),
        (before, after) => format!("  ~ {path}: {} -> {}", value(before.as_ref()), value(after.as_ref())),
    }
}

pub fn finding(finding: &Finding) -> String {
    let severity = match finding.severity {
        Severity::Repaired => "repaired",
        Severity::Warning => "warning",
        Severity::Fatal => "FATAL",
    };
    let problem = serde_json::to_string(&finding.problem).unwrap_or_default();
    clean(&format!("  ! {severity} {}: {problem}", finding.path))
}

/// `by mei, 2026-11-29T10:00:00Z (local)`.
pub fn set_by(blame: &[Blame], path: &str) -> Option<String> {
    let under =
        |blame: &&Blame| path == blame.path || path.strip_prefix(&blame.path).is_some_and(|rest| rest.starts_with('/'));
    let By { doc, side, author, written, .. } = &blame.iter().find(under)?.by;
    let who = match (author, side) {
        (Some(author), _) => clean(author),
        (None, Side::Branch) => "the branch".to_owned(),
        (None, Side::Centre) => "the centre".to_owned(),
    };
    let doc = format!("{doc:?}").to_lowercase();
    Some(format!("    set by {who}, {} ({doc})", moment(*written)))
}

fn moment(at: Millis) -> String {
    let at = OffsetDateTime::from_unix_timestamp(at.0.div_euclid(1_000)).ok();
    at.and_then(|at| at.format(&Rfc3339).ok()).unwrap_or_else(|| "at an unknown time".to_owned())
}

fn value(value: Option<&Value>) -> String {
    match value {
        None => "not set".to_owned(),
        Some(Value::Nothing) => "none".to_owned(),
        Some(Value::Flag(flag)) => flag.to_string(),
        Some(Value::Int(number)) => number.to_string(),
        Some(Value::Text(text)) => format!("\"{}\"", clean(text)),
    }
}
