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
use fleet::{Order, Plan, Rollout, Standing, WAIT_MS_MAX, rollout::Command, wants_second, waves};
use model::{Millis, SiteId, change::Change, leaving::Fare};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{body::Body, configuration, fault::Fault};
use crate::{
    app::App,
    clock, drills,
    rollouts::{self, Looked},
};

/// Longest label, in characters.
const LABEL_LEN_MAX: usize = 60;

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RolloutLooks)]
pub struct Looks {
    sites: Vec<Looked>,
    /// It wants a second person.
    destructive: bool,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RolloutBegun)]
pub struct Begun {
    rollout: i64,
    awaits_second: bool,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RolloutLine)]
pub struct Line {
    rollout: i64,
    label: String,
    state: Stage,
    /// Why it stopped, where it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    why: Option<Why>,
    /// With `why`: which site; null where it is none that one may see.
    site: Option<SiteId>,
    /// Who stopped it; who began it is `by`.
    stopped_by: Option<String>,
    /// Null where it cannot be read.
    by: Option<String>,
    created: Millis,
    changes: Vec<Change>,
    overrule: bool,
    /// Counted from 0.
    wave: usize,
    waves: Vec<Vec<Place>>,
    soak_ms: i64,
    patience_ms: i64,
    wants_calls: bool,
}

/// How it stands at one site.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RolloutSite)]
struct Place {
    site: SiteId,
    label: Option<String>,
    is: Is,
    /// Fields that were left when the rest was taken back, for somebody had written since.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    left: Option<u32>,
    since: Millis,
    linked: bool,
    calls: Fare,
    /// Since when it is not seen to run by it, though it did.
    lost: Option<Millis>,
    restarts: Option<u32>,
    /// How often its processes were started again since it runs by it.
    restless: u32,
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = RolloutState)]
#[serde(rename_all = "snake_case")]
enum Stage {
    AwaitsSecond,
    Running,
    Held,
    Reverting,
    Reverted,
    Done,
    Unreadable,
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = RolloutWhy)]
#[serde(rename_all = "snake_case")]
enum Why {
    Person,
    CallsFell,
    Refused,
    Unfit,
    Restless,
    Silent,
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = RolloutStanding)]
#[serde(rename_all = "snake_case")]
enum Is {
    Waiting,
    Written,
    Runs,
    Passed,
    Alike,
    TakenBack,
    Stuck,
}

/// What is looked at of one site or another.
#[derive(Deserialize, ToSchema)]
#[schema(as = RolloutAsk)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    #[schema(value_type = Vec<Change>)]
    changes: Vec<Value>,
    sites: BTreeSet<SiteId>,
    /// Also where a branch itself says otherwise.
    overrule: bool,
}

