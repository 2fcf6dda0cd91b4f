//! The main job on loopback, narrated: one cloud, two branches, a carrier, phones and agents with real speech. Ends with
//! a verdict; `--stay` keeps it running for play.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use e2e::stage::{self, Agent, PATIENCE};
use harness::{
    baresip::Phone,
    company::{ADMIN, ADMIN_PASSWORD, Branch, BranchPlan, Cloud, DESK_PASSWORD, PHONE_PASSWORD},
    process::wait_for,
    proof,
    wan::Wan,
    web::{Live, Session},
};
use serde_json::{Value, json};

/// Long enough for the greeting and most of the menu.
const MENU: Duration = Duration::from_secs(7);
const TALK: Duration = Duration::from_secs(8);

fn main() -> anyhow::Result<()> {
    let stay = std::env::args().any(|arg| arg == "--stay");
    let folder = tempfile::Builder::new().prefix("branchline-demo-").tempdir()?;
    let mut told = Told { began: Instant::now() };
    let mut company = Company::start(folder.path(), &mut told)?;
    let verdict = company.play(&mut told);
    match &verdict {
        Ok(()) => told.line("VERDICT: the main job works, end to end."),
        Err(error) => told.line(&format!("VERDICT: it does not: {error:#}")),
    }
    if stay {
        company.show();
        println!("Everything keeps running; Ctrl-C ends it.");
        loop {
            std::thread::park();
        }
    }
    verdict
}

struct Told {
    began: Instant,
}

impl Told {
    fn line(&mut self, text: &str) {
        println!("[{:>5.1} s] {text}", self.began.elapsed().as_secs_f32());
    }
}

struct Company {
    cloud: Cloud,
    wan: Wan,
    a: Branch,
    b: Branch,
    agent_a: Agent,
    desk_a: Live,
    agent_b: Agent,
    desk_b: Live,
    caller: Phone,
    calls: u64,
    folder: std::path::PathBuf,
}

impl Company {
    fn start(folder: &Path, told: &mut Told) -> anyhow::Result<Self> {
        told.line("speaking the prompts and the people's sentences");
        let prompts = stage::prompts(&folder.join("prompts"))?;
        told.line("starting the cloud: a certificate authority, a console, a place where boxes connect");
        let cloud = Cloud::start(&folder.join("cloud"))?;
        let wan = Wan::to(&cloud.link)?;
        let carrier = [stage::carrier_port(), stage::carrier_port()];
        let mut branches = Vec::new();
        for (site, port) in [("branch-a", carrier[0]), ("branch-b", carrier[1])] {
            told.line(&format!("starting the box of {site}: enrolled by a one-time code, configured by the cloud"));
            let mut plan = BranchPlan::example(site, port)?;
            // A demo has a handful of callers; a real box folds figures about fewer than ten.
            plan.k_callers = 1;
            plan.cloud_at = vec![wan.address.clone()];
            branches.push(Branch::start(&folder.join(site), &plan, Some(&cloud), &prompts)?);
        }
        let b = branches.pop().context("two branches")?;
        let a = branches.pop().context("two branches")?;
        told.line("agents register their phones and sign in at their desks");
        let says = "this is the service desk how can i help you";
        let agent_a = Agent::start(&a, &folder.join("agent-a"), "a-101", "101", says)?;
        let says = "good morning you are talking to the sales team";
        let agent_b = Agent::start(&b, &folder.join("agent-b"), "a-101", "101", says)?;
        let (mut desk_a, mut desk_b) = (agent_a.desk.live()?, agent_b.desk.live()?);
        for desk in [&mut desk_a, &mut desk_b] {
            desk.ask("sign_in")?;
            desk.ask("ready")?;
        }
        let caller = stage::caller(&folder.join("caller"), "5550100", "my washing machine is broken", carrier[0])?;
        let company =
            Self { cloud, wan, a, b, agent_a, desk_a, agent_b, desk_b, caller, calls: 0, folder: folder.into() };
        company.show();
        Ok(company)
    }

    fn show(&self) {
        println!("  console     {}   {ADMIN} / {ADMIN_PASSWORD}", self.cloud.http);
        println!("  desk A      {}   a-101 / {DESK_PASSWORD}", self.a.desk);
        println!("  desk B      {}   a-101 / {DESK_PASSWORD}", self.b.desk);
        println!("  your phone  102@{} via {}, password {PHONE_PASSWORD}; then dial 4000", self.a.domain, self.a.sip);
    }

    fn play(&mut self, told: &mut Told) -> anyhow::Result<()> {
        self.one_call(told, "the link is up")?;
        self.settings(told)?;
        told.line("the line to the cloud is cut");
        self.wan.cut();
        self.one_call(told, "the line is cut")?;
        self.linked("the console shows both branches as cut off", false)?;
        told.line("the console shows both branches as cut off; the line is mended");
        self.wan.mend();
        self.overflow(told)?;
        self.figures(told)
    }

    /// A caller presses 2, is answered at branch A, and is recorded.
    fn one_call(&mut self, told: &mut Told, when: &str) -> anyhow::Result<()> {
        self.free_agent()?;
        told.line(&format!("a call comes in ({when}): the box answers, greets, and reads its menu"));
        self.caller.dial(&format!("sip:4000@{}", self.a.sip))?;
        self.caller.wait_event("CALL_ESTABLISHED", PATIENCE)?;
        std::thread::sleep(MENU);
        self.caller.digit('2')?;
        self.agent_a.phone.wait_event("CALL_ESTABLISHED", PATIENCE)?;
        told.line("queued, offered, answered: caller and agent talk");
        std::thread::sleep(TALK);
        self.caller.hang_up()?;
        self.agent_a.phone.wait_event("CALL_CLOSED", PATIENCE)?;
        self.calls += 1;
        let heard = proof::words(&self.agent_a.phone.heard()?, 1)?;
        ensure!(heard.contains("washing machine"), "the agent heard {heard:?}");
        told.line(&format!("the agent heard: {heard}"));
        self.recording(told, "washing machine", "service desk")
    }

