//! The real page of the console, from the real router, in a real browser: signs in, goes through all its places, renames
//! a queue and finds the name again after a reload, offers a bundle and revokes a box. An error in the browser's console, a broken security policy, or a
//! serious fault of accessibility fails it.

use std::{path::Path, process::Stdio};

use cloudd::hub::store::Store;
use db::bundle::Bundle;
use model::Millis;

use crate::{
    configuration::with_sales,
    support::{ADMIN, ANALYST, BOX, Cloud, EPOCH, PASSWORD, START, closed, health, interval, north, row},
};

const CHROMIUM: &str = "/usr/bin/chromium";

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_goes_through_the_console_renames_a_queue_and_revokes_a_box() {
    let cloud = with_figures().await;
    let orders = ["--edit", "north/sales", "--order"];
    let Some(said) = walk(&cloud, ADMIN, &orders).await else { return };
    let changed = cloud.session(ADMIN, 60_000).await.get("/api/sites/north/config").await.1;
    assert_eq!(changed["config"]["queues"]["sales"]["label"], "Renamed narrow-dark", "{said}");
    assert!(cloud.shelf().standing(BOX).await.unwrap().unwrap().revoked, "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_analyst_finds_every_place_without_a_refusal() {
    let cloud = with_figures().await;
    walk(&cloud, ANALYST, &["--looks", "dark"]).await;
}

async fn with_figures() -> Cloud {
    let cloud = with_sales().await;
    // Some of the last day is here, in time and late, and some of it is not.
    let quarter = (cloudd::clock::now().0 - START) / 900_000;
    let rows = vec![
        row(1, &interval(quarter - 20, "sales", 7)),
        row(2, &closed(quarter - 30, quarter - 10)),
        row(3, &interval(quarter - 1, "sales", 9)),
        row(4, &closed(quarter - 1, quarter)),
        row(5, &health(3)),
    ];
    cloud.shelf().ingest(BOX, &north(), EPOCH, rows).await.unwrap();
    cloud.write(|conn| db::boxes::certify(conn, BOX, "0a", Millis(START + 90))).await;
    for (age, version) in ["1.2.3", "1.3.0"].into_iter().enumerate() {
        let sha256 = version.replace('.', "a").repeat(12);
        let kept = Bundle { name: format!("box-{version}.raucb"), version: version.into(), sha256, size: 9_000_000 };
        let now = Millis(START + age as i64);
        cloud.write(move |conn| db::bundle::offer(conn, &kept, &north(), now)).await;
    }
    cloud
}

/// None where there is no browser; `deploy/install/packages` installs one.
async fn walk(cloud: &Cloud, login: &str, more: &[&str]) -> Option<String> {
    if !Path::new(CHROMIUM).exists() {
        eprintln!("skipped: there is no {CHROMIUM}");
        return None;
    }
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sync/pages");
    let shots = tempfile::tempdir().unwrap();
    let done = tokio::process::Command::new("node")
        .args(["scripts/walk.mjs", "console", "--url", &cloud.origin(), "--name", login, "--password", PASSWORD])
        .args(more)
        .arg("--out")
        .arg(shots.path())
        .current_dir(&pages)
        .stdin(Stdio::null())
        .output()
        .await
        .expect("node can be started");
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "as {login}:\n{said}");
    assert!(std::fs::read_dir(shots.path()).unwrap().count() >= 10, "too few places were seen");
    Some(said)
}
