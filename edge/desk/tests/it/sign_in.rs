//! Who gets in, and from where.

use std::sync::atomic::Ordering;

use reqwest::Method;

use crate::rig::{Rig, agent};

#[tokio::test]
async fn a_sign_in_opens_a_session_that_a_sign_out_ends() {
    let rig = Rig::start().await;
    let response = rig.try_sign_in("li", "li-secret").await;
    let cookie = response.headers()["set-cookie"].to_str().unwrap().to_owned();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let token = cookie.split([';', '=']).nth(1).unwrap();
    assert_eq!(token.len(), 64, "256 bits in hex");
    let cookie = cookie.split(';').next().unwrap();
    let me: serde_json::Value = response.json().await.unwrap();
    assert_eq!((&me["agent"], &me["badge"], &me["role"]), (&"li".into(), &"Li".into(), &"agent".into()));
    assert_eq!(me["site"]["label"], "North");

    assert_eq!(rig.get("/api/me").header("cookie", cookie).send().await.unwrap().status(), 200);
    let out = rig.write(Method::DELETE, "/api/session").header("cookie", cookie).send().await.unwrap();
    assert_eq!(out.status(), 204);
    assert_eq!(rig.get("/api/me").header("cookie", cookie).send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn wrong_names_passwords_and_bodies_are_refused_alike_and_change_nothing() {
    let rig = Rig::start().await;
    for (who, password) in [("li", "wrong"), ("nobody", "x"), ("NOT AN ID", "x"), ("", "")] {
        let response = rig.try_sign_in(who, password).await;
        assert_eq!(response.status(), 401, "{who}");
        assert!(response.headers().get("set-cookie").is_none());
        let told: serde_json::Value = response.json().await.unwrap();
        assert_eq!(told["error"]["code"], "bad_credentials");
        assert_eq!(told["error"]["fault"], "request");
    }
    for body in ["", "{", "[]", r#"{"agent":"li"}"#, r#"{"agent":"li","password":"x","role":"supervisor"}"#] {
        let request = rig.write(Method::POST, "/api/session").header("content-type", "application/json");
        assert_eq!(request.body(body).send().await.unwrap().status(), 400, "{body}");
    }
    let huge = format!(r#"{{"agent":"li","password":"{}"}}"#, "x".repeat(100_000));
    let request = rig.write(Method::POST, "/api/session").header("content-type", "application/json");
    assert_eq!(request.body(huge).send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn guessing_is_stopped_before_the_password_is_even_looked_at() {
    let rig = Rig::start().await;
    let mut last = 0;
    for _ in 0..10 {
        let response = rig.try_sign_in("wang", "guess").await;
        last = response.status().as_u16();
        if last == 429 {
            let seconds: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
            assert!(seconds >= 1);
        }
    }
    assert_eq!(last, 429);
    assert_eq!(rig.staff.asked.load(Ordering::SeqCst), 5);
    assert_eq!(rig.try_sign_in("wang", "wang-secret").await.status(), 429, "even with the right one");
    rig.sign_in("li").await;
}

#[tokio::test]
async fn a_write_without_the_mark_or_from_a_foreign_page_is_refused() {
    let rig = Rig::start().await;
    let cookie = rig.sign_in("zhao").await;
    let writes = [
        (Method::POST, "/api/session"),
        (Method::DELETE, "/api/session"),
        (Method::POST, "/api/changes"),
        (Method::PUT, "/api/config"),
    ];
    for (method, path) in writes {
        let unmarked = rig.unmarked(method.clone(), path).header("cookie", &cookie).header("origin", &rig.origin);
        let response = unmarked.body("{}").send().await.unwrap();
        assert_eq!(response.status(), 403, "{method} {path}");
        let told: serde_json::Value = response.json().await.unwrap();
        assert_eq!(told["error"]["code"], "unmarked_write");
        for origin in foreign(&rig) {
            let marked = rig.unmarked(method.clone(), path).header("x-branchline", "1").header("cookie", &cookie);
            let response = marked.header("origin", &origin).body("{}").send().await.unwrap();
            assert_eq!(response.status(), 403, "{method} {path} from {origin}");
        }
    }
    assert_eq!(rig.get("/api/me").header("cookie", &cookie).send().await.unwrap().status(), 200, "still signed in");
}

#[tokio::test]
async fn the_live_connection_opens_for_the_own_pages_alone() {
    let rig = Rig::start().await;
    let cookie = rig.sign_in("li").await;
    for origin in foreign(&rig) {
        assert_eq!(rig.try_live(&cookie, Some(&origin)).await.err(), Some(403), "{origin}");
    }
    assert_eq!(rig.try_live(&cookie, None).await.err(), Some(403), "no origin at all");
    assert_eq!(rig.try_live("branchline_desk=guess", Some(&rig.origin)).await.err(), Some(401));
    assert!(rig.try_live(&cookie, Some(&rig.origin)).await.is_ok());
}

#[tokio::test]
async fn ending_a_persons_sessions_closes_their_live_connection() {
    let rig = Rig::start().await;
    let cookie = rig.sign_in("li").await;
    let mut live = rig.live(&cookie).await;
    live.hear("me").await;
    rig.desk.end_sessions_of(&agent("li"));
    assert_eq!(live.closed().await, 4001);
    assert_eq!(rig.try_live(&cookie, Some(&rig.origin)).await.err(), Some(401));
}

#[tokio::test]
async fn pages_come_with_the_strict_policy_and_answers_are_kept_by_no_cache() {
    let rig = Rig::start().await;
    let page = rig.get("/").send().await.unwrap();
    assert_eq!(page.status(), 200);
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("script-src 'self';") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!(page.headers()["x-content-type-options"], "nosniff");
    let tag = page.headers()["etag"].clone();
    assert!(page.text().await.unwrap().contains("<div id=\"root\">"));
    assert_eq!(rig.get("/").header("if-none-match", tag).send().await.unwrap().status(), 304);

    let answer = rig.get("/api/me").send().await.unwrap();
    assert_eq!((answer.status().as_u16(), &answer.headers()["cache-control"]), (401, &"no-store".parse().unwrap()));
    assert_eq!(rig.get("/assets/none.js").send().await.unwrap().status(), 404);
    assert_eq!(rig.get("/api/none").send().await.unwrap().status(), 404);
}

/// S-110: nobody, a sub-domain, suffix and prefix tricks, other scheme and port.
fn foreign(rig: &Rig) -> Vec<String> {
    let port = rig.origin.rsplit(':').next().unwrap();
    [
        "null".into(),
        "http://evil.example".into(),
        "https://evil.example".into(),
        format!("https://127.0.0.1:{port}"),
        "http://127.0.0.1".into(),
        "http://127.0.0.1:1".into(),
        format!("http://localhost:{port}"),
        format!("http://evil.127.0.0.1:{port}"),
        format!("{}.evil.example", rig.origin),
        format!("{}0", rig.origin),
        format!("{}/", rig.origin),
        format!("{}@evil.example", rig.origin),
        format!("http://evil.example#{}", rig.origin),
        format!("http://evil.example?{}", rig.origin),
        rig.origin.to_uppercase(),
        format!(" {} http://evil.example", rig.origin),
        "file://".into(),
        "chrome-extension://abcdef".into(),
        "http://[::1]".into(),
        "javascript:0".into(),
    ]
    .into()
}
