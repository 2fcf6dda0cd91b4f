//! The interop lab against real parts: a baresip, called directly, and Kamailio as a trunk with baresip behind it.

use std::path::Path;
use std::process::Command;

use harness::{
    baresip::{Account, Phone},
    company::{Branch, BranchPlan},
    process::{Program, free_ports, wait_for},
    proof,
};
use serde_json::Value;

use e2e::stage::{self, Agent, PATIENCE};

/// Runs `boxd lab …` and returns the report; the exit code says whether something fails, the report says what.
fn lab(folder: &Path, arguments: &[&str]) -> (Value, std::path::PathBuf) {
    let config = folder.join("box.toml");
    if !config.exists() {
        let [sip, rtp, desk] = [free_ports(2), free_ports(40) & !1, free_ports(2)];
        let text = format!(
            "site = \"branch-a\"\ndata = \"data\"\nrun = \"run\"\nprompts = \"prompts\"\n[sip]\n\
             domain = \"branch-a.example\"\nlisten = [\"udp:127.0.0.1:{sip}\"]\n[rtp]\nip = \"127.0.0.1\"\n\
             ports = [{rtp}, {}]\n[desk]\nlisten = \"127.0.0.1:{desk}\"\n",
            rtp + 38
        );
        std::fs::write(&config, text).expect("written");
    }
    let out = folder.join("out");
    let output = boxd(folder, &[arguments, &["--quiet", "--out", out.to_str().expect("UTF-8")]].concat());
    let text = String::from_utf8_lossy(&output.stdout);
    let name = text.lines().find(|line| line.ends_with(".json"));
    let name = name.unwrap_or_else(|| panic!("no report: {text}{}", String::from_utf8_lossy(&output.stderr)));
    let report = serde_json::from_slice(&std::fs::read(name).expect("the report")).expect("JSON");
    (report, name.into())
}

fn boxd(folder: &Path, arguments: &[&str]) -> std::process::Output {
    let boxd = harness::process::ours("boxd").expect("boxd is built");
    let mut command = Command::new(boxd);
    command.arg("--config").arg(folder.join("box.toml")).arg("lab").args(arguments);
    command.output().expect("boxd runs")
}

fn mark<'a>(report: &'a Value, id: &str) -> &'a str {
    let outcomes = report["report"]["outcomes"].as_array().expect("outcomes");
    let found = outcomes.iter().find(|one| one["id"] == id).unwrap_or_else(|| panic!("no {id}"));
    found["mark"].as_str().expect("a mark")
}

#[test]
fn the_lab_says_of_a_real_phone_what_it_does_and_signs_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let microphone = folder.path().join("microphone.wav");
    proof::speak("this is a phone under test", 120, &microphone).expect("speech");
    let phone = Phone::start(&folder.path().join("phone"), &Account::Trunk { user: "101" }, &microphone, true);
    let phone = phone.expect("a phone");
    let target = format!("sip:101@127.0.0.1:{}", phone.sip_port);
    let only = "options,rport,compact,folded,bye-stray,invite,delayed-offer,codec-none,prack,session-timer,\
                hold-sendonly,rtp,dtmf-offer,refer,require,bye-again,well-formed";
    let (report, file) = lab(folder.path(), &["phone", &target, "--only", only]);
    for id in ["options", "rport", "compact", "folded", "bye-stray", "invite", "delayed-offer", "codec-none", "rtp"] {
        assert_eq!(mark(&report, id), "pass", "{id}");
    }
    for id in ["hold-sendonly", "dtmf-offer", "refer", "bye-again", "well-formed"] {
        assert_eq!(mark(&report, id), "pass", "{id}");
    }
    // What baresip 1.0 is known not to do.
    assert_eq!(mark(&report, "session-timer"), "not_offered");
    assert_eq!(mark(&report, "require"), "fail");
    assert!(report["report"]["product"].as_str().is_some_and(|product| product.contains("baresip")));
    assert!(file.with_extension("html").exists());

    let proved = boxd(folder.path(), &["verify", file.to_str().expect("UTF-8")]);
    assert!(proved.status.success(), "{}", String::from_utf8_lossy(&proved.stderr));
    let forged = std::fs::read_to_string(&file).expect("text").replace("\"fail\"", "\"pass\"");
    let bad = folder.path().join("forged.json");
    std::fs::write(&bad, forged).expect("written");
    let refused = boxd(folder.path(), &["verify", bad.to_str().expect("UTF-8")]);
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("changed after it was signed"));
}

