//! The figures of a window of time, with how complete they are.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Extension, Json,
    extract::{Query, State},
};
use db::{
    coverage::{self, Cover},
    interval::{self, CELLS_MAX, Cell, LENGTH_S_MAX, Question},
    session::Who,
};
use model::{Millis, SiteId};
use serde::Serialize;
use utoipa::ToSchema;

use super::fault::Fault;
use crate::{app::App, clock};

/// Longest window, in intervals.
const INTERVALS_MAX: i64 = 10_000;

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FiguresAnswer)]
pub struct Told {
    figures: Vec<Cell>,
    /// Of each site, 0 to 1; null while nothing is expected.
    #[schema(value_type = BTreeMap<String, Option<f64>>)]
    completeness: BTreeMap<SiteId, Option<f64>>,
}

pub async fn figures(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Json<Told>, Fault> {
    let question = question(&query)?;
    let now = clock::now();
    let (answer, completeness) = app
        .db
        .read(move |conn| {
            let covers = coverage::read(conn, question.from, now, |site| who.scope.holds(site))?;
            let part = |cover: &Cover| cover.count(question.from, question.to, None).part();
            let completeness: BTreeMap<_, _> = covers.iter().map(|(site, cover)| (site.clone(), part(cover))).collect();
            let mut answer = interval::ask(conn, question)?;
            answer.cells.retain(|cell| who.scope.holds(&cell.site));
            Ok::<_, db::Error>((answer, completeness))
        })
        .await?;
    if answer.cut {
        return Err(Fault::invalid(format!(
            "more than {CELLS_MAX} figures: ask for a shorter time or longer intervals"
        )));
    }
    Ok(Json(Told { figures: answer.cells, completeness }))
}

/// `from` and `to` in milliseconds since 1970, `length_s` in seconds. Completeness is that of the same time.
fn question(query: &BTreeMap<String, String>) -> Result<Question, Fault> {
    let (from, to) = (number(query, "from")?, number(query, "to")?);
    let length_s = u32::try_from(number(query, "length_s")?).ok();
    let length_s = length_s.filter(|length_s| (60..=LENGTH_S_MAX).contains(length_s));
    let length_s = length_s.ok_or_else(|| Fault::invalid(format!("length_s is from 60 to {LENGTH_S_MAX}")))?;
    let window = to.checked_sub(from).filter(|window| *window > 0 && from >= 0);
    let window = window.ok_or_else(|| Fault::invalid("from must be before to, and neither before 1970"))?;
    if window / (i64::from(length_s) * 1000) > INTERVALS_MAX {
        return Err(Fault::invalid(format!("more than {INTERVALS_MAX} intervals from from to to")));
    }
    Ok(Question { from: Millis(from), to: Millis(to), length_s })
}

/// A whole number that must be there.
pub(super) fn number(query: &BTreeMap<String, String>, key: &str) -> Result<i64, Fault> {
    let text = query.get(key).ok_or_else(|| Fault::bad_request(format!("{key} is missing")))?;
    text.parse().map_err(|_| Fault::bad_request(format!("{key} is not a whole number")))
}
