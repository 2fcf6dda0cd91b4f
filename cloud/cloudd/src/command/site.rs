//! Adds a site from a file with its first configuration.

use std::path::PathBuf;

use anyhow::{Context, bail, ensure};
use clap::Subcommand;
use db::site::{Added, SITES_MAX};
use model::{
    change::{Finding, Severity},
    config::Config,
};
use serde_json::json;

use crate::{
    clock,
    documents::{self, Refused},
    settings::Settings,
    shelf::MACHINE,
};

#[derive(Subcommand)]
pub enum Site {
    /// Add a site; the file is its whole configuration as JSON.
    Add { file: PathBuf },
}

impl Site {
    pub async fn execute(self, settings: &Settings) -> anyhow::Result<()> {
        let Site::Add { file } = self;
        let name = file.display();
        let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {name}"))?;
        let config: Config = serde_json::from_str(&text).with_context(|| format!("{name}"))?;
        let db = super::open(settings)?;
        let (site, now) = (config.site.id.clone(), clock::now());
        let changes = config::changes_from(&config);
        let edited = documents::draft(&site, &changes, now)?.map_err(|refused| match refused {
            Refused::Change { index, error } => {
                let change = changes.get(index).and_then(|change| serde_json::to_string(change).ok());
                anyhow::anyhow!("{name}: {error}, in {}", change.unwrap_or_default())
            }
            other => other.into(),
        })?;
        let findings = edited.effective.findings.clone();
        if findings.iter().any(|finding| finding.severity == Severity::Fatal) {
            bail!("{name} would never activate:\n{}", lines(&findings));
        }
        let (id, label) = (site.clone(), edited.effective.config.site.label.clone());
        let added = db
            .write(move |conn| {
                let added = db::site::add(conn, &id, now)?;
                if added == Added::Added {
                    edited.store(conn, MACHINE, now)?;
                    db::audit::add(conn, MACHINE, "site.add", &json!({ "site": id }), now)?;
                }
                Ok::<_, db::Error>(added)
            })
            .await?;
        ensure!(added != Added::Exists, "there is a site {site} already");
        ensure!(added != Added::Full, "there are {SITES_MAX} sites, and no room for more");
        println!("Added {site} ({label})");
        if !findings.is_empty() {
            println!("{}", lines(&findings));
        }
        Ok(())
    }
}

fn lines(findings: &[Finding]) -> String {
    let line = |finding: &Finding| {
        let problem = serde_json::to_string(&finding.problem).unwrap_or_default();
        format!("  {:?} {}: {problem}", finding.severity, finding.path)
    };
    findings.iter().map(line).collect::<Vec<_>>().join("\n")
}
