//! Roll-outs: what changes would do at each site, beginning one, how each stands, and what people say of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::StatusCode,
};
use db::{rollout::Kept, session::Who, user::Scope};
use fleet::{Order, Plan, Rollout, WAIT_MS_MAX, rollout::Command, wants_second, waves};
use model::{SiteId, change::Change};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{body::Body, configuration, fault::Fault};
use crate::{
    app::App,
    clock,
    rollouts::{self, Looked},
};

/// Longest label, in characters.
const LABEL_LEN_MAX: usize = 60;

/// What is looked at of one site or another.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    changes: Vec<Value>,
    sites: BTreeSet<SiteId>,
    /// Also where a branch itself says otherwise.
    overrule: bool,
}

/// A drill is ordered for a site by itself: a roll-out would take the sites for lost.
fn parse(changes: Vec<Value>) -> Result<Vec<Change>, Fault> {
    let changes = configuration::parse(changes)?;
    match changes.iter().position(|change| matches!(change, Change::SiteDrill { .. })) {
        Some(index) => Err(Fault::invalid("an outage drill is not rolled out").at(index)),
        None => Ok(changes),
    }
}

/// A dry run: nothing is written.
pub async fn look(
    State(app): State<Arc<App>>,
    Body(Ask { changes, sites, overrule }): Body<Ask>,
) -> Result<Json<Value>, Fault> {
    let changes = parse(changes)?;
    if sites.len() > fleet::SITES_MAX {
        return Err(Fault::invalid(format!("more than {} sites", fleet::SITES_MAX)));
    }
    let destructive = wants_second(&changes, overrule);
    let looked = looked(&app, (changes, overrule), sites).await?;
    Ok(Json(json!({ "sites": looked, "destructive": destructive })))
}

