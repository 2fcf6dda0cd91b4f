//! Ranks, patience, limits, and what a refusal says.

use std::net::SocketAddr;

use super::*;
use crate::endpoint::Transport;

#[test]
fn calls_in_progress_come_first_and_strangers_last() {
    let (mut room, now) = (Arrivals::new(Limits::default(), 7), start());
    for (rank, name) in [
        (Rank::Pushy, "pushy"),
        (Rank::Stranger, "stranger"),
        (Rank::Known, "known"),
        (Rank::InCall, "call"),
        (Rank::Greedy, "greedy"),
        (Rank::Emergency, "emergency"),
    ] {
        room.put(now, rank, flow(), name.into()).unwrap();
    }
    let order: Vec<_> = std::iter::from_fn(|| room.next(now, false)).map(served).collect();
    assert_eq!(order, ["call", "emergency", "known", "greedy", "stranger", "pushy"]);
    assert!(room.is_empty());
}

#[test]
fn what_is_new_and_waits_too_long_is_refused_and_what_is_not_new_never() {
    let (mut room, now) = (Arrivals::new(Limits::default(), 7), start());
    for rank in RANK_ORDER {
        room.put(now, rank, flow(), format!("{rank:?}").into()).unwrap();
    }
    let later = now + Duration::from_secs(1);
    let outcome = |turn| match turn {
        Turn::Serve { bytes, .. } => format!("serve {}", String::from_utf8_lossy(&bytes)),
        Turn::Refuse { bytes, .. } => format!("refuse {}", String::from_utf8_lossy(&bytes)),
        Turn::Drop => "drop".into(),
    };
    let got: Vec<_> = std::iter::from_fn(|| room.next(later, false)).map(outcome).collect();
    assert_eq!(got, ["serve InCall", "serve Emergency", "refuse Known", "refuse Greedy", "drop", "drop"]);
}

#[test]
fn under_pressure_only_emergencies_begin() {
    let (mut room, now) = (Arrivals::new(Limits::default(), 7), start());
    room.put(now, Rank::Known, flow(), "known".into()).unwrap();
    room.put(now, Rank::Emergency, flow(), "emergency".into()).unwrap();
    assert!(matches!(room.next(now, true), Some(Turn::Serve { bytes, .. }) if bytes == "emergency"));
    assert!(matches!(room.next(now, true), Some(Turn::Refuse { .. })));
}

#[test]
fn a_full_rank_takes_no_more_and_leaves_room_for_calls_in_progress() {
    let limits = Limits { waiting: 10, bytes: 100, ..Limits::default() };
    let (mut room, now) = (Arrivals::new(limits, 7), start());
    let ten = || Bytes::from_static(b"0123456789");
    let stored = (0..20).filter(|_| room.put(now, Rank::Stranger, flow(), ten()).is_ok()).count();
    assert_eq!(stored, 7, "three quarters of the bytes");
    let stored = (0..20).filter(|_| room.put(now, Rank::InCall, flow(), ten()).is_ok()).count();
    assert_eq!(stored, 3);
    while room.next(now, false).is_some() {}
    let stored = (0..20).filter(|_| room.put(now, Rank::InCall, flow(), Bytes::new()).is_ok()).count();
    assert_eq!(stored, 10, "as many as may wait");
}

#[test]
fn a_refusal_says_when_to_come_again_and_names_the_call() {
    let config = Config { product: "Branchline".into(), ..Config::default() };
    let invite = "INVITE sip:a@h SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5070;rport;branch=z9hG4bK1\r\nFrom: <sip:b@h>;tag=1\r\n\
                  To: <sip:a@h>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\nContact: <sip:b@192.0.2.1>\r\nContent-Length: 0\r\n\r\n";
    let (to, reply) = refusal(&config, flow(), &Bytes::from_static(invite.as_bytes())).unwrap();
    let reply = String::from_utf8(reply.to_vec()).unwrap();
    assert_eq!(to.remote, flow().remote);
    assert!(reply.starts_with("SIP/2.0 503 Service Unavailable\r\n"), "{reply}");
    for line in ["Call-ID: x\r\n", "CSeq: 1 INVITE\r\n", "\r\nRetry-After: ", "rport=5060;", "To: <sip:a@h>;tag="] {
        assert!(reply.contains(line), "{line} in {reply}");
    }
    let waits = |n: u32| {
        let (_, reply) = refusal(&config, flow(), &invite.replace("ID: x", &format!("ID: {n}")).into()).unwrap();
        let reply = String::from_utf8(reply.to_vec()).unwrap();
        reply.lines().find_map(|line| line.strip_prefix("Retry-After: ")?.parse::<u32>().ok()).unwrap()
    };
    let waits: std::collections::BTreeSet<u32> = (0..100).map(waits).collect();
    assert_eq!(waits, RETRY_AFTER_S.collect(), "who was refused together does not come back together");
    let ack = invite.replace("INVITE", "ACK");
    assert_eq!(refusal(&config, flow(), &ack.into()), None);
    assert_eq!(refusal(&config, flow(), &Bytes::from_static(b"SIP/2.0 200 OK\r\n\r\n")), None);
    assert_eq!(refusal(&config, flow(), &Bytes::from_static(b"nonsense")), None);
}

