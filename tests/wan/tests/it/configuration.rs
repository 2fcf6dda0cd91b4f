//! The documents: both sides edit, also while apart.

use std::collections::{BTreeMap, BTreeSet};

use boxd::sync::local::Wake;
use config::Documents;
use model::{
    HoursId,
    change::{Change, Doc},
    config::{Hours, Phone},
};
use wan::{branch::Branch, cloud::Cloud, until};

/// The centre's alone.
fn label(text: &str) -> Change {
    Change::SiteLabel { label: text.into() }
}

/// The branch may edit it too.
fn hours(id: &str, label: &str) -> Change {
    let value = Hours { label: label.into(), week: Vec::new(), closed: BTreeSet::new() };
    Change::HoursAdd { hours: HoursId::new(id).expect("an id"), value }
}

fn phone(extension: &str) -> Change {
    let phone = extension.parse().expect("an extension");
    Change::PhoneAdd { phone, value: Phone { label: "desk".into(), ..Phone::default() } }
}

fn same(a: &Documents, b: &Documents) -> bool {
    [Doc::Org, Doc::Site, Doc::Local].iter().all(|doc| {
        let (mut a, mut b) = (a.document(*doc).heads().0, b.document(*doc).heads().0);
        a.sort();
        b.sort();
        a == b
    })
}

async fn converge(cloud: &Cloud, branch: &Branch) {
    until("both sides have the same", || async { same(&cloud.documents(&branch.site).await, &branch.documents()) })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_of_either_side_reaches_the_other_and_calls_is_woken() {
    let cloud = Cloud::start().await;
    let mut branch = Branch::open(&cloud, "north").await;
    cloud.linked(1).await;
    cloud.edit(&branch.site, Doc::Site, label("North branch")).await;
    let told = branch.hear("a change", |wake| if let Wake::ConfigChanged { docs } = wake { Some(docs) } else { None });
    assert_eq!(told.await, [Doc::Site]);
    let before = cloud.database.lock().changes.len();
    branch.edit(hours("day", "By the harbour")).await;
    until("the edit arrives", || async { cloud.database.lock().changes.len() > before }).await;
    converge(&cloud, &branch).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn edits_made_while_apart_both_survive() {
    let mut cloud = Cloud::start().await;
    let mut branch = Branch::open(&cloud, "north").await;
    cloud.linked(1).await;
    cloud.edit(&branch.site, Doc::Site, label("North branch")).await;
    converge(&cloud, &branch).await;
    cloud.fall().await;
    branch.edit(hours("day", "Harbour")).await;
    cloud.edit(&branch.site, Doc::Local, hours("night", "Night")).await;
    cloud.edit(&branch.site, Doc::Org, Change::SiteEmergency { numbers: ["112".parse().unwrap()].into() }).await;
    branch.restart_sync().await;
    branch.edit(phone("101")).await;
    cloud.resume();
    converge(&cloud, &branch).await;
    let state = cloud.database.lock();
    let counts: BTreeMap<Doc, usize> = state.changes.iter().map(|((_, doc), changes)| (*doc, changes.len())).collect();
    assert_eq!(counts[&Doc::Local], 3, "each change once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_boxes_of_one_site_and_the_console_converge() {
    let cloud = Cloud::start().await;
    let mut first = Branch::open(&cloud, "north").await;
    let mut second = Branch::open(&cloud, "north").await;
    cloud.linked(2).await;
    for n in 0..5 {
        first.edit(hours("day", &format!("first {n}"))).await;
        second.edit(hours("day", &format!("second {n}"))).await;
        cloud.edit(&first.site, Doc::Site, label(&format!("centre {n}"))).await;
    }
    converge(&cloud, &first).await;
    converge(&cloud, &second).await;
    converge(&cloud, &first).await;
}
