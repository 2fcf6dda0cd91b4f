//! A request's body as JSON, refused in our own words.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{StatusCode, header::CONTENT_TYPE},
};
use serde::de::DeserializeOwned;

use super::fault::Fault;

/// Largest body of a request.
pub const BODY_LEN_MAX: usize = 512 * 1024;

pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Fault;

    async fn from_request(request: Request, state: &S) -> Result<Self, Fault> {
        let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if kind.split(';').next().map(str::trim) != Some("application/json") {
            let message = "the body must be application/json";
            return Err(Fault::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type", message));
        }
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|rejection| Fault::new(rejection.status(), "body", rejection.body_text()))?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| Fault::bad_request(error.to_string()))
    }
}
