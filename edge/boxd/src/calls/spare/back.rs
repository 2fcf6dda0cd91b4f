//! What was told while the disk took nothing goes home when it takes a ledger again: facts, records and what is known of
//! people, from each spare ledger, which is then removed. What cannot be brought home stays where it is.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context;
use ledger::{Batch, Ledger, Note, NoteEdit, Options, Reader};
use model::{
    ContactId,
    fact::{Fact, Kind},
    leaving::Notice,
};
use tracing::{error, info};

use super::Opened;
use crate::keys::{Keys, Plain};

/// Facts of one life on the spare ledger; older ones stay behind.
const FACTS_MAX: u64 = 100_000;
/// Facts of one transaction.
const BATCH_FACTS: usize = 5_000;
/// Spare ledgers that one start brings home.
const FILES_MAX: usize = 64;

/// Brings home what earlier lives wrote down in `run`; the notices among it, which the centre has not heard.
pub fn bring(run: &Path, home: &Opened) -> Vec<Notice> {
    let mut notices = Vec::new();
    for file in files(run) {
        match one(&file, home) {
            Ok(mut told) => {
                notices.append(&mut told);
                remove(&file);
            }
            Err(fault) => error!(file = %file.display(), "what was told without the disk stays there: {fault:#}"),
        }
    }
    notices
}

/// Spare ledgers, the oldest first: their names say when they began.
fn files(run: &Path) -> Vec<PathBuf> {
    let listed = fs::read_dir(run).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_ledger = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with("spare-") && (name.ends_with(".db") || name.ends_with(".fresh"))
    };
    let mut files: Vec<PathBuf> = listed.filter(is_ledger).collect();
    files.sort();
    files.truncate(FILES_MAX);
    files
}

fn one(file: &Path, home: &Opened) -> anyhow::Result<Vec<Notice>> {
    // Where the branch's own key could not be read.
    let other = file.with_file_name("spare.key");
    let other = Keys::new(other, Arc::new(Plain)).load().ok().flatten();
    let opened =
        [Some(home.key.clone()), other].into_iter().flatten().map(|key| Ledger::open(file, key, Options::default()));
    let spare = opened.reduce(Result::or).context("no key")?.context("it cannot be opened")?;
    let reader = spare.reader().context("it cannot be read")?;
    let told = told_there(&reader, &home.reader)?;
    let contacts: Vec<ContactId> = told.iter().filter(|fact| is_end(fact)).filter_map(|fact| fact.contact).collect();
    info!(file = %file.display(), facts = told.len(), contacts = contacts.len(), "told without the disk, brought home");
    // A calls process that had no disk was there all the same.
    submit(home, Batch { lives: reader.lives().context("its lives")?, ..Batch::default() })?;
    for facts in told.chunks(BATCH_FACTS) {
        submit(home, Batch { facts: facts.to_vec(), ..Batch::default() })?;
    }
    for contacts in contacts.chunks(BATCH_FACTS) {
        let mut batch = Batch::default();
        for contact in contacts {
            batch.cdrs.extend(reader.cdr(*contact).context("a record")?);
            // Sealed by another key, perhaps: the record counts without it.
            let person = reader.personal(*contact).ok().flatten();
            batch.personal.extend(person.map(|person| (*contact, person)));
            if home.reader.is_erased(*contact).context("the home ledger")? {
                continue;
            }
            batch.notes.extend(reader.notes(*contact).unwrap_or_default().iter().map(|note| note_edit(*contact, note)));
        }
        submit(home, batch)?;
    }
    spare.close();
    Ok(told.iter().filter_map(notice).collect())
}

fn note_edit(contact: ContactId, note: &Note) -> NoteEdit {
    NoteEdit { contact, agent: note.agent.clone(), at: note.at, text: note.text.clone(), base: None }
}