async fn looked(
    app: &Arc<App>,
    (changes, overrule): (Vec<Change>, bool),
    sites: BTreeSet<SiteId>,
) -> Result<Vec<Looked>, Fault> {
    let (reader, now) = (Arc::clone(app), clock::now());
    let read = move |conn: &db::Connection| {
        let each = sites.iter().map(|site| rollouts::look(&reader, conn, site, (&changes, overrule), now));
        each.collect::<db::Result<Option<Vec<Looked>>>>()
    };
    app.db.read(read).await?.ok_or_else(|| Fault::not_found("site"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fresh {
    label: String,
    changes: Vec<Value>,
    overrule: bool,
    sites: BTreeSet<SiteId>,
    canaries: BTreeSet<SiteId>,
    shares: Vec<u8>,
    soak_s: u32,
    patience_s: u32,
    wants_calls: bool,
}

/// Refused where a site would not run by it, or is part of another roll-out.
pub async fn begin(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    Body(fresh): Body<Fresh>,
) -> Result<Json<Value>, Fault> {
    let Fresh { label, changes, overrule, sites, canaries, shares, soak_s, patience_s, wants_calls } = fresh;
    let label = label.trim().to_owned();
    if label.is_empty() || label.chars().count() > LABEL_LEN_MAX {
        return Err(Fault::invalid(format!("label: 1 to {LABEL_LEN_MAX} characters")));
    }
    let changes = parse(changes)?;
    if changes.is_empty() {
        return Err(Fault::invalid("changes: there is none"));
    }
    let [soak_ms, patience_ms] = [soak_s, patience_s].map(|seconds| i64::from(seconds).saturating_mul(1_000));
    if soak_ms > WAIT_MS_MAX || patience_ms > WAIT_MS_MAX || patience_ms == 0 {
        return Err(Fault::invalid("soak_s, patience_s: a week at most"));
    }
    let order = Order { sites: sites.clone(), canaries, shares };
    let waves = waves(&order).map_err(|unfit| Fault::invalid(unfit.to_string()))?;
    let looked = looked(&app, (changes.clone(), overrule), sites).await?;
    if let Some(unfit) = looked.iter().find(|looked| !looked.fits) {
        return Err(Fault::invalid(format!("{} would not run by it: look at what it does first", unfit.site)));
    }
    let (needs_second, now) = (wants_second(&changes, overrule), clock::now());
    let plan = Plan { waves, soak_ms, patience_ms, wants_calls };
    let rollout = Rollout::new(plan, who.login.clone(), needs_second, now);
    let begun = app
        .db
        .write(move |conn| {
            let live = db::rollout::live(conn)?;
            let taken = rollout.sites.keys().find(|site| live.iter().any(|kept| rollouts::has(kept, site)));
            if let Some(site) = taken {
                return Ok(Err(format!("{site} is part of another roll-out that is not over")));
            }
            let body = rollouts::written(&rollout)?;
            let fresh = db::rollout::Fresh { label, changes, overrule, body };
            let Some(id) = db::rollout::add(conn, &fresh, now)? else {
                return Ok(Err("there are too many roll-outs that are not over".to_owned()));
            };
            let detail = json!({
                "rollout": id,
                "label": fresh.label,
                "changes": fresh.changes,
                "overrule": overrule,
                "waves": rollout.plan.waves,
            });
            db::audit::add(conn, &who.login, "rollout.begin", &detail, now)?;
            Ok(Ok(id))
        })
        .await
        .map_err(|error: db::Error| Fault::from(error))?;
    let id = begun.map_err(Fault::invalid)?;
    Ok(Json(json!({ "rollout": id, "awaits_second": needs_second })))
}

/// Those that are not over before the others, of each the newest first; each with those of its sites that one may see.
pub async fn all(State(app): State<Arc<App>>, Extension(who): Extension<Who>) -> Result<Json<Value>, Fault> {
    let reader = Arc::clone(&app);
    let lines = app
        .db
        .read(move |conn| {
            let mut lines = Vec::new();
            let mut labels = BTreeMap::new();
            for kept in db::rollout::all(conn)? {
                let rollout = match rollouts::read(&kept) {
                    Ok(rollout) => rollout,
                    Err(error) => {
                        tracing::error!(id = kept.id, %error, "a roll-out cannot be shown");
                        // Of which sites it is nobody knows.
                        lines.extend((who.scope == Scope::All).then(|| unreadable(&kept)));
                        continue;
                    }
                };
                for site in rollout.sites.keys().filter(|site| who.scope.holds(site)) {
                    if !labels.contains_key(site)
                        && let Some(effective) = reader.documents.effective(conn, site)?
                    {
                        labels.insert(site.clone(), effective.config.site.label.clone());
                    }
                }
                lines.extend(line(&kept, &rollout, &who.scope, &labels));
            }
            Ok::<_, db::Error>(lines)
        })
        .await?;
    Ok(Json(Value::Array(lines)))
}

fn unreadable(kept: &Kept) -> Value {
    json!({
        "rollout": kept.id,
        "label": kept.label,
        "state": "unreadable",
        "site": null,
        "stopped_by": null,
        "created": kept.created,
        "by": null,
        "changes": kept.changes,
        "overrule": kept.overrule,
        "wave": 0,
        "waves": [],
        "soak_ms": 0,
        "patience_ms": 0,
        "wants_calls": false,
    })
}

/// None: none of its sites may be seen.
fn line(kept: &Kept, rollout: &Rollout, scope: &Scope, labels: &BTreeMap<SiteId, String>) -> Option<Value> {
    let site = |id: &SiteId| {
        let site = rollout.sites.get(id).filter(|_| scope.holds(id))?;
        let mut line = json!(site);
        line["site"] = json!(id);
        line["label"] = json!(labels.get(id));
        Some(line)
    };
    let waves: Vec<Vec<Value>> = rollout.plan.waves.iter().map(|wave| wave.iter().filter_map(site).collect()).collect();
    if waves.iter().all(Vec::is_empty) {
        return None;
    }
    let mut line = json!(rollout.state);
    // Who stopped it; who began it is told beside.
    line["stopped_by"] = line["by"].take();
    if line["site"].as_str().and_then(|site| site.parse().ok()).is_none_or(|site: SiteId| !scope.holds(&site)) {
        line["site"] = Value::Null;
    }
    line["rollout"] = kept.id.into();
    line["label"] = json!(kept.label);
    line["created"] = json!(kept.created);
    line["by"] = json!(rollout.by);
    line["changes"] = json!(kept.changes);
    line["overrule"] = kept.overrule.into();
    line["wave"] = rollout.wave.into();
    line["waves"] = json!(waves);
    line["soak_ms"] = rollout.plan.soak_ms.into();
    line["patience_ms"] = rollout.plan.patience_ms.into();
    line["wants_calls"] = (rollout.plan.wants_calls && !rollout.waived).into();
    Some(line)
}

/// What a person or a program says.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    Pause,
    Resume,
    TakeBack,
    GoOn,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    say: Word,
}

pub async fn say(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    Path(id): Path<String>,
    Body(Said { say }): Body<Said>,
) -> Result<StatusCode, Fault> {
    let command = match say {
        Word::Pause => Command::Pause,
        Word::Resume => Command::Resume,
        Word::TakeBack => Command::TakeBack,
        Word::GoOn => Command::GoOn,
    };
    told(&app, &who, &id, command).await
}

/// The second of two people.
pub async fn agree(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    Path(id): Path<String>,
) -> Result<StatusCode, Fault> {
    told(&app, &who, &id, Command::Agree).await
}

async fn told(app: &Arc<App>, who: &Who, id: &str, command: Command) -> Result<StatusCode, Fault> {
    let id: i64 = id.parse().map_err(|_| Fault::not_found("roll-out"))?;
    rollouts::say(app, id, &who.login, command).await.map_err(fault)?;
    Ok(StatusCode::NO_CONTENT)
}

fn fault(error: rollouts::Error) -> Fault {
    match error {
        rollouts::Error::Unknown => Fault::not_found("roll-out"),
        rollouts::Error::Refused(refused) => Fault::new(StatusCode::CONFLICT, "not_now", refused.to_string()),
        rollouts::Error::Busy(_) => Fault::new(StatusCode::CONFLICT, "not_now", error.to_string()),
        rollouts::Error::Moved => Fault::new(StatusCode::CONFLICT, "moved", error.to_string()),
        rollouts::Error::Db(error) => error.into(),
    }
}
