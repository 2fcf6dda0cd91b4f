//! Yealink, firmware of V84 and later: `MAC.cfg`, `key = value` below a line that names the format.

use crate::{
    Codec, Language, Settings, Srtp, Transport,
    clock::{Summer, Turn},
    escape::yealink as value,
};

/// The first line; a file without it is not read.
const FORMAT: &str = "#!version:1.0.0.1";

pub fn file(settings: &Settings) -> String {
    let mut out = vec![FORMAT.to_owned()];
    let mut put = |key: &str, text: &str| out.push(format!("{key} = {}", value(text)));
    account(settings, &mut put);
    put("local_time.ntp_server1", &settings.time_server);
    time(settings, &mut put);
    let language = match settings.language {
        Language::English => "English",
        Language::Chinese => "Chinese_S",
    };
    put("lang.gui", language);
    put("lang.wui", language);
    put("features.pickup.direct_pickup_enable", "1");
    put("features.pickup.direct_pickup_code", &settings.pickup);
    for (at, lamp) in settings.lamps() {
        // The first key is the line itself; 16 is a busy lamp.
        let key = at.saturating_add(2);
        put(&format!("linekey.{key}.type"), "16");
        put(&format!("linekey.{key}.line"), "1");
        put(&format!("linekey.{key}.value"), &lamp.extension);
        put(&format!("linekey.{key}.label"), &lamp.label);
    }
    emergency(settings, &mut put);
    put("static.security.user_password", &format!("admin:{}", settings.web_password));
    if let Some(ca) = &settings.ca {
        put("static.trusted_certificates.url", &ca.pem_url);
        put("static.security.trust_certificates", "1");
        // Only what was loaded, not the makers' own list.
        put("static.security.ca_cert", "1");
    }
    // Fetched again at each start and when told to; neither DHCP nor a neighbour sends it elsewhere.
    put("static.auto_provision.server.url", &settings.url);
    put("static.auto_provision.power_on", "1");
    put("static.auto_provision.repeat.enable", "0");
    put("static.auto_provision.weekly.enable", "0");
    put("static.auto_provision.dhcp_option.enable", "0");
    put("static.auto_provision.pnp_enable", "0");
    put("sip.notify_reboot_enable", "0");
    out.push(String::new());
    out.join("\n")
}

fn account(settings: &Settings, put: &mut impl FnMut(&str, &str)) {
    put("account.1.enable", "1");
    put("account.1.label", &settings.label);
    put("account.1.display_name", &settings.label);
    put("account.1.user_name", &settings.extension);
    put("account.1.auth_name", &settings.extension);
    put("account.1.password", &settings.password);
    put("account.1.sip_server.1.address", &settings.server);
    put("account.1.sip_server.1.port", &settings.port.to_string());
    let transport = match settings.transport {
        Transport::Udp => "0",
        Transport::Tcp => "1",
        Transport::Tls => "2",
    };
    put("account.1.sip_server.1.transport_type", transport);
    put("account.1.sip_server.1.expires", "3600");
    let srtp = match settings.srtp {
        Srtp::Off => "0",
        Srtp::Offered => "1",
        Srtp::Required => "2",
    };
    put("account.1.srtp_encryption", srtp);
    for (codec, name) in [(Codec::G711U, "pcmu"), (Codec::G711A, "pcma")] {
        let at = settings.codecs.iter().position(|one| *one == codec);
        put(&format!("account.1.codec.{name}.enable"), if at.is_some() { "1" } else { "0" });
        if let Some(at) = at {
            put(&format!("account.1.codec.{name}.priority"), &at.saturating_add(1).to_string());
        }
    }
    for name in ["g722", "g729", "g726_32", "ilbc", "opus"] {
        put(&format!("account.1.codec.{name}.enable"), "0");
    }
    put("account.1.dtmf.type", "1");
}

fn time(settings: &Settings, put: &mut impl FnMut(&str, &str)) {
    put("local_time.time_zone", &settings.clock.hours());
    let Some(Summer { saving_min, begins, ends }) = settings.clock.summer else {
        return put("local_time.summer_time", "0");
    };
    // Month, week (5 is the last), weekday (1 is Monday), hour.
    let turn = |turn: Turn| format!("{}/{}/{}/{}", turn.month, turn.week, turn.weekday, turn.hour);
    put("local_time.summer_time", "1");
    put("local_time.dst_time_type", "1");
    put("local_time.start_time", &turn(begins));
    put("local_time.end_time", &turn(ends));
    put("local_time.offset_time", &saving_min.to_string());
}

/// A digit map sends an emergency number with its last digit; anything else waits as usual.
fn emergency(settings: &Settings, put: &mut impl FnMut(&str, &str)) {
    let numbers: Vec<&str> = settings.emergency().collect();
    if numbers.is_empty() {
        return;
    }
    put("dialplan.digitmap.enable", "1");
    put("dialplan.digitmap.string", &format!("{}|[x*#].T", numbers.join("|")));
    // Also with the keypad locked.
    put("phone_setting.emergency.number", &numbers.join(","));
}
