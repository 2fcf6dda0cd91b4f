//! Batches, their order and their limits, and what is read back.

use std::{
    sync::mpsc,
    time::{Duration, Instant},
};

use gate::State;
use ledger::{
    Batch, Binding, BindingChange, Credential, CredentialChange, CredentialKind, Error, LIVES_MAX, Ledger, Life,
    Options, Secret, Span,
};
use model::{
    AgentId, ContactId, Extension, Millis, QueueId, RecordingId,
    cdr::Cdr,
    change::Doc,
    fact::{Disposition, Fact, Kind, Process},
    leaving::{Figures, Interval, Leaving},
};

use crate::support::{KEY, Place, arrived, cdr, ended, facts, quick};

#[test]
fn facts_get_gapless_numbers_in_the_order_of_submission() {
    let place = Place::new();
    let ledger = place.open();
    let writer = ledger.writer();
    let first = writer.submit(facts(vec![arrived(1, 10), arrived(2, 11)])).wait().unwrap();
    let second = writer.submit(facts(vec![ended(1, 12)])).wait().unwrap();
    assert_eq!((first.facts, second.facts), (Some(Span { first: 1, last: 2 }), Some(Span { first: 3, last: 3 })));
    let reader = ledger.reader().unwrap();
    let seqs: Vec<u64> = reader.facts_after(0, 10).unwrap().iter().map(|fact| fact.seq).collect();
    assert_eq!(seqs, [1, 2, 3]);
    assert_eq!(reader.facts_of(ContactId(1)).unwrap().len(), 2);
    assert_eq!(reader.open_contacts().unwrap(), [(ContactId(2), Millis(11))]);
    assert_eq!(reader.facts_last().unwrap(), 3);
}

#[test]
fn the_last_life_of_calls_begins_with_its_own_fact() {
    let place = Place::new();
    let ledger = place.open();
    let (writer, reader) = (ledger.writer(), ledger.reader().unwrap());
    let started = |process| Kind::Started { process, version: "1".into() };
    let of_box = |kind| Fact { seq: 0, at: Millis(0), contact: None, kind };
    assert_eq!(reader.facts_of_last_life(100).unwrap(), []);
    writer.submit(facts(vec![arrived(1, 1), arrived(2, 2)])).wait().unwrap();
    assert_eq!(reader.facts_of_last_life(100).unwrap().len(), 2, "no beginning: all there is");
    writer.submit(facts(vec![of_box(started(Process::Calls))])).wait().unwrap();
    for n in 0..5 {
        writer.submit(facts((0..1_000).map(|m| arrived(n * 1_000 + m, 3)).collect())).wait().unwrap();
    }
    writer.submit(facts(vec![of_box(started(Process::Media)), ended(1, 4)])).wait().unwrap();
    let seqs: Vec<u64> = reader.facts_of_last_life(100_000).unwrap().iter().map(|fact| fact.seq).collect();
    assert_eq!(seqs, (3..=5_005).collect::<Vec<_>>());
    let newest = reader.facts_of_last_life(10).unwrap();
    assert!(newest.len() < 5_000 && newest.last().unwrap().seq == 5_005, "a look back that is cut short");
}

#[test]
fn callbacks_run_in_the_order_of_submission_after_the_rows_can_be_read() {
    let place = Place::new();
    let ledger = place.open();
    let (told, heard) = mpsc::channel();
    for number in 0..200_u32 {
        let (told, reader) = (told.clone(), ledger.reader().unwrap());
        ledger.writer().submit_then(facts(vec![arrived(number.into(), 0)]), move |result| {
            let last = result.unwrap().facts.unwrap().last;
            told.send((number, last, reader.facts_last().unwrap() >= last)).unwrap();
        });
    }
    for number in 0..200_u32 {
        assert_eq!(heard.recv().unwrap(), (number, u64::from(number) + 1, true));
    }
}

