//! Notes and the index of customers: durable before acknowledged, found again, and gone with the contact.

use std::fs;

use ledger::{Batch, BranchKey, Error, Ledger, NOTE_LEN_MAX, NoteEdit, Personal};
use model::{AgentId, ContactId, Millis};

use crate::support::{KEY, Place, arrived, quick};

const TEXT: &str = "Wants the <b>blue</b> one; calls again on Friday 语";

fn agent(name: &str) -> AgentId {
    AgentId::new(name).unwrap()
}

fn person(number: &str) -> Personal {
    let [caller, customer] = [format!("+{number}"), number.to_owned()].map(Some);
    Personal { caller, name: None, dialled: None, customer, shown: Vec::new() }
}

fn edit(contact: u128, by: &str, text: &str, base: Option<u64>) -> NoteEdit {
    NoteEdit { contact: ContactId(contact), agent: agent(by), at: Millis(7), text: text.into(), base }
}

fn write(ledger: &Ledger, edit: NoteEdit) -> Result<(), Error> {
    ledger.writer().submit(Batch { notes: vec![edit], ..Batch::default() }).wait().map(drop)
}

fn meet(ledger: &Ledger, contacts: &[(u128, &str)]) {
    let personal = contacts.iter().map(|(contact, number)| (ContactId(*contact), person(number))).collect();
    let facts = contacts.iter().map(|(contact, _)| arrived(*contact, 0)).collect();
    ledger.writer().submit(Batch { facts, personal, ..Batch::default() }).wait().unwrap();
}

fn texts(ledger: &Ledger, contact: u128) -> Vec<(String, u64, String)> {
    let notes = ledger.reader().unwrap().notes(ContactId(contact)).unwrap();
    notes.iter().map(|note| (note.agent.to_string(), note.version, note.text.clone())).collect()
}

fn line(agent: &str, version: u64, text: &str) -> (String, u64, String) {
    (agent.into(), version, text.into())
}

#[test]
fn a_note_that_was_acknowledged_is_there_after_a_kill() {
    let place = Place::new();
    let ledger = place.open();
    meet(&ledger, &[(1, "8613800001111")]);
    write(&ledger, edit(1, "li", TEXT, Some(0))).unwrap();
    // What a power cut leaves: the files as they are at the moment of the acknowledgement.
    let other = Place::new();
    for file in fs::read_dir(place.dir.path()).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), other.dir.path().join(file.file_name())).unwrap();
    }
    assert_eq!(texts(&other.open(), 1), [line("li", 1, TEXT)]);
}

#[test]
fn each_agent_writes_a_note_of_its_own_and_a_stale_one_changes_nothing() {
    let place = Place::new();
    let ledger = place.open();
    meet(&ledger, &[(1, "8613800001111")]);
    write(&ledger, edit(1, "li", "first", Some(0))).unwrap();
    write(&ledger, edit(1, "wang", "mine", Some(0))).unwrap();
    write(&ledger, edit(1, "li", "second", Some(1))).unwrap();
    assert_eq!(
        write(&ledger, edit(1, "li", "from a page that lay open", Some(1))),
        Err(Error::NoteChanged { version: 2 })
    );
    assert_eq!(write(&ledger, edit(1, "li", "out of nothing", Some(9))), Err(Error::NoteChanged { version: 2 }));
    assert_eq!(texts(&ledger, 1), [line("li", 2, "second"), line("wang", 1, "mine")]);
    write(&ledger, edit(1, "li", "", None)).unwrap();
    assert_eq!(texts(&ledger, 1)[0], line("li", 3, ""), "taken back, and counted");
}

#[test]
fn a_personal_record_that_is_written_again_keeps_the_notes_readable() {
    let place = Place::new();
    let ledger = place.open();
    // A call between phones has no personal record, and may have a note.
    write(&ledger, edit(1, "li", TEXT, Some(0))).unwrap();
    meet(&ledger, &[(1, "8613800001111")]);
    meet(&ledger, &[(1, "8613800002222")]);
    assert_eq!(texts(&ledger, 1), [line("li", 1, TEXT)]);
    assert_eq!(ledger.reader().unwrap().personal(ContactId(1)).unwrap(), Some(person("8613800002222")));
}