/// A dry run: nothing is written.
pub async fn look(
    State(app): State<Arc<App>>,
    Body(Ask { changes, sites, overrule }): Body<Ask>,
) -> Result<Json<Looks>, Fault> {
    let changes = configuration::parse(changes)?;
    if sites.len() > fleet::SITES_MAX {
        return Err(Fault::invalid(format!("more than {} sites", fleet::SITES_MAX)));
    }
    let destructive = wants_second(&changes, overrule);
    let sites = looked(&app, (changes, overrule), sites).await?;
    Ok(Json(Looks { sites, destructive }))
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

/// The first of the sites at which a drill stands: a roll-out would take the site for lost.
async fn drilled(app: &Arc<App>, sites: BTreeSet<SiteId>) -> Result<Option<SiteId>, Fault> {
    let (reader, now) = (Arc::clone(app), clock::now());
    let read = move |conn: &db::Connection| {
        for site in sites {
            if drills::standing(&reader, conn, &site, now)?.is_some() {
                return Ok(Some(site));
            }
        }
        Ok::<_, db::Error>(None)
    };
    Ok(app.db.read(read).await?)
}

#[derive(Deserialize, ToSchema)]
#[schema(as = NewRollout)]
#[serde(deny_unknown_fields)]
pub struct Fresh {
    label: String,
    #[schema(value_type = Vec<Change>)]
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
) -> Result<Json<Begun>, Fault> {
    let Fresh { label, changes, overrule, sites, canaries, shares, soak_s, patience_s, wants_calls } = fresh;
    let label = label.trim().to_owned();
    if label.is_empty() || label.chars().count() > LABEL_LEN_MAX {
        return Err(Fault::invalid(format!("label: 1 to {LABEL_LEN_MAX} characters")));
    }
    let changes = configuration::parse(changes)?;
    if changes.is_empty() {
        return Err(Fault::invalid("changes: there is none"));
    }
    let [soak_ms, patience_ms] = [soak_s, patience_s].map(|seconds| i64::from(seconds).saturating_mul(1_000));
    if soak_ms > WAIT_MS_MAX || patience_ms > WAIT_MS_MAX || patience_ms == 0 {
        return Err(Fault::invalid("soak_s, patience_s: a week at most"));
    }
    let order = Order { sites: sites.clone(), canaries, shares };
    let waves = waves(&order).map_err(|unfit| Fault::invalid(unfit.to_string()))?;
    // Whoever orders a drill waits for this, and sees it.
    let _turn = app.documents.turn.lock().await;
    if let Some(site) = drilled(&app, sites.clone()).await? {
        return Err(Fault::invalid(format!(
            "an outage drill is ordered at {site}: call it off, or wait for its report"
        )));
    }
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
    let rollout = begun.map_err(Fault::invalid)?;
    Ok(Json(Begun { rollout, awaits_second: needs_second }))
}

/// Those that are not over before the others, of each the newest first; each with those of its sites that one may see.
pub async fn all(State(app): State<Arc<App>>, Extension(who): Extension<Who>) -> Result<Json<Vec<Line>>, Fault> {
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
    Ok(Json(lines))
}

fn unreadable(kept: &Kept) -> Line {
    Line {
        rollout: kept.id,
        label: kept.label.clone(),
        state: Stage::Unreadable,
        why: None,
        site: None,
        stopped_by: None,
        by: None,
        created: kept.created,
        changes: kept.changes.clone(),
        overrule: kept.overrule,
        wave: 0,
        waves: Vec::new(),
        soak_ms: 0,
        patience_ms: 0,
        wants_calls: false,
    }
}

/// None: none of its sites may be seen.
fn line(kept: &Kept, rollout: &Rollout, scope: &Scope, labels: &BTreeMap<SiteId, String>) -> Option<Line> {
    let place = |id: &SiteId| {
        let site = rollout.sites.get(id).filter(|_| scope.holds(id))?;
        Some(at(id, site, labels.get(id).cloned()))
    };
    let waves: Vec<Vec<Place>> =
        rollout.plan.waves.iter().map(|wave| wave.iter().filter_map(place).collect()).collect();
    if waves.iter().all(Vec::is_empty) {
        return None;
    }
    let (state, stopped) = state(&rollout.state);
    let (why, site) = stopped.map_or((None, None), |(why, site)| (Some(why), site.cloned()));
    Some(Line {
        rollout: kept.id,
        label: kept.label.clone(),
        state,
        why,
        site: site.filter(|site| scope.holds(site)),
        stopped_by: rollout.state.stopped_by().map(str::to_owned),
        by: Some(rollout.by.clone()),
        created: kept.created,
        changes: kept.changes.clone(),
        overrule: kept.overrule,
        wave: rollout.wave,
        waves,
        soak_ms: rollout.plan.soak_ms,
        patience_ms: rollout.plan.patience_ms,
        wants_calls: rollout.plan.wants_calls && !rollout.waived,
    })
}

fn at(id: &SiteId, site: &fleet::rollout::Site, label: Option<String>) -> Place {
    let (is, left) = match site.standing {
        Standing::Waiting => (Is::Waiting, None),
        Standing::Written => (Is::Written, None),
        Standing::Runs => (Is::Runs, None),
        Standing::Passed => (Is::Passed, None),
        Standing::Alike => (Is::Alike, None),
        Standing::TakenBack { left } => (Is::TakenBack, Some(left)),
        Standing::Stuck => (Is::Stuck, None),
    };
    let fleet::rollout::Site { since, linked, lost, ref counts, restless, calls, .. } = *site;
    let restarts = counts.values().copied().reduce(u32::saturating_add);
    Place { site: id.clone(), label, is, left, since, linked, calls, lost, restarts, restless }
}

/// With why it stopped, and at which site.
fn state(state: &fleet::State) -> (Stage, Option<(Why, Option<&SiteId>)>) {
    fn why(why: &fleet::Why) -> (Why, Option<&SiteId>) {
        match why {
            fleet::Why::Person { .. } => (Why::Person, None),
            fleet::Why::CallsFell { site } => (Why::CallsFell, Some(site)),
            fleet::Why::Refused { site } => (Why::Refused, Some(site)),
            fleet::Why::Unfit { site } => (Why::Unfit, Some(site)),
            fleet::Why::Restless { site } => (Why::Restless, Some(site)),
            fleet::Why::Silent { site } => (Why::Silent, Some(site)),
        }
    }
    match state {
        fleet::State::AwaitsSecond => (Stage::AwaitsSecond, None),
        fleet::State::Running => (Stage::Running, None),
        fleet::State::Held { why: stopped } => (Stage::Held, Some(why(stopped))),
        fleet::State::Reverting { why: stopped } => (Stage::Reverting, Some(why(stopped))),
        fleet::State::Reverted { why: stopped } => (Stage::Reverted, Some(why(stopped))),
        fleet::State::Done => (Stage::Done, None),
    }
}

/// What a person or a program says.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[schema(as = RolloutWord)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    Pause,
    Resume,
    TakeBack,
    GoOn,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = RolloutSaid)]
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
