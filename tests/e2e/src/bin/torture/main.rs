//! `cargo xtask torture`: the 61 messages of RFC 4475 and RFC 5118 put to a real box over UDP, over TCP in one write and
//! byte by byte, and over WebSocket, by a stranger and by somebody it knows. One row each, with the verdict of the
//! document and the replies; the exit code is 1 when any reply is not the one of `conformance::torture`.
//!
//! It runs in a network namespace of its own, where the addresses of the messages are the box's.

mod house;
mod ways;

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
    let house = House::build(folder.path())?;
    println!(
        "Replies to a stranger / to a trunk or a phone that proved its password; 100 is a call let in, - is silence,"
    );
    println!("… waits for the rest. RFC: the verdict of the document, and the reply where it names one.\n");
    println!(
        "{:27} {:8} {:8} {:4} {:>9} {:>9} {:>9} {:>9}  first line of the reply",
        "message", "section", "verdict", "RFC", "UDP", "TCP", "by byte", "WS"
    );
    let mut right = 0_usize;
    for case in &CASES {
        let row = Row::of(&house, case)?;
        right += usize::from(row.wrong.is_empty());
        println!("{}", row.text);
        row.wrong.iter().for_each(|wrong| println!("    WRONG {wrong}"));
    }
    println!("\n{right} of {} as they should be", CASES.len());
    Ok(if right == CASES.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

struct Row {
    text: String,
    wrong: Vec<String>,
}

impl Row {
    fn of(house: &House, case: &Case) -> anyhow::Result<Self> {
        let (mut wrong, mut cells, mut line) = (Vec::new(), Vec::new(), None);
        for way in Way::ALL {
            let by_stream = case.stream.filter(|_| way.is_stream());
            let mut cell = Vec::new();
            for known in [false, true] {
                // No trunk comes by WebSocket.
                if known && way == Way::WebSocket && !house::is_of_phones(case.bytes) {
                    continue;
                }
                let expected = by_stream.unwrap_or(if known { case.known } else { case.stranger });
                let bytes = if known { house::of_the_house(case.bytes) } else { case.bytes.to_vec() };
                let heard = ask(house, way, known, &bytes, expected)
                    .with_context(|| format!("{} by {way:?}, known: {known}", case.name))?;
                if heard.reply != expected {
                    let who = if known { "known" } else { "stranger" };
                    wrong.push(format!("{way:?} {who}: {} instead of {}", short(heard.reply), short(expected)));
                }
                cell.push(short(heard.reply));
                line = heard.line.or(line);
            }
            cells.push(cell.join("/"));
        }
        let verdict = if case.verdict == Verdict::Valid { "valid" } else { "invalid" };
        let rfc = if case.section.starts_with('4') { "5118" } else { "4475" };
        let [udp, tcp, bytes, ws] = cells.try_into().unwrap_or_default();
        let text = format!(
            "{:27} {:8} {verdict:8} {:4} {udp:>9} {tcp:>9} {bytes:>9} {ws:>9}  {}",
            case.name,
            format!("{rfc} {}", case.section).trim_start_matches("4475 "),
            short(case.rfc),
            line.unwrap_or_default()
        );
        Ok(Self { text, wrong })
    }
}

fn short(reply: Reply) -> String {
    match reply {
        Reply::Status(status) => status.to_string(),
        Reply::Silence => "-".to_string(),
        Reply::Waits => "…".to_string(),
    }
}
