//! What is asked of the console's interface.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Context, bail, ensure};
use model::{
    SiteId,
    change::Finding,
    config::Config,
    history::{Blame, Difference},
};
use reqwest::{Certificate, Client, Method, StatusCode, Url, header};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// A server that takes longer does not answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);
/// Largest answer, in bytes.
const ANSWER_MAX: usize = 16 << 20;

pub struct Server {
    base: Url,
    client: Client,
}

/// What a server says of a wanted configuration.
#[derive(Debug, Deserialize)]
pub struct Planned {
    pub base: String,
    pub differences: Vec<Difference>,
    pub findings: Vec<Finding>,
    pub stays: Vec<String>,
}

/// A branch, and what it is found by.
#[derive(Debug, Deserialize)]
pub struct Tagged {
    pub site: SiteId,
    pub tags: BTreeSet<String>,
}

/// Why a plan is not applied.
#[derive(Debug, PartialEq, Eq)]
pub enum Applied {
    Done,
    /// Something else was changed since it was made.
    Moved,
}

impl Server {
    pub fn new(server: &str, token: &str, ca: Option<&str>, in_clear: bool) -> anyhow::Result<Self> {
        let base: Url = server.parse().with_context(|| format!("{server} is no address of a console"))?;
        let here = matches!(base.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        ensure!(
            base.scheme() == "https" || base.scheme() == "http" && (here || in_clear),
            "{server} is not https: the token would travel in clear (--in-clear does so all the same)"
        );
        let mut bearer =
            header::HeaderValue::from_str(&format!("Bearer {token}")).context("the token has a strange character")?;
        bearer.set_sensitive(true);
        let headers = [(header::AUTHORIZATION, bearer)].into_iter().collect();
        let mut client = Client::builder()
            .default_headers(headers)
            .timeout(ANSWER_WITHIN)
            .redirect(reqwest::redirect::Policy::none());
        if let Some(ca) = ca {
            let all = Certificate::from_pem_bundle(ca.as_bytes()).context("--ca-file: not certificates as PEM")?;
            client = all.into_iter().fold(client, reqwest::ClientBuilder::add_root_certificate);
        }
        Ok(Self { base, client: client.build()? })
    }

    pub async fn sites(&self) -> anyhow::Result<Vec<SiteId>> {
        #[derive(Deserialize)]
        struct Line {
            site: SiteId,
        }
        let lines: Vec<Line> = self.get("api/sites").await?;
        Ok(lines.into_iter().map(|line| line.site).collect())
    }

    /// Every branch with its tags.
    pub async fn tagged(&self) -> anyhow::Result<Vec<Tagged>> {
        self.get("api/sites").await
    }

    pub async fn config(&self, site: &SiteId) -> anyhow::Result<Config> {
        #[derive(Deserialize)]
        struct Answer {
            config: Config,
        }
        let answer: Answer = self.get(&format!("api/sites/{site}/config")).await?;
        Ok(answer.config)
    }

    pub async fn blame(&self, site: &SiteId) -> anyhow::Result<Vec<Blame>> {
        self.get(&format!("api/sites/{site}/blame")).await
    }

    pub async fn plan(&self, config: &Config) -> anyhow::Result<Planned> {
        let path = format!("api/sites/{}/plan", config.site.id);
        let (status, answer) = self.ask(Method::POST, &path, Some(&json!({ "config": config }))).await?;
        understood(status, answer)
    }

    pub async fn apply(&self, config: &Config, base: &str) -> anyhow::Result<Applied> {
        let path = format!("api/sites/{}/apply", config.site.id);
        let (status, answer) = self.ask(Method::POST, &path, Some(&json!({ "base": base, "config": config }))).await?;
        if status == StatusCode::CONFLICT {
            return Ok(Applied::Moved);
        }
        understood::<Value>(status, answer).map(|_| Applied::Done)
    }

    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> anyhow::Result<T> {
        let (status, answer) = self.ask(Method::POST, path, Some(body)).await?;
        understood(status, answer)
    }

    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let (status, answer) = self.ask(Method::GET, path, None).await?;
        understood(status, answer)
    }

    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<(StatusCode, Value)> {
        let url = self.base.join(path)?;
        let request = self.client.request(method, url.clone());
        let request = if let Some(body) = body { request.json(body) } else { request };
        let mut response = request.send().await.with_context(|| format!("{url} does not answer"))?;
        let status = response.status();
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            ensure!(
                bytes.len().saturating_add(chunk.len()) <= ANSWER_MAX,
                "{url} answers with more than {ANSWER_MAX} bytes"
            );
            bytes.extend_from_slice(&chunk);
        }
        let answer = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Ok((status, answer))
    }
}

/// The answer, or the server's own words of why not.
fn understood<T: DeserializeOwned>(status: StatusCode, answer: Value) -> anyhow::Result<T> {
    if status.is_success() {
        return serde_json::from_value(answer)
            .context("the server's answer is not understood: is it of another version?");
    }
    let message = answer.pointer("/error/message").and_then(Value::as_str).unwrap_or_default();
    match status {
        StatusCode::UNAUTHORIZED => bail!("the token is unknown, over or revoked"),
        _ => bail!("{status}: {}", crate::show::clean(message)),
    }
}
