//! Whether an identity token is to be believed (OpenID Connect Core §3.1.3.7).

use std::collections::BTreeMap;

use jsonwebtoken::{
    Algorithm, DecodingKey, Validation, decode, decode_header,
    jwk::{Jwk, JwkSet},
};
use serde::Deserialize;
use serde_json::Value;

/// Signatures by a key that only the provider has: with a shared secret, whoever knows it could sign.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];
/// How far the provider's clock may be off, in seconds.
const LEEWAY_S: u64 = 60;

#[derive(Debug, thiserror::Error)]
pub enum Refused {
    #[error("it is signed with a key that the provider does not show")]
    UnknownKey,
    #[error("it is signed in a way that is not taken")]
    Algorithm,
    #[error("it was made for another sign-in")]
    Nonce,
    #[error("it was made for several, and not by us")]
    Party,
    #[error(transparent)]
    Token(#[from] jsonwebtoken::errors::Error),
}

pub struct Expected<'a> {
    pub issuer: &'a str,
    /// Our client id.
    pub audience: &'a str,
    pub nonce: &'a str,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Claims {
    pub sub: String,
    #[serde(default)]
    nonce: Option<String>,
    #[serde(default)]
    azp: Option<String>,
    aud: Value,
    #[serde(flatten)]
    pub rest: BTreeMap<String, Value>,
}

pub fn verify(token: &str, keys: &JwkSet, expected: &Expected<'_>) -> Result<Claims, Refused> {
    let header = decode_header(token)?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err(Refused::Algorithm);
    }
    let key = key(keys, header.kid.as_deref()).ok_or(Refused::UnknownKey)?;
    let mut validation = Validation::new(header.alg);
    validation.leeway = LEEWAY_S;
    validation.validate_nbf = true;
    validation.set_issuer(&[expected.issuer]);
    validation.set_audience(&[expected.audience]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    let claims: Claims = decode(token, &DecodingKey::from_jwk(key)?, &validation)?.claims;
    if claims.nonce.as_deref() != Some(expected.nonce) {
        return Err(Refused::Nonce);
    }
    let several = claims.aud.as_array().is_some_and(|parties| parties.len() > 1);
    match &claims.azp {
        Some(party) if party != expected.audience => Err(Refused::Party),
        None if several => Err(Refused::Party),
        _ => Ok(claims),
    }
}

/// A provider with one key need not name it.
fn key<'a>(keys: &'a JwkSet, named: Option<&str>) -> Option<&'a Jwk> {
    match named {
        Some(named) => keys.keys.iter().find(|key| key.common.key_id.as_deref() == Some(named)),
        None if keys.keys.len() == 1 => keys.keys.first(),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::{
        rand::SystemRandom,
        signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
    };
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
    use serde_json::json;

    use super::*;

    struct Signer(EcdsaKeyPair, String);

    impl Signer {
        fn new(kid: &str) -> Self {
            let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
            Self(key, kid.into())
        }

        fn jwk(&self) -> Jwk {
            let point = self.0.public_key().as_ref();
            let (x, y) = (B64.encode(&point[1..33]), B64.encode(&point[33..65]));
            let jwk = json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": self.1, "alg": "ES256" });
            serde_json::from_value(jwk).unwrap()
        }

        fn token(&self, header: Value, claims: &Value) -> String {
            let signed = format!("{}.{}", B64.encode(header.to_string()), B64.encode(claims.to_string()));
            let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
            format!("{signed}.{}", B64.encode(signature))
        }
    }

    fn claims() -> Value {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        json!({
            "iss": "https://id.example", "aud": "branchline", "sub": "42", "nonce": "n-1", "exp": now + 300,
            "iat": now, "email": "ann@example.org", "groups": ["admins"],
        })
    }

    const EXPECTED: Expected<'_> = Expected { issuer: "https://id.example", audience: "branchline", nonce: "n-1" };

    #[test]
    fn a_good_token_says_who_it_is() {
        let signer = Signer::new("one");
        let keys = JwkSet { keys: vec![Signer::new("other").jwk(), signer.jwk()] };
        let token = signer.token(json!({ "alg": "ES256", "kid": "one" }), &claims());
        let said = verify(&token, &keys, &EXPECTED).unwrap();
        assert_eq!((said.sub.as_str(), &said.rest["email"]), ("42", &json!("ann@example.org")));
    }

    #[test]
    fn every_other_token_is_refused() {
        let signer = Signer::new("one");
        let keys = JwkSet { keys: vec![signer.jwk()] };
        let header = || json!({ "alg": "ES256", "kid": "one" });
        let with = |name: &str, value: Value| {
            let mut claims = claims();
            claims[name] = value;
            signer.token(header(), &claims)
        };
        let past = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() - 300;
        let thief = Signer::new("one");
        let unsigned =
            format!("{}.{}.", B64.encode(json!({ "alg": "none" }).to_string()), B64.encode(claims().to_string()));
        let mut torn = signer.token(header(), &claims());
        torn.pop();
        let shared = signer.token(json!({ "alg": "HS256", "kid": "one" }), &claims());
        let bad = [
            ("another issuer", with("iss", json!("https://evil.example"))),
            ("for another", with("aud", json!("elsewhere"))),
            ("of another sign-in", with("nonce", json!("n-2"))),
            ("without a sign-in", with("nonce", Value::Null)),
            ("expired", with("exp", json!(past))),
            ("not yet valid", with("nbf", json!(past + 900))),
            ("for several", with("aud", json!(["branchline", "elsewhere"]))),
            ("made for another party", with("azp", json!("elsewhere"))),
            ("by a thief", thief.token(header(), &claims())),
            ("by a key unknown", signer.token(json!({ "alg": "ES256", "kid": "two" }), &claims())),
            ("unsigned", unsigned),
            ("with a shared secret", shared),
            ("torn", torn),
            ("nothing", String::new()),
        ];
        for (what, token) in bad {
            assert!(verify(&token, &keys, &EXPECTED).is_err(), "{what}");
        }
    }
}
