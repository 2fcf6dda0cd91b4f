//! What left this box, for whoever does not take our word for it: the whole proof, and a copy of it that another program
//! can check (`deploy/verify/egress.py` does, and shares no line with this one).

use std::{collections::BTreeMap, fs, io::Write, path::Path};

use anyhow::{Context, bail, ensure};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use gate::{Checkpoint, Class, Entry};
use ledger::{Reader, Seen, Testimony, Witness};
use link::identity::{self, Identity};
use serde::Deserialize;
use serde_json::json;
use wire::frame;

/// Lines and checkpoints read at once.
const STEP: usize = 1_000;
/// The first line of an exported file says what it is.
const FORMAT: &str = "branchline egress 1";
/// Longest line of a customer's witness, in bytes; what stands before a `{` is syslog's.
const WITNESS_LINE_MAX: usize = 4_096;

/// What was proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    pub lines: u64,
    /// By each of the three; None: it has seen nothing.
    pub signed: Option<Seen>,
    pub cloud: Option<Seen>,
    pub customer: Option<Seen>,
}

/// The chain, its checkpoints and bodies; and with an identity every signature of the box and of the cloud.
pub fn verify(reader: &Reader, identity: Option<&Identity>) -> anyhow::Result<Proof> {
    let lines = reader.egress_verify()?;
    if let Some(identity) = identity {
        signatures(reader, identity)?;
    }
    Ok(Proof {
        lines,
        signed: reader.seen(Witness::Box)?,
        cloud: reader.seen(Witness::Cloud)?,
        customer: reader.seen(Witness::Customer)?,
    })
}

fn signatures(reader: &Reader, identity: &Identity) -> anyhow::Result<()> {
    let origin = reader.egress_origin()?;
    each_checkpoint(reader, 0, |checkpoint| {
        let statement = checkpoint.statement(identity.peer.box_id, &origin);
        let line = checkpoint.first;
        if let Some(said) = reader.testimony(line, Witness::Box)? {
            let holds = identity::is_signed_by(&identity.certificate, &statement, &said.signature);
            ensure!(holds, "this box did not sign the checkpoint at line {line}");
        }
        if let Some(said) = reader.testimony(line, Witness::Cloud)? {
            let holds = identity::is_signed_by(&identity.ca, &Checkpoint::seen(&statement, said.at), &said.signature);
            ensure!(holds, "the cloud did not counter-sign the checkpoint at line {line}");
        }
        Ok(())
    })
}

fn each_checkpoint(
    reader: &Reader,
    from: u64,
    mut visit: impl FnMut(&Checkpoint) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut from = from;
    loop {
        let some = reader.checkpoints(from, STEP)?;
        let Some(last) = some.last() else { return Ok(()) };
        from = last.first.saturating_add(1);
        some.iter().try_for_each(&mut visit)?;
    }
}

#[derive(Deserialize)]
struct Witnessed {
    origin: String,
    first: u64,
    count: u32,
    root: String,
}

/// Holds the ledger against what a customer's witness has kept. Says how many checkpoints it keeps of this ledger. Error:
/// the ledger is not the one that it saw, with the line.
pub fn compare(reader: &Reader, witness: &Path) -> anyhow::Result<u64> {
    let text = fs::read_to_string(witness).with_context(|| format!("{} cannot be read", witness.display()))?;
    let origin = hex::encode(reader.egress_origin()?);
    let mut held = BTreeMap::new();
    each_checkpoint(reader, 0, |checkpoint| {
        held.insert(checkpoint.first, (checkpoint.count, hex::encode(checkpoint.root)));
        Ok(())
    })?;
    let (mut seen, mut foreign) = (0, 0_u64);
    for (number, line) in (1_u64..).zip(text.lines()) {
        ensure!(line.len() <= WITNESS_LINE_MAX, "line {number} of {} is too long", witness.display());
        let Some((_, json)) = line.split_once('{') else { continue };
        let said: Witnessed = serde_json::from_str(&format!("{{{json}"))
            .with_context(|| format!("line {number} of {} is no checkpoint", witness.display()))?;
        if said.origin != origin {
            foreign += 1;
            continue;
        }
        seen += 1;
        match held.get(&said.first) {
            Some((count, root)) if *count == said.count && *root == said.root => {}
            Some(_) => bail!("from line {} on another list was witnessed than this one", said.first),
            None => bail!("{} lines from line {} on were witnessed and are not here", said.count, said.first),
        }
    }
    ensure!(seen > 0 || foreign == 0, "{} has seen another ledger, and nothing of this one", witness.display());
    Ok(seen)
}

