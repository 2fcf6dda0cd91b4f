//! What the last life of this process left: taken over where *media* kept a will of it, closed in the ledger where not.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use anyhow::Context;
use call::{leg::Caller, will::Left};
use floor::{callback, cdr, will};
use ledger::{Batch, Ledger, Reader};
use media::plane::Event;
use model::{
    ContactId, RecordingId,
    fact::{Fact, Kind, Process},
};
use tokio::{sync::mpsc, time::timeout_at};
use tracing::{info, warn};

use super::{clock::wall, engine::Engine, media_client::FromMedia, unsealed};

/// Facts of the last life that are looked through for what it left open.
const FACTS_AT_START: u64 = 200_000;
/// How long *media* has to say what was left: it lives on when this process dies, and after a start of the whole box
/// there is nothing to say.
const LEFT_WITHIN: std::time::Duration = std::time::Duration::from_secs(2);

/// What *media* said before anything else.
#[derive(Default)]
pub struct Heard {
    pub left: Vec<Left>,
    /// What else it said meanwhile.
    pub others: Vec<FromMedia>,
}

/// Hears what the last life left. Nothing open in the ledger, nothing to wait for.
pub async fn hear(reader: &Reader, media: &mut mpsc::Receiver<FromMedia>) -> Heard {
    let mut heard = Heard::default();
    match reader.open_contacts() {
        Ok(open) if open.is_empty() => return heard,
        Ok(_) => {}
        Err(error) => warn!(%error, "it cannot be read whether calls were left"),
    }
    let until = tokio::time::Instant::now() + LEFT_WITHIN;
    loop {
        match timeout_at(until, media.recv()).await {
            Ok(Some(FromMedia::Event(Event::LeftAll))) => return heard,
            Ok(Some(FromMedia::Event(Event::Left { port, local, will }))) => {
                heard.left.push(Left { port, local, will });
            }
            // A media process that began after us has nothing of the last life.
            Ok(Some(FromMedia::Connected { fresh: true })) => heard.left.clear(),
            Ok(Some(other)) => heard.others.push(other),
            Ok(None) | Err(_) => {
                warn!("the media process does not say what was left");
                return Heard { left: Vec::new(), ..heard };
            }
        }
    }
}

/// What was open when the last life ended and cannot be taken over is closed: contacts, wrap-ups and sign-ins, with a
/// record for each contact. Returned are the recordings that nobody will say have been sealed.
pub fn close_the_rest(
    ledger: &Ledger,
    reader: &Reader,
    left: &[Left],
) -> anyhow::Result<BTreeMap<RecordingId, ContactId>> {
    let now = wall();
    let mut estate = will::estate(left);
    for (contact, _) in reader.open_contacts().context("open contacts cannot be read")? {
        if callback::open(&reader.facts_of(contact)?).is_some() {
            estate.contacts.insert(contact);
        }
    }
    let before = reader.facts_of_last_life(FACTS_AT_START)?;
    let mut facts = cdr::close_open(&before, now, &estate);
    let closed: BTreeSet<_> = facts.iter().filter_map(|fact| fact.contact).collect();
    for (contact, _) in reader.open_contacts().context("open contacts cannot be read")? {
        // One that is older than what was looked back at.
        if !closed.contains(&contact) {
            facts.extend(cdr::close_open(&reader.facts_of(contact)?, now, &estate));
        }
    }
    let mut orphans = unsealed::of(before.iter().chain(&facts));
    // What an earlier life began to record, the last one took over, and neither ended.
    for contact in facts.iter().filter_map(|fact| fact.contact).collect::<BTreeSet<_>>() {
        orphans.extend(unsealed::of(reader.facts_of(contact)?.iter().chain(&facts)));
    }
    let cdrs = cdr::closed(&facts, |contact| reader.facts_of(contact))?;
    info!(closed = cdrs.len(), taken_over = estate.contacts.len(), "contacts of an earlier life");
    let kind = Kind::Started { process: Process::Calls, version: env!("CARGO_PKG_VERSION").into() };
    facts.push(Fact { seq: 0, at: now, contact: None, kind });
    let batch = Batch { facts, cdrs, ..Batch::default() };
    ledger.writer().submit(batch).wait().context("the ledger does not take facts")?;
    Ok(orphans)
}

/// Open messages of all queues.
const MESSAGES_MAX: usize = 20_000;

impl Engine {
    /// Hears what else *media* said, its certificate above all, and takes over what was left.
    pub fn adopt(&mut self, heard: Heard) {
        for other in heard.others {
            self.hear_media(other);
        }
        let reader = &self.reader;
        let facts_of = |contact| {
            reader.facts_of(contact).unwrap_or_else(|error| {
                warn!(%error, "a contact's facts cannot be read: it is not taken over");
                Vec::new()
            })
        };
        self.floor.adopt(Instant::now(), wall(), heard.left, facts_of);
        match self.reader.open_messages(None, MESSAGES_MAX) {
            Ok(open) => {
                open.into_iter().for_each(|left| self.floor.recall_message(left.contact, left.queue, left.recording))
            }
            Err(error) => warn!(%error, "messages that callers left cannot be read"),
        }
        if let Err(error) = self.recall() {
            warn!(%error, "whom to call back cannot be read");
        }
        self.obey();
    }

    /// Who was promised a call back keeps the promise and the place.
    fn recall(&mut self) -> Result<(), ledger::Error> {
        for (contact, _) in self.reader.open_contacts()? {
            let facts = self.reader.facts_of(contact)?;
            let Some(person) = callback::open(&facts).and(self.reader.personal(contact)?) else { continue };
            let number = person.dialled.clone().or_else(|| person.caller.clone()).unwrap_or_default();
            let caller = Caller { number: person.caller.clone().unwrap_or_default(), name: person.name.clone() };
            self.floor.recall(Instant::now(), wall(), (contact, &facts), (caller, number));
        }
        Ok(())
    }
}
