//! Tickets as they stand, and what happened to each. What people wrote is sealed under a key of the ticket's own, which goes
//! when one of the contacts that it names is erased: the ticket then says what was done, and of whom and what nothing.

use std::fmt;

use model::{
    AgentId, ContactId, Millis, TicketId,
    ticket::{State, Terms, Ticket, Ticketed},
};
use rusqlite::{Connection, OptionalExtension, Row, params};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{
    apply::{contact_bytes, json},
    customers,
    error::Error,
    key::{BranchKey, KEY_LEN, open, seal},
    outbox::{integer, length, unsigned},
    personal,
    reader::Reader,
};

/// Tickets that are not closed.
pub const TICKETS_MAX: usize = 10_000;
/// Longest text, in bytes: a subject, or a comment.
pub const TICKET_TEXT_LEN_MAX: usize = 16_000;
/// Tickets that are looked at for one list, the latest first.
const LOOKED_AT_MAX: usize = 20_000;
/// Name in `meta`.
const TERMS: &str = "ticket_terms";

/// A ticket, and what it is about in somebody's words; None: erased.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptTicket {
    pub ticket: Ticket,
    pub subject: Option<String>,
}

/// One thing that happened, and what was written with it.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct TicketEntry {
    #[zeroize(skip)]
    pub at: Millis,
    /// None: the clock.
    #[zeroize(skip)]
    pub by: Option<AgentId>,
    #[zeroize(skip)]
    pub what: Ticketed,
    pub text: Option<String>,
}

/// One change of a ticket.
#[derive(Clone, PartialEq, Eq)]
pub struct TicketWrite {
    /// As it stands then. The same version as `base`: only `next` is another.
    pub ticket: Ticket,
    /// The version that it was made of, 0 for a new one; another one that stands there refuses it.
    pub base: u64,
    /// When the clock has something to say of it.
    pub next: Option<Millis>,
    /// When it is another.
    pub subject: Option<String>,
    pub entries: Vec<TicketEntry>,
}

impl fmt::Debug for KeptTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptTicket").field("ticket", &self.ticket).finish_non_exhaustive()
    }
}

impl fmt::Debug for TicketEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TicketEntry").field("by", &self.by).field("what", &self.what).finish_non_exhaustive()
    }
}

impl fmt::Debug for TicketWrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TicketWrite").field("ticket", &self.ticket).field("base", &self.base).finish_non_exhaustive()
    }
}

impl TicketWrite {
    pub(crate) fn texts(&self) -> impl Iterator<Item = &String> {
        self.subject.iter().chain(self.entries.iter().filter_map(|entry| entry.text.as_ref()))
    }
}

pub(crate) fn write(db: &Connection, branch: &BranchKey, write: &TicketWrite) -> Result<(), Error> {
    let id = write.ticket.ticket.0.to_be_bytes();
    let stands: Option<(i64, i64)> = db
        .prepare_cached("SELECT version, number FROM tickets WHERE ticket = ?1")?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let version = stands.map_or(0, |(version, _)| unsigned(version));
    if version != write.base {
        return Err(Error::TicketChanged { version });
    }
    if version > 0 && version == write.ticket.version {
        db.prepare_cached("UPDATE tickets SET next = ?2 WHERE ticket = ?1")?
            .execute(params![id, write.next.map(|at| at.0)])?;
        return Ok(());
    }
    if stands.is_none() {
        has_room(db)?;
    }
    if write.texts().next().is_some() && personal::is_erased(db, &id)? {
        return Err(Error::Erased);
    }
    let number = match stands {
        Some((_, number)) => number,
        None => {
            db.prepare_cached("SELECT coalesce(max(number), 0) + 1 FROM tickets")?.query_row([], |row| row.get(0))?
        }
    };
    // Each has a moment of its own, so that pages by it leave nobody out.
    let last: i64 = db
        .prepare_cached("SELECT coalesce(max(changed), 0) FROM tickets WHERE ticket <> ?1")?
        .query_row([id], |row| row.get(0))?;
    let changed = Millis(write.ticket.changed.0.max(last.saturating_add(1)));
    let ticket = Ticket { number: unsigned(number), changed, ..write.ticket.clone() };
    db.prepare_cached(
        "INSERT INTO tickets (ticket, number, version, active, changed, next, json) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (ticket) DO UPDATE SET version = excluded.version, active = excluded.active,
         changed = excluded.changed, next = excluded.next, json = excluded.json",
    )?
    .execute(params![
        id,
        number,
        integer(ticket.version)?,
        ticket.state != State::Closed,
        ticket.changed.0,
        write.next.map(|at| at.0),
        json(&ticket)?
    ])?;
    for contact in &ticket.contacts {
        db.prepare_cached("INSERT OR IGNORE INTO ticket_contacts (contact, ticket) VALUES (?1, ?2)")?
            .execute(params![contact_bytes(*contact), id])?;
    }
    if let Some(subject) = &write.subject {
        let sealed = seal(&*personal::key_of(db, branch, &id)?, &subject_context(&id), subject.as_bytes())?;
        db.prepare_cached("UPDATE tickets SET subject = ?2 WHERE ticket = ?1")?.execute(params![id, sealed])?;
    }
    write.entries.iter().try_for_each(|one| entry(db, branch, &id, one))
}

