//! The hub's store, on a real database.

use cloudd::hub::store::{ConfigChange, Enrolled, Enrolment, Standing, Store};
use model::{BoxId, Epoch, Millis, SiteId, change::Doc};

use crate::support::{BOX, Cloud, EPOCH, START, interval, north, row};

#[tokio::test]
async fn rows_are_taken_once_and_a_gap_is_an_error() {
    let cloud = Cloud::start().await;
    let shelf = cloud.shelf();
    let rows = |range: std::ops::RangeInclusive<u64>| {
        range.map(|seq| row(seq, &interval(seq as i64, "sales", 1))).collect::<Vec<_>>()
    };
    assert_eq!(shelf.ingest(BOX, &north(), EPOCH, rows(1..=3)).await.unwrap(), 3);
    assert_eq!(shelf.ingest(BOX, &north(), EPOCH, rows(2..=5)).await.unwrap(), 5);
    assert_eq!(shelf.ingest(BOX, &north(), EPOCH, vec![]).await.unwrap(), 5);
    assert!(shelf.ingest(BOX, &north(), EPOCH, rows(9..=9)).await.is_err());
    assert_eq!(shelf.watermark(BOX, EPOCH).await.unwrap(), 5);
    assert_eq!(shelf.watermark(BOX, Epoch(2)).await.unwrap(), 0);
    let count = |conn: &db::Connection| conn.only::<i64>(r#"SELECT count(*) FROM "interval""#, &[]);
    assert_eq!(cloud.app.db.read(count).await.unwrap(), 5);
}

#[tokio::test]
async fn a_code_enrols_a_box_that_then_stands_at_its_site() {
    let cloud = Cloud::start().await;
    let shelf = cloud.shelf();
    cloud.write(|conn| db::enrolment::issue(conn, &[1; 32], &north(), Millis(START), Millis(START + 1000))).await;
    let enrolment = Enrolment { token_sha256: [1; 32], key_sha256: [2; 32], box_id: BoxId(20), now: Millis(START) };
    let granted = Enrolled::Granted { box_id: BoxId(20), site: north() };
    assert_eq!(shelf.enrol(enrolment.clone()).await.unwrap(), granted);
    let other = Enrolment { key_sha256: [3; 32], ..enrolment.clone() };
    assert_eq!(shelf.enrol(other).await.unwrap(), Enrolled::UsedToken);
    let late = Enrolment { now: Millis(START + 1000), ..enrolment.clone() };
    assert_eq!(shelf.enrol(late).await.unwrap(), Enrolled::ExpiredToken);
    let wrong = Enrolment { token_sha256: [9; 32], ..enrolment };
    assert_eq!(shelf.enrol(wrong).await.unwrap(), Enrolled::UnknownToken);
    shelf.certificate_issued(BoxId(20), "0a0b", Millis(START + 5)).await.unwrap();
    let standing = Standing { site: north(), revoked: false };
    assert_eq!(shelf.standing(BoxId(20)).await.unwrap(), Some(standing));
    assert_eq!(shelf.standing(BoxId(21)).await.unwrap(), None);
}

#[tokio::test]
async fn changes_and_heads_are_kept_per_document() {
    let cloud = Cloud::start().await;
    let shelf = cloud.shelf();
    let change = |hash: u8, deps: &[u8]| ConfigChange {
        hash: [hash; 32],
        deps: deps.iter().map(|dep| [*dep; 32]).collect(),
        bytes: vec![hash],
    };
    shelf.config_append(&north(), Doc::Local, vec![change(1, &[]), change(2, &[1])]).await.unwrap();
    shelf.config_append(&north(), Doc::Local, vec![change(2, &[1]), change(3, &[2])]).await.unwrap();
    assert_eq!(shelf.config_heads(&north(), Doc::Local).await.unwrap(), [[3; 32]].into());
    assert_eq!(shelf.config_heads(&north(), Doc::Site).await.unwrap(), [].into());
    let kept = shelf.config_changes(&north(), Doc::Local, 1).await.unwrap();
    assert_eq!(kept.iter().map(|kept| kept.change.clone()).collect::<Vec<_>>(), [change(2, &[1]), change(3, &[2])]);
    assert!(kept[0].position < kept[1].position);
    shelf.sync_state_put(BOX, Doc::Local, vec![5]).await.unwrap();
    assert_eq!(shelf.sync_state(BOX, Doc::Local).await.unwrap(), Some(vec![5]));
}

#[tokio::test]
async fn what_a_box_brings_is_hinted_to_open_consoles() {
    let cloud = Cloud::start().await;
    let turn = cloud.app.hints.turn();
    cloud.shelf().ingest(BOX, &north(), EPOCH, vec![row(1, &interval(0, "sales", 1))]).await.unwrap();
    assert_eq!(cloud.app.hints.since(turn).0, [north()]);
    assert_eq!(cloud.shelf().bundle_offer(&SiteId::new("north").unwrap()).await.unwrap(), None);
}
