//! Our answer to a trunk's challenge. The caller makes sure that it was the trunk that asked (S-02); here the realm is
//! checked too, so that a password never answers a question from elsewhere.

use super::Algorithm;
use super::digest::pairs;
use crate::endpoint::TrunkRegistration;
use crate::ids::Ids;
use crate::lex;
use crate::message::{Response, Value};

/// One challenge we can answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    pub realm: String,
    pub stale: bool,
    /// `Authorization` or `Proxy-Authorization`.
    pub answer_in: &'static str,
    nonce: String,
    opaque: Option<String>,
    algorithm: Algorithm,
    with_qop: bool,
}

/// The best challenge of a 401 or 407 whose realm fits; RFC 8760 §2.4: SHA-256 before MD5.
pub fn challenge(response: &Response, realm_fits: impl Fn(&str) -> bool) -> Option<Challenge> {
    let (asked_in, answer_in) = match response.status {
        401 => ("WWW-Authenticate", "Authorization"),
        407 => ("Proxy-Authenticate", "Proxy-Authorization"),
        _ => return None,
    };
    let asked = response.head.all(asked_in).filter_map(|text| read(text, answer_in));
    asked.filter(|challenge| realm_fits(&challenge.realm)).max_by_key(|challenge| challenge.algorithm)
}

fn read(text: &str, answer_in: &'static str) -> Option<Challenge> {
    let pairs = pairs(text)?;
    let field = |name: &str| pairs.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone());
    let qop = field("qop");
    let offers_auth = |qop: &String| qop.split(',').any(|one| one.trim().eq_ignore_ascii_case("auth"));
    if !qop.as_ref().is_none_or(offers_auth) {
        return None;
    }
    Some(Challenge {
        realm: field("realm")?,
        stale: field("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
        answer_in,
        nonce: field("nonce")?,
        opaque: field("opaque"),
        algorithm: field("algorithm").map_or(Some(Algorithm::Md5), |name| Algorithm::parse(&name))?,
        with_qop: qop.is_some(),
    })
}

/// RFC 7616 §3.4, and RFC 2069's form where the server offers no qop.
pub fn answer(
    challenge: &Challenge,
    account: &TrunkRegistration,
    method: &str,
    uri: &str,
    ids: &mut Ids,
) -> Option<Value> {
    let Challenge { realm, nonce, algorithm, .. } = challenge;
    let ha1 = algorithm.hash(&[&account.user, realm, &account.password]);
    let ha2 = algorithm.hash(&[method, uri]);
    let cnonce = ids.tag();
    let count = "00000001";
    let response = if challenge.with_qop {
        algorithm.hash(&[&ha1, nonce, count, &cnonce, "auth", &ha2])
    } else {
        algorithm.hash(&[&ha1, nonce, &ha2])
    };
    let quoted = |name: &str, value: &str| format!("{name}={}", lex::quote(value));
    let mut fields = vec![
        quoted("username", &account.user),
        quoted("realm", realm),
        quoted("nonce", nonce),
        quoted("uri", uri),
        quoted("response", &response),
        format!("algorithm={algorithm}"),
    ];
    if challenge.with_qop {
        fields.extend(["qop=auth".to_string(), format!("nc={count}"), quoted("cnonce", &cnonce)]);
    }
    fields.extend(challenge.opaque.as_deref().map(|opaque| quoted("opaque", opaque)));
    Value::new(format!("Digest {}", fields.join(", "))).ok()
}
