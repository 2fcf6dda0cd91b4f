//! Listening to a recording: the right to it is checked, the audit is written, then the bytes go out.

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use model::RecordingId;

use crate::{Desk, fault::Refusal, routes::messages, session::Session};

/// Stretches of a waveform: about one for each two points of a wide player.
const STRETCHES: usize = 400;

/// `<recording>.wav`, or `<recording>.peaks`: how loud it is where, which says no word and so is no listening.
pub async fn show(
    State(desk): State<Desk>,
    session: Session,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let (id, kind) = file.rsplit_once('.').ok_or(Refusal::NotFound)?;
    let id = id.parse::<RecordingId>().map_err(|_| Refusal::NotFound)?;
    match kind {
        "wav" => wav(&desk, &session, id, &headers).await,
        "peaks" => peaks(&desk, &session, id).await,
        _ => Err(Refusal::NotFound),
    }
}

/// Somebody without the right learns nothing, not even whether it exists.
async fn may_hear(desk: &Desk, session: &Session, id: RecordingId) -> Result<(), Refusal> {
    let may = match desk.records.message_of(id).await? {
        Some(message) => messages::may_hear(desk, session, &message.queue),
        None => {
            let contact = desk.records.contact_of(id).await?;
            contact.is_some_and(|cdr| session.reader().may_see(cdr.agent.as_ref()))
        }
    };
    may.then_some(()).ok_or(Refusal::NotFound)
}

async fn peaks(desk: &Desk, session: &Session, id: RecordingId) -> Result<Response, Refusal> {
    may_hear(desk, session, id).await?;
    let waveform = desk.records.recording_waveform(id, STRETCHES).await?.ok_or(Refusal::NotFound)?;
    Ok(Json(waveform).into_response())
}

async fn wav(desk: &Desk, session: &Session, id: RecordingId, headers: &HeaderMap) -> Result<Response, Refusal> {
    may_hear(desk, session, id).await?;
    // Parts are reported as well: whoever asks for all but the first byte has listened too.
    desk.records.listened(session.agent.clone(), id).await?;
    let wanted = headers.get(header::RANGE).and_then(|range| range.to_str().ok());
    let wav = desk.records.recording_wav(id).await?.ok_or(Refusal::NotFound)?;
    tracing::info!(recording = %id, "recording listened to");
    part(wav, wanted)
}

/// The whole, or the one range that was asked for (RFC 9110 §14.2): a player seeks with it.
fn part(wav: Bytes, wanted: Option<&str>) -> Result<Response, Refusal> {
    let kind = [(header::CONTENT_TYPE, "audio/wav"), (header::ACCEPT_RANGES, "bytes")];
    let length = wav.len();
    let Some((from, to)) = wanted.and_then(|range| one_range(range, length)) else {
        return Ok((kind, wav).into_response());
    };
    if from >= length || to < from {
        return Err(Refusal::BadRange { length });
    }
    let mut response = (StatusCode::PARTIAL_CONTENT, kind, wav.slice(from..=to)).into_response();
    let range = HeaderValue::try_from(format!("bytes {from}-{to}/{length}"));
    response.headers_mut().insert(header::CONTENT_RANGE, range.map_err(|_| Refusal::BadRange { length })?);
    Ok(response)
}

/// First and last byte of `bytes=a-b`, `bytes=a-` or `bytes=-n`. What is not understood is ignored, as the RFC says.
fn one_range(range: &str, length: usize) -> Option<(usize, usize)> {
    let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
    let last = length.checked_sub(1)?;
    if from.is_empty() {
        let count: usize = to.parse().ok()?;
        return Some((length.saturating_sub(count), if count == 0 { 0 } else { last }));
    }
    let from: usize = from.parse().ok()?;
    let to = if to.is_empty() { last } else { to.parse::<usize>().ok()?.min(last) };
    Some((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_rfc_says() {
        for (range, expected) in [
            ("bytes=0-", Some((0, 99))),
            ("bytes=10-19", Some((10, 19))),
            ("bytes=90-500", Some((90, 99))),
            ("bytes=-5", Some((95, 99))),
            ("bytes=-500", Some((0, 99))),
            ("bytes=200-", Some((200, 99))),
            ("bytes=0-1,5-6", None),
            ("lines=0-1", None),
            ("bytes=x-", None),
        ] {
            assert_eq!(one_range(range, 100), expected, "{range}");
        }
        assert_eq!(one_range("bytes=0-", 0), None);
    }
}
