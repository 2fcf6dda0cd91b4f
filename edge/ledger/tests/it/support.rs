//! What the tests have in common: a ledger in a directory of its own, and plausible rows.

use std::{path::PathBuf, time::Duration};

use gate::{Gate, Passed, Policy, State};
use ledger::{Batch, BranchKey, Ledger, Options};
use model::{
    ContactId, Millis,
    cdr::{Cdr, Direction, Outcome},
    fact::{EndCause, Fact, Kind},
    leaving::{Health, Leaving},
};
use tempfile::TempDir;

pub const KEY: [u8; 32] = [9; 32];

pub struct Place {
    pub dir: TempDir,
    pub path: PathBuf,
}

impl Place {
    pub fn new() -> Place {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("box.db");
        Place { dir, path }
    }

    pub fn open(&self) -> Ledger {
        Ledger::open(&self.path, BranchKey::new(KEY), quick()).unwrap()
    }
}

pub fn quick() -> Options {
    Options { group: Duration::from_millis(1), ..Options::default() }
}

pub fn arrived(contact: u128, at: i64) -> Fact {
    Fact {
        seq: 0,
        at: Millis(at),
        contact: Some(ContactId(contact)),
        kind: Kind::Arrived { trunk: None, number: None },
    }
}

pub fn ended(contact: u128, at: i64) -> Fact {
    let kind = Kind::Ended { cause: EndCause::Caller };
    Fact { seq: 0, at: Millis(at), contact: Some(ContactId(contact)), kind }
}

pub fn facts(facts: Vec<Fact>) -> Batch {
    Batch { facts, ..Batch::default() }
}

pub fn cdr(contact: u128, ended: i64) -> Cdr {
    Cdr {
        contact: ContactId(contact),
        direction: Direction::Inbound,
        trunk: None,
        number: None,
        arrived: Millis(ended - 1_000),
        queue: None,
        queued: None,
        answered: None,
        ended: Millis(ended),
        agent: None,
        answered_at: None,
        outcome: Outcome::InFlow,
        cause: EndCause::Caller,
        wait_ms: 0,
        talk_ms: 0,
        hold_ms: 0,
        wrap_up_ms: None,
        offers: 0,
        recording: None,
        sound: None,
        released: None,
        diverted: None,
        unkeyed: None,
        consent: None,
        disposition: None,
        corrected: None,
        called_back: None,
    }
}

/// One outbox row whose content is its number.
pub fn health(number: u32) -> Passed {
    let health = Health {
        at: Millis(i64::from(number) * 1_000),
        processes_up: 3,
        restarts: number,
        disk_free_percent: 50,
        phones_registered: 2,
        trunks_up: 1,
        trunks: 1,
        intervals_closed: 0,
        slot: 0,
        version: [0, 1, 0],
        alone: Vec::new(),
    };
    let mut gate = Gate::new(Policy::default(), State::default());
    gate.pass(&[Leaving::Health(health)], Millis(i64::from(number) * 1_000)).unwrap().remove(0)
}

pub fn number_of(body: &[u8]) -> u32 {
    match gate::decode(body).unwrap() {
        Leaving::Health(health) => health.restarts,
        _ => panic!("only health rows were written"),
    }
}
