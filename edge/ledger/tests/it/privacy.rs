//! People's numbers and names are sealed in every file, and gone from all when they are erased.

use std::fs;

use ledger::{
    Batch, BranchKey, Credential, CredentialChange, CredentialKind, Error, Ledger, Personal, Rekeyed, Secret,
};
use model::{ContactId, TrunkId};

use crate::support::{KEY, Place, arrived, quick};

const NUMBER: &str = "+8613800001111";

fn person() -> Personal {
    let customer = Some(NUMBER.trim_start_matches('+').into());
    let shown = vec![("Account".into(), "4711-0815".into())];
    Personal { caller: Some(NUMBER.into()), name: Some("Zhang Wei".into()), dialled: None, customer, shown }
}

fn with_person(place: &Place) -> Ledger {
    let ledger = place.open();
    let personal = vec![(ContactId(1), person()), (ContactId(2), person())];
    let batch = Batch { facts: vec![arrived(1, 0), arrived(2, 0)], personal, ..Batch::default() };
    ledger.writer().submit(batch).wait().unwrap();
    ledger
}

fn anywhere_in_files(place: &Place, needle: &[u8]) -> bool {
    let files = fs::read_dir(place.dir.path()).unwrap();
    files.into_iter().any(|file| fs::read(file.unwrap().path()).unwrap().windows(needle.len()).any(|w| w == needle))
}

#[test]
fn a_callers_number_is_nowhere_in_the_files_and_opens_with_the_branch_key_only() {
    let place = Place::new();
    let ledger = with_person(&place);
    assert_eq!(ledger.reader().unwrap().personal(ContactId(1)).unwrap(), Some(person()));
    assert!(!anywhere_in_files(&place, NUMBER.as_bytes()));
    for word in ["Zhang", "8613800001111", "4711-0815"] {
        assert!(!anywhere_in_files(&place, word.as_bytes()), "{word}");
    }
    ledger.close();
    let stranger = Ledger::open(&place.path, BranchKey::new([8; 32]), quick()).unwrap();
    assert_eq!(stranger.reader().unwrap().personal(ContactId(1)), Err(Error::Sealed));
}

#[test]
fn an_erased_person_is_gone_from_every_file_and_nobody_else_is() {
    let place = Place::new();
    let ledger = with_person(&place);
    let wrapped: Vec<Vec<u8>> = {
        let db = rusqlite::Connection::open(&place.path).unwrap();
        let mut select = db.prepare("SELECT wrapped FROM personal_keys ORDER BY contact").unwrap();
        select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert!(anywhere_in_files(&place, &wrapped[0]));
    ledger.writer().submit(Batch { erase: vec![ContactId(1)], ..Batch::default() }).wait().unwrap();
    let reader = ledger.reader().unwrap();
    assert_eq!(reader.personal(ContactId(1)).unwrap(), None);
    assert_eq!(reader.personal(ContactId(2)).unwrap(), Some(person()));
    assert_eq!(reader.facts_of(ContactId(1)).unwrap().len(), 1, "the chain of facts stays whole");
    assert!(!anywhere_in_files(&place, &wrapped[0]), "the wrapped key can still be found");
    assert!(anywhere_in_files(&place, &wrapped[1]));
}

#[test]
fn another_branch_key_opens_everything_and_the_old_one_nothing_and_once_more_changes_nothing() {
    let place = Place::new();
    let ledger = with_person(&place);
    let trunk = CredentialKind::Trunk { trunk: TrunkId::new("sip").unwrap() };
    let put = CredentialChange::Put(Credential { kind: trunk.clone(), secret: Secret::new("at the trunk") });
    ledger.writer().submit(Batch { credentials: vec![put], ..Batch::default() }).wait().unwrap();
    ledger.close();
    let [old, new, stranger] = [KEY, [8; 32], [7; 32]].map(BranchKey::new);
    assert_eq!(ledger::rekey(&place.path, &stranger, &new), Ok(Rekeyed { rows: 0, lost: 4 }));
    for _ in 0..2 {
        assert_eq!(ledger::rekey(&place.path, &old, &new), Ok(Rekeyed { rows: 4, lost: 0 }));
    }
    let found_again = |key: BranchKey| {
        let ledger = Ledger::open(&place.path, key, quick()).unwrap();
        ledger.writer().submit(Batch { personal: vec![(ContactId(3), person())], ..Batch::default() }).wait().unwrap();
        let found = ledger.reader().unwrap().earlier_contacts(ContactId(3), 9).unwrap();
        ledger.close();
        found
    };
    assert_eq!(found_again(new.clone()), [ContactId(2), ContactId(1)], "the index goes on under the new key");
    let read = |key: BranchKey| {
        let ledger = Ledger::open(&place.path, key, quick()).unwrap();
        let reader = ledger.reader().unwrap();
        let read = (reader.personal(ContactId(2)), reader.credential(&trunk));
        ledger.close();
        read
    };
    assert_eq!(read(new), (Ok(Some(person())), Ok(Some(Secret::new("at the trunk")))));
    assert_eq!(read(old), (Err(Error::Sealed), Err(Error::Sealed)));
    let nowhere = place.dir.path().join("nowhere.db");
    assert!(ledger::rekey(&nowhere, &stranger, &stranger).is_err() && !nowhere.exists(), "it made a ledger");
}