/// The phone is set up to register at the lab, and nowhere else.
#[test]
fn a_phone_that_registers_at_the_lab_is_tested_where_it_registered_from() {
    let folder = tempfile::tempdir().expect("a folder");
    let microphone = folder.path().join("microphone.wav");
    proof::speak("this is a phone under test", 120, &microphone).expect("speech");
    let listen = format!("127.0.0.1:{}", free_ports(2));
    let account = Account::Phone {
        user: "101",
        password: "secret-of-the-lab",
        domain: "127.0.0.1",
        registrar: &listen,
        transport: "udp",
    };
    let mut phone = Phone::start(&folder.path().join("phone"), &account, &microphone, true).expect("a phone");
    // A phone that knows no SHA-256 is asked for MD5 when it tries again: somebody presses the button.
    let button = std::thread::spawn(move || {
        let tries = std::iter::repeat_with(|| {
            phone.command("uareg", "30 0").expect("the button");
            phone
                .wait_any(&["REGISTER_OK", "REGISTER_FAIL"], PATIENCE)
                .is_ok_and(|event| event["type"] == "REGISTER_OK")
        });
        assert!(tries.take(20).any(|registered| registered), "the lab takes it");
        phone
    });
    let password = folder.path().join("password");
    std::fs::write(&password, "secret-of-the-lab\n").expect("written");
    let only = "phone-register,phone-digest,phone-contact,options,invite,rtp,require";
    let with = ["--listen", &listen, "--user", "101", "--password-file", password.to_str().expect("UTF-8")];
    let (report, _) = lab(folder.path(), &[&["phone", "101", "--only", only], with.as_slice()].concat());
    let _phone = button.join().expect("it registered");
    for id in ["phone-register", "phone-contact", "options", "invite", "rtp"] {
        assert_eq!(mark(&report, id), "pass", "{id}: {report}");
    }
    // baresip 1.0 knows MD5 alone, and takes what it does not know; the report says what to do about it.
    assert_eq!((mark(&report, "phone-digest"), mark(&report, "require")), ("warn", "fail"));
    let outcomes = report["report"]["outcomes"].as_array().expect("outcomes");
    let bad = outcomes.iter().filter(|one| one["mark"] == "fail" || one["mark"] == "warn");
    assert!(bad.clone().count() >= 2 && bad.clone().all(|one| one["advice"]["en"].is_string()), "{outcomes:?}");
}

#[test]
fn the_lab_tests_a_real_registrar_as_a_trunk() {
    let folder = tempfile::tempdir().expect("a folder");
    let port = free_ports(2);
    let config = folder.path().join("kamailio.cfg");
    std::fs::write(&config, kamailio(port)).expect("written");
    let mut command = Command::new("kamailio");
    command.args(["-DD", "-E", "-m", "64", "-M", "8", "-f"]).arg(&config).arg("-w").arg(folder.path());
    let _kamailio = Program::start("kamailio", command, &folder.path().join("kamailio.log")).expect("kamailio");
    wait_for("kamailio", PATIENCE, || std::net::TcpStream::connect(("127.0.0.1", port)).ok())
        .expect("kamailio listens");
    let password = folder.path().join("password");
    std::fs::write(&password, "trunk-password\n").expect("written");
    let target = format!("sip:127.0.0.1:{port}");
    let only = "options,tcp,tcp-pieces,compact,max-forwards,register,digest,password-wrong,register-refresh,\
                register-query,unregister,invite";
    let password = password.to_str().expect("UTF-8");
    let arguments = ["trunk", &target, "--user", "box", "--password-file", password, "--only", only];
    let (report, _) = lab(folder.path(), &arguments);
    for id in ["options", "tcp", "tcp-pieces", "compact", "register", "password-wrong", "register-refresh"] {
        assert_eq!(mark(&report, id), "pass", "{id}");
    }
    for id in ["register-query", "unregister", "max-forwards"] {
        assert_eq!(mark(&report, id), "pass", "{id}");
    }
    // Kamailio 5.6 asks for MD5 unless told otherwise.
    assert_eq!(mark(&report, "digest"), "warn");
    assert_eq!(mark(&report, "invite"), "skipped");
    assert!(!report.to_string().contains("trunk-password"));
}

