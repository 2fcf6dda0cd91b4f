//! Who is on stage: a box with phones 100 to 102, phones that are endpoints registering as trunks do, a carrier.

use std::collections::BTreeMap;

use bytes::Bytes;
use conformance::net::{Net, dialog_of};
use sip::auth::Algorithm;
use sip::endpoint::{Config, DialogId, Event, Invite, PhoneAuth, Target, Transport, Trunk, TrunkRegistration};

pub const BOX: &str = "192.0.2.1:5060";
pub const PHONE: &str = "192.0.2.10:5070";
pub const PHONE2: &str = "192.0.2.11:5070";
pub const CARRIER: &str = "198.51.100.5:5060";
pub const DOMAIN: &str = "branch-a.example";

pub fn offer() -> Bytes {
    Bytes::from_static(b"v=0 offer")
}

pub fn answer() -> Bytes {
    Bytes::from_static(b"v=0 answer")
}

pub fn password(user: &str) -> String {
    format!("secret of {user}")
}

pub fn phone_auth(user: &str, with_md5: bool) -> PhoneAuth {
    let hash = |algorithm: Algorithm| algorithm.hash(&[user, DOMAIN, &password(user)]);
    PhoneAuth { ha1_sha256: hash(Algorithm::Sha256), ha1_md5: with_md5.then(|| hash(Algorithm::Md5)) }
}

/// Phone 101 needs MD5.
pub fn box_config() -> Config {
    let phones = ["100", "101", "102"].map(|user| (user.to_string(), phone_auth(user, user == "101")));
    let carrier = Trunk {
        peer: CARRIER.parse().unwrap(),
        transport: Transport::Udp,
        registration: None,
        options_every_s: 0,
        rules: Default::default(),
    };
    Config {
        domain: DOMAIN.to_string(),
        local: vec![BOX.parse().unwrap()],
        phones: BTreeMap::from(phones),
        trunks: BTreeMap::from([("carrier".to_string(), carrier)]),
        product: "Branchline".to_string(),
        ..Config::default()
    }
}

/// A phone that is an endpoint: the box is its trunk, named `box`.
pub fn phone_config(user: &str, addr: &str, transport: Transport) -> Config {
    let registration = TrunkRegistration {
        user: user.to_string(),
        domain: DOMAIN.to_string(),
        password: password(user),
        expires_s: 600,
    };
    let trunk = Trunk {
        peer: BOX.parse().unwrap(),
        transport,
        registration: Some(registration),
        options_every_s: 0,
        rules: Default::default(),
    };
    Config {
        domain: "phone.invalid".to_string(),
        local: vec![addr.parse().unwrap()],
        trunks: BTreeMap::from([("box".to_string(), trunk)]),
        product: "Phone".to_string(),
        ..Config::default()
    }
}

pub fn carrier_config() -> Config {
    let trunk = Trunk {
        peer: BOX.parse().unwrap(),
        transport: Transport::Udp,
        registration: None,
        options_every_s: 0,
        rules: Default::default(),
    };
    Config {
        domain: "carrier.example".to_string(),
        local: vec![CARRIER.parse().unwrap()],
        trunks: BTreeMap::from([("box".to_string(), trunk)]),
        product: "Carrier".to_string(),
        ..Config::default()
    }
}

/// A box and a phone 100, registered over `transport`.
pub fn box_and_phone(transport: Transport) -> (Net, usize, usize) {
    let mut net = Net::new();
    let hub = net.endpoint("box", BOX, box_config());
    let phone = net.endpoint("phone", PHONE, phone_config("100", PHONE, transport));
    net.run_ms(100);
    assert_eq!(net.with(hub, |hub, _| hub.bindings("100").len()), 1, "{}", net.story());
    net.story();
    forget_events(&mut net, hub);
    forget_events(&mut net, phone);
    (net, hub, phone)
}

pub fn box_and_carrier() -> (Net, usize, usize) {
    let mut net = Net::new();
    let hub = net.endpoint("box", BOX, box_config());
    let carrier = net.endpoint("carrier", CARRIER, carrier_config());
    (net, hub, carrier)
}

pub fn to_phone(user: &str) -> Invite {
    Invite {
        to: Target::Phone(user.to_string()),
        from_user: "200".to_string(),
        from_name: None,
        sdp: offer(),
        sdp_to_browsers: None,
        emergency: None,
        patience: None,
        shown: Default::default(),
        recording: None,
    }
}

pub fn to_trunk(trunk: &str, user: &str, from_user: &str) -> Invite {
    let to = Target::Trunk { trunk: trunk.to_string(), user: user.to_string() };
    Invite {
        to,
        from_user: from_user.to_string(),
        from_name: None,
        sdp: offer(),
        sdp_to_browsers: None,
        emergency: None,
        patience: None,
        shown: Default::default(),
        recording: None,
    }
}

pub fn forget_events(net: &mut Net, node: usize) {
    while net.event(node).is_some() {}
}

/// The dialog of the next INVITE that `node` was told of.
#[track_caller]
pub fn invited(net: &mut Net, node: usize) -> DialogId {
    while let Some(event) = net.event(node) {
        if let Event::Invited { dialog, .. } = event {
            return dialog;
        }
    }
    panic!("nobody called\n{}", net.ladder);
}

/// A call from the box to the carrier, talking; (box's dialog, carrier's dialog).
pub fn talking(net: &mut Net, hub: usize, carrier: usize) -> (DialogId, DialogId) {
    let ours = net.with(hub, |hub, now| hub.invite(now, to_trunk("carrier", "5550100", "100")));
    net.run_ms(20);
    let theirs = invited(net, carrier);
    net.with(carrier, |carrier, now| carrier.accept(now, theirs, answer()));
    net.run_ms(100);
    net.story();
    forget_events(net, hub);
    forget_events(net, carrier);
    (ours, theirs)
}

/// The last words said about each dialog: `Ended` or `Failed` once, and nothing after.
#[track_caller]
pub fn ends_once(net: &mut Net, node: usize) {
    let mut over = Vec::new();
    while let Some(event) = net.event(node) {
        let Some(dialog) = dialog_of(&event) else { continue };
        assert!(!over.contains(&dialog), "after the end: {event:?}");
        if matches!(event, Event::Ended { .. } | Event::Failed { .. }) {
            over.push(dialog);
        }
    }
}
