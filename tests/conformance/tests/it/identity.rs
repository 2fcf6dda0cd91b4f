//! Who may say what of whom: passwords and in-dialog challenges (S-02), asserted identities trunk by header (S-12),
//! reasons both ways (RFC 3326), early media by leave (RFC 5009).

use conformance::net::Net;
use sip::endpoint::{Event, Invite, Release, Shown, Style, TrunkRegistration};

use crate::stage::*;

/// A box whose trunk has an account, and a carrier played by hand.
fn with_account() -> (Net, usize, usize) {
    let mut net = Net::new();
    let mut config = box_config();
    let account = TrunkRegistration {
        user: "account".to_string(),
        domain: "carrier.example".to_string(),
        password: "pw".to_string(),
        expires_s: 600,
    };
    config.trunks.get_mut("carrier").unwrap().registration = Some(account);
    let hub = net.endpoint("box", BOX, config);
    let carrier = net.talker("carrier", CARRIER);
    net.run_ms(20);
    (net, hub, carrier)
}

#[test]
fn a_hostile_called_side_gets_no_password_whatever_it_challenges() {
    let (mut net, hub, carrier) = with_account();
    let mut said = Vec::new();
    let mut hear = |net: &mut Net, method: &str| {
        let heard: Vec<String> = std::iter::from_fn(|| net.heard(carrier)).collect();
        let found = heard.iter().rev().find(|text| text.starts_with(method)).cloned();
        said.extend(heard);
        found
    };
    let ours = net.with(hub, |hub, now| hub.invite(now, to_trunk("carrier", "1", "2")));
    net.run_ms(20);
    let invite = hear(&mut net, "INVITE").expect("our INVITE");
    // The called side rings, challenges the INVITE in vain, and answers another one.
    net.say(carrier, hub, &reply(&invite, "180 Ringing", ""));
    net.run_ms(20);
    for status in ["401", "407"] {
        net.say(carrier, hub, &reply(&invite, &format!("{status} Prove"), &challenge(status)));
        net.run_ms(20);
    }
    assert!(hear(&mut net, "INVITE").is_none(), "not sent again");
    let failed = std::iter::from_fn(|| net.event(hub))
        .any(|event| matches!(event, Event::Failed { dialog, .. } if dialog == ours));
    assert!(failed);
    let ours = net.with(hub, |hub, now| hub.invite(now, to_trunk("carrier", "1", "2")));
    net.run_ms(20);
    let invite = hear(&mut net, "INVITE").expect("our INVITE");
    net.say(
        carrier,
        hub,
        &reply(&invite, "200 OK", "Contact: <sip:1@198.51.100.5:5060>\r\nContent-Type: application/sdp\r\n"),
    );
    net.run_ms(20);
    // Every request of ours within the dialog is challenged, with the trunk's own realm.
    net.with(hub, |hub, now| hub.reinvite(now, ours, offer()));
    net.run_ms(20);
    for status in ["401", "407"] {
        let reinvite = hear(&mut net, "INVITE");
        let asked = reinvite.as_deref().unwrap_or(&invite);
        net.say(carrier, hub, &reply(asked, &format!("{status} Prove"), &challenge(status)));
        net.run_ms(40);
    }
    net.with(hub, |hub, now| hub.end(now, ours));
    net.run_ms(20);
    let bye = hear(&mut net, "BYE").expect("our BYE");
    for status in ["401", "407"] {
        net.say(carrier, hub, &reply(&bye, &format!("{status} Prove"), &challenge(status)));
        net.run_ms(40);
    }
    // What it asks of its own accord, an INFO, is answered and proves nothing.
    net.run_ms(2_000);
    hear(&mut net, "BYE");
    let proofs: Vec<&String> =
        said.iter().filter(|text| text.to_ascii_lowercase().contains("authorization:")).collect();
    assert!(proofs.is_empty(), "{proofs:?}");
}

fn challenge(status: &str) -> String {
    let name = if status == "401" { "WWW-Authenticate" } else { "Proxy-Authenticate" };
    format!("{name}: Digest realm=\"carrier.example\", nonce=\"n\", qop=\"auth\", algorithm=MD5\r\n")
}

/// A response to `request` with these headers more; a 200 to an INVITE has a body.
fn reply(request: &str, status: &str, more: &str) -> String {
    let echoed =
        request.lines().filter(|line| ["Via", "From", "To", "Call-ID", "CSeq"].iter().any(|n| line.starts_with(n)));
    let echoed: String = echoed
        .map(|line| match line.starts_with("To:") && !line.contains("tag=") {
            true => format!("{line};tag=theirs\r\n"),
            false => format!("{line}\r\n"),
        })
        .collect();
    let body = if more.contains("application/sdp") { "v=0 answer" } else { "" };
    format!("SIP/2.0 {status}\r\n{echoed}{more}Content-Length: {}\r\n\r\n{body}", body.len())
}

