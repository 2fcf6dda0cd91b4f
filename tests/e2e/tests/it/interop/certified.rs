//! TLS certificates between the box and a carrier that is Kamailio: one that the box asks of who calls, and one that it is
//! shown where it calls. The right one is the trunk, every other is a stranger's or nobody's.

use std::path::Path;

use harness::company::Branch;
use harness::dns::NameServer;
use harness::process::{Program, free_ports, wait_for};
use serde_json::{Value, json};

use super::kamailio::{certificates, incoming, secure_config, signed, start};
use super::sipp::{self, Script, passed};
use super::{PATIENCE, branch};

/// A caller behind Kamailio, which opens a connection to the box; whether the call went through.
fn comes_in(folder: &Path, name: &str, to_proxy: &str) -> bool {
    let script = Script { name, steps: incoming(), to: Some(to_proxy), port: free_ports(2), service: "4001" };
    let mut program = sipp::start(folder, &script).expect("SIPp");
    passed(folder, &mut program).is_ok()
}

#[test]
fn kamailio_is_the_trunk_by_its_certificate_and_a_stranger_with_any_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let (udp, tls, uas) = (free_ports(2), free_ports(2), free_ports(2));
    let pin = certificates(folder);
    let branch = branch(folder, tls, |plan| {
        // It is not where its configuration says, and is not asked how it is: the connection will be its own.
        let trunk = &mut plan.config["trunks"]["carrier"];
        trunk["kind"] = json!({ "by": "address", "peer": "192.0.2.99:5061", "transport": "tls" });
        trunk["protection"] = "clear".into();
        trunk["carrier"] = json!({ "health": { "every_s": 0 } });
        plan.more = format!(
            "[tls]\ntrunk_ca = \"{}\"\n[tls.trunks.carrier]\nname = \"sip.carrier.example\"\npin = \"{pin}\"\n\
             known_by = \"certificate\"\n",
            folder.join("ca.pem").display()
        );
    });
    let text = secure_config(folder, (udp, tls), uas, branch.sip_port + 1);
    let to_proxy = format!("127.0.0.1:{udp}");
    let mut proxy = start(folder, &text, udp);
    assert!(comes_in(folder, "right", &to_proxy), "{}\n{}", proxy.tail(), branch.tail());

    let strangers = [
        ("another-key", "sip.carrier.example", 30, "not the pinned key of carrier"),
        ("expired", "sip.carrier.example", -1, "expired"),
        ("another-name", "sip.thief.example", 30, "not valid for name"),
    ];
    for (case, name, days, why) in strangers {
        proxy.stop();
        signed(folder, name, days);
        proxy = start(folder, &text, udp);
        assert!(!comes_in(folder, case, &to_proxy), "{case}: {}", branch.tail());
        let is_said = |line: &str| line.contains("no trunk's") && line.to_lowercase().contains(why);
        let said = || branch.log().lines().any(is_said).then_some(());
        wait_for("the reason in the log", PATIENCE, said)
            .unwrap_or_else(|error| panic!("{case}: {error:#}\n{}\n{}", proxy.tail(), branch.tail()));
    }
}

#[test]
fn an_expired_certificate_and_another_key_than_the_pinned_one_keep_the_trunk_down_and_say_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let (udp, tls, uas) = (free_ports(2), free_ports(2), free_ports(2));
    let pin = certificates(folder);
    let branch = branch(folder, tls, |plan| {
        let trunk = &mut plan.config["trunks"]["carrier"];
        trunk["kind"] = json!({ "by": "address", "peer": format!("127.0.0.1:{tls}"), "transport": "tls" });
        trunk["carrier"] = json!({ "health": { "every_s": 10, "down_after": 1 } });
        plan.more = format!(
            "[tls]\ntrunk_ca = \"{}\"\n[tls.trunks.carrier]\nname = \"sip.carrier.example\"\npin = \"{pin}\"\n",
            folder.join("ca.pem").display()
        );
    });
    let text = secure_config(folder, (udp, tls), uas, branch.sip_port + 1);
    let mut proxy = start(folder, &text, udp);
    shows(&branch, true, "", &proxy);
    for (days, why, word) in [(-1, "expired", "trunk_expired"), (30, "pinned", "trunk_key")] {
        proxy.stop();
        signed(folder, "sip.carrier.example", days);
        proxy = start(folder, &text, udp);
        shows(&branch, false, why, &proxy);
        // People are told, too: the fact is what desk and centre show.
        let told = || branch.command(&["ledger", "facts"], None).ok()?.contains(word).then_some(());
        wait_for("a notice", PATIENCE, told).unwrap_or_else(|error| panic!("{word}: {error:#}\n{}", branch.tail()));
    }
}

/// RFC 5922 §4: whoever answers for DNS may say where the carrier is, and not who it is.
#[test]
fn a_trunk_by_name_must_prove_the_name_that_was_asked_for_and_not_the_one_that_dns_gave() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let (udp, tls, uas) = (free_ports(2), free_ports(2), free_ports(2));
    certificates(folder);
    let zone = format!(
        "cut\nsip.carrier.example 60 NAPTR 10 10 SIPS+D2T _sips._tcp.sip.carrier.example\n\
         _sips._tcp.sip.carrier.example 60 SRV 0 1 {tls} a.elsewhere.example\n\
         a.elsewhere.example 60 A 127.0.0.1\n"
    );
    let dns = NameServer::start(&zone).expect("a name server");
    let branch = branch(folder, tls, |plan| {
        let trunk = &mut plan.config["trunks"]["carrier"];
        trunk["kind"] = json!({ "by": "address", "peer": "0.0.0.0:5061", "transport": "tls" });
        trunk["carrier"] = json!({ "name": "sip.carrier.example", "health": { "every_s": 10, "down_after": 1 } });
        let ca = folder.join("ca.pem");
        plan.more = format!("[dns]\nservers = [\"{}\"]\n[tls]\ntrunk_ca = \"{}\"\n", dns.address, ca.display());
    });
    let text = secure_config(folder, (udp, tls), uas, branch.sip_port + 1);
    let mut proxy = start(folder, &text, udp);
    shows(&branch, true, "", &proxy);
    proxy.stop();
    signed(folder, "a.elsewhere.example", 30);
    let proxy = start(folder, &text, udp);
    shows(&branch, false, "not valid for name", &proxy);
}

/// Waits until the trunk is up or down, and has this to say of TLS.
fn shows(branch: &Branch, up: bool, why: &str, proxy: &Program) {
    let right = || {
        let shown: Value = serde_json::from_str(&branch.command(&["trunk", "show"], None).ok()?).ok()?;
        let said = shown["carrier"]["tls"].to_string().to_lowercase();
        let fits = if why.is_empty() { said == "{}" } else { said.contains(why) };
        (fits && shown["carrier"]["up"] == json!(up)).then_some(())
    };
    wait_for("the trunk's state", 2 * PATIENCE, right)
        .unwrap_or_else(|error| panic!("{why}: {error:#}\n{:?}\n{}\n{}", shown(branch), proxy.tail(), branch.tail()));
}

fn shown(branch: &Branch) -> String {
    branch.command(&["trunk", "show"], None).unwrap_or_else(|error| format!("{error:#}"))
}
