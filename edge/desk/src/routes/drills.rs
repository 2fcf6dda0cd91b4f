//! Outage drills: the one that is ordered, and what came of those that ran. One is ordered and ended as any other edit of the
//! settings.

use axum::{Json, extract::State};

use crate::{Desk, api, door::Supervisor, fault::Refusal};

pub async fn show(State(desk): State<Desk>, Supervisor(_): Supervisor) -> Result<Json<api::Drills>, Refusal> {
    let ordered = desk.floor.effective().borrow().drill;
    let reports = desk.reports.drills().await?.into_iter();
    let reports = reports.map(|report| api::Drilled { outcome: report.outcome(), report }).collect();
    Ok(Json(api::Drills { ordered, reports }))
}
