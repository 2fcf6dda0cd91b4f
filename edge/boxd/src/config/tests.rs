//! The file as an integrator writes it, well and badly.

use super::*;

const GOOD: &str = r#"
    site = "branch-a"
    data = "data"
    run = "run"
    prompts = "prompts"
    [sip]
    domain = "branch-a.example"
    listen = ["udp:127.0.0.1:5060", "tcp:127.0.0.1:5060"]
    [rtp]
    ip = "127.0.0.1"
    ports = [20000, 20998]
    [desk]
    listen = "127.0.0.1:8080"
"#;

fn check_text(text: &str) -> Result<BoxConfig, Vec<String>> {
    let file: File = toml::from_str(text).map_err(|error| vec![error.to_string()])?;
    check(file, Path::new("/etc/branchline"))
}

#[test]
fn a_small_file_is_enough_and_paths_are_relative_to_it() {
    let config = check_text(GOOD).expect("good file");
    assert_eq!(config.data, Path::new("/etc/branchline/data"));
    assert!(config.cloud.is_none());
    assert_eq!(config.metrics_of(2).port(), 9182);
}

#[test]
fn all_faults_are_reported_together_with_their_paths() {
    let bad = GOOD
        .replace("\"branch-a\"", "\"Branch A\"")
        .replace("udp:127.0.0.1:5060", "udp:0.0.0.0:5060")
        .replace("[20000, 20998]", "[20001, 20002]")
        .replace("[rtp]", "networks = [\"10.0.0.0\"]\n[rtp]");
    let faults = check_text(&bad).expect_err("bad file");
    for path in ["site:", "sip.listen[0]:", "sip.networks[0]:", "rtp.ports[0]:", "rtp.ports[1]:"] {
        assert!(faults.iter().any(|fault| fault.starts_with(path)), "{path} missing in {faults:?}");
    }
}

#[test]
fn the_branch_key_lies_in_a_file_or_in_the_tpm() {
    let keys = |key: &str| check_text(&format!("{GOOD}\n{key}")).map(|config| format!("{:?}", config.keys));
    for (key, expected) in [
        ("", "Plain"),
        ("[key]\nin = \"file\"", "Plain"),
        ("[key]\nin = \"tpm\"", "Tpm { program: \"systemd-creds\", device: \"auto\", pcrs: \"7\" }"),
        (
            "[key]\nin = \"tpm\"\npcrs = \"0+7\"\ndevice = \"/dev/tpmrm0\"\nprogram = \"bin/creds\"",
            "Tpm { program: \"/etc/branchline/bin/creds\", device: \"/dev/tpmrm0\", pcrs: \"0+7\" }",
        ),
    ] {
        let found = keys(key).expect("good file");
        assert!(found.contains(expected) && found.contains("/etc/branchline/data/branch.key"), "{found}");
    }
    for (key, path) in [
        ("[key]\nin = \"tpm\"\npcrs = \"24\"", "key.pcrs:"),
        ("[key]\nin = \"tpm\"\ndevice = \"\"", "key.device:"),
        ("[key]\nin = \"cloud\"", "cloud"),
        ("[key]\nin = \"file\"\npcrs = \"7\"", "pcrs"),
    ] {
        let faults = keys(key).expect_err("bad file");
        assert!(faults.iter().any(|fault| fault.contains(path)), "{path} missing in {faults:?}");
    }
}

