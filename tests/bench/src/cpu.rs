//! Processor time and memory of processes, from `/proc`.

use std::{fs, time::Duration};

use anyhow::Context;

/// The core that the measured program runs on; the traffic comes from the other one.
pub const MEASURED_CORE: usize = 0;
pub const TRAFFIC_CORE: usize = 1;

/// User and system time of a process with all its threads.
pub fn time(pid: u32) -> anyhow::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).with_context(|| format!("process {pid}"))?;
    // The name stands in brackets and may hold anything; after it, utime and stime are the 12th and 13th fields.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok()).context("/proc/PID/stat");
    let per_second = nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK)?.unwrap_or(100);
    Ok(Duration::from_secs_f64((ticks(11)? + ticks(12)?) as f64 / per_second as f64))
}

/// Resident memory that is not a file's, in bytes.
pub fn memory(pid: u32) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kb = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    Ok(kb.context("RssAnon")? * 1_024)
}

/// A process and everything it started.
pub fn family(pid: u32) -> Vec<u32> {
    let mut found = vec![pid];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        next += 1;
        let Ok(threads) = fs::read_dir(format!("/proc/{parent}/task")) else { continue };
        for thread in threads.flatten() {
            let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            found.extend(children.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
        }
    }
    found
}

/// [`time`] of a whole family.
pub fn time_of_family(pid: u32) -> Duration {
    family(pid).into_iter().filter_map(|pid| time(pid).ok()).sum()
}

/// Binds the calling thread, and those it starts, to one core.
pub fn stay_on(core: usize) -> anyhow::Result<()> {
    let mut set = nix::sched::CpuSet::new();
    set.set(core)?;
    nix::sched::sched_setaffinity(nix::unistd::Pid::from_raw(0), &set)?;
    Ok(())
}

/// A command that runs on [`MEASURED_CORE`] alone.
pub fn measured(program: &std::path::Path) -> std::process::Command {
    let mut command = std::process::Command::new("taskset");
    command.args(["--cpu-list", &MEASURED_CORE.to_string()]).arg(program);
    command
}
