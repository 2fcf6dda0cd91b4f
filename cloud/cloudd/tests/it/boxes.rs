//! Boxes and their updates, as the console shows and orders them.

use cloudd::hub::store::Store;
use db::bundle::{self, Bundle};
use model::Millis;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{ADMIN, ANALYST, BOX, Cloud, EPOCH, START, health, north, row};

const BOXES: &str = "/api/boxes";
const OFFER: &str = "/api/sites/north/bundle";

fn bundle_of(version: &str, digit: &str) -> Bundle {
    Bundle {
        name: format!("branchline-{version}.raucb"),
        version: version.into(),
        sha256: digit.repeat(64),
        size: 5_000_000_000,
    }
}

#[tokio::test]
async fn a_box_is_listed_with_its_certificate_and_its_latest_health() {
    let cloud = Cloud::start().await;
    let ben = cloud.session(ANALYST, 60_000).await;
    let (status, fresh) = ben.get(BOXES).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!((&fresh[0]["box"], &fresh[0]["site"]), (&json!(BOX), &json!("north")));
    assert_eq!(
        (&fresh[0]["software"], &fresh[0]["health"], &fresh[0]["linked"]),
        (&Value::Null, &Value::Null, &json!(false))
    );
    cloud.write(|conn| db::boxes::certify(conn, BOX, "0a", Millis(START + 5))).await;
    cloud.shelf().ingest(BOX, &north(), EPOCH, vec![row(1, &health(4))]).await.unwrap();
    let known = ben.get(BOXES).await.1;
    assert_eq!((&known[0]["certificate_until"], &known[0]["software"]), (&json!(START + 5), &json!("1.2.3")));
    assert_eq!(known[0]["health"]["disk_free_percent"], json!(50));
}

#[tokio::test]
async fn a_revoked_box_is_refused_and_the_audit_names_who_did_it_once() {
    let cloud = Cloud::start().await;
    let ann = cloud.session(ADMIN, 60_000).await;
    let path = format!("{BOXES}/{BOX}/revocation");
    for _ in 0..2 {
        assert_eq!(ann.post(&path, &json!({})).await.0, StatusCode::NO_CONTENT);
    }
    assert!(cloud.shelf().standing(BOX).await.unwrap().unwrap().revoked);
    assert!(ann.get(BOXES).await.1[0]["revoked"].is_i64());
    let entries = ann.get("/api/audit").await.1["entries"].clone();
    let revocations: Vec<&Value> =
        entries.as_array().unwrap().iter().filter(|entry| entry["what"] == "box.revoke").collect();
    assert_eq!(revocations.len(), 1);
    assert_eq!((&revocations[0]["who"], &revocations[0]["detail"]["box"]), (&json!(ADMIN), &json!(BOX)));
    for unknown in ["ffffffffffffffffffffffffffffffff", "none"] {
        assert_eq!(ann.post(&format!("{BOXES}/{unknown}/revocation"), &json!({})).await.0, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn a_kept_bundle_is_offered_to_a_site_in_place_of_another() {
    let cloud = Cloud::start().await;
    let (ann, ben) = (cloud.session(ADMIN, 60_000).await, cloud.session(ANALYST, 60_000).await);
    for (age, (version, digit)) in [("1.2.3", "a"), ("1.3.0", "b")].into_iter().enumerate() {
        let now = Millis(START + age as i64);
        cloud.write(move |conn| bundle::offer(conn, &bundle_of(version, digit), &north(), now)).await;
    }
    let (status, kept) = ben.get("/api/bundles").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!((&kept[0]["version"], &kept[0]["offered_to"]), (&json!("1.3.0"), &json!(["north"])));
    assert_eq!((&kept[1]["version"], &kept[1]["offered_to"]), (&json!("1.2.3"), &json!([])));
    assert_eq!(kept[1]["size"], json!(5_000_000_000u64));
    assert_eq!(ann.post(OFFER, &json!({ "sha256": "a".repeat(64) })).await.0, StatusCode::NO_CONTENT);
    assert_eq!(cloud.shelf().bundle_offer(&north()).await.unwrap().unwrap().name, "branchline-1.2.3.raucb");
    assert_eq!(ann.post(OFFER, &json!({ "sha256": "c".repeat(64) })).await.0, StatusCode::NOT_FOUND);
    assert_eq!(
        ann.post("/api/sites/south/bundle", &json!({ "sha256": "a".repeat(64) })).await.0,
        StatusCode::NOT_FOUND
    );
    assert_eq!(ben.post(OFFER, &json!({ "sha256": "b".repeat(64) })).await.0, StatusCode::FORBIDDEN);
}
