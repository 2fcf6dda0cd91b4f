//! Enrolment, revocation, renewal and bundles, through the real hub.

use std::time::Duration;

use boxd::sync::{self, local::Wake};
use link::{
    client::Client,
    endpoint::Endpoint,
    identity::{Identity, sha256},
};
use model::SiteId;
use wan::{
    branch::Branch,
    cloud::{Cloud, quiet},
    until,
};
use wire::frame::Bundle;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_is_good_for_one_key() {
    let cloud = Cloud::start().await;
    let code = cloud.code(&SiteId::new("north").unwrap()).to_string();
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let endpoint = Endpoint::Udp(cloud.address.to_string());
    let peer = sync::enrol(&code, std::slice::from_ref(&endpoint), first.path(), [0, 1, 0]).await.unwrap();
    let again = sync::enrol(&code, std::slice::from_ref(&endpoint), first.path(), [0, 1, 0]).await.unwrap();
    assert_eq!(again, peer, "an answer that was lost is given again to the same key");
    assert!(sync::enrol(&code, std::slice::from_ref(&endpoint), second.path(), [0, 1, 0]).await.is_err());
    let unknown = code.replacen(char::is_alphabetic, "ZZZZ", 1);
    assert!(sync::enrol(&unknown, std::slice::from_ref(&endpoint), second.path(), [0, 1, 0]).await.is_err());
    assert_eq!(cloud.database.lock().boxes.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_box_is_cut_off_and_stays_out() {
    let cloud = Cloud::start().await;
    let mut branch = Branch::open(&cloud, "north").await;
    cloud.linked(1).await;
    cloud.database.lock().boxes.get_mut(&branch.box_id).unwrap().revoked = true;
    cloud.hub.revoked(branch.box_id);
    branch.hear("the link is down", |wake| (wake == Wake::LinkDown).then_some(())).await;
    branch.write_rows(3).await;
    quiet().await;
    assert!(cloud.database.lock().effects.is_empty());
    assert!(cloud.hub.presence().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_past_a_third_of_its_life_is_renewed_over_the_link() {
    let cloud = Cloud::start_with(|options| options.certificate_life = Duration::from_secs(600)).await;
    // The hour before its signing counts as lived: it wants renewal at once.
    let branch = Branch::open(&cloud, "north").await;
    let first = std::fs::read(branch.path("identity/cert.pem")).unwrap();
    until("a new certificate", || async { std::fs::read(branch.path("identity/cert.pem")).unwrap() != first }).await;
    let identity = Identity::load(&branch.path("identity")).unwrap();
    assert_eq!(identity.peer.box_id, branch.box_id);
    assert!(cloud.database.lock().certificates >= 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bundle_on_offer_arrives_whole_and_no_other_file_is_served() {
    let cloud = Cloud::start().await;
    let branch = Branch::open(&cloud, "north").await;
    cloud.linked(1).await;
    let content = vec![5; 300_000];
    std::fs::write(cloud.options.bundles.join("box-2.0.0.raucb"), &content).unwrap();
    std::fs::write(cloud.options.bundles.join("secret-1.0.0.raucb"), &content).unwrap();
    let sha256: String = sha256(&content).iter().map(|byte| format!("{byte:02x}")).collect();
    let bundle = Bundle { name: "box-2.0.0.raucb".into(), size: 300_000, sha256 };
    cloud.database.lock().offers.insert(branch.site.clone(), bundle);
    cloud.hub.offer_changed(&branch.site).await.unwrap();
    let spool = branch.path("spool");
    until("the offer", || async { spool.join("box-2.0.0.raucb.json").exists() }).await;
    assert_eq!(std::fs::read(spool.join("box-2.0.0.raucb")).unwrap(), content);
    let client = Client::new(&cloud.address.to_string(), &Identity::load(&branch.path("identity")).unwrap()).unwrap();
    assert!(client.bulk("secret-1.0.0.raucb", 0).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_overloaded_hub_says_when_to_come_back_and_lets_everybody_in_then() {
    let cloud = Cloud::start_with(|options| (options.sessions_per_second, options.sessions_burst) = (1.0, 1.0)).await;
    let first = Branch::open(&cloud, "north").await;
    cloud.linked(1).await;
    let second = Branch::open(&cloud, "south").await;
    cloud.linked(2).await;
    for branch in [&first, &second] {
        assert!(branch.figure("branchline_sync_attempts_total") <= 6.0, "nobody hammers");
    }
}
