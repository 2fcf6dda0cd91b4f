//! Changes for many branches, from a file in version control: looked at, begun, watched and stopped.

use std::{collections::BTreeSet, path::PathBuf};

use anyhow::{Context, ensure};
use clap::Subcommand;
use model::{
    SiteId,
    change::{Change, Finding},
    history::Difference,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{api::Server, files, show};

#[derive(Subcommand)]
pub enum Command {
    /// Say what a file's changes would do at each of its branches; ends with 2 when something would differ.
    Look { file: PathBuf },
    /// Begin the roll-out that a file describes.
    Begin { file: PathBuf },
    /// Say how each stands, the newest first.
    List,
    /// Write nothing more; what is written is still watched.
    Pause { rollout: i64 },
    /// Go on after it was held.
    Resume { rollout: i64 },
    /// Let what stood before stand again, everywhere.
    TakeBack { rollout: i64 },
    /// Do not wait for calls at the first branches.
    GoOn { rollout: i64 },
}

/// A file. JSON of what the interface takes, but for tags.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    label: String,
    changes: Vec<Change>,
    #[serde(default)]
    overrule: bool,
    /// Beside those of the tags.
    #[serde(default)]
    sites: BTreeSet<SiteId>,
    #[serde(default, skip_serializing)]
    tags: BTreeSet<String>,
    canaries: BTreeSet<SiteId>,
    #[serde(default = "shares")]
    shares: Vec<u8>,
    #[serde(default = "hour")]
    soak_s: u32,
    #[serde(default = "half_an_hour")]
    patience_s: u32,
    #[serde(default = "yes")]
    wants_calls: bool,
}

fn shares() -> Vec<u8> {
    vec![10, 50, 100]
}

fn hour() -> u32 {
    3_600
}

fn half_an_hour() -> u32 {
    1_800
}

fn yes() -> bool {
    true
}

/// What a server says of one branch.
#[derive(Debug, Deserialize)]
struct Looked {
    site: SiteId,
    fits: bool,
    refused: Option<(usize, String)>,
    differences: Vec<Difference>,
    findings: Vec<Finding>,
}

/// Whether something differs.
pub async fn run(server: &Server, command: Command) -> anyhow::Result<bool> {
    let (rollout, word) = match command {
        Command::Look { file } => return look(server, wanted(server, file).await?).await,
        Command::Begin { file } => return begin(server, wanted(server, file).await?).await,
        Command::List => return list(server).await,
        Command::Pause { rollout } => (rollout, "pause"),
        Command::Resume { rollout } => (rollout, "resume"),
        Command::TakeBack { rollout } => (rollout, "take_back"),
        Command::GoOn { rollout } => (rollout, "go_on"),
    };
    let _: Value = server.post(&format!("api/rollouts/{rollout}/say"), &json!({ "say": word })).await?;
    Ok(false)
}

async fn wanted(server: &Server, file: PathBuf) -> anyhow::Result<Wanted> {
    let value: Value = files::yaml(&files::read(&file)?).with_context(|| file.display().to_string())?;
    let mut wanted: Wanted = serde_json::from_value(value).with_context(|| file.display().to_string())?;
    for site in server.tagged().await?.into_iter().filter(|site| !site.tags.is_disjoint(&wanted.tags)) {
        wanted.sites.insert(site.site);
    }
    ensure!(!wanted.sites.is_empty(), "{}: no branch is named, and none has such a tag", file.display());
    Ok(wanted)
}

async fn look(server: &Server, wanted: Wanted) -> anyhow::Result<bool> {
    #[derive(Deserialize)]
    struct Answer {
        sites: Vec<Looked>,
        destructive: bool,
    }
    let Wanted { changes, sites, overrule, .. } = wanted;
    let ask = json!({ "changes": changes, "sites": sites, "overrule": overrule });
    let Answer { sites, destructive } = server.post("api/rollouts/look", &ask).await?;
    for looked in &sites {
        println!("{}: {}", looked.site, if looked.fits { "would run" } else { "WOULD NOT RUN" });
        if let Some((index, why)) = &looked.refused {
            println!("  ! change {index}: {}", show::clean(why));
        }
        looked.differences.iter().for_each(|difference| println!("{}", show::difference(difference)));
        looked.findings.iter().for_each(|finding| println!("{}", show::finding(finding)));
    }
    if destructive {
        println!("Another administrator must agree before it begins.");
    }
    ensure!(sites.iter().all(|looked| looked.fits), "some branches would not run by it");
    Ok(sites.iter().any(|looked| !looked.differences.is_empty()))
}

async fn begin(server: &Server, wanted: Wanted) -> anyhow::Result<bool> {
    #[derive(Deserialize)]
    struct Answer {
        rollout: i64,
        awaits_second: bool,
    }
    let Answer { rollout, awaits_second } = server.post("api/rollouts", &json!(wanted)).await?;
    println!("roll-out {rollout}: {}", if awaits_second { "another administrator must agree" } else { "begun" });
    Ok(false)
}

async fn list(server: &Server) -> anyhow::Result<bool> {
    #[derive(Deserialize)]
    struct Line {
        rollout: i64,
        label: String,
        state: String,
        why: Option<String>,
        site: Option<String>,
        waves: Vec<Vec<Site>>,
    }
    #[derive(Deserialize)]
    struct Site {
        is: String,
    }
    let lines: Vec<Line> = server.get("api/rollouts").await?;
    for Line { rollout, label, state, why, site, waves } in lines {
        let sites: Vec<&Site> = waves.iter().flatten().collect();
        let there = sites.iter().filter(|site| site.is == "passed" || site.is == "alike").count();
        let why = why.map(|why| format!(" ({why}{})", site.map(|site| format!(" {site}")).unwrap_or_default()));
        let why = show::clean(&why.unwrap_or_default());
        println!("{rollout}  {state}{why}  {there} of {}  {}", sites.len(), show::clean(&label));
    }
    Ok(false)
}