/// What its one life has told, less what is at home already: a start that was cut short brought some of it.
fn told_there(spare: &Reader, home: &Reader) -> anyhow::Result<Vec<Fact>> {
    let mut told = Vec::new();
    for fact in spare.facts_of_last_life(FACTS_MAX).context("its facts")? {
        let known = match fact.contact {
            Some(contact) => !home.facts_of(contact).context("the facts at home")?.is_empty(),
            // Processes begin; that is no news of the branch.
            None => matches!(fact.kind, Kind::Started { .. }),
        };
        if !known {
            told.push(fact);
        }
    }
    Ok(told)
}

fn submit(home: &Opened, batch: Batch) -> anyhow::Result<()> {
    home.ledger.writer().submit(batch).wait().context("the disk does not take it").map(drop)
}

fn is_end(fact: &Fact) -> bool {
    matches!(fact.kind, Kind::Ended { .. })
}

fn notice(fact: &Fact) -> Option<Notice> {
    match &fact.kind {
        Kind::Noticed { notice, what, place, trunk } => {
            Some(Notice { notice: *notice, at: fact.at, what: *what, place: place.clone(), trunk: trunk.clone() })
        }
        _ => None,
    }
}

fn remove(file: &Path) {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = file.as_os_str().to_owned();
        name.push(suffix);
        let _ = fs::remove_file(PathBuf::from(name));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use model::{
        Millis, NoticeId,
        fact::{EndCause, Process},
        leaving::What,
    };

    use ledger::BranchKey;

    use super::*;

    fn opened(file: &Path, key: &BranchKey) -> Opened {
        let ledger = Ledger::open(file, key.clone(), Options::default()).expect("a ledger");
        let reader = ledger.reader().expect("a reader");
        Opened { ledger: Arc::new(ledger), reader, key: key.clone(), spare: false }
    }

    fn fact(at: i64, contact: Option<u128>, kind: Kind) -> Fact {
        Fact { seq: 0, at: Millis(at), contact: contact.map(ContactId), kind }
    }

    fn started() -> Kind {
        Kind::Started { process: Process::Calls, version: "1".into() }
    }

    #[test]
    fn what_was_told_on_a_spare_ledger_is_at_home_once_and_the_file_is_gone() {
        let folder = tempfile::tempdir().expect("a folder");
        let key = BranchKey::new([7; 32]);
        let home = opened(&folder.path().join("ledger.db"), &key);
        let ended = || Kind::Ended { cause: EndCause::Caller };
        let dialled = || Kind::Dialled { phone: None, agent: None, trunk: None, emergency: true };
        let before = vec![fact(1, None, started()), fact(2, Some(1), dialled()), fact(3, Some(1), ended())];
        submit(&home, Batch { facts: before.clone(), ..Batch::default() }).expect("written");
        let file = folder.path().join("spare-7.db");
        let spare = opened(&file, &key);
        let called = Kind::Noticed { notice: NoticeId(9), what: What::EmergencyCalled, place: None, trunk: None };
        let meanwhile = [
            fact(10, None, started()),
            fact(11, Some(2), dialled()),
            fact(11, None, called),
            fact(12, Some(2), ended()),
        ];
        let facts = before.into_iter().chain(meanwhile).collect();
        let life = ledger::Life { began: Millis(10), seen: Millis(12) };
        submit(&spare, Batch { facts, lives: vec![life], ..Batch::default() }).expect("written");
        drop(spare);

        let notices = bring(folder.path(), &home);
        assert_eq!(
            notices.iter().map(|notice| (notice.what, notice.at)).collect::<Vec<_>>(),
            [(What::EmergencyCalled, Millis(11))]
        );
        let at = |reader: &Reader| {
            reader.facts_after(0, 100).expect("facts").iter().map(|fact| fact.at.0).collect::<Vec<_>>()
        };
        assert_eq!(at(&home.reader), [1, 2, 3, 11, 11, 12], "in order, and what is no news is left out");
        assert_eq!(home.reader.lives().expect("lives"), [life], "nor was it an outage");
        assert!(!file.exists());
        assert_eq!(home.reader.open_contacts().expect("contacts"), [], "the call is over at home as well");
        assert_eq!(bring(folder.path(), &home), [], "there is nothing more");
        assert_eq!(at(&home.reader).len(), 6);
    }
}
