//! Reading, on a connection of one's own. Nothing here waits for the writer.

use gate::State;
use model::{
    ContactId, Extension, Millis, QueueId,
    cdr::Cdr,
    change::Doc,
    fact::{Disposition, Fact, Kind, Process},
    leaving::Interval,
};
use rusqlite::{Connection, OptionalExtension, params};
use zeroize::Zeroizing;

use crate::{
    apply::{self, GATE, Place, contact_bytes, doc_code},
    batch::{Binding, CredentialKind},
    customers,
    error::Error,
    key::{BranchKey, Secret},
    notes::{self, Note},
    outbox::{integer, length, unsigned},
    personal::Personal,
};

/// Facts read at once while looking back for a beginning.
const LIFE_STEP: u64 = 2_000;

/// A view of the ledger. It can move between threads, and each thread takes its own.
#[derive(Debug)]
pub struct Reader {
    db: Connection,
    key: BranchKey,
}

/// An encoded change of a configuration document, in the order in which this box learnt it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigChange {
    pub seq: u64,
    pub bytes: Vec<u8>,
    /// When it was stored; None: by an earlier version, which did not say.
    pub at: Option<Millis>,
}

impl Reader {
    pub(crate) fn new(db: Connection, key: BranchKey) -> Reader {
        Reader { db, key }
    }

    pub(crate) fn db(&self) -> &Connection {
        &self.db
    }

    pub(crate) fn key(&self) -> &BranchKey {
        &self.key
    }

    /// Several statements that see one state of the file.
    pub(crate) fn together<T>(&self, read: impl FnOnce(&Connection) -> Result<T, Error>) -> Result<T, Error> {
        let transaction = self.db.unchecked_transaction()?;
        let value = read(&transaction)?;
        transaction.finish()?;
        Ok(value)
    }

    /// A number that changes whenever another connection, also of another process, has written. Cheap to poll.
    pub fn data_version(&self) -> Result<u64, Error> {
        Ok(unsigned(self.db.query_row("PRAGMA data_version", [], |row| row.get(0))?))
    }

    /// How often credentials have changed since the file began: whoever holds them looks here whether to read them again.
    pub fn credentials_version(&self) -> Result<u64, Error> {
        apply::counted(&self.db, apply::CREDENTIALS)
    }

    /// Everything that happened in a contact, in order.
    pub fn facts_of(&self, contact: ContactId) -> Result<Vec<Fact>, Error> {
        let mut select = self.db.prepare_cached("SELECT json FROM facts WHERE contact = ?1 ORDER BY epoch, seq")?;
        parsed(select.query_map([contact_bytes(contact)], |row| row.get(0))?, "fact")
    }

    /// Facts of the current epoch after `seq`, oldest first.
    pub fn facts_after(&self, seq: u64, limit: usize) -> Result<Vec<Fact>, Error> {
        let mut select = self.db.prepare_cached(
            "SELECT json FROM facts WHERE epoch = (SELECT max(no) FROM epochs) AND seq > ?1 ORDER BY seq LIMIT ?2",
        )?;
        parsed(select.query_map(params![integer(seq)?, length(limit)], |row| row.get(0))?, "fact")
    }

    /// Facts since the *calls* process last began, oldest first; the newest `limit` of them, about.
    pub fn facts_of_last_life(&self, limit: u64) -> Result<Vec<Fact>, Error> {
        let last = self.facts_last()?;
        let mut facts: Vec<Fact> = Vec::new();
        let mut from = last;
        while from > last.saturating_sub(limit) {
            let to = from;
            from = from.saturating_sub(LIFE_STEP);
            let step = usize::try_from(to.saturating_sub(from)).unwrap_or(usize::MAX);
            let mut older = self.facts_after(from, step)?;
            let begins = |fact: &Fact| matches!(fact.kind, Kind::Started { process: Process::Calls, .. });
            let began = older.iter().rposition(begins);
            older.append(&mut facts);
            facts = older;
            if let Some(began) = began {
                facts.drain(..began);
                break;
            }
        }
        Ok(facts)
    }

