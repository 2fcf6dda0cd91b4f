//! Carries roll-outs out: shows `fleet`'s machine what boxes report, and writes what it asks for into the documents. One
//! step is one transaction: how the machine stands, the changes, and the audit; who made it from an older state writes
//! nothing. Of several instances one does it at a time.

mod evidence;
mod look;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use db::{
    Connection,
    change::Of,
    lease,
    rollout::{self, Kept},
    token, touched,
};
use fleet::{
    Input, Output, Rollout,
    rollout::{Command, Note},
};
use model::{BoxId, Millis, SiteId, change::Doc};
use serde_json::{Value, json};

pub use evidence::Memory;
pub use look::{Looked, look};

use crate::{
    app::App,
    clock,
    documents::{Edited, Refused},
    drills,
    shelf::MACHINE,
};

/// How often what boxes report is looked at.
const EVERY: Duration = Duration::from_secs(1);
/// Sites that are written in one transaction.
const SITES_A_STEP: usize = 8;
/// Steps of one roll-out between two looks at the others.
const STEPS_A_TURN: usize = 32;
/// How often a step is tried again that was made from an older state.
const TRIES: usize = 5;
/// The documents that are written.
const WRITTEN: [Doc; 2] = [Doc::Site, Doc::Local];
const WORK: &str = "rollouts";
const LEASE_MS: i64 = 10_000;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no such roll-out")]
    Unknown,
    #[error(transparent)]
    Refused(#[from] fleet::rollout::Refused),
    #[error("{0} is part of another roll-out that is not over")]
    Busy(SiteId),
    /// Others write to it all the time.
    #[error("the roll-out moves on; try again")]
    Moved,
    #[error(transparent)]
    Db(#[from] db::Error),
}

/// Until the daemon stops.
pub async fn run(app: Arc<App>) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = app.stop.cancelled() => break,
            _ = ticks.tick() => {}
        }
        if let Err(error) = turn(&app).await {
            tracing::warn!(%error, "roll-outs could not be looked at");
        }
    }
    if app.db.is_shared() {
        let _ = app.db.write(|conn| lease::leave(conn, WORK, touched::me())).await;
    }
}

/// Everything that is due by now.
pub async fn turn(app: &Arc<App>) -> Result<(), Error> {
    let live = app.db.read(rollout::live).await?;
    // One that cannot be read is tried, so that the log tells of it.
    let busy = live.iter().filter(|kept| read(kept).map_or(true, |one| one.state.is_live()));
    let busy: Vec<i64> = busy.map(|kept| kept.id).collect();
    if busy.is_empty() || !ours(app).await? {
        return Ok(());
    }
    for id in busy {
        for _ in 0..STEPS_A_TURN {
            match step(app, id, None).await {
                Ok(true) => {}
                Ok(false) | Err(Error::Moved) => break,
                Err(error) => {
                    tracing::error!(id, %error, "a roll-out cannot go on");
                    break;
                }
            }
        }
    }
    Ok(())
}

async fn ours(app: &App) -> Result<bool, Error> {
    if !app.db.is_shared() {
        return Ok(true);
    }
    let now = clock::now();
    let until = Millis(now.0.saturating_add(LEASE_MS));
    Ok(app.db.write(move |conn| lease::hold(conn, WORK, touched::me(), until, now)).await?)
}

/// What a person says of a roll-out.
pub async fn say(app: &Arc<App>, id: i64, by: &str, command: Command) -> Result<(), Error> {
    for _ in 0..TRIES {
        match step(app, id, Some((by.to_owned(), command))).await {
            Err(Error::Moved) => {}
            done => return done.map(drop),
        }
    }
    Err(Error::Moved)
}

/// Whether something has changed, so that more may be due.
async fn step(app: &Arc<App>, id: i64, said: Option<(String, Command)>) -> Result<bool, Error> {
    let _turn = app.documents.turn.lock().await;
    let now = clock::now();
    let linked: BTreeSet<BoxId> = app.presence().into_iter().map(|presence| presence.box_id).collect();
    let reader = Arc::clone(app);
    let work = app.db.read(move |conn| prepare(&reader, conn, id, &linked, said, now)).await?;
    let Some(work) = work else { return Ok(false) };
    let touched: Vec<(SiteId, Doc)> =
        work.edits.iter().flat_map(|edit| edit.edited.docs().into_iter().map(|doc| (edit.site.clone(), doc))).collect();
    if !app.db.write(move |conn| work.store(conn, now)).await? {
        return Err(Error::Moved);
    }
    touched.iter().for_each(|(site, doc)| app.edited(site, *doc));
    Ok(true)
}