/// Writes lines, what they carried, checkpoints and signatures as JSON, one object a line. Returns how many lines.
pub fn export(reader: &Reader, identity: &Identity, out: &mut impl Write) -> anyhow::Result<u64> {
    let header = json!({
        "format": FORMAT,
        "box": identity.peer.box_id,
        "site": identity.peer.site,
        "origin": hex::encode(reader.egress_origin()?),
        "certificate": BASE64.encode(&identity.certificate),
        "ca": BASE64.encode(&identity.ca),
    });
    writeln!(out, "{header}")?;
    let mut from = 0;
    loop {
        let some = reader.egress(from, STEP)?;
        if some.is_empty() {
            break;
        }
        for entry in &some {
            let body = reader.egress_body(entry.index)?;
            writeln!(out, "{}", line(entry, body.as_deref()))?;
            from = entry.index.saturating_add(1);
        }
    }
    each_checkpoint(reader, 0, |checkpoint| {
        let signed = reader.testimony(checkpoint.first, Witness::Box)?;
        let cloud = reader.testimony(checkpoint.first, Witness::Cloud)?;
        Ok(writeln!(out, "{}", covered(checkpoint, signed, cloud))?)
    })?;
    out.flush()?;
    Ok(from)
}

/// What a line's contents say, word for word; None for what only its ends can read.
pub fn words(class: Class, body: &[u8]) -> Option<serde_json::Value> {
    let body = match class {
        Class::Metric | Class::Health | Class::Notice => body,
        Class::OverflowMedia => return None,
        // A frame of the link: its length and its format come first.
        _ => body.get(frame::BODY_AT..)?,
    };
    ciborium::from_reader::<ciborium::Value, _>(body).ok().map(plain)
}

/// CBOR as JSON: bytes by their number, for they are ids, hashes and what automerge encodes.
fn plain(value: ciborium::Value) -> serde_json::Value {
    use ciborium::Value;
    match value {
        Value::Bool(is) => is.into(),
        Value::Text(text) => text.into(),
        Value::Bytes(bytes) if bytes.len() <= 32 => hex::encode(bytes).into(),
        Value::Bytes(bytes) => format!("{} bytes", bytes.len()).into(),
        Value::Integer(number) => {
            i64::try_from(number).map_or_else(|_| i128::from(number).to_string().into(), Into::into)
        }
        Value::Float(number) => number.into(),
        Value::Array(all) if all.len() == 32 && all.iter().all(Value::is_integer) => hash(&all).into(),
        Value::Array(all) => all.into_iter().map(plain).collect(),
        Value::Map(pairs) => {
            let named = |(name, value): (Value, Value)| Some((name.into_text().ok()?, plain(value)));
            serde_json::Value::Object(pairs.into_iter().filter_map(named).collect())
        }
        _ => serde_json::Value::Null,
    }
}

fn hash(bytes: &[ciborium::Value]) -> String {
    let byte = |value: &ciborium::Value| value.as_integer().and_then(|number| u8::try_from(number).ok());
    hex::encode(bytes.iter().filter_map(byte).collect::<Vec<_>>())
}

fn line(entry: &Entry, body: Option<&[u8]>) -> serde_json::Value {
    json!({
        "line": entry.index,
        "at": entry.at,
        "class": entry.kind.code(),
        "is": entry.kind.name(),
        "bytes": entry.bytes,
        "sha256": hex::encode(entry.sha256),
        "hash": hex::encode(entry.hash),
        "body": body.map(|body| BASE64.encode(body)),
    })
}

fn covered(checkpoint: &Checkpoint, signed: Option<Testimony>, cloud: Option<Testimony>) -> serde_json::Value {
    json!({
        "checkpoint": checkpoint.first,
        "count": checkpoint.count,
        "at": checkpoint.at,
        "root": hex::encode(checkpoint.root),
        "signature": signed.map(|said| hex::encode(said.signature)),
        "seen": cloud.as_ref().map(|said| said.at),
        "witness": cloud.map(|said| hex::encode(said.signature)),
    })
}
