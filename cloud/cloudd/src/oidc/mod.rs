//! Asks the organisation's identity provider who somebody is: OpenID Connect with the authorization code flow and PKCE
//! (OpenID Connect Core 1.0 §3.1, RFC 7636). What a person may do here is read from the groups they have there.

mod provider;
mod token;

use std::time::{Duration, Instant};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use db::user::{Role, Scope};
use serde_json::Value;
use tokio::sync::Mutex;

use crate::{secret, settings::SingleSignOn};
pub use provider::is_private;
use provider::{Fetch, Provider};

/// What a provider says of itself is believed so long.
const KNOWN_FOR: Duration = Duration::from_secs(3_600);
/// A token with an unknown key makes us look for new keys, at most this often.
const KEYS_AGAIN: Duration = Duration::from_secs(30);
/// Longest answer of a provider that is read.
const ANSWER_LEN_MAX: usize = 1 << 20;

/// Why nobody is signed in. The texts are for the log; the page has its own words for each kind.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the identity provider cannot be used: {0}")]
    Provider(String),
    #[error("the identity provider's token is not to be believed: {0}")]
    Token(String),
    #[error("the identity provider names no login")]
    NoLogin,
    #[error("none of the person's groups has a role here")]
    NoRole,
}

/// Somebody whom the provider knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub issuer: String,
    pub subject: String,
    pub login: String,
    pub role: Role,
    pub scope: Scope,
}

/// What a browser is sent away with, and what must be kept until it is back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    pub url: String,
    pub state: String,
    pub nonce: String,
    pub verifier: String,
}

/// The provider of this cloud.
pub struct Oidc {
    settings: SingleSignOn,
    secret: Option<String>,
    /// Where browsers come back to.
    redirect: String,
    fetch: Fetch,
    known: Mutex<Option<(Instant, Provider)>>,
}

impl Oidc {
    pub fn new(settings: SingleSignOn, secret: Option<String>, origin: &str) -> anyhow::Result<Self> {
        let redirect = format!("{origin}/api/single-sign-on/done");
        Ok(Self { settings, secret, redirect, fetch: Fetch::new()?, known: Mutex::default() })
    }

    pub fn label(&self) -> &str {
        &self.settings.label
    }

