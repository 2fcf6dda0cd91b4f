//! Programs that come with a token.

use db::user::{Role, Scope};
use model::{Millis, SiteId};
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::{
    configuration::with_sales,
    support::{ADMIN, ANALYST, Cloud, START, answer, token},
};

async fn ask(cloud: &Cloud, token: &str, method: Method, path: &str, body: Option<&Value>) -> (StatusCode, Value) {
    let request = cloud.bare(method, path).header(header::AUTHORIZATION, format!("Bearer {token}"));
    let request = if let Some(body) = body { request.json(body) } else { request };
    answer(request.send().await.unwrap()).await
}

#[tokio::test]
async fn a_token_is_shown_once_kept_as_a_hash_and_does_what_its_role_may() {
    let cloud = with_sales().await;
    let ann = cloud.session(ADMIN, 60_000).await;
    let fresh = json!({ "name": "ci", "role": "site_administrator", "sites": ["north"], "days": 30 });
    let (status, made) = ann.post("/api/tokens", &fresh).await;
    assert_eq!(status, StatusCode::OK, "{made}");
    let secret = made["token"].as_str().unwrap();
    assert!(secret.starts_with("bl_") && secret.len() > 40);
    let listed = ann.get("/api/tokens").await.1;
    assert!(!listed.to_string().contains(&secret[3..]), "it is told once");
    assert_eq!((&listed[0]["created_by"], &listed[0]["used"]), (&json!(ADMIN), &Value::Null));
    let change = json!({ "doc": "local", "changes": [{ "set": "queue_wrap_up", "queue": "sales", "seconds": 45 }] });
    let (status, told) = ask(&cloud, secret, Method::POST, "/api/sites/north/changes", Some(&change)).await;
    assert_eq!(status, StatusCode::OK, "{told}");
    assert_eq!(ask(&cloud, secret, Method::GET, "/api/me", None).await.1["login"], json!("token ci"));
    assert_eq!(ann.get("/api/sites/north/history").await.1["entries"][0]["author"], json!("token ci"));
    assert!(ann.get("/api/tokens").await.1[0]["used"].is_i64());
    for (method, path) in [(Method::GET, "/api/audit"), (Method::GET, "/api/people"), (Method::GET, "/api/events")] {
        assert_eq!(ask(&cloud, secret, method, path, None).await.0, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(ask(&cloud, secret, Method::GET, "/api/sites/south/config", None).await.0, StatusCode::NOT_FOUND);
    // A page of somebody else cannot use it either.
    let request = cloud.bare(Method::POST, "/api/sites/north/changes").header(header::ORIGIN, "https://evil.example");
    let request = request.header(header::AUTHORIZATION, format!("Bearer {secret}")).json(&change);
    assert_eq!(request.send().await.unwrap().status(), StatusCode::FORBIDDEN);

    assert_eq!(ann.post("/api/tokens/ci/revocation", &json!({})).await.0, StatusCode::NO_CONTENT);
    assert_eq!(ask(&cloud, secret, Method::GET, "/api/me", None).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(ann.post("/api/tokens/ci/revocation", &json!({})).await.0, StatusCode::NOT_FOUND);
    assert_eq!(ann.post("/api/tokens", &fresh).await.0, StatusCode::UNPROCESSABLE_ENTITY, "names are not given again");
    let entries = ann.get("/api/audit").await.1["entries"].clone();
    let verbs: Vec<&Value> = entries.as_array().unwrap().iter().map(|line| &line["what"]).collect();
    assert_eq!(verbs[..3], [&json!("token.revoke"), &json!("config.change"), &json!("token.add")]);
}

#[tokio::test]
async fn no_token_makes_people_or_tokens_and_none_is_made_by_who_may_not() {
    let cloud = Cloud::start().await;
    let (ann, ben) = (cloud.session(ADMIN, 60_000).await, cloud.session(ANALYST, 60_000).await);
    let all = json!({ "name": "all", "role": "administrator", "sites": null, "days": null });
    assert_eq!(ben.post("/api/tokens", &all).await.0, StatusCode::FORBIDDEN);
    let secret = ann.post("/api/tokens", &all).await.1["token"].as_str().unwrap().to_owned();
    let more = json!({ "name": "more", "role": "viewer", "sites": null, "days": null });
    assert_eq!(ask(&cloud, &secret, Method::POST, "/api/tokens", Some(&more)).await.0, StatusCode::FORBIDDEN);
    let person = json!({ "login": "x@example.org", "role": "viewer", "sites": null });
    assert_eq!(ask(&cloud, &secret, Method::POST, "/api/people", Some(&person)).await.0, StatusCode::FORBIDDEN);
    assert_eq!(ask(&cloud, &secret, Method::DELETE, "/api/session", None).await.0, StatusCode::FORBIDDEN);
    assert_eq!(ask(&cloud, &secret, Method::GET, "/api/audit", None).await.0, StatusCode::OK);
    for bad in [
        json!({ "name": "", "role": "viewer", "sites": null, "days": null }),
        json!({ "name": "Big Name", "role": "viewer", "sites": null, "days": null }),
        json!({ "name": "a", "role": "king", "sites": null, "days": null }),
        json!({ "name": "a", "role": "compliance", "sites": ["north"], "days": null }),
        json!({ "name": "a", "role": "viewer", "sites": null, "days": 0 }),
    ] {
        assert_eq!(ann.post("/api/tokens", &bad).await.0, StatusCode::UNPROCESSABLE_ENTITY, "{bad}");
    }
    for bad in ["", "bl_", "x", &secret[1..]] {
        assert_eq!(ask(&cloud, bad, Method::GET, "/api/me", None).await.0, StatusCode::UNAUTHORIZED, "{bad}");
    }
}

#[tokio::test]
async fn a_token_ends_by_itself() {
    let cloud = Cloud::start().await;
    let hash = cloudd::secret::sha256("bl_old");
    cloud
        .write(move |conn| {
            let scope = Scope::Sites([SiteId::new("north").unwrap()].into());
            let over = db::token::Token { expires: Some(Millis(START + 1)), scope, ..token("old", Role::Viewer) };
            db::token::add(conn, &hash, &over)
        })
        .await;
    assert_eq!(ask(&cloud, "bl_old", Method::GET, "/api/me", None).await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_wanted_configuration_is_planned_and_applied_unless_it_moved() {
    let cloud = with_sales().await;
    let (ann, ben) = (cloud.session(ADMIN, 60_000).await, cloud.session(ANALYST, 60_000).await);
    let (plan, apply) = ("/api/sites/north/plan", "/api/sites/north/apply");
    let mut wanted = ben.get("/api/sites/north/config").await.1["config"].clone();
    let none = ben.post(plan, &json!({ "config": wanted })).await.1;
    assert_eq!((&none["differences"], &none["stays"]), (&json!([]), &json!([])));
    wanted["queues"]["sales"]["wrap_up_s"] = json!(55);
    wanted["agents"]["a1"]["phone"] = Value::Null;
    let (status, told) = ben.post(plan, &json!({ "config": wanted })).await;
    assert_eq!(status, StatusCode::OK, "{told}");
    let expected = json!([
        { "path": "agents/a1/phone", "before": "201", "after": null },
        { "path": "queues/sales/wrap_up_s", "before": 20, "after": 55 },
    ]);
    assert_eq!(told["differences"], expected);
    let base = told["base"].clone();
    assert_eq!(ben.post(apply, &json!({ "base": base, "config": wanted })).await.0, StatusCode::FORBIDDEN);
    // Somebody was faster.
    let change = json!({ "doc": "local", "changes": [{ "set": "queue_ring", "queue": "sales", "seconds": 33 }] });
    ann.post("/api/sites/north/changes", &change).await;
    let (status, answer) = ann.post(apply, &json!({ "base": base, "config": wanted })).await;
    assert_eq!((status, &answer["error"]["code"]), (StatusCode::CONFLICT, &json!("moved")));
    let told = ann.post(plan, &json!({ "config": wanted })).await.1;
    assert_eq!(told["differences"].as_array().unwrap().len(), 3, "the other's edit would be taken back");
    let (status, answer) = ann.post(apply, &json!({ "base": told["base"], "config": wanted })).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(ann.get("/api/sites/north/config").await.1["config"], wanted);
    assert_eq!(ann.get("/api/audit").await.1["entries"][0]["what"], json!("config.apply"));
    wanted["queues"]["sales"]["ring_s"] = json!(4000);
    let (status, answer) = ann.post(plan, &json!({ "config": wanted })).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer["error"]["message"].as_str().unwrap().contains("queues/sales/ring_s is 4000"), "{answer}");
}
