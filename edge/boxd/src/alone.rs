//! How long the box can run cut off from everything (N-05): what is on its disk and in its files, and when each of them
//! ends. [`ends`] is arithmetic; [`measure`] reads, and may block.

use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use model::{
    Millis,
    leaving::{ALONE_DAYS_MAX, Alone, End},
};
use serde::Deserialize;
use sip::locate::STALE_MAX;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::{config::BoxConfig, tls};

const DAY_MS: i64 = 86_400_000;
/// The pace of the disk is that of these last days, or of as many as there are, one at least.
const PACE_MS: i64 = 7 * DAY_MS;
/// Recordings that are looked at; a box with more is measured by those.
const FILES_MAX: usize = 2_000_000;

/// What is known of each thing that ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// Bytes that are free where recordings and the ledger lie, and how many more a day takes.
    pub disk: Option<(u64, u64)>,
    /// Ends of the certificates that were given to the box.
    pub certificates: Vec<Millis>,
    /// When DNS confirmed last each trunk that is known by name.
    pub names: Vec<Millis>,
}

/// Whole days for which each lasts; what does not end is not there.
pub fn ends(known: &Known, now: Millis) -> Vec<Alone> {
    let days_until = |end: i64| end.saturating_sub(now.0).max(0) / DAY_MS;
    let stale_ms = i64::try_from(STALE_MAX.as_millis()).unwrap_or(i64::MAX);
    let disk = known
        .disk
        .and_then(|(free, a_day)| free.checked_div(a_day))
        .map(|days| i64::try_from(days).unwrap_or(i64::MAX));
    let certificate = known.certificates.iter().map(|end| days_until(end.0)).min();
    let names = known.names.iter().map(|at| days_until(at.0.saturating_add(stale_ms))).min();
    let told = |(until, days): (End, Option<i64>)| {
        let days = u16::try_from(days?).unwrap_or(ALONE_DAYS_MAX).min(ALONE_DAYS_MAX);
        Some(Alone { until, days })
    };
    [(End::Disk, disk), (End::Certificate, certificate), (End::TrunkNames, names)]
        .into_iter()
        .filter_map(told)
        .collect()
}

/// `began`: when the ledger did; `trunks`: those that are known by name.
pub fn measure(config: &BoxConfig, began: Option<Millis>, trunks: &[String], now: Millis) -> Known {
    let certificates = config.tls.files.as_ref().map(|(file, _)| certificates(file)).unwrap_or_default();
    Known { disk: disk(config, began, now), certificates, names: names(&config.data.join("located.json"), trunks) }
}

fn disk(config: &BoxConfig, began: Option<Millis>, now: Millis) -> Option<(u64, u64)> {
    let free = nix::sys::statvfs::statvfs(&config.data).ok()?;
    let free = free.blocks_available().saturating_mul(free.fragment_size());
    let (recorded, oldest) = recorded(&config.recordings(), now);
    let a_day = |bytes: u64, since: Option<i64>| {
        let span = since.map_or(DAY_MS, |since| now.0.saturating_sub(since)).clamp(DAY_MS, i64::MAX);
        let span = u128::try_from(span).unwrap_or(1);
        u64::try_from(u128::from(bytes).saturating_mul(DAY_MS.unsigned_abs().into()) / span).unwrap_or(u64::MAX)
    };
    let ledger = std::fs::metadata(config.ledger_file()).map_or(0, |file| file.len());
    let pace = a_day(recorded, oldest).saturating_add(a_day(ledger, began.map(|began| began.0)));
    Some((free, pace))
}

/// Bytes of the recordings of the last days, and when the oldest of them was written.
fn recorded(folder: &Path, now: Millis) -> (u64, Option<i64>) {
    let since = UNIX_EPOCH + Duration::from_millis(now.0.saturating_sub(PACE_MS).unsigned_abs());
    let (mut bytes, mut oldest) = (0_u64, None);
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten().take(FILES_MAX) {
        let Some((len, written)) = entry.metadata().ok().and_then(|data| Some((data.len(), data.modified().ok()?)))
        else {
            continue;
        };
        if written >= since {
            bytes = bytes.saturating_add(len);
            oldest = Some(oldest.map_or(written, |oldest: SystemTime| oldest.min(written)));
        }
    }
    let millis = |at: SystemTime| {
        at.duration_since(UNIX_EPOCH).map_or(0, |at| i64::try_from(at.as_millis()).unwrap_or(i64::MAX))
    };
    (bytes, oldest.map(millis))
}

fn certificates(file: &Path) -> Vec<Millis> {
    let end = |der: &[u8]| Some(X509Certificate::from_der(der).ok()?.1.validity().not_after.timestamp());
    // The leaf; who signed it is the other end's business.
    let leaf = tls::certificates(file).ok().and_then(|chain| end(chain.first()?));
    leaf.map(|end| Millis(end.saturating_mul(1_000))).into_iter().collect()
}

#[derive(Deserialize)]
struct Located {
    at: i64,
}

fn names(file: &Path, trunks: &[String]) -> Vec<Millis> {
    let read =
        std::fs::read(file).ok().and_then(|bytes| serde_json::from_slice::<BTreeMap<String, Located>>(&bytes).ok());
    let known = read.unwrap_or_default();
    trunks.iter().filter_map(|trunk| known.get(trunk)).map(|known| Millis(known.at)).collect()
}

#[cfg(test)]
mod tests;
