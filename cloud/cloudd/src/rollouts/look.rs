//! What changes would do at a site, before anything is written.

use std::collections::BTreeSet;

use config::{differences, effective};
use db::Connection;
use model::{
    Millis, SiteId,
    change::{Change, Finding, Severity},
    history::Difference,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    app::App,
    documents::{Refused, planned},
};

/// Most differences and findings that are told of one site.
const TOLD_MAX: usize = 50;

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Looked {
    pub site: SiteId,
    pub label: String,
    /// Nothing is in the way of it.
    pub fits: bool,
    /// The change that its documents do not take, counted from 0, and why.
    #[schema(value_type = Option<Vec<serde_json::Value>>)]
    pub refused: Option<(usize, String)>,
    /// None: it is so already, or the branch itself says otherwise.
    pub differences: Vec<Difference>,
    /// Those that there are not without the changes.
    pub findings: Vec<Finding>,
}

/// None: there is no such site.
pub fn look(
    app: &App,
    conn: &Connection,
    site: &SiteId,
    (changes, overrule): (&[Change], bool),
    now: Millis,
) -> db::Result<Option<Looked>> {
    let Some(before) = app.documents.present(conn, site)? else { return Ok(None) };
    let mut after = before.clone();
    let refused = match planned(&mut after, changes, overrule, now) {
        Ok(_) => None,
        Err(Refused::Change { index, error }) => Some((index, error.to_string())),
        Err(Refused::NoSite) => return Ok(None),
        Err(Refused::Db(error)) => return Err(error),
    };
    let was = effective(&before);
    let label = was.config.site.label.clone();
    if refused.is_some() {
        let (differences, findings) = (Vec::new(), Vec::new());
        return Ok(Some(Looked { site: site.clone(), label, fits: false, refused, differences, findings }));
    }
    let known: BTreeSet<&Finding> = was.findings.iter().collect();
    let will = effective(&after);
    let fits = !will.fatal();
    // What keeps it from running comes first.
    let mut findings: Vec<Finding> = will.findings.iter().filter(|finding| !known.contains(finding)).cloned().collect();
    findings.sort_by_key(|finding| finding.severity != Severity::Fatal);
    findings.truncate(TOLD_MAX);
    let mut differences = differences(&before, &after);
    differences.truncate(TOLD_MAX);
    Ok(Some(Looked { site: site.clone(), label, fits, refused, differences, findings }))
}
