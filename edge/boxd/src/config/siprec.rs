//! `[[siprec]]`: the peers of recording sessions. They stand in this file and in no document: who may have the customer's
//! calls, and where their audio goes, is for nobody at the centre to say.

use std::{collections::BTreeSet, path::Path};

use call::siprec::{Recorder, Records};
use model::{Number, QueueId, TrunkId};
use sip::endpoint::{Network, Transport, TrunkRegistration};

use super::{
    check::{Faultfinder, sip_listen},
    file::{FileAccount, FileRecords, FileSiprec},
};

/// Peers in one file.
const PEERS_MAX: usize = 16;
/// Queues, numbers or networks of one.
const NAMED_MAX: usize = 256;
/// A registration that is never made has no time.
const NEVER: u32 = 0;

pub(super) fn check(faults: &mut Faultfinder, file: Vec<FileSiprec>, base: &Path) -> Vec<Recorder> {
    faults.need(file.len() <= PEERS_MAX, "siprec", "at most 16");
    let mut names = BTreeSet::new();
    let checked = file.into_iter().enumerate().filter_map(|(at, one)| {
        let path = format!("siprec[{at}]");
        faults.need(names.insert(one.name.clone()), &format!("{path}.name"), "each name once");
        peer(faults, &path, one, base)
    });
    checked.collect()
}

fn peer(faults: &mut Faultfinder, path: &str, file: FileSiprec, base: &Path) -> Option<Recorder> {
    let FileSiprec { name, peer, protection, media, account, records, brings } = file;
    let useful = records.is_some() || brings;
    faults.need(useful, path, "records = {} for a server that records, brings = true for a client that is recorded");
    faults.need(media.len() <= NAMED_MAX, &format!("{path}.media"), "at most 256");
    let media = media.iter().enumerate();
    let media: Vec<Network> =
        media.filter_map(|(at, text)| faults.take(&format!("{path}.media[{at}]"), text.parse())).collect();
    let account = account.and_then(|account| proof(faults, path, account, base));
    let records = records.map(|records| wanted(faults, path, records));
    let name = faults.take(&format!("{path}.name"), TrunkId::new(&name));
    let (transport, peer) = faults.take(&format!("{path}.peer"), sip_listen(&peer))?;
    let carries = matches!(transport, Transport::Udp | Transport::Tcp | Transport::Tls);
    faults.need(carries, &format!("{path}.peer"), "udp:, tcp: or tls:ip:port");
    Some(Recorder { name: name?, peer, transport, protection, account, media, records, brings })
}

fn wanted(faults: &mut Faultfinder, path: &str, file: FileRecords) -> Records {
    let few = file.queues.len() <= NAMED_MAX && file.numbers.len() <= NAMED_MAX;
    faults.need(few, &format!("{path}.records"), "at most 256 queues and 256 numbers");
    let queues =
        file.queues.iter().filter_map(|queue| faults.take(&format!("{path}.records.queues"), QueueId::new(queue)));
    let queues = queues.collect();
    let numbers =
        file.numbers.iter().filter_map(|number| faults.take(&format!("{path}.records.numbers"), Number::new(number)));
    Records { queues, numbers: numbers.collect() }
}

/// The password lies in a file of its own.
fn proof(faults: &mut Faultfinder, path: &str, account: FileAccount, base: &Path) -> Option<TrunkRegistration> {
    let file = base.join(account.password);
    let read = std::fs::read_to_string(&file).map_err(|error| format!("{} cannot be read: {error}", file.display()));
    let password = faults.take(&format!("{path}.account.password"), read)?.trim().to_owned();
    let fits = (1..=256).contains(&password.len()) && !password.chars().any(char::is_control);
    faults.need(fits, &format!("{path}.account.password"), "a file with one line, the password");
    Some(TrunkRegistration { user: account.user, domain: account.realm, password, expires_s: NEVER })
}
