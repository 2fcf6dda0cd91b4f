//! A phone's proof (RFC 7616), with the algorithm that the server names.

use md5::{Digest, Md5};
use sha2::Sha256;

use super::text::Text;

/// The Authorization line that answers a 401; `count` is the nonce's use.
pub fn proof(challenged: Text<'_>, method: &str, uri: &str, user: &str, password: &str, count: u32) -> Option<String> {
    let challenge = challenged.first("WWW-Authenticate")?.strip_prefix("Digest ")?;
    let value = |name: &str| {
        challenge.split(',').find_map(|pair| {
            let (key, value) = pair.split_once('=')?;
            (key.trim() == name).then(|| value.trim().trim_matches('"').to_owned())
        })
    };
    let (realm, nonce) = (value("realm")?, value("nonce")?);
    let algorithm = value("algorithm").unwrap_or_else(|| "MD5".into());
    let hash = |text: String| match algorithm.as_str() {
        "SHA-256" => hex::encode(Sha256::digest(text)),
        _ => hex::encode(Md5::digest(text)),
    };
    let (ha1, ha2) = (hash(format!("{user}:{realm}:{password}")), hash(format!("{method}:{uri}")));
    let response = hash(format!("{ha1}:{nonce}:{count:08x}:0a4f113b:auth:{ha2}"));
    Some(format!(
        "Authorization: Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", response=\"{response}\", \
         algorithm={algorithm}, cnonce=\"0a4f113b\", qop=auth, nc={count:08x}\r\n"
    ))
}
