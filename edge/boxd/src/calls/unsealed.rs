//! Recordings whose end no life of this process has told: it died, or the whole machine, while they ran or were being
//! sealed. *Media* seals what was left at its last whole chunk; once a file is sealed, its fact is told.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use ledger::{Batch, BranchKey, Ledger};
use model::{
    ContactId, RecordingId,
    fact::{Fact, Kind},
};
use tracing::{info, warn};

use super::clock::wall;
use crate::recording;

/// Of one life.
const ORPHANS_MAX: usize = 10_000;
/// *Media* seals what it is told of in milliseconds, and what a power cut left when it starts.
const LOOKS: [Duration; 4] =
    [Duration::from_secs(3), Duration::from_secs(15), Duration::from_secs(60), Duration::from_secs(300)];

/// Begun, and neither sealed nor to be sealed by a contact that goes on; by the facts of the life before.
pub fn of<'a>(facts: impl Iterator<Item = &'a Fact>) -> BTreeMap<RecordingId, ContactId> {
    let (mut begun, mut ended) = (BTreeMap::new(), BTreeSet::new());
    for fact in facts {
        match (&fact.kind, fact.contact) {
            (Kind::RecordingStarted { recording }, Some(contact)) => drop(begun.insert(*recording, contact)),
            (Kind::RecordingSealed { recording, .. }, _) => drop(begun.remove(recording)),
            (Kind::Ended { .. }, Some(contact)) => drop(ended.insert(contact)),
            _ => {}
        }
    }
    begun.retain(|_, contact| ended.contains(contact));
    while begun.len() > ORPHANS_MAX {
        begun.pop_first();
    }
    begun
}

/// Looks at their files until all are told of, or have had their time.
pub async fn tell(mut orphans: BTreeMap<RecordingId, ContactId>, folder: PathBuf, key: BranchKey, ledger: Arc<Ledger>) {
    for wait in LOOKS {
        if orphans.is_empty() {
            return;
        }
        tokio::time::sleep(wait).await;
        let (folder, key) = (folder.clone(), key.clone());
        let looked = tokio::task::spawn_blocking(move || {
            let facts: Vec<Fact> = orphans.iter().filter_map(|(id, of)| sealed(&folder, &key, *id, *of)).collect();
            (orphans, facts)
        });
        let Ok((left, facts)) = looked.await else { return warn!("recordings of an earlier life were not looked at") };
        orphans = left;
        if facts.is_empty() {
            continue;
        }
        let told = of_sealed(&facts);
        let count = facts.len();
        match ledger.writer().submit(Batch { facts, ..Batch::default() }).wait() {
            Ok(_) => {
                info!(count, "recordings of an earlier life are sealed");
                orphans.retain(|recording, _| !told.contains(recording));
            }
            Err(error) => warn!(%error, "that recordings are sealed cannot be told"),
        }
    }
}

fn of_sealed(facts: &[Fact]) -> BTreeSet<RecordingId> {
    let recording = |fact: &Fact| match fact.kind {
        Kind::RecordingSealed { recording, .. } => Some(recording),
        _ => None,
    };
    facts.iter().filter_map(recording).collect()
}

/// None: it is not sealed, or not there, or not as it was.
fn sealed(folder: &std::path::Path, key: &BranchKey, recording: RecordingId, contact: ContactId) -> Option<Fact> {
    let journal = recording::verify(&folder.join(format!("{recording}.blr")), key.bytes()).ok()?;
    let trailer = journal.trailer?;
    let (chunks, frames, sha256) = (trailer.chunks, trailer.frames, trailer.sha256);
    let kind = Kind::RecordingSealed { recording, chunks, frames, sha256 };
    Some(Fact { seq: 0, at: wall(), contact: Some(contact), kind })
}

#[cfg(test)]
mod tests {
    use model::{Millis, fact::EndCause};

    use super::*;

    #[test]
    fn only_what_has_ended_without_a_seal_is_looked_for() {
        let sealed =
            |id| Kind::RecordingSealed { recording: RecordingId(id), chunks: 1, frames: 1, sha256: "ab".into() };
        let begun = |id| Kind::RecordingStarted { recording: RecordingId(id) };
        let ended = Kind::Ended { cause: EndCause::Restart };
        let facts: Vec<Fact> = [
            (1, begun(1)),
            (1, sealed(1)),
            (1, begun(2)),
            (1, ended.clone()),
            (2, begun(3)),
            (3, begun(4)),
            (3, ended),
            (3, sealed(4)),
        ]
        .map(|(contact, kind)| Fact { seq: 0, at: Millis(0), contact: Some(ContactId(contact)), kind })
        .into();
        assert_eq!(of(facts.iter()), BTreeMap::from([(RecordingId(2), ContactId(1))]), "the second contact goes on");
    }
}
