//! The box and its neighbours: a domain and addresses as the messages have them, two trunks, and phones by number.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};
use harness::company::{BranchPlan, PHONE_PASSWORD};
use harness::process::{Program, ours, wait_for};
use serde_json::json;

pub const DOMAIN: &str = "example.com";
pub const BOX: &str = "127.0.0.1:5060";
pub const BOX_WS: &str = "127.0.0.1:5070";
/// Of another address than the box and each other, as everybody in the field is.
pub const STRANGER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 2));
pub const TRUNK: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 3)), 5080);

/// The host of RFC 5118's Request-URIs.
const IPV6: &str = "2001:db8::10";

/// Whom the messages register, and the phone that stands for it: phones are numbers here.
const PHONES: [(&str, &str); 4] = [("user", "1001"), ("j.user", "1002"), ("watson", "1003"), ("fluffy", "1004")];

const PATIENCE: Duration = Duration::from_secs(60);

pub struct House {
    _box: Program,
}

/// The box's addresses, in the namespace that is ours.
pub fn take_addresses() -> anyhow::Result<()> {
    ip(&["link", "set", "lo", "up"])?;
    ip(&["address", "add", &format!("{IPV6}/128"), "dev", "lo", "nodad"])
}

impl House {
    pub fn build(folder: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir(folder)?;
        let prompts = folder.join("prompts");
        std::fs::create_dir(&prompts)?;
        let config = folder.join("box.toml");
        let text = format!(
            "site = \"branch-a\"\ndata = \"data\"\nrun = \"run\"\nprompts = \"{}\"\n[sip]\ndomain = \"{DOMAIN}\"\n\
             listen = [\"udp:{BOX}\", \"tcp:{BOX}\", \"ws:{BOX_WS}\", \"udp:[{IPV6}]:5060\"]\n\
             [rtp]\nip = \"127.0.0.1\"\nports = [20000, 20100]\n[desk]\nlisten = \"127.0.0.1:8090\"\n\
             [metrics]\nlisten = \"127.0.0.1:9100\"\n",
            prompts.display(),
        );
        std::fs::write(&config, text)?;
        for (_, phone) in PHONES {
            boxd(&config, &["phone", "password", phone, "--password-stdin"])?;
        }
        let site = folder.join("site.json");
        std::fs::write(&site, plan()?.to_string())?;
        boxd(&config, &["site", "import", site.to_str().context("a UTF-8 path")?])?;
        let mut command = Command::new(ours("boxd")?);
        command.arg("run").arg("--config").arg(&config);
        let program = Program::start("boxd", command, &folder.join("boxd.log"))?;
        let health = folder.join("run/health.json");
        wait_for("the box is healthy", PATIENCE, || {
            let health: serde_json::Value = serde_json::from_slice(&std::fs::read(&health).ok()?).ok()?;
            health["checks"].as_object()?.values().all(|check| check == true).then_some(())
        })
        .with_context(|| program.tail())?;
        Ok(Self { _box: program })
    }
}

/// The example branch, with these phones and a trunk by UDP and one by TCP.
fn plan() -> anyhow::Result<serde_json::Value> {
    let mut config = BranchPlan::example("branch-a", TRUNK.port())?.config;
    for (_, phone) in PHONES {
        config["phones"][phone] = json!({ "label": phone });
    }
    config["trunks"]["carrier"]["kind"]["peer"] = json!(TRUNK.to_string());
    let mut tcp = config["trunks"]["carrier"].clone();
    tcp["kind"]["transport"] = json!("tcp");
    config["trunks"]["carrier-tcp"] = tcp;
    Ok(config)
}

/// REGISTER and MESSAGE are phones' business; all else, a trunk may ask too.
pub fn is_of_phones(bytes: &[u8]) -> bool {
    bytes.starts_with(b"REGISTER ") || bytes.starts_with(b"MESSAGE ")
}

/// What phones say, in the names that they have in this house. No length changes that anything depends on.
pub fn of_the_house(bytes: &[u8]) -> Vec<u8> {
    if !is_of_phones(bytes) {
        return bytes.to_vec();
    }
    PHONES.iter().fold(bytes.to_vec(), |bytes, (name, phone)| {
        replaced(&bytes, &format!("sip:{name}@{DOMAIN}"), &format!("sip:{phone}@{DOMAIN}"))
    })
}

fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let (mut rest, mut out) = (bytes, Vec::with_capacity(bytes.len()));
    while let Some(at) = rest.windows(from.len()).position(|window| window == from.as_bytes()) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(to.as_bytes());
        rest = &rest[at + from.len()..];
    }
    out.extend_from_slice(rest);
    out
}

fn ip(args: &[&str]) -> anyhow::Result<()> {
    let status = Command::new("ip").args(args).status().context("ip (iproute2)")?;
    ensure!(status.success(), "ip {}", args.join(" "));
    Ok(())
}

fn boxd(config: &Path, args: &[&str]) -> anyhow::Result<()> {
    let mut child = Command::new(ours("boxd")?)
        .args(args)
        .arg("--config")
        .arg(config)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A command that asks for nothing does not read it.
        let _ = std::io::Write::write_all(&mut stdin, format!("{PHONE_PASSWORD}\n").as_bytes());
    }
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "boxd {}: {}", args.join(" "), String::from_utf8_lossy(&output.stderr));
    Ok(())
}
