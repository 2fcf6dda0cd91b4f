//! Fetching the bundle on offer, in the background, until it is whole or another is on offer.

use std::{path::PathBuf, sync::Arc, time::Duration};

use link::{bulk, client::Client};
use tokio::{sync::broadcast, task::AbortHandle};
use wire::frame::Bundle;

use super::local::Wake;

const AGAIN: Duration = Duration::from_secs(30);

/// Dropping it stops the transfer; what came so far is resumed.
pub struct Fetching {
    pub bundle: Bundle,
    task: AbortHandle,
}

impl Drop for Fetching {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub fn begin(client: Arc<Client>, bundle: Bundle, spool: PathBuf, tell: broadcast::Sender<Wake>) -> Fetching {
    let wanted = bundle.clone();
    let task = tokio::spawn(async move {
        loop {
            match bulk::fetch(&client, &wanted, &spool).await {
                Ok(path) => {
                    tracing::info!(bundle = wanted.name, "a bundle is whole");
                    let _ = tell.send(Wake::BundleReady { path });
                    return;
                }
                Err(error) => tracing::info!(bundle = wanted.name, %error, "a bundle is not here yet"),
            }
            tokio::time::sleep(AGAIN).await;
        }
    });
    Fetching { bundle, task: task.abort_handle() }
}