#[test]
fn batches_that_arrive_together_share_one_wait_for_the_disk() {
    let place = Place::new();
    let options = Options { group: Duration::from_millis(200), ..Options::default() };
    let ledger = Ledger::open(&place.path, ledger::BranchKey::new(KEY), options).unwrap();
    let reader = ledger.reader().unwrap();
    let before = reader.data_version().unwrap();
    let tickets: Vec<_> = (0..50).map(|n| ledger.writer().submit(facts(vec![arrived(n, 0)]))).collect();
    for ticket in tickets {
        ticket.wait().unwrap();
    }
    assert_eq!(reader.data_version().unwrap(), before + 1, "fifty batches, one transaction");
}

#[test]
fn a_record_written_again_with_its_wrap_up_replaces_the_first() {
    let place = Place::new();
    let ledger = place.open();
    let mut record = cdr(7, 5_000);
    let batch = |cdr| Batch { cdrs: vec![cdr], ..Batch::default() };
    ledger.writer().submit(batch(record.clone())).wait().unwrap();
    record.wrap_up_ms = Some(900);
    ledger.writer().submit(batch(record.clone())).wait().unwrap();
    let reader = ledger.reader().unwrap();
    assert_eq!(reader.cdrs(10, None).unwrap(), [record.clone()]);
    assert_eq!(reader.cdr(ContactId(7)).unwrap(), Some(record));
    assert_eq!(reader.cdr(ContactId(8)).unwrap(), None);
}

#[test]
fn records_come_newest_first_and_page_by_their_end() {
    let place = Place::new();
    let ledger = place.open();
    let cdrs = (1..=5).map(|n| cdr(n, i64::try_from(n).unwrap() * 1_000)).collect();
    ledger.writer().submit(Batch { cdrs, ..Batch::default() }).wait().unwrap();
    let ids = |cdrs: Vec<model::cdr::Cdr>| cdrs.iter().map(|cdr| cdr.contact.0).collect::<Vec<_>>();
    let reader = ledger.reader().unwrap();
    assert_eq!(ids(reader.cdrs(2, None).unwrap()), [5, 4]);
    assert_eq!(ids(reader.cdrs(1, Some(Millis(1_000))).unwrap()), Vec::<u128>::new());
    assert_eq!(ids(reader.cdrs(9, Some(Millis(4_000))).unwrap()), [3, 2, 1]);

    // A restart ends many at one moment: a page has all of them or none.
    let sold = Disposition::Code("sold".parse().unwrap());
    let together = (6..=9).map(|n| Cdr { disposition: Some(sold.clone()), ..cdr(n, 4_500) }).collect();
    ledger.writer().submit(Batch { cdrs: together, ..Batch::default() }).wait().unwrap();
    assert_eq!(ids(reader.cdrs(2, None).unwrap()), [5, 9, 8, 7, 6]);
    assert_eq!(ids(reader.cdrs(2, Some(Millis(4_500))).unwrap()), [4, 3]);
    assert_eq!(ids(reader.cdrs_disposed(&sold, 2, None).unwrap()), [9, 8, 7, 6]);
}

#[test]
fn records_are_found_by_what_came_of_the_contact() {
    let place = Place::new();
    let ledger = place.open();
    let sold = Disposition::Code("sold".parse().unwrap());
    let said = |n: u128, disposition: Option<Disposition>| Cdr { disposition, ..cdr(n, 1_000 * n as i64) };
    let later = Disposition::Code("later".parse().unwrap());
    let cdrs = vec![
        said(1, Some(sold.clone())),
        said(2, Some(Disposition::NoneChosen)),
        said(3, None),
        said(4, Some(sold.clone())),
        said(5, Some(later.clone())),
    ];
    ledger.writer().submit(Batch { cdrs, ..Batch::default() }).wait().unwrap();
    let found = |wanted: &Disposition, limit, before| {
        let found = ledger.reader().unwrap().cdrs_disposed(wanted, limit, before).unwrap();
        found.into_iter().map(|cdr| cdr.contact.0).collect::<Vec<_>>()
    };
    assert_eq!((found(&sold, 9, None), found(&sold, 1, None)), (vec![4, 1], vec![4]));
    assert_eq!((found(&sold, 9, Some(Millis(4_000))), found(&Disposition::NoneChosen, 9, None)), (vec![1], vec![2]));
    // A record that is written again is found by its last word alone.
    let cdrs = vec![said(4, Some(later.clone()))];
    ledger.writer().submit(Batch { cdrs, ..Batch::default() }).wait().unwrap();
    assert_eq!((found(&sold, 9, None), found(&later, 9, None)), (vec![1], vec![5, 4]));
}

