//! What the engine runs on: the configuration that is in force, credentials, edits at the desk, and the figures that are
//! due when an interval is over.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use ::config::{Author, Documents, Effective};
use desk::{ChangeRefused, Fault};
use floor::Input;
use ledger::Batch;
use model::{
    AgentId, Extension, LegId, TrunkId,
    change::{Change, Doc},
    config::{Config, SipTransport, TrunkKind},
    fact::{Fact, Kind},
    forward::Forward,
};
use sip::endpoint::Transport;
use tokio::sync::oneshot;
use tracing::{error, info, warn};

use super::{
    clock::{civil, wall},
    desk_ports::Edit,
    dns::Located,
    drills,
    engine::Engine,
    outgoing, secrets,
    sockets::Peer,
};

/// Who closed or opened what is told by name: it turns customers away.
fn closing(change: &Change, by: &AgentId) -> Option<Kind> {
    let (queue, closed) = match change {
        Change::QueueClosed { queue, closed } => (Some(queue.clone()), *closed),
        Change::SiteClosed { closed } => (None, *closed),
        _ => return None,
    };
    let by = by.clone();
    Some(if closed { Kind::Closed { by, queue } } else { Kind::Reopened { by, queue } })
}

impl Engine {
    /// An edit at the desk: stored, then in force, then answered.
    pub fn change(
        &mut self,
        by: AgentId,
        edit: &Edit,
        answer: oneshot::Sender<Result<Arc<desk::Effective>, ChangeRefused>>,
    ) {
        let (edited, changes) = match edit {
            Edit::Changes(changes) => {
                let changes: Vec<Change> = changes.iter().map(|change| drills::from_now_on(change, wall())).collect();
                if changes.iter().any(|change| matches!(change, Change::SiteDrill { .. })) {
                    self.drills.edited_by = Some(by.clone());
                }
                (self.settings.edit(Doc::Local, &changes, Author::Branch, wall()), changes.len())
            }
            Edit::Decision(decision) => (self.settings.decide(decision, wall(), &self.reader), 1),
        };
        let (draft, encoded) = match edited {
            Ok(edited) => edited,
            Err(refused) => {
                let _ = answer.send(Err(outgoing::refusal(&refused)));
                return;
            }
        };
        let count = u32::try_from(changes).unwrap_or(u32::MAX);
        let told = match edit {
            Edit::Changes(changes) => changes.as_slice(),
            Edit::Decision(_) => &[],
        };
        let closings = told.iter().filter_map(|change| closing(change, &by));
        let facts = closings.chain([Kind::SettingsEdited { by: by.clone(), changes: count }]);
        if !self.put_edit(draft, encoded, facts.collect()) {
            let _ = answer.send(Err(ChangeRefused {
                index: 0,
                code: "unavailable".into(),
                message: "the edit could not be stored; nothing was changed".into(),
                fault: Fault::Box,
            }));
            return;
        }
        let _ = answer.send(Ok(self.effective.borrow().clone()));
    }

    /// A forward that a phone has set by a star code.
    pub fn set_forward(&mut self, leg: LegId, phone: Extension, forward: Forward) {
        let change = Change::PhoneForward { phone: phone.clone(), forward };
        let edited = self.settings.edit(Doc::Local, &[change], Author::Branch, wall());
        let stored = match edited {
            Ok((draft, encoded)) => self.put_edit(draft, encoded, vec![Kind::ForwardSet { phone }]),
            Err(refused) => {
                warn!(%phone, error = %refused.error, "a forward that was set at the phone is refused");
                false
            }
        };
        self.feed(Input::ForwardSet { leg, stored });
    }

    /// Stores an edit with its facts, and puts it in force. False: it could not be stored, and nothing has changed.
    fn put_edit(&mut self, draft: Documents, encoded: Vec<Vec<u8>>, facts: Vec<Kind>) -> bool {
        let fact = |kind| Fact { seq: 0, at: wall(), contact: None, kind };
        let batch = Batch {
            config: encoded.into_iter().map(|bytes| (Doc::Local, bytes)).collect(),
            facts: facts.into_iter().map(fact).collect(),
            ..Batch::default()
        };
        // What is told beside a sick disk comes home; its settings do not.
        if self.stay.is_spare() {
            warn!("no setting is taken while the disk is out of order");
            return false;
        }
        // An edit is rare and small: the engine waits the few milliseconds, so that edits stay in order.
        if let Err(error) = self.store.writer().submit_once(batch).wait() {
            warn!(%error, "an edit could not be stored");
            return false;
        }
        self.settings.commit(draft);
        self.activate();
        if let Some(sync) = &self.sync {
            sync.config_changed();
        }
        true
    }

    pub fn catch_up(&mut self) {
        match self.settings.catch_up(&self.reader) {
            Ok(true) => self.activate(),
            Ok(false) => {}
            Err(error) => warn!("{error:#}"),
        }
    }

