//! What of a contact and its customer's history one reader may see.

use std::collections::BTreeMap;

use model::{ContactId, DispositionId, QueueId, config::Config};

use super::Reader;
use crate::{api, ports};

impl Reader<'_> {
    /// The contact that this reader is offered, talks to or writes up: its queue, if it has one.
    pub fn has(&self, board: &floor::board::Board, contact: ContactId) -> Option<Option<QueueId>> {
        let own = board.agents.iter().find(|line| line.agent == *self.agent)?;
        let card = own.contact.as_ref().filter(|card| card.contact == contact)?;
        Some(card.queue.clone())
    }
}

/// `queue`: the contact's.
pub fn card(
    config: &Config,
    contact: ContactId,
    queue: Option<&QueueId>,
    found: Option<ports::Known>,
    reader: &Reader<'_>,
) -> api::Card {
    let fits = config.dispositions_for(queue).into_iter();
    api::Card {
        contact,
        dispositions: fits.map(|(code, label)| (code.clone(), label.to_owned())).collect(),
        known: found.map(|found| known(found, &config.site.dispositions, reader)),
    }
}

fn known(found: ports::Known, labels: &BTreeMap<DispositionId, String>, reader: &Reader<'_>) -> api::Known {
    let (own, others): (Vec<_>, Vec<_>) = found.notes.into_iter().partition(|note| note.agent == *reader.agent);
    let own = own.into_iter().next().map(|note| api::OwnNote { version: note.version, text: note.text });
    api::Known {
        shown: found.shown,
        note: own.unwrap_or_default(),
        notes: notes(others),
        earlier: found.earlier.into_iter().map(|one| earlier(one, reader)).collect(),
        more: found.more,
        labels: labels.clone(),
    }
}

fn earlier(one: ports::Earlier, reader: &Reader<'_>) -> api::Earlier {
    let mut cdr = one.cdr;
    cdr.recording = cdr.recording.filter(|_| reader.may_see(cdr.agent.as_ref()));
    api::Earlier { cdr, notes: notes(one.notes) }
}

/// A note that was taken back says nothing.
pub fn notes(notes: Vec<ports::Note>) -> Vec<api::Note> {
    let written = notes.into_iter().filter(|note| !note.text.is_empty());
    written.map(|note| api::Note { agent: note.agent, at: note.at, text: note.text }).collect()
}