#[test]
fn configuration_changes_are_kept_once_each_in_their_own_order() {
    let place = Place::new();
    let ledger = place.open();
    let change = |doc, bytes: &[u8]| (doc, bytes.to_vec());
    let config =
        vec![change(Doc::Local, b"a"), change(Doc::Site, b"a"), change(Doc::Local, b"b"), change(Doc::Local, b"a")];
    let done = ledger.writer().submit(Batch { config, ..Batch::default() }).wait().unwrap();
    assert_eq!(done.config, [Some(1), Some(1), Some(2), None]);
    let sync_state = vec![(Doc::Local, "cloud".to_owned(), b"state".to_vec())];
    ledger.writer().submit(Batch { sync_state, ..Batch::default() }).wait().unwrap();
    let reader = ledger.reader().unwrap();
    let bytes: Vec<_> = reader.config_changes(Doc::Local, 0).unwrap().into_iter().map(|c| c.bytes).collect();
    assert_eq!(bytes, [b"a".to_vec(), b"b".to_vec()]);
    let later = reader.config_changes(Doc::Local, 1).unwrap();
    assert_eq!(later.len(), 1);
    assert!(later[0].at.is_some_and(|at| at.0 > 1_700_000_000_000), "{:?}", later[0].at);
    assert_eq!(reader.sync_state(Doc::Local, "cloud").unwrap(), Some(b"state".to_vec()));
    assert_eq!(reader.sync_state(Doc::Site, "cloud").unwrap(), None);
}

#[test]
fn registrations_survive_a_restart_until_they_expire() {
    let place = Place::new();
    let binding = |contact: &str, expires| Binding {
        user: "201".into(),
        contact: contact.into(),
        expires: Millis(expires),
        data: b"flow".to_vec(),
    };
    let ledger = place.open();
    let bindings = vec![
        BindingChange::Put(binding("sip:a", 100)),
        BindingChange::Put(binding("sip:b", 50)),
        BindingChange::Put(binding("sip:c", 100)),
        BindingChange::Remove { user: "201".into(), contact: "sip:c".into() },
    ];
    ledger.writer().submit(Batch { bindings, ..Batch::default() }).wait().unwrap();
    ledger.close();
    let reader = place.open().reader().unwrap();
    assert_eq!(reader.bindings(Millis(60)).unwrap(), [binding("sip:a", 100)]);
}

#[test]
fn a_higher_revision_of_an_interval_wins_and_a_lower_one_does_not() {
    let place = Place::new();
    let ledger = place.open();
    let sales = QueueId::new("sales").unwrap();
    let interval = |revision, offered| Interval {
        queue: Some(sales.clone()),
        start: Millis(900_000),
        length_s: 900,
        revision,
        figures: Figures { offered, ..Figures::default() },
    };
    for cell in [interval(0, 1), interval(2, 3), interval(1, 2)] {
        ledger.writer().submit(Batch { intervals: vec![cell], ..Batch::default() }).wait().unwrap();
    }
    let reader = ledger.reader().unwrap();
    assert_eq!(reader.intervals(Millis(0), 9).unwrap(), [interval(2, 3)]);
    assert_eq!(reader.interval(Millis(900_000), Some(&sales)).unwrap(), Some(interval(2, 3)));
    assert_eq!(reader.intervals_closed().unwrap(), 1);
}

