//! Translations at the engine's border: what the floor says into what is sent or stored, and back. Domain types do not
//! serialise themselves.

use std::{path::Path, sync::PoisonError};

use call::leg::Caller;
use desk::{ChangeRefused, Fault};
use floor::overflow::{Kind as FloorKind, Signal as FloorSignal};
use ledger::{Binding, BindingChange, Personal};
use model::{
    Millis, SiteId,
    dialling::Dialling,
    fact::OutwardRefusal,
    leaving::Health,
    overflow::{Kind, PublicKey, Signal},
};
use serde::{Deserialize, Serialize};
use sip::endpoint::{self, Flow, Transport};
use tracing::warn;

use super::{engine::Engine, settings};
use crate::firmware;

/// Keys are agreed between the boxes' link processes: *calls* leaves their place empty.
fn no_key() -> PublicKey {
    PublicKey { key: String::new(), signature: String::new(), certificate: String::new() }
}

pub fn signal_out(signal: FloorSignal, from: &SiteId) -> Signal {
    let kind = match signal.kind {
        FloorKind::Offer { queue, passport } => Kind::Offer { queue, passport, key: no_key() },
        FloorKind::Ringing => Kind::Ringing,
        FloorKind::Accept => Kind::Accept { key: no_key() },
        FloorKind::Refuse { reason } => Kind::Refuse { reason },
        FloorKind::End => Kind::End,
    };
    Signal { overflow: signal.overflow, from: from.clone(), to: signal.peer, kind }
}

pub fn signal_in(signal: Signal) -> Option<FloorSignal> {
    let kind = match signal.kind {
        Kind::Offer { queue, passport, .. } => FloorKind::Offer { queue, passport },
        Kind::Ringing => FloorKind::Ringing,
        Kind::Accept { .. } => FloorKind::Accept,
        Kind::Refuse { reason } => FloorKind::Refuse { reason },
        Kind::End => FloorKind::End,
    };
    Some(FloorSignal { overflow: signal.overflow, peer: signal.from, kind })
}

/// What is kept of a person, beside the chain of facts.
pub fn person(plan: &Dialling, caller: Caller, call_back: Option<String>, shown: Vec<(String, String)>) -> Personal {
    let customer = call::numbers::customer(plan, &caller.number);
    Personal { caller: Some(caller.number), name: caller.name, dialled: call_back, customer, shown }
}

/// A registration as it survives a restart; one over a connection dies with it.
#[derive(Serialize, Deserialize)]
struct KeptFlow {
    local: std::net::SocketAddr,
    remote: std::net::SocketAddr,
    user_agent: Option<String>,
    /// RFC 5626: `+sip.instance` and reg-id.
    #[serde(default)]
    outbound: Option<(String, u32)>,
}

pub fn binding_put(user: &str, binding: &endpoint::Binding, now: Millis) -> Option<BindingChange> {
    if binding.flow.transport != Transport::Udp {
        return None;
    }
    let outbound = binding.outbound.as_ref().map(|outbound| (outbound.instance.clone(), outbound.reg_id));
    let Flow { local, remote, .. } = binding.flow;
    let kept = KeptFlow { local, remote, user_agent: binding.user_agent.clone(), outbound };
    Some(BindingChange::Put(Binding {
        user: user.to_owned(),
        contact: binding.contact.clone(),
        expires: Millis(now.0.saturating_add(i64::from(binding.expires_s).saturating_mul(1_000))),
        data: serde_json::to_vec(&kept).ok()?,
    }))
}

pub fn binding_back(kept: Binding, now: Millis) -> Option<endpoint::Input> {
    let flow: KeptFlow = serde_json::from_slice(&kept.data).ok()?;
    let left_s = u32::try_from(kept.expires.since(now) / 1_000).ok().filter(|left| *left > 0)?;
    let binding = endpoint::Binding {
        contact: kept.contact,
        flow: Flow { transport: Transport::Udp, local: flow.local, remote: flow.remote, connection: 0 },
        expires_s: left_s,
        user_agent: flow.user_agent,
        outbound: flow.outbound.map(|(instance, reg_id)| endpoint::Outbound { instance, reg_id }),
    };
    Some(endpoint::Input::Restore { user: kept.user, binding })
}

/// The label of a counter.
pub fn why(refused: OutwardRefusal) -> &'static str {
    match refused {
        OutwardRefusal::Class => "class",
        OutwardRefusal::PhoneHour => "phone_hour",
        OutwardRefusal::SiteHour => "site_hour",
        OutwardRefusal::PhoneCalls => "phone_calls",
        OutwardRefusal::PhoneMoney => "phone_money",
        OutwardRefusal::SiteMoney => "site_money",
        OutwardRefusal::AgentHour => "agent_hour",
        OutwardRefusal::AgentCalls => "agent_calls",
        OutwardRefusal::AgentMoney => "agent_money",
    }
}

pub fn refusal(refused: &settings::Refused) -> ChangeRefused {
    use ::config::Error;
    let code = match &refused.error {
        Error::NotTheirs { .. } | Error::WrongDocument { .. } => "not_yours",
        Error::Unknown { .. } => "unknown",
        Error::Bounds { .. } | Error::Length { .. } | Error::TooMany { .. } => "out_of_bounds",
        _ => "invalid",
    };
    ChangeRefused { index: refused.index, code: code.into(), message: refused.error.to_string(), fault: Fault::Request }
}

/// How the box is, in counts.
pub fn health(engine: &Engine, at: Millis, closing: bool) -> Health {
    let counted = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let closed = engine.reader.intervals_closed().unwrap_or_else(|error| {
        warn!(%error, "closed intervals cannot be counted");
        0
    });
    let running = firmware::running(engine.config.firmware.as_deref());
    let (processes_up, restarts) = processes(&engine.config.health_file());
    Health {
        at,
        processes_up,
        restarts,
        disk_free_percent: disk_free(&engine.config.data),
        phones_registered: counted(engine.phones.len()),
        trunks_up: counted(engine.trunks.values().filter(|up| **up).count()),
        trunks: counted(engine.trunks.len()),
        // The cells that leave together with this are counted as closed.
        intervals_closed: closed.saturating_add(u64::from(closing)),
        slot: running.slot,
        version: running.version,
        alone: engine.standing.alone.lock().unwrap_or_else(PoisonError::into_inner).clone(),
    }
}

fn processes(health_file: &Path) -> (u8, u32) {
    let read =
        std::fs::read(health_file).ok().and_then(|bytes| serde_json::from_slice::<crate::health::Health>(&bytes).ok());
    read.map_or((0, 0), |health| {
        let up = health.processes.values().filter(|process| process.pid.is_some()).count();
        let restarts = health.processes.values().map(|process| process.restarts).sum();
        (u8::try_from(up).unwrap_or(u8::MAX), restarts)
    })
}

/// Free space there, in whole percent.
pub fn disk_free(path: &Path) -> u8 {
    nix::sys::statvfs::statvfs(path).map_or(0, |disk| {
        let percent = disk.blocks_available().saturating_mul(100).checked_div(disk.blocks()).unwrap_or(0);
        u8::try_from(percent).unwrap_or(100)
    })
}
