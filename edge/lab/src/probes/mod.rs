//! The probes: one named behaviour each, with the RFC it comes from and what to do when it is missing.

mod basics;
mod calls;
mod changes;
mod ending;
mod keys;
mod registered;
mod registration;
mod reliable;
mod services;
mod sound;
mod timers;
mod tolerance;
mod transports;

use std::pin::Pin;

use crate::plan::{Kind, Plan};
use crate::ua::Ua;
use crate::verdict::{Text, Verdict};

/// A sentence of the table, both languages.
#[derive(Debug, Clone, Copy)]
pub struct Both {
    pub en: &'static str,
    pub zh: &'static str,
}

impl Both {
    pub fn text(self) -> Text {
        Text { en: self.en.to_string(), zh: self.zh.to_string() }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    Nothing,
    /// Somebody (or the device itself) answers a call.
    Call,
    /// A user and a password at the device.
    Account,
    /// The phone registers at the lab (`--listen`).
    Registrar,
    /// A call, and somebody who presses keys on the device.
    Keys,
}

pub struct Probe {
    pub id: &'static str,
    pub rfc: &'static str,
    pub title: Both,
    /// What the integrator can do.
    pub advice: Both,
    pub kinds: &'static [Kind],
    pub needs: Needs,
    pub run: fn(Ua) -> Pin<Box<dyn Future<Output = Verdict>>>,
}

impl std::fmt::Debug for Probe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id)
    }
}

const ALL_KINDS: &[Kind] = &[Kind::Phone, Kind::Gateway, Kind::Trunk];
const PHONES: &[Kind] = &[Kind::Phone];
const LINES: &[Kind] = &[Kind::Gateway, Kind::Trunk];

/// One row of a table of probes.
macro_rules! probe {
    ($id:literal, $rfc:literal, $needs:ident, $kinds:ident, $run:path,
     $en:literal, $zh:literal, $advice:literal, $advice_zh:literal) => {
        $crate::probes::Probe {
            id: $id,
            rfc: $rfc,
            title: $crate::probes::Both { en: $en, zh: $zh },
            advice: $crate::probes::Both { en: $advice, zh: $advice_zh },
            kinds: $crate::probes::$kinds,
            needs: $crate::probes::Needs::$needs,
            run: |ua| Box::pin($run(ua)),
        }
    };
}
pub(crate) use probe;

const TABLES: [&[Probe]; 13] = [
    basics::PROBES,
    tolerance::PROBES,
    transports::PROBES,
    registered::PROBES,
    registration::PROBES,
    calls::PROBES,
    reliable::PROBES,
    timers::PROBES,
    changes::PROBES,
    sound::PROBES,
    keys::PROBES,
    services::PROBES,
    ending::PROBES,
];

/// All of them, in the order in which they run.
pub fn all() -> impl Iterator<Item = &'static Probe> {
    TABLES.iter().flat_map(|table| table.iter())
}

/// Those for this kind of device; a list of ids narrows them.
pub fn suited(plan: &Plan) -> impl Iterator<Item = &'static Probe> {
    let (kind, only) = (plan.kind, plan.only.clone());
    all().filter(move |probe| probe.kinds.contains(&kind) && (only.is_empty() || only.iter().any(|id| id == probe.id)))
}
