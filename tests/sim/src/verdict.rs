//! What must be true of every day, whatever went wrong in it; and the day in figures.

use std::{collections::BTreeMap, fmt};

use anyhow::Context;
use db::{coverage, ingest, interval};
use floor::{cdr, interval as fold};
use model::{
    ContactId, Millis,
    cdr::{Cdr, Outcome},
    fact::{AgentState, Kind},
    leaving::Figures,
};

use crate::{
    branch::INTERVAL_S,
    clock::MORNING,
    town::{SIDES, Side},
    world::World,
};

/// T of every queue's service level in this town: no edit changes it, so that a day has one.
const WITHIN_S: u32 = 20;

/// Length of the town's intervals.
const QUARTER_MS: i64 = INTERVAL_S as i64 * 1_000;

/// The day's rules, each with what was found against it.
#[derive(Debug, Default)]
pub struct Verdict {
    pub rules: Vec<(&'static str, Vec<String>)>,
    pub summary: Vec<String>,
}

impl Verdict {
    pub fn holds(&self) -> bool {
        self.rules.iter().all(|(_, found)| found.is_empty())
    }

    /// The rules that are broken.
    pub fn broken(&self) -> Vec<&'static str> {
        self.rules.iter().filter(|(_, found)| !found.is_empty()).map(|(rule, _)| *rule).collect()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.summary {
            writeln!(f, "{line}")?;
        }
        for (rule, found) in &self.rules {
            writeln!(f, "{} {rule}", if found.is_empty() { "  ok  " } else { "BROKEN" })?;
            for what in found.iter().take(10) {
                writeln!(f, "         {what}")?;
            }
            if found.len() > 10 {
                writeln!(f, "         and {} more", found.len() - 10)?;
            }
        }
        Ok(())
    }
}

pub const CONTACTS: &str = "every contact ended once and has one record, which is the fold of its facts";
pub const REST: &str = "nothing is left: no contact, leg, port, recording, dialog, agent at work in the facts alone";
pub const EMERGENCY: &str = "every emergency call that a phone made went out at once";
pub const OFFERS: &str =
    "nothing was seen that must not be: two offers at once, a refused message, a number on the line";
pub const ROWS: &str = "every outbox row took effect in the cloud exactly once";
pub const FIGURES: &str = "the cloud's figures and what the gate holds back are the figures of the records";
pub const COMPLETENESS: &str = "in the evening every interval has arrived, and the console said so all along";
pub const CONFIGURATION: &str = "calls, sync and cloud hold the same configuration, and the floor runs it";
pub const EGRESS: &str = "the egress chains are whole, and nothing was put aside in the cloud";

/// What was found against a rule.
type Check = fn(&World) -> anyhow::Result<Vec<String>>;

/// Judges a day that has ended.
pub fn judge(world: &World) -> anyhow::Result<Verdict> {
    let mut verdict = Verdict::default();
    let rules: [(&'static str, Check); 9] = [
        (CONTACTS, contacts),
        (REST, rest),
        (EMERGENCY, |world| Ok(world.stage.journal.emergencies_kept_in())),
        (OFFERS, |world| Ok(world.stage.journal.violations.clone())),
        (ROWS, rows),
        (FIGURES, figures),
        (COMPLETENESS, |world| Ok([completeness(world)?, outstanding(world)?].concat())),
        (CONFIGURATION, configuration),
        (EGRESS, egress),
    ];
    for (rule, check) in rules {
        verdict.rules.push((rule, check(world)?));
    }
    verdict.summary = summary(world)?;
    Ok(verdict)
}

fn contacts(world: &World) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    for branch in &world.branches {
        let (cdrs, facts) = branch.remembered()?;
        let name = |contact: ContactId| format!("{} {}", branch.side.name(), world.stage.journal.name(contact));
        let mut ends: BTreeMap<ContactId, u32> = BTreeMap::new();
        for fact in &facts {
            if let Some(contact) = fact.contact {
                *ends.entry(contact).or_default() += u32::from(matches!(fact.kind, Kind::Ended { .. }));
            }
        }
        let records: BTreeMap<ContactId, &Cdr> = cdrs.iter().map(|cdr| (cdr.contact, cdr)).collect();
        let rebuilt: BTreeMap<ContactId, Cdr> = cdr::rebuild(&facts).into_iter().map(|c| (c.contact, c)).collect();
        for (contact, ends) in &ends {
            if *ends != 1 {
                found.push(format!("{} ended {ends} times", name(*contact)));
            }
            match (records.get(contact), rebuilt.get(contact)) {
                (None, _) => found.push(format!("{} has no record", name(*contact))),
                (Some(record), Some(fold)) if *record != fold => {
                    found.push(format!("{}: the record {record:?} is not the fold {fold:?}", name(*contact)));
                }
                _ => {}
            }
        }
        found.extend(records.keys().filter(|id| !ends.contains_key(id)).map(|id| format!("{} has no fact", name(*id))));
        found.extend(branch.open_contacts()?.into_iter().map(|(id, _)| format!("{} is open", name(id))));
    }
    Ok(found)
}

