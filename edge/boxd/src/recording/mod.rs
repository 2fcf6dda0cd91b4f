//! `boxd recording play|export|verify|rekey`: what a supervisor or a court wants of a recording. Decrypted audio goes to
//! memory, to standard output, or where the person said; never to a temporary file (S-43).

mod rekey;

use std::{
    io::{Cursor, Read},
    path::Path,
};

use anyhow::{Context, bail};
use aws_lc_rs::digest;
use media::record::{self, Journal};
use serde::Serialize;

pub use rekey::{Rekey, Summary};

/// Largest journal that is read at once: eight hours of two legs.
const FILE_BYTES_MAX: u64 = 700 * 1024 * 1024;

/// Of the one stream of an Ogg file.
const SERIAL: u32 = 1;

/// What is exported beside the sound: enough to check it without our software.
#[derive(Debug, Serialize)]
pub struct Manifest {
    pub recording: String,
    pub site: String,
    /// Milliseconds since 1970.
    pub started: i64,
    pub ms: u64,
    pub chunks: u32,
    pub frames: u64,
    /// Sealed after a crash or power cut, at the last whole chunk.
    pub recovered: bool,
    /// Over the journal's bytes before its trailer.
    pub journal_sha256: String,
    /// Over the exported sound, whatever it is: a WAV file, or Ogg Opus.
    pub wav_sha256: String,
}

/// Reads and proves a recording; an error names the chunk that was changed.
pub fn verify(path: &Path, key: &[u8; 32]) -> anyhow::Result<Journal> {
    let journal = read(path, key)?;
    match journal.fault {
        None => Ok(journal),
        Some(fault) => bail!("{}: {fault}", path.display()),
    }
}

/// Whether this key opens a recording at all; its head alone is looked at.
pub fn opens(path: &Path, key: &[u8; 32]) -> bool {
    let mut head = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(record::HEAD_LEN as u64).read_to_end(&mut head));
    read.is_ok() && record::read(&head, key).is_ok()
}

fn read(path: &Path, key: &[u8; 32]) -> anyhow::Result<Journal> {
    let size = std::fs::metadata(path).with_context(|| format!("{} cannot be read", path.display()))?.len();
    anyhow::ensure!(size <= FILE_BYTES_MAX, "{} is larger than any recording", path.display());
    record::read(&std::fs::read(path)?, key).with_context(|| path.display().to_string())
}

/// What is proven. An unsealed recording is read to its last whole chunk; one that was changed is refused.
fn proven(path: &Path, key: &[u8; 32]) -> anyhow::Result<Journal> {
    let journal = read(path, key)?;
    match journal.fault {
        None | Some(record::Fault::Unsealed(_) | record::Fault::Torn(_)) => Ok(journal),
        Some(fault) => bail!("{}: {fault}", path.display()),
    }
}

/// Stereo WAV of what is proven: the caller left, the agent right.
pub fn wav(path: &Path, key: &[u8; 32]) -> anyhow::Result<Vec<u8>> {
    render(&proven(path, key)?)
}

/// How loud it is where, in so many stretches at most.
pub fn peaks(path: &Path, key: &[u8; 32], count: usize) -> anyhow::Result<record::Peaks> {
    Ok(record::peaks(&proven(path, key)?.frames, count))
}

fn render(journal: &Journal) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Cursor::new(Vec::new());
    let sound = record::stereo(&journal.frames);
    let spec = hound::WavSpec {
        channels: record::CHANNELS,
        sample_rate: sound.rate,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::new(&mut bytes, spec)?;
    for sample in sound.samples {
        writer.write_sample(sample)?;
    }
    writer.finalize()?;
    Ok(bytes.into_inner())
}

/// Writes the sound and, beside it, `….json`: the manifest. A name that ends in `.opus` or `.ogg` makes it Ogg Opus, any
/// other a WAV file.
pub fn export(path: &Path, key: &[u8; 32], out: &Path) -> anyhow::Result<Manifest> {
    let journal = verify(path, key)?;
    let trailer = journal.trailer.as_ref().context("a proven recording has a trailer")?;
    let opus = out.extension().is_some_and(|ending| ending == "opus" || ending == "ogg");
    let sound = if opus { record::ogg_opus(&journal.frames, SERIAL)? } else { render(&journal)? };
    let manifest = Manifest {
        recording: journal.header.recording.clone(),
        site: journal.header.site.clone(),
        started: journal.header.started,
        ms: trailer.ms,
        chunks: trailer.chunks,
        frames: trailer.frames,
        recovered: trailer.recovered,
        journal_sha256: trailer.sha256.clone(),
        wav_sha256: hex::encode(digest::digest(&digest::SHA256, &sound)),
    };
    std::fs::write(out, &sound).with_context(|| format!("{} cannot be written", out.display()))?;
    let beside = out.with_extension("json");
    std::fs::write(&beside, serde_json::to_vec_pretty(&manifest)?)
        .with_context(|| format!("{} cannot be written", beside.display()))?;
    Ok(manifest)
}
