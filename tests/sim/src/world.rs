//! The loop: whatever is due next, an entry of the agenda or an engine's timer, happens, and what follows is carried on
//! until all are quiet.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use anyhow::Context;
use bytes::Bytes;
use call::leg::Input as LineInput;
use config::{Author, Documents};
use floor::{Input, board::Ask};
use media::plane;
use model::{
    AgentId,
    change::{Change, Doc},
    fact::AgentState,
};

use crate::{
    branch::Branch,
    carrier::Carrier,
    clock::{Clock, MORNING},
    cloud::Cloud,
    dice::{self, Dice},
    event::Event,
    media::{SILENT_AFTER, Sound},
    phone::Phone,
    plan::{Fault, Plan},
    stage::Stage,
    sync::{SyncEnd, ToCalls},
    town::{self, MARKER, SIDES, Side},
    trouble,
    wan::{IDLE, Parcel, Way},
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
const EVENING: Duration = Duration::from_secs(2 * 3_600);

pub struct World {
    pub stage: Stage,
    pub branches: Vec<Branch>,
    /// None while the process is down.
    pub syncs: Vec<Option<SyncEnd>>,
    pub sync_lives: Vec<u32>,
    /// The last connection of each box's dead *sync* processes.
    attempts: Vec<u32>,
    pub cloud: Cloud,
    edits: Dice,
    carriers: Vec<Carrier>,
    phones: Vec<Phone>,
    callers: Vec<Dice>,
    people: Dice,
    dir: tempfile::TempDir,
}

impl World {
    pub fn new(plan: Plan) -> anyhow::Result<Self> {
        // What is committed there is as durable as the simulation needs it.
        let memory = std::path::Path::new("/dev/shm");
        let dir = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        let dir = dir.context("a folder for the ledgers")?;
        let seed = plan.seed;
        let (mut branches, mut plans) = (Vec::new(), BTreeMap::new());
        for side in SIDES {
            let planned = planned(seed, side)?;
            branches.push(Branch::commission(dir.path(), side, planned.clone())?);
            plans.insert(side, planned);
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
            syncs: SIDES.iter().map(|_| None).collect(),
            sync_lives: vec![0; SIDES.len()],
            attempts: vec![0; SIDES.len()],
            cloud: Cloud::found(dir.path(), seed, plans)?,
            edits: Dice::new(seed, "what is edited"),
            carriers: SIDES.map(|side| Carrier::new(seed, side)).into(),
            phones,
            callers: SIDES.map(|side| Dice::new(seed, &format!("callers of {}", side.name()))).into(),
            people: Dice::new(seed, "people"),
            dir,
        };
        world.morning()?;
        Ok(world)
    }

    /// Where the ledgers and the cloud's database lie.
    pub fn folder(&self) -> &std::path::Path {
        self.dir.path()
    }

    /// Everything that left for the cloud, and when. The epochs of the outboxes are drawn by the ledgers, not by the seed:
    /// they are zeros here.
    pub fn egress(&self) -> Vec<u8> {
        let mut left = self.stage.wan.egress.clone();
        for branch in &self.branches {
            let epoch = branch.epoch.to_string().into_bytes();
            let mut at = 0;
            while let Some(found) = left[at..].windows(epoch.len()).position(|bytes| bytes == epoch) {
                left[at + found..at + found + epoch.len()].fill(b'0');
                at += found + epoch.len();
            }
        }
        left
    }

    fn morning(&mut self) -> anyhow::Result<()> {
        trouble::decide(&mut self.stage);
        for side in SIDES {
            self.branches[side.index()].begin(&mut self.stage)?;
            self.sync_begins(side)?;
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
            self.timers()?;
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
        let syncs = self.syncs.iter().flatten().filter_map(SyncEnd::poll_timeout);
        let timers = floors.chain(phones).chain(carriers).chain(syncs).chain(self.cloud.poll_timeout());
        let timer = timers.min().map(|at| self.stage.clock.of(at));
        [timer, self.stage.agenda.next_at()].into_iter().flatten().min()
    }

    /// Every engine whose timer is due.
    fn timers(&mut self) -> anyhow::Result<()> {
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
        for sync in self.syncs.iter_mut().flatten() {
            if is_due(sync.poll_timeout()) {
                sync.timeout(&mut self.stage)?;
            }
        }
        if is_due(self.cloud.poll_timeout()) {
            self.cloud.timeout(&mut self.stage)?;
        }
        Ok(())
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
            Event::Silence { side, port } => {
                let branch = &mut self.branches[side.index()];
                if let Some(event) = branch.media.silence(stage.clock.passed(), port) {
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
            Event::Ask { side, agent, ask } => self.branches[side.index()].desk(stage, &agent, ask),
            Event::Commit { side, life } => self.branches[side.index()].commit(life)?,
            Event::Look(side) => self.branches[side.index()].look(stage)?,
            Event::CallsDie(side) => self.branches[side.index()].die(stage),
            Event::CallsBegin(side) => self.calls_begin(side)?,
            Event::MediaDies(side) => self.branches[side.index()].media_dies(stage),
            Event::SyncDies(side) => self.sync_dies(side),
            Event::SyncBegins(side) => self.sync_begins(side)?,
            Event::Cut(side) => self.cut(side),
            Event::Mend(side) => stage.mend(side),
            Event::CloudDies => self.cloud_dies()?,
            Event::CloudBegins => self.cloud.begin(stage)?,
            Event::Parcel { place, parcel } => self.parcel(place, parcel)?,
            Event::Connecting { side, attempt } => self.connecting(side, attempt)?,
            Event::Idle { side, attempt, cut } => self.idle(side, attempt, cut),
            Event::PathsLost { cut, for_good } => self.paths_lost(cut, for_good),
            Event::Stored { process } => self.cloud.stored(stage, process)?,
            Event::BranchEdits(side) => {
                let mut change = trouble::branch_edit(&mut self.edits, side);
                if stage.plan.has(Fault::NumberInConfiguration) {
                    let (agent, _, _) = side.people()[0];
                    change = Change::AgentBadge { agent: town::id(agent), badge: format!("{MARKER}0001") };
                }
                self.branches[side.index()].edit(stage, &change)?;
            }
            Event::CentreEdits(side) => {
                let (doc, change) = trouble::centre_edit(&mut self.edits, side);
                self.cloud.edit(stage, side, doc, &change)?;
            }
        }
        Ok(())
    }

    fn calls_begin(&mut self, side: Side) -> anyhow::Result<()> {
        let branch = &mut self.branches[side.index()];
        branch.begin(&mut self.stage)?;
        // A newcomer at *sync*'s socket learns how the link stands.
        if self.syncs[side.index()].as_ref().is_some_and(SyncEnd::is_linked) {
            branch.feed(&mut self.stage, Input::LinkUp);
        }
        Ok(())
    }

    fn sync_begins(&mut self, side: Side) -> anyhow::Result<()> {
        let n = side.index();
        self.sync_lives[n] += 1;
        let (ledger, before) = (self.branches[n].ledger.clone(), self.attempts[n]);
        self.syncs[n] = Some(SyncEnd::begin(&mut self.stage, side, ledger, before, self.sync_lives[n])?);
        Ok(())
    }

    fn sync_dies(&mut self, side: Side) {
        let Some(sync) = self.syncs[side.index()].take() else { return };
        self.stage.journal.say(self.stage.clock.passed(), side.name(), "the sync process dies");
        self.attempts[side.index()] = sync.attempt;
        self.stage.later(IDLE, Event::Idle { side, attempt: sync.attempt, cut: None });
        self.stage.path_breaks(true);
        self.branches[side.index()].feed(&mut self.stage, Input::LinkDown);
    }

    fn cut(&mut self, side: Side) {
        self.stage.cut(side);
        if let Some(sync) = &self.syncs[side.index()] {
            let cut = Some(self.stage.wan.cuts(side));
            self.stage.later(IDLE, Event::Idle { side, attempt: sync.attempt, cut });
        }
    }

    fn cloud_dies(&mut self) -> anyhow::Result<()> {
        self.cloud.die(&mut self.stage)?;
        for (side, sync) in SIDES.into_iter().zip(&self.syncs) {
            if let Some(sync) = sync {
                self.stage.later(IDLE, Event::Idle { side, attempt: sync.attempt, cut: None });
            }
        }
        Ok(())
    }

    fn parcel(&mut self, place: u64, parcel: Parcel) -> anyhow::Result<()> {
        let stage = &mut self.stage;
        if !stage.wan.is_up(parcel.side) {
            stage.carry(place, parcel);
            return Ok(());
        }
        let Parcel { side, attempt, way, bytes } = parcel;
        match (way, &mut self.syncs[side.index()]) {
            (Way::ToCloud, _) => self.cloud.received(stage, side, attempt, &bytes),
            (Way::ToBox, Some(sync)) if sync.attempt == attempt => sync.received(stage, &bytes),
            (Way::ToBox, _) => Ok(()),
        }
    }

    fn connecting(&mut self, side: Side, attempt: u32) -> anyhow::Result<()> {
        let stage = &mut self.stage;
        let Some(sync) = self.syncs[side.index()].as_mut().filter(|sync| sync.attempt == attempt) else {
            return Ok(());
        };
        if stage.wan.is_up(side) && stage.cloud_up {
            self.cloud.connected(stage, side, attempt);
            sync.connected(stage)?;
        } else {
            sync.broken(stage, None);
        }
        Ok(())
    }

    /// Nothing was heard for the idle time: both ends find their connection broken.
    fn idle(&mut self, side: Side, attempt: u32, cut: Option<u32>) {
        let wan = &self.stage.wan;
        if cut.is_some_and(|cut| wan.is_up(side) || wan.cuts(side) != cut) {
            return;
        }
        self.cloud.broken(side, attempt);
        if let Some(sync) = self.syncs[side.index()].as_mut().filter(|sync| sync.attempt == attempt && sync.is_open()) {
            sync.broken(&mut self.stage, None);
        }
    }

    fn paths_lost(&mut self, cut: u32, for_good: bool) {
        let broken = !self.stage.cloud_up || SIDES.into_iter().any(|side| !self.stage.wan.is_up(side));
        if for_good || (broken && self.stage.wan.broken == cut) {
            for sync in self.syncs.iter_mut().flatten() {
                sync.paths_lost();
            }
        }
    }

    /// People and lines that still think they are in a call.
    pub fn parties_not_at_rest(&self) -> Vec<String> {
        let phones = self.phones.iter().filter(|phone| !phone.is_idle() || phone.endpoint.load().dialogs > 0);
        let phones = phones.map(|phone| format!("phone {} is in a call", phone.extension));
        let carriers = self.carriers.iter().filter(|carrier| carrier.open() + carrier.endpoint.load().dialogs > 0);
        let carriers = carriers.map(|carrier| format!("{} calls of {}'s carrier", carrier.open(), carrier.side.name()));
        phones.chain(carriers).collect()
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
        self.listen();
        while self.pass_on()? {
            self.listen();
        }
        Ok(())
    }

    /// What parties hear has changed.
    fn listen(&mut self) {
        for side in SIDES {
            while let Some((addr, sound)) = self.branches[side.index()].sounds.pop_front() {
                if addr.ip().is_loopback() {
                    self.through_tunnel(side, addr, &sound);
                } else if let Some(phone) = self.phones.iter_mut().find(|phone| phone.rtp == addr) {
                    phone.heard(&mut self.stage, &sound);
                } else {
                    self.carriers[side.index()].heard(&mut self.stage, addr, &sound);
                }
            }
        }
    }

    /// What goes into a tunnel at one end comes out at the other.
    fn through_tunnel(&mut self, side: Side, addr: SocketAddr, sound: &Sound) {
        let (here, there) = (side, side.other());
        let overflow = self.syncs[here.index()].as_ref().and_then(|sync| sync.tunnel_at(addr));
        let local = overflow.and_then(|overflow| self.syncs[there.index()].as_ref()?.out_of(overflow));
        let Some(local) = local else { return };
        let at = self.stage.clock.passed();
        let branch = &mut self.branches[there.index()];
        let Some((port, event)) = branch.media.tunnel_hears(at, local, *sound != Sound::Nothing) else { return };
        if *sound == Sound::Nothing {
            self.stage.later(SILENT_AFTER, Event::Silence { side: there, port });
        }
        if let Some(event) = event {
            branch.feed(&mut self.stage, Input::Call(LineInput::Media(event)));
        }
    }

    /// Between the processes of the boxes. True while there was something.
    fn pass_on(&mut self) -> anyhow::Result<bool> {
        let mut busy = false;
        for (branch, sync) in self.branches.iter_mut().zip(&mut self.syncs) {
            while let Some(what) = branch.to_sync.pop_front() {
                busy = true;
                if let Some(sync) = sync {
                    sync.told(&mut self.stage, what)?;
                }
            }
            while let Some(what) = sync.as_mut().and_then(|sync| sync.to_calls.pop_front()) {
                busy = true;
                match what {
                    ToCalls::Floor(input) => branch.feed(&mut self.stage, *input),
                    ToCalls::ConfigChanged => branch.catch_up(&mut self.stage)?,
                }
            }
        }
        Ok(busy)
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
        let state = self.stage.journal.state(&agent);
        let ask = match (state, works) {
            (AgentState::SignedOut, true) => Some(Ask::SignIn),
            (AgentState::SignedOut, false) => None,
            (_, false) => Some(Ask::SignOut),
            (AgentState::NotReady, true) if !rests => Some(Ask::Ready),
            (AgentState::Ready, true) if rests => Some(Ask::NotReady { pause: None }),
            (AgentState::Ready, true) => self.idle_hands(side, place),
            (AgentState::Talking, true) => self.in_a_talk(side, place, &agent),
            (AgentState::WrapUp, true) if self.people.chance(0.5) => Some(Ask::WrapUpDone),
            _ => None,
        };
        let soon = ask == Some(Ask::SignIn);
        if let Some(ask) = ask {
            self.branches[side.index()].desk(&mut self.stage, &agent, ask);
        }
        let after = if soon { 2 * SECOND } else { self.people.between(30 * SECOND, 70 * SECOND) };
        self.stage.later(after, Event::Desk { side, agent });
    }
}

impl World {
    /// An agent who is ready calls somebody: outside or a colleague, from the desk or on the phone itself; and once in
    /// a long while 112.
    fn idle_hands(&mut self, side: Side, place: usize) -> Option<Ask> {
        if !self.people.chance(0.01) {
            return None;
        }
        let number = self.somebody(side);
        if self.people.chance(0.5) {
            return Some(Ask::Dial { number });
        }
        let addr = side.phone_addr(place);
        if let Some(phone) = self.phones.iter_mut().find(|phone| phone.addr == addr) {
            phone.dial(&mut self.stage, &number);
        }
        None
    }

    /// An agent who talks puts the caller on hold for a while, or passes the caller on.
    fn in_a_talk(&mut self, side: Side, place: usize, agent: &AgentId) -> Option<Ask> {
        let luck = self.people.unit();
        if luck < 0.03 {
            let colleague = self.people.below(side.people().len() as u64) as usize;
            let number = if colleague == place { side.number() } else { side.people()[colleague].1 };
            return Some(Ask::Transfer { number: number.into() });
        }
        if luck < 0.12 {
            let after = self.people.between(8 * SECOND, 40 * SECOND);
            self.stage.later(after, Event::Ask { side, agent: agent.clone(), ask: Ask::Resume });
            return Some(Ask::Hold);
        }
        None
    }

    fn somebody(&mut self, side: Side) -> String {
        match self.people.below(10) {
            0 => "112".into(),
            1..5 => self.people.pick(side.people()).1.into(),
            _ => "08001234567".into(),
        }
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
