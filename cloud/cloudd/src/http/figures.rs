//! The figures of a window of time, with how complete they are.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Extension, Json,
    extract::{Query, State},
};
use db::{
    interval::{self, CELLS_MAX, LENGTH_S_MAX, Question},
    session::Who,
};
use model::{Millis, SiteId};
use serde_json::{Value, json};

use super::fault::Fault;
use crate::{app::App, overview};

/// Longest window, in intervals.
const INTERVALS_MAX: i64 = 10_000;

pub async fn figures(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Json<Value>, Fault> {
    let question = question(&query)?;
    let (answer, completeness) = app
        .db
        .read(move |conn| {
            let sites = db::site::all(conn)?.into_iter().filter(|site| who.scope.holds(site));
            let completeness = sites.map(|site| Ok((site.clone(), overview::completeness(conn, &site)?)));
            let completeness = completeness.collect::<db::Result<BTreeMap<SiteId, Option<f64>>>>()?;
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
    Ok(Json(json!({ "figures": answer.cells, "completeness": completeness })))
}

/// `from` and `to` in milliseconds since 1970, `length_s` in seconds.
fn question(query: &BTreeMap<String, String>) -> Result<Question, Fault> {
    let number = |key: &str| {
        let text = query.get(key).ok_or_else(|| Fault::bad_request(format!("{key} is missing")))?;
        text.parse::<i64>().map_err(|_| Fault::bad_request(format!("{key} is not a whole number")))
    };
    let (from, to) = (number("from")?, number("to")?);
    let length_s = u32::try_from(number("length_s")?).ok().filter(|length_s| (60..=LENGTH_S_MAX).contains(length_s));
    let length_s = length_s.ok_or_else(|| Fault::invalid(format!("length_s is from 60 to {LENGTH_S_MAX}")))?;
    let window = to.checked_sub(from).filter(|window| *window > 0 && from >= 0);
    let window = window.ok_or_else(|| Fault::invalid("from must be before to, and neither before 1970"))?;
    if window / (i64::from(length_s) * 1000) > INTERVALS_MAX {
        return Err(Fault::invalid(format!("more than {INTERVALS_MAX} intervals from from to to")));
    }
    Ok(Question { from: Millis(from), to: Millis(to), length_s })
}
