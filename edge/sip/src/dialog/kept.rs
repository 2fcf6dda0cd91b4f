//! What another life of this process must know to speak on in an answered dialog (RFC 3261 §12, RFC 4028), as plain data
//! that its owner carries over; and the dialog made of it again.

use super::lease::Lease;
use super::peer::Peer;
use super::session::Session;
use super::{Dialogs, Phase, Usage};
use crate::context::Context;
use crate::endpoint::{DialogId, Flow, Source};
use crate::message::{Address, Value};
use crate::uri::Uri;

/// Numbers that requests of the last life may have used after it was written down: RFC 3261 §12.2.1.1 lets them be left
/// out.
const CSEQ_AHEAD: u32 = 100;

/// One answered dialog. Texts are as a message writes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub source: Source,
    pub call_id: String,
    /// Each with its tag.
    pub local: String,
    pub remote: String,
    pub target: String,
    pub routes: Vec<String>,
    pub cseq: u32,
    pub remote_cseq: Option<u32>,
    pub takes_update: bool,
    pub flow: Flow,
    /// Their INVITE began it, not ours.
    pub called_us: bool,
    /// The session's time in seconds, and whether it is ours to renew.
    pub lease: Option<(u32, bool)>,
}

impl Dialogs {
    /// None while it is not answered, or the answer not acknowledged.
    pub fn keep(&self, dialog: DialogId) -> Option<Kept> {
        let usage = self.usages.get(&dialog)?;
        let Phase::Open(session) = &usage.phase else { return None };
        if !session.is_confirmed() {
            return None;
        }
        let lease = session.lease.map(Lease::terms);
        session.peer.keep(usage.source.clone(), session.called_us, lease)
    }

    /// The dialog again. None: what was kept makes no sense, is here already, or there is no room.
    pub fn restore(&mut self, cx: &mut Context<'_>, kept: &Kept) -> Option<DialogId> {
        let peer = Peer::of_kept(kept)?;
        let key = (peer.call_id.as_str().to_string(), peer.local_tag().to_string());
        if self.by_tag.contains_key(&key) || self.usages.len() >= cx.config.limits.dialogs {
            return None;
        }
        let dialog = self.next_id();
        self.index(dialog, &peer);
        let lease = kept.lease.map(|(interval_s, we_refresh)| Lease::on(interval_s, we_refresh));
        let mut session = Session::restored(peer, lease);
        session.called_us = kept.called_us;
        self.usages.insert(dialog, Usage { source: kept.source.clone(), phase: Phase::Open(Box::new(session)) });
        self.keep_lease(cx, dialog);
        Some(dialog)
    }

    /// A phone is reached by this flow: so are its dialogs that have lost theirs with the last life.
    pub fn reached(&mut self, user: &str, flow: Flow) {
        let lost = |at: Flow| {
            let same_way = at.transport == flow.transport && at.remote.ip() == flow.remote.ip();
            at.transport.is_connection() && at.connection == 0 && same_way
        };
        for usage in self.usages.values_mut().filter(|usage| matches!(&usage.source, Source::Phone(of) if of == user)) {
            if let Phase::Open(session) = &mut usage.phase
                && lost(session.peer.flow)
            {
                session.peer.flow = flow;
            }
        }
    }
}

impl Peer {
    fn keep(&self, source: Source, called_us: bool, lease: Option<(u32, bool)>) -> Option<Kept> {
        Some(Kept {
            source,
            call_id: self.call_id.as_str().to_string(),
            local: self.local.to_string(),
            remote: self.remote.to_string(),
            target: self.target.to_string(),
            routes: self.routes.iter().map(ToString::to_string).collect(),
            cseq: self.cseq,
            remote_cseq: self.remote_cseq,
            takes_update: self.takes_update,
            flow: self.flow,
            called_us,
            lease,
        })
    }

    fn of_kept(kept: &Kept) -> Option<Self> {
        let address = |text: &String| Address::parse("Kept", text).ok();
        let target = Uri::parse(&kept.target).ok()?;
        target.as_sip()?;
        let local = address(&kept.local).filter(|local| local.tag().is_some())?;
        Some(Self {
            call_id: Value::new(kept.call_id.clone()).ok()?,
            local,
            remote: address(&kept.remote)?,
            target,
            routes: kept.routes.iter().map(address).collect::<Option<Vec<Address>>>()?,
            cseq: kept.cseq.saturating_add(CSEQ_AHEAD),
            remote_cseq: kept.remote_cseq,
            takes_update: kept.takes_update,
            records: None,
            // No connection outlives the process that had it.
            flow: Flow { connection: 0, ..kept.flow },
        })
    }
}
