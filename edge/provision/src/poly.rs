//! Poly (Polycom), UC Software 5 and later: `MAC.cfg` names the file that is read, and leaves the firmware alone; that
//! file holds parameters as attributes, of elements whose names do not matter.

use crate::{
    Codec, Language, Settings, Srtp, Transport,
    clock::{Summer, Turn},
    escape::{xml, xml_lines},
};

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";

/// The phone puts its own address into the name, so that one file serves every phone.
pub fn index() -> String {
    format!(
        "{DECLARATION}<APPLICATION APP_FILE_PATH=\"\" CONFIG_FILES=\"[PHONE_MAC_ADDRESS]-branchline.cfg\" MISC_FILES=\"\" \
         LOG_FILE_DIRECTORY=\"\" OVERRIDES_DIRECTORY=\"\" CONTACTS_DIRECTORY=\"\" LICENSE_DIRECTORY=\"\"/>\n"
    )
}

pub fn file(settings: &Settings) -> String {
    let mut out = format!("{DECLARATION}<polycomConfig>\n");
    section(&mut out, "account", account(settings));
    section(&mut out, "lamps", lamps(settings));
    section(&mut out, "clock", clock(settings));
    let numbers: Vec<&str> = settings.emergency().collect();
    let mut dialling = vec![
        ("dialplan.impossibleMatchHandling".into(), "2".to_owned()),
        ("dialplan.digitmap".into(), format!("{}[x*#].T", numbers.iter().map(|n| format!("{n}|")).collect::<String>())),
    ];
    for (at, number) in numbers.iter().enumerate() {
        dialling.push((format!("dialplan.routing.emergency.{}.value", at.saturating_add(1)), (*number).to_owned()));
    }
    section(&mut out, "dialling", dialling);
    device(&mut out, settings);
    out.push_str("</polycomConfig>\n");
    out
}

type Parameters = Vec<(String, String)>;

fn section(out: &mut String, name: &str, parameters: Parameters) {
    out.push_str(&format!("  <{name}"));
    for (key, value) in parameters {
        out.push_str(&format!("\n    {key}=\"{}\"", xml(&value)));
    }
    out.push_str("/>\n");
}

fn account(settings: &Settings) -> Parameters {
    let transport = match settings.transport {
        Transport::Udp => "UDPOnly",
        Transport::Tcp => "TCPOnly",
        Transport::Tls => "TLS",
    };
    let flag = |is: bool| if is { "1" } else { "0" };
    let rank = |codec| settings.codecs.iter().position(|one| *one == codec).map_or(0, |at| at.saturating_add(1));
    let language = match settings.language {
        Language::English => "English_United_States",
        Language::Chinese => "Chinese_China",
    };
    [
        ("reg.1.address", settings.extension.clone()),
        ("reg.1.auth.userId", settings.extension.clone()),
        ("reg.1.auth.password", settings.password.clone()),
        ("reg.1.displayName", settings.label.clone()),
        ("reg.1.label", settings.label.clone()),
        ("reg.1.server.1.address", settings.server.clone()),
        ("reg.1.server.1.port", settings.port.to_string()),
        ("reg.1.server.1.transport", transport.to_owned()),
        ("reg.1.server.1.expires", "3600".to_owned()),
        ("sec.srtp.enable", flag(settings.srtp != Srtp::Off).to_owned()),
        ("sec.srtp.offer", flag(settings.srtp != Srtp::Off).to_owned()),
        ("sec.srtp.require", flag(settings.srtp == Srtp::Required).to_owned()),
        ("voice.codecPref.G711_A", rank(Codec::G711A).to_string()),
        ("voice.codecPref.G711_Mu", rank(Codec::G711U).to_string()),
        ("voice.codecPref.G722", "0".to_owned()),
        ("voice.codecPref.G729_AB", "0".to_owned()),
        ("lcl.ml.lang", language.to_owned()),
        ("call.directedCallPickupMethod", "legacy".to_owned()),
        ("call.directedCallPickupString", settings.pickup.clone()),
        ("voIpProt.SIP.specialEvent.checkSync.alwaysReboot", "0".to_owned()),
        ("prov.polling.enabled", "0".to_owned()),
        ("upgrade.custom.server.url", String::new()),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into()
}

fn lamps(settings: &Settings) -> Parameters {
    let mut parameters = Vec::new();
    for (at, lamp) in settings.lamps() {
        let key = format!("attendant.resourceList.{}", at.saturating_add(1));
        parameters.push((format!("{key}.address"), lamp.extension.clone()));
        parameters.push((format!("{key}.label"), lamp.label.clone()));
        parameters.push((format!("{key}.type"), "normal".to_owned()));
    }
    parameters
}

fn clock(settings: &Settings) -> Parameters {
    let mut parameters = vec![
        ("tcpIpApp.sntp.address".to_owned(), settings.time_server.clone()),
        ("tcpIpApp.sntp.gmtOffset".to_owned(), settings.clock.seconds().to_string()),
        ("tcpIpApp.sntp.gmtOffset.overrideDHCP".to_owned(), "1".to_owned()),
        ("tcpIpApp.sntp.daylightSavings.enable".to_owned(), u8::from(settings.clock.summer.is_some()).to_string()),
    ];
    let Some(Summer { begins, ends, .. }) = settings.clock.summer else { return parameters };
    parameters.push(("tcpIpApp.sntp.daylightSavings.fixedDayEnable".to_owned(), "0".to_owned()));
    for (name, Turn { month, week, weekday, hour }) in [("start", begins), ("stop", ends)] {
        let key = format!("tcpIpApp.sntp.daylightSavings.{name}");
        // The first day of the month on which it may fall: 1, 8, 15 or 22.
        let first = week.clamp(1, 4).saturating_sub(1).saturating_mul(7).saturating_add(1);
        // 1 is Sunday there.
        let weekday = weekday % 7 + 1;
        parameters.push((format!("{key}.month"), month.to_string()));
        parameters.push((format!("{key}.date"), first.to_string()));
        parameters.push((format!("{key}.dayOfWeek"), weekday.to_string()));
        parameters.push((format!("{key}.dayOfWeek.lastInMonth"), u8::from(week == 5).to_string()));
        parameters.push((format!("{key}.time"), hour.to_string()));
    }
    parameters
}

/// What is written beneath the parameters, each beside a flag that says it is meant.
fn device(out: &mut String, settings: &Settings) {
    let server = settings.url.strip_prefix("https://").unwrap_or(&settings.url).trim_end_matches('/');
    let mut parameters = vec![
        ("device.auth.localAdminPassword", xml(&settings.web_password)),
        ("device.prov.serverType", "HTTPS".to_owned()),
        ("device.prov.serverName", xml(server)),
        ("device.dhcp.bootSrvUseOpt", "Static".to_owned()),
    ];
    if let Some(ca) = &settings.ca {
        parameters.push(("device.sec.TLS.customCaCert1", xml_lines(&ca.pem)));
    }
    out.push_str("  <device device.set=\"1\"");
    for (key, value) in parameters {
        out.push_str(&format!("\n    {key}.set=\"1\" {key}=\"{value}\""));
    }
    out.push_str("/>\n");
}
