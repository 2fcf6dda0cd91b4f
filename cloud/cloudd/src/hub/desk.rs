//! Short visits: an enrolment, a renewal, a bundle.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use link::{
    bulk,
    identity::sha256,
    opening::{EnrolAnswer, Refusal},
    server::{BulkArrival, EnrolArrival},
};
use model::BoxId;
use wire::session::Peer;

use super::{
    Shared,
    store::{Enrolled, Enrolment, Store},
    wall,
};
use crate::ca;

const RETRY_AFTER: Duration = Duration::from_secs(30);

pub(super) async fn enrol<S: Store>(shared: Arc<Shared<S>>, arrival: EnrolArrival) {
    let address = arrival.connection.remote_address();
    let answer = match grant(&shared, &arrival).await {
        Ok(answer) => answer,
        Err(error) => {
            tracing::warn!(%address, error = format!("{error:#}"), "an enrolment could not be answered");
            refused(Refusal::Unavailable)
        }
    };
    let outcome = if let EnrolAnswer::Refused { reason, .. } = &answer {
        tracing::info!(%address, ?reason, "an enrolment was refused");
        "refused"
    } else {
        "granted"
    };
    shared.figures.enrolments.with_label_values(&[outcome]).inc();
    arrival.answer(answer).await;
}

async fn grant<S: Store>(shared: &Shared<S>, arrival: &EnrolArrival) -> anyhow::Result<EnrolAnswer> {
    let csr = &arrival.request.csr;
    let Ok(key_sha256) = ca::key_sha256(csr) else { return Ok(refused(Refusal::BadRequest)) };
    let token_sha256 = sha256(arrival.request.token.as_bytes());
    let enrolment = Enrolment { token_sha256, key_sha256, box_id: BoxId(rand::random()), now: wall() };
    let (box_id, site) = match shared.store.enrol(enrolment).await? {
        Enrolled::Granted { box_id, site } => (box_id, site),
        Enrolled::UnknownToken => return Ok(refused(Refusal::UnknownToken)),
        Enrolled::UsedToken => return Ok(refused(Refusal::UsedToken)),
        Enrolled::ExpiredToken => return Ok(refused(Refusal::ExpiredToken)),
    };
    let certificate = certify(shared, &Peer { box_id, site: site.clone() }, csr).await?;
    tracing::info!(box = %box_id, %site, "a box was enrolled");
    Ok(EnrolAnswer::Granted { certificate: certificate.into(), ca: shared.ca.pem().to_owned().into() })
}

/// Signs a certificate for a box and remembers it. PEM.
pub(super) async fn certify<S: Store>(shared: &Shared<S>, peer: &Peer, csr: &[u8]) -> anyhow::Result<String> {
    let signed = shared.ca.sign(csr, peer, wall(), shared.options.certificate_life)?;
    let issued = shared.store.certificate_issued(peer.box_id, &signed.serial, signed.not_after);
    issued.await.context("remembering the certificate")?;
    Ok(signed.pem)
}

fn refused(reason: Refusal) -> EnrolAnswer {
    let retry_after = if reason == Refusal::Unavailable { RETRY_AFTER } else { Duration::ZERO };
    EnrolAnswer::Refused { reason, retry_after_ms: u64::try_from(retry_after.as_millis()).unwrap_or(0) }
}

/// Only what is on offer to the box's site is served.
pub(super) async fn bundle<S: Store>(shared: Arc<Shared<S>>, arrival: BulkArrival) {
    let (box_id, name) = (arrival.peer.box_id, arrival.name.clone());
    let standing = shared.store.standing(box_id).await;
    let stands = matches!(standing, Ok(Some(standing)) if !standing.revoked && standing.site == arrival.peer.site);
    let offered = shared.store.bundle_offer(&arrival.peer.site).await.ok().flatten();
    if arrival.expired || !stands || offered.is_none_or(|offer| offer.name != name) {
        return arrival.refuse(Refusal::NoSuchBundle).await;
    }
    match bulk::serve(arrival, &shared.options.bundles, &shared.bundle_pace).await {
        Ok(bytes) => {
            shared.figures.bundle_bytes.inc_by(bytes);
            tracing::info!(box = %box_id, name, bytes, "a bundle was served");
        }
        Err(error) => tracing::info!(box = %box_id, name, %error, "a bundle was not served to its end"),
    }
}
