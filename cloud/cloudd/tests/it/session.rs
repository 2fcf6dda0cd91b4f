//! Signing in and out, guessing, and pages of other sites.

use reqwest::{Method, StatusCode, header};
use serde_json::json;

use crate::support::{ADMIN, ANALYST, Cloud, PASSWORD, answer};

#[tokio::test]
async fn who_signs_in_is_known_until_signing_out() {
    let cloud = Cloud::start().await;
    let response = cloud.try_sign_in(" Ann@Example.org", PASSWORD).await;
    let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
    for part in ["branchline=", "HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let ann = cloud.sign_in(ADMIN).await;
    let (status, me) = ann.get("/api/me").await;
    assert_eq!((status, &me["login"], &me["role"]), (StatusCode::OK, &json!(ADMIN), &json!("administrator")));
    let out = ann.request(Method::DELETE, "/api/session").send().await.unwrap();
    assert_eq!(out.status(), StatusCode::NO_CONTENT);
    let (status, body) = ann.get("/api/me").await;
    assert_eq!(
        (status, &body["error"]["code"], &body["error"]["fault"]),
        (StatusCode::UNAUTHORIZED, &json!("not_signed_in"), &json!("you"))
    );
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_login_are_told_alike() {
    let cloud = Cloud::start().await;
    let wrong = answer(cloud.try_sign_in(ADMIN, "wrong horse battery").await).await;
    let unknown = answer(cloud.try_sign_in("nobody@example.org", "wrong horse battery").await).await;
    assert_eq!(wrong.0, StatusCode::UNAUTHORIZED);
    assert_eq!(wrong, unknown);
}

#[tokio::test]
async fn guessing_is_locked_out_and_only_for_the_login_that_is_guessed() {
    let cloud = Cloud::start().await;
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(cloud.try_sign_in(ADMIN, "wrong horse battery").await.status());
    }
    assert_eq!(statuses[..5], [StatusCode::UNAUTHORIZED; 5]);
    let locked = cloud.try_sign_in(ADMIN, PASSWORD).await;
    assert_eq!((statuses[5], locked.status()), (StatusCode::TOO_MANY_REQUESTS, StatusCode::TOO_MANY_REQUESTS));
    let wait: u64 = locked.headers()[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
    assert!((1..=30).contains(&wait), "{wait}");
    cloud.sign_in(ANALYST).await;
}

#[tokio::test]
async fn a_write_from_another_sites_page_is_refused() {
    let cloud = Cloud::start().await;
    let ann = cloud.sign_in(ADMIN).await;
    let write = |origin: Option<&str>, header: Option<&str>| {
        let mut request = cloud.bare(Method::DELETE, "/api/session").header(header::COOKIE, &ann.cookie);
        if let Some(origin) = origin {
            request = request.header(header::ORIGIN, origin);
        }
        if let Some(value) = header {
            request = request.header("x-branchline", value);
        }
        async { answer(request.send().await.unwrap()).await }
    };
    let own = cloud.origin();
    let suffix = format!("{own}.evil.example");
    for origin in ["null", "http://evil.example", &suffix, "http://127.0.0.1", "https://localhost"] {
        let (status, body) = write(Some(origin), Some("1")).await;
        assert_eq!((status, &body["error"]["code"]), (StatusCode::FORBIDDEN, &json!("foreign_origin")), "{origin}");
    }
    for header in [None, Some("0")] {
        let (status, body) = write(Some(&own), header).await;
        assert_eq!((status, &body["error"]["code"]), (StatusCode::FORBIDDEN, &json!("header_missing")), "{header:?}");
    }
    assert_eq!(ann.get("/api/me").await.0, StatusCode::OK, "nothing was done");
    assert_eq!(write(Some(&own), Some("1")).await.0, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_session_ends_at_its_time() {
    let cloud = Cloud::start().await;
    assert_eq!(cloud.session(ADMIN, 60_000).await.get("/api/me").await.0, StatusCode::OK);
    assert_eq!(cloud.session(ADMIN, -1).await.get("/api/me").await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_new_password_replaces_the_old_one_everywhere() {
    let cloud = Cloud::start().await;
    let ann = cloud.sign_in(ADMIN).await;
    let change = |old: &str, new: &str| {
        let body = json!({ "old": old, "new": new });
        let request = ann.request(Method::PUT, "/api/me/password").json(&body);
        async { request.send().await.unwrap().status() }
    };
    assert_eq!(change(PASSWORD, "short").await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(change("wrong horse battery", "another horse battery").await, StatusCode::FORBIDDEN);
    assert_eq!(change(PASSWORD, "another horse battery").await, StatusCode::NO_CONTENT);
    assert_eq!(ann.get("/api/me").await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(cloud.try_sign_in(ADMIN, PASSWORD).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(cloud.try_sign_in(ADMIN, "another horse battery").await.status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn what_is_not_a_sign_in_is_told_what_is_missing() {
    let cloud = Cloud::start().await;
    let send = |body: &'static str, kind: &'static str| {
        let request = cloud.request(Method::POST, "/api/session").header(header::CONTENT_TYPE, kind).body(body);
        async { answer(request.send().await.unwrap()).await }
    };
    let cases = [
        ("{\"login\":\"x\"}", "application/json", StatusCode::BAD_REQUEST, "missing field `password`"),
        (
            "{\"login\":\"x\",\"password\":\"y\",\"z\":1}",
            "application/json",
            StatusCode::BAD_REQUEST,
            "unknown field `z`",
        ),
        ("{", "application/json; charset=utf-8", StatusCode::BAD_REQUEST, "EOF"),
        ("login=x", "application/x-www-form-urlencoded", StatusCode::UNSUPPORTED_MEDIA_TYPE, "application/json"),
    ];
    for (body, kind, expected, words) in cases {
        let (status, answer) = send(body, kind).await;
        assert_eq!(status, expected, "{body}");
        assert!(answer["error"]["message"].as_str().unwrap().contains(words), "{answer}");
    }
    let huge = format!("{{\"login\":\"{}\"}}", "x".repeat(600 * 1024));
    let request =
        cloud.request(Method::POST, "/api/session").header(header::CONTENT_TYPE, "application/json").body(huge);
    assert_eq!(request.send().await.unwrap().status(), StatusCode::PAYLOAD_TOO_LARGE);
}
