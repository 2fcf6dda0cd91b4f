//! `box.toml`: what an integrator writes on Friday evening. Parsed once into values that cannot be wrong; unknown keys
//! are refused, and all faults are reported together, each with its path.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};

use model::{SiteId, TrunkId};
use serde::Deserialize;
use sip::endpoint::{Network, Transport};

mod file;

use file::{File, FileCloud, FileKnownBy, FileLab, FileLabDevice, FileLanguage, FileProvision, FileTls, FileTlsTrunk};

/// The whole file, checked.
#[derive(Debug, Clone)]
pub struct BoxConfig {
    pub site: SiteId,
    /// Ledger, recordings, keys, identity.
    pub data: PathBuf,
    /// Unix sockets and the health file.
    pub run: PathBuf,
    pub prompts: PathBuf,
    pub sip: Sip,
    pub tls: Tls,
    /// DNS servers that are asked for trunks by name; empty: the system's.
    pub dns: Vec<SocketAddr>,
    pub rtp: Rtp,
    pub desk: SocketAddr,
    /// The desk is served over HTTPS: pages on other machines have a microphone nowhere else.
    pub desk_tls: bool,
    /// Phones fetch their configuration here; None: they are set up by hand.
    pub provision: Option<Provision>,
    /// What the interop lab tests each night.
    pub lab: Option<Lab>,
    /// Prometheus text of *calls*; *media* and *sync* answer on the next two ports.
    pub metrics: SocketAddr,
    pub cloud: Option<Cloud>,
    /// What `otad` remembers (`ota.json`): which slot and version run.
    pub firmware: Option<PathBuf>,
    pub log: LogFormat,
}

#[derive(Debug, Clone)]
pub struct Sip {
    pub domain: String,
    pub listen: Vec<(Transport, SocketAddr)>,
    /// Pages that may open a WebSocket, beside the desk: `https://phone.example`.
    pub origins: Vec<String>,
    /// Where the branch's own devices stand: from there, one that proves nothing may call for help.
    pub networks: Vec<Network>,
}

#[derive(Debug, Clone, Default)]
pub struct Tls {
    /// Certificate chain and key (PEM); None: the box makes its own.
    pub files: Option<(PathBuf, PathBuf)>,
    /// CAs (PEM) that trunks' certificates must come from; None: the system's.
    pub trunk_ca: Option<PathBuf>,
    pub trunks: BTreeMap<TrunkId, TlsTrunk>,
}

/// What a trunk's peer must prove beyond what its address says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsTrunk {
    /// The name its certificate must be for; None: its address.
    pub name: Option<String>,
    /// SHA-256 of its public key (SubjectPublicKeyInfo).
    pub pin: Option<[u8; 32]>,
    /// Who calls is this trunk when a certificate proves `name` and `pin`, from whatever address, and only then.
    pub by_certificate: bool,
}

#[derive(Debug, Clone)]
pub struct Provision {
    /// HTTPS, with the box's certificate.
    pub listen: SocketAddr,
    /// Whom phones ask for the time.
    pub time_server: String,
    /// Of phones' displays.
    pub language: provision::Language,
}

/// Devices that are tested each night. A phone under test is called some thirty times and answers by itself: name one
/// that stands where nobody sleeps.
#[derive(Debug, Clone)]
pub struct Lab {
    /// By the clock of this machine.
    pub at: jiff::civil::Time,
    pub devices: Vec<LabDevice>,
}

#[derive(Debug, Clone)]
pub struct LabDevice {
    /// Lower case, digits and `-`; its reports lie in `data/lab/NAME`.
    pub name: String,
    pub kind: ::lab::plan::Kind,
    /// As on the command line: a SIP URI, or the extension of a phone.
    pub target: String,
    pub call: Option<String>,
    /// Only these probes; empty for all.
    pub only: Vec<String>,
}

/// Devices in one night.
const LAB_DEVICES_MAX: usize = 50;

#[derive(Debug, Clone)]
pub struct Rtp {
    pub ip: IpAddr,
    pub ports: std::ops::RangeInclusive<u16>,
    /// Where the kernel offers it. False: epoll.
    pub io_uring: bool,
}