fn has_room(db: &Connection) -> Result<(), Error> {
    let active: i64 =
        db.prepare_cached("SELECT count(*) FROM tickets WHERE active = 1")?.query_row([], |row| row.get(0))?;
    let len = usize::try_from(active).unwrap_or(usize::MAX).saturating_add(1);
    if len > TICKETS_MAX {
        return Err(Error::TooLarge { what: "tickets that are not closed", len, max: TICKETS_MAX });
    }
    Ok(())
}

fn entry(db: &Connection, branch: &BranchKey, id: &[u8; 16], entry: &TicketEntry) -> Result<(), Error> {
    let n: i64 = db
        .prepare_cached("SELECT coalesce(max(n), 0) + 1 FROM ticket_entries WHERE ticket = ?1")?
        .query_row([id], |row| row.get(0))?;
    let sealed = match &entry.text {
        Some(text) => Some(seal(&*personal::key_of(db, branch, id)?, &entry_context(id, n), text.as_bytes())?),
        None => None,
    };
    let by = entry.by.as_ref().map(AgentId::as_str);
    db.prepare_cached("INSERT INTO ticket_entries (ticket, n, at, by, json, sealed) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
        .execute(params![id, n, entry.at.0, by, json(&entry.what)?, sealed])?;
    Ok(())
}

/// What people wrote in tickets that name this contact.
pub(crate) fn erase(db: &Connection, contact: &[u8; 16]) -> Result<(), Error> {
    let of = "SELECT ticket FROM ticket_contacts WHERE contact = ?1";
    for sql in [
        format!("INSERT OR IGNORE INTO erased (contact) {of}"),
        format!("DELETE FROM personal_keys WHERE contact IN ({of})"),
        format!("UPDATE tickets SET subject = NULL WHERE ticket IN ({of})"),
        format!("UPDATE ticket_entries SET sealed = NULL WHERE ticket IN ({of})"),
    ] {
        db.prepare_cached(&sql)?.execute([contact])?;
    }
    Ok(())
}

pub(crate) fn put_terms(db: &Connection, terms: &Terms) -> Result<(), Error> {
    db.prepare_cached("INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)")?
        .execute(params![TERMS, json(terms)?.into_bytes()])?;
    Ok(())
}

const COLUMNS: &str = "SELECT ticket, json, subject, wrapped FROM tickets
                       LEFT JOIN personal_keys ON personal_keys.contact = tickets.ticket";

/// Which tickets, beside what only the caller can judge.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TicketsWanted {
    /// Also those that are closed.
    pub closed: bool,
    /// Only those that changed before.
    pub before: Option<Millis>,
    /// In the subject, however it is written.
    pub text: Option<String>,
    pub limit: usize,
}

