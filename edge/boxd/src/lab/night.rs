//! The lab's night: every device that `box.toml` names is tested again, its report is kept, and what came of it is a
//! fact: how much fails, what worked the last time and does not work any more, and whether its firmware is another.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::Context;
use jiff::{Timestamp, ToSpan, Zoned, civil::Time};
use lab::{
    diff::{Turn, diff},
    report::Report,
    verdict::Mark,
};
use ledger::Batch;
use model::fact::{Fact, Kind};
use tokio::process::{Child, Command};

use super::{Order, read, sign};
use crate::{
    calls,
    config::{BoxConfig, LabDevice},
};

/// Reports of one device that are kept; the oldest make room.
pub const REPORTS_MAX: usize = 60;

/// Tests them one after the other. False when something that worked fails, or a device could not be tested.
pub async fn run(config: &BoxConfig) -> anyhow::Result<bool> {
    let devices = config.lab.as_ref().map(|lab| lab.devices.as_slice()).unwrap_or_default();
    anyhow::ensure!(!devices.is_empty(), "[lab] names no devices");
    let mut good = true;
    for device in devices {
        let kind = match one(config, device).await {
            Ok(kind) => kind,
            Err(error) => {
                tracing::warn!(device = device.name, "the lab could not test a device: {error:#}");
                Kind::LabMissed { device: device.name.clone() }
            }
        };
        good &= matches!(kind, Kind::LabTested { worse: 0, .. });
        tell(config, kind)?;
    }
    Ok(good)
}

async fn one(config: &BoxConfig, device: &LabDevice) -> anyhow::Result<Kind> {
    let folder = folder(config, device);
    let before = kept(&folder)?.into_iter().rev().find_map(|file| proved(config, &file));
    let order = Order {
        kind: device.kind,
        target: device.target.clone(),
        call: device.call.clone(),
        account: None,
        from: None,
        listen: None,
        tls_port: 5061,
        answer_s: 20,
        keys_s: None,
        only: device.only.clone(),
        out: folder.clone(),
        quiet: true,
    };
    let report = super::run(config, order).await?;
    let files = kept(&folder)?;
    for file in files.iter().take(files.len().saturating_sub(REPORTS_MAX)) {
        for ending in ["json", "html"] {
            let _ = fs::remove_file(file.with_extension(ending));
        }
    }
    let kind = outcome(&device.name, before.as_ref(), &report);
    if let Kind::LabTested { worse, firmware_changed, .. } = &kind
        && (*worse > 0 || *firmware_changed)
    {
        let folder = folder.display();
        tracing::warn!(device = device.name, worse, firmware_changed, %folder, "a device behaves otherwise than before");
    }
    Ok(kind)
}

/// What a report says beside the one before.
fn outcome(device: &str, before: Option<&Report>, after: &Report) -> Kind {
    let count = |mark| u32::try_from(after.count(mark)).unwrap_or(u32::MAX);
    let changes = before.map(|before| diff(before, after)).unwrap_or_default();
    let worse = changes.iter().filter(|change| change.turn == Turn::Worse).count();
    Kind::LabTested {
        device: device.to_owned(),
        passed: count(Mark::Pass),
        failed: count(Mark::Fail),
        worse: u32::try_from(worse).unwrap_or(u32::MAX),
        firmware_changed: before.is_some_and(|before| before.product != after.product),
    }
}

fn folder(config: &BoxConfig, device: &LabDevice) -> PathBuf {
    config.data.join("lab").join(&device.name)
}

/// Reports, the oldest first: their names end with when they began.
fn kept(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let began = |file: &Path| {
        let name = file.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        name.rsplit('-').next().unwrap_or_default().to_owned()
    };
    let listed = fs::read_dir(folder).with_context(|| folder.display().to_string())?.flatten();
    let mut files: Vec<PathBuf> = listed.map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "json"));
    files.sort_by_key(|file| began(file));
    Ok(files)
}

/// A report that this box signed.
fn proved(config: &BoxConfig, file: &Path) -> Option<Report> {
    let signed = read(file).ok()?;
    sign::verify(config, &signed, None).ok()?;
    Some(signed.report)
}

