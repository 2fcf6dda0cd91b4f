//! Puts what contacts and agents add into rows.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    AgentId, Millis,
    config::Config,
    fact::{Fact, Kind},
};

use crate::{
    Dimension, Question, ROWS_MAX, Refused,
    columns::{Column, Columns},
    shift::{Shift, Shifts, pieces},
    sums::{AgentTime, Sums},
    times::{Life, Stretch, Time, place, times, ups},
    visit::visit,
};

type Key = (usize, Vec<Option<String>>);
type Cell = (Sums, AgentTime);

/// A report in the making.
pub struct Tally {
    question: Question,
    ups: Vec<Stretch>,
    shifts: Shifts,
    cells: BTreeMap<Key, Cell>,
    now: Millis,
}

/// A row: where it is in time, by what, and its figures in the columns' order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Index of its bucket.
    pub time: usize,
    /// In the question's order; None is "none".
    pub key: Vec<Option<String>>,
    pub values: Vec<Option<u64>>,
    pub sums: Sums,
    pub agent_time: AgentTime,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub by: Vec<Dimension>,
    pub columns: Vec<Column>,
    /// The buckets that have begun. Of one that the box was down in there is no row.
    pub times: Vec<Time>,
    /// By time, then by key. Where nothing splits a bucket it has a row, also when nothing happened.
    pub rows: Vec<Row>,
    /// Over all rows, by the same formulas.
    pub total: Vec<Option<u64>>,
    pub total_sums: Sums,
    pub total_time: AgentTime,
}

impl Tally {
    /// `first` is the time of the first fact there is, `lives` are those of the *calls* process.
    pub fn new(question: Question, first: Option<Millis>, lives: &[Life], now: Millis) -> Result<Tally, Refused> {
        question.check()?;
        let ups = ups(first, lives, now);
        Ok(Tally { question, ups, shifts: Shifts::default(), cells: BTreeMap::new(), now })
    }

    /// All facts of one contact, in order. One that does not count in the report's time is passed over.
    pub fn contact(&mut self, facts: &[Fact], config: &Config) -> Result<(), Refused> {
        let Some(visit) = visit(facts, config, self.now) else { return Ok(()) };
        let Some(time) = place(&self.question.edges, visit.at) else { return Ok(()) };
        if !visit.values.iter().all(|(dimension, value)| self.question.admits(*dimension, value)) {
            return Ok(());
        }
        self.add(time, &visit.values, visit.agent.as_ref(), &visit.sums)?;
        visit.shares.iter().try_for_each(|(agent, sums)| self.add(time, &visit.values, agent.as_ref(), sums))
    }

    /// A fact of an agent, in order, from long enough before the report's time that everybody's state is known.
    pub fn agent(&mut self, fact: &Fact) -> Result<(), Refused> {
        let Kind::AgentState { agent, state, pause } = &fact.kind else { return Ok(()) };
        if !self.question.tells_time() || !self.question.admits(Dimension::Agent, &Some(agent.to_string())) {
            return Ok(());
        }
        match self.shifts.apply(fact.at, agent, *state, pause.as_ref()) {
            Some(shift) => self.spent(&shift),
            None => Ok(()),
        }
    }

    pub fn finish(mut self) -> Result<Report, Refused> {
        for shift in std::mem::take(&mut self.shifts).finish(self.now) {
            self.spent(&shift)?;
        }
        let times = times(&self.question.edges, &self.ups, self.now);
        if self.question.by.is_empty() {
            let counted = times.iter().enumerate().filter(|(_, time)| !time.down);
            for (index, _) in counted {
                self.cells.entry((index, Vec::new())).or_default();
            }
        }
        Ok(self.into_report(times))
    }

    fn into_report(self, times: Vec<Time>) -> Report {
        let mut total = Cell::default();
        for (sums, spent) in self.cells.values() {
            total.0.add(sums);
            total.1.add(spent);
        }
        let pauses: BTreeSet<String> = total.1.not_ready_ms.keys().cloned().collect();
        let (of_agents, tells_time) = (self.question.is_of_agents(), self.question.tells_time());
        let columns = Columns { of_agents, tells_time, pauses };
        let row = |((time, key), (sums, agent_time)): (Key, Cell)| {
            let values = columns.values(&sums, &agent_time);
            Row { time, key, values, sums, agent_time }
        };
        Report {
            columns: columns.all(),
            total: columns.values(&total.0, &total.1),
            total_sums: total.0,
            total_time: total.1,
            rows: self.cells.into_iter().map(row).collect(),
            by: self.question.by,
            times,
        }
    }

    fn add(
        &mut self,
        time: usize,
        values: &BTreeMap<Dimension, Option<String>>,
        agent: Option<&AgentId>,
        sums: &Sums,
    ) -> Result<(), Refused> {
        let agent = agent.map(AgentId::to_string);
        if !self.question.admits(Dimension::Agent, &agent) {
            return Ok(());
        }
        let value = |dimension: &Dimension| match dimension {
            Dimension::Agent => agent.clone(),
            other => values.get(other).cloned().flatten(),
        };
        let key = self.question.by.iter().map(value).collect();
        cell(&mut self.cells, (time, key))?.0.add(sums);
        Ok(())
    }

    /// Splits by nothing but the agent: a report that knows of more tells no time.
    fn spent(&mut self, shift: &Shift) -> Result<(), Refused> {
        let key: Vec<_> = self.question.by.iter().map(|_| Some(shift.agent.to_string())).collect();
        for (time, ms) in pieces(shift.lasted, &self.question.edges, &self.ups) {
            cell(&mut self.cells, (time, key.clone()))?.1.spend(shift.state, &shift.why, ms);
        }
        Ok(())
    }
}

fn cell(cells: &mut BTreeMap<Key, Cell>, key: Key) -> Result<&mut Cell, Refused> {
    if cells.len() >= ROWS_MAX && !cells.contains_key(&key) {
        return Err(Refused::TooManyRows);
    }
    Ok(cells.entry(key).or_default())
}