pub fn read(kept: &Kept) -> db::Result<Rollout> {
    serde_json::from_str(&kept.body).map_err(|error| db::Error::Corrupt { what: "a roll-out", why: error.to_string() })
}

pub fn written(rollout: &Rollout) -> db::Result<String> {
    serde_json::to_string(rollout).map_err(|error| db::Error::Corrupt { what: "a roll-out", why: error.to_string() })
}

struct Edit {
    site: SiteId,
    edited: Edited,
    /// What was made is taken back by it.
    back: bool,
}

/// A step that is to be stored.
struct Work {
    kept: Kept,
    rollout: Rollout,
    edits: Vec<Edit>,
    /// Who, what, and what of.
    audit: Vec<(String, &'static str, Value)>,
}

/// None: nothing has changed.
fn prepare(
    app: &App,
    conn: &Connection,
    id: i64,
    linked: &BTreeSet<BoxId>,
    said: Option<(String, Command)>,
    now: Millis,
) -> Result<Option<Work>, Error> {
    let kept = rollout::one(conn, id)?.ok_or(Error::Unknown)?;
    let mut work = Work { rollout: read(&kept)?, kept, edits: Vec::new(), audit: Vec::new() };
    if let Some((by, command)) = said {
        // A program is as the person who made its token.
        if command == Command::Agree && person(conn, &by)? == person(conn, &work.rollout.by)? {
            return Err(fleet::rollout::Refused::SamePerson.into());
        }
        work.rollout.command(now, &by, command)?;
        if let Some(site) = work.taken(conn)? {
            return Err(Error::Busy(site));
        }
        work.audit.push((by, "rollout.say", json!({ "rollout": id, "say": command })));
    }
    let watched: Vec<SiteId> = work.rollout.watched().cloned().collect();
    if !watched.is_empty() {
        evidence::look(app, conn)?;
    }
    for site in watched {
        // Ordered at the branch itself meanwhile: it is not lost, and nothing is known of it.
        if drills::standing(app, conn, &site, now).is_ok_and(|drill| drill.is_some_and(|drill| drill.at <= now)) {
            continue;
        }
        let evidence = match evidence::of(app, conn, (id, &site), linked) {
            Err(error) if is_of_one_site(&error) => {
                tracing::error!(%site, %error, "how a site is cannot be known");
                evidence::UNKNOWN
            }
            evidence => evidence?,
        };
        work.rollout.handle_input(now, Input::Seen { site, evidence });
    }
    work.rollout.handle_timeout(now);
    work.note();
    for _ in 0..SITES_A_STEP {
        match work.rollout.poll_output() {
            Some(Output::Write(site)) => work.write(app, conn, site, now)?,
            Some(Output::TakeBack(site)) => work.take_back(app, conn, site, now)?,
            None => break,
        }
    }
    work.note();
    Ok((written(&work.rollout)? != work.kept.body).then_some(work))
}

impl Work {
    fn note(&mut self) {
        for note in self.rollout.notes() {
            let what = match note {
                Note::Wave { .. } => "rollout.wave",
                Note::Held(_) => "rollout.hold",
                Note::Halted(_) => "rollout.halt",
                Note::Reverted => "rollout.reverted",
                Note::Done => "rollout.done",
            };
            self.audit.push((MACHINE.into(), what, json!({ "rollout": self.kept.id, "of": note })));
        }
    }

    fn write(&mut self, app: &App, conn: &Connection, site: SiteId, now: Millis) -> Result<(), Error> {
        let wanted = (self.kept.changes.as_slice(), self.kept.overrule);
        let edited = match app.documents.roll_out(conn, &site, wanted, now) {
            Ok(edited) if !edited.effective.fatal() => edited,
            Ok(_) | Err(Refused::NoSite | Refused::Change { .. }) => {
                self.rollout.handle_input(now, Input::Unfit { site });
                return Ok(());
            }
            Err(Refused::Db(error)) if is_of_one_site(&error) => {
                tracing::error!(%site, %error, "a roll-out cannot be written here");
                self.rollout.handle_input(now, Input::Unfit { site });
                return Ok(());
            }
            Err(Refused::Db(error)) => return Err(error.into()),
        };
        let changed = edited.count() > 0;
        if changed {
            self.audit.push((MACHINE.into(), "rollout.write", json!({ "rollout": self.kept.id, "site": site })));
            let edited = edited.rolled_out(self.kept.id);
            self.edits.push(Edit { site: site.clone(), edited, back: false });
        }
        self.rollout.handle_input(now, Input::Written { site, changed });
        Ok(())
    }

