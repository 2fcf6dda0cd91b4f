//! The console's pages, from the binary.

use axum::{
    body::Body,
    http::{
        HeaderMap, HeaderValue, Method, StatusCode, Uri,
        header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY},
    },
    response::{IntoResponse, Response},
};

use super::fault::Fault;

pub async fn page(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if !matches!(method, Method::GET | Method::HEAD) {
        return Fault::new(StatusCode::METHOD_NOT_ALLOWED, "method", "pages can only be read").into_response();
    }
    let path = uri.path();
    let Some(asset) = pages::console(path).filter(|_| path != "/api") else {
        return Fault::not_found("page").into_response();
    };
    let tags = headers.get(IF_NONE_MATCH).and_then(|tags| tags.to_str().ok()).unwrap_or_default();
    let known = tags.split(',').any(|tag| tag.trim().trim_start_matches("W/") == asset.etag);
    let accepts = headers.get(ACCEPT_ENCODING).and_then(|names| names.to_str().ok()).unwrap_or_default();
    let gzip = asset.gzip.clone().filter(|_| accepts.split(',').any(|name| name.trim().starts_with("gzip")));

    let mut response = Response::new(Body::empty());
    let out = response.headers_mut();
    out.insert(CACHE_CONTROL, HeaderValue::from_static(asset.cache_control()));
    out.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(etag) = HeaderValue::from_str(&asset.etag) {
        out.insert(ETAG, etag);
    }
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    if let Ok(mime) = HeaderValue::from_str(&asset.mime) {
        out.insert(CONTENT_TYPE, mime);
    }
    if gzip.is_some() {
        out.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    *response.body_mut() = Body::from(gzip.unwrap_or(asset.bytes).into_owned());
    response
}