#[derive(Debug, Clone)]
pub struct Cloud {
    /// `host:port`, tried in turn.
    pub endpoints: Vec<String>,
    /// Length of a metrics interval in seconds, 60 to 3600.
    pub interval_s: u32,
    /// A figure about fewer callers than this folds into a coarser one (N-01).
    pub k_callers: u32,
    pub bundles: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

/// Everything that is wrong with the file, each with its path.
#[derive(Debug)]
pub struct Faults {
    pub file: PathBuf,
    pub faults: Vec<String>,
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} cannot be used; nothing was started:", self.file.display())?;
        for fault in &self.faults {
            writeln!(f, "  {fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

const NETWORKS_MAX: usize = 64;
const METRICS_DEFAULT: &str = "127.0.0.1:9180";

/// Reads and checks the file. Relative paths are relative to the file's folder.
pub fn load(file: &Path) -> Result<BoxConfig, Faults> {
    let fail = |fault: String| Faults { file: file.to_path_buf(), faults: vec![fault] };
    let text = std::fs::read_to_string(file).map_err(|error| fail(format!("cannot be read: {error}")))?;
    let parsed: File = toml::from_str(&text).map_err(|error| fail(error.to_string()))?;
    let base = file.parent().map(Path::to_path_buf).unwrap_or_default();
    check(parsed, &base).map_err(|faults| Faults { file: file.to_path_buf(), faults })
}

fn check(file: File, base: &Path) -> Result<BoxConfig, Vec<String>> {
    let mut faults = Faultfinder::default();
    let site = faults.take("site", SiteId::new(&file.site));
    let listen: Vec<_> = file
        .sip
        .listen
        .iter()
        .enumerate()
        .filter_map(|(at, text)| faults.take(&format!("sip.listen[{at}]"), sip_listen(text)))
        .collect();
    faults.need(!listen.is_empty(), "sip.listen", "name at least one address, such as \"udp:192.0.2.10:5060\"");
    faults.need(sip_domain(&file.sip.domain), "sip.domain", "a host name such as \"branch-a.example\"");
    let tls = check_tls(&mut faults, file.tls, base);
    let listens = listen.iter().any(|(transport, _)| *transport == Transport::Tls);
    let by_certificate = tls.trunks.values().any(|trunk| trunk.by_certificate);
    faults.need(
        listens || !by_certificate,
        "tls.trunks",
        "who is known by a certificate calls a tls: address of sip.listen",
    );
    for (at, origin) in file.sip.origins.iter().enumerate() {
        let fits = ["https://", "http://"].iter().any(|scheme| origin.strip_prefix(scheme).is_some_and(is_authority));
        faults.need(fits, &format!("sip.origins[{at}]"), "scheme, host and port alone: \"https://phone.example\"");
    }
    let networks = file.sip.networks.iter().enumerate();
    let networks: Vec<Network> =
        networks.filter_map(|(at, text)| faults.take(&format!("sip.networks[{at}]"), text.parse())).collect();
    faults.need(networks.len() <= NETWORKS_MAX, "sip.networks", "at most 64");
    let dns = file.dns.servers.iter().enumerate();
    let dns: Vec<_> =
        dns.filter_map(|(at, text)| faults.take(&format!("dns.servers[{at}]"), dns_server(text))).collect();
    faults.need(dns.len() <= 3, "dns.servers", "at most three");
    let ip = faults.take("rtp.ip", file.rtp.ip.parse::<IpAddr>());
    let [low, high] = file.rtp.ports;
    faults.need(low >= 1024 && low % 2 == 0, "rtp.ports[0]", "an even port from 1024 up");
    faults.need(high > low.saturating_add(3), "rtp.ports[1]", "at least four ports above the first");
    let desk = faults.take("desk.listen", socket(&file.desk.listen));
    let provision = file.provision.and_then(|provision| check_provision(&mut faults, provision));
    let lab = file.lab.and_then(|lab| check_lab(&mut faults, lab));
    let metrics_text = file.metrics.map_or(METRICS_DEFAULT.to_owned(), |metrics| metrics.listen);
    let metrics = faults.take("metrics.listen", socket(&metrics_text));
    let cloud = file.cloud.map(|cloud| check_cloud(&mut faults, cloud, base));
    faults.need(file.prompts.as_os_str().len() < 4096, "prompts", "a folder");
    let mut addresses = BTreeSet::new();
    for (transport, address) in &listen {
        faults.need(addresses.insert((*transport, *address)), "sip.listen", "the same address is listed twice");
    }
    match (site, ip, desk, metrics) {
        (Some(site), Some(ip), Some(desk), Some(metrics)) if faults.0.is_empty() => Ok(BoxConfig {
            site,
            data: base.join(file.data),
            run: base.join(file.run),
            prompts: base.join(file.prompts),
            sip: Sip { domain: file.sip.domain, listen, origins: file.sip.origins, networks },
            tls,
            dns,
            rtp: Rtp { ip, ports: low..=high, io_uring: file.rtp.io_uring },
            desk,
            desk_tls: file.desk.tls,
            provision,
            lab,
            metrics,
            cloud,
            firmware: file.firmware.map(|firmware| base.join(firmware.state)),
            log: file.log.format,
        }),
        _ => Err(faults.0),
    }
}

fn is_authority(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:[]".contains(&b))
}

fn check_tls(faults: &mut Faultfinder, tls: FileTls, base: &Path) -> Tls {
    let both = tls.certificate.is_some() == tls.key.is_some();
    faults.need(both, "tls", "certificate and key go together");
    let mut trunks = BTreeMap::new();
    for (id, FileTlsTrunk { name, pin, known_by }) in tls.trunks {
        let path = format!("tls.trunks.{id}");
        let bytes = pin.as_ref().map(|pin| hex::decode(pin).ok().and_then(|pin| <[u8; 32]>::try_from(pin).ok()));
        faults.need(
            bytes != Some(None),
            &format!("{path}.pin"),
            "64 hexadecimal digits: the SHA-256 of the public key",
        );
        faults.need(name.as_deref().is_none_or(sip_domain), &format!("{path}.name"), "a host name");
        let by_certificate = known_by == FileKnownBy::Certificate;
        let says_which = name.is_some() || pin.is_some();
        faults.need(says_which || !by_certificate, &format!("{path}.known_by"), "name or pin say which certificate");
        if let Some(id) = faults.take(&path, TrunkId::new(&id)) {
            trunks.insert(id, TlsTrunk { name, pin: bytes.flatten(), by_certificate });
        }
    }
    let files = tls.certificate.zip(tls.key).map(|(certificate, key)| (base.join(certificate), base.join(key)));
    Tls { files, trunk_ca: tls.trunk_ca.map(|file| base.join(file)), trunks }
}

fn check_lab(faults: &mut Faultfinder, file: FileLab) -> Option<Lab> {
    faults.need(file.devices.len() <= LAB_DEVICES_MAX, "lab.devices", "at most 50");
    let mut names = BTreeSet::new();
    for (at, device) in file.devices.iter().enumerate() {
        // A folder's name, by the rule of all names.
        faults.take(&format!("lab.devices[{at}].name"), SiteId::new(&device.name));
        faults.need(names.insert(device.name.clone()), &format!("lab.devices[{at}].name"), "each name once");
        for id in &device.only {
            let known = ::lab::probes::all().any(|probe| probe.id == id);
            faults.need(known, &format!("lab.devices[{at}].only"), "probes as `boxd lab list` names them");
        }
    }
    let at = faults.take("lab.at", file.at.parse::<jiff::civil::Time>())?;
    let device = |FileLabDevice { name, kind, target, call, only }| LabDevice { name, kind, target, call, only };
    Some(Lab { at, devices: file.devices.into_iter().map(device).collect() })
}

fn check_provision(faults: &mut Faultfinder, file: FileProvision) -> Option<Provision> {
    faults.need(sip_domain(&file.time_server), "provision.time_server", "an address or a host name");
    let listen = faults.take("provision.listen", socket(&file.listen))?;
    let named = "name the address itself: phones are told it";
    faults.need(!listen.ip().is_unspecified(), "provision.listen", named);
    let language = match file.language {
        FileLanguage::English => provision::Language::English,
        FileLanguage::Chinese => provision::Language::Chinese,
    };
    Some(Provision { listen, time_server: file.time_server, language })
}

fn check_cloud(faults: &mut Faultfinder, cloud: FileCloud, base: &Path) -> Cloud {
    faults.need(!cloud.endpoints.is_empty(), "cloud.endpoints", "name at least one, such as \"cloud.example:4433\"");
    for (at, endpoint) in cloud.endpoints.iter().enumerate() {
        let fits =
            endpoint.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
        faults.need(fits, &format!("cloud.endpoints[{at}]"), "host:port, such as \"cloud.example:4433\"");
    }
    faults.need((60..=3600).contains(&cloud.interval_s), "cloud.interval_s", "60 to 3600 seconds");
    faults.need((1..=1000).contains(&cloud.k_callers), "cloud.k_callers", "1 to 1000");
    Cloud {
        endpoints: cloud.endpoints,
        interval_s: cloud.interval_s,
        k_callers: cloud.k_callers,
        bundles: base.join(cloud.bundles.unwrap_or_else(|| "bundles".into())),
    }
}

#[derive(Default)]
struct Faultfinder(Vec<String>);

impl Faultfinder {
    fn take<T, E: fmt::Display>(&mut self, path: &str, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.0.push(format!("{path}: {error}"))).ok()
    }

    fn need(&mut self, fits: bool, path: &str, want: &str) {
        if !fits {
            self.0.push(format!("{path}: {want}"));
        }
    }
}

fn socket(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("{text:?} is not ip:port, such as \"192.0.2.10:8080\""))
}

/// An address, or address and port.
fn dns_server(text: &str) -> Result<SocketAddr, String> {
    let alone = || text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 53));
    text.parse().or_else(|_| alone()).map_err(|_| format!("{text:?} is no address, such as \"192.0.2.53\""))
}