    /// The newest sequence number of a fact in the current epoch.
    pub fn facts_last(&self) -> Result<u64, Error> {
        Ok(crate::life::current(&self.db)?.map_or(0, |life| life.facts))
    }

    /// Calls that began inside since then, of any life of the process, oldest first.
    pub fn dialled_since(&self, since: Millis) -> Result<Vec<Fact>, Error> {
        let mut select = self.db.prepare_cached(
            "SELECT json FROM facts WHERE at >= ?1 AND (json LIKE '%\"fact\":\"dialled\"%'
             OR json LIKE '%\"fact\":\"forwarded\"%' OR json LIKE '%\"fact\":\"charged\"%'
             OR json LIKE '%\"fact\":\"callback_tried\"%' OR json LIKE '%\"fact\":\"notice%') ORDER BY at, seq",
        )?;
        parsed(select.query_map([since.0], |row| row.get(0))?, "fact")
    }

    /// What the lab's night, a process of its own, has written down in the current epoch after `seq`, oldest first.
    pub fn lab_tests_after(&self, seq: u64) -> Result<Vec<Fact>, Error> {
        let mut select = self.db.prepare_cached(
            "SELECT json FROM facts WHERE epoch = (SELECT max(no) FROM epochs) AND seq > ?1
             AND json LIKE '%\"fact\":\"lab_tested\"%' ORDER BY seq LIMIT 100",
        )?;
        parsed(select.query_map([integer(seq)?], |row| row.get(0))?, "fact")
    }

    /// Contacts that began and did not end, with when they began.
    pub fn open_contacts(&self) -> Result<Vec<(ContactId, Millis)>, Error> {
        let mut select = self.db.prepare_cached("SELECT contact, since FROM open_contacts ORDER BY since, contact")?;
        let rows = select.query_map([], |row| {
            let (contact, since): ([u8; 16], i64) = (row.get(0)?, row.get(1)?);
            Ok((ContactId(u128::from_be_bytes(contact)), Millis(since)))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    pub fn cdr(&self, contact: ContactId) -> Result<Option<Cdr>, Error> {
        let mut select = self.db.prepare_cached("SELECT json FROM cdr WHERE contact = ?1")?;
        Ok(parsed(select.query_map([contact_bytes(contact)], |row| row.get(0))?, "call record")?.pop())
    }

    /// Call records that ended before `before` (or all), newest first.
    pub fn cdrs(&self, limit: usize, before: Option<Millis>) -> Result<Vec<Cdr>, Error> {
        let mut select = self.db.prepare_cached(
            "SELECT json FROM cdr WHERE ended < ?1 AND ended >= coalesce((SELECT ended FROM cdr WHERE ended < ?1
                 ORDER BY ended DESC LIMIT 1 OFFSET ?2 - 1), 0) ORDER BY ended DESC, contact DESC",
        )?;
        let before = before.map_or(i64::MAX, |before| before.0);
        parsed(select.query_map(params![before, length(limit)], |row| row.get(0))?, "call record")
    }

    /// The same of those records that say this of what came of the contact.
    pub fn cdrs_disposed(
        &self,
        disposition: &Disposition,
        limit: usize,
        before: Option<Millis>,
    ) -> Result<Vec<Cdr>, Error> {
        // The expression is the index's, letter by letter.
        let mut select = self.db.prepare_cached(
            "SELECT json FROM cdr WHERE json_extract(json, '$.disposition') = ?1 AND ended < ?2 AND ended >= coalesce(
             (SELECT ended FROM cdr WHERE json_extract(json, '$.disposition') = ?1 AND ended < ?2
              ORDER BY ended DESC LIMIT 1 OFFSET ?3 - 1), 0) ORDER BY ended DESC, contact DESC",
        )?;
        let said = match disposition {
            Disposition::NoneChosen => "none_chosen".to_owned(),
            code @ Disposition::Code(_) => apply::json(code)?,
        };
        let before = before.map_or(i64::MAX, |before| before.0);
        parsed(select.query_map(params![said, before, length(limit)], |row| row.get(0))?, "call record")
    }

    /// Call records after this one, by when they ended, of contacts that ended before `until`; the oldest first.
    pub fn cdrs_after(&self, after: (Millis, ContactId), until: Millis, limit: usize) -> Result<Vec<Cdr>, Error> {
        let mut select = self.db.prepare_cached(
            "SELECT json FROM cdr WHERE (ended, contact) > (?1, ?2) AND ended < ?3 ORDER BY ended, contact LIMIT ?4",
        )?;
        let (ended, contact) = after;
        let rows = params![ended.0, contact_bytes(contact), until.0, length(limit)];
        parsed(select.query_map(rows, |row| row.get(0))?, "call record")
    }

    /// How many records there are of contacts that ended from `from` until before `until`.
    pub fn cdrs_between(&self, from: Millis, until: Millis) -> Result<u64, Error> {
        let mut select = self.db.prepare_cached("SELECT count(*) FROM cdr WHERE ended >= ?1 AND ended < ?2")?;
        Ok(unsigned(select.query_row(params![from.0, until.0], |row| row.get(0))?))
    }

    /// Hands over what agents did from `from` until before `until`, in order, one state after the other.
    pub fn agent_states(&self, from: Millis, until: Millis, mut each: impl FnMut(Fact)) -> Result<(), Error> {
        let mut select = self.db.prepare_cached(
            "SELECT json FROM facts WHERE contact IS NULL AND at >= ?1 AND at < ?2
             AND json LIKE '%\"fact\":\"agent_state\"%' ORDER BY epoch, seq",
        )?;
        for json in select.query_map(params![from.0, until.0], |row| row.get::<_, String>(0))? {
            each(serde_json::from_str(&json?).map_err(|_| Error::Unreadable { what: "fact" })?);
        }
        Ok(())
    }

    /// When the first fact that is kept was told.
    pub fn first_fact_at(&self) -> Result<Option<Millis>, Error> {
        let mut select = self.db.prepare_cached("SELECT at FROM facts ORDER BY epoch, seq LIMIT 1")?;
        Ok(select.query_row([], |row| row.get(0)).optional()?.map(Millis))
    }

    /// Was what is personal of this contact erased? Nothing is taken of it any more.
    pub fn is_erased(&self, contact: ContactId) -> Result<bool, Error> {
        crate::personal::is_erased(&self.db, &contact_bytes(contact))
    }

    /// None when nothing was kept or it has been erased.
    pub fn personal(&self, contact: ContactId) -> Result<Option<Personal>, Error> {
        let id = contact_bytes(contact);
        let row: Option<(Vec<u8>, Vec<u8>)> = self
            .db
            .prepare_cached(
                "SELECT sealed, wrapped FROM personal JOIN personal_keys USING (contact) WHERE contact = ?1",
            )?
            .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        row.map(|(sealed, wrapped)| Personal::open(&self.key, &id, &sealed, &wrapped)).transpose()
    }

    /// What agents wrote of a contact, the oldest first; none when it has been erased.
    pub fn notes(&self, contact: ContactId) -> Result<Vec<Note>, Error> {
        notes::read(&self.db, &self.key, contact)
    }

    /// Contacts of the same customer that began before this one, newest first.
    pub fn earlier_contacts(&self, contact: ContactId, limit: usize) -> Result<Vec<ContactId>, Error> {
        customers::earlier(&self.db, contact, limit)
    }

    /// All changes of a document that this box learnt after `after_seq`.
    pub fn config_changes(&self, doc: Doc, after_seq: u64) -> Result<Vec<ConfigChange>, Error> {
        let sql = "SELECT seq, bytes, at FROM config_changes WHERE doc = ?1 AND seq > ?2 ORDER BY seq";
        let mut select = self.db.prepare_cached(sql)?;
        let rows = select.query_map(params![doc_code(doc), integer(after_seq)?], |row| {
            let at = Some(row.get(2)?).filter(|at| *at > 0).map(Millis);
            Ok(ConfigChange { seq: unsigned(row.get(0)?), bytes: row.get(1)?, at })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    pub fn sync_state(&self, doc: Doc, peer: &str) -> Result<Option<Vec<u8>>, Error> {
        let mut select = self.db.prepare_cached("SELECT bytes FROM sync_state WHERE doc = ?1 AND peer = ?2")?;
        Ok(select.query_row(params![doc_code(doc), peer], |row| row.get(0)).optional()?)
    }

    /// Registrations that have not expired at `now`.
    pub fn bindings(&self, now: Millis) -> Result<Vec<Binding>, Error> {
        let mut select = self.db.prepare_cached(
            "SELECT user, contact, expires, data FROM bindings WHERE expires > ?1 ORDER BY user, contact",
        )?;
        let rows = select.query_map([now.0], |row| {
            let expires = Millis(row.get(2)?);
            Ok(Binding { user: row.get(0)?, contact: row.get(1)?, expires, data: row.get(3)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    pub fn credential(&self, kind: &CredentialKind) -> Result<Option<Secret>, Error> {
        let place = Place::of(kind);
        let sealed: Option<Vec<u8>> = self
            .db
            .prepare_cached(
                "SELECT sealed FROM credentials WHERE kind = ?1 AND name = ?2 AND realm = ?3 AND algorithm = ?4",
            )?
            .query_row(params![place.kind, place.name, place.realm, place.algorithm], |row| row.get(0))
            .optional()?;
        let Some(sealed) = sealed else { return Ok(None) };
        let plain: Zeroizing<Vec<u8>> = self.key.open(&place.context(), &sealed)?;
        let text = std::str::from_utf8(&plain).map_err(|_| Error::Unreadable { what: "credential" })?;
        Ok(Some(Secret::new(text)))
    }

    /// Phones that have an enrolment.
    pub fn enrolled(&self) -> Result<Vec<Extension>, Error> {
        let mut select = self.db.prepare_cached("SELECT name FROM credentials WHERE kind = ?1 ORDER BY name")?;
        let names = select.query_map([apply::ENROLMENT], |row| row.get::<_, String>(0))?;
        names.map(|name| Extension::new(&name?).map_err(|_| Error::Unreadable { what: "enrolment" })).collect()
    }

    /// Closed intervals from `from` on, oldest first, whole (what the gate withholds from the cloud is here).
    pub fn intervals(&self, from: Millis, limit: usize) -> Result<Vec<Interval>, Error> {
        let mut select =
            self.db.prepare_cached("SELECT json FROM intervals WHERE start >= ?1 ORDER BY start, queue LIMIT ?2")?;
        parsed(select.query_map(params![from.0, length(limit)], |row| row.get(0))?, "interval")
    }

    /// The newest revision of one cell.
    pub fn interval(&self, start: Millis, queue: Option<&QueueId>) -> Result<Option<Interval>, Error> {
        let mut select = self.db.prepare_cached("SELECT json FROM intervals WHERE start = ?1 AND queue = ?2")?;
        let queue = queue.map_or("", QueueId::as_str);
        Ok(parsed(select.query_map(params![start.0, queue], |row| row.get(0))?, "interval")?.pop())
    }

    /// How many different intervals were closed.
    pub fn intervals_closed(&self) -> Result<u64, Error> {
        let sql = "SELECT count(DISTINCT start) FROM intervals";
        Ok(unsigned(self.db.prepare_cached(sql)?.query_row([], |row| row.get(0))?))
    }

    /// The gate's state; the empty one on a new box.
    pub fn gate_state(&self) -> Result<State, Error> {
        let bytes: Option<Vec<u8>> = self
            .db
            .prepare_cached("SELECT value FROM meta WHERE name = ?1")?
            .query_row([GATE], |row| row.get(0))
            .optional()?;
        let decode = |bytes: Vec<u8>| State::decode(&bytes).map_err(|_| Error::Unreadable { what: "gate state" });
        bytes.map_or(Ok(State::default()), decode)
    }
}

fn parsed<T: serde::de::DeserializeOwned>(
    rows: impl Iterator<Item = rusqlite::Result<String>>,
    what: &'static str,
) -> Result<Vec<T>, Error> {
    rows.map(|row| serde_json::from_str(&row?).map_err(|_| Error::Unreadable { what })).collect()
}
