//! Looking back at the configuration: what became of edits that were made apart, from the changes in the ledger.

use ::config::{Histories, History, Kept, Scalar, report as resolved};
use ledger::{ConfigChange, Reader};
use model::{change::Doc, history::Report};

/// Reads all there is: on a thread that may block.
pub fn report(reader: &Reader) -> Result<Report, ledger::Error> {
    let of = |doc| Ok::<_, ledger::Error>(History::read(doc, reader.config_changes(doc, 0)?.into_iter().map(kept)));
    Ok(resolved(&Histories { org: of(Doc::Org)?, site: of(Doc::Site)?, local: of(Doc::Local)? }))
}

/// What a change of the branch's document says at a path: Some(None) when it takes away what was said.
pub fn word(reader: &Reader, path: &str, seq: u64) -> Result<Option<Option<Scalar>>, ledger::Error> {
    let changes = reader.config_changes(Doc::Local, seq.saturating_sub(1))?;
    let history = |doc, kept: Vec<Kept>| History::read(doc, kept);
    let one = changes.into_iter().take(1).filter(|change| change.seq == seq).map(kept).collect();
    let of =
        Histories { org: history(Doc::Org, vec![]), site: history(Doc::Site, vec![]), local: history(Doc::Local, one) };
    Ok(of.word(path, seq))
}

/// Which side wrote stands in the change: the cloud takes no false word into the other documents, nor sends one.
fn kept(change: ConfigChange) -> Kept {
    Kept { seq: change.seq, bytes: change.bytes, side: None, author: None, taken: change.at }
}

#[cfg(test)]
mod tests {
    use ::config::{Author, Documents};
    use ledger::{Batch, BranchKey, Ledger, Options};
    use model::{
        Millis,
        change::Change,
        config::Hours,
        history::{Rule, Side},
    };

    use super::*;

    #[test]
    fn what_both_wrote_apart_is_found_in_the_ledger() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&dir.path().join("ledger.db"), BranchKey::new([7; 32]), Options::default()).unwrap();
        let site: model::SiteId = "north".parse().unwrap();
        let label = |label: &str| {
            let value = Hours { label: label.into(), week: Vec::new(), closed: Default::default() };
            Change::HoursAdd { hours: "day".parse().unwrap(), value }
        };
        let write = |actor, text: &str, author| {
            let mut replica = Documents::new(site.clone(), [actor; 16]);
            replica.edit(Doc::Local, &label(text), author, Millis(1_760_000_000_000)).unwrap().unwrap()
        };
        let changes = [write(1, "Branch's", Author::Branch), write(2, "Centre's", Author::Centre)];
        let config = changes.into_iter().map(|bytes| (Doc::Local, bytes)).collect();
        ledger.writer().submit(Batch { config, ..Batch::default() }).wait().unwrap();

        let reader = ledger.reader().unwrap();
        let told = report(&reader).unwrap();
        let waits = told.waiting.iter().find(|waits| waits.path == "hours/day/label").unwrap();
        assert_eq!((waits.rule, waits.said.len()), (Rule::Ask, 2));
        let branch = waits.said.iter().find(|said| said.by.side == Side::Branch).unwrap();
        let own = Some(Some(Scalar::Text("Branch's".into())));
        assert_eq!(word(&reader, "hours/day/label", branch.by.seq).unwrap(), own);
        assert_eq!(word(&reader, "hours/day/label", 99).unwrap(), None);
        assert_eq!(word(&reader, "hours/night/label", branch.by.seq).unwrap(), None);
    }
}
