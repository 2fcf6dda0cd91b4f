//! What becomes of findings: the same inputs, the same report; no secret in it; a page that a device cannot write into.

use lab::plan::Kind;
use lab::report::{Findings, Report, Signature, Signed, Signer, VERSION};
use lab::{html, probes};

use crate::rig::{PASSWORD, plan, run};

fn signed(findings: Findings) -> Signed {
    let report = Report {
        version: VERSION,
        kind: Kind::Trunk,
        target: "sip:192.0.2.9".into(),
        product: findings.product,
        site: "branch-a".into(),
        software: "0.1.0".into(),
        began: "2026-11-28T10:00:00Z".into(),
        took_s: 60,
        outcomes: findings.outcomes,
    };
    let signature = Signature {
        algorithm: "ecdsa-p256-sha256".into(),
        by: Signer::Lab,
        public_key: "04".repeat(65),
        certificate: None,
        value: "00".into(),
    };
    Signed { report, signature }
}

#[test]
fn the_same_device_gives_the_same_report_and_it_reads_back() {
    let (one, two) = (run(plan(Kind::Trunk), &[]), run(plan(Kind::Trunk), &[]));
    assert_eq!(one, two);
    let signed = signed(one);
    let written = signed.write().expect("written");
    let read = Signed::read(written.as_bytes()).expect("read");
    assert_eq!(read, signed);
    assert_eq!(read.report.canonical().expect("bytes"), signed.report.canonical().expect("bytes"));
    // Every probe that talked to the device shows the messages.
    assert!(signed.report.outcomes.iter().filter(|one| !one.evidence.is_empty()).count() >= 45);
}

#[test]
fn neither_password_nor_proof_is_in_a_report() {
    let text = signed(run(plan(Kind::Trunk), &[])).write().expect("written");
    assert!(text.contains("Authorization: Digest username"), "the proof's place is shown");
    for secret in [PASSWORD, "response=", "cnonce="] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[test]
fn what_a_device_says_of_itself_is_text_in_the_page() {
    let mut signed = signed(run(plan(Kind::Trunk), &[]));
    signed.report.product = Some("<script>alert(1)</script>".into());
    let page = html::page(&signed);
    assert!(!page.contains("<script"), "no markup of strangers");
    assert!(page.contains("&lt;script&gt;") && page.contains("互通测试报告"));
    for void in ["src=", "href="] {
        assert!(!page.contains(void), "self-contained: {void}");
    }
}

#[test]
fn probes_have_names_of_their_own_and_both_languages() {
    let all: Vec<_> = probes::all().collect();
    let ids: std::collections::BTreeSet<_> = all.iter().map(|probe| probe.id).collect();
    assert_eq!(ids.len(), all.len());
    assert!(all.len() >= 60, "{}", all.len());
    for probe in all {
        let chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        assert!(chinese(probe.title.zh) && chinese(probe.advice.zh), "{}", probe.id);
        assert!(!probe.rfc.is_empty() && !probe.title.en.is_empty() && !probe.advice.en.is_empty(), "{}", probe.id);
    }
}
