//! `cargo xtask torture`: the 61 messages of RFC 4475 and RFC 5118 put to a real box over UDP, over TCP in one write and
//! byte by byte, and over WebSocket, by a stranger and by somebody it knows. One row each, with the verdict of the
//! document and the replies; the exit code is 1 when any reply is not the one of `conformance::torture`.
//!
//! It runs in a network namespace of its own, where the addresses of the messages are the box's.

mod house;
mod ways;

use std::collections::BTreeSet;
use std::process::{Command, ExitCode};

use anyhow::Context;
use conformance::torture::{CASES, Case, Reply, Verdict};

use house::House;
use ways::{Way, ask};

const INSIDE: &str = "--inside";

fn main() -> anyhow::Result<ExitCode> {
    if !std::env::args().any(|arg| arg == INSIDE) {
        let own = std::env::current_exe()?;
        let status = Command::new("unshare").args(["--map-root-user", "--net", "--"]).arg(own).arg(INSIDE).status();
        let status = status.context("unshare (util-linux)")?;
        return Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let folder = tempfile::tempdir()?;
    house::take_addresses()?;
    let mut rows: Vec<Row> =
        CASES.iter().map(|case| Row { case, cells: Vec::new(), line: None, wrong: Vec::new() }).collect();
    for way in Way::ALL {
        // A box each: the same message by another way would be the same request again (RFC 3261 §8.2.2.2). And some of
        // the messages share a branch, and are one another's repetition to a server (§17.2.3).
        let mut left: Vec<&mut Row> = rows.iter_mut().collect();
        for round in 1.. {
            let mut asked = BTreeSet::new();
            let (turn, later): (Vec<&mut Row>, _) =
                left.into_iter().partition(|row| asked.insert(transaction(row.case)));
            left = later;
            if turn.is_empty() {
                break;
            }
            let house = House::build(&folder.path().join(format!("{way:?}{round}")))?;
            turn.into_iter().try_for_each(|row| row.ask(&house, way))?;
        }
    }
    println!(
        "Replies to a stranger / to a trunk or a phone that proved its password; 100 is a call let in, - is silence,"
    );
    println!("… waits for the rest. RFC: the reply of the document to who is known, where it names one.\n");
    println!(
        "{:29} {:9} {:7} {:3} {:>9} {:>9} {:>9} {:>9}  first line of the reply",
        "message", "section", "verdict", "RFC", "UDP", "TCP", "by byte", "WS"
    );
    rows.iter().for_each(Row::print);
    let right = rows.iter().filter(|row| row.wrong.is_empty()).count();
    println!("\n{right} of {} as they should be", rows.len());
    Ok(if right == rows.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

struct Row {
    case: &'static Case,
    /// By way.
    cells: Vec<String>,
    line: Option<String>,
    wrong: Vec<String>,
}

impl Row {
    fn ask(&mut self, house: &House, way: Way) -> anyhow::Result<()> {
        let case = self.case;
        let by_stream = case.stream.filter(|_| way.is_stream());
        let mut cell = Vec::new();
        for known in [false, true] {
            // No trunk comes by WebSocket.
            if known && way == Way::WebSocket && !house::is_of_phones(case.bytes) {
                continue;
            }
            let expected = by_stream.unwrap_or(if known { case.known } else { case.stranger });
            let bytes = if known { house::of_the_house(case.bytes) } else { case.bytes.to_vec() };
            let who = if known { "known" } else { "stranger" };
            match ask(house, way, known, &bytes, expected) {
                Ok(heard) => {
                    if heard.reply != expected {
                        self.wrong.push(format!(
                            "{way:?} {who}: {} instead of {}",
                            short(heard.reply),
                            short(expected)
                        ));
                    }
                    cell.push(short(heard.reply));
                    self.line = heard.line.or(self.line.take());
                }
                Err(error) => {
                    cell.push("?".to_string());
                    self.wrong.push(format!("{way:?} {who}: {error:#}"));
                }
            }
        }
        self.cells.push(cell.join("/"));
        Ok(())
    }

    fn print(&self) {
        let case = self.case;
        let verdict = if case.verdict == Verdict::Valid { "valid" } else { "invalid" };
        let rfc = if case.section.starts_with('4') { "5118 " } else { "" };
        let section = format!("{rfc}{}", case.section);
        print!("{:29} {section:9} {verdict:7} {:3}", case.name, short(case.rfc));
        self.cells.iter().for_each(|cell| print!(" {cell:>9}"));
        println!("  {}", self.line.as_deref().unwrap_or_default());
        self.wrong.iter().for_each(|wrong| println!("    WRONG {wrong}"));
    }
}

/// What a server tells transactions apart by, as written: method, sent-by and branch.
fn transaction(case: &Case) -> String {
    let text = String::from_utf8_lossy(case.bytes).to_ascii_lowercase();
    let is_via = |line: &&str| line.split(':').next().is_some_and(|name| matches!(name.trim(), "via" | "v"));
    let via = text.lines().find(is_via).unwrap_or(case.name);
    let method = text.split(' ').next().unwrap_or_default();
    let sent_by = via.split(';').next().unwrap_or_default();
    let branch = via.split(';').find(|param| param.trim().starts_with("branch")).unwrap_or_default();
    format!("{method} {sent_by} {branch}")
}

fn short(reply: Reply) -> String {
    match reply {
        Reply::Status(status) => status.to_string(),
        Reply::Silence => "-".to_string(),
        Reply::Waits => "…".to_string(),
    }
}