impl Reader {
    pub fn ticket(&self, ticket: TicketId) -> Result<Option<KeptTicket>, Error> {
        let sql = format!("{COLUMNS} WHERE ticket = ?1");
        let mut select = self.db().prepare_cached(&sql)?;
        let row = select.query_row([ticket.0.to_be_bytes()], Raw::read).optional()?;
        row.map(|raw| raw.kept(self.key())).transpose()
    }

    /// What happened to it, in order.
    pub fn ticket_entries(&self, ticket: TicketId) -> Result<Vec<TicketEntry>, Error> {
        let id = ticket.0.to_be_bytes();
        let mut select = self.db().prepare_cached(
            "SELECT n, at, by, json, sealed, wrapped FROM ticket_entries
             LEFT JOIN personal_keys ON personal_keys.contact = ticket_entries.ticket WHERE ticket = ?1 ORDER BY n",
        )?;
        let mut rows = select.query([id])?;
        let mut entries = Vec::new();
        while let Some(row) = rows.next()? {
            let unreadable = || Error::Unreadable { what: "ticket" };
            let (by, what): (Option<String>, String) = (row.get(2)?, row.get(3)?);
            let (sealed, wrapped): (Option<Vec<u8>>, Option<Vec<u8>>) = (row.get(4)?, row.get(5)?);
            let text = sealed.zip(wrapped).map(|(sealed, wrapped)| {
                let n: i64 = row.get(0)?;
                opened(self.key(), &id, &wrapped, &entry_context(&id, n), &sealed)
            });
            entries.push(TicketEntry {
                at: Millis(row.get(1)?),
                by: by.map(|by| AgentId::new(&by)).transpose().map_err(|_| unreadable())?,
                what: serde_json::from_str(&what).map_err(|_| unreadable())?,
                text: text.transpose()?,
            });
        }
        Ok(entries)
    }

    /// Those that changed last first; whether there may be more.
    pub fn tickets(
        &self,
        wanted: &TicketsWanted,
        mut fits: impl FnMut(&Ticket) -> bool,
    ) -> Result<(Vec<KeptTicket>, bool), Error> {
        let which = if wanted.closed { "" } else { "active = 1 AND" };
        let sql = format!("{COLUMNS} WHERE {which} changed < ?1 ORDER BY changed DESC LIMIT ?2");
        let text = wanted.text.as_deref().map(str::to_lowercase);
        let mut select = self.db().prepare_cached(&sql)?;
        let before = wanted.before.map_or(i64::MAX, |before| before.0);
        let mut found = Vec::new();
        let mut looked_at = 0_usize;
        for raw in select.query_map(params![before, length(LOOKED_AT_MAX)], Raw::read)? {
            looked_at = looked_at.saturating_add(1);
            let raw = raw?;
            if !fits(&raw.ticket()?) {
                continue;
            }
            let kept = raw.kept(self.key())?;
            let says = |text: &String| kept.subject.as_ref().is_some_and(|says| says.to_lowercase().contains(text));
            if !text.as_ref().is_none_or(says) {
                continue;
            }
            if found.len() >= wanted.limit {
                return Ok((found, true));
            }
            found.push(kept);
        }
        Ok((found, looked_at >= LOOKED_AT_MAX))
    }

    /// Those of which the clock has something to say by then.
    pub fn tickets_due(&self, until: Millis, limit: usize) -> Result<Vec<KeptTicket>, Error> {
        let sql = format!("{COLUMNS} WHERE next <= ?1 ORDER BY next LIMIT ?2");
        let mut select = self.db().prepare_cached(&sql)?;
        let rows = select.query_map(params![until.0, length(limit)], Raw::read)?;
        // One that cannot be read keeps no other from its time.
        let kept = rows.map(|raw| raw?.kept(self.key())).filter(|kept| !matches!(kept, Err(Error::Unreadable { .. })));
        kept.collect()
    }

