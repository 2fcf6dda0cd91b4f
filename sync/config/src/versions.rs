//! Versions of flows: what is replaced stays beside the documents' flows, under the time of its replacement, to be looked
//! at and rolled back to.

use std::collections::BTreeMap;

use model::{
    FlowId, Millis,
    change::{Change, Doc},
    flow::Flow,
};

use crate::{document::Document, documents::Documents, error::Error, flow::VERSIONS_MAX, scalar::Scalar};

/// The versions that were replaced, the oldest first, each with the time of that.
pub fn flow_versions(documents: &Documents, flow: &FlowId) -> BTreeMap<Millis, Flow> {
    let prefix = prefix(flow);
    let document = documents.document(Doc::Site);
    let read = |path: String| {
        let at = path.strip_prefix(&prefix)?.parse().ok()?;
        let (Scalar::Text(text), _) = document.scalar(&path)? else { return None };
        Some((Millis(at), serde_json::from_str(&text).ok()?))
    };
    document.under(&prefix).into_iter().filter_map(read).collect()
}

/// What a change of a flow writes beside the change itself.
pub(crate) fn beside(document: &Document, change: &Change, at: Millis) -> Result<Vec<(String, Scalar)>, Error> {
    let mut fields = Vec::new();
    let (flow, next) = match change {
        Change::FlowPut { flow, value } => (flow, serde_json::to_string(value).ok()),
        Change::FlowRollBack { flow, replaced } => {
            let unknown = || Error::Unknown { what: "flow_versions", id: replaced.0.to_string() };
            let path = format!("{}{}", prefix(flow), replaced.0);
            let Some((Scalar::Text(text), _)) = document.scalar(&path) else { return Err(unknown()) };
            fields.push((format!("flows/{flow}"), Scalar::Text(text.clone())));
            (flow, Some(text))
        }
        _ => return Ok(fields),
    };
    let Some((Scalar::Text(stands), _)) = document.scalar(&format!("flows/{flow}")) else { return Ok(fields) };
    if Some(&stands) == next.as_ref() {
        return Ok(Vec::new());
    }
    let prefix = prefix(flow);
    let kept = |path: &String| matches!(document.scalar(path), Some((Scalar::Text(_), _)));
    let mut known: Vec<(i64, String)> = document
        .under(&prefix)
        .into_iter()
        .filter(kept)
        .filter_map(|path| Some((path.strip_prefix(&prefix)?.parse().ok()?, path)))
        .collect();
    known.sort();
    // Two in one moment are told apart all the same.
    let at = known.last().map_or(at.0, |(last, _)| at.0.max(last.saturating_add(1)));
    let too_many = known.len().saturating_add(1).saturating_sub(VERSIONS_MAX);
    fields.extend(known.into_iter().take(too_many).map(|(_, path)| (path, Scalar::Null)));
    fields.push((format!("{prefix}{at}"), Scalar::Text(stands)));
    Ok(fields)
}

fn prefix(flow: &FlowId) -> String {
    format!("flow_versions/{flow}/")
}