#[test]
fn what_a_trunk_asserts_counts_when_the_trunk_is_trusted() {
    let headers = [
        ("P-Asserted-Identity: \"Ann\" <sip:777@carrier.example>", "777 Ann"),
        ("Remote-Party-ID: \"Ann\" <sip:777@carrier.example>;party=calling", "777 Ann"),
        ("Diversion: <sip:701@carrier.example>;reason=user-busy", "555 Bob, 701 Busy"),
        ("History-Info: <sip:701@c.example>;index=1, <sip:702@c.example;cause=486>;index=1.1", "555 Bob, 701 Busy"),
        ("Privacy: id", "anonymous withheld"),
        ("Identity: eyJ;info=<https://thief.example/cert.pem>", "555 Bob"),
    ];
    for (header, when_trusted) in headers {
        for trusted in [false, true] {
            let mut net = Net::new();
            let mut config = box_config();
            config.trunks.get_mut("carrier").unwrap().rules.trusted = trusted;
            let hub = net.endpoint("box", BOX, config);
            let carrier = net.talker("carrier", CARRIER);
            net.say(carrier, hub, &format!("INVITE sip:100@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP {CARRIER};branch=z9hG4bKa\r\nMax-Forwards: 70\r\nFrom: \"Bob\" <sip:555@carrier.example>;tag=1\r\nTo: <sip:100@192.0.2.1>\r\nCall-ID: c1\r\nCSeq: 1 INVITE\r\nContact: <sip:555@{CARRIER}>\r\n{header}\r\nContent-Length: 0\r\n\r\n"));
            net.run_ms(20);
            let event = std::iter::from_fn(|| net.event(hub)).find(|event| matches!(event, Event::Invited { .. }));
            let Some(Event::Invited { invited, .. }) = event else { panic!("{header}: {}", net.story()) };
            let mut said = invited.from.clone();
            invited.from_name.iter().for_each(|name| said += &format!(" {name}"));
            said += if invited.withheld { " withheld" } else { "" };
            invited.diverted.iter().for_each(|way| said += &format!(", {} {:?}", way.from, way.why));
            // A wish for privacy is honoured whoever utters it; nothing else of a stranger counts.
            let expected = if trusted || header.starts_with("Privacy") { when_trusted } else { "555 Bob" };
            assert_eq!(said, expected, "{header}, trusted: {trusted}");
        }
    }
}

#[test]
fn each_trunk_is_told_of_the_caller_in_its_own_way() {
    let from = "From: \"Desk\" <sip:4001@branch-a.example>";
    let hidden = "From: \"Anonymous\" <sip:anonymous@anonymous.invalid>";
    let shown = |style, withheld| Shown { style, withheld, ..Shown::default() };
    let table: [(Shown, &[&str]); 8] = [
        (shown(Style::From, false), &[from]),
        (shown(Style::From, true), &[hidden, "Privacy: id"]),
        (shown(Style::Asserted, false), &[from, "P-Asserted-Identity: \"Desk\" <sip:4001@branch-a.example>"]),
        (
            shown(Style::Asserted, true),
            &[hidden, "Privacy: id", "P-Asserted-Identity: \"Desk\" <sip:4001@branch-a.example>"],
        ),
        (shown(Style::Preferred, false), &[from, "P-Preferred-Identity: \"Desk\" <sip:4001@branch-a.example>"]),
        (
            shown(Style::RemoteParty, true),
            &[
                hidden,
                "Privacy: id",
                "Remote-Party-ID: \"Desk\" <sip:4001@branch-a.example>;party=calling;privacy=full;screen=yes",
            ],
        ),
        (
            Shown { diverted: Some("+86105".into()), ..Shown::default() },
            &[from, "Diversion: <sip:+86105@branch-a.example>;reason=unconditional;counter=1"],
        ),
        (
            Shown { diverted: Some("+86105".into()), history: true, early_media: true, ..Shown::default() },
            &[
                from,
                "History-Info: <sip:+86105@branch-a.example>;index=1, <sip:1@198.51.100.5:5060;cause=302>;index=1.1",
                "P-Early-Media: supported",
            ],
        ),
    ];
    let all = [
        "From",
        "Privacy",
        "P-Asserted-Identity",
        "P-Preferred-Identity",
        "Remote-Party-ID",
        "Diversion",
        "History-Info",
        "P-Early-Media",
    ];
    for (shown, expected) in table {
        let mut net = Net::new();
        let hub = net.endpoint("box", BOX, box_config());
        let carrier = net.talker("carrier", CARRIER);
        let invite =
            Invite { from_name: Some("Desk".into()), shown: shown.clone(), ..to_trunk("carrier", "1", "4001") };
        net.with(hub, |hub, now| hub.invite(now, invite));
        net.run_ms(20);
        let heard = std::iter::from_fn(|| net.heard(carrier)).find(|text| text.starts_with("INVITE")).unwrap();
        let told = heard.lines().filter(|line| all.iter().any(|name| line.split(':').next() == Some(name)));
        let mut told: Vec<&str> = told.map(|line| line.split(";tag=").next().unwrap()).collect();
        let mut expected = expected.to_vec();
        told.sort_unstable();
        expected.sort_unstable();
        assert_eq!(told, expected, "{shown:?}");
        assert!(!shown.withheld || !heard.lines().any(|line| line.starts_with("Contact") && line.contains("4001")));
    }
}

