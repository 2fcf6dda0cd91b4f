//! The little of HTTP/1.0 (RFC 1945) that a question needs: one request, one response that ends with the connection.

use std::collections::BTreeMap;

use ::flow::url::Url;
use model::{
    fact::LookUpFailed,
    flow::{TEXT_MAX, Value},
};

/// Fields of an object that are looked at.
const FIELDS_MAX: usize = 256;

pub fn request(url: &Url, body: &[u8]) -> Vec<u8> {
    let host = if url.host.contains(':') { format!("[{}]", url.host) } else { url.host.clone() };
    let head = format!(
        "POST {} HTTP/1.0\r\nHost: {host}:{}\r\nUser-Agent: branchline\r\nAccept: application/json\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        url.path,
        url.port,
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// The object in a response: its flags, whole numbers and texts; what is of another type, or too long, is passed over.
pub fn object(response: &[u8]) -> Result<BTreeMap<String, Value>, LookUpFailed> {
    let end = response.windows(4).position(|four| four == b"\r\n\r\n").ok_or(LookUpFailed::Unusable)?;
    let (head, body) = response.split_at_checked(end).ok_or(LookUpFailed::Unusable)?;
    let head = std::str::from_utf8(head).map_err(|_| LookUpFailed::Unusable)?;
    let mut lines = head.split("\r\n");
    let mut status = lines.next().unwrap_or_default().split(' ');
    if !status.next().is_some_and(|version| version.starts_with("HTTP/1.")) {
        return Err(LookUpFailed::Unusable);
    }
    if status.next() != Some("200") {
        return Err(LookUpFailed::Refused);
    }
    // Nobody may send pieces to who speaks HTTP/1.0 (RFC 9112 §6.1).
    let mut names = lines.filter_map(|line| line.split_once(':')).map(|(name, _)| name);
    if names.any(|name| name.eq_ignore_ascii_case("transfer-encoding")) {
        return Err(LookUpFailed::Unusable);
    }
    let body = body.get(4..).unwrap_or_default();
    let object: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(body).map_err(|_| LookUpFailed::Unusable)?;
    let value = |value: serde_json::Value| match value {
        serde_json::Value::Bool(flag) => Some(Value::Flag(flag)),
        serde_json::Value::Number(number) => number.as_i64().map(Value::Number),
        serde_json::Value::String(text) if text.chars().count() <= TEXT_MAX => Some(Value::Text(text)),
        _ => None,
    };
    let fields = object.into_iter().take(FIELDS_MAX);
    Ok(fields.filter_map(|(name, said)| Some((name, value(said)?))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_an_object_in_a_good_response_is_refused() {
        let table: [(&[u8], LookUpFailed); 8] = [
            (b"", LookUpFailed::Unusable),
            (b"HTTP/1.1 200 OK\r\n", LookUpFailed::Unusable),
            (b"HTTP/1.1 200 OK\r\n\r\n[]", LookUpFailed::Unusable),
            (b"HTTP/1.1 200 OK\r\n\r\n{\"a\":", LookUpFailed::Unusable),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", LookUpFailed::Unusable),
            (b"HTTP/1.1 404 Not Found\r\n\r\n{}", LookUpFailed::Refused),
            (b"HTTP/2 200\r\n\r\n{}", LookUpFailed::Unusable),
            (b"HTTP/1.1 200 \xff\r\n\r\n{}", LookUpFailed::Unusable),
        ];
        for (response, expected) in table {
            assert_eq!(object(response), Err(expected), "{}", String::from_utf8_lossy(response));
        }
        let longest = "x".repeat(TEXT_MAX);
        let response = format!("HTTP/1.1 200 OK\r\n\r\n{{\"a\":\"{longest}\",\"b\":\"{longest}x\"}}");
        assert_eq!(object(response.as_bytes()), Ok([("a".to_owned(), Value::Text(longest))].into()));
    }
}