    /// Resolves the documents and runs what comes of it, unless a finding is fatal.
    pub fn activate(&mut self) {
        let effective = self.settings.effective();
        if effective.heads == self.heads {
            return;
        }
        self.heads.clone_from(&effective.heads);
        let count = u32::try_from(effective.findings.len()).unwrap_or(u32::MAX);
        self.meters.config_findings.set(count.into());
        let fatal = effective.fatal();
        let Effective { config, findings, heads, drill } = effective;
        // An order for a drill is no part of how the branch runs: callers go on to fare by what runs.
        let ordered = drill != self.effective.borrow().drill;
        let runs = self.taken && self.standing.config.load(Ordering::Relaxed);
        let only_drill = ordered && !fatal && runs && config == *self.running;
        self.taken = !fatal;
        if only_drill {
            info!("an outage drill is ordered, or called off");
        } else if fatal {
            warn!(findings = count, "the configuration has a fatal finding: the last good one runs on");
            self.tell(Kind::ConfigRefused { heads, fatal: count });
        } else {
            info!(findings = count, "a configuration is active");
            self.running = Arc::new(config);
            self.fares.activated();
            if let Err(error) = self.settings.keep_good(&self.running) {
                warn!("{error:#}");
            }
            self.standing.config.store(true, Ordering::Relaxed);
            self.secrets = call::Secrets::default();
            self.configure();
            self.tell(Kind::ConfigActivated { heads, findings: count });
        }
        // Asked before: nothing may be borrowed of what is replaced.
        let alone = self.effective.borrow().alone.clone();
        let config = Config::clone(&self.running);
        self.effective.send_replace(Arc::new(desk::Effective { config, findings, alone, drill }));
        // Also where the configuration does not run: whoever ends a drill ends it.
        self.drill_ordered(drill);
    }

    pub fn refresh_secrets(&mut self) {
        match self.reader.credentials_version() {
            Ok(version) if version == self.credentials => return,
            Ok(version) => self.credentials = version,
            Err(error) => return warn!(%error, "the ledger cannot be asked"),
        }
        match secrets::of_lines(&self.reader, &self.running, &self.config.sip.domain) {
            Ok(fresh) if fresh != self.secrets => self.configure(),
            Ok(_) => {}
            Err(error) => warn!("credentials cannot be read: {error:#}"),
        }
        self.resync_phones();
        match secrets::of_staff(&self.reader, &self.running) {
            Ok(staff) => {
                if let Err(error) = self.staff.replace(staff) {
                    warn!(%error, "the staff's credentials cannot be used");
                }
            }
            Err(error) => warn!("credentials cannot be read: {error:#}"),
        }
    }

    /// Phones whose enrolment asks for it are told to fetch their configuration again.
    fn resync_phones(&mut self) {
        let asked: BTreeMap<Extension, u32> = match crate::provision::enrolments(&self.reader) {
            Ok(enrolments) => enrolments.into_iter().map(|(phone, one)| (phone, one.resyncs)).collect(),
            Err(error) => return warn!(%error, "enrolments cannot be read"),
        };
        let before = std::mem::replace(&mut self.resyncs, asked.clone());
        for (phone, _) in asked.iter().filter(|(phone, count)| before.get(*phone).unwrap_or(&0) != *count) {
            let user = phone.to_string();
            self.feed(Input::Call(call::leg::Input::Sip(sip::endpoint::Input::Resync { user })));
        }
    }

    fn configure(&mut self) {
        match secrets::of_lines(&self.reader, &self.running, &self.config.sip.domain) {
            Ok(fresh) => self.secrets = fresh,
            Err(error) => error!("credentials cannot be read; phones cannot register: {error:#}"),
        }
        let names = self.running.trunks.iter().filter_map(|(id, trunk)| Some((id.to_string(), call::wish(trunk)?)));
        let names: BTreeMap<_, _> = names.collect();
        self.located.retain(|trunk, _| names.contains_key(trunk));
        self.dns.find(names);
        self.know_peers();
        self.reception.configured(self.running.clone());
        let (config, secrets) = (Box::new(Config::clone(&self.running)), Box::new(self.secrets.clone()));
        self.feed(Input::Configure { config, secrets });
        self.feed(Input::Civil(civil(&self.running.site.time_zone)));
        self.refresh_staff();
    }

    /// DNS has spoken.
    pub fn locate(&mut self, Located { trunk, targets }: Located) {
        if targets.is_empty() {
            self.located.remove(&trunk);
        } else {
            self.located.insert(trunk.clone(), targets.clone());
        }
        // Who they are is known before anything is sent to them.
        self.know_peers();
        self.feed(Input::Call(call::leg::Input::Sip(sip::endpoint::Input::Located { trunk, targets })));
    }

