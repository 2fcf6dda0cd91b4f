//! Who may be what, and of which sites.

use db::user::{Role, Scope};
use model::{SiteId, change::Doc};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{ADMIN, ANALYST, BOX, Cloud, EPOCH, interval, north, row};
use cloudd::hub::store::Store;

fn south() -> SiteId {
    SiteId::new("south").unwrap()
}

/// With a second site, about which there are figures too.
async fn two_sites() -> Cloud {
    let cloud = Cloud::start().await;
    let other = model::BoxId(8);
    cloud
        .write(move |conn| {
            db::site::add(conn, &south(), model::Millis(0))?;
            db::boxes::add(conn, other, &south(), model::Millis(0))
        })
        .await;
    for (box_id, site) in [(BOX, north()), (other, south())] {
        cloud.shelf().ingest(box_id, &site, EPOCH, vec![row(1, &interval(0, "sales", 5))]).await.unwrap();
    }
    cloud
}

async fn signed_in<'a>(
    cloud: &'a Cloud,
    login: &'static str,
    role: Role,
    sites: &[SiteId],
) -> crate::support::Person<'a> {
    let scope = Scope::Sites(sites.iter().cloned().collect());
    let user = db::user::User { login: login.into(), password: String::new(), role, scope };
    cloud.write(move |conn| db::user::add(conn, &user, model::Millis(0))).await;
    cloud.session(login, 60_000).await
}

#[tokio::test]
async fn somebody_of_one_site_sees_nothing_of_another() {
    let cloud = two_sites().await;
    let ann = cloud.session(ADMIN, 60_000).await;
    let sam = signed_in(&cloud, "sam@example.org", Role::SiteAdministrator, &[north()]).await;
    let of = |answer: &Value, name: &str| -> Vec<String> {
        let all = answer.as_array().unwrap().iter();
        all.map(|line| line[name].as_str().unwrap().to_owned()).collect()
    };
    for path in ["/api/sites", "/api/boxes"] {
        assert_eq!(of(&ann.get(path).await.1, "site"), ["north", "south"], "{path}");
        assert_eq!(of(&sam.get(path).await.1, "site"), ["north"], "{path}");
    }
    let figures =
        format!("/api/figures?from={0}&to={1}&length_s=900", crate::support::START, crate::support::START + 900_000);
    assert_eq!(of(&ann.get(&figures).await.1["figures"], "site"), ["north", "south"]);
    let seen = sam.get(&figures).await.1;
    assert_eq!(
        (of(&seen["figures"], "site"), seen["completeness"].as_object().unwrap().len()),
        (vec!["north".into()], 1)
    );
    for (method, path) in [
        (Method::GET, "/api/sites/south/config"),
        (Method::GET, "/api/sites/south/history?doc=site"),
        (Method::POST, "/api/sites/south/changes"),
        (Method::POST, "/api/sites/south/enrolment"),
    ] {
        let body = json!({ "doc": Doc::Local, "changes": [] });
        let status = sam.request(method, path).json(&body).send().await.unwrap().status();
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(sam.get("/api/sites/north/config").await.0, StatusCode::OK);
    }
    let me = sam.get("/api/me").await.1;
    assert_eq!((&me["role"], &me["sites"]), (&json!("site_administrator"), &json!(["north"])));
    assert!(me["may"].as_array().unwrap().contains(&json!("change_configuration")));
    assert!(!me["may"].as_array().unwrap().contains(&json!("change_people")));
}

