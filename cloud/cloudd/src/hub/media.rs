//! Sealed media of overflow calls: from one box's media connection to the other's, by flow. Nothing is kept, nothing
//! is opened, and what cannot go on at once is dropped.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use link::{code, opening::Refusal, server::MediaArrival};
use model::BoxId;
use wire::media::flow_in;

use super::{Shared, lock, store::Store};

pub(super) async fn run<S: Store>(shared: Arc<Shared<S>>, arrival: MediaArrival) {
    let box_id = arrival.peer.box_id;
    let standing = shared.store.standing(box_id).await;
    let stands = matches!(&standing, Ok(Some(standing)) if !standing.revoked && standing.site == arrival.peer.site);
    if arrival.expired || !stands {
        return arrival.refuse(Refusal::NotLinked, Duration::from_secs(30)).await;
    }
    // Registered before the box is told that datagrams may flow.
    let connection = arrival.connection.clone();
    if let Some(old) = lock(&shared.media).insert(box_id, connection.clone()) {
        old.close(code::DONE, b"replaced");
    }
    told(&shared, box_id, true);
    if arrival.accept().await.is_ok() {
        while let Ok(datagram) = connection.read_datagram().await {
            forward(&shared, box_id, datagram);
        }
    }
    let mut media = lock(&shared.media);
    if media.get(&box_id).is_some_and(|current| current.stable_id() == connection.stable_id()) {
        media.remove(&box_id);
        drop(media);
        told(&shared, box_id, false);
    }
}

fn told<S>(shared: &Shared<S>, box_id: BoxId, up: bool) {
    if let Some(handle) = lock(&shared.linked).get_mut(&box_id) {
        handle.presence.media = up;
    }
}

fn forward<S>(shared: &Shared<S>, from: BoxId, datagram: Bytes) {
    let to = flow_in(&datagram).and_then(|flow| lock(&shared.calls).media(from, flow));
    let connection = to.and_then(|to| lock(&shared.media).get(&to).cloned());
    match connection.map(|connection| connection.send_datagram(datagram)) {
        Some(Ok(())) => shared.figures.datagrams.inc(),
        _ => shared.figures.datagrams_dropped.inc(),
    }
}
