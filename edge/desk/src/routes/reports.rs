//! Reports: to the page as they come, line by line with their progress, and as files. Supervisors see everybody's figures,
//! an agent the own.

mod wanted;

use axum::{
    Json,
    body::Body,
    extract::{Query, State, rejection::QueryRejection},
    http::header,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::stream;
use tokio::sync::mpsc;

use self::wanted::{Asked, Format, Wanted};
use crate::{Desk, ReportError, ReportPlace, Role, api, fault::Refusal, report_file, session::Session, view};

/// Lines that wait for whoever reads them: progress is left out where they are full, and the last always has room.
const LINES_MAX: usize = 4;

/// One line of JSON each: `{"progress":{…}}` until `{"report":{…}}`, or `{"refused":{"code","message"}}`.
pub async fn show(
    State(desk): State<Desk>,
    session: Session,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, Refusal> {
    let asked = asked(&desk, &session, wanted)?;
    let place = place(&desk, &session).await?;
    let (lines, out) = mpsc::channel(LINES_MAX);
    tokio::spawn(async move {
        let made = make(&desk, &asked, place, Some(&lines)).await;
        let last = match made {
            Ok(report) => api::ReportLine::Report(Box::new(report)),
            Err(error) => {
                let code = if matches!(error, ReportError::Refused(_)) { "bad_request" } else { "unavailable" };
                api::ReportLine::Refused { code, message: error.to_string() }
            }
        };
        // Who reads it no more has no use for it.
        let _ = lines.try_send(line(&last));
    });
    let body = stream::unfold(out, |mut out| async {
        let line = out.recv().await?;
        Some((Ok::<_, std::convert::Infallible>(line), out))
    });
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(body)).into_response())
}

/// The same as a file: `format` is `csv`, `xlsx` or `json`.
pub async fn file(
    State(desk): State<Desk>,
    session: Session,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, Refusal> {
    let asked = asked(&desk, &session, wanted)?;
    let format = asked.format.ok_or_else(|| Refusal::BadRequest("format: csv, xlsx or json".into()))?;
    let place = place(&desk, &session).await?;
    let report = make(&desk, &asked, place.clone(), None).await?;
    let name = format!("report-{}-{}", report.from, report.until);
    let is = |kind: &'static str, ending: &str| {
        let disposition = format!("attachment; filename=\"{name}.{ending}\"");
        [(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, disposition)]
    };
    let response = match format {
        Format::Csv => (is("text/csv; charset=utf-8", "csv"), report_file::csv(&report)).into_response(),
        Format::Json => (is("application/json", "json"), Json(report)).into_response(),
        Format::Xlsx => {
            let kind = is("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx");
            // Many rows are to be packed.
            let packed = tokio::task::spawn_blocking(move || {
                let packed = report_file::xlsx(&report);
                drop(place);
                packed
            });
            let packed = packed.await;
            let packed = packed.ok().and_then(|packed| {
                packed.inspect_err(|error| tracing::error!(%error, "a report cannot be written as a spreadsheet")).ok()
            });
            (kind, packed.ok_or(crate::Unavailable)?).into_response()
        }
    };
    Ok(response)
}

fn asked(desk: &Desk, session: &Session, wanted: Result<Query<Wanted>, QueryRejection>) -> Result<Asked, Refusal> {
    let Query(wanted) = wanted.map_err(|error| Refusal::BadRequest(error.body_text()))?;
    let own = (session.role == Role::Agent).then_some(&session.agent);
    let zone = desk.floor.effective().borrow().config.site.time_zone.clone();
    wanted.asked(&zone, own).map_err(Refusal::BadRequest)
}

async fn place(desk: &Desk, session: &Session) -> Result<ReportPlace, Refusal> {
    desk.reporting.take(&session.agent).await.ok_or(Refusal::TooManyReports)
}

/// Progress goes where it is wanted; when nobody is there any more, the making ends.
async fn make(
    desk: &Desk,
    asked: &Asked,
    place: ReportPlace,
    to: Option<&mpsc::Sender<Bytes>>,
) -> Result<api::Report, ReportError> {
    let (told, mut hears) = mpsc::channel(1);
    let tell = async {
        while let Some(progress) = hears.recv().await {
            // Nobody else sends, so that what is free stays free.
            if let Some(to) = to.filter(|to| to.capacity() > 1) {
                let _ = to.try_send(line(&api::ReportLine::Progress(progress)));
            }
        }
    };
    let gone = async {
        match to {
            Some(to) => to.closed().await,
            None => std::future::pending().await,
        }
    };
    let made = async { tokio::join!(desk.reports.make(asked.question.clone(), told, place), tell).0 };
    let (report, at) = tokio::select! {
        made = made => made?,
        () = gone => return Err(ReportError::GivenUp),
    };
    let effective = desk.floor.effective().borrow().clone();
    Ok(view::report(&effective.config, asked.to_api(), report, at))
}

fn line(said: &api::ReportLine) -> Bytes {
    let mut line = serde_json::to_vec(said).unwrap_or_default();
    line.push(b'\n');
    line.into()
}
