//! What is predicted, against the parts themselves with their clock put forward: each works on the day before, and fails on
//! the day after.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use rustls::{
    client::WebPkiServerVerifier,
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use sip::{
    endpoint::Transport,
    locate::{Input, Locator, Means, Output, Target, Wish},
};

use super::*;

const NOW: Millis = Millis(1_796_032_800_000);
const MIB: u64 = 1 << 20;

fn days(known: &Known, until: End) -> Option<u16> {
    ends(known, NOW).into_iter().find(|alone| alone.until == until).map(|alone| alone.days)
}

fn config(data: &Path, tls: &str) -> BoxConfig {
    let text = format!(
        "site = \"north\"\ndata = \"{data}\"\nrun = \"{data}/run\"\nprompts = \"/tmp\"\n[sip]\ndomain = \"north.example\"\n\
         listen = [\"udp:127.0.0.1:5060\"]\n[rtp]\nip = \"127.0.0.1\"\nports = [20000, 20100]\n[desk]\nlisten = \
         \"127.0.0.1:8081\"\n[metrics]\nlisten = \"127.0.0.1:9100\"\n{tls}",
        data = data.display()
    );
    let file = data.join("box.toml");
    std::fs::write(&file, text).unwrap();
    crate::config::load(&file).unwrap_or_else(|faults| panic!("{faults:?}"))
}

#[test]
fn a_disk_takes_each_days_recordings_until_the_predicted_day_and_not_one_more() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path(), "");
    std::fs::create_dir_all(config.recordings()).unwrap();
    // Two a day for seven days; those before count for nothing.
    for (name, age_ms) in (0..20_i64).map(|n| (n, n * DAY_MS / 2 + 1)) {
        let file = std::fs::File::create(config.recordings().join(format!("{name}.blr"))).unwrap();
        file.set_len(5 * MIB).unwrap();
        let at = UNIX_EPOCH + Duration::from_millis((NOW.0 - age_ms).unsigned_abs());
        file.set_modified(at).unwrap();
    }
    let (_, a_day) = measure(&config, None, &[], NOW).disk.unwrap();
    let wanted = 10 * MIB;
    assert!(a_day >= wanted && a_day < wanted + 2 * MIB, "{a_day} bytes a day");

    let free = 23 * wanted + wanted / 3;
    let predicted = days(&Known { disk: Some((free, wanted)), ..Known::default() }, End::Disk).unwrap();
    let mut left = free;
    let mut day_fits = || left.checked_sub(wanted).inspect(|rest| left = *rest).is_some();
    assert!((0..predicted).all(|_| day_fits()), "every day before");
    assert!(!day_fits(), "the day after");
}

#[test]
fn a_box_that_records_nothing_has_no_end_of_its_disk_and_a_new_one_is_not_measured_by_its_first_hour() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path(), "");
    assert_eq!(days(&measure(&config, None, &[], NOW), End::Disk), None);
    std::fs::create_dir_all(config.recordings()).unwrap();
    let file = std::fs::File::create(config.recordings().join("a.blr")).unwrap();
    file.set_len(MIB).unwrap();
    file.set_modified(UNIX_EPOCH + Duration::from_millis((NOW.0 - 1_000).unsigned_abs())).unwrap();
    assert_eq!(measure(&config, None, &[], NOW).disk.unwrap().1, MIB);
}

#[test]
fn browsers_believe_the_desks_certificate_until_the_predicted_day() {
    let dir = tempfile::tempdir().unwrap();
    let not_after = NOW.0 / 1_000 + 40 * 86_400 + 3_600;
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec!["north.example".into()]).unwrap();
    params.not_before = time::OffsetDateTime::from_unix_timestamp(NOW.0 / 1_000 - 86_400).unwrap();
    params.not_after = time::OffsetDateTime::from_unix_timestamp(not_after).unwrap();
    let made = params.self_signed(&key).unwrap();
    let (certificate, secret) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
    std::fs::write(&certificate, made.pem()).unwrap();
    std::fs::write(&secret, key.serialize_pem()).unwrap();
    let section = format!("[tls]\ncertificate = \"{}\"\nkey = \"{}\"\n", certificate.display(), secret.display());
    let known = measure(&config(dir.path(), &section), None, &[], NOW);
    let predicted = days(&known, End::Certificate).unwrap();
    assert_eq!(predicted, 40);

    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let browser = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
    let believed = |days: u16| {
        let at = UnixTime::since_unix_epoch(
            Duration::from_millis(NOW.0.unsigned_abs()) + Duration::from_secs(86_400) * days.into(),
        );
        let name = ServerName::try_from("north.example").unwrap();
        let leaf: &CertificateDer<'_> = made.der();
        rustls::client::danger::ServerCertVerifier::verify_server_cert(&*browser, leaf, &[], &name, &[], at).is_ok()
    };
    assert!(believed(predicted - 1) && believed(predicted));
    assert!(!believed(predicted + 1));
}

#[test]
fn a_trunks_name_leads_to_it_until_the_predicted_day() {
    let dir = tempfile::tempdir().unwrap();
    let confirmed = NOW.0 - 2 * DAY_MS - 3_600_000;
    std::fs::write(
        dir.path().join("located.json"),
        format!("{{\"carrier\":{{\"at\":{confirmed}}},\"gone\":{{\"at\":1}}}}"),
    )
    .unwrap();
    let trunks = ["carrier".to_owned(), "never".to_owned()];
    let known = measure(&config(dir.path(), ""), None, &trunks, NOW);
    let predicted = days(&known, End::TrunkNames).unwrap();
    assert_eq!(predicted, 4);

    // As it is restored at a start, by its age.
    let leads = |days: u16| {
        let wish = Wish::new("sip.carrier.example", Transport::Udp).unwrap();
        let now = Instant::now();
        let means = Means { transports: [Transport::Udp].into(), v4: true, v6: false };
        let mut locator = Locator::new(means);
        locator.handle_input(now, Input::Configure(BTreeMap::from([("carrier".to_owned(), wish.clone())])));
        let age = Duration::from_millis((NOW.0 - confirmed).unsigned_abs()) + Duration::from_secs(86_400) * days.into();
        let targets = vec![Target {
            rank: 0,
            priority: 0,
            weight: 0,
            transport: Transport::Udp,
            addresses: vec!["192.0.2.1:5060".parse().unwrap()],
        }];
        locator.handle_input(now, Input::Restore { trunk: "carrier".into(), wish, targets, age });
        std::iter::from_fn(|| locator.poll_output())
            .any(|output| matches!(output, Output::Located { targets, .. } if !targets.is_empty()))
    };
    assert!(leads(predicted - 1) && leads(predicted));
    assert!(!leads(predicted + 1));
}

#[test]
fn what_is_far_away_is_told_as_ten_years_and_what_is_over_as_none() {
    let known =
        Known { disk: Some((u64::MAX, 1)), certificates: vec![Millis(NOW.0 - 1)], names: vec![Millis(i64::MIN)] };
    let told: Vec<(End, u16)> = ends(&known, NOW).into_iter().map(|alone| (alone.until, alone.days)).collect();
    assert_eq!(told, [(End::Disk, 3_650), (End::Certificate, 0), (End::TrunkNames, 0)]);
}
