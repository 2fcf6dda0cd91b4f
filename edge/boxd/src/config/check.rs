//! From the file as it is written to values that cannot be wrong, with every fault by its path.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
};

use link::endpoint::{Proxy, Web};
use model::{SiteId, TrunkId};
use sip::endpoint::{Network, Transport};

use super::file::{
    File, FileAllowed, FileCloud, FileKey, FileKnownBy, FileLab, FileLabDevice, FileLanguage, FileLookUp,
    FileProvision, FileTls, FileTlsTrunk, FileWitness,
};
use super::siprec;
use super::{Allowed, BoxConfig, Cloud, Lab, LabDevice, Provision, Rtp, Sink, Sip, Tls, TlsTrunk};
use crate::keys::{Keys, Plain, Tpm, Vault};

/// Devices in one night.
const LAB_DEVICES_MAX: usize = 50;
/// Addresses that flows may ask.
const LOOK_UP_MAX: usize = 32;
const NETWORKS_MAX: usize = 64;
const METRICS_DEFAULT: &str = "127.0.0.1:9180";

pub(super) fn check(file: File, base: &Path) -> Result<BoxConfig, Vec<String>> {
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
    let siprec = siprec::check(&mut faults, file.siprec, base);
    let look_up = check_look_up(&mut faults, &file.look_up);
    let metrics_text = file.metrics.map_or(METRICS_DEFAULT.to_owned(), |metrics| metrics.listen);
    let metrics = faults.take("metrics.listen", socket(&metrics_text));
    let cloud = file.cloud.map(|cloud| check_cloud(&mut faults, cloud, base));
    let witness = check_witness(&mut faults, file.witness, base);
    let vault = check_key(&mut faults, file.key, base);
    let data = base.join(file.data);
    faults.need(file.prompts.as_os_str().len() < 4096, "prompts", "a folder");
    let mut addresses = BTreeSet::new();
    for (transport, address) in &listen {
        faults.need(addresses.insert((*transport, *address)), "sip.listen", "the same address is listed twice");
    }
    match (site, ip, desk, metrics) {
        (Some(site), Some(ip), Some(desk), Some(metrics)) if faults.0.is_empty() => Ok(BoxConfig {
            site,
            keys: Keys::new(data.join("branch.key"), vault),
            data,
            run: base.join(file.run),
            prompts: base.join(file.prompts),
            speech: file.speech.map(|speech| program(base, speech.program)),
            sip: Sip { domain: file.sip.domain, listen, origins: file.sip.origins, networks },
            tls,
            dns,
            rtp: Rtp { ip, ports: low..=high, io_uring: file.rtp.io_uring, level: file.rtp.level },
            desk,
            desk_tls: file.desk.tls,
            provision,
            lab,
            siprec,
            look_up,
            metrics,
            cloud,
            witness,
            firmware: file.firmware.map(|firmware| base.join(firmware.state)),
            log: file.log.format,
        }),
        _ => Err(faults.0),
    }
}

fn check_key(faults: &mut Faultfinder, key: FileKey, base: &Path) -> Arc<dyn Vault> {
    match key {
        FileKey::File {} => Arc::new(Plain),
        FileKey::Tpm { device, pcrs, program: named } => {
            let registers = pcrs.is_empty() || pcrs.split('+').all(|pcr| pcr.parse::<u8>().is_ok_and(|pcr| pcr < 24));
            faults.need(registers, "key.pcrs", "registers from 0 to 23, such as \"7\" or \"0+7\", or \"\" for none");
            let named_well = !device.is_empty() && device.bytes().all(|b| b.is_ascii_graphic());
            faults.need(named_well, "key.device", "\"auto\", or a device such as \"/dev/tpmrm0\"");
            Arc::new(Tpm { program: program(base, named), device, pcrs })
        }
    }
}

