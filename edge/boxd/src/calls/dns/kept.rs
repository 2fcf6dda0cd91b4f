//! `located.json`: what DNS last confirmed of each trunk, for a start without DNS. A file that cannot be read is as good
//! as none.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};
use sip::{
    endpoint::Transport,
    locate::{Input, NAMES_MAX, TARGETS_MAX, Target, Wish},
};
use tracing::warn;

use crate::calls::clock::wall;

pub struct Kept {
    file: PathBuf,
    trunks: BTreeMap<String, KeptTrunk>,
}

#[derive(Serialize, Deserialize)]
struct KeptTrunk {
    host: String,
    port: Option<u16>,
    transport: Option<String>,
    secure: bool,
    /// Milliseconds since 1970.
    at: i64,
    targets: Vec<KeptTarget>,
}

#[derive(Serialize, Deserialize)]
struct KeptTarget {
    rank: u16,
    priority: u16,
    weight: u16,
    transport: String,
    addresses: Vec<SocketAddr>,
}

impl Kept {
    pub fn open(file: PathBuf) -> Self {
        let read = std::fs::read(&file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Self { file, trunks: read.unwrap_or_default() }
    }

    pub fn put(&mut self, trunk: String, wish: &Wish, targets: &[Target]) {
        let target = |target: &Target| KeptTarget {
            rank: target.rank,
            priority: target.priority,
            weight: target.weight,
            transport: target.transport.via().into(),
            addresses: target.addresses.clone(),
        };
        let kept = KeptTrunk {
            host: wish.host.clone(),
            port: wish.port,
            transport: wish.transport.map(|transport| transport.via().into()),
            secure: wish.secure,
            at: wall().0,
            targets: targets.iter().map(target).collect(),
        };
        self.trunks.insert(trunk, kept);
        while self.trunks.len() > NAMES_MAX {
            let oldest = self.trunks.iter().min_by_key(|(_, kept)| kept.at).map(|(trunk, _)| trunk.clone());
            oldest.map(|trunk| self.trunks.remove(&trunk));
        }
        let fresh = self.file.with_extension("new");
        let bytes = serde_json::to_vec(&self.trunks).unwrap_or_default();
        if let Err(error) = std::fs::write(&fresh, bytes).and_then(|()| std::fs::rename(&fresh, &self.file)) {
            warn!(%error, "where the trunks are cannot be kept for a next start");
        }
    }

    /// Everything, as the locator takes it.
    pub fn all(&self) -> Vec<Input> {
        let now = wall().0;
        self.trunks.iter().filter_map(|(trunk, kept)| kept.input(trunk, now)).collect()
    }
}

impl KeptTrunk {
    fn input(&self, trunk: &str, now: i64) -> Option<Input> {
        let transport = match &self.transport {
            Some(name) => Some(transport_of(name)?),
            None => None,
        };
        let wish = Wish { host: self.host.clone(), port: self.port, transport, secure: self.secure };
        let targets = self.targets.iter().take(TARGETS_MAX).filter(|target| !target.addresses.is_empty());
        let targets = targets.filter_map(|target| {
            Some(Target {
                rank: target.rank,
                priority: target.priority,
                weight: target.weight,
                transport: transport_of(&target.transport)?,
                addresses: target.addresses.clone(),
            })
        });
        // A clock that went back says nothing of the age.
        let age = Duration::from_millis(u64::try_from(now.saturating_sub(self.at)).unwrap_or(0));
        Some(Input::Restore { trunk: trunk.to_owned(), wish, targets: targets.collect(), age })
    }
}

fn transport_of(name: &str) -> Option<Transport> {
    Transport::ALL.into_iter().find(|transport| transport.via() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_comes_back_and_a_broken_file_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("located.json");
        let wish = Wish::new("c.example", Transport::Tls).unwrap();
        let addresses = vec!["192.0.2.1:5061".parse().unwrap(), "[2001:db8::1]:5061".parse().unwrap()];
        let target = Target { rank: 1, priority: 2, weight: 3, transport: Transport::Tls, addresses };
        Kept::open(file.clone()).put("carrier".into(), &wish, std::slice::from_ref(&target));
        let back = Kept::open(file.clone()).all();
        let [Input::Restore { trunk, wish: same, targets, age }] = back.as_slice() else { panic!("{back:?}") };
        assert_eq!((trunk.as_str(), same, targets.as_slice()), ("carrier", &wish, &[target][..]));
        assert!(*age < Duration::from_secs(60));
        std::fs::write(&file, b"{\"carrier\": 7").unwrap();
        assert!(Kept::open(file).all().is_empty());
    }
}