#[test]
fn peers_of_recording_sessions_are_named_with_what_they_are_for() {
    let folder = std::env::temp_dir().join(format!("branchline-siprec-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let password = folder.join("vault.password");
    std::fs::write(&password, "secret\n").unwrap();
    let vault = format!(
        "[[siprec]]\nname = \"vault\"\npeer = \"tls:192.0.2.50:5061\"\nprotection = \"required\"\n\
         media = [\"192.0.2.0/28\"]\nrecords = {{ queues = [\"sales\"] }}\n\
         account = {{ user = \"b\", realm = \"vault\", password = \"{}\" }}\n",
        password.display()
    );
    let sbc = "[[siprec]]\nname = \"sbc\"\npeer = \"udp:192.0.2.60:5060\"\nbrings = true\n";
    let config = check_text(&format!("{GOOD}{vault}{sbc}")).expect("good file");
    let [vault_is, sbc_is] = config.siprec.as_slice() else { panic!("two peers") };
    assert_eq!(vault_is.account.as_ref().map(|account| account.password.as_str()), Some("secret"));
    assert!(vault_is.hears_at("192.0.2.3".parse().unwrap()) && !vault_is.hears_at("192.0.2.99".parse().unwrap()));
    assert!(vault_is.records.is_some() && !vault_is.brings);
    assert!(sbc_is.brings && sbc_is.records.is_none());
    let bad = format!("{GOOD}{}{sbc}{sbc}", vault.replace("tls:", "wss:").replace("records", "#"));
    let faults = check_text(&bad).expect_err("bad file");
    for path in ["siprec[0]:", "siprec[0].peer:", "siprec[2].name:"] {
        assert!(faults.iter().any(|fault| fault.starts_with(path)), "{path} missing in {faults:?}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn tls_is_asked_for_by_listeners_and_told_by_a_section() {
    let pin = "ab".repeat(32);
    let tls = format!("[tls]\ntrunk_ca = \"ca.pem\"\n[tls.trunks.carrier]\nname = \"sip.example\"\npin = \"{pin}\"\n");
    let text = GOOD.replace("tcp:127.0.0.1:5060", "tls:127.0.0.1:5061\", \"wss:[::1]:8443") + &tls;
    let config = check_text(&text).expect("good file");
    assert_eq!(config.sip.listen[1], (Transport::Tls, "127.0.0.1:5061".parse().unwrap()));
    assert_eq!(config.sip.listen[2], (Transport::Wss, "[::1]:8443".parse().unwrap()));
    assert_eq!(config.tls.trunk_ca.as_deref(), Some(Path::new("/etc/branchline/ca.pem")));
    let carrier = config.tls.trunks.get(&TrunkId::new("carrier").unwrap()).unwrap();
    assert_eq!((carrier.name.as_deref(), carrier.pin), (Some("sip.example"), Some([0xab; 32])));
    let bad = text.replace(&pin, "abc").replace("trunk_ca", "certificate");
    let faults = check_text(&bad).expect_err("half a pair, a short pin");
    assert!(faults.iter().any(|fault| fault.starts_with("tls:")), "{faults:?}");
    assert!(faults.iter().any(|fault| fault.starts_with("tls.trunks.carrier.pin:")), "{faults:?}");

    let by = text.clone() + "known_by = \"certificate\"\n";
    let config = check_text(&by).expect("known by its certificate");
    assert!(config.tls.trunks.values().all(|trunk| trunk.by_certificate));
    let anybody = by.replace("name = \"sip.example\"\n", "").replace(&format!("pin = \"{pin}\"\n"), "");
    let faults = check_text(&anybody.replace("tls:127.0.0.1", "tcp:127.0.0.1")).expect_err("whose, and where?");
    assert!(faults.iter().any(|fault| fault.starts_with("tls.trunks.carrier.known_by:")), "{faults:?}");
    assert!(faults.iter().any(|fault| fault.starts_with("tls.trunks:")), "{faults:?}");
}

#[test]
fn the_lab_s_night_is_read_and_all_its_faults_are_named() {
    let lab = "[lab]\nat = \"03:30\"\n[[lab.devices]]\nname = \"line-1\"\nkind = \"gateway\"\n\
               target = \"sip:192.0.2.1\"\nonly = [\"options\"]\n";
    let config = check_text(&(GOOD.to_owned() + lab)).expect("good file").lab.expect("a lab");
    assert_eq!((config.at, config.devices[0].name.as_str()), (jiff::civil::time(3, 30, 0, 0), "line-1"));
    let bad = lab.replace("03:30", "25:00").replace("line-1", "../line").replace("options", "opticians");
    let faults = check_text(&(GOOD.to_owned() + &bad)).expect_err("bad file");
    for path in ["lab.at:", "lab.devices[0].name:", "lab.devices[0].only:"] {
        assert!(faults.iter().any(|fault| fault.starts_with(path)), "{path} missing in {faults:?}");
    }
}

#[test]
fn ways_to_the_cloud_are_read_in_order_and_a_proxys_faults_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("proxy.secret");
    std::fs::write(&secret, "box:secret\n").unwrap();
    let cloud = format!(
        "[cloud]\nendpoints = [\"cloud.example:4433\"]\nweb = [\"wss://cloud.example/link\"]\nproxy = \"proxy.example:3128\"\n\
         proxy_credentials = \"{}\"\n",
        secret.display()
    );
    let config = check_text(&(GOOD.to_owned() + &cloud)).expect("good file").cloud.expect("a cloud");
    let ways: Vec<String> = config.ways().iter().map(ToString::to_string).collect();
    assert_eq!(ways, ["cloud.example:4433", "wss://cloud.example/link"]);
    let proxy = config.web[0].proxy.as_ref().expect("a proxy");
    assert_eq!((proxy.address.as_str(), proxy.credentials.as_deref()), ("proxy.example:3128", Some("box:secret")));

    std::fs::write(&secret, "no colon").unwrap();
    let bad = cloud.replace("wss:", "https:").replace(":3128", "");
    let faults = check_text(&(GOOD.to_owned() + &bad)).expect_err("bad file");
    for path in ["cloud.web[0]:", "cloud.proxy:", "cloud.proxy_credentials:"] {
        assert!(faults.iter().any(|fault| fault.starts_with(path)), "{path} missing in {faults:?}");
    }
    let alone = cloud.replace("proxy = \"proxy.example:3128\"\n", "");
    let faults = check_text(&(GOOD.to_owned() + &alone)).expect_err("credentials for nobody");
    assert!(faults.iter().any(|fault| fault.starts_with("cloud.proxy_credentials:")), "{faults:?}");
}

#[test]
fn an_unknown_key_is_refused_by_name() {
    let faults = check_text(&GOOD.replace("domain =", "domian =")).expect_err("misspelt");
    assert!(faults[0].contains("domian"), "{faults:?}");
}
