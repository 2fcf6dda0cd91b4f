//! Strangers flood the box (S-06), somebody forges what the trunk says (S-08), and calls go on.

use std::time::{Duration, Instant};

use bench::{
    branch::Measured,
    sip::{
        carrier::{Carrier, Load},
        emergency::Emergency,
        flood::Flood,
        phones::Phones,
    },
};
use harness::{company::PHONE_PASSWORD, process::free_ports};

/// Anonymous memory may grow by so much, in bytes.
const GROWTH_MAX: u64 = 64 << 20;

#[test]
fn calls_and_emergencies_go_on_while_strangers_flood_and_the_trunk_is_forged() {
    let dir = tempfile::tempdir().expect("a folder");
    let (carrier_port, phone_port) = (free_ports(2), free_ports(2));
    let numbers: Vec<String> = (20_000..20_040).map(|n| n.to_string()).collect();
    let measured = Measured::start(dir.path(), carrier_port, &numbers).expect("a box");
    let server = measured.branch.sip.parse().expect("an address");
    let phones = Phones::new(phone_port, server, &measured.branch.domain).expect("phones");
    phones.register(&numbers, PHONE_PASSWORD, 8).expect("registered");
    let mut carrier = Carrier::new(carrier_port, server).expect("a carrier");
    let account = ("101", PHONE_PASSWORD);
    let domain = measured.branch.domain.clone();
    let mut help = Emergency::new(server, &domain, account, "112", Duration::from_secs(1)).expect("a phone");
    let before = measured.memory().expect("memory");
    let flood = Flood::start(server, &domain, 2_000).expect("strangers");
    let forger = carrier.socket.try_clone().expect("the trunk's own address");
    let length = Duration::from_secs(6);
    // Phones that talk all the while are called by nobody else.
    let (talking, numbers) = numbers.split_at(10);
    carrier.stand(talking, 10, length);
    let load = Load { rate: 8, length, talk: Duration::from_millis(500) };
    let mut forged_at = Instant::now();
    let seen = carrier
        .run_with(&load, numbers, &phones, |now| {
            help.turn(now);
            if now > forged_at + Duration::from_millis(5) {
                forged_at = now;
                let _ = forger.send_to(b"INVITE sip:20001@h SIP/2.0\r\nVia: nonsense\r\n\r\n", server);
                let _ = forger.send_to(b"\x16\x03\x01 no SIP at all", server);
            }
        })
        .expect("a carrier's day");
    assert!(flood.sent() > 5_000, "the flood was none: {}", flood.sent());
    drop(flood);
    let grown = measured.memory().expect("memory").saturating_sub(before);
    assert!(seen.passed * 100 >= load.rate * 6 * 99, "the trunk's calls: {seen:?}\n{}", measured.tail());
    let standing = carrier.standing();
    assert_eq!(standing.ended, standing.begun, "calls in progress");
    help.check().expect("emergency calls");
    assert!(grown <= GROWTH_MAX, "memory grew by {} MB", grown >> 20);
}
