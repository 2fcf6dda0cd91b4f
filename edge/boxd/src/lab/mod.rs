//! The shell of the interop lab: its sockets, its clock, its key and its files. What is asked and what it means is
//! decided by the `lab` crate.

mod net;
pub mod night;
mod registrar;
mod sign;
mod table;

use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use lab::{
    diff::{Turn, diff},
    html,
    plan::{Account, Kind, Plan},
    report::{Report, Signed, VERSION},
    verdict::Mark,
};
use rand::Rng;
use sip::uri::{Host, Uri};

pub use sign::Trust;

use crate::config::BoxConfig;

/// What the integrator says on the command line.
pub struct Order {
    pub kind: Kind,
    /// A SIP URI, or the extension of a phone that is registered at this box.
    pub target: String,
    pub call: Option<String>,
    pub account: Option<Account>,
    pub from: Option<IpAddr>,
    /// The phone registers here; its address is then known by itself.
    pub listen: Option<SocketAddr>,
    pub tls_port: u16,
    pub answer_s: u64,
    pub keys_s: Option<u64>,
    pub only: Vec<String>,
    /// Where the two files are written.
    pub out: PathBuf,
    pub quiet: bool,
}

/// Tests, prints, writes `NAME.json` and `NAME.html`, and returns the report.
pub async fn run(config: &BoxConfig, order: Order) -> anyhow::Result<Report> {
    let known: Vec<&str> = lab::probes::all().map(|probe| probe.id).collect();
    if let Some(unknown) = order.only.iter().find(|id| !known.contains(&id.as_str())) {
        bail!("--only {unknown}: no such probe; there are: {}", known.join(", "));
    }
    let (mut sockets, target, address, registered) = match order.listen {
        Some(listen) => {
            ensure!(order.kind == Kind::Phone, "--listen is for phones, which register");
            let account = order.account.clone().context("--listen wants --user and --password-file")?;
            let mut sockets = net::Sockets::listen(listen).await?;
            println!("waiting for {} to register at udp:{listen} …", account.user);
            let found = sockets.registrar(account).await?;
            (sockets, found.contact, found.address, Some(found.seen))
        }
        None => {
            let (target, address) = target(config, &order)?;
            (net::Sockets::bind(address, order.from).await?, target, address, None)
        }
    };
    let mut seed = [0; 32];
    rand::rng().fill_bytes(&mut seed);
    let call = match (&order.call, order.kind) {
        (Some(text), _) if text.starts_with("sip:") || text.starts_with("sips:") => Some(uri(text)?),
        (Some(number), _) => {
            let host = target.host().cloned().context("the target has no host")?;
            Some(Uri::sip(Some(number), host, target.port()))
        }
        (None, Kind::Phone) => Some(target.clone()),
        (None, _) => None,
    };
    let plan = Plan {
        kind: order.kind,
        tls_address: SocketAddr::new(address.ip(), order.tls_port),
        call,
        // A phone that registers here has no account of ours.
        account: order.account.filter(|_| registered.is_none()),
        registered,
        caller: "branchline-lab".into(),
        local: sockets.local,
        rtp: sockets.rtp,
        second_rtp: sockets.second_rtp,
        answer: Duration::from_secs(order.answer_s.clamp(1, 300)),
        keys: order.keys_s.map(|seconds| Duration::from_secs(seconds.clamp(1, 300))),
        only: order.only,
        seed,
        target: target.clone(),
        address,
    };
    let began = jiff::Timestamp::now();
    let clock = Instant::now();
    let findings = net::drive(plan, &mut sockets, order.quiet).await?;
    let report = Report {
        version: VERSION,
        kind: order.kind,
        target: target.to_string(),
        product: findings.product,
        site: config.site.to_string(),
        software: env!("CARGO_PKG_VERSION").into(),
        began: began.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        took_s: clock.elapsed().as_secs(),
        outcomes: findings.outcomes,
    };
    let signed = sign::sign(config, report)?;
    let name = format!("{}-{}-{}", order.kind.word(), safe(&target.to_string()), began.strftime("%Y%m%dT%H%M%SZ"));
    std::fs::create_dir_all(&order.out).with_context(|| format!("{} cannot be made", order.out.display()))?;
    let (json, page) = (order.out.join(format!("{name}.json")), order.out.join(format!("{name}.html")));
    write(&json, &signed.write()?)?;
    write(&page, &html::page(&signed))?;
    table::print(&signed.report);
    println!("{}\n{}", json.display(), page.display());
    Ok(signed.report)
}

