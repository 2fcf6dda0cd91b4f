//! Grandstream GXP and GRP: `cfgMAC.xml`, numbered values.

use crate::{
    Codec, Language, Mac, Settings, Srtp, Transport,
    escape::{xml, xml_lines},
};

pub fn file(mac: Mac, settings: &Settings) -> String {
    let mut out = vec![
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>".to_owned(),
        "<gs_provision version=\"1\">".to_owned(),
        format!("  <mac>{mac}</mac>"),
        "  <config version=\"1\">".to_owned(),
    ];
    let mut put = |number: &str, text: &str| out.push(format!("    <P{number}>{}</P{number}>", xml(text)));
    account(settings, &mut put);
    put("30", &settings.time_server);
    // Time zone: customised, then as POSIX has it.
    put("64", "customize");
    put("246", &settings.clock.posix());
    let language = match settings.language {
        Language::English => "en",
        Language::Chinese => "zh",
    };
    put("1362", language);
    put("1347", &settings.pickup);
    put("6752", "1");
    for (at, lamp) in settings.lamps() {
        key(at, lamp, &mut put);
    }
    put("290", &dial_plan(settings));
    put("2", &settings.web_password);
    // Fetched over HTTPS, without the scheme here; asked for at each start; DHCP does not send it elsewhere; the box's
    // certificate is checked.
    put("212", "2");
    put("237", settings.url.strip_prefix("https://").unwrap_or(&settings.url).trim_end_matches('/'));
    put("145", "0");
    put("194", "0");
    put("238", "0");
    if let Some(ca) = &settings.ca {
        out.push(format!("    <P8433>{}</P8433>", xml_lines(&ca.pem)));
        out.push("    <P8463>1</P8463>".to_owned());
    }
    out.push("  </config>".to_owned());
    out.push("</gs_provision>".to_owned());
    out.push(String::new());
    out.join("\n")
}

fn account(settings: &Settings, put: &mut impl FnMut(&str, &str)) {
    put("271", "1");
    put("270", &settings.label);
    put("3", &settings.label);
    put("35", &settings.extension);
    put("36", &settings.extension);
    put("34", &settings.password);
    let server = match settings.server.contains(':') {
        true => format!("[{}]:{}", settings.server, settings.port),
        false => format!("{}:{}", settings.server, settings.port),
    };
    put("47", &server);
    let transport = match settings.transport {
        Transport::Udp => "0",
        Transport::Tcp => "1",
        Transport::Tls => "2",
    };
    put("130", transport);
    // Addresses of record are `sip:` over TLS too.
    put("2329", "0");
    // Minutes between registrations.
    put("32", "60");
    let srtp = match settings.srtp {
        Srtp::Off => "0",
        Srtp::Offered => "1",
        Srtp::Required => "2",
    };
    put("183", srtp);
    // Eight choices: ours in order, the last of them again for the rest.
    let mut payload = "0";
    for (at, choice) in ["57", "58", "59", "60", "61", "62", "46", "98"].into_iter().enumerate() {
        payload = match settings.codecs.get(at) {
            Some(Codec::G711A) => "8",
            Some(Codec::G711U) => "0",
            None => payload,
        };
        put(choice, payload);
    }
}

/// Mode, account, name, user, each in a range of numbers of its own. Line keys first (2 to 6; 11 is a busy lamp), as
/// GRP has them; the separate keys of GXP (1 is a busy lamp) show the same.
fn key(at: usize, lamp: &crate::Lamp, put: &mut impl FnMut(&str, &str)) {
    let mut one = |base: usize, step: usize, text: &str| {
        put(&base.saturating_add(at.saturating_mul(step)).to_string(), text);
    };
    if at < 5 {
        one(1365, 2, "11");
        one(1366, 2, "0");
        one(1467, 2, &lamp.label);
        one(1468, 2, &lamp.extension);
    }
    if at < 7 {
        one(323, 1, "1");
        one(301, 3, "0");
        one(302, 3, &lamp.label);
        one(303, 3, &lamp.extension);
    }
}

/// An emergency number stands for itself and is sent with its last digit.
fn dial_plan(settings: &Settings) -> String {
    let own: String = settings.emergency().map(|number| format!("{number} | ")).collect();
    format!("{{ {own}x+ | *x+ | *xx*x+ }}")
}
