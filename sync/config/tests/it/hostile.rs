//! Documents that a peer forged or garbled.

use automerge::{ObjType, ROOT, ScalarValue, transaction::Transactable};
use config::{Error, Peer, effective};
use model::{
    change::{Change, Problem, Severity},
    config::Locality,
    flow::Fault,
};
use proptest::prelude::*;

use crate::support::{Liar, finding, id, local, problem, sample, seeded};

fn lie(path: &str, value: impl Into<ScalarValue>) -> config::Documents {
    let mut documents = seeded(1);
    let mut liar = Liar::meet(&mut documents.site, Peer::Cloud);
    liar.automerge.transact::<_, _, automerge::AutomergeError>(|tx| tx.put(ROOT, path, value)).unwrap();
    assert_eq!(liar.tell(&mut documents.site), Ok(1));
    documents
}

#[test]
fn text_where_a_number_belongs_is_ignored_and_reported() {
    let documents = lie("queues/sales/ring_s", "soon");
    assert_eq!(problem(&documents, "queues/sales/ring_s"), Some(Problem::WrongType));
    let ring = effective(&documents).config.queues[&id("sales")].ring_s;
    assert_eq!(ring, 20, "the default");
}

#[test]
fn every_strange_type_at_every_kind_of_place_still_gives_a_configuration() {
    let strange = || {
        vec![
            ScalarValue::Null,
            ScalarValue::Boolean(true),
            ScalarValue::Int(-7),
            ScalarValue::Int(i64::MAX),
            ScalarValue::Uint(u64::MAX),
            ScalarValue::F64(f64::NAN),
            ScalarValue::Timestamp(1),
            ScalarValue::Bytes(vec![0, 159, 146, 150]),
            ScalarValue::Str("".into()),
            ScalarValue::Str("../../etc".into()),
            ScalarValue::Str("x".repeat(5_000).into()),
            ScalarValue::Str("{\"label\":\"x\"}".into()),
        ]
    };
    let paths = [
        "site/label",
        "site/emergency/110",
        "site/emergency/no",
        "site/outward",
        "queues/sales/is",
        "queues/sales/label",
        "queues/sales/skills/english",
        "queues/sales/skills/NOT AN ID",
        "queues/sales/music",
        "queues/sales/ring_s",
        "queues/sales/locality",
        "queues/sales/overflow_to",
        "queues/NOT AN ID/is",
        "agents/mei/phone",
        "agents/mei/queues/sales",
        "phones/1/is",
        "trunks/carrier/kind",
        "numbers/+8657112345678",
        "numbers/x",
        "flows/main",
        "hours/office/week/0",
        "hours/office/week/9",
        "hours/office/closed/soon",
        "secret",
        "",
        "a/b/c/d/e",
    ];
    for path in paths {
        for value in strange() {
            let text = format!("{path}: {value:?}");
            let mut documents = seeded_once();
            let mut liar = Liar::meet(&mut documents.site, Peer::Cloud);
            let put = liar.automerge.transact::<_, _, automerge::AutomergeError>(|tx| tx.put(ROOT, path, value));
            if put.is_err() {
                continue;
            }
            liar.tell(&mut documents.site).unwrap();
            let resolved = effective(&documents);
            for queue in resolved.config.queues.values() {
                assert!((5..=300).contains(&queue.ring_s) && queue.label.chars().count() <= 60, "{text}");
            }
            assert!(resolved.config.numbers.values().all(|flow| resolved.config.flows.contains_key(flow)), "{text}");
        }
    }
}

#[test]
fn a_number_outside_its_bounds_is_clamped_on_every_replica_alike() {
    let documents = lie("queues/sales/ring_s", 86_400_i64);
    assert_eq!(effective(&documents).config.queues[&id("sales")].ring_s, 300);
    let found = Some(Problem::OutOfBounds { min: 5, max: 300, used: 300 });
    assert_eq!(problem(&documents, "queues/sales/ring_s"), found);
}

#[test]
fn a_label_that_was_garbled_does_not_let_calls_leave() {
    let documents = lie("queues/sales/locality", 7_i64);
    assert_eq!(effective(&documents).config.queues[&id("sales")].overflow.locality, Locality::LocalOnly);
    assert_eq!(problem(&documents, "queues/sales/locality"), Some(Problem::WrongType));
}