fn rest(world: &World) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    for branch in &world.branches {
        let side = branch.side.name();
        let Some(life) = &branch.life else {
            found.push(format!("{side}: calls is down"));
            continue;
        };
        let (floor, lines) = (life.floor.in_use(), life.floor.lines().in_use());
        if floor != Default::default() {
            found.push(format!("{side}: {floor:?}"));
        }
        if (lines.legs, lines.ports, lines.dialogs) != (0, 0, 0) {
            found.push(format!("{side}: {lines:?}"));
        }
        let (_, facts) = branch.remembered()?;
        let mut states = BTreeMap::new();
        for fact in &facts {
            if let Kind::AgentState { agent, state, .. } = &fact.kind {
                states.insert(agent, *state);
            }
        }
        for line in life.floor.board(world.stage.clock.now()).agents {
            let told = states.get(&line.agent).copied().unwrap_or(AgentState::SignedOut);
            if told != line.state {
                found.push(format!("{side}: {} is {:?}, and {told:?} in the facts", line.agent, line.state));
            }
        }
        let (ports, recordings) = (branch.media.ports_open(), branch.media.recordings_open());
        if (ports, recordings) != (0, 0) {
            found.push(format!("{side}: {ports} ports and {recordings} recordings in media"));
        }
    }
    found.extend(world.parties_not_at_rest());
    Ok(found)
}

fn rows(world: &World) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    for branch in &world.branches {
        let side = branch.side;
        let position = branch.reader.position()?;
        if position.epoch != branch.epoch {
            found.push(format!("{}: a new epoch began, though no disk was restored", side.name()));
        }
        if position.watermark != position.last {
            found.push(format!("{}: {} of {} rows acknowledged", side.name(), position.watermark, position.last));
        }
        let effects = |seq| world.cloud.effects.get(&(side, position.epoch, seq)).copied().unwrap_or(0);
        for seq in (1..=position.last).filter(|seq| effects(*seq) != 1) {
            found.push(format!("{}: row {seq} took effect {} times", side.name(), effects(seq)));
        }
        let all = world.cloud.effects.keys().filter(|(of, _, _)| *of == side).count() as u64;
        if all != position.last {
            found.push(format!("{}: {all} rows took effect, {} were written", side.name(), position.last));
        }
    }
    Ok(found)
}

/// What the records of a branch amount to, and what the cloud and the gate have of it.
fn figures(world: &World) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    let Some(db) = &world.cloud.db else { return Ok(vec!["the cloud is down".into()]) };
    let question = interval::Question { from: Millis(0), to: Millis(i64::MAX), length_s: INTERVAL_S };
    let answer = db.read_blocking(|conn| interval::ask(conn, question))?;
    for branch in &world.branches {
        let here = edge(world, branch.side)?;
        let site = branch.side.site();
        let cells = answer.cells.iter().filter(|cell| cell.site == site).map(|cell| cell.figures);
        let there = cells.fold(Figures::default(), fold::sum);
        let held = branch.reader.gate_state()?.waiting();
        if fold::sum(there, held) != here {
            found.push(format!("{site}: {here:?} in the records, {there:?} in the cloud, {held:?} held back"));
        }
    }
    Ok(found)
}

/// What the console shows of the branches now, where that is not what has arrived and what is expected.
pub fn completeness(world: &World) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    let (Some(db), now) = (&world.cloud.db, world.stage.clock.wall()) else { return Ok(found) };
    for side in SIDES {
        let cover = db.read_blocking(|conn| coverage::of_site(conn, &side.site(), now))?.context("a site")?;
        let shown = cover.whole();
        let arrived = world.cloud.arrived.get(&side).cloned().unwrap_or_default();
        let over = |start: &i64| start + QUARTER_MS + coverage::GRACE_MS <= now.0;
        let due = (0..).map(|n| MORNING.0 + n * QUARTER_MS).take_while(over);
        let missing = due.filter(|start| !arrived.contains(start)).count() as u64;
        let true_counts = (arrived.len() as u64, missing);
        if (shown.arrived, shown.missing()) != true_counts {
            found.push(format!("{}: {shown:?} is shown, {true_counts:?} have arrived and are missing", side.name()));
        }
    }
    Ok(found)
}

