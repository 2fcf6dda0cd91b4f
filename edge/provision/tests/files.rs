//! Each make's file, read back by a reader that is not ours: an XML parser, and for Yealink the rules of its manual.

use std::collections::BTreeMap;

use proptest::prelude::*;
use provision::{
    Authority, Clock, Codec, Lamp, Language, Mac, Make, Part, Settings, Srtp, Summer, Transport, Turn, render,
};

const PEM: &str = "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIU\nZm9v+/==\n-----END CERTIFICATE-----\n";

fn settings() -> Settings {
    let turn = |month, hour| Turn { month, week: 5, weekday: 7, hour };
    Settings {
        extension: "101".into(),
        label: "Front desk".into(),
        password: "k3xn8v2m9qwr".into(),
        web_password: "p7tzm4".into(),
        server: "192.0.2.10".into(),
        port: 5061,
        transport: Transport::Tls,
        srtp: Srtp::Required,
        codecs: vec![Codec::G711A, Codec::G711U],
        clock: Clock { offset_min: 60, summer: Some(Summer { saving_min: 60, begins: turn(3, 2), ends: turn(10, 3) }) },
        time_server: "192.0.2.1".into(),
        language: Language::English,
        pickup: "*8".into(),
        lamps: vec![
            Lamp { extension: "102".into(), label: "Back office".into() },
            Lamp { extension: "101".into(), label: "itself".into() },
            Lamp { extension: "103".into(), label: "Stairs".into() },
        ],
        emergency: vec!["110".into(), "112".into(), "0112".into(), "not digits".into()],
        url: "https://192.0.2.10:8443/abcdefghjkmnpqrstuv2/".into(),
        ca: Some(Authority {
            pem: PEM.into(),
            pem_url: "https://192.0.2.10:8443/ca.pem".into(),
            der_url: "https://192.0.2.10:8443/ca.der".into(),
        }),
    }
}

fn mac() -> Mac {
    "001565abcdef".parse().expect("an address")
}

/// What a phone of this make has understood, key by key.
fn read(make: Make, text: &str) -> BTreeMap<String, String> {
    match make {
        Make::Yealink => yealink(text),
        Make::Grandstream => grandstream(text),
        Make::Poly => poly(text),
        Make::Snom => snom(text),
    }
}

fn told(make: Make, settings: &Settings) -> BTreeMap<String, String> {
    read(make, &render(make, Part::Settings, mac(), settings).text)
}

/// `#!version:1.0.0.1`, then lines of `key = value`; `#` begins a comment.
fn yealink(text: &str) -> BTreeMap<String, String> {
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("#!version:1.0.0.1"));
    let mut read = BTreeMap::new();
    for line in lines {
        let (key, value) = line.split_once('=').unwrap_or_else(|| panic!("no line of Yealink's: {line:?}"));
        let twice = read.insert(key.trim().to_owned(), value.trim().to_owned());
        assert_eq!(twice, None, "{key} twice");
    }
    read
}

fn grandstream(text: &str) -> BTreeMap<String, String> {
    let document = roxmltree::Document::parse(text).expect("XML");
    let root = document.root_element();
    assert!(root.has_tag_name("gs_provision"));
    let named = |name| root.children().find(|node| node.has_tag_name(name)).expect(name);
    assert_eq!(named("mac").text(), Some("001565abcdef"));
    let mut read = BTreeMap::new();
    for value in named("config").children().filter(roxmltree::Node::is_element) {
        let (key, text) = (value.tag_name().name().to_owned(), value.text().unwrap_or_default().to_owned());
        assert!(value.children().all(|child| child.is_text()), "{key} holds elements");
        assert_eq!(read.insert(key.clone(), text), None, "{key} twice");
    }
    read
}

fn poly(text: &str) -> BTreeMap<String, String> {
    let document = roxmltree::Document::parse(text).expect("XML");
    let mut read = BTreeMap::new();
    for node in document.descendants().filter(roxmltree::Node::is_element) {
        for attribute in node.attributes() {
            let twice = read.insert(attribute.name().to_owned(), attribute.value().to_owned());
            assert_eq!(twice, None, "{} twice", attribute.name());
        }
    }
    read
}