    /// Where to send a browser.
    pub async fn begin(&self) -> Result<Begun, Error> {
        let provider = self.provider().await?;
        let random = || secret::token().map_err(|error| Error::Provider(error.to_string()));
        let (state, nonce, verifier) = (random()?, random()?, random()?);
        let challenge = URL_SAFE_NO_PAD.encode(secret::sha256(&verifier));
        let query = query(&[
            ("response_type", "code"),
            ("client_id", &self.settings.client_id),
            ("redirect_uri", &self.redirect),
            ("scope", &self.settings.scope),
            ("state", &state),
            ("nonce", &nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        let joined = if provider.authorization_endpoint.contains('?') { '&' } else { '?' };
        Ok(Begun { url: format!("{}{joined}{query}", provider.authorization_endpoint), state, nonce, verifier })
    }

    /// Redeems the code that a browser came back with.
    pub async fn finish(&self, code: &str, nonce: &str, verifier: &str) -> Result<Person, Error> {
        let provider = self.provider().await?;
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", self.redirect.as_str()),
            ("client_id", self.settings.client_id.as_str()),
            ("code_verifier", verifier),
        ];
        if let Some(secret) = &self.secret {
            form.push(("client_secret", secret));
        }
        let answer = self.fetch.post(&provider.token_endpoint, &query(&form)).await?;
        let text = |name: &str| answer.get(name).and_then(Value::as_str);
        let id_token = text("id_token").ok_or_else(|| Error::Provider("its answer holds no id_token".into()))?;
        let expected = token::Expected { issuer: &self.settings.issuer, audience: &self.settings.client_id, nonce };
        let claims = match token::verify(id_token, &provider.keys, &expected) {
            Err(token::Refused::UnknownKey) => {
                let provider = self.with_fresh_keys(&provider).await?;
                token::verify(id_token, &provider.keys, &expected)
            }
            other => other,
        };
        let mut claims = claims.map_err(|refused| Error::Token(refused.to_string()))?;
        if let (Some(endpoint), Some(access)) = (&provider.userinfo_endpoint, text("access_token")) {
            self.more(&mut claims, endpoint, access).await?;
        }
        self.person(&claims)
    }

    /// What the token leaves out, when the provider tells it elsewhere (OpenID Connect Core §5.3).
    async fn more(&self, claims: &mut token::Claims, endpoint: &str, access: &str) -> Result<(), Error> {
        let wanted = [&self.settings.login_claim, &self.settings.groups_claim];
        if wanted.iter().all(|name| claims.rest.contains_key(*name)) {
            return Ok(());
        }
        let told = self.fetch.get(endpoint, Some(access)).await?;
        // §5.3.2: of the same person, or not to be used.
        if told.get("sub").and_then(Value::as_str) != Some(&claims.sub) {
            return Err(Error::Token("the userinfo is of somebody else".into()));
        }
        for name in wanted {
            if let Some(value) = told.get(name) {
                claims.rest.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
        Ok(())
    }

    fn person(&self, claims: &token::Claims) -> Result<Person, Error> {
        let login = claims.rest.get(&self.settings.login_claim).and_then(Value::as_str).ok_or(Error::NoLogin)?;
        let login = crate::command::user::login_of(login).map_err(|_| Error::NoLogin)?;
        let groups: Vec<&str> = match claims.rest.get(&self.settings.groups_claim) {
            Some(Value::Array(groups)) => groups.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(group)) => vec![group],
            _ => vec![],
        };
        let found = self.settings.groups.iter().find(|row| groups.contains(&row.group.as_str()));
        let row = found.ok_or(Error::NoRole)?;
        Ok(Person {
            issuer: self.settings.issuer.clone(),
            subject: claims.sub.clone(),
            login,
            role: row.role,
            scope: row.scope.clone(),
        })
    }

    async fn provider(&self) -> Result<Provider, Error> {
        let mut known = self.known.lock().await;
        if let Some((at, provider)) = known.as_ref()
            && at.elapsed() < KNOWN_FOR
        {
            return Ok(provider.clone());
        }
        let fresh = Provider::discover(&self.fetch, &self.settings.issuer).await;
        match (fresh, known.as_ref()) {
            (Ok(fresh), _) => {
                *known = Some((Instant::now(), fresh.clone()));
                Ok(fresh)
            }
            // A provider that cannot say so again today is the one it was.
            (Err(_), Some((_, provider))) => Ok(provider.clone()),
            (Err(error), None) => Err(error),
        }
    }

    async fn with_fresh_keys(&self, before: &Provider) -> Result<Provider, Error> {
        let mut known = self.known.lock().await;
        if let Some((_, provider)) = known.as_ref()
            && provider.keys_at.elapsed() < KEYS_AGAIN
        {
            return Ok(provider.clone());
        }
        let fresh = before.with_keys(&self.fetch).await?;
        *known = Some((Instant::now(), fresh.clone()));
        Ok(fresh)
    }
}

/// As in a form or behind a question mark (RFC 3986 §2.1: all but unreserved characters are escaped).
fn query(pairs: &[(&str, &str)]) -> String {
    let escaped = |text: &str| -> String {
        text.bytes().fold(String::new(), |mut out, byte| {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
                _ => out.push_str(&format!("%{byte:02X}")),
            }
            out
        })
    };
    let pairs: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect();
    pairs.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_behind_a_question_mark_means_itself_alone() {
        assert_eq!(query(&[("scope", "openid email"), ("x", "a&b=c/é")]), "scope=openid%20email&x=a%26b%3Dc%2F%C3%A9");
    }
}
