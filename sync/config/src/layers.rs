//! The three documents laid over one another, field by field, by the table of rules. What comes out has the right
//! types and bounds; what was wrong is a finding.

use std::collections::{BTreeMap, BTreeSet};

use model::change::{Doc, Finding, Problem, Severity};

use crate::{
    change::{LOCAL_ONLY, MAY_LEAVE, may_be_nothing},
    document::{BINDING, Scalar},
    documents::Documents,
    rules::{self, LEVEL, Merge, Rule, Type, most},
};

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
fn typed(rule: &Rule, path: &str, scalar: &Scalar, findings: &mut Findings) -> Option<Scalar> {
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
