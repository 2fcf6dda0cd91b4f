//! Fetching the bundle on offer, in the background, until it is whole or another is on offer. Beside the whole file lies
//! its offer: what `otad`, which has no way out of its own, believes it to be until RAUC has checked the signature.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use link::{bulk, client::Client};
use serde_json::json;
use tokio::task::AbortHandle;
use wire::frame::{Bundle, bundle_version};

const AGAIN: Duration = Duration::from_secs(30);

/// Dropping it stops the transfer; what came so far is resumed.
pub struct Fetching {
    pub bundle: Bundle,
    task: AbortHandle,
}

impl Drop for Fetching {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub fn begin(client: Arc<Client>, bundle: Bundle, spool: PathBuf) -> Fetching {
    let wanted = bundle.clone();
    let task = tokio::spawn(async move {
        loop {
            match bulk::fetch(&client, &wanted, &spool).await {
                Ok(_) => match hand_over(&spool, &wanted) {
                    Ok(()) => {
                        tracing::info!(bundle = wanted.name, "a bundle is whole");
                        return;
                    }
                    Err(error) => tracing::warn!(bundle = wanted.name, %error, "a bundle cannot be handed over"),
                },
                Err(error) => tracing::info!(bundle = wanted.name, %error, "a bundle is not here yet"),
            }
            tokio::time::sleep(AGAIN).await;
        }
    });
    Fetching { bundle, task: task.abort_handle() }
}

/// Removes what was on offer before, then writes the offer `NAME.raucb.json`, whole or not at all.
fn hand_over(spool: &Path, bundle: &Bundle) -> io::Result<()> {
    let version = bundle_version(&bundle.name).ok_or(io::ErrorKind::InvalidInput)?;
    for entry in std::fs::read_dir(spool)?.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        // One that is being installed is held open by RAUC until it is done.
        let superseded = name.contains(".raucb") && !name.starts_with(&*bundle.name);
        if superseded {
            std::fs::remove_file(entry.path())?;
        }
    }
    let offer = json!({
        "name": bundle.name,
        "version": version.map(|number| number.to_string()).join("."),
        "size": bundle.size,
        "sha256": bundle.sha256,
    });
    let (fresh, done) = (spool.join(".offer.new"), spool.join(format!("{}.json", bundle.name)));
    let mut file = std::fs::File::create(&fresh)?;
    file.write_all(offer.to_string().as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&fresh, done)?;
    std::fs::File::open(spool)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_is_written_beside_the_bundle_and_the_one_before_goes() {
        let spool = tempfile::tempdir().unwrap();
        let bundle = |version: &str| Bundle { name: format!("box-{version}.raucb"), size: 3, sha256: "a".repeat(64) };
        for version in ["1.0.0", "1.1.0"] {
            std::fs::write(spool.path().join(format!("box-{version}.raucb")), "abc").unwrap();
            hand_over(spool.path(), &bundle(version)).unwrap();
        }
        let mut names: Vec<_> =
            std::fs::read_dir(spool.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["box-1.1.0.raucb", "box-1.1.0.raucb.json"]);
        let offer: serde_json::Value =
            serde_json::from_slice(&std::fs::read(spool.path().join("box-1.1.0.raucb.json")).unwrap()).unwrap();
        assert_eq!(offer["version"], "1.1.0");
    }
}
