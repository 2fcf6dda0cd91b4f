//! Ranks, patience, limits, and what a refusal says.

use std::net::SocketAddr;

use super::*;
use crate::endpoint::Transport;

#[test]
fn calls_in_progress_come_first_and_strangers_last() {
    let (mut room, now) = (Arrivals::new(start(), Limits::default(), 7), start());
    for (rank, name) in [
        (Rank::Pushy, "pushy"),
        (Rank::Stranger, "stranger"),
        (Rank::Known, "known"),
        (Rank::InCall, "call"),
        (Rank::Greedy, "greedy"),
        (Rank::Emergency, "emergency"),
    ] {
        put(&mut room, now, rank, name).unwrap();
    }
    let order: Vec<_> = std::iter::from_fn(|| room.next(now, false)).map(served).collect();
    assert_eq!(order, ["call", "emergency", "known", "greedy", "stranger", "pushy"]);
    assert!(room.is_empty());
}

#[test]
fn what_is_new_and_waits_too_long_is_refused_and_what_is_not_new_never() {
    let (mut room, now) = (Arrivals::new(start(), Limits::default(), 7), start());
    for rank in RANK_ORDER {
        put(&mut room, now, rank, &format!("{rank:?}")).unwrap();
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
    let (mut room, now) = (Arrivals::new(start(), Limits::default(), 7), start());
    put(&mut room, now, Rank::Known, "known").unwrap();
    put(&mut room, now, Rank::Emergency, "emergency").unwrap();
    assert!(matches!(room.next(now, true), Some(Turn::Serve { bytes, .. }) if bytes == "emergency"));
    assert!(matches!(room.next(now, true), Some(Turn::Refuse { .. })));
}

#[test]
fn a_full_rank_takes_no_more_and_leaves_room_for_calls_in_progress() {
    let limits = Limits { waiting: 10, bytes: 100, ..Limits::default() };
    let (mut room, now) = (Arrivals::new(start(), limits, 7), start());
    let ten = "0123456789";
    let stored = (0..20).filter(|_| put(&mut room, now, Rank::Stranger, ten).is_ok()).count();
    assert_eq!(stored, 7, "three quarters of the bytes");
    let stored = (0..20).filter(|_| put(&mut room, now, Rank::InCall, ten).is_ok()).count();
    assert_eq!(stored, 3);
    while room.next(now, false).is_some() {}
    let stored = (0..20).filter(|_| put(&mut room, now, Rank::InCall, "").is_ok()).count();
    assert_eq!(stored, 10, "as many as may wait");
}

#[test]
fn a_refusal_says_when_to_come_again_and_names_the_call() {
    let invite = "INVITE sip:a@h SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5070;rport;branch=z9hG4bK1\r\nFrom: <sip:b@h>;tag=1\r\n\
                  To: <sip:a@h>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\nContact: <sip:b@192.0.2.1>\r\nContent-Length: 0\r\n\r\n";
    let (to, reply) = refusal("Branchline", flow(), invite.as_bytes()).unwrap();
    let reply = String::from_utf8(reply.to_vec()).unwrap();
    assert_eq!(to.remote, flow().remote);
    assert!(reply.starts_with("SIP/2.0 503 Service Unavailable\r\n"), "{reply}");
    for line in ["Call-ID: x\r\n", "CSeq: 1 INVITE\r\n", "\r\nRetry-After: ", "rport=5060;", "To: <sip:a@h>;tag="] {
        assert!(reply.contains(line), "{line} in {reply}");
    }
    let waits = |n: u32| {
        let (_, reply) =
            refusal("Branchline", flow(), invite.replace("ID: x", &format!("ID: {n}")).as_bytes()).unwrap();
        let reply = String::from_utf8(reply.to_vec()).unwrap();
        reply.lines().find_map(|line| line.strip_prefix("Retry-After: ")?.parse::<u32>().ok()).unwrap()
    };
    let waits: std::collections::BTreeSet<u32> = (0..100).map(waits).collect();
    assert_eq!(waits, RETRY_AFTER_S.collect(), "who was refused together does not come back together");
    let ack = invite.replace("INVITE", "ACK");
    assert_eq!(refusal("Branchline", flow(), ack.as_bytes()), None);
    assert_eq!(refusal("Branchline", flow(), b"SIP/2.0 200 OK\r\n\r\n"), None);
    assert_eq!(refusal("Branchline", flow(), b"nonsense"), None);
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
    let (mut room, now) = (Arrivals::new(start(), Limits::default(), 7), start());
    let is_emergency = |dialled: &str| dialled == "112";
    let mut rank = |text: &str, known| {
        let head = format!("{text} SIP/2.0\r\nTo: <sip:a@h>\r\n\r\n");
        let who = Who { known, emergency: &is_emergency };
        room.sort(now, flow(), head.as_bytes(), &who).map(|sorted| sorted.rank)
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
    assert_eq!(room.arrive(now, flow(), b"GET / HTTP/1.1\r\n", &who), Err(Dropped::NotSip));
    assert_eq!(room.arrive(now, flow(), b"\r\n\r\n", &who), Err(Dropped::Blank));
}

fn invite(n: u32) -> String {
    format!("INVITE sip:a@h SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK{n}\r\nTo: <sip:a@h>\r\n\r\n")
}

#[test]
fn while_the_first_is_late_what_follows_is_refused_when_it_arrives() {
    let limits = Limits { known: Rate { per_second: 1_000, burst: 1_000 }, ..Limits::default() };
    let (mut room, now) = (Arrivals::new(start(), limits, 7), start());
    let at = |ms| now + Duration::from_millis(ms);
    let known = Who { known: true, emergency: &|dialled| dialled == "112" };
    let stranger = Who { known: false, ..known };
    assert_eq!(room.arrive(at(0), flow(), invite(1).as_bytes(), &known), Ok(()));
    assert_eq!(room.arrive(at(50), flow(), invite(2).as_bytes(), &known), Ok(()), "not late yet");
    assert_eq!(room.arrive(at(51), flow(), invite(3).as_bytes(), &known), Err(Dropped::Busy));
    let help = invite(4).replace("sip:a@", "sip:112@");
    assert_eq!(room.arrive(at(51), flow(), help.as_bytes(), &known), Ok(()), "an emergency waits for nobody");
    let bye = b"BYE sip:a@h SIP/2.0\r\nTo: <sip:a@h>;tag=1\r\n\r\n";
    assert_eq!(room.arrive(at(51), flow(), bye, &known), Ok(()));
    assert_eq!(room.arrive(at(51), flow(), invite(5).as_bytes(), &stranger), Ok(()), "strangers have time");
    assert_eq!(room.arrive(at(452), flow(), invite(6).as_bytes(), &stranger), Err(Dropped::Late));
    let left: Vec<_> = std::iter::from_fn(|| room.next(at(452), false)).collect();
    let served = left.iter().filter(|turn| matches!(turn, Turn::Serve { .. })).count();
    assert_eq!((left.len(), served, room.bytes()), (5, 2, 0), "the BYE and the call for help");
}

#[test]
fn who_repeats_an_invite_that_was_taken_in_is_not_refused() {
    let (mut room, now) = (Arrivals::new(start(), Limits::default(), 7), start());
    let at = |ms| now + Duration::from_millis(ms);
    let who = Who { known: true, emergency: &|_| false };
    room.arrive(at(0), flow(), invite(1).as_bytes(), &who).unwrap();
    assert!(matches!(room.next(at(1), false), Some(Turn::Serve { .. })));
    room.arrive(at(2), flow(), invite(2).as_bytes(), &who).unwrap();
    assert!(matches!(room.next(at(100), false), Some(Turn::Refuse { .. })), "this one was late");
    let mut rank = |n| room.sort(at(500), flow(), invite(n).as_bytes(), &who).map(|sorted| sorted.rank);
    assert_eq!((rank(1), rank(2), rank(3)), (Ok(Rank::InCall), Ok(Rank::Known), Ok(Rank::Known)));
}

#[test]
fn a_keep_alive_by_stun_is_not_taken_for_rubbish() {
    let (mut room, now) = (Arrivals::new(start(), Limits::default(), 7), start());
    let mut ask = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
    ask.extend([7; 12]);
    let who = Who { known: false, emergency: &|_| false };
    assert_eq!(room.arrive(now, flow(), &ask, &who), Ok(()));
    assert!(matches!(room.next(now, false), Some(Turn::Serve { bytes, .. }) if bytes == ask));
}

/// Ten times as many calls as the box carries, with the box in virtual time: each call costs what it costs, a refusal
/// little, a message of a call in progress its share.
#[test]
fn under_ten_times_the_load_what_can_be_carried_is_carried_and_calls_in_progress_do_not_wait() {
    let (mut room, begin) = (Arrivals::new(start(), Limits::default(), 7), start());
    let who = Who { known: true, emergency: &|_| false };
    let in_call = b"BYE sip:a@h SIP/2.0\r\nTo: <sip:a@h>;tag=1\r\n\r\n";
    let (per_call, per_message, per_arrival) = (500, 100, 10);
    let (mut clock, mut offered, mut followed, mut begun, mut refused, mut longest) =
        (0_u64, 0_u64, 0, 0_u64, 0_u64, 0);
    let (mut due, mut bytes_most) = (std::collections::VecDeque::new(), 0);
    let at = |us| begin + Duration::from_micros(us);
    while clock < 20_000_000 {
        // 10,000 calls a second, where 1,000,000 / (500 + 5 * 100) = 1,000 could be carried.
        while offered * 100 <= clock {
            let n = u32::try_from(offered).unwrap();
            refused += u64::from(room.arrive(at(clock), flow(), invite(n).as_bytes(), &who).is_err());
            (offered, clock) = (offered + 1, clock + per_arrival);
        }
        while due.front().is_some_and(|at: &u64| *at <= clock) {
            due.pop_front();
            followed += 1;
            room.arrive(at(clock), flow(), in_call, &who).unwrap();
        }
        room.note(at(clock), Duration::ZERO);
        bytes_most = bytes_most.max(room.bytes());
        longest = longest.max(room.waited(at(clock), Rank::InCall).as_millis());
        match room.next(at(clock), false) {
            Some(Turn::Serve { bytes, .. }) if bytes.starts_with(b"INVITE") => {
                begun += 1;
                clock += per_call;
                (1..=5).for_each(|n| due.push_back(clock + n * 20_000));
                due.make_contiguous().sort_unstable();
            }
            Some(Turn::Serve { .. }) => clock += per_message,
            Some(_) => {
                refused += 1;
                clock += per_arrival;
            }
            None => clock += 1,
        }
    }
    let share = begun * (per_call + 5 * per_message) * 100 / (clock - offered * per_arrival);
    assert!(share >= 90, "{share} % of the time that refusing leaves; {begun} begun, {refused} refused");
    assert!(begun + refused + 1_000 > offered, "nobody is left without an answer");
    assert!(followed > begun * 4 && longest < 20, "a call in progress waited {longest} ms");
    assert!(bytes_most < 1 << 20, "{bytes_most} bytes waited");
}

fn put(room: &mut Arrivals, now: Instant, rank: Rank, text: &str) -> Result<(), Dropped> {
    room.put(now, Sorted { rank, is_invite: false, mark: None }, flow(), text.as_bytes())
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