fn sip_listen(text: &str) -> Result<(Transport, SocketAddr), String> {
    let (transport, address) = match text.split_once(':') {
        Some(("udp", address)) => (Transport::Udp, address),
        Some(("tcp", address)) => (Transport::Tcp, address),
        Some(("tls", address)) => (Transport::Tls, address),
        Some(("ws", address)) => (Transport::Ws, address),
        Some(("wss", address)) => (Transport::Wss, address),
        _ => return Err(format!("{text:?} is not udp:, tcp:, tls:, ws: or wss:ip:port")),
    };
    let address = socket(address)?;
    if address.ip().is_unspecified() {
        return Err("name the address itself: what is written in SDP and Via must be reachable".into());
    }
    Ok((transport, address))
}

fn sip_domain(text: &str) -> bool {
    (1..=253).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
}

impl BoxConfig {
    pub fn ledger_file(&self) -> PathBuf {
        self.data.join("ledger.db")
    }

    pub fn key_file(&self) -> PathBuf {
        self.data.join("branch.key")
    }

    /// Signs the lab's reports on a box that is not enrolled.
    pub fn lab_key(&self) -> PathBuf {
        self.data.join("lab.key")
    }

    pub fn recordings(&self) -> PathBuf {
        self.data.join("recordings")
    }

    pub fn identity(&self) -> PathBuf {
        self.data.join("identity")
    }

    pub fn media_socket(&self) -> PathBuf {
        self.run.join("media.sock")
    }

    pub fn sync_socket(&self) -> PathBuf {
        self.run.join("sync.sock")
    }

    pub fn health_file(&self) -> PathBuf {
        self.run.join("health.json")
    }

    /// The metrics address of the n-th process: calls 0, media 1, sync 2.
    pub fn metrics_of(&self, process: u16) -> SocketAddr {
        let mut address = self.metrics;
        address.set_port(address.port().saturating_add(process));
        address
    }
}

#[cfg(test)]
mod tests {
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
    fn tls_is_asked_for_by_listeners_and_told_by_a_section() {
        let pin = "ab".repeat(32);
        let tls =
            format!("[tls]\ntrunk_ca = \"ca.pem\"\n[tls.trunks.carrier]\nname = \"sip.example\"\npin = \"{pin}\"\n");
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
    fn an_unknown_key_is_refused_by_name() {
        let faults = check_text(&GOOD.replace("domain =", "domian =")).expect_err("misspelt");
        assert!(faults[0].contains("domian"), "{faults:?}");
    }
}
