//! The three documents laid over one another, field by field, by the table of rules. What comes out has the right
//! types and bounds; what was wrong is a finding.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    change::{Doc, Finding, Problem, Severity},
    history::{Difference, Value},
};
use serde_json::Value as Json;

use crate::{
    change::{LOCAL_ONLY, MAY_LEAVE, may_be_nothing},
    document::BINDING,
    documents::Documents,
    rules::{self, LEVEL, Merge, Rule, Type, most},
    scalar::Scalar,
};

/// The fields in which two states of a site's documents differ, in the order of their paths.
pub fn differences(before: &Documents, after: &Documents) -> Vec<Difference> {
    let mut quiet = Findings::default();
    let (before, after) = (merged(before, &mut quiet), merged(after, &mut quiet));
    let paths: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    paths.into_iter().flat_map(|path| unfolded(path, before.get(path), after.get(path))).collect()
}

/// A field of two states, when it differs. One that holds a whole (a flow, a dial plan) is told part by part.
pub(crate) fn unfolded(path: &str, before: Option<&Scalar>, after: Option<&Scalar>) -> Vec<Difference> {
    if before == after {
        return Vec::new();
    }
    let whole = |scalar: Option<&Scalar>| match scalar {
        Some(Scalar::Text(text)) if text.starts_with('{') => serde_json::from_str::<Json>(text).ok(),
        _ => None,
    };
    if let (Some(before), Some(after)) = (whole(before), whole(after)) {
        let mut parts = Vec::new();
        unfold(path, Some(&before), Some(&after), &mut parts);
        return parts;
    }
    vec![Difference { path: path.to_owned(), before: before.map(Value::from), after: after.map(Value::from) }]
}

fn unfold(path: &str, before: Option<&Json>, after: Option<&Json>, parts: &mut Vec<Difference>) {
    if before == after || parts.len() >= PARTS_MAX {
        return;
    }
    if let (Some(Json::Object(one)), Some(Json::Object(other))) = (before, after) {
        let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
        return names
            .into_iter()
            .for_each(|name| unfold(&format!("{path}/{name}"), one.get(name), other.get(name), parts));
    }
    let value = |part: Option<&Json>| {
        part.map(|part| match part {
            Json::Null => Value::Nothing,
            Json::Bool(flag) => Value::Flag(*flag),
            Json::Number(number) if number.is_i64() => Value::Int(number.as_i64().unwrap_or_default()),
            Json::String(text) => Value::from(&Scalar::Text(text.clone())),
            other => Value::from(&Scalar::Text(other.to_string())),
        })
    };
    parts.push(Difference { path: path.to_owned(), before: value(before), after: value(after) });
}

/// Findings, up to a limit.
#[derive(Debug, Default)]
pub(crate) struct Findings(pub Vec<Finding>);

impl Findings {
    pub(crate) fn add(&mut self, severity: Severity, path: impl Into<String>, problem: Problem) {
        // A fatal finding always has room: it decides whether the configuration runs.
        if self.0.len() < most::FINDINGS || severity == Severity::Fatal {
            self.0.push(Finding { severity, path: path.into(), problem });
        }
    }
}

/// Most parts of one field that are told.
const PARTS_MAX: usize = 500;
/// Longest path that is looked at, in bytes.
const PATH_MAX: usize = 200;

pub(crate) fn merged(documents: &Documents, findings: &mut Findings) -> BTreeMap<String, Scalar> {
    let mut fields = BTreeMap::new();
    for doc in [Doc::Org, Doc::Site, Doc::Local] {
        for (path, won, all) in documents.document(doc).scalars() {
            if path == BINDING {
                continue;
            }
            let shown: String = path.chars().take(PATH_MAX).collect();
            match rules::of(&path).filter(|_| path.len() <= PATH_MAX) {
                None => findings.add(Severity::Warning, shown, Problem::WrongType),
                Some(rule) if !rule.by.contains(&doc) => findings.add(Severity::Repaired, shown, Problem::NotYours),
                Some(rule) => lay(rule, path, &won, &all, &mut fields, findings),
            }
        }
    }
    fields
}

fn lay(
    rule: &Rule,
    path: String,
    won: &Scalar,
    all: &[Scalar],
    fields: &mut BTreeMap<String, Scalar>,
    findings: &mut Findings,
) {
    let Some(won) = typed(rule, &path, won, findings) else { return };
    let mut quiet = Findings::default();
    let others: Vec<Scalar> = all.iter().filter_map(|scalar| typed(rule, &path, scalar, &mut quiet)).collect();
    let value = match rule.merge {
        Merge::Last => won,
        Merge::Union | Merge::Strictest => others.iter().fold(won, |value, other| combine(rule.merge, value, other)),
    };
    let dropped: BTreeSet<String> = others.iter().filter(|other| **other != value).map(Scalar::to_string).collect();
    if !dropped.is_empty() {
        findings.add(Severity::Warning, &path, Problem::Concurrent { kept: value.to_string(), dropped });
    }
    let value = match (rule.merge, fields.get(&path)) {
        (Merge::Union | Merge::Strictest, Some(below)) => combine(rule.merge, value, below),
        _ => value,
    };
    fields.insert(path, value);
}

fn combine(merge: Merge, a: Scalar, b: &Scalar) -> Scalar {
    let strict = match merge {
        Merge::Last => return a,
        Merge::Union => Scalar::Flag(true),
        Merge::Strictest => LOCAL_ONLY.into(),
    };
    if *b == strict { strict } else { a }
}

/// The value in its type and bounds; None when it says nothing.
pub(crate) fn typed(rule: &Rule, path: &str, scalar: &Scalar, findings: &mut Findings) -> Option<Scalar> {
    let mut clamp = |value: i64, (min, max): (i64, i64)| {
        let used = value.clamp(min, max);
        if used != value {
            findings.add(Severity::Repaired, path, Problem::OutOfBounds { min, max, used });
        }
        Scalar::Int(used)
    };
    match (rule.is, scalar) {
        (Type::Flag, Scalar::Flag(_)) => Some(scalar.clone()),
        (Type::Flag, Scalar::Null) => Some(Scalar::Flag(false)),
        (Type::Int(min, max), Scalar::Int(value)) => Some(clamp(*value, (min, max))),
        (Type::Level, Scalar::Int(value)) => Some(clamp(*value, LEVEL)),
        (Type::Text(max), Scalar::Text(text)) => Some(Scalar::Text(shorten(path, text, max, findings))),
        (Type::Id, Scalar::Text(text)) if text.len() <= PATH_MAX => Some(scalar.clone()),
        (Type::Locality, Scalar::Text(text)) if text == LOCAL_ONLY || text == MAY_LEAVE => Some(scalar.clone()),
        // A level that was taken away, an id that points at nothing, a flow that was removed.
        (Type::Level | Type::Id, Scalar::Null) => Some(Scalar::Null),
        (Type::Text(_), Scalar::Null) if may_be_nothing(path) => Some(Scalar::Null),
        (Type::Int(..) | Type::Text(_) | Type::Locality, Scalar::Null) => None,
        _ => {
            findings.add(Severity::Repaired, path, Problem::WrongType);
            // Whoever garbled the label of a queue's calls does not loosen it.
            (rule.is == Type::Locality).then(|| LOCAL_ONLY.into())
        }
    }
}

fn shorten(path: &str, text: &str, max: usize, findings: &mut Findings) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    findings.add(Severity::Repaired, path, Problem::TooLong { max: u32::try_from(max).unwrap_or(u32::MAX) });
    text.chars().take(max).collect()
}
