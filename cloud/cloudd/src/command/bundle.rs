//! Puts a firmware bundle beside the database and offers it to a site.

use std::{
    fs::File,
    io::{Read, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use aws_lc_rs::digest;
use clap::Subcommand;
use model::SiteId;
use serde_json::json;

use crate::{clock, settings::Settings, shelf::MACHINE};

/// Largest bundle, in bytes.
const LEN_MAX: u64 = 4 << 30;

#[derive(Subcommand)]
pub enum Bundle {
    /// Offer a bundle to the boxes of a site, in place of any other.
    Offer {
        file: PathBuf,
        #[arg(long)]
        site: SiteId,
    },
}

impl Bundle {
    pub async fn execute(self, settings: &Settings) -> anyhow::Result<()> {
        let Bundle::Offer { file, site } = self;
        let db = super::open(settings)?;
        let known = site.clone();
        ensure!(db.read(move |conn| db::site::exists(conn, &known)).await?, "there is no site {site}");
        let bundle = keep(&file, &folder(settings))?;
        let (line, now) = (json!({ "site": site, "bundle": bundle.name, "sha256": bundle.sha256 }), clock::now());
        println!("{site} is offered {} ({} bytes, sha256 {})", bundle.name, bundle.size, bundle.sha256);
        db.write(move |conn| {
            db::bundle::offer(conn, &bundle, &site, now)?;
            db::audit::add(conn, MACHINE, "bundle.offer", &line, now)
        })
        .await?;
        Ok(())
    }
}

/// Where bundles lie.
pub fn folder(settings: &Settings) -> PathBuf {
    settings.data.join("bundles")
}

/// Copies the file to `folder`, whole and on the disk before it has its name there.
fn keep(file: &Path, folder: &Path) -> anyhow::Result<db::bundle::Bundle> {
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
    let version = wire::frame::bundle_version(&name).with_context(|| {
        format!("{name:?}: name the bundle like branchline-1.2.3.raucb, of a-z, 0-9, dots and dashes, with its version")
    })?;
    super::private_folder(folder)?;
    let mut from = File::open(file).with_context(|| format!("cannot open {}", file.display()))?;
    let target = folder.join(&name);
    let partial = folder.join(format!("{name}.partial"));
    let mut to = File::create(&partial).with_context(|| format!("cannot write {}", partial.display()))?;
    let mut hash = digest::Context::new(&digest::SHA256);
    let (mut size, mut piece) = (0u64, vec![0; 1 << 20]);
    loop {
        let len = from.read(&mut piece)?;
        if len == 0 {
            break;
        }
        size += len as u64;
        ensure!(size <= LEN_MAX, "{name} is larger than {LEN_MAX} bytes");
        hash.update(&piece[..len]);
        to.write_all(&piece[..len])?;
    }
    ensure!(size > 0, "{name} is empty");
    to.sync_all()?;
    std::fs::rename(&partial, &target)?;
    File::open(folder)?.sync_all()?;
    let version = version.map(|number| number.to_string()).join(".");
    Ok(db::bundle::Bundle { name, version, sha256: hex::encode(hash.finish()), size })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_is_kept_whole_under_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("branchline-1.2.3.raucb");
        std::fs::write(&file, vec![7; 3_000_000]).unwrap();
        let kept = keep(&file, &dir.path().join("kept")).unwrap();
        assert_eq!(
            (kept.name.as_str(), kept.version.as_str(), kept.size),
            ("branchline-1.2.3.raucb", "1.2.3", 3_000_000)
        );
        assert_eq!(std::fs::read(dir.path().join("kept").join(&kept.name)).unwrap(), vec![7; 3_000_000]);
        assert_eq!(kept.sha256.len(), 64);
    }

    #[test]
    fn names_that_are_no_names_and_empty_files_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in
            [("two words-1.0.0.raucb", "x"), (".hidden", "x"), ("a-1.0.raucb", "x"), ("empty-1.0.0.raucb", "")]
        {
            std::fs::write(dir.path().join(name), text).unwrap();
            assert!(keep(&dir.path().join(name), &dir.path().join("kept")).is_err(), "{name}");
        }
    }
}
