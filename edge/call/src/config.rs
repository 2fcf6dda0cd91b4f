//! What calls run on: our names and addresses, the site's configuration, and the secrets that live on this box alone.
//! Translated here into the SIP endpoint's own configuration and nowhere else.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use model::config::{SipTransport, TrunkKind};
use model::{Extension, TrunkId};
use sip::endpoint;
use sip::locate::Wish;

use crate::siprec::Recorder;

/// Everything `Calls` is built from.
#[derive(Debug, Clone)]
pub struct Config {
    /// Our host part in AORs and the digest realm.
    pub domain: String,
    /// The addresses our SIP sockets listen on.
    pub local: Vec<SocketAddr>,
    /// What carries SIP at each of them.
    pub listeners: Vec<(endpoint::Transport, SocketAddr)>,
    /// Where devices of ours stand: there, who proved nothing may call for help.
    pub networks: Vec<endpoint::Network>,
    /// Trunks whose peer is known by the certificate that it shows, whatever its address.
    pub certified: BTreeSet<TrunkId>,
    /// Peers of recording sessions, in the order in which they are tried. One that bears a trunk's name takes its place.
    pub recorders: Vec<Recorder>,
    /// User-Agent and Server.
    pub product: String,
    pub site: model::config::Config,
    pub secrets: Secrets,
    pub limits: Limits,
}

/// Credentials as the box stores them; they are in no configuration document.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets {
    pub phones: BTreeMap<Extension, endpoint::PhoneAuth>,
    /// The password of each registering trunk.
    pub trunks: BTreeMap<TrunkId, String>,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(..)")
    }
}

/// Everything has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Legs at once; emergency calls may go [`LEGS_RESERVED`] beyond.
    pub legs: usize,
    /// Prompts in one `play`.
    pub prompts: usize,
    /// Recordings that run or are being sealed.
    pub recordings: usize,
}

/// Legs kept free for emergency calls: a caller and a called leg for each of eight.
pub const LEGS_RESERVED: usize = 16;

/// Who proved nothing leaves room for those who did.
const _: () = assert!(sip::help::AT_ONCE_MAX * 2 < LEGS_RESERVED);

/// Seconds between pings of a recording server: one that is gone is noticed in the middle of a call.
const RECORDER_EVERY_S: u32 = 10;

/// Seconds between pings of a trunk known by address that does not say how often.
const OPTIONS_EVERY_S: u32 = 30;

impl Default for Limits {
    fn default() -> Self {
        Self { legs: 4_000, prompts: 20, recordings: 1_000 }
    }
}

impl Config {
    /// The endpoint's view. A phone or a registering trunk without a stored secret is left out: it cannot prove itself.
    pub fn endpoint(&self) -> endpoint::Config {
        let phones = self.site.phones.keys().filter_map(|extension| {
            let auth = self.secrets.phones.get(extension)?;
            Some((extension.to_string(), auth.clone()))
        });
        let trunks = self.site.trunks.iter().filter_map(|(id, trunk)| Some((id.to_string(), self.trunk(id, trunk)?)));
        let trunks = trunks.chain(self.recorders.iter().map(recorder));
        let is_trunk = |id: &&TrunkId| self.recorders.iter().all(|recorder| recorder.name != **id);
        let named = self.site.trunks.iter().filter(|(id, _)| is_trunk(id));
        let names = named.filter_map(|(id, trunk)| Some((id.to_string(), wish(trunk)?)));
        let recording = self
            .recorders
            .iter()
            .map(|one| (one.name.to_string(), endpoint::RecordingPeer { account: one.account.clone() }));
        endpoint::Config {
            domain: self.domain.clone(),
            local: self.local.clone(),
            listeners: self.listeners.clone(),
            phones: phones.collect(),
            trunks: trunks.collect(),
            certified: self.certified.iter().map(TrunkId::to_string).collect(),
            recording: recording.collect(),
            help: self.help(),
            names: names.collect(),
            product: self.product.clone(),
            limits: endpoint::Limits::default(),
        }
    }

    /// Emergency numbers with and without the digits that lead outside.
    fn help(&self) -> endpoint::Help {
        let site = &self.site.site;
        let prefix = &site.dialling.prefix;
        let numbers = site.emergency.iter().flat_map(|number| [number.to_string(), format!("{prefix}{number}")]);
        let services = crate::route::services(&self.site);
        endpoint::Help { numbers: numbers.collect(), services, networks: self.networks.clone() }
    }

    fn trunk(&self, id: &TrunkId, trunk: &model::config::Trunk) -> Option<endpoint::Trunk> {
        match &trunk.kind {
            TrunkKind::Address { peer, transport } => Some(endpoint::Trunk {
                peer: *peer,
                transport: transport_of(*transport),
                registration: None,
                options_every_s: trunk.carrier.health.every_s.unwrap_or(OPTIONS_EVERY_S),
                rules: rules(trunk),
            }),
            TrunkKind::Registration { peer, transport, user, domain, expires_s } => Some(endpoint::Trunk {
                peer: *peer,
                transport: transport_of(*transport),
                registration: Some(endpoint::TrunkRegistration {
                    user: user.clone(),
                    domain: domain.clone(),
                    password: self.secrets.trunks.get(id)?.clone(),
                    expires_s: *expires_s,
                }),
                options_every_s: trunk.carrier.health.every_s.unwrap_or(0),
                rules: rules(trunk),
            }),
        }
    }

    pub(crate) fn transport(&self, trunk: &TrunkId) -> Option<endpoint::Transport> {
        let (TrunkKind::Address { transport, .. } | TrunkKind::Registration { transport, .. }) =
            &self.site.trunks.get(trunk)?.kind;
        Some(transport_of(*transport))
    }

    /// A box whose every SIP socket is on loopback (a test bench) may also send audio there; any other may not.
    pub fn loopback_only(&self) -> bool {
        !self.local.is_empty() && self.local.iter().all(|addr| addr.ip().is_loopback())
    }
}

fn recorder(one: &Recorder) -> (String, endpoint::Trunk) {
    let trunk = endpoint::Trunk {
        peer: one.peer,
        transport: one.transport,
        registration: None,
        options_every_s: RECORDER_EVERY_S,
        rules: endpoint::TrunkRules::default(),
    };
    (one.name.to_string(), trunk)
}

fn rules(trunk: &model::config::Trunk) -> endpoint::TrunkRules {
    let health = trunk.carrier.health;
    let trusted = trunk.carrier.identity.trusted;
    endpoint::TrunkRules { trusted, down_after: health.down_after, up_after: health.up_after }
}

/// By which name a trunk is found; None for one that is known by its address alone.
pub fn wish(trunk: &model::config::Trunk) -> Option<Wish> {
    let (TrunkKind::Address { transport, .. } | TrunkKind::Registration { transport, .. }) = &trunk.kind;
    Wish::new(&trunk.carrier.name, transport_of(*transport))
}

fn transport_of(transport: SipTransport) -> endpoint::Transport {
    match transport {
        SipTransport::Udp => endpoint::Transport::Udp,
        SipTransport::Tcp => endpoint::Transport::Tcp,
        SipTransport::Tls => endpoint::Transport::Tls,
    }
}
