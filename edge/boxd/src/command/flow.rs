//! Flows as text, on a desk without a box.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Subcommand;
use model::StepId;

#[derive(Subcommand)]
pub enum Flow {
    /// Say what is wrong with a flow (YAML or JSON), by which road a caller comes there, and where every road ends.
    Check { file: PathBuf },
    /// Print a flow as YAML, in the order and the words of the editors.
    Print { file: PathBuf },
}

impl Flow {
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Flow::Check { file } => check(&read(&file)?),
            Flow::Print { file } => {
                print!("{}", flow::text::print(&read(&file)?)?);
                Ok(())
            }
        }
    }
}

fn read(file: &PathBuf) -> anyhow::Result<model::flow::Flow> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    flow::text::parse(&text).with_context(|| format!("{} is not a flow", file.display()))
}

fn check(flow: &model::flow::Flow) -> anyhow::Result<()> {
    let road = |road: &[StepId]| road.iter().map(StepId::as_str).collect::<Vec<_>>().join(" > ");
    let found = flow::check(flow);
    for one in &found {
        let weight = if one.grave { "fault" } else { "look" };
        let at = one.at.as_ref().map_or("the beginning", StepId::as_str);
        let fault = serde_json::to_string(&one.fault)?;
        let by = if one.road.is_empty() { String::new() } else { format!(", by {}", road(&one.road)) };
        println!("{weight} at {at}: {fault}{by}");
    }
    for end in flow::ends(flow) {
        println!("ends at {}, by {}", end.at, road(&end.road));
    }
    match found.iter().filter(|one| one.grave).count() {
        0 => Ok(()),
        faults => bail!("{faults} faults: this flow cannot run"),
    }
}
