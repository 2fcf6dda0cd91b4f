//! What an identity provider says of itself (OpenID Connect Discovery 1.0), and its keys.

use std::time::{Duration, Instant};

use anyhow::Context;
use jsonwebtoken::jwk::JwkSet;
use reqwest::{Client, Response, redirect::Policy};
use serde_json::Value;

use super::{ANSWER_LEN_MAX, Error};

/// How long a provider may take for one answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

#[derive(Debug, Clone)]
pub struct Provider {
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    pub userinfo_endpoint: Option<String>,
    jwks_uri: String,
    pub keys: JwkSet,
    pub keys_at: Instant,
}

impl Provider {
    pub async fn discover(fetch: &Fetch, issuer: &str) -> Result<Self, Error> {
        let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let told = fetch.get(&url, None).await?;
        let endpoint = |name: &str| -> Result<Option<String>, Error> {
            let Some(url) = told.get(name).and_then(Value::as_str) else { return Ok(None) };
            if !is_private(url) {
                return Err(Error::Provider(format!("its {name} {url} is not HTTPS")));
            }
            Ok(Some(url.to_owned()))
        };
        let needed = |name: &str| endpoint(name)?.ok_or_else(|| Error::Provider(format!("it names no {name}")));
        // Discovery §4.3: exactly what was asked for.
        if told.get("issuer").and_then(Value::as_str) != Some(issuer) {
            return Err(Error::Provider("it says that it is another issuer".into()));
        }
        let jwks_uri = needed("jwks_uri")?;
        Ok(Self {
            authorization_endpoint: needed("authorization_endpoint")?,
            token_endpoint: needed("token_endpoint")?,
            userinfo_endpoint: endpoint("userinfo_endpoint")?,
            keys: keys(fetch, &jwks_uri).await?,
            keys_at: Instant::now(),
            jwks_uri,
        })
    }

    pub async fn with_keys(&self, fetch: &Fetch) -> Result<Self, Error> {
        Ok(Self { keys: keys(fetch, &self.jwks_uri).await?, keys_at: Instant::now(), ..self.clone() })
    }
}

async fn keys(fetch: &Fetch, url: &str) -> Result<JwkSet, Error> {
    let told = fetch.get(url, None).await?;
    // A key of a kind unknown here must not hide the others.
    let all = told.get("keys").and_then(Value::as_array).cloned().unwrap_or_default();
    let keys = all.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect();
    Ok(JwkSet { keys })
}

/// HTTPS, or this very machine.
pub fn is_private(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else { return url.starts_with("https://") };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    matches!(host, "127.0.0.1" | "localhost" | "[::1]")
}

/// Asks over HTTP, follows no redirect, and reads no more than it must.
pub struct Fetch(Client);

impl Fetch {
    pub fn new() -> anyhow::Result<Self> {
        let client = Client::builder().redirect(Policy::none()).timeout(ANSWER_WITHIN).user_agent("branchline");
        Ok(Self(client.build().context("no HTTP client")?))
    }

    pub async fn get(&self, url: &str, bearer: Option<&str>) -> Result<Value, Error> {
        let mut request = self.0.get(url);
        if let Some(token) = bearer {
            request = request.bearer_auth(token);
        }
        answer(url, request.send().await).await
    }

    /// `form` is already encoded.
    pub async fn post(&self, url: &str, form: &str) -> Result<Value, Error> {
        let request =
            self.0.post(url).header("content-type", "application/x-www-form-urlencoded").body(form.to_owned());
        answer(url, request.send().await).await
    }
}

async fn answer(url: &str, response: reqwest::Result<Response>) -> Result<Value, Error> {
    let failed = |error: reqwest::Error| {
        let error = anyhow::Error::from(error.without_url());
        Error::Provider(format!("{url}: {error:#}"))
    };
    let mut response = response.map_err(failed)?;
    let status = response.status();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len().saturating_add(chunk.len()) > ANSWER_LEN_MAX {
            return Err(Error::Provider(format!("{url}: an answer of more than {ANSWER_LEN_MAX} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    let told: Result<Value, _> = serde_json::from_slice(&body);
    if !status.is_success() {
        // RFC 6749 §5.2: the error's code is made for logs.
        let code = told.ok().and_then(|told| told.get("error")?.as_str().map(str::to_owned)).unwrap_or_default();
        return Err(Error::Provider(format!("{url}: {status} {code}")));
    }
    told.map_err(|error| Error::Provider(format!("{url}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clear_text_is_for_this_machine_alone() {
        for good in ["https://a.example/x", "http://127.0.0.1:8081/auth", "http://localhost/x", "http://[::1]:80/"] {
            assert!(is_private(good), "{good}");
        }
        for bad in ["http://a.example", "http://127.0.0.1.a.example/", "http://localhost@a.example/", "ftp://a", ""] {
            assert!(!is_private(bad), "{bad}");
        }
    }
}
