//! The console's own files.

use reqwest::{Method, StatusCode, header};

use crate::support::Cloud;

#[tokio::test]
async fn every_place_of_the_console_gets_its_first_page_under_a_strict_policy() {
    let cloud = Cloud::start().await;
    for path in ["/", "/sites/north"] {
        let response = cloud.bare(Method::GET, path).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        let headers = response.headers();
        assert_eq!(headers[header::CONTENT_TYPE], "text/html; charset=utf-8");
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self';"), "{policy}");
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert!(response.text().await.unwrap().contains("<!doctype html>"), "{path}");
    }
}

#[tokio::test]
async fn a_file_is_sent_small_and_only_once() {
    let cloud = Cloud::start().await;
    let page = cloud.bare(Method::GET, "/").send().await.unwrap().text().await.unwrap();
    let script = page.split('"').find(|part| part.starts_with("/assets/") && part.ends_with(".js")).unwrap();
    let get = || cloud.bare(Method::GET, script);
    let response = get().header(header::ACCEPT_ENCODING, "br, gzip").send().await.unwrap();
    assert_eq!(response.headers()[header::CONTENT_ENCODING], "gzip");
    assert!(response.headers()[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
    let etag = response.headers()[header::ETAG].clone();
    let plain = get().send().await.unwrap();
    assert!(plain.headers().get(header::CONTENT_ENCODING).is_none());
    let again = get().header(header::IF_NONE_MATCH, etag).send().await.unwrap();
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn a_file_that_is_not_there_is_not_found_and_answers_carry_the_policy_too() {
    let cloud = Cloud::start().await;
    for path in ["/assets/none.js", "/../Cargo.toml", "/favicon.exe"] {
        let response = cloud.bare(Method::GET, path).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        assert!(response.headers().contains_key(header::CONTENT_SECURITY_POLICY));
    }
    let written = cloud.request(Method::POST, "/sites/north").send().await.unwrap();
    assert_eq!(written.status(), StatusCode::METHOD_NOT_ALLOWED);
}
