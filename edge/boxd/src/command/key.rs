//! `boxd key`: where the branch key lies, and the way back to it.

use std::io::{BufRead, Write};

use anyhow::Context;
use boxd::{
    calls::wall,
    config::BoxConfig,
    keys::{self, OF_MAX, Share},
    recording,
};
use clap::Subcommand;
use ledger::BranchKey;

#[derive(Subcommand)]
pub enum Key {
    /// Say what the branch key is called, and whether shares of it were made. Nothing of the key is shown.
    Show,
    /// Print shares of the branch key, each for another person to keep off this machine. Any few of them make it again
    /// (`recover`); fewer tell nothing. Shares of a key that was changed (`recording rekey`) open nothing any more.
    Split {
        /// How many are needed to make the key again.
        #[arg(long, default_value_t = 2)]
        need: u8,
        /// How many are made.
        #[arg(long, default_value_t = 3)]
        of: u8,
    },
    /// Have the TPM seal a key that lies open on the disk, once `[key]` says so. The box must be stopped.
    Seal,
    /// Make the branch key again from shares, a line each on standard input, and keep it on this machine as `[key]` says.
    /// With it the recordings and the ledger of the lost machine open here. A key that opens here is not written over. The
    /// box must be stopped.
    Recover,
}

impl Key {
    pub fn run(self, config: &BoxConfig) -> anyhow::Result<()> {
        match self {
            Key::Show => show(config),
            Key::Split { need, of } => split(config, need, of),
            Key::Seal => seal(config),
            Key::Recover => recover(config),
        }
    }
}

fn show(config: &BoxConfig) -> anyhow::Result<()> {
    let key = config.keys.load()?.context("there is no branch key yet; the box makes one when it starts")?;
    println!("key {}", keys::name_of(&key));
    match keys::shared(config, &key)? {
        Some(made) => println!("{} shares, any {} of which make it again", made.of, made.need),
        None => println!("no shares: if this machine is lost, so are its recordings; see `boxd key split`"),
    }
    Ok(())
}

fn split(config: &BoxConfig, need: u8, of: u8) -> anyhow::Result<()> {
    let key = config.keys.load()?.context("there is no branch key yet; the box makes one when it starts")?;
    let mut out = std::io::stdout().lock();
    for share in keys::split(&key, need, of)? {
        let (number, name) = (share.number(), share.name());
        writeln!(out, "Share {number} of {of} of the branch key of {} (key {name})\n{share}\n", config.site)
            .context("the shares cannot be printed")?;
    }
    out.flush().context("the shares cannot be printed")?;
    keys::note(config, &key, (need, of), wall())?;
    eprintln!(
        "Give each to another person, on paper. Any {need} of them open every recording of this branch; shares that were \
         made before open it too, with those that were made with them, until the key is changed (`recording rekey`)."
    );
    Ok(())
}

fn seal(config: &BoxConfig) -> anyhow::Result<()> {
    let _alone = keys::alone(&config.run)?.context("the box runs: stop it first (systemctl stop branchline)")?;
    match config.keys.seal()? {
        true => {
            println!("the key is sealed; what lay open is overwritten, as far as this disk lets bytes be overwritten")
        }
        false => println!("the key is sealed already"),
    }
    Ok(())
}

/// Lines that are no shares are passed over, so that what `split` printed can be given as it is.
fn recover(config: &BoxConfig) -> anyhow::Result<()> {
    std::fs::create_dir_all(&config.data).with_context(|| config.data.display().to_string())?;
    let mut shares: Vec<Share> = Vec::new();
    for (number, line) in (1..).zip(std::io::stdin().lock().lines()) {
        let line = zeroize::Zeroizing::new(line.context("standard input")?);
        if !line.trim_start().to_ascii_uppercase().starts_with("BLK1") {
            continue;
        }
        shares.push(line.parse().with_context(|| format!("line {number}"))?);
        anyhow::ensure!(shares.len() <= usize::from(OF_MAX), "more than {OF_MAX} shares");
    }
    let key = keys::combine(&shares)?;
    let name = keys::name_of(&key);
    let _alone = keys::alone(&config.run)?.context("the box runs: stop it first (systemctl stop branchline)")?;
    opens_what_is_here(config, &key)?;
    match config.keys.load() {
        Ok(Some(there)) if there.bytes() == key.bytes() => {
            println!("key {name} is here already");
            return Ok(());
        }
        Ok(Some(there)) => anyhow::bail!(
            "another key ({}) is here already, and is not written over: move {} away if that is what you want",
            keys::name_of(&there),
            config.keys.file().display()
        ),
        Ok(None) => {}
        // Another machine's seal.
        Err(error) => {
            let aside = config.keys.file().with_extension(format!("key.unopened-{}", wall().0));
            std::fs::rename(config.keys.file(), &aside).context("the key that does not open")?;
            eprintln!("{error:#}\nIt is kept as {}.", aside.display());
        }
    }
    anyhow::ensure!(config.keys.keep(&key)?, "a key has appeared meanwhile");
    println!("key {name} is here again");
    Ok(())
}

/// Recordings that lie here say whose key it is.
fn opens_what_is_here(config: &BoxConfig, key: &BranchKey) -> anyhow::Result<()> {
    let entries = std::fs::read_dir(config.recordings()).into_iter().flatten().flatten().map(|entry| entry.path());
    let recordings: Vec<_> = entries.filter(|path| path.extension().is_some_and(|ending| ending == "blr")).collect();
    let opens = recordings.is_empty() || recordings.iter().any(|path| recording::opens(path, key.bytes()));
    anyhow::ensure!(
        opens,
        "this key opens none of the {} recordings in {}: these are shares of another branch, or of a key before",
        recordings.len(),
        config.recordings().display()
    );
    Ok(())
}