#[test]
fn a_flow_that_is_no_flow_is_fatal_while_a_number_needs_it() {
    assert!(effective(&lie("flows/main", "{}")).fatal());
}

#[test]
fn a_flow_that_runs_in_a_circle_is_not_run() {
    let circle = r#"{"label":"x","start":"a","steps":{"a":{"do":"play","prompt":"p","next":"a"}}}"#;
    let documents = lie("flows/main", circle);
    assert_eq!(
        problem(&documents, "flows/main/steps/a"),
        Some(Problem::Flow { fault: Fault::Circle { steps: [id("a")].into() }, road: vec![id("a")] })
    );
    assert!(effective(&documents).fatal());
}

#[test]
fn a_branch_that_forges_what_the_centre_decides_is_ignored_and_reported() {
    let mut documents = seeded(1);
    let mut liar = Liar::meet(&mut documents.local, Peer::Box);
    let forged =
        [("site/emergency/110", false.into()), ("queues/sales/recorded", false.into()), ("numbers/110", "main".into())];
    let write = |tx: &mut automerge::transaction::Transaction<'_>| -> Result<(), automerge::AutomergeError> {
        forged.into_iter().try_for_each(|(path, value): (&str, ScalarValue)| tx.put(ROOT, path, value))
    };
    liar.automerge.transact(write).unwrap();
    assert_eq!(liar.tell(&mut documents.local), Ok(1));
    let resolved = effective(&documents);
    assert_eq!(resolved.config, sample());
    for path in ["site/emergency/110", "queues/sales/recorded", "numbers/110"] {
        let found = finding(&resolved, path).unwrap();
        assert_eq!((&found.problem, found.severity), (&Problem::NotYours, Severity::Repaired), "{path}");
    }
}

#[test]
fn a_box_that_sends_changes_of_the_centres_document_is_refused() {
    let mut documents = seeded(1);
    let mut liar = Liar::meet(&mut documents.site, Peer::Cloud);
    liar.automerge.transact::<_, _, automerge::AutomergeError>(|tx| tx.put(ROOT, "site/label", "mine")).unwrap();
    let mut state = automerge::sync::State::new();
    let mut ours = documents.site.sync_begin(Peer::Box);
    let hello = documents.site.generate(&mut ours).unwrap();
    let hello = automerge::sync::Message::decode(&hello).unwrap();
    use automerge::sync::SyncDoc;
    liar.automerge.receive_sync_message(&mut state, hello).unwrap();
    state.their_capabilities = None;
    state.peer_read_only = false;
    let push = liar.automerge.generate_sync_message(&mut state).unwrap();
    assert!(!push.changes.is_empty());
    let refused = documents.site.receive(&mut ours, &push.encode());
    assert_eq!(refused, Err(Error::NotTheirs { doc: model::change::Doc::Site }));
    assert_eq!(effective(&documents).config.site.label, "Hangzhou");
}

#[test]
fn objects_lists_texts_and_counters_do_not_get_in() {
    type Write = fn(&mut automerge::transaction::Transaction<'_>) -> Result<(), automerge::AutomergeError>;
    let writes: [Write; 5] = [
        |tx| tx.put_object(ROOT, "queues/sales/ring_s", ObjType::Map).map(drop),
        |tx| tx.put_object(ROOT, "queues/sales/label", ObjType::Text).map(drop),
        |tx| tx.put_object(ROOT, "agents", ObjType::List).map(drop),
        |tx| {
            let list = tx.put_object(ROOT, "agents", ObjType::List)?;
            tx.insert(list, 0, "x")
        },
        |tx| {
            tx.put(ROOT, "c", ScalarValue::counter(1))?;
            tx.increment(ROOT, "c", 2)
        },
    ];
    for write in writes {
        let mut documents = seeded(1);
        let mut liar = Liar::meet(&mut documents.site, Peer::Cloud);
        liar.automerge.transact(write).unwrap();
        let before = documents.site.heads();
        assert!(matches!(liar.tell(&mut documents.site), Err(Error::Malformed(_))));
        assert_eq!(documents.site.heads(), before);
    }
}

#[test]
fn a_change_with_more_operations_than_allowed_is_refused() {
    let mut documents = seeded(1);
    let mut liar = Liar::meet(&mut documents.site, Peer::Cloud);
    let write = |tx: &mut automerge::transaction::Transaction<'_>| -> Result<(), automerge::AutomergeError> {
        (0..1_025).try_for_each(|n| tx.put(ROOT, format!("k{n}"), true))
    };
    liar.automerge.transact(write).unwrap();
    assert!(matches!(liar.tell(&mut documents.site), Err(Error::TooLarge { .. })));
}

