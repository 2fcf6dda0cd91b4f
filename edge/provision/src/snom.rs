//! Snom, firmware 8.7.5 and later: `snomMODEL-MAC.htm`, which is XML.

use crate::{
    Codec, Language, Settings, Srtp, Transport,
    clock::{Summer, Turn},
    escape::xml,
};

pub fn file(settings: &Settings) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<settings>\n  <phone-settings e=\"2\">\n");
    let mut put = |key: &str, text: &str| {
        let (name, line) = key.split_once(' ').unwrap_or((key, ""));
        let line = if line.is_empty() { String::new() } else { format!(" idx=\"{line}\"") };
        out.push_str(&format!("    <{name}{line} perm=\"\">{}</{name}>\n", xml(text)));
    };
    account(settings, &mut put);
    put("ntp_server", &settings.time_server);
    put("timezone", "");
    put("utc_offset", &settings.clock.seconds().to_string());
    put("dst", &summer(settings));
    if settings.language == Language::English {
        put("language", "English");
        put("web_language", "English");
    }
    let numbers: Vec<&str> = settings.emergency().collect();
    if !numbers.is_empty() {
        // A rule: what was dialled, where it goes; `d` sends it with its last digit.
        put("user_dp_str 1", &format!("!^({})$!sip:\\1@\\d!d", numbers.join("|")));
        put("keyboard_lock_emergency", &numbers.join(" "));
    }
    put("http_user", "admin");
    put("http_pass", &settings.web_password);
    put("admin_mode_password", &settings.web_password);
    // Settings alone: the firmware is its owner's. Neither DHCP nor a neighbour sends it elsewhere.
    put("update_policy", "settings_only");
    put("setting_server", &settings.url);
    put("settings_refresh_timer", "0");
    put("dhcp_options_in_use", "no");
    put("pnp_config", "off");
    if settings.ca.is_some() {
        put("tls_server_authentication", "on");
    }
    out.push_str("  </phone-settings>\n");
    keys(&mut out, settings);
    if let Some(ca) = &settings.ca {
        out.push_str(&format!(
            "  <certificates>\n    <certificate url=\"{}\"/>\n  </certificates>\n",
            xml(&ca.der_url)
        ));
    }
    out.push_str("</settings>\n");
    out
}

fn account(settings: &Settings, put: &mut impl FnMut(&str, &str)) {
    let host = if settings.server.contains(':') { format!("[{}]", settings.server) } else { settings.server.clone() };
    put("user_active 1", "on");
    put("user_realname 1", &settings.label);
    put("user_idle_text 1", &settings.label);
    put("user_name 1", &settings.extension);
    put("user_pname 1", &settings.extension);
    put("user_pass 1", &settings.password);
    put("user_host 1", &host);
    let transport = match settings.transport {
        Transport::Udp => "udp",
        Transport::Tcp => "tcp",
        Transport::Tls => "tls",
    };
    put("user_outbound 1", &format!("sip:{host}:{};transport={transport}", settings.port));
    put("user_expiry 1", "3600");
    put("user_srtp 1", if settings.srtp == Srtp::Off { "off" } else { "on" });
    put("user_savp 1", if settings.srtp == Srtp::Required { "mandatory" } else { "optional" });
    // SHA-1 tags of 80 bits, the first of RFC 4568 §6.2.
    put("user_auth_tag 1", "on");
    let names: Vec<&str> = settings
        .codecs
        .iter()
        .map(|codec| match codec {
            Codec::G711A => "pcma",
            Codec::G711U => "pcmu",
        })
        .chain(["telephone-event"])
        .collect();
    put("codec_priority_list 1", &names.join(","));
}

/// `3600 03.05.07 02:00:00 10.05.07 03:00:00`: seconds, then month, week and weekday (1 is Monday) of both turns.
fn summer(settings: &Settings) -> String {
    let Some(Summer { saving_min, begins, ends }) = settings.clock.summer else { return String::new() };
    let turn = |turn: Turn| format!("{:02}.{:02}.{:02} {:02}:00:00", turn.month, turn.week, turn.weekday, turn.hour);
    format!("{} {} {}", saving_min.saturating_mul(60), turn(begins), turn(ends))
}

/// The first key is the line; the others watch, and take a call by the prefix after the bar.
fn keys(out: &mut String, settings: &Settings) {
    out.push_str("  <functionKeys e=\"2\">\n    <fkey idx=\"0\" context=\"1\" label=\"\" perm=\"\">line</fkey>\n");
    for (at, lamp) in settings.lamps() {
        let key = format!("blf sip:{}@{}|{}", lamp.extension, settings.server, settings.pickup);
        out.push_str(&format!(
            "    <fkey idx=\"{}\" context=\"1\" label=\"{}\" perm=\"\">{}</fkey>\n",
            at.saturating_add(1),
            xml(&lamp.label),
            xml(&key)
        ));
    }
    out.push_str("  </functionKeys>\n");
}
