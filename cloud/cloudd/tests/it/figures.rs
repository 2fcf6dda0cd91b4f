//! Figures with their completeness.

use cloudd::hub::store::Store;
use db::user::{Role, Scope, User};
use model::{Millis, SiteId};
use reqwest::StatusCode;
use serde_json::json;

use crate::support::{ANALYST, BOX, Cloud, EPOCH, START, closed, interval, north, row};

fn window(quarters: i64) -> String {
    format!("from={START}&to={}", START + quarters * 900_000)
}

#[tokio::test]
async fn figures_are_summed_and_say_how_complete_they_are() {
    let cloud = Cloud::start().await;
    let ben = cloud.session(ANALYST, 60_000).await;
    let rows = vec![row(1, &interval(0, "sales", 3)), row(2, &interval(1, "sales", 4)), row(3, &closed(0, 2))];
    cloud.shelf().ingest(BOX, &north(), EPOCH, rows).await.unwrap();
    let path = format!("/api/figures?{}&length_s=3600", window(4));
    let (status, body) = ben.get(&path).await;
    assert_eq!(status, StatusCode::OK);
    let cell = &body["figures"][0];
    assert_eq!((&cell["site"], &cell["queue"], &cell["length_s"]), (&json!("north"), &json!("sales"), &json!(3600)));
    assert_eq!((&cell["figures"]["offered"], &cell["start"]), (&json!(7), &json!(START)));
    assert_eq!(body["completeness"], json!({ "north": 0.5 }));
    let tile = &ben.get("/api/sites").await.1[0];
    let part = tile["completeness"].as_f64().unwrap();
    assert!(part > 0.0 && part < 0.5, "since its box was enrolled: {part}");
    // Nobody called; that has arrived as well.
    cloud.shelf().ingest(BOX, &north(), EPOCH, vec![row(4, &closed(2, 4))]).await.unwrap();
    assert_eq!(ben.get(&path).await.1["completeness"], json!({ "north": 1.0 }));
}

#[tokio::test]
async fn of_a_time_before_its_box_nothing_is_expected_of_a_site() {
    let cloud = Cloud::start().await;
    let ben = cloud.session(ANALYST, 60_000).await;
    let path = format!("/api/figures?from={}&to={}&length_s=900", START - 900_000, START);
    assert_eq!(ben.get(&path).await.1, json!({ "figures": [], "completeness": { "north": null } }));
}

#[tokio::test]
async fn a_trend_says_of_each_stretch_of_time_what_is_here_and_of_each_site_how_old_it_is() {
    let cloud = Cloud::start().await;
    let ben = cloud.session(ANALYST, 60_000).await;
    let rows = vec![row(1, &interval(0, "sales", 9)), row(2, &closed(0, 1)), row(3, &closed(1, 2))];
    cloud.shelf().ingest(BOX, &north(), EPOCH, rows).await.unwrap();
    let (status, body) = ben.get(&format!("/api/trends?{}&length_s=900&sites=north&queues=sales", window(3))).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let bin = |n: usize| {
        let bin = &body["queues"][0]["bins"][n];
        ["offered", "expected", "arrived", "small", "isolated"].map(|key| bin[key].as_i64().unwrap())
    };
    assert_eq!([bin(0), bin(1), bin(2)], [[9, 1, 1, 0, 1], [0, 1, 1, 1, 1], [0, 1, 0, 0, 0]]);
    assert_eq!(body["bins"][0]["offered"], 9);
    let site = &body["sites"][0];
    assert_eq!((&site["linked"], &site["known_until"]), (&json!(false), &json!(START + 1_800_000)));
    assert_eq!((&site["queues"], &site["known"]), (&json!(["sales"]), &json!(true)));
    assert!(site["lateness_ms_max"].as_i64().unwrap() > 86_400_000 && site["data_age_s"].as_i64().unwrap() < 60);
    let (_, apart) = ben.get(&format!("/api/trends?{}&length_s=900&apart=sites", window(3))).await;
    assert_eq!((&apart["branches"][0]["site"], &apart["queues"]), (&json!("north"), &json!([])));
    assert_eq!(apart["branches"][0]["bins"], apart["bins"]);
    let (_, told) = ben.get("/api/corrections?since=0").await;
    let one = &told["corrections"][0];
    assert_eq!((&one["site"], &one["kind"], &one["intervals"]), (&json!("north"), &json!("late"), &json!(2)));
    assert_eq!((&one["difference"]["offered"], &told["more"]), (&json!(9), &json!(false)));
}

