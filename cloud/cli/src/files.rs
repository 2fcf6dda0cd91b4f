//! A branch's configuration as YAML: one file for each branch, in an order that does not change by itself.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};
use model::config::Config;
use serde_json::Value;

/// Largest file, in bytes.
const FILE_MAX: u64 = 8 << 20;
/// Most files of one run.
const FILES_MAX: usize = 10_000;

pub fn read(path: &Path) -> anyhow::Result<String> {
    let file = std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut text = String::new();
    file.take(FILE_MAX.saturating_add(1))
        .read_to_string(&mut text)
        .with_context(|| format!("cannot read {}", path.display()))?;
    ensure!(text.len() as u64 <= FILE_MAX, "{} has more than {FILE_MAX} bytes", path.display());
    Ok(text)
}

/// In place of what was there, or not at all.
pub fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
    }
    let fresh = path.with_extension("new");
    std::fs::write(&fresh, text).with_context(|| format!("cannot write {}", fresh.display()))?;
    std::fs::rename(&fresh, path).with_context(|| format!("cannot write {}", path.display()))
}

/// Files, and the *.yaml of folders, in the order of their names.
pub fn named(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let entries = std::fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut found = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
        found.retain(|path| path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml"));
        found.sort();
        files.extend(found);
    }
    ensure!(!files.is_empty(), "there are no *.yaml files");
    ensure!(files.len() <= FILES_MAX, "more than {FILES_MAX} files");
    Ok(files)
}

pub fn yaml(text: &str) -> anyhow::Result<Value> {
    // `n` and `on` are names.
    serde_saphyr::from_str_with_options(text, serde_saphyr::options! { strict_booleans: true })
        .map_err(|error| anyhow::anyhow!("{}", crate::show::clean(&error.to_string())))
}

pub fn parse(text: &str) -> anyhow::Result<Config> {
    let value = yaml(text)?;
    let config: Config = serde_json::from_value(value.clone())?;
    match strange(&value, &serde_json::to_value(&config)?, "") {
        Some(path) => bail!("{path} is not known: is it mistyped?"),
        None => Ok(config),
    }
}

pub fn print(config: &Config) -> anyhow::Result<String> {
    let value = serde_json::to_value(config)?;
    serde_saphyr::to_string(&value).map_err(|error| anyhow::anyhow!("{error}"))
}

/// The first path that a file has and a configuration has not. What is left out because it is the default is known.
fn strange(said: &Value, known: &Value, path: &str) -> Option<String> {
    match (said, known) {
        (Value::Object(said), Value::Object(known)) => said.iter().find_map(|(name, value)| {
            let path = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
            match known.get(name) {
                Some(known) => strange(value, known, &path),
                None => (!nothing(value)).then_some(path),
            }
        }),
        (Value::Array(said), Value::Array(known)) => said
            .iter()
            .zip(known)
            .enumerate()
            .find_map(|(at, (said, known))| strange(said, known, &format!("{path}/{at}"))),
        _ => None,
    }
}

fn nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Object(map) => map.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
}
