//! The daemon's side of the desk's list of telephones: where each is registered, as the lines say, and which device may
//! fetch its configuration, as the ledger says.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use desk::{Device, Enrolled, Future, PhoneError, PhoneIs, Phones, Registered, Unavailable};
use ledger::{Ledger, Reader, Writer};
use model::{AgentId, Extension, Millis};
use sip::endpoint::{Binding, Transport};
use tracing::warn;

use super::clock::wall;
use crate::{
    config::Provision,
    provision::{self, Enrolment},
};

/// Longest time in which a device may fetch by its address alone.
const WINDOW_MIN_MAX: u16 = 24 * 60;

/// Where phones are registered, by their contacts.
#[derive(Clone, Default)]
pub struct Registrations(Arc<Mutex<BTreeMap<Extension, BTreeMap<String, Registered>>>>);

impl Registrations {
    pub fn put(&self, phone: &Extension, up: bool, binding: &Binding) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if up {
            let is = Registered {
                transport: word(binding.flow.transport),
                address: binding.flow.remote,
                user_agent: binding.user_agent.clone(),
            };
            all.entry(phone.clone()).or_default().insert(binding.contact.clone(), is);
        } else if let Some(contacts) = all.get_mut(phone) {
            contacts.remove(&binding.contact);
            if contacts.is_empty() {
                all.remove(phone);
            }
        }
    }

    fn all(&self) -> BTreeMap<Extension, Vec<Registered>> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().map(|(phone, contacts)| (phone.clone(), contacts.values().cloned().collect())).collect()
    }
}

fn word(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "udp",
        Transport::Tcp => "tcp",
        Transport::Tls => "tls",
        Transport::Ws => "ws",
        Transport::Wss => "wss",
    }
}

pub struct PhonesPort {
    pub ledger: Arc<Ledger>,
    pub registrations: Registrations,
    pub provision: Option<Provision>,
    pub realm: String,
}

impl PhonesPort {
    /// Writes on a thread that may wait for the disk.
    async fn write<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Writer, &Reader) -> anyhow::Result<T> + Send + 'static,
    ) -> Result<T, PhoneError> {
        let ledger = self.ledger.clone();
        let done = tokio::task::spawn_blocking(move || {
            let reader = ledger.reader().map_err(|error| {
                warn!(%error, "the ledger cannot be read");
                PhoneError::Unavailable(Unavailable)
            })?;
            act(&ledger.writer(), &reader).map_err(|error| PhoneError::Refused(format!("{error:#}")))
        });
        done.await.map_err(|_| Unavailable)?
    }
}

impl Phones for PhonesPort {
    fn all(&self) -> Future<'_, Result<BTreeMap<Extension, PhoneIs>, Unavailable>> {
        Box::pin(async move {
            let ledger = self.ledger.clone();
            let read =
                tokio::task::spawn_blocking(move || ledger.reader().and_then(|reader| provision::enrolments(&reader)));
            let enrolments = match read.await {
                Ok(Ok(enrolments)) => enrolments,
                Ok(Err(error)) => {
                    warn!(%error, "enrolments cannot be read");
                    return Err(Unavailable);
                }
                Err(_) => return Err(Unavailable),
            };
            let mut all: BTreeMap<Extension, PhoneIs> = BTreeMap::new();
            for (phone, registered) in self.registrations.all() {
                all.entry(phone).or_default().registered = registered;
            }
            for (phone, one) in enrolments {
                all.entry(phone).or_default().enrolled = Some(enrolled(one));
            }
            Ok(all)
        })
    }

    fn enrol(&self, by: AgentId, phone: Extension, device: Device) -> Future<'_, Result<String, PhoneError>> {
        Box::pin(async move {
            let provision = self.provision.as_ref().ok_or(PhoneError::NoProvisioning)?;
            let refused = |error: String| PhoneError::Refused(error);
            let mac: ::provision::Mac = device.mac.parse().map_err(|_| refused("no hardware address".into()))?;
            let make: ::provision::Make = device.make.parse().map_err(|_| refused("no such make".into()))?;
            let minutes = i64::from(device.window_min.min(WINDOW_MIN_MAX));
            let open_until = match minutes {
                0 => Millis(0),
                minutes => Millis(wall().0.saturating_add(minutes.saturating_mul(60_000))),
            };
            let base = provision::base_url(provision);
            self.write(move |writer, reader| {
                // Lamps are kept: what a phone shows does not change with the device.
                let lamps =
                    provision::enrolments(reader)?.remove(&phone).map(|before| before.lamps).unwrap_or_default();
                let token = provision::enrol(writer, reader, &phone, (mac, make), lamps, open_until, Some(by))?;
                Ok(format!("{base}{token}/"))
            })
            .await
        })
    }

    fn rotate(&self, phone: Extension) -> Future<'_, Result<(), PhoneError>> {
        Box::pin(self.write(move |writer, reader| provision::resync(writer, reader, &phone)))
    }

    fn dismiss(&self, by: AgentId, phone: Extension) -> Future<'_, Result<(), PhoneError>> {
        let realm = self.realm.clone();
        Box::pin(self.write(move |writer, _| provision::dismiss(writer, &phone, &realm, Some(by))))
    }
}

fn enrolled(one: Enrolment) -> Enrolled {
    let open_until = if one.open_until > wall() { one.open_until } else { Millis(0) };
    let fetched = one.seen.map(|seen| (seen.at, seen.model, seen.firmware));
    Enrolled { make: one.make, mac: one.mac, open_until, fetched }
}