    /// What cannot be taken back at one site keeps no other from it.
    fn take_back(&mut self, app: &App, conn: &Connection, site: SiteId, now: Millis) -> Result<(), Error> {
        match self.taken_back(app, conn, site.clone(), now) {
            Err(Error::Db(error)) if is_of_one_site(&error) => {
                tracing::error!(%site, %error, "a roll-out cannot be taken back here");
                self.audit.push((MACHINE.into(), "rollout.stuck", json!({ "rollout": self.kept.id, "site": site })));
                self.rollout.handle_input(now, Input::Stuck { site });
                Ok(())
            }
            done => done,
        }
    }

    fn taken_back(&mut self, app: &App, conn: &Connection, site: SiteId, now: Millis) -> Result<(), Error> {
        let Some(histories) = app.documents.histories(conn, &site)? else {
            self.rollout.handle_input(now, Input::TakenBack { site, left: 0 });
            return Ok(());
        };
        let (mut back, mut left) = (Vec::new(), 0_usize);
        for doc in WRITTEN {
            let Some((first, last)) = rollout::made_at(conn, self.kept.id, Of { site: &site, doc })? else { continue };
            let undo = histories.of(doc).undo_row(first.unsigned_abs(), last.unsigned_abs());
            let undo = undo.ok_or_else(|| db::Error::Corrupt { what: "a roll-out", why: "a change is gone".into() })?;
            left = left.saturating_add(undo.left.len());
            back.push((doc, undo.back));
        }
        let note = json!({ "take_back": { "rollout": self.kept.id } }).to_string();
        let count: usize = back.iter().map(|(_, fields)| fields.len()).sum();
        match app.documents.restore(conn, &site, &back, &note, now) {
            Ok(edited) => self.edits.push(Edit { site: site.clone(), edited, back: true }),
            Err(Refused::Db(error)) => return Err(error.into()),
            Err(error) => {
                tracing::error!(%site, %error, "a roll-out cannot be taken back here");
                left = left.saturating_add(count);
            }
        }
        let detail = json!({ "rollout": self.kept.id, "site": site, "left": left });
        self.audit.push((MACHINE.into(), "rollout.take_back", detail));
        let left = u32::try_from(left).unwrap_or(u32::MAX);
        self.rollout.handle_input(now, Input::TakenBack { site, left });
        Ok(())
    }

    /// A site of it that another has meanwhile, where it was over and is to go on.
    fn taken(&self, conn: &Connection) -> db::Result<Option<SiteId>> {
        if self.kept.live || self.rollout.state.is_over() {
            return Ok(None);
        }
        let others: Vec<Kept> = rollout::live(conn)?;
        let others = || others.iter().filter(|kept| kept.id != self.kept.id);
        Ok(self.rollout.sites.keys().find(|site| others().any(|kept| has(kept, site))).cloned())
    }

    /// False: somebody else has gone on with it, and nothing is stored.
    fn store(&self, conn: &Connection, now: Millis) -> db::Result<bool> {
        let id = self.kept.id;
        let live = !self.rollout.state.is_over();
        // Another may have begun since it was looked.
        if self.taken(conn)?.is_some() {
            return Ok(false);
        }
        if !rollout::step(conn, id, self.kept.version, &written(&self.rollout)?, live)? {
            return Ok(false);
        }
        for Edit { site, edited, back } in &self.edits {
            let of = WRITTEN.map(|doc| Of { site, doc });
            let before = of.map(|of| db::change::last(conn, of));
            let author = if *back { self.rollout.state.stopped_by().unwrap_or(MACHINE) } else { &self.rollout.by };
            edited.store(conn, author, now)?;
            for (of, before) in of.into_iter().zip(before).filter(|_| !back) {
                for seq in before?.saturating_add(1)..=db::change::last(conn, of)? {
                    rollout::made(conn, id, of, seq)?;
                }
            }
        }
        for (who, what, detail) in &self.audit {
            db::audit::add(conn, who, what, detail, now)?;
        }
        Ok(true)
    }
}

/// Whether the roll-out goes to this site. One that cannot be read may go to any.
pub fn has(kept: &Kept, site: &SiteId) -> bool {
    read(kept).map_or(true, |rollout| rollout.sites.contains_key(site))
}

/// Whether it is about what is kept of one site, and not about the database.
fn is_of_one_site(error: &db::Error) -> bool {
    matches!(error, db::Error::Corrupt { .. } | db::Error::TooLong { .. })
}

/// Whose word it is: of a program, who made its token.
fn person(conn: &Connection, by: &str) -> db::Result<String> {
    let maker = by.strip_prefix(token::LOGIN).map(|name| token::maker(conn, name)).transpose()?;
    Ok(maker.flatten().unwrap_or_else(|| by.to_owned()))
}
