//! Flows for their editors: the text of a flow, the flow of a text, what is wrong with it and where its roads end; and the
//! versions that were replaced. What is published is a change like any other (`configuration`).

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use model::{FlowId, Millis, StepId, change::Problem, flow::Flow};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{body::Body, fault::Fault, site_of};
use crate::app::App;

#[derive(Deserialize, ToSchema)]
#[schema(as = FlowText)]
#[serde(deny_unknown_fields)]
pub struct Text {
    text: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct LookedAt {
    flow: Flow,
    text: String,
    found: Vec<Found>,
    ends: Vec<End>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FlowFound)]
struct Found {
    /// Null: the flow's beginning.
    at: Option<StepId>,
    /// The flow cannot run with it.
    grave: bool,
    problem: Problem,
}

/// Where a road ends.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FlowEnd)]
struct End {
    at: StepId,
    road: Vec<StepId>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FlowVersion)]
pub struct Version {
    replaced: Millis,
    flow: Flow,
}

/// A draft that somebody writes.
pub async fn read(Body(Text { text }): Body<Text>) -> Result<Json<LookedAt>, Fault> {
    let flow = flow::text::parse(&text).map_err(|error| Fault::invalid(error.to_string()))?;
    Ok(Json(looked_at(flow, text)))
}

/// A draft that somebody draws.
pub async fn print(Body(flow): Body<Flow>) -> Result<Json<LookedAt>, Fault> {
    let text = flow::text::print(&flow).map_err(|error| Fault::invalid(error.to_string()))?;
    Ok(Json(looked_at(flow, text)))
}

fn looked_at(flow: Flow, text: String) -> LookedAt {
    let found = flow::check(&flow).into_iter().map(|found| {
        let problem = Problem::Flow { fault: found.fault, road: found.road };
        Found { at: found.at, grave: found.grave, problem }
    });
    let ends = flow::ends(&flow).into_iter().map(|end| End { at: end.at, road: end.road });
    let (found, ends) = (found.collect(), ends.collect());
    LookedAt { flow, text, found, ends }
}

/// The oldest first, each with the time of its replacement.
pub async fn versions(
    State(app): State<Arc<App>>,
    Path((site, flow)): Path<(String, String)>,
) -> Result<Json<Vec<Version>>, Fault> {
    let site = site_of(&site)?;
    let flow: FlowId = flow.parse().map_err(|_| Fault::not_found("flow"))?;
    let reader = Arc::clone(&app);
    let found = app.db.read(move |conn| reader.documents.flow_versions(conn, &site, &flow)).await;
    let found = found.map_err(|error: db::Error| Fault::from(error))?.ok_or_else(|| Fault::not_found("site"))?;
    let found = found.into_iter().map(|(replaced, flow)| Version { replaced, flow });
    Ok(Json(found.collect()))
}
