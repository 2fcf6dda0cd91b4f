//! From a whole configuration that is wanted to the fields that have to be written, and nothing else: what a file in
//! version control is applied by.
//!
//! What is wanted is written into the site's document, and the branch's own word at the same path is taken back, so that
//! afterwards the plan says what the file says. Fields that are as wanted are left where they are.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    Millis,
    change::{Change, Doc, Finding},
    config::Config,
    history::Difference,
};

use crate::{
    documents::{Author, Documents},
    effective::effective,
    error::Error,
    layers::{Findings, merged, unfolded},
    scalar::Scalar,
    seed::changes_from,
    versions,
};

/// Most times that what came to light is looked at again.
const PASSES_MAX: usize = 4;

/// Fields of one document; None: nothing is to be said there.
type Fields = Vec<(String, Option<Scalar>)>;

/// What a configuration is written as.
type Documented = BTreeMap<String, Scalar>;

/// What has to be done, and what comes of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Fields by the document they are written into; None: nothing is to be said there.
    pub writes: Vec<(Doc, Fields)>,
    /// What differs from what is wanted, in the order of the paths.
    pub differences: Vec<Difference>,
    /// Of the configuration as it will be.
    pub findings: Vec<Finding>,
    /// Paths at which it will still not be as wanted: the organisation says otherwise, or the resolver repairs it.
    pub stays: Vec<String>,
}

/// Why a wanted configuration cannot be.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Unfit {
    #[error("it is the configuration of {0}")]
    OtherSite(model::SiteId),
    #[error("{error}, in {}", serde_json::to_string(change).unwrap_or_default())]
    Change { change: Box<Change>, error: Error },
}

/// What has to be written so that the site runs by `wanted`. Pure: the same documents give the same plan.
pub fn plan(documents: &Documents, wanted: &Config, at: Millis) -> Result<Plan, Unfit> {
    let site = documents.site_id();
    if wanted.site.id != *site {
        return Err(Unfit::OtherSite(wanted.site.id.clone()));
    }
    let refused = |change, error| Err(Unfit::Change { change: Box::new(change), error });
    let wanted = fields_of(wanted, refused)?;
    let is = fields_of(&effective(documents).config, passed_over)?;
    let paths = is.keys().chain(wanted.keys().filter(|path| !is.contains_key(*path)));
    // A thing that goes is told in one line.
    let told = paths.filter(|path| wanted.contains_key(*path) || !goes(path, &is, &wanted));
    let mut differences: Vec<Difference> =
        told.flat_map(|path| unfolded(path, is.get(path), wanted.get(path))).collect();
    differences.sort_by(|a, b| a.path.cmp(&b.path));
    let (mut after, mut writes) = (documents.clone(), Vec::new());
    let differ = |one: &Documented, other: &Documented| {
        let paths: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
        paths.into_iter().filter(|path| one.get(*path) != other.get(*path)).cloned().collect::<Vec<String>>()
    };
    // What was written may bring to light what the resolver had repaired until then.
    for _ in 0..PASSES_MAX {
        let will = fields_of(&effective(&after).config, passed_over)?;
        let step = step(&after, &will, &wanted, at);
        if differ(&will, &wanted).is_empty() || writes.ends_with(&step) {
            break;
        }
        for (doc, fields) in &step {
            // These are the centre's documents, and every field has passed its bounds.
            after.restore(*doc, fields, Author::Centre, at).ok();
        }
        writes.extend(step);
    }
    let after = effective(&after);
    let stays = differ(&fields_of(&after.config, passed_over)?, &wanted);
    Ok(Plan { writes, differences, findings: after.findings, stays })
}

/// What makes the one the other.
fn step(documents: &Documents, is: &Documented, wanted: &Documented, at: Millis) -> Vec<(Doc, Fields)> {
    let (mut plan, mut own): (Fields, Fields) = (Vec::new(), Vec::new());
    for path in is.keys().chain(wanted.keys().filter(|path| !is.contains_key(*path))) {
        let after = wanted.get(path);
        // A thing that goes takes its fields with it.
        if is.get(path) == after || (after.is_none() && goes(path, is, wanted)) {
            continue;
        }
        let value = match after {
            None if path.ends_with("/is") => Some(Scalar::Flag(false)),
            after => after.cloned(),
        };
        plan.extend(beside(documents, path, value.as_ref(), at));
        plan.push((path.clone(), value));
        own.push((path.clone(), None));
        // One that comes has nothing of its former self.
        if let Some(prefix) = path.strip_suffix("is").filter(|_| after.is_some() && path.ends_with("/is")) {
            for (doc, fields) in [(Doc::Site, &mut plan), (Doc::Local, &mut own)] {
                let former = documents.document(doc).under(prefix);
                fields.extend(former.into_iter().filter(|path| !wanted.contains_key(path)).map(|path| (path, None)));
            }
        }
    }
    own.retain(|(path, _)| documents.document(Doc::Local).scalar(path).is_some());
    vec![(Doc::Site, plan), (Doc::Local, own)]
}

fn passed_over(_: Change, _: Error) -> Result<(), Unfit> {
    Ok(())
}

/// The fields that a configuration is written as. What does not fit is told, or passed over.
fn fields_of(config: &Config, refused: impl Fn(Change, Error) -> Result<(), Unfit>) -> Result<Documented, Unfit> {
    let mut documents = Documents::new(config.site.id.clone(), [0; 16]);
    for change in changes_from(config) {
        if let Err(error) = documents.edit(Doc::Site, &change, Author::Centre, Millis(0)) {
            refused(change, error)?;
        }
    }
    let mut fields = merged(&documents, &mut Findings::default());
    fields.retain(|path, _| !path.starts_with("flow_versions/"));
    Ok(fields)
}

/// Whether the path belongs to a thing that will not be there.
fn goes(path: &str, is: &Documented, wanted: &Documented) -> bool {
    let mut parts = path.split('/');
    let (Some(kind), Some(id), Some(field)) = (parts.next(), parts.next(), parts.next()) else { return false };
    let thing = format!("{kind}/{id}/is");
    field != "is" && is.contains_key(&thing) && !wanted.contains_key(&thing)
}

/// A flow that is replaced stays beside it as an earlier version.
fn beside(documents: &Documents, path: &str, value: Option<&Scalar>, at: Millis) -> Vec<(String, Option<Scalar>)> {
    let Some(flow) = path.strip_prefix("flows/").and_then(|id| id.parse().ok()) else { return Vec::new() };
    let Some(Scalar::Text(text)) = value else { return Vec::new() };
    let Ok(value) = serde_json::from_str(text) else { return Vec::new() };
    let fields = versions::beside(documents.document(Doc::Site), &Change::FlowPut { flow, value }, at);
    fields.unwrap_or_default().into_iter().map(|(path, scalar)| (path, Some(scalar))).collect()
}