#[test]
fn the_gates_state_goes_on_after_a_restart() {
    let place = Place::new();
    let ledger = place.open();
    assert_eq!(ledger.reader().unwrap().gate_state().unwrap(), State::default());
    let mut gate = gate::Gate::new(gate::Policy { k: 5 }, State::default());
    let figures = Figures { offered: 2, ..Figures::default() };
    let cell = Interval { queue: QueueId::new("sales").ok(), start: Millis(0), length_s: 900, revision: 0, figures };
    let outbox = gate.pass(&[Leaving::Interval(cell)], Millis(900_000)).unwrap();
    let batch = Batch { outbox, gate: Some(gate.state().clone()), ..Batch::default() };
    ledger.writer().submit(batch).wait().unwrap();
    ledger.close();
    let state = place.open().reader().unwrap().gate_state().unwrap();
    assert_eq!(&state, gate.state());
    assert_eq!(state.waiting().offered, 2);
}

#[test]
fn credentials_come_back_for_their_own_place_only() {
    let place = Place::new();
    let ledger = place.open();
    let phone = CredentialKind::Phone {
        phone: Extension::new("201").unwrap(),
        realm: "branch".into(),
        algorithm: "SHA-256".into(),
    };
    let desk = CredentialKind::Desk { agent: AgentId::new("mei").unwrap() };
    let put = |kind: &CredentialKind, secret: &str| {
        CredentialChange::Put(Credential { kind: kind.clone(), secret: Secret::new(secret) })
    };
    let credentials = vec![put(&phone, "ha1"), put(&desk, "$argon2id$…")];
    ledger.writer().submit(Batch { credentials, ..Batch::default() }).wait().unwrap();
    let reader = ledger.reader().unwrap();
    assert_eq!(reader.credential(&phone).unwrap().unwrap().reveal(), "ha1");
    let file = std::fs::read(&place.path).unwrap();
    assert!(!file.windows(8).any(|part| part == b"$argon2i"), "a hash lies in the clear");
    let credentials = vec![CredentialChange::Remove(desk.clone())];
    ledger.writer().submit(Batch { credentials, ..Batch::default() }).wait().unwrap();
    assert_eq!(reader.credential(&desk).unwrap(), None);
}

#[test]
fn a_batch_over_its_limits_is_refused_whole() {
    let place = Place::new();
    let ledger = place.open();
    let many = facts((0..10_001).map(|n| arrived(n, 0)).collect());
    assert!(matches!(ledger.writer().submit(many).wait(), Err(Error::TooLarge { what: "rows", len: 10_001, .. })));
    let config = vec![(Doc::Local, vec![0; (4 << 20) + 1])];
    let large = Batch { config, facts: vec![arrived(1, 0)], ..Batch::default() };
    assert!(matches!(ledger.writer().submit(large).wait(), Err(Error::TooLarge { what: "bytes", .. })));
    assert_eq!(ledger.reader().unwrap().facts_last().unwrap(), 0);
}

#[test]
fn a_full_queue_says_no_at_once_and_what_was_taken_is_written() {
    let place = Place::new();
    let options = Options { queue_max: 4, group: Duration::ZERO, ..quick() };
    let ledger = Ledger::open(&place.path, ledger::BranchKey::new(KEY), options).unwrap();
    let (release, hold) = mpsc::channel::<()>();
    // The writer's thread stands in this callback until the test lets it go.
    ledger.writer().submit_then(Batch::default(), move |_| hold.recv().unwrap());
    let mut tickets = Vec::new();
    let begun = Instant::now();
    let refused = loop {
        let ticket = ledger.writer().submit(facts(vec![arrived(1, 0)]));
        match ticket.wait_for(Duration::ZERO) {
            Some(answer) => break answer,
            None => tickets.push(ticket),
        }
        assert!(tickets.len() <= 6, "the queue takes more than its limit");
    };
    assert_eq!(refused, Err(Error::Full { max: 4 }));
    assert!(begun.elapsed() < Duration::from_secs(5), "a caller had to wait");
    release.send(()).unwrap();
    let taken = tickets.len();
    for ticket in tickets {
        ticket.wait().unwrap();
    }
    assert_eq!(ledger.reader().unwrap().facts_last().unwrap(), u64::try_from(taken).unwrap());
}

