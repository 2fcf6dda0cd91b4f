//! The ledger, for people: what left and who witnessed it, what happened, and how far the cloud has come.

use std::path::PathBuf;

use ::ledger::Seen;
use anyhow::Context;
use boxd::{calls::open_ledger, config::BoxConfig, egress};
use clap::Subcommand;
use link::identity::Identity;

#[derive(Subcommand)]
pub enum Ledger {
    /// Prove the list of everything that left for the cloud: its chain, what is kept of the contents, and who has signed it.
    Verify {
        /// What the customer's own witness has kept (`[witness]`): the list must be the one that it saw.
        #[arg(long)]
        witness: Option<PathBuf>,
    },
    /// Write that list with contents and signatures to a file (JSON lines), for a verifier that is not ours.
    Export {
        #[arg(long)]
        out: PathBuf,
    },
    /// Print what left for the cloud, newest last, as one JSON object per line.
    Egress {
        #[arg(long, default_value_t = 100)]
        last: usize,
    },
    /// Print what happened on the box, newest last, as one JSON object per line: calls, agents, who listened to what.
    Facts {
        #[arg(long, default_value_t = 100)]
        last: usize,
    },
    /// Print how many rows were written for the cloud, and how many of them it has.
    Outbox,
}

/// None: a box that has never been enrolled.
fn enrolled(config: &BoxConfig) -> anyhow::Result<Option<Identity>> {
    let folder = config.identity();
    let identity = folder.join("cert.pem").exists().then(|| Identity::load(&folder));
    identity.transpose().context("the box's identity")
}

fn extent(seen: Option<Seen>) -> String {
    match seen {
        Some(Seen { checkpoints, line, .. }) => format!("{checkpoints} checkpoints, up to line {line}"),
        None => "nothing".to_owned(),
    }
}

impl Ledger {
    pub fn run(self, config: &BoxConfig) -> anyhow::Result<()> {
        let ledger = open_ledger(config, config.keys.load_or_create()?)?;
        let reader = ledger.reader()?;
        match self {
            Ledger::Verify { witness } => {
                let identity = enrolled(config)?;
                let proof = egress::verify(&reader, identity.as_ref())?;
                println!("{} entries, the chain is whole", proof.lines);
                let seen = [("signed by this box", proof.signed), ("counter-signed by the cloud", proof.cloud)];
                seen.into_iter().for_each(|(how, seen)| println!("{how}: {}", extent(seen)));
                if let Some(witness) = witness {
                    println!("as the witness saw it: {} checkpoints", egress::compare(&reader, &witness)?);
                }
            }
            Ledger::Export { out } => {
                let identity = enrolled(config)?.context("this box is not enrolled: nothing has left it")?;
                let file =
                    std::fs::File::create(&out).with_context(|| format!("{} cannot be written", out.display()))?;
                let lines = egress::export(&reader, &identity, &mut std::io::BufWriter::new(file))?;
                println!("{lines} entries in {}", out.display());
            }
            Ledger::Egress { last } => {
                let count = usize::try_from(reader.egress_verify()?)?;
                let from = u64::try_from(count.saturating_sub(last))?;
                for entry in reader.egress(from, last)? {
                    let line = serde_json::json!({
                        "index": entry.index,
                        "at": entry.at,
                        "kind": format!("{:?}", entry.kind),
                        "bytes": entry.bytes,
                        "sha256": hex::encode(entry.sha256),
                        "hash": hex::encode(entry.hash),
                    });
                    println!("{line}");
                }
            }
            Ledger::Facts { last } => {
                let from = reader.facts_last()?.saturating_sub(u64::try_from(last)?);
                for fact in reader.facts_after(from, last)? {
                    println!("{}", serde_json::to_string(&fact)?);
                }
            }
            Ledger::Outbox => {
                let position = reader.position()?;
                let line = serde_json::json!({
                    "epoch": position.epoch,
                    "written": position.last,
                    "acknowledged": position.watermark,
                    "facts": reader.facts_last()?,
                    "intervals": reader.intervals_closed()?,
                });
                println!("{line}");
            }
        }
        ledger.close();
        Ok(())
    }
}