#[test]
fn a_reason_goes_with_our_bye_and_cancel_and_theirs_is_told() {
    let (mut net, hub, carrier) = box_and_carrier();
    let (ours, theirs) = talking(&mut net, hub, carrier);
    net.with(carrier, |carrier, now| carrier.end_because(now, theirs, Some(Release::q850(31))));
    net.run_ms(20);
    let told = std::iter::from_fn(|| net.event(hub)).find_map(|event| match event {
        Event::Ended { dialog, why, .. } if dialog == ours => Some(why),
        _ => None,
    });
    assert_eq!(told, Some(Some(Release::q850(31))));
    forget_events(&mut net, carrier);
    let ours = net.with(hub, |hub, now| hub.invite(now, to_trunk("carrier", "1", "2")));
    net.run_ms(20);
    net.with(hub, |hub, now| hub.end_because(now, ours, Some(Release::q850(19))));
    net.run_ms(40);
    let told = std::iter::from_fn(|| net.event(carrier)).find_map(|event| match event {
        Event::Ended { why, .. } => Some(why),
        _ => None,
    });
    assert_eq!(told, Some(Some(Release::q850(19))));
}

#[test]
fn a_refusal_is_told_with_its_reason_and_an_overloaded_trunk_is_left_alone() {
    let mut net = Net::new();
    let hub = net.endpoint("box", BOX, box_config());
    let carrier = net.talker("carrier", CARRIER);
    net.with(hub, |hub, now| hub.invite(now, to_trunk("carrier", "1", "2")));
    net.run_ms(20);
    let invite = std::iter::from_fn(|| net.heard(carrier)).find(|text| text.starts_with("INVITE")).unwrap();
    net.say(carrier, hub, &reply(&invite, "503 Busy lines", "Reason: Q.850;cause=34\r\nRetry-After: 20 (soon)\r\n"));
    net.run_ms(20);
    let failed = std::iter::from_fn(|| net.event(hub)).find_map(|event| match event {
        Event::Failed { status, why, .. } => Some((status, why)),
        _ => None,
    });
    assert_eq!(failed, Some((503, Some(Release::q850(34)))));
    assert!(!net.with(hub, |hub, _| hub.trunk_up("carrier")), "it asked to be left alone");
    net.run_ms(21_000);
    assert!(net.with(hub, |hub, _| hub.trunk_up("carrier")), "its time is over");
}

#[test]
fn a_trunk_that_answers_a_call_is_up_again_before_the_next_ping() {
    let mut net = Net::new();
    let mut config = box_config();
    config.trunks.get_mut("carrier").unwrap().options_every_s = 600;
    config.trunks.get_mut("carrier").unwrap().rules.down_after = 1;
    let hub = net.endpoint("box", BOX, config);
    let carrier = net.talker("carrier", CARRIER);
    net.run_ms(40_000);
    assert!(!net.with(hub, |hub, _| hub.trunk_up("carrier")), "no answer to the first ping");
    while net.heard(carrier).is_some() {}
    net.with(hub, |hub, now| hub.invite(now, to_trunk("carrier", "1", "2")));
    net.run_ms(20);
    let invite = std::iter::from_fn(|| net.heard(carrier)).find(|text| text.starts_with("INVITE")).unwrap();
    net.say(carrier, hub, &reply(&invite, "180 Ringing", ""));
    net.run_ms(20);
    assert!(net.with(hub, |hub, _| hub.trunk_up("carrier")), "a call shows that it lives");
}

#[test]
fn early_media_is_authorised_by_the_header_alone_also_when_it_comes_late() {
    let (mut net, hub, carrier) = {
        let mut net = Net::new();
        let hub = net.endpoint("box", BOX, box_config());
        let carrier = net.talker("carrier", CARRIER);
        (net, hub, carrier)
    };
    net.with(hub, |hub, now| hub.invite(now, to_trunk("carrier", "1", "2")));
    net.run_ms(20);
    let invite = std::iter::from_fn(|| net.heard(carrier)).find(|text| text.starts_with("INVITE")).unwrap();
    let sdp = "Content-Type: application/sdp\r\n";
    for (status, more) in
        [("183 P", sdp), ("183 P", "P-Early-Media: inactive\r\n"), ("180 R", "P-Early-Media: sendrecv\r\n")]
    {
        net.say(carrier, hub, &reply(&invite, status, more));
        net.run_ms(20);
    }
    let told: Vec<(u16, bool, bool)> = std::iter::from_fn(|| net.event(hub))
        .filter_map(|event| match event {
            Event::Progress { status, sdp, authorised, .. } => Some((status, sdp.is_some(), authorised)),
            _ => None,
        })
        .collect();
    assert_eq!(told, [(183, true, false), (183, false, false), (180, true, true)]);
}
