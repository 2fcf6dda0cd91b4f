//! A cloud, a line that can be cut, and a branch whose calls are taken by agents that answer at once; and what the two
//! sides know of the calls, to be compared.

use std::{path::Path, time::Duration};

use anyhow::{Context, ensure};
use harness::{
    company::{ADMIN, ADMIN_PASSWORD, Branch, BranchPlan, Cloud},
    process::{Program, wait_for},
    proof, sipp,
    wan::Wan,
    web::{Live, Session},
};
use serde_json::{Value, json};

use crate::stage::{self, Agent, PATIENCE};

/// Time for two back-offs, a batch and its answer.
const LINK_PATIENCE: Duration = Duration::from_secs(90);
/// An interval of a minute, and its way to the cloud.
const INTERVAL_PATIENCE: Duration = Duration::from_secs(150);

pub struct Company {
    pub cloud: Cloud,
    pub wan: Wan,
    pub branch: Branch,
    pub agents: Vec<(Agent, Live)>,
    pub carrier: u16,
    folder: std::path::PathBuf,
    runs: u32,
}

/// The example branch with a number that leads straight to a queue, and with agents who need no rest.
pub fn direct(site: &str, carrier: u16) -> anyhow::Result<BranchPlan> {
    let mut plan = BranchPlan::example(site, carrier)?;
    plan.k_callers = 1;
    plan.config["numbers"]["4001"] = json!("direct");
    let steps = json!({ "queue": { "do": "queue", "queue": "service" } });
    plan.config["flows"]["direct"] = json!({ "label": "Straight to service", "start": "queue", "steps": steps });
    plan.config["queues"]["service"]["wrap_up_s"] = json!(0);
    Ok(plan)
}

impl Company {
    pub fn start(folder: &Path, change: impl FnOnce(&mut BranchPlan)) -> anyhow::Result<Self> {
        let prompts = stage::prompts(&folder.join("prompts"))?;
        let cloud = Cloud::start(&folder.join("cloud"))?;
        let wan = Wan::to(&cloud.link)?;
        let carrier = stage::carrier_port();
        let mut plan = direct("branch-a", carrier)?;
        plan.cloud_at = vec![wan.address.clone()];
        change(&mut plan);
        let branch = Branch::start(&folder.join("branch-a"), &plan, Some(&cloud), &prompts)?;
        let mut agents = Vec::new();
        for (name, extension) in [("a-101", "101"), ("a-102", "102")] {
            let says = "this is the service desk";
            let agent = Agent::start(&branch, &folder.join(name), name, extension, says)?;
            let mut desk = agent.desk.live()?;
            desk.ask("sign_in")?;
            desk.ask("ready")?;
            agents.push((agent, desk));
        }
        let company = Self { cloud, wan, branch, agents, carrier, folder: folder.into(), runs: 0 };
        company.linked()?;
        Ok(company)
    }

    /// Starts callers at the carrier: `count` of them, one every three seconds, five seconds of talk each.
    pub fn callers(&mut self, count: u32, number: &str) -> anyhow::Result<Program> {
        self.callers_named(count, number, "Caller")
    }

    pub fn callers_named(&mut self, count: u32, number: &str, name: &str) -> anyhow::Result<Program> {
        self.runs += 1;
        let folder = self.folder.join(format!("carrier-{}", self.runs));
        std::fs::create_dir_all(&folder)?;
        let (wav, raw) = (folder.join("speech.wav"), folder.join("speech.ulaw"));
        proof::speak("my washing machine is broken", 20, &wav)?;
        sipp::ulaw(&wav, &raw)?;
        let calls = sipp::Calls {
            to: &self.branch.sip,
            number: "4001",
            caller: number,
            name,
            local_port: self.carrier,
            speech: &raw,
            stay: Duration::from_secs(5),
            count,
            every: Duration::from_secs(3),
        };
        sipp::start(&folder, &calls)
    }

    /// All callers were served, by SIPp's own judgement.
    pub fn served(&self, mut callers: Program) -> anyhow::Result<()> {
        let code = callers.wait(Duration::from_secs(120))?;
        ensure!(code == 0, "SIPp ended with {code}:\n{}", callers.tail());
        Ok(())
    }