#[tokio::test]
async fn an_administrator_adds_people_changes_them_and_shuts_them_out() {
    let cloud = two_sites().await;
    let ann = cloud.session(ADMIN, 60_000).await;
    let fresh = json!({ "login": "Sam@Example.org", "role": "supervisor", "sites": ["north"] });
    let (status, made) = ann.post("/api/people", &fresh).await;
    assert_eq!((status, &made["login"]), (StatusCode::OK, &json!("sam@example.org")));
    assert_eq!(ann.post("/api/people", &fresh).await.0, StatusCode::UNPROCESSABLE_ENTITY, "the login is taken");
    for taken in ["branch", "Cloudd"] {
        let body = json!({ "login": taken, "role": "viewer", "sites": null });
        assert_eq!(
            ann.post("/api/people", &body).await.0,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{taken} is the history's"
        );
    }
    let password = made["password"].as_str().unwrap();
    assert_eq!(cloud.try_sign_in("sam@example.org", password).await.status(), StatusCode::NO_CONTENT);
    let sam = cloud.session("sam@example.org", 60_000).await;
    assert_eq!(sam.get("/api/audit").await.0, StatusCode::FORBIDDEN);

    let set = async |body: Value| {
        let request = ann.request(Method::PUT, "/api/people/sam@example.org").json(&body);
        request.send().await.unwrap().status()
    };
    let wider = json!({ "role": "compliance", "sites": null, "disabled": false });
    assert_eq!(set(wider).await, StatusCode::NO_CONTENT);
    assert_eq!(sam.get("/api/audit").await.0, StatusCode::OK, "at once, in the session that is open");
    assert_eq!(sam.get("/api/people").await.1.as_array().unwrap().len(), 3);
    assert_eq!(sam.post("/api/people", &fresh).await.0, StatusCode::FORBIDDEN);
    let scoped = json!({ "role": "compliance", "sites": ["north"], "disabled": false });
    assert_eq!(set(scoped).await, StatusCode::UNPROCESSABLE_ENTITY, "compliance is of all sites");
    let king = json!({ "role": "king", "sites": null, "disabled": false });
    assert_eq!(set(king).await, StatusCode::UNPROCESSABLE_ENTITY);

    let (_, again) = ann.post("/api/people/sam@example.org/password", &json!({})).await;
    assert_eq!(sam.get("/api/me").await.0, StatusCode::UNAUTHORIZED, "a new password ends the sessions of the old one");
    assert_eq!(cloud.try_sign_in("sam@example.org", password).await.status(), StatusCode::UNAUTHORIZED);
    let password = again["password"].as_str().unwrap();
    assert_eq!(cloud.try_sign_in("sam@example.org", password).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(set(json!({ "role": "viewer", "sites": null, "disabled": true })).await, StatusCode::NO_CONTENT);
    assert_eq!(cloud.try_sign_in("sam@example.org", password).await.status(), StatusCode::UNAUTHORIZED);
    let verbs: Vec<Value> =
        ann.get("/api/audit").await.1["entries"].as_array().unwrap().iter().map(|line| line["what"].clone()).collect();
    for verb in ["user.add", "user.set", "user.password"] {
        assert!(verbs.contains(&json!(verb)), "{verb}");
    }
}

#[tokio::test]
async fn there_is_always_somebody_who_administers() {
    let cloud = Cloud::start().await;
    let ann = cloud.session(ADMIN, 60_000).await;
    let put = async |login: &str, role: &str, disabled: bool| {
        let body = json!({ "role": role, "sites": null, "disabled": disabled });
        ann.request(Method::PUT, &format!("/api/people/{login}")).json(&body).send().await.unwrap().status()
    };
    assert_eq!(put(ADMIN, "viewer", false).await, StatusCode::UNPROCESSABLE_ENTITY, "nobody degrades themselves");
    assert_eq!(put("nobody@example.org", "viewer", false).await, StatusCode::NOT_FOUND);
    assert_eq!(put(ANALYST, "administrator", false).await, StatusCode::NO_CONTENT);
    let standing = db::user::Standing { role: Role::Viewer, scope: Scope::All, disabled: false };
    let set = |login: &'static str| {
        let standing = standing.clone();
        cloud.write(move |conn| db::user::set(conn, login, &standing, model::Millis(0)))
    };
    assert_eq!(set(ANALYST).await, db::user::Set::Done);
    assert_eq!(set(ADMIN).await, db::user::Set::LastAdministrator);
}
