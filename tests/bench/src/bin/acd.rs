//! What an assignment costs: a full house of waiting contacts, agents and skills, and one agent after the other who
//! becomes ready. Beside it half and a tenth of the house, to show how the cost grows; and a day of contacts.
//!
//! `cargo xtask bench acd`

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use acd::{Acd, Input, Output, Stay, Wants};
use clap::Parser;
use model::{
    AgentId, ContactId, QueueId, SkillId,
    config::{Agent, Config, Locality, Overflow, Queue, Site},
    routing::{Routing, Strategy},
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;

#[derive(Parser)]
#[command(about = "The distributor: cost of one assignment, and a day of contacts")]
struct Args {
    #[arg(long, default_value_t = 10_000)]
    contacts: u32,
    #[arg(long, default_value_t = 5_000)]
    agents: u32,
    #[arg(long, default_value_t = 200)]
    skills: u32,
    /// Contacts of the day.
    #[arg(long, default_value_t = 1_000_000)]
    day: u32,
}

fn slug<T: std::str::FromStr>(text: String) -> anyhow::Result<T>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    Ok(text.parse::<T>()?)
}

struct House {
    contacts: u32,
    agents: u32,
    skills: u32,
}

impl House {
    fn queue(&self, n: u32) -> anyhow::Result<QueueId> {
        slug(format!("queue-{}", n % self.skills))
    }

    fn agent(&self, n: u32) -> anyhow::Result<AgentId> {
        slug(format!("agent-{}", n % self.agents))
    }

    /// A queue for each skill, and agents who have ten of the skills.
    fn config(&self, rng: &mut ChaCha12Rng) -> anyhow::Result<Config> {
        let mut queues = BTreeMap::new();
        for n in 0..self.skills {
            let skill: SkillId = slug(format!("skill-{n}"))?;
            queues.insert(self.queue(n)?, queue(skill, n)?);
        }
        let mut agents = BTreeMap::new();
        for n in 0..self.agents {
            let mut agent = Agent { badge: "B".into(), phone: None, skills: BTreeMap::new(), queues: [].into() };
            for _ in 0..10 {
                let skill = rng.random_range(0..self.skills);
                agent.skills.insert(slug(format!("skill-{skill}"))?, rng.random_range(1..=10));
                agent.queues.insert(self.queue(skill)?);
            }
            agents.insert(self.agent(n)?, agent);
        }
        let site = Site {
            id: slug("north".into())?,
            label: "North".into(),
            time_zone: "UTC".into(),
            emergency: [].into(),
            outward: None,
            dialling: Default::default(),
            closed: false,
            pauses: BTreeMap::new(),
            dispositions: BTreeMap::new(),
            recording: Default::default(),
        };
        Ok(Config {
            site,
            queues,
            agents,
            phones: [].into(),
            trunks: [].into(),
            numbers: [].into(),
            flows: [].into(),
            hours: [].into(),
            places: [].into(),
        })
    }

    /// Everybody is at work and the house is full; then one after the other is done and gets the next contact.
    fn assignments(&self) -> anyhow::Result<Vec<Duration>> {
        let mut rng = ChaCha12Rng::seed_from_u64(1);
        let now = Instant::now();
        let mut acd = Acd::new(now, &self.config(&mut rng)?);
        for n in 0..self.agents {
            acd.handle_input(now, Input::SignIn { agent: self.agent(n)? });
        }
        for n in 0..self.contacts {
            acd.handle_input(now, enter(self.queue(rng.random())?, n, now, &mut rng));
        }
        while acd.poll_output().is_some() {}
        let mut costs = Vec::new();
        for n in 0..self.agents.min(self.contacts / 2) {
            let agent = self.agent(n)?;
            let began = Instant::now();
            acd.handle_input(now, Input::Ready { agent });
            let mut offered = false;
            while let Some(output) = acd.poll_output() {
                offered |= matches!(output, Output::Offer { .. });
            }
            let cost = began.elapsed();
            if offered {
                costs.push(cost);
            }
            // The house stays full.
            acd.handle_input(now, enter(self.queue(rng.random())?, self.contacts + n, now, &mut rng));
            while acd.poll_output().is_some() {}
        }
        Ok(costs)
    }
}

