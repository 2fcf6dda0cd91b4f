//! The loop: whatever is due next, an entry of the agenda or an engine's timer, happens, and what follows is carried on
//! until all are quiet.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context;
use bytes::Bytes;
use call::leg::Input as LineInput;
use config::{Author, Documents};
use floor::{Input, board::Ask};
use media::plane;
use model::{AgentId, change::Doc, fact::AgentState};

use crate::{
    branch::Branch,
    carrier::Carrier,
    clock::{Clock, MORNING},
    dice::{self, Dice},
    event::Event,
    phone::Phone,
    plan::Plan,
    stage::Stage,
    town::{self, SIDES, Side},
};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
/// How busy each hour of the day is, from midnight on; the busiest counts as one.
const CURVE: [f64; 24] = [
    0.02, 0.01, 0.01, 0.01, 0.01, 0.03, 0.06, 0.18, 0.50, 0.85, 1.00, 0.85, 0.50, 0.62, 0.85, 0.90, 0.72, 0.45, 0.15,
    0.12, 0.08, 0.06, 0.04, 0.03,
];
/// Seconds since midnight between which agents work, and the hour of their break, in turns.
const SHIFT: (u64, u64) = (8 * 3_600, 18 * 3_600 + 40 * 60);
const BREAK: (u64, u64) = (11 * 3_600 + 30 * 60, 40 * 60);
/// After the last call: time for everything to come to its end.
const EVENING: Duration = Duration::from_secs(3 * 3_600);

pub struct World {
    pub stage: Stage,
    pub branches: Vec<Branch>,
    carriers: Vec<Carrier>,
    phones: Vec<Phone>,
    callers: Vec<Dice>,
    people: Dice,
    _dir: tempfile::TempDir,
}

impl World {
    pub fn new(plan: Plan) -> anyhow::Result<Self> {
        // What is committed there is as durable as the simulation needs it.
        let memory = std::path::Path::new("/dev/shm");
        let dir = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        let dir = dir.context("a folder for the ledgers")?;
        let seed = plan.seed;
        let mut branches = Vec::new();
        for side in SIDES {
            branches.push(Branch::commission(dir.path(), side, planned(seed, side)?)?);
        }
        let mut phones = Vec::new();
        for side in SIDES {
            for n in 0..side.people().len() {
                phones.push(Phone::new(seed, side, n, phones.len()));
            }
        }
        let mut world = Self {
            stage: Stage::new(plan),
            branches,
            carriers: SIDES.map(|side| Carrier::new(seed, side)).into(),
            phones,
            callers: SIDES.map(|side| Dice::new(seed, &format!("callers of {}", side.name()))).into(),
            people: Dice::new(seed, "people"),
            _dir: dir,
        };
        world.morning()?;
        Ok(world)
    }

    fn morning(&mut self) -> anyhow::Result<()> {
        for side in SIDES {
            self.branches[side.index()].begin(&mut self.stage)?;
            self.next_arrival(side);
            for (agent, _, _) in side.people() {
                let after = self.people.between(10 * SECOND, 4 * MINUTE);
                self.stage.later(after, Event::Desk { side, agent: town::id(agent) });
            }
        }
        for n in 0..self.phones.len() {
            self.phones[n].timeout(&mut self.stage);
        }
        for carrier in &mut self.carriers {
            carrier.timeout(&mut self.stage);
        }
        self.settle()
    }

    /// When the day, and all that it began, is over.
    pub fn end(&self) -> Duration {
        self.stage.plan.length + EVENING
    }

    /// Lets everything happen that happens until then.
    pub fn run_until(&mut self, until: Duration) -> anyhow::Result<()> {
        while let Some(at) = self.next_at().filter(|at| *at <= until) {
            self.stage.clock.set(at);
            while let Some((_, event)) = self.due() {
                self.happen(event)?;
                self.settle()?;
            }
            self.timers();
            self.settle()?;
        }
        self.stage.clock.set(until);
        Ok(())
    }

    fn due(&mut self) -> Option<(Duration, Event)> {
        let now = self.stage.clock.passed();
        if self.stage.agenda.next_at().is_some_and(|at| at <= now) { self.stage.agenda.pop() } else { None }
    }

    fn next_at(&self) -> Option<Duration> {
        let floors = self.branches.iter().filter_map(|branch| branch.life.as_ref()?.floor.poll_timeout());
        let phones = self.phones.iter().filter_map(|phone| phone.endpoint.poll_timeout());
        let carriers = self.carriers.iter().filter_map(|carrier| carrier.endpoint.poll_timeout());
        let timer = floors.chain(phones).chain(carriers).min().map(|at| self.stage.clock.of(at));
        [timer, self.stage.agenda.next_at()].into_iter().flatten().min()
    }

    /// Every engine whose timer is due.
    fn timers(&mut self) {
        let now = self.stage.clock.now();
        let is_due = |at: Option<std::time::Instant>| at.is_some_and(|at| at <= now);
        for branch in &mut self.branches {
            if is_due(branch.life.as_ref().and_then(|life| life.floor.poll_timeout())) {
                branch.timeout(&mut self.stage);
            }
        }
        for phone in &mut self.phones {
            if is_due(phone.endpoint.poll_timeout()) {
                phone.timeout(&mut self.stage);
            }
        }
        for carrier in &mut self.carriers {
            if is_due(carrier.endpoint.poll_timeout()) {
                carrier.timeout(&mut self.stage);
            }
        }
    }