fn kamailio(port: u16) -> String {
    format!(
        r#"
listen=udp:127.0.0.1:{port}
listen=tcp:127.0.0.1:{port}
children=2
tcp_children=1
log_stderror=yes
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
loadmodule "textops.so"
loadmodule "siputils.so"
request_route {{
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (is_method("REGISTER")) {{
        $var(pw) = "trunk-password";
        if (!pv_auth_check("127.0.0.1", "$var(pw)", "0", "0")) {{ auth_challenge("127.0.0.1", "1"); exit; }}
        save("location");
        exit;
    }}
    if (is_method("OPTIONS")) {{ sl_send_reply("200", "OK"); exit; }}
    if (is_method("ACK")) {{ exit; }}
    sl_send_reply("404", "Not Found");
}}
"#
    )
}

/// README: `boxd lab trunk … --call NUMBER`: a number behind the trunk that answers.
#[test]
fn the_lab_calls_through_a_trunk_to_a_number_that_answers() {
    let folder = tempfile::tempdir().expect("a folder");
    let microphone = folder.path().join("microphone.wav");
    proof::speak("this is an echo test", 120, &microphone).expect("speech");
    let peer = Phone::start(&folder.path().join("peer"), &Account::Trunk { user: "5550100" }, &microphone, true);
    let peer = peer.expect("who answers");
    let target = format!("sip:127.0.0.1:{}", peer.sip_port);
    let only = "options,invite,delayed-offer,rtp,bye-again,hold-sendonly";
    let (report, _) = lab(folder.path(), &["trunk", &target, "--call", "5550100", "--only", only]);
    for id in only.split(',').filter(|id| *id != "options") {
        assert_eq!(mark(&report, id), "pass", "{id}: {report}");
    }
    // A baresip is no carrier: an OPTIONS that names nobody is not for it.
    assert_eq!(mark(&report, "options"), "warn");
    assert_eq!(report["report"]["kind"], "trunk");
}

/// A phone that is registered at a running box is found by its extension, and tested again in the night: the supervisor
/// starts that by the clock.
#[test]
fn a_registered_phone_is_tested_by_its_extension_and_again_in_the_night() {
    let folder = tempfile::tempdir().expect("a folder");
    let prompts = stage::prompts(&folder.path().join("prompts")).expect("prompts");
    let plan = BranchPlan::example("branch-a", stage::carrier_port()).expect("a plan");
    let mut branch = Branch::start(&folder.path().join("branch-a"), &plan, None, &prompts).expect("a branch");
    let _agent = Agent::start(&branch, &folder.path().join("agent"), "a-101", "101", "hello").expect("an agent");

    let (report, _) = lab(&branch.folder, &["phone", "101", "--only", "options,invite,rtp,bye-stray"]);
    for id in ["options", "invite", "rtp", "bye-stray"] {
        assert_eq!(mark(&report, id), "pass", "{id}");
    }
    assert!(report["report"]["target"].as_str().is_some_and(|target| target.contains("101")), "{report}");

    // In a few seconds it is night; one device is there, the other is not.
    let soon = Command::new("date").args(["-d", "+8 seconds", "+%T"]).output().expect("date");
    let soon = String::from_utf8(soon.stdout).expect("UTF-8");
    let device = |name: &str, extension: &str| {
        format!(
            "[[lab.devices]]\nname = \"{name}\"\nkind = \"phone\"\ntarget = \"{extension}\"\nonly = [\"options\", \"require\"]\n"
        )
    };
    let text = std::fs::read_to_string(&branch.config).expect("box.toml");
    let night = format!("{text}[lab]\nat = \"{}\"\n{}{}", soon.trim(), device("desk", "101"), device("gone", "999"));
    std::fs::write(&branch.config, night).expect("written");
    branch.stop();
    branch.launch().expect("the box again");
    let facts = || branch.command(&["ledger", "facts", "--last", "200"], None).expect("facts");
    let told = wait_for("the night's facts", 2 * PATIENCE, || Some(facts()).filter(|text| text.contains("lab_missed")));
    let told = told.unwrap_or_else(|error| panic!("{error:#}\n{}", branch.tail()));
    let tested = told.lines().find(|line| line.contains("lab_tested")).expect("a test");
    for part in ["\"device\":\"desk\"", "\"passed\":1", "\"failed\":1", "\"worse\":0", "\"firmware_changed\":false"] {
        assert!(tested.contains(part), "{part} in {tested}");
    }
    let kept = std::fs::read_dir(branch.folder.join("data/lab/desk")).expect("its reports").flatten();
    let report = kept.map(|file| file.path()).find(|file| file.extension().is_some_and(|ending| ending == "json"));
    let report = report.expect("a report");
    branch.command(&["lab", "verify", report.to_str().expect("UTF-8")], None).expect("signed");
}