fn snom(text: &str) -> BTreeMap<String, String> {
    let document = roxmltree::Document::parse(text).expect("XML");
    assert!(document.root_element().has_tag_name("settings"));
    let mut read = BTreeMap::new();
    let named = ["phone-settings", "functionKeys"];
    for part in document.root_element().children().filter(|node| named.contains(&node.tag_name().name())) {
        for value in part.children().filter(roxmltree::Node::is_element) {
            let name = value.tag_name().name();
            let key = value.attribute("idx").map_or(name.to_owned(), |line| format!("{name} {line}"));
            assert!(value.children().all(|child| child.is_text()), "{key} holds elements");
            if let Some(label) = value.attribute("label") {
                read.insert(format!("{key} label"), label.to_owned());
            }
            let twice = read.insert(key.clone(), value.text().unwrap_or_default().to_owned());
            assert_eq!(twice, None, "{key} twice");
        }
    }
    if let Some(certificate) = document.descendants().find(|node| node.has_tag_name("certificate")) {
        read.insert("certificate".into(), certificate.attribute("url").expect("its URL").to_owned());
    }
    read
}

fn check(make: Make, wanted: &[(&str, &str)]) {
    let read = told(make, &settings());
    for (key, value) in wanted {
        assert_eq!(read.get(*key).map(String::as_str), Some(*value), "{make}: {key} in {read:#?}");
    }
}

#[test]
fn a_yealink_learns_its_account_its_keys_and_whom_to_trust() {
    check(
        Make::Yealink,
        &[
            ("account.1.user_name", "101"),
            ("account.1.auth_name", "101"),
            ("account.1.password", "k3xn8v2m9qwr"),
            ("account.1.sip_server.1.address", "192.0.2.10"),
            ("account.1.sip_server.1.port", "5061"),
            ("account.1.sip_server.1.transport_type", "2"),
            ("account.1.srtp_encryption", "2"),
            ("account.1.codec.pcma.priority", "1"),
            ("account.1.codec.pcmu.priority", "2"),
            ("local_time.time_zone", "+1"),
            ("local_time.start_time", "3/5/7/2"),
            ("local_time.end_time", "10/5/7/3"),
            ("lang.gui", "English"),
            ("features.pickup.direct_pickup_code", "*8"),
            ("linekey.2.type", "16"),
            ("linekey.2.value", "102"),
            ("linekey.3.value", "103"),
            ("dialplan.digitmap.string", "110|112|0112|[x*#].T"),
            ("phone_setting.emergency.number", "110,112,0112"),
            ("static.security.user_password", "admin:p7tzm4"),
            ("static.trusted_certificates.url", "https://192.0.2.10:8443/ca.pem"),
            ("static.security.trust_certificates", "1"),
            ("static.auto_provision.server.url", "https://192.0.2.10:8443/abcdefghjkmnpqrstuv2/"),
            ("static.auto_provision.dhcp_option.enable", "0"),
        ],
    );
}

#[test]
fn a_grandstream_learns_the_same_by_number() {
    check(
        Make::Grandstream,
        &[
            ("P271", "1"),
            ("P35", "101"),
            ("P36", "101"),
            ("P34", "k3xn8v2m9qwr"),
            ("P47", "192.0.2.10:5061"),
            ("P130", "2"),
            ("P183", "2"),
            ("P57", "8"),
            ("P58", "0"),
            ("P98", "0"),
            ("P246", "BLS-1BLD-2,M3.5.0/2,M10.5.0/3"),
            ("P1362", "en"),
            ("P1347", "*8"),
            ("P1365", "11"),
            ("P1468", "102"),
            ("P303", "102"),
            ("P306", "103"),
            ("P290", "{ 110 | 112 | 0112 | x+ | *x+ | *xx*x+ }"),
            ("P2", "p7tzm4"),
            ("P212", "2"),
            ("P237", "192.0.2.10:8443/abcdefghjkmnpqrstuv2"),
            ("P145", "0"),
            ("P8433", PEM),
        ],
    );
}

#[test]
fn a_poly_learns_the_same_in_attributes_and_its_firmware_is_left_alone() {
    check(
        Make::Poly,
        &[
            ("reg.1.address", "101"),
            ("reg.1.auth.userId", "101"),
            ("reg.1.auth.password", "k3xn8v2m9qwr"),
            ("reg.1.server.1.address", "192.0.2.10"),
            ("reg.1.server.1.port", "5061"),
            ("reg.1.server.1.transport", "TLS"),
            ("sec.srtp.require", "1"),
            ("voice.codecPref.G711_A", "1"),
            ("tcpIpApp.sntp.gmtOffset", "3600"),
            ("tcpIpApp.sntp.daylightSavings.start.month", "3"),
            ("tcpIpApp.sntp.daylightSavings.start.dayOfWeek", "1"),
            ("tcpIpApp.sntp.daylightSavings.start.dayOfWeek.lastInMonth", "1"),
            ("tcpIpApp.sntp.daylightSavings.stop.time", "3"),
            ("attendant.resourceList.1.address", "102"),
            ("attendant.resourceList.2.label", "Stairs"),
            ("call.directedCallPickupString", "*8"),
            ("dialplan.digitmap", "110|112|0112|[x*#].T"),
            ("dialplan.routing.emergency.3.value", "0112"),
            ("device.auth.localAdminPassword", "p7tzm4"),
            ("device.prov.serverName", "192.0.2.10:8443/abcdefghjkmnpqrstuv2"),
            ("device.prov.serverName.set", "1"),
            ("device.sec.TLS.customCaCert1", PEM),
        ],
    );
    let index = poly(&render(Make::Poly, Part::Index, mac(), &settings()).text);
    assert_eq!(index["CONFIG_FILES"], "[PHONE_MAC_ADDRESS]-branchline.cfg");
    assert_eq!(index["APP_FILE_PATH"], "");
}

