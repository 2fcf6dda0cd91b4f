//! When supervisors are to look up: thresholds within their bounds, by either side, and what a document says beyond them.

use config::{Error, changes_from, effective};
use model::{
    alert::Alerts,
    change::{Change, Doc},
};

use crate::support::{AT, id, local, seeded, site};

fn to(alerts: Alerts) -> Change {
    Change::QueueAlerts { queue: id("sales"), alerts }
}

#[test]
fn a_branch_sets_its_own_thresholds_over_the_centres_and_they_are_seeded_again() {
    let mut documents = seeded(1);
    assert_eq!(effective(&documents).config.queues[&id("sales")].alerts, Alerts::default());
    let wanted = |waiting| Alerts { waiting: Some(waiting), unserved: true, ..Alerts::default() };
    site(&mut documents, to(wanted(9)));
    local(&mut documents, to(wanted(4)));
    let config = effective(&documents).config;
    assert_eq!(config.queues[&id("sales")].alerts, wanted(4));
    let mut again = seeded(2);
    for change in changes_from(&config) {
        again.edit(Doc::Site, &change, config::Author::Centre, AT).unwrap();
    }
    assert_eq!(effective(&again).config, config);
}

#[test]
fn a_threshold_out_of_its_bounds_is_refused_and_at_them_it_is_taken() {
    let mut documents = seeded(1);
    let none = Alerts::default;
    let mut edit = |alerts| documents.edit(Doc::Local, &to(alerts), config::Author::Branch, AT).map(drop);
    for alerts in [
        Alerts { longest_wait_s: Some(5), ..none() },
        Alerts { longest_wait_s: Some(3_600), waiting: Some(1), ..none() },
        Alerts { waiting: Some(1_000), service_level: Some(1), abandoned: Some(100), ..none() },
    ] {
        assert_eq!(edit(alerts.clone()), Ok(()), "{alerts:?}");
    }
    for alerts in [
        Alerts { longest_wait_s: Some(4), ..none() },
        Alerts { longest_wait_s: Some(3_601), ..none() },
        Alerts { waiting: Some(0), ..none() },
        Alerts { waiting: Some(1_001), ..none() },
        Alerts { service_level: Some(0), ..none() },
        Alerts { abandoned: Some(101), ..none() },
    ] {
        assert!(matches!(edit(alerts.clone()), Err(Error::Bounds { .. })), "{alerts:?}");
    }
}
