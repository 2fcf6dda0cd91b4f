//! A whole box: `boxd run`, without a cloud.

use std::path::Path;

use anyhow::Context;
use bench::cpu;
use harness::{
    company::{Branch, BranchPlan},
    process::Program,
};
use serde_json::json;

use super::{Subject, sipp};

pub fn start(dir: &Path, carrier: u16, phone: u16, numbers: &[String]) -> anyhow::Result<Subject> {
    let mut plan = BranchPlan::example("bench", carrier)?;
    plan.config["trunks"]["carrier"]["calls_max"] = json!(numbers.len());
    for number in numbers {
        plan.config["phones"][number] = json!({ "label": "Answering" });
    }
    let prompts = dir.join("prompts");
    std::fs::create_dir_all(&prompts)?;
    // The harness writes the files and passwords; the box that is measured has a core to itself and more RTP ports.
    let mut branch = Branch::start(&dir.join("box"), &plan, None, &prompts)?;
    branch.stop();
    let text = std::fs::read_to_string(&branch.config)?;
    let ports = text.lines().find(|line| line.starts_with("ports = ")).context("RTP ports")?;
    std::fs::write(&branch.config, text.replace(ports, "ports = [34000, 59998]"))?;
    let mut command = cpu::measured(&harness::process::ours("boxd")?);
    command.arg("run").arg("--config").arg(&branch.config).env("RUST_LOG", "warn");
    let program = Program::start("boxd", command, &dir.join("boxd.log"))?;
    harness::process::wait_for("the box is healthy", std::time::Duration::from_secs(30), || {
        let health = branch.health()?;
        health["checks"].as_object()?.values().all(|check| check == true).then_some(())
    })
    .with_context(|| program.tail())?;
    sipp::register(dir, phone, &branch.sip, &branch.domain)?;
    Ok(Subject { sip: branch.sip, programs: vec![program] })
}