#[test]
fn a_snom_learns_the_same_in_its_own_xml() {
    check(
        Make::Snom,
        &[
            ("user_name 1", "101"),
            ("user_pname 1", "101"),
            ("user_pass 1", "k3xn8v2m9qwr"),
            ("user_host 1", "192.0.2.10"),
            ("user_outbound 1", "sip:192.0.2.10:5061;transport=tls"),
            ("user_savp 1", "mandatory"),
            ("codec_priority_list 1", "pcma,pcmu,telephone-event"),
            ("utc_offset", "3600"),
            ("dst", "3600 03.05.07 02:00:00 10.05.07 03:00:00"),
            ("fkey 1", "blf sip:102@192.0.2.10|*8"),
            ("fkey 1 label", "Back office"),
            ("user_dp_str 1", "!^(110|112|0112)$!sip:\\1@\\d!d"),
            ("http_pass", "p7tzm4"),
            ("setting_server", "https://192.0.2.10:8443/abcdefghjkmnpqrstuv2/"),
            ("update_policy", "settings_only"),
            ("certificate", "https://192.0.2.10:8443/ca.der"),
        ],
    );
}

#[test]
fn types_of_content_are_those_that_phones_expect() {
    for make in Make::ALL {
        let wanted = if make == Make::Yealink { "text/plain; charset=utf-8" } else { "application/xml" };
        assert_eq!(render(make, Part::Settings, mac(), &settings()).content_type, wanted);
    }
}

#[test]
fn more_lamps_than_a_phone_takes_are_left_out() {
    let mut many = settings();
    many.lamps = (200..300).map(|n| Lamp { extension: n.to_string(), label: String::new() }).collect();
    let keys = |make, begins: &str, ends: &str| {
        told(make, &many).into_keys().filter(|key| key.starts_with(begins) && key.ends_with(ends)).count()
    };
    assert_eq!(keys(Make::Yealink, "linekey.", ".value"), provision::LAMPS_MAX);
    assert_eq!(keys(Make::Poly, "attendant.resourceList.", ".address"), provision::LAMPS_MAX);
    assert_eq!(keys(Make::Snom, "fkey", "label"), provision::LAMPS_MAX + 1);
}

proptest! {
    /// Whatever a label holds (line ends, markup, `=`), it changes its own value and no other, in every format.
    #[test]
    fn a_value_never_leaves_its_place(
        label in "(\\PC|[\r\n\t\u{0}\u{b}\u{85}\u{2028}\u{feff}\u{fffe}]|[=<>&\"'#%\\[\\]!]|]]>|<!--|\\?>){0,40}",
        password in "[ -~]{8,30}",
        lamp in "\\PC{0,20}[\r\n]account\\.1\\.enable = 0",
    ) {
        let calm = settings();
        let mut wild = calm.clone();
        wild.label = label;
        wild.web_password = password;
        wild.lamps[0].label = lamp;
        for make in Make::ALL {
            let (calm, wild) = (told(make, &calm), told(make, &wild));
            prop_assert!(calm.keys().eq(wild.keys()), "{make}: other keys");
            let theirs = ["Front desk", "Back office", "p7tzm4", "admin:p7tzm4"];
            for (key, value) in calm.iter().filter(|(_, value)| !theirs.contains(&value.as_str())) {
                prop_assert_eq!(value, &wild[key], "{}: {}", make, key);
            }
        }
    }

    /// In XML a password of printable characters arrives as it was made.
    #[test]
    fn what_xml_carries_arrives_unchanged(password in "[!-~]{8,30}") {
        let mut one = settings();
        one.password = password.clone();
        prop_assert_eq!(&told(Make::Grandstream, &one)["P34"], &password);
        prop_assert_eq!(&told(Make::Poly, &one)["reg.1.auth.password"], &password);
        prop_assert_eq!(&told(Make::Snom, &one)["user_pass 1"], &password);
    }
}
