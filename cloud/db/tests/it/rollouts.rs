//! What roll-outs, templates and leases promise, and what happens at their limits.

use std::collections::BTreeSet;

use db::{
    change::{self, Of},
    lease,
    rollout::{self, Fresh, LIVE_MAX, SHOWN_MAX},
    running, tag,
    template::{self, TEMPLATES_MAX, Template},
};
use model::{
    Millis,
    change::Doc,
    leaving::{Fare, Running},
};

use crate::{BOX, START, fresh, read, site, write};

fn begun() -> Fresh {
    Fresh { label: "Longer wrap-up".into(), changes: vec![], overrule: false, body: "{}".into() }
}

#[test]
fn a_step_that_was_made_of_an_older_state_is_not_taken() {
    let (_dir, db) = fresh();
    let id = write(&db, |conn| rollout::add(conn, &begun(), Millis(START))).unwrap();
    assert!(write(&db, move |conn| rollout::step(conn, id, 1, "{\"n\":1}", true)));
    assert!(!write(&db, move |conn| rollout::step(conn, id, 1, "{\"n\":2}", true)));
    let kept = read(&db, move |conn| rollout::one(conn, id)).unwrap();
    assert_eq!((kept.body.as_str(), kept.version, kept.live), ("{\"n\":1}", 2, true));
    assert!(write(&db, move |conn| rollout::step(conn, id, 2, "{}", false)));
    assert!(read(&db, rollout::live).is_empty());
    assert_eq!(read(&db, rollout::all).len(), 1);
}

#[test]
fn what_a_roll_out_has_made_is_found_by_document() {
    let (_dir, db) = fresh();
    let id = write(&db, |conn| rollout::add(conn, &begun(), Millis(START))).unwrap();
    let made = |doc, seq| {
        write(&db, move |conn| rollout::made(conn, id, Of { site: &site(), doc }, seq));
    };
    [7, 8, 9].into_iter().for_each(|seq| made(Doc::Site, seq));
    made(Doc::Local, 3);
    let span = |doc| read(&db, move |conn| rollout::made_at(conn, id, Of { site: &site(), doc }));
    assert_eq!((span(Doc::Site), span(Doc::Local), span(Doc::Org)), (Some((7, 9)), Some((3, 3)), None));
}

#[test]
fn one_that_is_not_over_is_listed_however_many_came_after_it() {
    let (_dir, db) = fresh();
    let live = write(&db, |conn| rollout::add(conn, &begun(), Millis(START))).unwrap();
    for _ in 0..=SHOWN_MAX {
        let over = write(&db, |conn| rollout::add(conn, &begun(), Millis(START))).unwrap();
        assert!(write(&db, move |conn| rollout::step(conn, over, 1, "{}", false)));
    }
    let listed = read(&db, rollout::all);
    assert_eq!((listed.len(), listed[0].id), (SHOWN_MAX as usize, live));
}

#[test]
fn what_others_wrote_at_a_site_since_is_known_in_whichever_document() {
    let (_dir, db) = fresh();
    let id = write(&db, |conn| rollout::add(conn, &begun(), Millis(START))).unwrap();
    let edit = |doc, n: u8, at: i64| {
        let change = change::Change { hash: [n; 32], deps: vec![], bytes: vec![n] };
        let signed = change::Signed { author: "ann".into(), note: String::new(), at: Millis(START + at) };
        write(&db, move |conn| change::add(conn, Of { site: &site(), doc }, &[change], &signed));
    };
    let others = || read(&db, move |conn| rollout::others(conn, id, &site()));
    edit(Doc::Site, 1, 0);
    assert_eq!(others(), [], "it has written nothing yet");
    edit(Doc::Site, 2, 5);
    write(&db, move |conn| rollout::made(conn, id, Of { site: &site(), doc: Doc::Site }, 2));
    assert_eq!(others(), []);
    edit(Doc::Local, 3, 6);
    assert_eq!(others(), [(Doc::Local, 1)]);
}

#[test]
fn there_is_room_for_so_many_roll_outs_that_are_not_over_and_so_many_templates() {
    let (_dir, db) = fresh();
    let add = || write(&db, |conn| rollout::add(conn, &begun(), Millis(START)));
    for n in 1..=LIVE_MAX {
        assert_eq!(add(), Some(n));
    }
    assert_eq!(add(), None);
    assert!(write(&db, |conn| rollout::step(conn, 1, 1, "{}", false)));
    assert_eq!(add(), Some(LIVE_MAX + 1), "one is over");

    let put = |n: i64| {
        let name = format!("t{n}");
        let template = Template { name, label: "T".into(), changes: vec![], author: "ann".into(), at: Millis(START) };
        write(&db, move |conn| template::put(conn, &template))
    };
    assert!((0..TEMPLATES_MAX).all(put));
    assert!(!put(TEMPLATES_MAX));
    assert!(put(0), "one that is there may be written again");
    assert!(write(&db, |conn| template::remove(conn, "t0")) && put(TEMPLATES_MAX));
}

#[test]
fn a_lease_is_one_holders_until_it_is_over_or_given_up() {
    let (_dir, db) = fresh();
    let hold = |who: &'static str, until: i64, now: i64| {
        write(&db, move |conn| lease::hold(conn, "work", who, Millis(START + until), Millis(START + now)))
    };
    assert!(hold("one", 10, 0));
    assert!(!hold("two", 15, 5));
    assert!(hold("one", 20, 9), "held on");
    assert!(!hold("two", 30, 19));
    assert!(hold("two", 30, 20), "it is over");
    assert!(!hold("one", 40, 21));
    write(&db, |conn| lease::leave(conn, "work", "one"));
    assert!(!hold("one", 40, 22), "another's cannot be given up");
    write(&db, |conn| lease::leave(conn, "work", "two"));
    assert!(hold("one", 40, 23));
}

#[test]
fn of_what_a_box_says_it_runs_the_last_counts_and_tags_are_kept_by_site() {
    let (_dir, db) = fresh();
    for (heads, calls) in [(u64::MAX, Fare::Few), (7, Fare::Worse)] {
        let said = Running { at: Millis(START), heads, taken: true, calls };
        write(&db, move |conn| running::put(conn, BOX, &site(), &said, Millis(START)));
    }
    let kept = read(&db, |conn| running::of_site(conn, &site()));
    assert_eq!(
        kept.iter().map(|(id, said)| (*id, said.heads, said.calls)).collect::<Vec<_>>(),
        [(BOX, 7, Fare::Worse)]
    );
    let tags = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<String>>();
    for wanted in [tags(&["pilot", "coast"]), tags(&["coast"])] {
        write(&db, move |conn| tag::set(conn, &site(), &wanted));
    }
    assert_eq!(read(&db, tag::all)[&site()], tags(&["coast"]));
}
