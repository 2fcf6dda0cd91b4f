//! The real page of the console, from the real router, in a real browser: signs in, goes through all its places, renames
//! a queue and finds the name again after a reload. An error in the browser's console, a broken security policy, or a
//! serious fault of accessibility fails it.

use std::{path::Path, process::Stdio};

use cloudd::hub::store::Store;

use crate::{
    configuration::with_sales,
    support::{ADMIN, ANALYST, BOX, Cloud, EPOCH, PASSWORD, health, interval, north, row},
};

const CHROMIUM: &str = "/usr/bin/chromium";

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_goes_through_the_console_and_renames_a_queue() {
    let cloud = with_figures().await;
    let Some(said) = walk(&cloud, ADMIN, &["--edit", "north/sales"]).await else { return };
    let changed = cloud.session(ADMIN, 60_000).await.get("/api/sites/north/config").await.1;
    assert_eq!(changed["config"]["queues"]["sales"]["label"], "Renamed narrow-dark", "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_analyst_finds_every_place_without_a_refusal() {
    let cloud = with_figures().await;
    walk(&cloud, ANALYST, &["--looks", "dark"]).await;
}

async fn with_figures() -> Cloud {
    let cloud = with_sales().await;
    let rows = vec![row(1, &interval(0, "sales", 7)), row(2, &health(3))];
    cloud.shelf().ingest(BOX, &north(), EPOCH, rows).await.unwrap();
    cloud.write(|conn| db::boxes::certify(conn, BOX, "0a", model::Millis(crate::support::START + 90))).await;
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