    pub fn console(&self) -> anyhow::Result<Session> {
        Session::sign_in(&self.cloud.http, &json!({ "login": ADMIN, "password": ADMIN_PASSWORD }))
    }

    /// The branch's supervisor, signed in afresh.
    pub fn supervisor(&self) -> anyhow::Result<Session> {
        stage::sign_in(&self.branch, "a-101")
    }

    /// Waits until the console shows the branch with a link.
    pub fn linked(&self) -> anyhow::Result<()> {
        self.shown("the link", true)
    }

    /// Waits until the console shows that the branch is cut off.
    pub fn apart(&self) -> anyhow::Result<()> {
        self.shown("the end of the link", false)
    }

    fn shown(&self, what: &str, linked: bool) -> anyhow::Result<()> {
        let console = self.console()?;
        wait_for(what, LINK_PATIENCE, || {
            let sites = console.get("/api/sites").ok()?;
            sites.as_array()?.iter().all(|site| site["linked"] == linked).then_some(())
        })
    }

    /// The branch's records.
    pub fn contacts(&self) -> anyhow::Result<Vec<Value>> {
        stage::contacts(&self.supervisor()?)
    }

    /// What the cloud counts, summed over all cells: each kind of figure by its name.
    pub fn figures(&self, console: &Session) -> anyhow::Result<Value> {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_millis();
        let window = format!("from={}&to={}", now.saturating_sub(3_600_000), now + 600_000);
        let answer = console.get(&format!("/api/figures?{window}&length_s=60"))?;
        let mut sums = serde_json::Map::new();
        for cell in answer["figures"].as_array().context("figures")? {
            for (name, value) in cell["figures"].as_object().context("figures of a cell")? {
                let sum = sums.get(name).and_then(Value::as_u64).unwrap_or(0);
                sums.insert(name.clone(), json!(sum + value.as_u64().unwrap_or(0)));
            }
        }
        Ok(sums.into())
    }

    /// Waits until the cloud counts `offered` calls; its figures then.
    pub fn counted(&self, offered: u64) -> anyhow::Result<Value> {
        let console = self.console()?;
        wait_for("the figures of all calls", INTERVAL_PATIENCE, || {
            self.figures(&console).ok().filter(|sums| sums["offered"].as_u64() >= Some(offered))
        })
        .with_context(|| format!("{:?}; wanted {offered}", self.figures(&console)))
    }

    /// Waits until the cloud has every row the box wrote, and compares its book with the box's.
    pub fn delivered(&self) -> anyhow::Result<u64> {
        let position = stage::outbox_emptied(&self.branch, LINK_PATIENCE)?;
        let epoch = position["epoch"].as_str().context("an epoch")?.to_owned();
        let book = rusqlite::Connection::open_with_flags(
            self.cloud.folder.join("data/cloud.db"),
            rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY,
        )?;
        let watermark: i64 =
            book.query_row("SELECT seq FROM watermark WHERE epoch = ?1", [&epoch], |row| row.get(0))?;
        let aside: i64 = book.query_row("SELECT count(*) FROM poison", [], |row| row.get(0))?;
        ensure!(aside == 0, "{aside} rows were not understood by the cloud");
        let watermark = u64::try_from(watermark)?;
        ensure!(position["written"].as_u64() <= Some(watermark), "the cloud has {watermark}, the box {position}");
        Ok(watermark)
    }

    /// Every agent is ready (again), whatever happened to the box.
    pub fn agents_ready(&mut self) -> anyhow::Result<()> {
        for (agent, desk) in &mut self.agents {
            let name = agent.name.clone();
            wait_for("an agent who is ready", PATIENCE, || {
                if desk.ask("sign_in").is_err() && desk.ask("ready").is_err() {
                    agent.desk = stage::sign_in(&self.branch, &name).ok()?;
                    *desk = agent.desk.live().ok()?;
                }
                let _ = desk.ask("wrap_up_done");
                let _ = desk.ask("ready");
                desk.wait(Duration::from_secs(2), |seen| stage::state_of(seen, &name) == Some("ready")).ok()
            })
            .with_context(|| format!("{name}: {:?}", desk.seen))?;
        }
        Ok(())
    }
}