#[test]
fn erasing_a_contact_takes_its_notes_and_its_place_in_the_index_and_nobody_else_s() {
    let place = Place::new();
    let ledger = place.open();
    meet(&ledger, &[(1, "8613800001111"), (2, "8613800001111"), (3, "8613800001111")]);
    for contact in [1, 2] {
        write(&ledger, edit(contact, "li", TEXT, Some(0))).unwrap();
    }
    let sealed: Vec<Vec<u8>> = {
        let db = rusqlite::Connection::open(&place.path).unwrap();
        let mut select = db.prepare("SELECT sealed FROM notes ORDER BY contact").unwrap();
        select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    ledger.writer().submit(Batch { erase: vec![ContactId(1)], ..Batch::default() }).wait().unwrap();
    assert_eq!(texts(&ledger, 1), []);
    assert_eq!(texts(&ledger, 2), [line("li", 1, TEXT)]);
    assert_eq!(ledger.reader().unwrap().earlier_contacts(ContactId(3), 9).unwrap(), [ContactId(2)]);
    let files = |needle: &[u8]| {
        let mut files = fs::read_dir(place.dir.path()).unwrap();
        files.any(|file| fs::read(file.unwrap().path()).unwrap().windows(needle.len()).any(|w| w == needle))
    };
    assert!(!files(&sealed[0]), "the erased note lies in a file");
    assert!(files(&sealed[1]) && !files(b"Friday"));
    // Nothing comes back: neither a late note nor a late personal record.
    assert_eq!(write(&ledger, edit(1, "li", "late", None)), Err(Error::Erased));
    meet(&ledger, &[(1, "8613800001111")]);
    let reader = ledger.reader().unwrap();
    assert_eq!((texts(&ledger, 1), reader.personal(ContactId(1)).unwrap()), (vec![], None));
    assert_eq!(reader.earlier_contacts(ContactId(3), 9).unwrap(), [ContactId(2)]);
}

#[test]
fn a_note_opens_with_the_branch_key_and_follows_it_to_another() {
    let place = Place::new();
    let ledger = place.open();
    meet(&ledger, &[(1, "8613800001111")]);
    write(&ledger, edit(1, "li", TEXT, Some(0))).unwrap();
    ledger.close();
    let stranger = Ledger::open(&place.path, BranchKey::new([8; 32]), quick()).unwrap();
    assert_eq!(stranger.reader().unwrap().notes(ContactId(1)), Err(Error::Sealed));
    stranger.close();
    let [old, new] = [KEY, [8; 32]].map(BranchKey::new);
    ledger::rekey(&place.path, &old, &new).unwrap();
    assert_eq!(texts(&Ledger::open(&place.path, new, quick()).unwrap(), 1), [line("li", 1, TEXT)]);
}

#[test]
fn earlier_contacts_are_those_of_the_same_customer_newest_first_and_no_more_than_asked_for() {
    let place = Place::new();
    let ledger = place.open();
    meet(&ledger, &[(1, "8613800001111"), (2, "8613800002222"), (3, "8613800001111"), (5, "8613800001111")]);
    let personal =
        Personal { caller: Some("anonymous".into()), name: None, dialled: None, customer: None, shown: vec![] };
    let personal = [6, 7].map(|contact| (ContactId(contact), personal.clone())).into();
    ledger.writer().submit(Batch { personal, ..Batch::default() }).wait().unwrap();
    let earlier = |contact: u128, limit| {
        let found = ledger.reader().unwrap().earlier_contacts(ContactId(contact), limit).unwrap();
        found.into_iter().map(|contact| contact.0).collect::<Vec<_>>()
    };
    assert_eq!((earlier(5, 9), earlier(5, 1), earlier(3, 9)), (vec![3, 1], vec![3], vec![1]));
    assert_eq!((earlier(2, 9), earlier(7, 9), earlier(99, 9)), (vec![], vec![], vec![]), "withheld is nobody");
}

#[test]
fn contacts_from_before_there_was_an_index_are_found_once_the_ledger_has_been_open() {
    let place = Place::new();
    let ledger = place.open();
    let personal = (1..=250).map(|contact| (ContactId(contact), person("8613800001111"))).collect();
    ledger.writer().submit(Batch { personal, ..Batch::default() }).wait().unwrap();
    ledger.close();
    // As an earlier version left it.
    let db = rusqlite::Connection::open(&place.path).unwrap();
    db.execute_batch(
        "DROP TABLE chat; DROP TABLE chat_read; DROP TABLE tickets; DROP TABLE ticket_entries; DROP TABLE ticket_contacts;
         DROP INDEX cdr_by_disposition; DROP TABLE lives; DROP INDEX facts_of_no_contact; DROP TABLE customers; DROP TABLE notes; DROP TABLE erased;
         DELETE FROM meta; PRAGMA user_version = 4",
    )
    .unwrap();
    drop(db);
    let ledger = place.open();
    meet(&ledger, &[(999, "8613800001111")]);
    // Closing waits for what the writer was about to do; a second opening finds nothing left to do.
    let mut found = 0;
    for _ in 0..200 {
        ledger.writer().submit(Batch::default()).wait().unwrap();
        found = ledger.reader().unwrap().earlier_contacts(ContactId(999), 1_000).unwrap().len();
        if found == 250 {
            break;
        }
    }
    assert_eq!(found, 250);
}

#[test]
fn a_note_has_a_length() {
    let place = Place::new();
    let ledger = place.open();
    write(&ledger, edit(1, "li", &"x".repeat(NOTE_LEN_MAX), Some(0))).unwrap();
    let longer = write(&ledger, edit(1, "li", &"x".repeat(NOTE_LEN_MAX + 1), Some(1)));
    assert_eq!(longer, Err(Error::TooLarge { what: "bytes of a note", len: NOTE_LEN_MAX + 1, max: NOTE_LEN_MAX }));
    assert_eq!(texts(&ledger, 1)[0].1, 1);
}
