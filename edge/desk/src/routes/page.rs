//! The files of the desk's page, out of the binary.

use axum::{
    body::Body,
    extract::Request,
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::fault::Refusal;

pub async fn serve(request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let Some(asset) = pages::desk(request.uri().path()) else { return Refusal::NotFound.into_response() };
    let said = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let always = [
        (header::ETAG, asset.etag.clone()),
        (header::CACHE_CONTROL, asset.cache_control().to_owned()),
        (header::VARY, header::ACCEPT_ENCODING.as_str().to_owned()),
    ];
    if said(header::IF_NONE_MATCH).split(',').any(|tag| tag.trim() == asset.etag) {
        return (StatusCode::NOT_MODIFIED, always).into_response();
    }
    let kind = [(header::CONTENT_TYPE, asset.mime.into_owned())];
    let zipped = said(header::ACCEPT_ENCODING).split(',').any(|coding| coding.trim().starts_with("gzip"));
    match asset.gzip {
        Some(gzip) if zipped => {
            (always, kind, [(header::CONTENT_ENCODING, "gzip")], Body::from(gzip.into_owned())).into_response()
        }
        _ => (always, kind, Body::from(asset.bytes.into_owned())).into_response(),
    }
}