/// Of which branches intervals are missing.
pub fn outstanding(world: &World) -> anyhow::Result<Vec<String>> {
    let Some(db) = &world.cloud.db else { return Ok(Vec::new()) };
    let covers = db.read_blocking(|conn| coverage::read(conn, Millis(0), world.stage.clock.wall(), |_| true))?;
    let missing = covers.iter().filter(|(_, cover)| cover.whole().missing() > 0);
    Ok(missing.map(|(site, cover)| format!("{site}: {:?}", cover.whole())).collect())
}

fn edge(world: &World, side: Side) -> anyhow::Result<Figures> {
    let (cdrs, _) = world.branches[side.index()].remembered()?;
    let cells = fold::fold(&cdrs, INTERVAL_S, |_| WITHIN_S);
    Ok(cells.into_values().fold(Figures::default(), fold::sum))
}

fn configuration(world: &World) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    for branch in &world.branches {
        let side = branch.side;
        let Some(life) = &branch.life else { continue };
        let Some(sync) = &world.syncs[side.index()] else {
            found.push(format!("{}: sync is down", side.name()));
            continue;
        };
        if !sync.is_linked() {
            found.push(format!("{}: not linked", side.name()));
        }
        let calls = life.settings.effective();
        let (sync, cloud) = (
            config::effective(sync.documents()),
            config::effective(&world.cloud.documents(side, world.stage.plan.seed, "auditor")?),
        );
        if calls != sync || calls != cloud {
            let heads = [&calls.heads, &sync.heads, &cloud.heads];
            found.push(format!("{}: heads of calls, sync and cloud are {heads:?}", side.name()));
        }
        if *life.running != calls.config {
            found.push(format!("{}: the floor runs another configuration", side.name()));
        }
    }
    Ok(found)
}

fn egress(world: &World) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    for branch in &world.branches {
        if let Err(error) = branch.reader.egress_verify() {
            found.push(format!("{}: {error}", branch.side.name()));
        }
        let Some(db) = &world.cloud.db else { continue };
        let (aside, count) = db.read_blocking(|conn| ingest::aside(conn, branch.side.box_id()))?;
        if count > 0 {
            found.push(format!("{}: {count} rows put aside: {aside:?}", branch.side.name()));
        }
    }
    Ok(found)
}

fn summary(world: &World) -> anyhow::Result<Vec<String>> {
    let stage = &world.stage;
    let mut lines = vec![format!("seed {}: {} contacts", stage.plan.seed, stage.journal.contacts())];
    for branch in &world.branches {
        let side = branch.side;
        let (cdrs, facts) = branch.remembered()?;
        let (figures, total) = (edge(world, side)?, cdrs.len());
        let of = |outcome| cdrs.iter().filter(|cdr| cdr.outcome == outcome).count();
        let helped = facts.iter().filter(|fact| matches!(fact.kind, Kind::HelpGiven { .. })).count();
        let level = fold_level(&figures);
        lines.push(format!(
            "{:<5} {total} contacts: {} queued, {} answered, {} abandoned, {} answered elsewhere, {helped} guests \
             helped, {} in the flow, {} refused; service level {level}, mean wait {} s",
            side.name(),
            figures.offered,
            figures.answered,
            figures.abandoned,
            figures.overflowed,
            of(Outcome::InFlow),
            of(Outcome::Refused),
            figures.wait_s.checked_div(figures.answered).unwrap_or(0),
        ));
        lines.push(format!(
            "      line cut {} times, calls begun {} times, sync {} times; {} facts, {} rows left",
            stage.wan.cuts(side),
            branch.lives,
            world.sync_lives[side.index()],
            facts.len(),
            branch.reader.position()?.last,
        ));
    }
    lines.push(format!(
        "cloud begun {} times; {} datagrams of SIP, {} lost, {} doubled; {} bytes to the cloud, {} back",
        world.cloud.process, stage.net.sent, stage.net.lost, stage.net.doubled, stage.wan.bytes[0], stage.wan.bytes[1]
    ));
    Ok(lines)
}

/// Answered within T of those who were answered or stayed for T (NORMS 4, variant 2).
fn fold_level(figures: &Figures) -> String {
    let judged = figures.offered.saturating_sub(figures.abandoned_in_t);
    (figures.answered_in_t * 100).checked_div(judged).map_or_else(|| "-".to_owned(), |percent| format!("{percent} %"))
}
