//! The outbox: once, whatever happens.

use std::time::Duration;

use model::leaving::Leaving;
use wan::{branch::Branch, cloud::Cloud, until};

fn marks(cloud: &Cloud) -> Vec<u32> {
    let state = cloud.database.lock();
    let decoded = state.effects.iter().map(|(_, row)| gate::decode(&row.body).expect("an item"));
    decoded
        .map(|item| match item {
            Leaving::Health(health) => health.phones_registered,
            _ => panic!("nobody wrote anything else"),
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_row_takes_effect_once_across_twenty_disconnects() {
    let mut cloud = Cloud::start().await;
    let mut branch = Branch::open(&cloud, "north").await;
    for round in 0..20_u32 {
        {
            let mut state = cloud.database.lock();
            state.ingest_takes = Duration::from_millis(u64::from(round % 4) * 7);
            state.answers_lost = round % 3;
        }
        let before = marks(&cloud).len();
        for _ in 0..5 {
            branch.write_rows(1 + round * 7).await;
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
        until("rows arrive", || async { marks(&cloud).len() > before }).await;
        tokio::time::sleep(Duration::from_millis(u64::from(rand::random::<u8>() % 30))).await;
        match round % 4 {
            0 => branch.restart_sync().await,
            1 => {
                cloud.stop().await;
                cloud.resume();
            }
            _ => {
                cloud.fall().await;
                branch.write_rows(3).await;
                cloud.resume();
            }
        }
    }
    cloud.database.lock().answers_lost = 0;
    let written = branch.write_rows(1).await;
    until("everything arrives", || async { marks(&cloud).len() >= written as usize }).await;
    let position = || async { branch.ledger.reader().unwrap().position().unwrap() };
    until("everything is acknowledged", || async { position().await.watermark == u64::from(written) }).await;
    assert_eq!(marks(&cloud), (0..written).collect::<Vec<u32>>());
    let lines = branch.ledger.reader().unwrap().egress_verify().expect("an unbroken chain");
    assert!(lines > u64::from(written), "rows and hellos");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outbox_behind_the_clouds_watermark_begins_a_new_epoch() {
    let mut cloud = Cloud::start().await;
    let mut branch = Branch::open(&cloud, "north").await;
    branch.write_rows(5).await;
    until("rows arrive", || async { marks(&cloud).len() == 5 }).await;
    let epoch = branch.ledger.reader().unwrap().position().unwrap().epoch;
    cloud.fall().await;
    // As if the disk had been put back: the cloud knows more than the box.
    cloud.database.lock().watermarks.insert((branch.box_id, epoch), 9);
    branch.write_rows(2).await;
    cloud.resume();
    until("rows arrive", || async { marks(&cloud).len() == 7 }).await;
    let position = branch.ledger.reader().unwrap().position().unwrap();
    assert_ne!(position.epoch, epoch);
    assert_eq!(marks(&cloud), (0..7).collect::<Vec<u32>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_written_because_a_box_connected() {
    let mut cloud = Cloud::start().await;
    let branch = Branch::open(&cloud, "north").await;
    cloud.linked(1).await;
    cloud.fall().await;
    let writes = cloud.database.lock().writes;
    cloud.resume();
    cloud.linked(1).await;
    wan::cloud::quiet().await;
    assert_eq!(cloud.database.lock().writes, writes);
    assert!(branch.figure("branchline_sync_attempts_total") >= 2.0);
}