fn tell(config: &BoxConfig, kind: Kind) -> anyhow::Result<()> {
    let ledger = calls::open_ledger(config, config.keys.load_or_create()?)?;
    let fact = Fact { seq: 0, at: calls::wall(), contact: None, kind };
    ledger.writer().submit(Batch { facts: vec![fact], ..Batch::default() }).wait().context("the ledger")?;
    ledger.close();
    Ok(())
}

/// When the night is, and the run that is going on. The supervisor looks here; the run is a process of its own.
pub struct Night {
    at: Option<Time>,
    due: Option<Timestamp>,
    running: Option<Child>,
}

impl Night {
    pub fn new(config: &BoxConfig) -> Night {
        let at = config.lab.as_ref().map(|lab| lab.at);
        Night { due: at.and_then(|at| next(at, &Zoned::now())), at, running: None }
    }

    /// Starts the run when it is due; one that still runs is left to end.
    pub fn look(&mut self, program: &Path, config: &Path) {
        if let Some(child) = &mut self.running
            && !matches!(child.try_wait(), Ok(None))
        {
            self.running = None;
        }
        if self.due.is_none_or(|due| Timestamp::now() < due) {
            return;
        }
        self.due = self.at.and_then(|at| next(at, &Zoned::now()));
        if self.running.is_some() {
            return;
        }
        let mut command = Command::new(program);
        command.args(["lab", "night", "--config"]).arg(config).stdin(Stdio::null()).kill_on_drop(true);
        match command.spawn() {
            Ok(child) => self.running = Some(child),
            Err(error) => tracing::error!(%error, "the lab's night cannot be started"),
        }
    }
}

/// The next time that the clock on this machine's wall shows it.
fn next(at: Time, now: &Zoned) -> Option<Timestamp> {
    let today = now.with().time(at).build().ok()?;
    let next = if today > *now { today } else { today.checked_add(1.day()).ok()? };
    Some(next.timestamp())
}

#[cfg(test)]
mod tests {
    use lab::{
        plan::Kind as Tested,
        report::{Outcome, VERSION},
        verdict::Text,
    };

    use super::*;

    fn report(product: &str, marks: &[(&str, Mark)]) -> Report {
        let text = |text: &str| Text { en: text.into(), zh: text.into() };
        let outcome = |(id, mark): &(&str, Mark)| Outcome {
            id: (*id).into(),
            rfc: String::new(),
            title: text(id),
            mark: *mark,
            said: text("so"),
            advice: None,
            took_ms: 1,
            evidence: Vec::new(),
        };
        Report {
            version: VERSION,
            kind: Tested::Phone,
            target: "sip:101@192.0.2.9".into(),
            product: Some(product.into()),
            site: "branch-a".into(),
            software: "0".into(),
            began: String::new(),
            took_s: 1,
            outcomes: marks.iter().map(outcome).collect(),
        }
    }

    #[test]
    fn a_night_tells_what_broke_with_another_firmware() {
        let before = report("Phone 1.0", &[("options", Mark::Pass), ("refer", Mark::Pass), ("prack", Mark::Fail)]);
        let after = report("Phone 2.0", &[("options", Mark::Pass), ("refer", Mark::Fail), ("prack", Mark::Pass)]);
        let told = |worse, firmware_changed| Kind::LabTested {
            device: "desk".into(),
            passed: 2,
            failed: 1,
            worse,
            firmware_changed,
        };
        assert_eq!(outcome("desk", Some(&before), &after), told(1, true));
        assert_eq!(outcome("desk", Some(&after), &after), told(0, false));
        assert_eq!(outcome("desk", None, &after), told(0, false));
    }

    #[test]
    fn the_night_comes_once_a_day_also_when_the_clock_is_changed() {
        let at = jiff::civil::time(3, 30, 0, 0);
        let check = |now: &str, wanted: &str| {
            let now: Zoned = now.parse().unwrap();
            assert_eq!(next(at, &now).unwrap().to_string(), wanted, "{now}");
        };
        check("2026-11-28T02:00[Europe/Berlin]", "2026-11-28T02:30:00Z");
        check("2026-11-28T03:30[Europe/Berlin]", "2026-11-29T02:30:00Z");
        check("2026-03-28T04:00[Europe/Berlin]", "2026-03-29T01:30:00Z");
    }
}