/// A name alone is looked for where the system's programs are.
fn program(base: &Path, named: PathBuf) -> PathBuf {
    if named.components().count() > 1 { base.join(named) } else { named }
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

fn check_look_up(faults: &mut Faultfinder, file: &FileLookUp) -> Vec<Allowed> {
    faults.need(file.allow.len() <= LOOK_UP_MAX, "look_up.allow", "at most 32");
    let allowed = file.allow.iter().enumerate().filter_map(|(at, FileAllowed { network, port })| {
        let network = faults.take(&format!("look_up.allow[{at}].network"), network.parse())?;
        faults.need(*port != 0, &format!("look_up.allow[{at}].port"), "a port from 1 up");
        Some(Allowed { network, port: *port })
    });
    allowed.collect()
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

fn check_witness(faults: &mut Faultfinder, witness: FileWitness, base: &Path) -> Vec<Sink> {
    let file = witness.file.map(|file| Sink::File(base.join(file)));
    let parse = |text: String| {
        let (transport, at) = text.split_once(':')?;
        let at = at.parse().ok()?;
        match transport {
            "udp" => Some(Sink::Datagram(at)),
            "tcp" => Some(Sink::Stream(at)),
            _ => None,
        }
    };
    let syslog = witness.syslog.and_then(|text| {
        let sink = parse(text);
        faults.need(sink.is_some(), "witness.syslog", "such as \"tcp:192.0.2.9:601\" or \"udp:192.0.2.9:514\"");
        sink
    });
    file.into_iter().chain(syslog).collect()
}

fn check_cloud(faults: &mut Faultfinder, cloud: FileCloud, base: &Path) -> Cloud {
    faults.need(!cloud.endpoints.is_empty(), "cloud.endpoints", "name at least one, such as \"cloud.example:4433\"");
    for (at, endpoint) in cloud.endpoints.iter().enumerate() {
        let fits =
            endpoint.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
        faults.need(fits, &format!("cloud.endpoints[{at}]"), "host:port, such as \"cloud.example:4433\"");
    }
    let proxy = check_proxy(faults, cloud.proxy, cloud.proxy_credentials.map(|file| base.join(file)));
    let urls = cloud.web.iter().enumerate();
    let web: Vec<_> = urls.filter_map(|(at, url)| faults.take(&format!("cloud.web[{at}]"), url.parse())).collect();
    faults.need((60..=3600).contains(&cloud.interval_s), "cloud.interval_s", "60 to 3600 seconds");
    faults.need((1..=1000).contains(&cloud.k_callers), "cloud.k_callers", "1 to 1000");
    Cloud {
        endpoints: cloud.endpoints,
        web: web.into_iter().map(|url| Web { url, proxy: proxy.clone() }).collect(),
        interval_s: cloud.interval_s,
        k_callers: cloud.k_callers,
        bundles: base.join(cloud.bundles.unwrap_or_else(|| "bundles".into())),
    }
}

/// `host:port` of an HTTP proxy, and a file that holds `name:password` if it asks for one.
fn check_proxy(faults: &mut Faultfinder, address: Option<String>, credentials: Option<PathBuf>) -> Option<Proxy> {
    faults.need(address.is_some() || credentials.is_none(), "cloud.proxy_credentials", "goes with cloud.proxy");
    let address = address?;
    let fits = address.rsplit_once(':').is_some_and(|(host, port)| is_authority(host) && port.parse::<u16>().is_ok());
    faults.need(fits, "cloud.proxy", "host:port, such as \"proxy.example:3128\"");
    let read = |file: &PathBuf| {
        let text =
            std::fs::read_to_string(file).map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
        let text = text.trim();
        let fits = text.contains(':') && text.len() <= 512 && !text.chars().any(char::is_control);
        if fits { Ok(text.to_owned()) } else { Err(format!("{} does not hold name:password", file.display())) }
    };
    let credentials = credentials.as_ref().map(read).and_then(|read| faults.take("cloud.proxy_credentials", read));
    Some(Proxy { address, credentials })
}

#[derive(Default)]
pub(super) struct Faultfinder(Vec<String>);

impl Faultfinder {
    pub fn take<T, E: fmt::Display>(&mut self, path: &str, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.0.push(format!("{path}: {error}"))).ok()
    }

    pub fn need(&mut self, fits: bool, path: &str, want: &str) {
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

pub(super) fn sip_listen(text: &str) -> Result<(Transport, SocketAddr), String> {
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