#[tokio::test]
async fn whoever_is_of_other_sites_sees_nothing_of_this_one_in_trends_or_corrections() {
    let cloud = Cloud::start().await;
    let rows = vec![row(1, &interval(0, "sales", 9)), row(2, &closed(0, 1))];
    cloud.shelf().ingest(BOX, &north(), EPOCH, rows).await.unwrap();
    let south = SiteId::new("south").unwrap();
    let scope = Scope::Sites([south.clone()].into());
    let user = User { login: "sue@example.org".into(), password: String::new(), role: Role::Supervisor, scope };
    cloud
        .write(move |conn| {
            db::site::add(conn, &south, Millis(START))?;
            db::user::add(conn, &user, Millis(START))
        })
        .await;
    let sue = cloud.session("sue@example.org", 60_000).await;
    let path = format!("/api/trends?{}&length_s=900", window(1));
    let (status, body) = sue.get(&path).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!((&body["bins"][0]["offered"], &body["sites"][0]["site"]), (&json!(0), &json!("south")));
    assert_eq!(sue.get(&format!("{path}&sites=north")).await.0, StatusCode::NOT_FOUND);
    assert_eq!(sue.get("/api/corrections?since=0").await.1["corrections"], json!([]));
}

#[tokio::test]
async fn only_so_many_branches_are_told_apart() {
    let cloud = Cloud::start().await;
    let ben = cloud.session(ANALYST, 60_000).await;
    cloud
        .write(|conn| {
            (1..=8)
                .try_for_each(|n| db::site::add(conn, &format!("site-{n}").parse().unwrap(), Millis(START)).map(drop))
        })
        .await;
    let path = format!("/api/trends?{}&length_s=900&apart=sites", window(1));
    assert_eq!(ben.get(&path).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    let (status, body) = ben.get(&format!("{path}&sites=north,site-1")).await;
    assert_eq!((status, body["branches"].as_array().unwrap().len()), (StatusCode::OK, 2));
}

#[tokio::test]
async fn a_trend_that_cannot_be_answered_names_what_is_wrong() {
    let cloud = Cloud::start().await;
    let ben = cloud.session(ANALYST, 60_000).await;
    let many = ["q"; 9].iter().enumerate().map(|(n, q)| format!("{q}{n}")).collect::<Vec<_>>().join(",");
    for (path, expected, words) in [
        ("/api/corrections".to_owned(), 400, "since is missing"),
        ("/api/trends?to=1&length_s=900".to_owned(), 400, "from is missing"),
        (format!("/api/trends?{}&length_s=60", window(1)), 422, "length_s"),
        (format!("/api/trends?{}&length_s=900", window(289)), 422, "more than 288"),
        (format!("/api/trends?{}&length_s=900&queues=A%20B", window(1)), 422, "ids"),
        (format!("/api/trends?{}&length_s=900&queues={many}", window(1)), 422, "more than 8"),
        (format!("/api/trends?{}&length_s=900&offset_s=17", window(1)), 422, "offset_s"),
        (format!("/api/trends?{}&length_s=900&apart=people", window(1)), 422, "apart"),
        (format!("/api/trends?{}&length_s=900&sites=nowhere", window(1)), 404, "site"),
    ] {
        let (status, body) = ben.get(&path).await;
        assert_eq!(status.as_u16(), expected, "{path}: {body}");
        assert!(body["error"]["message"].as_str().unwrap().contains(words), "{path}: {body}");
    }
}

#[tokio::test]
async fn a_question_that_cannot_be_answered_names_what_is_wrong() {
    let cloud = Cloud::start().await;
    let ben = cloud.session(ANALYST, 60_000).await;
    for (query, expected, words) in [
        ("to=1&length_s=900", 400, "from is missing"),
        ("from=x&to=1&length_s=900", 400, "from is not"),
        ("from=2&to=1&length_s=900", 422, "from must be before to"),
        ("from=-5&to=1&length_s=900", 422, "1970"),
        ("from=0&to=1&length_s=0", 422, "length_s"),
        ("from=0&to=9223372036854775807&length_s=60", 422, "more than"),
    ] {
        let (status, body) = ben.get(&format!("/api/figures?{query}")).await;
        assert_eq!(status.as_u16(), expected, "{query}");
        assert!(body["error"]["message"].as_str().unwrap().contains(words), "{query}: {body}");
    }
}
