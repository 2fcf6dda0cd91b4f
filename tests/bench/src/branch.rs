//! A whole box for a measurement: `boxd run` without a cloud, on the measured core, with as many phones as are wanted.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use boxd::calls::secrets;
use harness::{
    company::{Branch, BranchPlan, PHONE_PASSWORD},
    process::{Program, wait_for},
};
use ledger::{Batch, Ledger, Options};
use model::Extension;
use serde_json::json;

use crate::cpu;

/// Credentials in one batch.
const BATCH: usize = 1_000;

pub struct Measured {
    pub branch: Branch,
    folder: PathBuf,
    program: Option<Program>,
}

impl Measured {
    /// Starts it with these phones and a carrier at this port.
    pub fn start(dir: &Path, carrier: u16, numbers: &[String]) -> anyhow::Result<Self> {
        let mut plan = BranchPlan::example("bench", carrier)?;
        plan.config["trunks"]["carrier"]["calls_max"] = json!(1_000);
        let prompts = dir.join("prompts");
        std::fs::create_dir_all(&prompts)?;
        let mut branch = Branch::start(&dir.join("box"), &plan, None, &prompts)?;
        branch.stop();
        // What the first start said of itself is not to be taken for the next one's.
        let _ = std::fs::remove_file(branch.folder.join("run/health.json"));
        let text = std::fs::read_to_string(&branch.config)?;
        let ports = text.lines().find(|line| line.starts_with("ports = ")).context("RTP ports")?;
        let text = text.replace(ports, "ports = [34000, 59998]");
        std::fs::write(&branch.config, text.replace("127.0.0.1/32", "127.0.0.0/8"))?;
        passwords(&branch, numbers)?;
        for number in numbers {
            plan.config["phones"][number] = json!({ "label": "Answering" });
        }
        let file = dir.join("site.json");
        std::fs::write(&file, plan.config.to_string())?;
        branch.command(&["site", "import", file.to_str().context("a UTF-8 path")?], None)?;
        let mut measured = Self { branch, folder: dir.into(), program: None };
        measured.launch()?;
        Ok(measured)
    }

    /// Starts the box (again) and waits until it is healthy.
    pub fn launch(&mut self) -> anyhow::Result<()> {
        let mut command = cpu::measured(&harness::process::ours("boxd")?);
        command.arg("run").arg("--config").arg(&self.branch.config).env("RUST_LOG", "warn");
        let program = self.program.insert(Program::start("boxd", command, &self.folder.join("boxd.log"))?);
        let tail = || program.tail();
        wait_for("the box is healthy", Duration::from_secs(60), || {
            let health = self.branch.health()?;
            health["checks"].as_object()?.values().all(|check| check == true).then_some(())
        })
        .with_context(tail)
    }

    pub fn stop(&mut self) {
        self.program = None;
        let _ = std::fs::remove_file(self.branch.folder.join("run/health.json"));
    }

    pub fn time(&self) -> Duration {
        self.program.as_ref().map_or(Duration::ZERO, |program| cpu::time_of_family(program.pid()))
    }

    /// Time of each of its processes.
    pub fn times(&self) -> Vec<(String, Duration)> {
        let pids = self.branch.pids();
        pids.into_iter().filter_map(|(name, pid)| Some((name, cpu::time(pid).ok()?))).collect()
    }

    /// Anonymous memory of the process that speaks SIP, in bytes.
    pub fn memory(&self) -> anyhow::Result<u64> {
        cpu::memory(*self.branch.pids().get("calls").context("the calls process")?)
    }

    /// What the process that speaks SIP counts, by name and labels.
    pub fn figures(&self) -> anyhow::Result<BTreeMap<String, f64>> {
        let config = boxd::config::load(&self.branch.config).map_err(|faults| anyhow::anyhow!("{faults}"))?;
        let mut stream = TcpStream::connect(config.metrics_of(0)).context("the metrics")?;
        stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let figure = |line: &str| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        };
        Ok(lines.filter_map(figure).collect())
    }

    pub fn tail(&self) -> String {
        self.program.as_ref().map(Program::tail).unwrap_or_default()
    }
}

/// Every phone's password, written as `boxd phone password` writes it.
fn passwords(branch: &Branch, numbers: &[String]) -> anyhow::Result<()> {
    let config = boxd::config::load(&branch.config).map_err(|faults| anyhow::anyhow!("{faults}"))?;
    let key = config.keys.load_or_create()?;
    let ledger = Ledger::open(&config.ledger_file(), key, Options::default())?;
    for some in numbers.chunks(BATCH) {
        let mut batch = Batch::default();
        for number in some {
            let phone = Extension::new(number).map_err(|error| anyhow::anyhow!("{number}: {error}"))?;
            batch.credentials.extend(secrets::phone_password(&phone, &branch.domain, PHONE_PASSWORD)?);
        }
        ledger.writer().submit(batch).wait()?;
    }
    ledger.close();
    Ok(())
}
