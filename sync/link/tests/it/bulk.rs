//! A bundle arrives whole, or not at all.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use link::{
    bulk::{Error, fetch, serve},
    client::Client,
    identity::sha256,
    server::Arrival,
};
use tokio::sync::Mutex;
use wire::{bucket::Bucket, frame::Bundle};

use crate::authority::{Authority, SOUND, peer, soon};

fn content(size: usize) -> Vec<u8> {
    (0..size).map(|n| (n % 251) as u8).collect()
}

fn bundle(name: &str, content: &[u8]) -> Bundle {
    Bundle { name: name.into(), size: content.len() as u64, sha256: hex::encode(sha256(content)) }
}

/// A cloud that serves `shelf` at a pace; and a box.
async fn library(shelf: &Path, bytes_per_second: f64) -> (Client, tempfile::TempDir) {
    let authority = Authority::new();
    let (mut server, address) = authority.cloud();
    let shelf = shelf.to_owned();
    tokio::spawn(async move {
        let pace = Mutex::new(Bucket::new(Instant::now(), bytes_per_second, 64.0 * 1024.0));
        while let Some(Arrival::Bulk(arrival)) = server.next().await {
            let _ = serve(arrival, &shelf, &pace).await;
        }
    });
    let dir = tempfile::tempdir().unwrap();
    let client = Client::new(&address, &authority.enrolled(dir.path(), &peer("north"), SOUND)).unwrap();
    (client, dir)
}

#[tokio::test]
async fn a_transfer_that_was_cut_goes_on_where_it_ended() {
    let (shelf, spool) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let bytes = content(600_000);
    std::fs::write(shelf.path().join("box-2.0.0.raucb"), &bytes).unwrap();
    let (client, _dir) = library(shelf.path(), 1_000_000.0).await;
    let wanted = bundle("box-2.0.0.raucb", &bytes);
    let cut = tokio::time::timeout(Duration::from_millis(250), fetch(&client, &wanted, spool.path())).await;
    assert!(cut.is_err(), "it takes longer than this");
    let parts: Vec<_> = std::fs::read_dir(spool.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    let [part] = parts.as_slice() else { panic!("{parts:?}") };
    let began = std::fs::metadata(part).unwrap().len();
    assert!(began > 0 && began < 600_000, "{began}");
    let path = soon(fetch(&client, &wanted, spool.path())).await.unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    assert!(!part.exists());
    assert_eq!(soon(fetch(&client, &wanted, spool.path())).await.unwrap(), path, "what is there is not fetched again");
}

#[tokio::test]
async fn a_bundle_of_another_content_or_size_is_not_kept() {
    let (shelf, spool) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let bytes = content(50_000);
    std::fs::write(shelf.path().join("box-2.0.0.raucb"), &bytes).unwrap();
    let (client, _dir) = library(shelf.path(), 1e9).await;
    let mut other = bytes.clone();
    other[49_999] ^= 1;
    assert!(matches!(soon(fetch(&client, &bundle("box-2.0.0.raucb", &other), spool.path())).await, Err(Error::Hash)));
    let longer = bundle("box-2.0.0.raucb", &content(50_001));
    assert!(matches!(soon(fetch(&client, &longer, spool.path())).await, Err(Error::Size { .. })));
    assert_eq!(std::fs::read_dir(spool.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn names_that_leave_the_folder_or_are_not_there_are_refused() {
    let (shelf, spool) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (client, _dir) = library(shelf.path(), 1e9).await;
    let unsound = bundle("../box-2.0.0.raucb", b"x");
    assert!(matches!(soon(fetch(&client, &unsound, spool.path())).await, Err(Error::Offer(_))));
    for name in ["../authority.rs", "/etc/hostname", "none-1.0.0.raucb", ""] {
        assert!(soon(client.bulk(name, 0)).await.is_err(), "{name}");
    }
}