fn queue(skill: SkillId, n: u32) -> anyhow::Result<Queue> {
    let strategies = [Strategy::LongestIdle, Strategy::LeastOccupied, Strategy::MostSkilled, Strategy::RoundRobin];
    let strategy = strategies.into_iter().nth(usize::try_from(n % 4)?).unwrap_or_default();
    Ok(Queue {
        label: "Q".into(),
        skills: [(skill, 1)].into(),
        music: slug("music".into())?,
        position_every_s: 0,
        ring_s: 20,
        wrap_up_s: 10,
        service_level_s: 20,
        hours: None,
        recorded: false,
        recording: Default::default(),
        closed: false,
        overflow: Overflow { locality: Locality::LocalOnly, after_s: 0, to: Vec::new() },
        routing: Routing { strategy, ..Routing::default() },
        callback: Default::default(),
        dispositions: Default::default(),
        alerts: Default::default(),
    })
}

fn enter(queue: QueueId, n: u32, now: Instant, rng: &mut ChaCha12Rng) -> Input {
    let wants = Wants { value: rng.random_range(0..5), ..Wants::default() };
    Input::Enter { contact: ContactId(n.into()), queue, since: now, stay: Stay::Own, wants }
}

/// `contacts` come evenly over a day to 500 agents in 20 queues and are served; returned is how many were answered.
fn day(contacts: u32) -> anyhow::Result<u32> {
    let house = House { contacts, agents: 3_000, skills: 20 };
    let mut rng = ChaCha12Rng::seed_from_u64(2);
    let mut now = Instant::now();
    let gap = Duration::from_secs(86_400) / contacts.max(1);
    let mut acd = Acd::new(now, &house.config(&mut rng)?);
    for n in 0..house.agents {
        acd.handle_input(now, Input::SignIn { agent: house.agent(n)? });
        acd.handle_input(now, Input::Ready { agent: house.agent(n)? });
    }
    let (mut talking, mut answered) = (std::collections::BTreeSet::new(), 0);
    for n in 0..contacts {
        now += gap;
        while let Some(due) = acd.poll_timeout().filter(|due| *due <= now) {
            acd.handle_timeout(due);
        }
        while let Some((until, agent)) = talking.first().cloned().filter(|(until, _)| *until <= now) {
            talking.pop_first();
            acd.handle_input(until, Input::ContactDone { agent });
        }
        acd.handle_input(now, enter(house.queue(rng.random())?, n, now, &mut rng));
        let mut offers = Vec::new();
        while let Some(output) = acd.poll_output() {
            if let Output::Offer { agent, .. } = output {
                offers.push(agent);
            }
        }
        for agent in offers {
            answered += 1;
            acd.handle_input(now, Input::Accept { agent: agent.clone() });
            talking.insert((now + Duration::from_secs(rng.random_range(60..300)), agent));
        }
    }
    Ok(answered)
}

fn main() -> anyhow::Result<()> {
    let Args { contacts, agents, skills, day: of_day } = Args::parse();
    println!("{:>10} {:>8} {:>8} {:>12} {:>12} {:>12}", "waiting", "agents", "skills", "median", "p99", "of the full");
    let mut full = None;
    for part in [1, 2, 10] {
        let house = House { contacts: contacts / part, agents: agents / part, skills };
        let mut costs = house.assignments()?;
        costs.sort_unstable();
        let at = |permille: usize| costs.get(costs.len() * permille / 1_000).copied().unwrap_or_default();
        let (median, p99) = (at(500), at(990));
        let ratio = median.as_secs_f64() / full.get_or_insert(median).as_secs_f64();
        println!("{:>10} {:>8} {skills:>8} {median:>12.1?} {p99:>12.1?} {ratio:>12.2}", house.contacts, house.agents);
    }
    let began = Instant::now();
    let answered = day(of_day)?;
    let took = began.elapsed();
    println!("a day of {of_day} contacts: {answered} answered, {took:.1?}, {:.1?} a contact", took / of_day.max(1));
    Ok(())
}