    fn know_peers(&self) {
        let configured = self.running.trunks.values().map(|trunk| match &trunk.kind {
            TrunkKind::Address { peer, .. } | TrunkKind::Registration { peer, .. } => peer.ip(),
        });
        let configured = configured.chain(self.config.siprec.iter().map(|recorder| recorder.peer.ip()));
        let located = self.located.values().flatten().flat_map(|target| &target.addresses).map(SocketAddr::ip);
        self.reception.trust(self.udp_peers());
        self.sockets.trust(configured.chain(located).collect());
        self.sockets.secure(self.tls_peers());
    }

    /// Where the trunks are that speak UDP.
    fn udp_peers(&self) -> BTreeSet<SocketAddr> {
        let configured = self.running.trunks.values().filter_map(|trunk| match &trunk.kind {
            TrunkKind::Address { peer, transport: SipTransport::Udp }
            | TrunkKind::Registration { peer, transport: SipTransport::Udp, .. } => Some(*peer),
            TrunkKind::Address { .. } | TrunkKind::Registration { .. } => None,
        });
        let located = self.located.values().flatten().filter(|target| target.transport == Transport::Udp);
        let recorders = self.config.siprec.iter().filter(|recorder| recorder.transport == Transport::Udp);
        let configured = configured.chain(recorders.map(|recorder| recorder.peer));
        configured.chain(located.flat_map(|target| target.addresses.clone())).collect()
    }

    /// The trunks that speak TLS, by address, and what each must prove. A trunk that is known by name must prove that
    /// name, wherever DNS says that it is (RFC 5922 §4).
    fn tls_peers(&self) -> BTreeMap<SocketAddr, Peer> {
        let mut peers = BTreeMap::new();
        for recorder in self.config.siprec.iter().filter(|recorder| recorder.transport == Transport::Tls) {
            let name = recorder.peer.ip().to_string();
            peers.extend(self.proof(&recorder.name, name).map(|proof| (recorder.peer, proof)));
        }
        for (id, trunk) in &self.running.trunks {
            let (TrunkKind::Address { peer, transport } | TrunkKind::Registration { peer, transport, .. }) =
                &trunk.kind;
            let configured = (*transport == SipTransport::Tls).then_some(*peer);
            let located = self.located.get(id.as_str()).into_iter().flatten();
            let located = located.filter(|target| target.transport == Transport::Tls);
            let addresses: Vec<SocketAddr> =
                configured.into_iter().chain(located.flat_map(|target| target.addresses.clone())).collect();
            if addresses.is_empty() {
                continue;
            }
            let name = call::wish(trunk).map_or_else(|| peer.ip().to_string(), |wish| wish.host);
            if let Some(proof) = self.proof(id, name) {
                peers.extend(addresses.into_iter().map(|address| (address, proof.clone())));
            }
        }
        peers
    }

    /// What the peer of a trunk must prove: the name that `box.toml` says, or else this one.
    fn proof(&self, id: &TrunkId, name: String) -> Option<Peer> {
        let wanted = self.config.tls.trunks.get(id);
        let name = wanted.and_then(|wanted| wanted.name.clone()).unwrap_or(name);
        let (own, roots) = &self.tls;
        match Peer::new(&name, wanted.and_then(|wanted| wanted.pin), Arc::clone(roots), own.as_ref()) {
            Ok(proof) if wanted.is_some_and(|wanted| wanted.by_certificate) => Some(proof.known_as(id.to_string())),
            Ok(proof) => Some(proof),
            Err(error) => {
                error!(trunk = %id, "the trunk cannot be reached over TLS: {error:#}");
                None
            }
        }
    }

    fn refresh_staff(&mut self) {
        if let Ok(staff) = secrets::of_staff(&self.reader, &self.running) {
            let _ = self.staff.replace(staff);
        }
    }

    pub fn close_intervals(&mut self) {
        let at = wall();
        let cells = self.book.close(at, &self.running);
        let health = outgoing::health(self, at, !cells.is_empty());
        let mut items: Vec<_> = cells.iter().cloned().map(model::leaving::Leaving::Interval).collect();
        items.push(model::leaving::Leaving::Health(health));
        let queues = self.running.queues.keys().take(gate::QUEUES_MAX).cloned().collect();
        let closing = self.gate.closing(self.book.began(), self.book.length_s(), at, queues);
        items.extend(closing.map(model::leaving::Leaving::Closed));
        match self.gate.pass(&items, at) {
            Ok(passed) => {
                let gate = Some(self.gate.state().clone());
                let batch = Batch { intervals: cells, outbox: passed, gate, ..Batch::default() };
                self.store.add(Instant::now(), batch);
                self.write();
                if let Some(sync) = &self.sync {
                    sync.outbox_grew();
                }
            }
            Err(error) => error!(%error, "the gate refused our own figures"),
        }
    }
}
