//! Figures over time, summed over sites, each stretch of time with how complete it is; and what changed after its time.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::{
    Extension, Json,
    extract::{Query, State},
};
use db::{
    correction::{self, Correction},
    ingest,
    session::Who,
    site,
    trend::{self, Apart, Bin},
};
use model::{Millis, QueueId, SiteId};
use serde::Serialize;
use utoipa::ToSchema;

use super::{fault::Fault, figures::number};
use crate::{app::App, clock};

#[derive(Debug, Serialize, ToSchema)]
pub struct Trends {
    now: Millis,
    length_s: u32,
    bins: Vec<Bin>,
    queues: Vec<OfQueue>,
    branches: Vec<OfSite>,
    sites: Vec<Standing>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TrendOfQueue)]
struct OfQueue {
    queue: QueueId,
    bins: Vec<Bin>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TrendOfSite)]
struct OfSite {
    site: SiteId,
    bins: Vec<Bin>,
}

/// How a site stands, and what is known of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TrendStanding)]
struct Standing {
    #[serde(flatten)]
    known: trend::Site,
    linked: bool,
    data_age_s: Option<u64>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Corrections {
    corrections: Vec<Correction>,
    more: bool,
}

/// Most sites that can be named: more are all of them.
const SITES_MAX: usize = 100;

/// `from`, `to` in milliseconds since 1970; `length_s` 900, 3600 or 86400; `offset_s` of the reader's days, 0 if not said;
/// `sites` and `queues` as ids with commas between them, all if not said; `apart` is `queues`, if not said, or `sites`.
pub async fn trends(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Json<Trends>, Fault> {
    let question = question(&query)?;
    let named: BTreeSet<SiteId> = ids(&query, "sites", SITES_MAX, |text| SiteId::new(text).ok())?.into_iter().collect();
    let now = clock::now();
    let asked = question.clone();
    let found = app.db.read(move |conn| {
        let of_all = site::all(conn)?.into_iter().filter(|site| who.scope.holds(site)).collect::<BTreeSet<_>>();
        if !named.is_subset(&of_all) {
            return Ok(None);
        }
        let chosen = if named.is_empty() { of_all } else { named };
        if asked.apart == Apart::Sites && chosen.len() > trend::SITES_MAX {
            let most = trend::SITES_MAX;
            return Err(Fault::invalid(format!("more than {most} sites cannot be told apart: name some")));
        }
        let answer = trend::ask(conn, &asked, now, |site| chosen.contains(site))?;
        let heard = chosen.into_iter().map(|site| Ok((site.clone(), ingest::last_taken(conn, &site)?)));
        let heard = heard.collect::<db::Result<BTreeMap<SiteId, Option<Millis>>>>()?;
        Ok::<_, Fault>(Some((answer, heard)))
    });
    let (answer, heard) = found.await?.ok_or_else(|| Fault::not_found("site"))?;
    let sites = answer.sites.into_iter().map(|known| {
        let data_at = heard.get(&known.site).copied().flatten();
        let linked = app.links.of(&known.site).linked;
        Standing { known, linked, data_age_s: data_at.map(|at| now.since(at) / 1_000) }
    });
    let queues = answer.queues.into_iter().map(|(queue, bins)| OfQueue { queue, bins });
    let branches = answer.branches.into_iter().map(|(site, bins)| OfSite { site, bins });
    Ok(Json(Trends {
        now,
        length_s: question.length_s,
        bins: answer.total,
        queues: queues.collect(),
        branches: branches.collect(),
        sites: sites.collect(),
    }))
}

/// What came since `since` about intervals whose time was over, the youngest first.
pub async fn corrections(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Json<Corrections>, Fault> {
    let since = Millis(number(&query, "since")?);
    let read = move |conn: &db::Connection| correction::since(conn, since, |site| who.scope.holds(site));
    let (found, more) = app.db.read(read).await?;
    Ok(Json(Corrections { corrections: found, more }))
}

fn question(query: &BTreeMap<String, String>) -> Result<trend::Question, Fault> {
    let length_s = u32::try_from(number(query, "length_s")?).unwrap_or(u32::MAX);
    let offset_s = if query.contains_key("offset_s") { number(query, "offset_s")? } else { 0 };
    let question = trend::Question {
        from: Millis(number(query, "from")?),
        to: Millis(number(query, "to")?),
        length_s,
        offset_s: i32::try_from(offset_s).unwrap_or(i32::MAX),
        queues: ids(query, "queues", trend::QUEUES_MAX, |text| QueueId::new(text).ok())?,
        apart: match query.get("apart").map(String::as_str) {
            None | Some("queues") => Apart::Queues,
            Some("sites") => Apart::Sites,
            Some(_) => return Err(Fault::invalid("apart is queues or sites")),
        },
    };
    question.check().map_err(|problem| Fault::invalid(problem.to_string()))?;
    Ok(question)
}

/// Each once, in their order.
fn ids<T: Ord + Clone>(
    query: &BTreeMap<String, String>,
    key: &'static str,
    most: usize,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, Fault> {
    let text = query.get(key).map_or("", String::as_str);
    let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let id = read(part).ok_or_else(|| Fault::invalid(format!("{key} are ids with commas between them")))?;
        if found.len() >= most {
            return Err(Fault::invalid(format!("more than {most} {key}")));
        }
        if seen.insert(id.clone()) {
            found.push(id);
        }
    }
    Ok(found)
}
