//! In through a real identity provider, with a real browser; and the ways in which nobody comes in.

use std::{net::SocketAddr, path::Path, process::Stdio};

use db::{
    asked::{self, Asked},
    user::{self, Role, Scope, Vouched},
};
use model::Millis;
use reqwest::{Client, Method, StatusCode, header, redirect::Policy};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    sync::OnceCell,
};

use crate::support::{ADMIN, Cloud};

fn pages() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .find(|dir| dir.join("sync/pages").is_dir())
        .unwrap()
        .join("sync/pages")
}

/// The provider of `scripts/oidc.mjs`; ends with this value.
struct Provider {
    issuer: String,
    _child: Child,
}

async fn provider(console: SocketAddr) -> Provider {
    let mut child = Command::new("node")
        .args(["scripts/oidc.mjs", "--redirect", &format!("http://{console}/api/single-sign-on/done")])
        .current_dir(pages())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("node can be started");
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    loop {
        let line = lines.next_line().await.unwrap().expect("the provider begins");
        if let Some(issuer) = line.strip_prefix("issuer ") {
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Provider { issuer: issuer.to_owned(), _child: child };
        }
    }
}

fn settings(issuer: &str, secret: &Path) -> String {
    format!(
        "[single_sign_on]\nlabel = \"Example ID\"\nissuer = \"{issuer}\"\nclient_id = \"branchline\"\n\
         client_secret_file = \"{}\"\n\
         [[single_sign_on.groups]]\ngroup = \"telephony\"\nrole = \"administrator\"\n\
         [[single_sign_on.groups]]\ngroup = \"north-desk\"\nrole = \"supervisor\"\nsites = [\"north\"]\n",
        secret.display()
    )
}

async fn with_provider() -> (Cloud, Provider, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let secret = dir.path().join("secret");
    std::fs::write(&secret, "a-secret-of-this-test\n").unwrap();
    let begun = OnceCell::new();
    let cloud = Cloud::start_with(async |address| {
        let begun = begun.get_or_init(|| provider(address)).await;
        settings(&begun.issuer, &secret)
    })
    .await;
    (cloud, begun.into_inner().unwrap(), dir)
}

