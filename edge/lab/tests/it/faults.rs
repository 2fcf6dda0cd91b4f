//! Each deliberate fault, and the probe that must name it.

use lab::plan::{Kind, Plan, Registered};
use lab::verdict::Mark;

use crate::device::Quirk;
use crate::rig::{mark, outcome, plan, run};

#[test]
fn a_device_that_does_everything_right_fails_nothing() {
    for kind in [Kind::Phone, Kind::Gateway, Kind::Trunk] {
        let findings = run(plan(kind), &[]);
        let bad: Vec<String> = findings
            .outcomes
            .iter()
            .filter(|one| matches!(one.mark, Mark::Fail | Mark::Warn | Mark::Skipped))
            .map(|one| format!("{} {:?}: {}", one.id, one.mark, one.said.en))
            .collect();
        assert!(bad.is_empty(), "{kind:?}: {bad:#?}");
        assert!(findings.outcomes.len() >= 50, "{kind:?}: {}", findings.outcomes.len());
        assert_eq!(findings.product.as_deref(), Some("Puppet/1.0"));
    }
}

/// What the lab's own registrar saw of a phone.
#[test]
fn how_a_phone_registered_is_judged_by_digest_time_and_contact() {
    let good = Registered { sha256: true, expires_s: 120, contact_fits: true };
    let table = [
        (Registered { sha256: false, ..good }, "phone-digest"),
        (Registered { expires_s: 30, ..good }, "phone-register"),
        (Registered { expires_s: 86_400, ..good }, "phone-register"),
        (Registered { contact_fits: false, ..good }, "phone-contact"),
    ];
    let ids = ["phone-register", "phone-digest", "phone-contact"];
    for (seen, warned) in table {
        let plan = Plan { only: ids.map(str::to_owned).into(), registered: Some(seen), ..plan(Kind::Phone) };
        let findings = run(plan, &[]);
        for id in ids {
            let expected = if id == warned { Mark::Warn } else { Mark::Pass };
            assert_eq!(mark(&findings, id), expected, "{seen:?}: {id}");
        }
    }
}

#[test]
fn every_deliberate_fault_is_found_and_named() {
    let table = [
        (Quirk::PrackRefused, "prack", Mark::Fail),
        (Quirk::PrackAny, "prack-bad", Mark::Fail),
        (Quirk::LateOfferIgnored, "delayed-offer", Mark::Fail),
        (Quirk::NoTimer, "session-timer", Mark::NotOffered),
        (Quirk::TimerTooSmallTaken, "session-small", Mark::Fail),
        (Quirk::TimerLostOnRefresh, "session-refresh", Mark::Fail),
        (Quirk::KeysMoveTimestamp, "dtmf-from", Mark::Fail),
        (Quirk::KeysOtherType, "dtmf-from", Mark::Fail),
        (Quirk::KeysNeverEnd, "dtmf-from", Mark::Fail),
        (Quirk::WrongContact, "contact", Mark::Fail),
        (Quirk::DropsCompact, "compact", Mark::Fail),
        (Quirk::DropsFolded, "folded", Mark::Fail),
        (Quirk::AckIgnored, "ack", Mark::Fail),
        (Quirk::SlowTrying, "trying", Mark::Warn),
        (Quirk::NoRport, "rport", Mark::Warn),
        (Quirk::RequireIgnored, "require", Mark::Fail),
        (Quirk::MethodUnknownTaken, "method-unknown", Mark::Fail),
        (Quirk::ByeStrayTaken, "bye-stray", Mark::Fail),
        (Quirk::HoldIgnored, "hold-sendonly", Mark::Fail),
        (Quirk::HoldSings, "hold-silent", Mark::Fail),
        (Quirk::NoResume, "resume", Mark::Fail),
        (Quirk::PortStays, "port-change", Mark::Fail),
        (Quirk::CancelIgnored, "cancel", Mark::Fail),
        (Quirk::CodecNoneTaken, "codec-none", Mark::Fail),
        (Quirk::StrangePayload, "payloads", Mark::Fail),
        (Quirk::TwoSources, "ssrc-one", Mark::Warn),
        (Quirk::Mute, "rtp", Mark::Fail),
        (Quirk::SlowPackets, "ptime", Mark::Fail),
        (Quirk::ReferSilent, "refer", Mark::Fail),
        (Quirk::AckAnswered, "ack-stray", Mark::Fail),
        (Quirk::TagMissing, "echo", Mark::Fail),
        (Quirk::AudioAfterBye, "bye", Mark::Fail),
        (Quirk::Malformed, "well-formed", Mark::Fail),
        (Quirk::PasswordAny, "password-wrong", Mark::Fail),
        (Quirk::KeepsBinding, "unregister", Mark::Fail),
        (Quirk::Silent, "options", Mark::Fail),
    ];
    let mut wrong = Vec::new();
    for (quirk, id, expected) in table {
        let mut plan = plan(Kind::Trunk);
        plan.only = vec!["options".into(), id.into()];
        let findings = run(plan, &[quirk]);
        let found = outcome(&findings, id);
        if found.mark != expected {
            wrong.push(format!("{quirk:?}: {id} {:?} ({})", found.mark, found.said.en));
        } else if matches!(expected, Mark::Fail | Mark::Warn) && found.advice.is_none() {
            wrong.push(format!("{quirk:?}: {id} without advice"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn without_an_answer_to_the_first_call_the_others_are_skipped_with_the_reason() {
    let findings = run(plan(Kind::Phone), &[Quirk::Silent]);
    assert_eq!(mark(&findings, "invite"), Mark::Fail);
    let hold = outcome(&findings, "hold-sendonly");
    assert_eq!(hold.mark, Mark::Skipped);
    assert_eq!(hold.said.en, "the INVITE was not answered at all");
}

#[test]
fn what_was_not_given_is_said_by_name() {
    let mut plan = plan(Kind::Trunk);
    (plan.call, plan.account, plan.keys) = (None, None, None);
    let findings = run(plan, &[]);
    assert!(outcome(&findings, "invite").said.en.contains("--call"));
    assert!(outcome(&findings, "register").said.en.contains("--user"));
    assert_eq!(mark(&findings, "options"), Mark::Pass);
}
