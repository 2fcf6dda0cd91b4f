//! What was written, by whom, and how it is taken back.

use config::{Author, Documents, History, Kept, Scalar, differences, effective};
use model::{
    Millis,
    change::{Change, Doc},
    history::{Side, Value},
};

use crate::support::{AT, agent, flow, id, local, seeded, site};

pub fn history(documents: &Documents, doc: Doc) -> History {
    let kept = (1..).zip(documents.document(doc).changes());
    History::read(
        doc,
        kept.map(|(seq, bytes)| Kept { seq, bytes, side: None, author: Some(format!("a{seq}")), taken: None }),
    )
}

fn ring(seconds: u32) -> Change {
    Change::QueueRing { queue: id("sales"), seconds }
}

const RING: &str = "queues/sales/ring_s";

#[test]
fn a_history_says_what_stood_before_and_what_stands_still() {
    let mut documents = seeded(1);
    local(&mut documents, ring(20));
    documents.edit(Doc::Local, &ring(30), Author::Centre, Millis(AT.0 + 5_000)).unwrap();
    let of = history(&documents, Doc::Local);
    let entries: Vec<_> = of.entries().collect();
    let told = |n: usize| {
        let (by, field) = (&entries[n].by, &entries[n].fields[0]);
        (by.side, by.written, field.path.as_str(), field.before.clone(), field.after.clone(), field.stands)
    };
    let int = |n| Some(Value::Int(n));
    assert_eq!(told(0), (Side::Centre, Millis(AT.0 + 5_000), RING, int(20), int(30), true));
    assert_eq!(told(1), (Side::Branch, AT, RING, None, int(20), false));
    assert_eq!(of.blame()[RING], entries[0].by);
}

#[test]
fn an_undo_gives_back_what_stood_before_also_where_nothing_was_said() {
    let mut documents = seeded(1);
    let before = effective(&documents);
    local(&mut documents, ring(20));
    local(&mut documents, Change::AgentAdd { agent: id("lin"), value: agent("201", "french") });
    local(&mut documents, Change::AgentRemove { agent: id("mei") });
    for seq in [3, 2, 1] {
        let undo = history(&documents, Doc::Local).undo(seq).unwrap();
        assert!(undo.left.is_empty(), "{undo:?}");
        assert!(!documents.restore(Doc::Local, &undo.back, Author::Centre, AT).unwrap().is_empty());
    }
    let after = effective(&documents);
    assert_eq!((after.config, after.findings), (before.config, before.findings));
    // The undo can be undone.
    let undo = history(&documents, Doc::Local).undo(6).unwrap();
    documents.restore(Doc::Local, &undo.back, Author::Centre, AT).unwrap();
    assert_eq!(effective(&documents).config.queues[&id("sales")].ring_s, 20);
}

#[test]
fn an_undo_leaves_alone_what_somebody_wrote_since_and_says_who() {
    let mut documents = seeded(1);
    local(&mut documents, Change::AgentAdd { agent: id("lin"), value: agent("201", "french") });
    local(&mut documents, Change::AgentBadge { agent: id("lin"), badge: "Lin".into() });
    let undo = history(&documents, Doc::Local).undo(1).unwrap();
    let left: Vec<_> = undo.left.iter().map(|left| (left.path.as_str(), left.by.seq)).collect();
    assert_eq!(left, [("agents/lin/badge", 2)]);
    assert!(undo.back.iter().any(|(path, _)| path == "agents/lin/is"));
    assert!(history(&documents, Doc::Local).undo(9).is_none());
}

#[test]
fn undoing_the_publication_of_a_flow_takes_its_version_away_with_it() {
    let mut documents = seeded(1);
    let value = model::flow::Flow { label: "Second".into(), ..flow() };
    site(&mut documents, Change::FlowPut { flow: id("main"), value });
    let last = documents.site.changes().len() as u64;
    let undo = history(&documents, Doc::Site).undo(last).unwrap();
    documents.restore(Doc::Site, &undo.back, Author::Centre, AT).unwrap();
    assert_eq!(effective(&documents).config.flows[&id("main")], flow());
    assert!(config::flow_versions(&documents, &id("main")).is_empty());
}

#[test]
fn a_branch_restores_in_its_own_document_alone_and_nothing_that_is_not_its_own() {
    let mut documents = seeded(1);
    let back = |path: &str| vec![(path.to_owned(), Some(Scalar::Int(9)))];
    for doc in [Doc::Org, Doc::Site] {
        assert!(documents.restore(doc, &back(RING), Author::Branch, AT).is_err());
    }
    assert!(documents.restore(Doc::Local, &back("trunks/carrier/calls_max"), Author::Branch, AT).is_err());
    assert!(documents.restore(Doc::Local, &back("secrets/key"), Author::Centre, AT).is_err());
    assert_eq!(documents.restore(Doc::Local, &[(RING.into(), None)], Author::Branch, AT), Ok(vec![]));
}

#[test]
fn much_that_is_restored_at_once_comes_in_changes_that_every_replica_takes() {
    let mut documents = seeded(1);
    let fields: Vec<_> =
        (0..1_300).map(|n| (format!("agents/a{n}/badge"), Some(Scalar::Text("界".repeat(50))))).collect();
    let changes = documents.restore(Doc::Local, &fields, Author::Centre, AT).unwrap();
    assert!(changes.len() >= 4 && changes.iter().all(|bytes| bytes.len() < 64 * 1024));
    let mut other = seeded(2);
    for bytes in &changes {
        other.local.apply(bytes).unwrap();
    }
    assert_eq!(other.local.heads(), documents.local.heads());
}

#[test]
fn two_states_differ_in_the_fields_that_differ() {
    let before = seeded(1);
    let mut after = before.clone();
    local(&mut after, ring(40));
    let found = differences(&before, &after);
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].path.as_str(), &found[0].before, &found[0].after),
        (RING, &Some(Value::Int(15)), &Some(Value::Int(40)))
    );
    assert!(differences(&after, &after).is_empty());
}

#[test]
fn what_is_no_change_is_passed_over_and_a_long_text_is_cut() {
    let kept = |bytes: &[u8]| Kept { seq: 1, bytes: bytes.to_vec(), side: None, author: None, taken: None };
    assert_eq!(History::read(Doc::Local, [kept(&[]), kept(b"nothing of ours")]).entries().count(), 0);
    let of = history(&seeded(1), Doc::Site);
    let texts = of.entries().flat_map(|entry| entry.fields).filter_map(|field| field.after);
    let longest = texts.map(|value| if let Value::Text(text) = value { text.chars().count() } else { 0 }).max();
    assert_eq!(longest, Some(401));
}