    fn recording(&mut self, told: &mut Told, left: &str, right: &str) -> anyhow::Result<()> {
        let file = stage::sealed_recording(&self.a, usize::try_from(self.calls)?)?;
        let wav = self.folder.join(format!("recording-{}.wav", self.calls));
        let manifest = stage::export(&self.a, &file, &wav)?;
        let (caller, agent) = (proof::words(&wav, 1)?, proof::words(&wav, 2)?);
        ensure!(caller.contains(left) && agent.contains(right), "the recording says {caller:?} and {agent:?}");
        told.line(&format!("recorded and proven: {} chunks, the words are in it", manifest["chunks"]));
        Ok(())
    }

    /// Whoever wraps up stops; whoever is not ready gets ready.
    fn free_agent(&mut self) -> anyhow::Result<()> {
        let _ = self.desk_a.ask("wrap_up_done");
        self.desk_a.ask("ready")
    }

    fn console(&self) -> anyhow::Result<Session> {
        Session::sign_in(&self.cloud.http, &json!({ "login": ADMIN, "password": ADMIN_PASSWORD }))
    }

    /// An edit in the console reaches the box, and one at the desk reaches the console.
    fn settings(&mut self, told: &mut Told) -> anyhow::Result<()> {
        told.line("the administrator sets the service queue's wrap-up to 17 s in the console");
        let edit = json!({ "set": "queue_wrap_up", "queue": "service", "seconds": 17 });
        self.console()?.post("/api/sites/branch-a/changes", &json!({ "doc": "local", "changes": [edit] }))?;
        let at_box = |value: &Value| value["config"]["queues"]["service"]["wrap_up_s"] == 17;
        wait_for("the edit at the box", PATIENCE, || self.agent_a.desk.get("/api/config").ok().filter(at_box))?;
        told.line("the box runs it; its supervisor sets the ring time to 12 s at the desk");
        let edit = json!({ "set": "queue_ring", "queue": "service", "seconds": 12 });
        self.agent_a.desk.post("/api/changes", &json!({ "changes": [edit] }))?;
        let console = self.console()?;
        let at_cloud = |value: &Value| value["config"]["queues"]["service"]["ring_s"] == 12;
        wait_for("the edit in the console", PATIENCE, || {
            console.get("/api/sites/branch-a/config").ok().filter(at_cloud)
        })?;
        told.line("the console shows it");
        Ok(())
    }

    fn linked(&self, what: &str, linked: bool) -> anyhow::Result<()> {
        let console = self.console()?;
        wait_for(what, Duration::from_secs(90), || {
            let sites = console.get("/api/sites").ok()?;
            sites.as_array()?.iter().all(|site| site["linked"] == linked).then_some(())
        })
    }

    /// Nobody is ready at A: its caller is helped at B, and recorded at A.
    fn overflow(&mut self, told: &mut Told) -> anyhow::Result<()> {
        self.desk_b.ask("ready").or_else(|_| self.desk_b.ask("wrap_up_done"))?;
        let _ = self.desk_a.ask("wrap_up_done");
        self.desk_a.ask("not_ready")?;
        self.linked("both boxes are linked again", true)?;
        told.line("both boxes are linked again; nobody is ready at branch A, and a caller wants sales");
        self.caller.dial(&format!("sip:4000@{}", self.a.sip))?;
        self.caller.wait_event("CALL_ESTABLISHED", PATIENCE)?;
        std::thread::sleep(MENU);
        self.caller.digit('1')?;
        self.agent_b.phone.wait_event("CALL_ESTABLISHED", Duration::from_secs(60))?;
        told.line("an agent of branch B answers: signalling and sealed audio travel through the cloud");
        std::thread::sleep(TALK);
        self.caller.hang_up()?;
        self.agent_b.phone.wait_event("CALL_CLOSED", PATIENCE)?;
        self.calls += 1;
        let heard = proof::words(&self.agent_b.phone.heard()?, 1)?;
        ensure!(heard.contains("washing machine"), "the agent at B heard {heard:?}");
        told.line(&format!("the agent at B heard: {heard}"));
        ensure!(self.b.recordings().is_empty(), "branch B recorded a call that is not its own");
        self.recording(told, "washing machine", "sales team")
    }

    /// Every queued call is in the cloud exactly once.
    fn figures(&mut self, told: &mut Told) -> anyhow::Result<()> {
        told.line("waiting for the minute to end, so that its figures leave through the gate");
        let console = self.console()?;
        let calls = self.calls;
        let offered = || -> Option<u64> {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).ok()?.as_millis();
            let window = format!("from={}&to={}", now.saturating_sub(3_600_000), now + 600_000);
            let answer = console.get(&format!("/api/figures?{window}&length_s=60")).ok()?;
            let rows = answer.get("figures").unwrap_or(&answer).as_array()?.clone();
            Some(rows.iter().filter_map(|row| row["figures"]["offered"].as_u64()).sum())
        };
        wait_for("every call in the cloud's figures", Duration::from_secs(150), || {
            offered().filter(|sum| *sum >= calls)
        })?;
        let sum = offered().unwrap_or(0);
        ensure!(sum == calls, "the cloud counts {sum} calls, there were {calls}");
        told.line(&format!("the cloud counts {sum} calls: each exactly once, none missing, no name and no number"));
        let proven = self.a.command(&["ledger", "verify"], None)?;
        told.line(&format!("everything that left branch A stands in its egress ledger: {}", proven.trim()));
        Ok(())
    }
}