    /// Those that name this contact, or another of the same customer; those that changed last first.
    pub fn tickets_of(&self, contact: ContactId, limit: usize) -> Result<Vec<KeptTicket>, Error> {
        let sql = format!(
            "{COLUMNS} WHERE ticket IN (SELECT ticket FROM ticket_contacts WHERE contact = ?1 OR contact IN
             (SELECT contact FROM customers WHERE customer = (SELECT customer FROM customers WHERE contact = ?1)))
             ORDER BY changed DESC LIMIT ?2"
        );
        let mut select = self.db().prepare_cached(&sql)?;
        let rows = select.query_map(params![contact_bytes(contact), length(limit)], Raw::read)?;
        rows.map(|raw| raw?.kept(self.key())).collect()
    }

    /// Those of the customer with this number, one word for it however it was written.
    pub fn tickets_of_number(&self, number: &str, limit: usize) -> Result<Vec<KeptTicket>, Error> {
        let sql = format!(
            "{COLUMNS} WHERE ticket IN (SELECT ticket FROM ticket_contacts JOIN customers USING (contact)
             WHERE customer = ?1) ORDER BY changed DESC LIMIT ?2"
        );
        let Some(word) = customers::known_word(self.db(), self.key(), number)? else { return Ok(Vec::new()) };
        let mut select = self.db().prepare_cached(&sql)?;
        let rows = select.query_map(params![word, length(limit)], Raw::read)?;
        rows.map(|raw| raw?.kept(self.key())).collect()
    }

    /// By its number for people.
    pub fn ticket_number(&self, number: u64) -> Result<Option<KeptTicket>, Error> {
        let sql = format!("{COLUMNS} WHERE number = ?1");
        let mut select = self.db().prepare_cached(&sql)?;
        let row = select.query_row([integer(number)?], Raw::read).optional()?;
        row.map(|raw| raw.kept(self.key())).transpose()
    }

    /// What is promised of tickets; None: nobody has said anything yet.
    pub fn ticket_terms(&self) -> Result<Option<Terms>, Error> {
        let kept: Option<Vec<u8>> = self
            .db()
            .prepare_cached("SELECT value FROM meta WHERE name = ?1")?
            .query_row([TERMS], |row| row.get(0))
            .optional()?;
        let read = |bytes: Vec<u8>| serde_json::from_slice(&bytes).map_err(|_| Error::Unreadable { what: "terms" });
        kept.map(read).transpose()
    }
}

/// As it lies in the file.
struct Raw {
    id: [u8; 16],
    json: String,
    subject: Option<Vec<u8>>,
    wrapped: Option<Vec<u8>>,
}

impl Raw {
    fn read(row: &Row<'_>) -> rusqlite::Result<Raw> {
        Ok(Raw { id: row.get(0)?, json: row.get(1)?, subject: row.get(2)?, wrapped: row.get(3)? })
    }

    fn ticket(&self) -> Result<Ticket, Error> {
        serde_json::from_str(&self.json).map_err(|_| Error::Unreadable { what: "ticket" })
    }

    fn kept(&self, branch: &BranchKey) -> Result<KeptTicket, Error> {
        let subject = self.subject.as_ref().zip(self.wrapped.as_ref());
        let subject = subject.map(|(sealed, wrapped)| {
            // Sealed by another key: the ticket counts without its words.
            opened(branch, &self.id, wrapped, &subject_context(&self.id), sealed).ok()
        });
        Ok(KeptTicket { ticket: self.ticket()?, subject: subject.flatten() })
    }
}

fn opened(branch: &BranchKey, id: &[u8], wrapped: &[u8], context: &[u8], sealed: &[u8]) -> Result<String, Error> {
    let key = branch.open(id, wrapped)?;
    let key: &[u8; KEY_LEN] = key.as_slice().try_into().map_err(|_| Error::Sealed)?;
    let text = open(key, context, sealed)?;
    Ok(std::str::from_utf8(&text).map_err(|_| Error::Unreadable { what: "ticket" })?.to_owned())
}

/// Bound into the seals, so that no text can stand in for another.
fn subject_context(id: &[u8]) -> Vec<u8> {
    [id, b"\0subject"].concat()
}

fn entry_context(id: &[u8], n: i64) -> Vec<u8> {
    [id, b"\0entry\0", &n.to_be_bytes()].concat()
}
