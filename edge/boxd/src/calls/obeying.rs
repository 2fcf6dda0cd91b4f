//! What comes out of the floor, and where it goes: to sockets and *media* at once, to the ledger in batches, to the centre
//! through the gate.

use std::time::Instant;

use floor::Output;
use ledger::{Batch, BindingChange};
use model::{
    Extension,
    drill::Why,
    fact::Kind,
    leaving::{Leaving, Notice},
};
use tracing::{error, info, warn};

use super::{
    clock::wall,
    engine::{Engine, SHOW_EVERY},
    outgoing,
};

impl Engine {
    /// Takes everything the floor has put out; what is to be remembered waits a moment for more.
    pub fn obey(&mut self) {
        let mut batch = Batch::default();
        let mut keep = Vec::new();
        let mut forwards = Vec::new();
        let mut emergency = false;
        while let Some(output) = self.floor.poll_output() {
            match output {
                Output::Send { flow, bytes } => self.sockets.send(flow, bytes),
                Output::Close { flow } => self.sockets.close(flow),
                Output::Media(command) => {
                    self.backlog.asks(Instant::now(), &command);
                    if !self.media.send(command) {
                        error!("the media process does not take commands");
                    }
                }
                Output::Fact(fact) => {
                    if let Kind::Dialled { phone, trunk, emergency: true, .. } = &fact.kind {
                        warn!(?phone, ?trunk, "an emergency call");
                        self.meters.emergencies.inc();
                        emergency = true;
                    }
                    if let Kind::OutwardRefused { phone, why } = &fact.kind {
                        warn!(%phone, ?why, "a call out is refused");
                        self.meters.outward_refused.with_label_values(&[outgoing::why(*why)]).inc();
                    }
                    if let Kind::CopyMissing { recorder, reason, .. } = &fact.kind {
                        warn!(?recorder, ?reason, "no recording server has a recording that one should have");
                    }
                    self.meters.count_recording(&fact.kind);
                    self.fares.note(&fact);
                    self.drills.note(&fact);
                    batch.facts.push(fact);
                }
                Output::Personal { contact, caller, call_back, shown } => {
                    let person = outgoing::person(&self.running.site.dialling, caller, call_back, shown);
                    batch.personal.push((contact, person));
                }
                Output::Cdr(cdr) => {
                    self.count(&cdr);
                    self.book.note(&cdr);
                    batch.cdrs.push(*cdr);
                }
                Output::Keep { contact } => keep.push(contact),
                Output::SetForward { leg, phone, forward } => forwards.push((leg, phone, forward)),
                Output::Notice(notice) => self.announce(&mut batch, notice),
                Output::LookUp { question, ask } => self.look_ups.ask(question, ask),
                Output::Signal(signal) => match &self.sync {
                    Some(sync) => sync.signal(outgoing::signal_out(signal, &self.config.site)),
                    None => warn!("an overflow signal without a link"),
                },
                Output::Tunnel { overflow, local } => {
                    if let Some(sync) = &self.sync {
                        sync.tunnel(overflow, local);
                    }
                }
                Output::BoardChanged => {
                    self.show_at.get_or_insert_with(|| Instant::now() + SHOW_EVERY);
                }
                Output::Registered { phone, up, binding } => {
                    batch.bindings.extend(self.registered(phone, up, binding));
                }
                Output::TrunkState { trunk, up } => {
                    info!(%trunk, up, "trunk");
                    self.trunks.insert(trunk, up);
                }
                Output::Refused { cause, status } => self.meters.refused.count(Instant::now(), cause, status),
            }
        }
        self.sockets.flush();
        self.meters.facts.inc_by(batch.facts.len() as u64);
        if !batch.is_empty() {
            self.store.add(Instant::now(), batch);
        }
        if emergency {
            self.drill_stop(Why::Emergency);
        }
        if !keep.is_empty() {
            self.store.keep(keep, !self.stay.is_spare());
        }
        // Once everything before is on its way: another configuration puts out more.
        for (leg, phone, forward) in forwards {
            self.set_forward(leg, phone, forward);
        }
    }

    /// The cloud has acknowledged all there is.
    pub fn outbox_is_empty(&self) -> bool {
        self.store.is_told() && self.reader.position().is_ok_and(|position| position.watermark == position.last)
    }

    /// What was told while the disk took nothing.
    pub fn announce_late(&mut self, notices: Vec<Notice>) {
        let mut batch = Batch::default();
        notices.into_iter().for_each(|notice| self.announce(&mut batch, notice));
        self.store.add(Instant::now(), batch);
        self.write();
    }

    /// For the centre: through the gate into the outbox, however long the line stays cut.
    fn announce(&mut self, batch: &mut Batch, notice: Notice) {
        warn!(what = ?notice.what, place = ?notice.place, trunk = ?notice.trunk, "a notice");
        if self.config.cloud.is_none() {
            return;
        }
        match self.gate.pass(&[Leaving::Notice(notice)], wall()) {
            Ok(passed) => {
                batch.outbox.extend(passed);
                batch.gate = Some(self.gate.state().clone());
                self.store.hurry();
            }
            Err(error) => error!(%error, "the gate refused our own notice"),
        }
    }

    fn registered(&mut self, phone: Extension, up: bool, binding: sip::endpoint::Binding) -> Option<BindingChange> {
        self.registrations.put(&phone, up, &binding);
        let user = phone.as_str().to_owned();
        if up != self.phones.contains(&phone) {
            info!(%phone, up, "phone registration");
        }
        if up {
            self.phones.insert(phone);
            outgoing::binding_put(&user, &binding, wall())
        } else {
            self.phones.remove(&phone);
            Some(BindingChange::Remove { user, contact: binding.contact })
        }
    }

    /// Hands what is to be remembered to the ledger.
    pub fn write(&mut self) {
        self.store.write(|| self.backlog.writes(Instant::now()), self.sync.as_ref());
    }
}
