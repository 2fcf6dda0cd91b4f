//! A box's *sync* process and the cloud's hub over real QUIC on loopback, with a line that is cut. The database is a
//! double in memory; everything else is itself.

pub mod branch;
pub mod cloud;
pub mod store;

use std::time::Duration;

/// Waits for something that must become true soon.
pub async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    for _ in 0..3_000 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
}