#[test]
fn a_closed_ledger_has_written_everything_and_takes_nothing_more() {
    let place = Place::new();
    let ledger = place.open();
    let writer = ledger.writer();
    let ticket = writer.submit(facts(vec![arrived(1, 0)]));
    ledger.close();
    ticket.wait().unwrap();
    assert_eq!(writer.submit(facts(vec![arrived(2, 0)])).wait(), Err(Error::Closed));
}

#[test]
fn a_message_is_open_until_somebody_has_dealt_with_it() {
    let place = Place::new();
    let ledger = place.open();
    let of = |contact, at, kind| Fact { seq: 0, at: Millis(at), contact: Some(ContactId(contact)), kind };
    let queue: QueueId = "sales".parse().unwrap();
    let left = |recording, ms| Kind::MessageLeft { queue: queue.clone(), recording: RecordingId(recording), ms };
    let told = vec![of(1, 10, left(71, Some(4_000))), of(2, 20, left(72, None))];
    ledger.writer().submit(facts(told)).wait().unwrap();
    let reader = ledger.reader().unwrap();
    let open = |limit| reader.open_messages(None, limit).unwrap().iter().map(|one| one.contact.0).collect::<Vec<_>>();
    assert_eq!((open(9), open(1)), (vec![1, 2], vec![1]));
    let in_queue = |queue: &str| reader.open_messages(Some(&[queue.parse().unwrap()].into()), 9).unwrap().len();
    assert_eq!((in_queue("sales"), in_queue("repairs")), (2, 0));
    let by: AgentId = "ann".parse().unwrap();
    let bob: AgentId = "bob".parse().unwrap();
    let done = |by: &AgentId, at| of(1, at, Kind::MessageDone { recording: RecordingId(71), by: by.clone() });
    ledger.writer().submit(facts(vec![done(&by, 30), done(&bob, 40)])).wait().unwrap();
    assert_eq!(open(9), [2]);
    let first = ledger::Message {
        contact: ContactId(1),
        at: Millis(10),
        queue: queue.clone(),
        recording: RecordingId(71),
        ms: Some(4_000),
        done: Some((Millis(30), by)),
    };
    assert_eq!(reader.done_messages(None, 9).unwrap(), std::slice::from_ref(&first), "who was first has done it");
    assert_eq!(reader.message_of(RecordingId(71)).unwrap(), Some(first));
    assert_eq!(reader.message_of(RecordingId(99)).unwrap(), None);
    assert_eq!(reader.message_of(RecordingId(72)).unwrap().unwrap().ms, None);
}

#[test]
fn a_life_that_is_written_again_was_seen_later_and_the_oldest_lives_make_room() {
    let place = Place::new();
    let ledger = place.open();
    let write = |lives: Vec<Life>| ledger.writer().submit(Batch { lives, ..Batch::default() }).wait().unwrap();
    let life = |began, seen| Life { began: Millis(began), seen: Millis(seen) };
    write(vec![life(10, 20), life(30, 31), life(10, 25), life(30, 30)]);
    assert_eq!(ledger.reader().unwrap().lives().unwrap(), [life(10, 25), life(30, 31)]);
    let many = i64::try_from(LIVES_MAX).unwrap();
    write((100..100 + many).map(|n| life(n, n)).collect());
    let lives = ledger.reader().unwrap().lives().unwrap();
    assert_eq!((lives.len(), lives[0]), (LIVES_MAX, life(100, 100)));
}