/// What the browser says at the end of its way.
async fn enter(cloud: &Cloud, name: &str) -> String {
    let shots = tempfile::tempdir().unwrap();
    let done = Command::new("node")
        .args(["scripts/single-sign-on.mjs", "--url", &cloud.origin(), "--name", name, "--out"])
        .arg(shots.path())
        .current_dir(pages())
        .stdin(Stdio::null())
        .output()
        .await
        .expect("node can be started");
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{name}: {said}");
    said.lines().find_map(|line| line.strip_prefix("end ")).expect("an end").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_persons_groups_decide_what_they_may_and_who_has_none_stays_outside() {
    let (cloud, _provider, _dir) = with_provider().await;
    let sue: Value = serde_json::from_str(&enter(&cloud, "sue").await).unwrap();
    assert_eq!(
        (&sue["login"], &sue["role"], &sue["sites"]),
        (&json!("sue@example.org"), &json!("administrator"), &Value::Null)
    );
    let tom: Value = serde_json::from_str(&enter(&cloud, "tom").await).unwrap();
    assert_eq!(
        (&tom["login"], &tom["role"], &tom["sites"]),
        (&json!("tom@example.org"), &json!("supervisor"), &json!(["north"]))
    );
    let eve = enter(&cloud, "eve").await;
    assert!(eve.contains("None of your groups"), "{eve}");

    let ann = cloud.session(ADMIN, 60_000).await;
    let people = ann.get("/api/people").await.1;
    let vouched: Vec<&Value> = people.as_array().unwrap().iter().filter(|one| !one["issuer"].is_null()).collect();
    assert_eq!(vouched.len(), 2, "{people}");
    assert_eq!(
        cloud.try_sign_in("sue@example.org", "").await.status(),
        StatusCode::UNAUTHORIZED,
        "they have no password"
    );
    // Shut out here, whatever the provider says.
    let body = json!({ "role": "administrator", "sites": null, "disabled": true });
    let status = ann.request(Method::PUT, "/api/people/sue@example.org").json(&body).send().await.unwrap().status();
    assert_eq!(status, StatusCode::NO_CONTENT);
    let sue = enter(&cloud, "sue").await;
    assert!(sue.contains("closed your account"), "{sue}");
}

#[tokio::test]
async fn a_browser_that_was_not_sent_is_not_taken_back() {
    let (cloud, _provider, _dir) = with_provider().await;
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let begun = client.get(format!("{}/api/single-sign-on/begin", cloud.origin())).send().await.unwrap();
    assert_eq!(begun.status(), StatusCode::SEE_OTHER);
    let location = begun.headers()[header::LOCATION].to_str().unwrap().to_owned();
    for part in ["code_challenge_method=S256", "response_type=code", "scope=openid%20email%20groups", "nonce="] {
        assert!(location.contains(part), "{location}");
    }
    let cookie = begun.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    let kept = cookie.split(';').next().unwrap().to_owned();
    let state = kept.split_once('=').unwrap().1.to_owned();
    let back = async |cookie: &str, state: &str| {
        let url = format!("{}/api/single-sign-on/done?code=x&state={state}", cloud.origin());
        let answer = client.get(url).header(header::COOKIE, cookie).send().await.unwrap();
        assert!(
            !answer
                .headers()
                .get_all(header::SET_COOKIE)
                .iter()
                .any(|set| set.to_str().unwrap().starts_with("branchline="))
        );
        answer.headers()[header::LOCATION].to_str().unwrap().to_owned()
    };
    assert_eq!(back("", &state).await, "/?sign_in=late", "another browser");
    assert_eq!(back("branchline-asked=other", "other").await, "/?sign_in=late", "nobody was sent with this");
    assert_eq!(back(&kept, &state).await, "/?sign_in=provider", "the code is none");
    assert_eq!(back(&kept, &state).await, "/?sign_in=late", "once only");
}

#[tokio::test]
async fn without_a_provider_there_is_no_such_way_and_a_dead_one_says_so() {
    let cloud = Cloud::start().await;
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let offered = async |cloud: &Cloud| -> Value {
        let answer = client.get(format!("{}/api/single-sign-on", cloud.origin())).send().await.unwrap();
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    };
    let begin = async |cloud: &Cloud| {
        let answer = client.get(format!("{}/api/single-sign-on/begin", cloud.origin())).send().await.unwrap();
        answer.headers()[header::LOCATION].to_str().unwrap().to_owned()
    };
    assert_eq!(offered(&cloud).await, json!({ "label": null }));
    assert_eq!(begin(&cloud).await, "/?sign_in=off");
    let dir = tempfile::tempdir().unwrap();
    let secret = dir.path().join("secret");
    std::fs::write(&secret, "x").unwrap();
    let dead = Cloud::start_with(async |_| settings("http://127.0.0.1:9", &secret)).await;
    assert_eq!(offered(&dead).await, json!({ "label": "Example ID" }));
    assert_eq!(begin(&dead).await, "/?sign_in=provider");
}

#[tokio::test]
async fn who_is_vouched_for_takes_no_login_that_somebody_has() {
    let cloud = Cloud::start().await;
    let vouched = |subject: &str, login: &str| Vouched {
        issuer: "https://id.example".into(),
        subject: subject.into(),
        login: login.into(),
        role: Role::Viewer,
        scope: Scope::All,
    };
    let meet = |who: Vouched| cloud.write(move |conn| user::meet(conn, &who, Millis(0)));
    assert_eq!(meet(vouched("1", ADMIN)).await, user::Met::Taken);
    assert_eq!(meet(vouched("1", "sue@example.org")).await, user::Met::Known("sue@example.org".into()));
    assert_eq!(meet(vouched("2", "sue@example.org")).await, user::Met::Taken);
    // The provider's own name for a person counts, not their address of today.
    assert_eq!(meet(vouched("1", "susan@example.org")).await, user::Met::Known("sue@example.org".into()));
}

#[tokio::test]
async fn what_is_asked_is_answered_once_in_time_and_a_flood_fills_nothing() {
    let cloud = Cloud::start().await;
    let one = Asked { nonce: "n".into(), verifier: "v".into() };
    let keep = |state: u8, at: i64| {
        let one = one.clone();
        cloud.write(move |conn| asked::keep(conn, &[state; 32], &one, Millis(at), Millis(at + 100)))
    };
    let take = |state: u8, at: i64| cloud.write(move |conn| asked::take(conn, &[state; 32], Millis(at)));
    keep(1, 0).await;
    keep(2, 0).await;
    assert_eq!(take(1, 99).await, Some(one.clone()));
    assert_eq!(take(1, 99).await, None);
    assert_eq!(take(2, 100).await, None);
    keep(3, 200).await;
    let flood = one.clone();
    cloud
        .write(move |conn| {
            (0..asked::ASKED_MAX).try_for_each(|n| {
                let mut state = [9; 32];
                state[..8].copy_from_slice(&n.to_be_bytes());
                asked::keep(conn, &state, &flood, Millis(201), Millis(301))
            })
        })
        .await;
    assert_eq!(take(3, 201).await, None, "the oldest gave way");
}