    fn happen(&mut self, event: Event) -> anyhow::Result<()> {
        let stage = &mut self.stage;
        match event {
            Event::Datagram { from, to, bytes } => self.arrives(from, to, bytes),
            Event::Media { side, life, event } => {
                let branch = &mut self.branches[side.index()];
                if life == branch.lives {
                    branch.feed(stage, Input::Call(LineInput::Media(event)));
                }
            }
            Event::PromptEnds { side, port, play } => {
                let branch = &mut self.branches[side.index()];
                if let Some(event) = branch.media.prompt_ends(port, play) {
                    branch.feed(stage, Input::Call(LineInput::Media(event)));
                }
            }
            Event::Arrival(side) => {
                self.carriers[side.index()].arrival(stage);
                self.next_arrival(side);
            }
            Event::Outsider { side, who, turn, act } => {
                let pressed = self.carriers[side.index()].act(stage, who, turn, act);
                let branch = &mut self.branches[side.index()];
                let event: Option<plane::Event> =
                    pressed.and_then(|(towards, digit)| branch.media.pressed(towards, digit));
                if let Some(event) = event {
                    branch.feed(stage, Input::Call(LineInput::Media(event)));
                }
            }
            Event::Phone { phone, turn, act } => self.phones[phone].act(stage, turn, act),
            Event::Desk { side, agent } => self.at_desk(side, agent),
            Event::WrapUpDone { side, agent } => self.branches[side.index()].desk(stage, &agent, Ask::WrapUpDone),
            Event::Commit { side, life } => self.branches[side.index()].commit(life)?,
            Event::Look(side) => self.branches[side.index()].look(stage)?,
            Event::CallsDie(side) => self.branches[side.index()].die(stage),
            Event::CallsBegin(side) => self.branches[side.index()].begin(stage)?,
            _ => {}
        }
        Ok(())
    }

    fn arrives(&mut self, from: SocketAddr, to: SocketAddr, bytes: Bytes) {
        let stage = &mut self.stage;
        for side in SIDES {
            if to == side.box_addr() {
                return self.branches[side.index()].received(stage, from, bytes);
            }
            if to == side.carrier_addr() {
                return self.carriers[side.index()].received(stage, from, bytes);
            }
        }
        if let Some(phone) = self.phones.iter_mut().find(|phone| phone.addr == to) {
            phone.received(stage, from, bytes);
        }
    }

    /// What the branches left for others.
    fn settle(&mut self) -> anyhow::Result<()> {
        for side in SIDES {
            while let Some((addr, sound)) = self.branches[side.index()].sounds.pop_front() {
                if let Some(phone) = self.phones.iter_mut().find(|phone| phone.rtp == addr) {
                    phone.heard(&mut self.stage, &sound);
                } else {
                    self.carriers[side.index()].heard(&mut self.stage, addr, &sound);
                }
            }
            self.branches[side.index()].to_sync.clear();
        }
        Ok(())
    }

    /// Callers come one by one, more of them in busy hours.
    fn next_arrival(&mut self, side: Side) {
        let dice = &mut self.callers[side.index()];
        let day: f64 = CURVE.iter().sum::<f64>() * 3_600.0;
        let mean = Duration::from_secs_f64(day / side.callers_a_day());
        let mut at = self.stage.clock.passed();
        loop {
            at += dice.wait(mean);
            if at > self.stage.plan.length {
                return;
            }
            let hour = usize::try_from(Clock::second_of_day(at) / 3_600).unwrap_or(0);
            if dice.chance(CURVE[hour]) {
                return self.stage.agenda.at(at, Event::Arrival(side));
            }
        }
    }

    /// An agent sits down, stands up, comes back from a break, calls somebody.
    fn at_desk(&mut self, side: Side, agent: AgentId) {
        let place = side.people().iter().position(|(name, _, _)| *name == agent.as_str()).unwrap_or(0);
        let second = Clock::second_of_day(self.stage.clock.passed());
        let works =
            self.stage.clock.passed() <= self.stage.plan.length + 10 * MINUTE && (SHIFT.0..SHIFT.1).contains(&second);
        let pause = BREAK.0 + place as u64 * BREAK.1;
        let rests = (pause..pause + BREAK.1).contains(&second);
        let branch = &mut self.branches[side.index()];
        let ask = match (self.stage.journal.state(&agent), works) {
            (AgentState::SignedOut, true) => Some(Ask::SignIn),
            (AgentState::SignedOut, false) => None,
            (_, false) => Some(Ask::SignOut),
            (AgentState::NotReady, true) if !rests => Some(Ask::Ready),
            (AgentState::Ready, true) if rests => Some(Ask::NotReady),
            (AgentState::Ready, true) if self.people.chance(0.004) => Some(Ask::Dial { number: "08001234567".into() }),
            (AgentState::WrapUp, true) if self.people.chance(0.5) => Some(Ask::WrapUpDone),
            _ => None,
        };
        let soon = ask == Some(Ask::SignIn);
        if let Some(ask) = ask {
            branch.desk(&mut self.stage, &agent, ask);
        }
        let after = if soon { 2 * SECOND } else { self.people.between(30 * SECOND, 70 * SECOND) };
        self.stage.later(after, Event::Desk { side, agent });
    }
}

/// The centre's plan of a branch, as encoded changes of its document.
fn planned(seed: u64, side: Side) -> anyhow::Result<Vec<Vec<u8>>> {
    let actor = dice::seed(seed, &format!("centre plans {}", side.name()));
    let mut documents = Documents::new(side.site(), actor[..16].try_into()?);
    let mut encoded = Vec::new();
    for change in config::changes_from(&town::config(side)) {
        encoded.extend(documents.edit(Doc::Site, &change, Author::Centre, MORNING)?);
    }
    Ok(encoded)
}
