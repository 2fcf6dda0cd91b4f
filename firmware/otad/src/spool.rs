//! The folder where bundles wait. A bundle counts once its offer lies beside it and size and digest agree; what does
//! not agree is refused by name and left for a person to look at.

use std::{io::Read, path::Path};

use anyhow::{Context, bail, ensure};
use aws_lc_rs::digest;
use ota::Bundle;
use tracing::warn;

/// Offers looked at in one round.
const OFFERS_MAX: usize = 64;
const OFFER_BYTES_MAX: u64 = 16 * 1024;

/// The offers that are complete in the spool, oldest version first.
pub fn offers(spool: &Path) -> Vec<Bundle> {
    let Ok(folder) = std::fs::read_dir(spool) else { return Vec::new() };
    let mut found: Vec<Bundle> = folder
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().ends_with(".raucb.json"))
        .take(OFFERS_MAX)
        .filter_map(|entry| match read_offer(&entry.path()) {
            Ok(bundle) => spool.join(&bundle.name).is_file().then_some(bundle),
            Err(error) => {
                warn!("an offer in the spool is passed over: {error:#}");
                None
            }
        })
        .collect();
    found.sort_by_key(|bundle| bundle.version);
    found
}

fn read_offer(path: &Path) -> anyhow::Result<Bundle> {
    let size = std::fs::metadata(path)?.len();
    ensure!(size <= OFFER_BYTES_MAX, "{}: an offer has at most {OFFER_BYTES_MAX} bytes", path.display());
    let bundle: Bundle =
        serde_json::from_slice(&std::fs::read(path)?).with_context(|| format!("{} is no offer", path.display()))?;
    bundle.check()?;
    Ok(bundle)
}

/// Compares the file with its offer; the digest is over the whole file.
pub fn check(spool: &Path, bundle: &Bundle) -> anyhow::Result<()> {
    let path = spool.join(&bundle.name);
    let mut file = std::fs::File::open(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    let size = file.metadata()?.len();
    ensure!(size == bundle.size, "{} has {size} bytes, the offer says {}", bundle.name, bundle.size);
    let mut context = digest::Context::new(&digest::SHA256);
    let mut buffer = vec![0; 1024 * 1024];
    loop {
        let length = file.read(&mut buffer)?;
        if length == 0 {
            break;
        }
        context.update(&buffer[..length]);
    }
    if hex::encode(context.finish()) != bundle.sha256 {
        bail!("{} has another SHA-256 than its offer", bundle.name);
    }
    Ok(())
}