/// Reads a report and proves its signature.
pub fn verify(config: &BoxConfig, file: &Path, key: Option<&str>) -> anyhow::Result<(Report, Trust)> {
    let signed = read(file)?;
    let trust = sign::verify(config, &signed, key).with_context(|| format!("{}", file.display()))?;
    Ok((signed.report, trust))
}

/// Prints what changed between two reports of one device; true when something broke.
pub fn compare(config: &BoxConfig, old: &Path, new: &Path) -> anyhow::Result<bool> {
    let (before, after) = (verify(config, old, None)?.0, verify(config, new, None)?.0);
    ensure!(before.kind == after.kind, "one is of a {}, the other of a {}", before.kind.word(), after.kind.word());
    if before.target != after.target {
        println!("note: {} before, {} after", before.target, after.target);
    }
    let name = |report: &Report| report.product.clone().unwrap_or_else(|| "unnamed".into());
    println!("{} ({})\n{} ({})", name(&before), before.began, name(&after), after.began);
    let changes = diff(&before, &after);
    for change in &changes {
        let word = |outcome: &Option<lab::report::Outcome>| outcome.as_ref().map_or("–", |one| one.mark.word());
        let said = change.after.as_ref().or(change.before.as_ref()).map(|one| one.said.en.as_str()).unwrap_or_default();
        println!("{:?}: {}: {} → {}: {said}", change.turn, change.id, word(&change.before), word(&change.after));
    }
    if changes.is_empty() {
        println!("nothing changed");
    }
    Ok(changes.iter().any(|change| change.turn == Turn::Worse))
}

/// Whether a report is good enough for an exit code of 0.
pub fn is_good(report: &Report) -> bool {
    report.count(Mark::Fail) == 0
}

fn read(file: &Path) -> anyhow::Result<Signed> {
    let length = std::fs::metadata(file).with_context(|| format!("{} cannot be read", file.display()))?.len();
    ensure!(length <= lab::report::BYTES_MAX as u64, "{} is too long for a report", file.display());
    let bytes = std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    Signed::read(&bytes).with_context(|| format!("{}", file.display()))
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(file, text).with_context(|| format!("{} cannot be written", file.display()))
}

fn uri(text: &str) -> anyhow::Result<Uri> {
    let uri = Uri::parse(text).with_context(|| format!("{text} is no SIP URI, such as sip:192.0.2.1:5060"))?;
    ensure!(uri.as_sip().is_some(), "{text} is no SIP URI, such as sip:192.0.2.1:5060");
    Ok(uri)
}

/// The target and its address: a URI as written, or where a phone of this box is registered.
fn target(config: &BoxConfig, order: &Order) -> anyhow::Result<(Uri, SocketAddr)> {
    if !order.target.contains(':') {
        ensure!(order.kind == Kind::Phone, "{} is no SIP URI, such as sip:192.0.2.1:5060", order.target);
        return registered(config, &order.target);
    }
    let uri = uri(&order.target)?;
    let port = uri.port().unwrap_or(5060);
    let address = match uri.host() {
        Some(Host::Ip(ip)) => SocketAddr::new(*ip, port),
        Some(Host::Name(name)) => {
            use std::net::ToSocketAddrs;
            let found = (name.as_str(), port).to_socket_addrs().with_context(|| format!("{name} is not known"))?;
            found.into_iter().next().with_context(|| format!("{name} has no address"))?
        }
        None => bail!("{uri} has no host"),
    };
    Ok((uri, address))
}

fn registered(config: &BoxConfig, phone: &str) -> anyhow::Result<(Uri, SocketAddr)> {
    let ledger = crate::calls::open_ledger(config, config.keys.load_or_create()?)?;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_millis();
    let bindings = ledger.reader()?.bindings(model::Millis(i64::try_from(now)?))?;
    ledger.close();
    let found = bindings.into_iter().filter(|binding| binding.user == phone).max_by_key(|binding| binding.expires);
    let binding = found.with_context(|| {
        format!("phone {phone} is not registered over UDP at this box; give its address: sip:{phone}@192.0.2.9:5060")
    })?;
    let contact = uri(&binding.contact.to_string())?;
    let address = match contact.host() {
        Some(Host::Ip(ip)) => SocketAddr::new(*ip, contact.port().unwrap_or(5060)),
        _ => bail!("{contact} names no address"),
    };
    Ok((contact, address))
}

/// A file's name from what a person or a device wrote.
fn safe(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).take(80).collect()
}
