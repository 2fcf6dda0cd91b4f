//! Why a contact was offered to whom (N-13): each decision as it stands in the ledger, and made again under the
//! configuration that was in force, which is rebuilt from the ledger's own history.

use std::fmt::Write;

use acd::decision;
use anyhow::{Context, ensure};
use config::{Documents, effective, heads};
use ledger::Reader;
use model::{
    AgentId, ContactId, SiteId,
    change::Doc,
    config::Config,
    fact::Kind,
    routing::{Decision, Why},
};

/// Facts that are looked through, backwards from a decision, for the configuration that was in force, in one step.
const STEP: u64 = 1_000;

/// What is told, and how many decisions could not be made again as they were.
pub struct Told {
    pub text: String,
    pub unproved: u32,
}

/// # Errors
/// The ledger cannot be read, or holds nothing of the contact.
pub fn explain(reader: &Reader, site: &SiteId, contact: ContactId) -> anyhow::Result<Told> {
    let facts = reader.facts_of(contact)?;
    ensure!(!facts.is_empty(), "nothing is known of contact {contact}: look for it in `boxd ledger facts`");
    let history = History::read(reader, site)?;
    let mut told = Told { text: String::new(), unproved: 0 };
    for fact in facts {
        let Kind::Offered { agent, decision } = fact.kind else { continue };
        let Some(decision) = decision else {
            writeln!(told.text, "offered to {agent}: nothing was written down of why")?;
            told.unproved += 1;
            continue;
        };
        describe(&mut told.text, &agent, &decision)?;
        let running = in_force(reader, fact.seq)?;
        let config = running.as_ref().and_then(|heads| history.at(heads));
        told.unproved += u32::from(!prove(&mut told.text, &agent, &decision, running.as_deref(), config)?);
    }
    if told.text.is_empty() {
        told.text = "it was never offered to an agent\n".into();
    }
    Ok(told)
}

fn describe(text: &mut String, agent: &AgentId, decision: &Decision) -> std::fmt::Result {
    let Decision { queue, tier, value, waited_ms, ready, waiting, .. } = decision;
    writeln!(text, "offered to {agent}, after {:.1} s in {queue}", waited_s(*waited_ms))?;
    writeln!(text, "  value {value}, tier {tier}, {waiting} waited for the same, {ready} agents were ready")?;
    if decision.aged {
        writeln!(text, "  had waited so long that it came before contacts of more value")?;
    }
    if decision.why == Why::LastAgent {
        writeln!(text, "  because this customer spoke with {agent} last")?;
    }
    for (place, one) in (1..).zip(&decision.candidates) {
        writeln!(
            text,
            "  {place}. {:<12} skill {:<4} idle order {:<6} last turn {:<6} occupancy {:.1} %",
            one.agent.as_str(),
            one.skill,
            one.ticket,
            one.turn,
            f64::from(one.occupancy) / 10.0
        )?;
    }
    Ok(())
}

fn waited_s(ms: u64) -> f64 {
    std::time::Duration::from_millis(ms).as_secs_f64()
}

fn prove(
    text: &mut String,
    agent: &AgentId,
    decision: &Decision,
    running: Option<&str>,
    config: Option<Config>,
) -> Result<bool, std::fmt::Error> {
    let (Some(running), Some(config)) = (running, config) else {
        writeln!(text, "  the configuration that was in force is not in the ledger: it cannot be made again")?;
        return Ok(false);
    };
    let strategy = config.queues.get(&decision.queue).map(|queue| queue.routing.strategy).unwrap_or_default();
    let asked = decision::asked(&config, decision);
    writeln!(
        text,
        "  configuration {running}, strategy {strategy:?}{}{asked}",
        if asked.is_empty() { "" } else { ", asks for " }
    )?;
    match decision::replay(&config, decision) {
        Ok(again) if again == *agent => writeln!(text, "  made again: {again}").map(|()| true),
        Ok(again) => writeln!(text, "  made again: {again}, which is NOT who was offered it").map(|()| false),
        Err(fault) => writeln!(text, "  cannot be made again: {fault}").map(|()| false),
    }
}

/// The heads of the last configuration that was activated before a fact.
fn in_force(reader: &Reader, seq: u64) -> anyhow::Result<Option<String>> {
    let mut before = seq;
    while before > 1 {
        let from = before.saturating_sub(STEP);
        let mut some = reader.facts_after(from.saturating_sub(1), usize::try_from(STEP + 1)?)?;
        some.retain(|fact| fact.seq < before);
        let activated = some.into_iter().rev().find_map(|fact| match fact.kind {
            Kind::ConfigActivated { heads, .. } => Some(heads),
            _ => None,
        });
        if activated.is_some() || from <= 1 {
            return Ok(activated);
        }
        before = from;
    }
    Ok(None)
}

/// Every change of the three documents, in the order in which this box learnt them.
struct History {
    site: SiteId,
    changes: Vec<(u64, Doc, Vec<u8>)>,
}

impl History {
    fn read(reader: &Reader, site: &SiteId) -> anyhow::Result<Self> {
        let mut changes = Vec::new();
        for doc in [Doc::Org, Doc::Site, Doc::Local] {
            let of = reader.config_changes(doc, 0).context("the configuration's history cannot be read")?;
            changes.extend(of.into_iter().map(|change| (change.seq, doc, change.bytes)));
        }
        changes.sort_by_key(|(seq, ..)| *seq);
        Ok(Self { site: site.clone(), changes })
    }

    fn at(&self, wanted: &str) -> Option<Config> {
        let mut documents = Documents::new(self.site.clone(), [0; 16]);
        for (_, doc, bytes) in &self.changes {
            documents.document_mut(*doc).apply(bytes).ok()?;
            if heads(&documents) == wanted {
                return Some(effective(&documents).config);
            }
        }
        None
    }
}
