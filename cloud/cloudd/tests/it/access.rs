//! Every route with every role.

use cloudd::{
    access::{Ask, ROUTES, may},
    hub::store::Store,
};
use db::user::{self, Role, Scope, User};
use model::{
    Millis, NoticeId,
    leaving::{Leaving, Notice, What},
};
use reqwest::{Method, StatusCode};

use crate::support::{self, ADMIN, BOX, Cloud, EPOCH, START, north};

/// One that waits for a second person.
const ROLLOUT: &str = r#"{"plan":{"waves":[["north"]],"soak_ms":0,"patience_ms":1,"wants_calls":false},"by":"ann@example.org",
    "state":{"state":"awaits_second"},"wave":0,"sites":{},"waived":false}"#;

#[tokio::test]
async fn every_route_asks_every_caller_for_what_the_table_says() {
    let cloud = Cloud::start().await;
    let name = NoticeId(7);
    let notice = Notice { notice: name, at: Millis(START), what: What::EmergencyCalled, place: None, trunk: None };
    cloud.shelf().ingest(BOX, &north(), EPOCH, vec![support::row(1, &Leaving::Notice(notice))]).await.unwrap();
    let rollout =
        db::rollout::Fresh { label: "wrap-up".into(), changes: vec![], overrule: false, body: ROLLOUT.into() };
    cloud.write(move |conn| db::rollout::add(conn, &rollout, Millis(START))).await;
    let template = db::template::Template {
        name: "calm".into(),
        label: "Calm".into(),
        changes: vec![],
        author: ADMIN.into(),
        at: Millis(START),
    };
    cloud.write(move |conn| db::template::put(conn, &template)).await;
    cloud.write(|conn| db::token::add(conn, &[9; 32], &support::token("ci", Role::Viewer))).await;
    let mut logins = Vec::new();
    for role in Role::ALL {
        let login: &'static str = Box::leak(format!("{}@example.org", role.name()).into_boxed_str());
        let user = User { login: login.into(), password: String::new(), role, scope: Scope::All };
        assert!(cloud.write(move |conn| user::add(conn, &user, Millis(START))).await);
        logins.push(login);
    }
    for row in ROUTES {
        let path = row
            .path
            .replace("{site}", "north")
            .replace("{box}", &BOX.to_string())
            .replace("{flow}", "main")
            .replace("{rollout}", "1")
            .replace("{token}", "ci");
        let path = path.replace("{notice}", &name.to_string()).replace("{login}", ADMIN).replace("{template}", "calm");
        let nobody = cloud.request(row.method.clone(), &path).send().await.unwrap().status();
        let expected = row.ask != Ask::Open;
        // An open route may refuse with other words: a sign-in without a body.
        assert_eq!(nobody == StatusCode::UNAUTHORIZED, expected, "nobody {} {path}: {nobody}", row.method);
        for (role, login) in Role::ALL.into_iter().zip(&logins) {
            let person = cloud.session(login, 60_000).await;
            let status = person.request(row.method.clone(), &path).send().await.unwrap().status();
            let allowed = match row.ask {
                Ask::Open | Ask::SignedIn => true,
                Ask::Verb(verb) => may(role, verb),
            };
            assert_ne!(status, StatusCode::UNAUTHORIZED, "{login} {} {path}", row.method);
            assert_eq!(status != StatusCode::FORBIDDEN, allowed, "{login} {} {path}: {status}", row.method);
            assert_ne!(status, StatusCode::NOT_FOUND, "{} {path} is in the table and nowhere else", row.method);
            assert!(!status.is_server_error(), "{} {path}: {status}", row.method);
        }
    }
}

#[tokio::test]
async fn what_is_in_no_table_is_not_there() {
    let cloud = Cloud::start().await;
    let ann = cloud.session(ADMIN, 60_000).await;
    for path in ["/api", "/api/everything", "/api/sites/north", "/api/sites/north/secrets"] {
        let (status, body) = ann.get(path).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(body["error"]["code"], "not_found", "{path}");
    }
    let response = ann.request(Method::DELETE, "/api/sites").send().await.unwrap();
    assert!(matches!(response.status(), StatusCode::METHOD_NOT_ALLOWED | StatusCode::FORBIDDEN));
}

#[tokio::test]
async fn a_site_that_is_not_there_is_not_found_whatever_its_name() {
    let cloud = Cloud::start().await;
    let ann = cloud.session(ADMIN, 60_000).await;
    for site in ["south", "NORTH", "..%2f..%2fetc", "north%00", "%27%20OR%201=1"] {
        let (status, body) = ann.get(&format!("/api/sites/{site}/config")).await;
        assert_eq!((status, body["error"]["code"].as_str()), (StatusCode::NOT_FOUND, Some("not_found")), "{site}");
    }
}
