//! What would change at which branch, and doing it.

use std::{collections::BTreeSet, fmt::Write, path::PathBuf};

use anyhow::{Context, bail, ensure};
use model::{
    change::{Finding, Severity},
    config::Config,
    history::Difference,
};
use serde::{Deserialize, Serialize};

use crate::{
    api::{Applied, Server},
    files, show,
};

/// A plan as it is kept in a file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plans {
    sites: Vec<Plan>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Plan {
    /// Names the state that it was made of.
    base: String,
    differences: Vec<Difference>,
    findings: Vec<Finding>,
    stays: Vec<String>,
    config: Config,
}

impl Plans {
    pub async fn make(server: &Server, paths: &[PathBuf]) -> anyhow::Result<Self> {
        let (mut sites, mut seen) = (Vec::new(), BTreeSet::new());
        let mut wanted = Vec::new();
        for path in files::named(paths)? {
            let config = files::parse(&files::read(&path)?).with_context(|| path.display().to_string())?;
            ensure!(
                seen.insert(config.site.id.clone()),
                "{}: there is another file of {}",
                path.display(),
                config.site.id
            );
            wanted.push((path, config));
        }
        for (path, config) in wanted {
            let planned = server.plan(&config).await.with_context(|| path.display().to_string())?;
            let crate::api::Planned { base, differences, findings, stays } = planned;
            sites.push(Plan { base, differences, findings, stays, config });
        }
        Ok(Self { sites })
    }

    pub fn differs(&self) -> bool {
        self.sites.iter().any(|plan| !plan.differences.is_empty())
    }

    pub fn shown(&self) -> String {
        let mut text = String::new();
        for plan in &self.sites {
            plan.show(&mut text, |_| None);
        }
        text + &self.summary("would change")
    }

    pub async fn drift(&self, server: &Server) -> anyhow::Result<String> {
        let mut text = String::new();
        for plan in self.sites.iter().filter(|plan| !plan.differences.is_empty()) {
            let blame = server.blame(&plan.config.site.id).await?;
            plan.show(&mut text, |path| show::set_by(&blame, path));
        }
        Ok(text + &self.summary("run otherwise"))
    }

    fn summary(&self, what: &str) -> String {
        let fields: usize = self.sites.iter().map(|plan| plan.differences.len()).sum();
        let sites = self.sites.iter().filter(|plan| !plan.differences.is_empty()).count();
        match fields {
            0 => format!("{} branches are as their files say.\n", self.sites.len()),
            _ => format!("{fields} fields of {sites} of {} branches {what}.\n", self.sites.len()),
        }
    }

    /// One branch after another; the first that fails ends it, and what was done before is told.
    pub async fn apply(&self, server: &Server) -> anyhow::Result<()> {
        for plan in &self.sites {
            let site = &plan.config.site.id;
            let fatal = plan.findings.iter().any(|finding| finding.severity == Severity::Fatal);
            ensure!(!fatal, "{site}: it would never activate");
            if plan.differences.is_empty() {
                continue;
            }
            match server.apply(&plan.config, &plan.base).await.with_context(|| site.to_string())? {
                Applied::Done => println!("{site}: {} fields changed", plan.differences.len()),
                Applied::Moved => bail!("{site}: it was changed since it was planned: plan again"),
            }
        }
        Ok(())
    }
}

impl Plan {
    fn show(&self, text: &mut String, beside: impl Fn(&str) -> Option<String>) {
        if self.differences.is_empty() {
            return;
        }
        // Writing into a text does not fail.
        let mut line = |line: &str| {
            let _ = writeln!(text, "{line}");
        };
        line(self.config.site.id.as_str());
        for difference in &self.differences {
            line(&show::difference(difference));
            if let Some(beside) = beside(&difference.path) {
                line(&beside);
            }
        }
        self.findings.iter().for_each(|finding| line(&show::finding(finding)));
        self.stays.iter().for_each(|path| line(&format!("  = {} will not be as the file says", show::clean(path))));
    }
}