/// What is copied in one pass is what the front door would have said.
#[test]
fn a_refusal_in_one_pass_says_the_same_as_one_in_full() {
    let says = refusal::Says { tag: "busy-1", product: "Branchline", retry_after_s: 7 };
    let invite = |via: &str, to: &str| {
        format!(
            "INVITE sip:a@h SIP/2.0\r\n{via}\r\nf: \"B, C\" <sip:b@h>;tag=1\r\nMax-Forwards: 70\r\n{to}\r\ni:x@y\r\n\
             cseq: 1 INVITE\r\nContact: <sip:b@192.0.2.1>\r\nContent-Length: 0\r\n\r\nTo: z\r\n"
        )
    };
    let check = |via: &str, to: &str, here: bool| {
        let bytes = Bytes::from(invite(via, to));
        let plain = refusal::plain(&bytes, flow().remote, &says);
        assert_eq!(plain.is_some(), here, "{via} {to}");
        let full = crate::front::overloaded(&bytes, flow().remote, says.tag, says.product, says.retry_after_s);
        assert!(plain.is_none() || plain == full, "{plain:?} {full:?}");
    };
    let via = "Via: SIP/2.0/UDP 192.0.2.1:5070;rport;branch=z9hG4bK1";
    check(via, "To: <sip:a@h>", true);
    check(via, "t:  <sip:a@h>;x=y ", true);
    check(via, "TO: Ann <sip:a@h>;Tag=7", true);
    check("Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\r\nv: SIP/2.0/UDP h.example;branch=2", "To: <sip:a@h>", true);
    check("Via: SIP/2.0/UDP 10.0.0.1;branch=1, SIP/2.0/UDP h;branch=2", "To: <sip:a@h>", false);
    check(via, "To: sip:a@h;tag=1", false);
    check(via, "To: \"<x>;tag=1\" <sip:a@h>", false);
    check(via, "To: <sip:a@h>\r\n ;tag=1", false);
    check(via, "To: <sip:a@h>\r\nt: <sip:c@h>", false);
    check(via, "Subject: none", false);
    check("Subject: none", "To: <sip:a@h>", false);
    assert_eq!(refusal::plain(b"INVITE sip:a@h SIP/2.0\r\nVia: x", flow().remote, &says), None);
}

#[test]
fn a_stranger_s_words_give_it_no_rank_and_a_trunk_s_greed_none_of_an_emergency() {
    let (mut room, now) = (Arrivals::new(Limits::default(), 7), start());
    let is_emergency = |dialled: &str| dialled == "112";
    let mut rank = |text: &str, known| {
        let head = format!("{text} SIP/2.0\r\nTo: <sip:a@h>\r\n\r\n");
        room.rank(now, flow(), &head.into(), &Who { known, emergency: &is_emergency })
    };
    assert_eq!(rank("BYE sip:a@h", true), Ok(Rank::InCall));
    assert_eq!(rank("BYE sip:a@h", false), Ok(Rank::Stranger));
    assert_eq!(rank("INVITE sip:112@h", false), Ok(Rank::Emergency));
    assert_eq!(rank("INVITE sip:1123@h", false), Ok(Rank::Stranger));
    assert_eq!(rank("REGISTER sip:112@h", false), Ok(Rank::Stranger));
    let mut got = |count: usize, text: &str, known| {
        let ranks: Vec<_> = (0..count).map(|_| rank(text, known).unwrap()).collect();
        ranks.last().copied()
    };
    assert_eq!(got(199, "INVITE sip:a@h", true), Some(Rank::Known));
    assert_eq!(got(100, "INVITE sip:a@h", true), Some(Rank::Greedy));
    assert_eq!(got(1, "INVITE sip:112@h", true), Some(Rank::Emergency));
    assert_eq!(got(1_000, "INVITE sip:112@h", false), Some(Rank::Pushy));
    assert_eq!(got(1, "BYE sip:a@h", true), Some(Rank::InCall));
    let who = Who { known: true, emergency: &is_emergency };
    assert_eq!(room.rank(now, flow(), &"GET / HTTP/1.1\r\n".into(), &who), Err(Dropped::NotSip));
    assert_eq!(room.rank(now, flow(), &"\r\n\r\n".into(), &who), Err(Dropped::Blank));
}

fn served(turn: Turn) -> String {
    match turn {
        Turn::Serve { bytes, .. } => String::from_utf8_lossy(&bytes).into_owned(),
        other => panic!("{other:?}"),
    }
}

fn flow() -> Flow {
    let at = |port| SocketAddr::from(([192, 0, 2, 1], port));
    Flow { transport: Transport::Udp, local: at(5070), remote: at(5060), connection: 0 }
}

#[allow(clippy::disallowed_methods, reason = "a test needs some first instant")]
fn start() -> Instant {
    Instant::now()
}
