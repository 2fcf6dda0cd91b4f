//! Two replicas exchange changes until they are equal.

use config::{Applied, Error, Peer, effective, may_receive};
use model::change::{Change, Doc};

use crate::support::{exchange, id, local, seeded, site};

#[test]
fn a_box_takes_everything_from_the_cloud_and_the_cloud_only_what_the_branch_may_write() {
    for doc in [Doc::Org, Doc::Site, Doc::Local] {
        assert!(may_receive(doc, Peer::Cloud));
        assert_eq!(may_receive(doc, Peer::Box), doc == Doc::Local);
    }
}

#[test]
fn edits_of_both_sides_meet_and_a_later_edit_costs_less_than_a_kilobyte() {
    let (mut cloud, mut branch) = (seeded(1), seeded(2));
    for seconds in 10..60 {
        local(&mut cloud, Change::QueueRing { queue: id("sales"), seconds });
        local(&mut branch, Change::QueueWrapUp { queue: id("support"), seconds });
    }
    let (mut at_cloud, mut at_branch) = (cloud.local.sync_begin(Peer::Box), branch.local.sync_begin(Peer::Cloud));
    let first = exchange(&mut cloud.local, &mut at_cloud, &mut branch.local, &mut at_branch);
    assert_eq!(cloud.local.heads(), branch.local.heads());
    assert_eq!(effective(&cloud), effective(&branch));
    local(&mut cloud, Change::QueueRing { queue: id("sales"), seconds: 99 });
    let live = exchange(&mut cloud.local, &mut at_cloud, &mut branch.local, &mut at_branch);
    let (kept_cloud, kept_branch) = (at_cloud.encode(), at_branch.encode());
    let mut at_cloud = cloud.local.sync_resume(Peer::Box, &kept_cloud);
    let mut at_branch = branch.local.sync_resume(Peer::Cloud, &kept_branch);
    let idle = exchange(&mut cloud.local, &mut at_cloud, &mut branch.local, &mut at_branch);
    local(&mut branch, Change::QueueRing { queue: id("sales"), seconds: 98 });
    let mut at_cloud = cloud.local.sync_resume(Peer::Box, &kept_cloud);
    let mut at_branch = branch.local.sync_resume(Peer::Cloud, &kept_branch);
    let resumed = exchange(&mut cloud.local, &mut at_cloud, &mut branch.local, &mut at_branch);
    println!(
        "100 edits apart {first} B; one edit live {live} B; reconnect {idle} B; reconnect with an edit {resumed} B"
    );
    assert!(live < 1_000 && idle < 1_000 && resumed < 1_500, "{live} {idle} {resumed}");
    assert_eq!(effective(&cloud), effective(&branch));
}

#[test]
fn a_long_history_arrives_in_bounded_messages_and_each_change_is_returned_once() {
    let (mut cloud, mut branch) = (seeded(1), seeded(2));
    for round in 0..1_500_u32 {
        let badge = format!("{round:04} {}", "界".repeat(50));
        local(&mut cloud, Change::AgentBadge { agent: id("mei"), badge });
    }
    let (mut at_cloud, mut at_branch) = (cloud.local.sync_begin(Peer::Box), branch.local.sync_begin(Peer::Cloud));
    let (mut stored, mut messages) = (Vec::new(), 0);
    for _ in 0..100 {
        let down = cloud.local.generate(&mut at_cloud);
        let up = branch.local.generate(&mut at_branch);
        if down.is_none() && up.is_none() {
            break;
        }
        if let Some(message) = down {
            assert!(message.len() < 400 * 1024, "{} bytes", message.len());
            messages += 1;
            stored.extend(branch.local.receive(&mut at_branch, &message).unwrap());
        }
        if let Some(message) = up {
            assert_eq!(cloud.local.receive(&mut at_cloud, &message).unwrap(), Vec::<Vec<u8>>::new());
        }
    }
    assert!(messages > 1, "one message carried everything");
    assert_eq!(stored.len(), 1_500);
    assert_eq!(cloud.local.heads(), branch.local.heads());
    let mut restarted = seeded(3);
    assert_eq!(restarted.local.load(stored.iter().map(Vec::as_slice)), Ok(1_500));
    assert_eq!(restarted.local.heads(), cloud.local.heads());
    assert_eq!(effective(&restarted), effective(&cloud));
}

#[test]
fn the_centres_plan_goes_down_and_nothing_of_it_comes_up() {
    let (mut cloud, mut branch) = (seeded(1), seeded(2));
    site(&mut cloud, Change::QueueRing { queue: id("sales"), seconds: 99 });
    let (mut at_cloud, mut at_branch) = (cloud.site.sync_begin(Peer::Box), branch.site.sync_begin(Peer::Cloud));
    exchange(&mut cloud.site, &mut at_cloud, &mut branch.site, &mut at_branch);
    assert_eq!(cloud.site.heads(), branch.site.heads());
    // A box that wrote into its copy against the rules.
    site(&mut branch, Change::QueueRing { queue: id("sales"), seconds: 7 });
    let before = cloud.site.heads();
    while let Some(message) = branch.site.generate(&mut at_branch) {
        // Its own side already keeps such changes back; the cloud is silent about them and unchanged.
        cloud.site.receive(&mut at_cloud, &message).unwrap();
        match cloud.site.generate(&mut at_cloud) {
            Some(answer) => drop(branch.site.receive(&mut at_branch, &answer).unwrap()),
            None => break,
        }
    }
    assert_eq!(cloud.site.heads(), before);
}

#[test]
fn a_change_that_comes_before_what_it_depends_on_waits_for_it() {
    let (mut one, mut other) = (seeded(1), seeded(2));
    let first = local(&mut one, Change::QueueRing { queue: id("sales"), seconds: 40 });
    let second = local(&mut one, Change::QueueRing { queue: id("sales"), seconds: 41 });
    assert_eq!(other.local.apply(&second), Ok(Applied::Waiting));
    assert_eq!(effective(&other).config.queues[&id("sales")].ring_s, 15);
    assert_eq!(other.local.apply(&first), Ok(Applied::New));
    assert_eq!(effective(&other).config.queues[&id("sales")].ring_s, 41);
    assert_eq!(other.local.apply(&second), Ok(Applied::Known));
}

#[test]
fn no_more_than_a_bounded_number_of_changes_wait() {
    let (mut one, mut other) = (seeded(1), seeded(2));
    let changes: Vec<Vec<u8>> =
        (0..300).map(|n| local(&mut one, Change::QueueRing { queue: id("sales"), seconds: 20 + n % 7 })).collect();
    let waiting = changes[1..].iter().map(|change| other.local.apply(change)).take_while(Result::is_ok).count();
    assert_eq!(waiting, 256);
    let refused = other.local.apply(&changes[260]);
    assert!(matches!(refused, Err(Error::TooLarge { what: "changes that wait for others", .. })), "{refused:?}");
}

#[test]
fn a_change_of_another_site_or_document_is_foreign_or_waits_for_ever() {
    let mut here = seeded(1);
    let mut there = config::Documents::new(id("suzhou"), [2; 16]);
    let label = Change::SiteLabel { label: "Suzhou".into() };
    let theirs = there.edit(Doc::Site, &label, config::Author::Centre, crate::support::AT).unwrap().unwrap();
    assert_eq!(here.site.apply(&theirs), Ok(Applied::Waiting));
    assert_eq!(effective(&here).config.site.label, "Hangzhou");
}