#[test]
fn a_whole_document_in_one_deflated_chunk_is_refused() {
    let mut documents = seeded(1);
    let liar = Liar::meet(&mut documents.site, Peer::Cloud);
    let message = automerge::sync::Message {
        heads: liar.automerge.get_heads(),
        need: vec![],
        have: vec![],
        changes: liar.automerge.save().into(),
        flags: None,
        version: automerge::sync::MessageVersion::V2,
    };
    let mut fresh = seeded(2);
    let mut state = fresh.site.sync_begin(Peer::Cloud);
    assert!(matches!(fresh.site.receive(&mut state, &message.encode()), Err(Error::Malformed(_))));
}

#[test]
fn one_actor_that_writes_two_things_at_once_is_a_contradiction() {
    let (mut one, mut twin, mut third) = (seeded(7), seeded(7), seeded(3));
    let first = local(&mut one, Change::QueueRing { queue: id("sales"), seconds: 40 });
    let second = local(&mut twin, Change::QueueRing { queue: id("sales"), seconds: 50 });
    third.local.apply(&first).unwrap();
    let before = effective(&third);
    assert_eq!(third.local.apply(&second), Err(Error::Contradiction));
    assert_eq!(effective(&third), before);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn random_bytes_are_refused_and_change_nothing(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut documents = seeded_once();
        let before = documents.site.heads();
        prop_assert!(documents.site.apply(&bytes).is_err());
        let mut state = documents.site.sync_begin(Peer::Cloud);
        // A message of heads alone may happen to be well formed; then it carries nothing.
        if let Ok(new) = documents.site.receive(&mut state, &bytes) {
            prop_assert!(new.is_empty());
        }
        documents.site.sync_resume(Peer::Cloud, &bytes);
        prop_assert_eq!(documents.site.heads(), before);
    }

    #[test]
    fn a_true_change_with_any_byte_flipped_or_cut_is_refused(at in any::<prop::sample::Index>(), flip in 1_u8.., cut in any::<bool>()) {
        let mut documents = seeded_once();
        let mut other = documents.clone();
        let mut bytes = local(&mut other, Change::QueueRing { queue: id("sales"), seconds: 40 });
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] ^= flip }
        let before = documents.local.heads();
        prop_assert!(documents.local.apply(&bytes).is_err());
        prop_assert_eq!(documents.local.heads(), before);
    }

    #[test]
    fn a_true_message_with_any_byte_flipped_never_writes_anything_else(at in any::<prop::sample::Index>(), flip in 1_u8..) {
        let mut here = seeded_once();
        let mut there = here.clone();
        local(&mut there, Change::QueueRing { queue: id("sales"), seconds: 40 });
        let (mut a, mut b) = (here.local.sync_begin(Peer::Cloud), there.local.sync_begin(Peer::Box));
        let hello = here.local.generate(&mut a).unwrap();
        there.local.receive(&mut b, &hello).unwrap();
        let mut message = there.local.generate(&mut b).unwrap();
        let at = at.index(message.len());
        message[at] ^= flip;
        here.local.receive(&mut a, &message).ok();
        let ring = effective(&here).config.queues[&id("sales")].ring_s;
        prop_assert!(ring == 15 || ring == 40, "{}", ring);
        here.local.generate(&mut a);
    }
}

fn seeded_once() -> config::Documents {
    static SEEDED: std::sync::OnceLock<config::Documents> = std::sync::OnceLock::new();
    SEEDED.get_or_init(|| seeded(1)).clone()
}
