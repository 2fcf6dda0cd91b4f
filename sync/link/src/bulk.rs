//! Bundles on a *bulk* connection: served from a folder at a bounded rate, fetched into a spool folder, resumed where
//! the last attempt ended, and only then called by their name when size and hash are right.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use aws_lc_rs::digest::{Context, SHA256};
use tokio::{
    fs,
    io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt},
    sync::Mutex,
};
use wire::{
    bucket::Bucket,
    frame::{Bundle, bundle_version},
};

use crate::{
    client::{self, Client},
    code,
    opening::{self, Answer, Refusal},
    server::BulkArrival,
};

const CHUNK: usize = 32 * 1024;
/// A stalled transfer is given up and tried again later.
const STALL_MAX: Duration = Duration::from_secs(60);

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the offer is unsound: {0:?}")]
    Offer(String),
    #[error("{path}: {source}")]
    File { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Connect(#[from] client::Error),
    #[error("reading: {0}")]
    Read(#[from] quinn::ReadError),
    #[error("offered {offered} bytes, served {served}")]
    Size { offered: u64, served: u64 },
    #[error("the bundle's hash is another")]
    Hash,
    #[error("the transfer stalled")]
    Stalled,
}

/// Fetches a bundle into `spool`, unless it is there. The file's presence under its name means that it is whole.
pub async fn fetch(client: &Client, bundle: &Bundle, spool: &Path) -> Result<PathBuf, Error> {
    if !bundle.is_sound() {
        return Err(Error::Offer(bundle.name.clone()));
    }
    let done = spool.join(&bundle.name);
    let part = spool.join(format!("{}.{}.part", bundle.name, bundle.sha256.get(..16).unwrap_or_default()));
    fs::create_dir_all(spool).await.map_err(|source| file(spool, source))?;
    if hash(&done, u64::MAX).await.is_ok_and(|(size, sha256)| size == bundle.size && sha256 == bundle.sha256) {
        return Ok(done);
    }
    let offset = fs::metadata(&part).await.map_or(0, |meta| meta.len());
    if offset < bundle.size || bundle.size == 0 {
        transfer(client, bundle, &part, offset).await?;
    }
    let (size, sha256) = hash(&part, bundle.size.saturating_add(1)).await?;
    if size != bundle.size || !sha256.eq_ignore_ascii_case(&bundle.sha256) {
        fs::remove_file(&part).await.map_err(|source| file(&part, source))?;
        return Err(Error::Hash);
    }
    fs::rename(&part, &done).await.map_err(|source| file(&done, source))?;
    sync_folder(spool).await?;
    Ok(done)
}

async fn transfer(client: &Client, bundle: &Bundle, part: &Path, offset: u64) -> Result<(), Error> {
    let (connection, served, mut stream) = client.bulk(&bundle.name, offset).await?;
    if served != bundle.size {
        return Err(Error::Size { offered: bundle.size, served });
    }
    let opened = fs::OpenOptions::new().create(true).append(true).open(part).await;
    let mut out = opened.map_err(|source| file(part, source))?;
    let mut written = offset;
    loop {
        let chunk = tokio::time::timeout(STALL_MAX, stream.read_chunk(CHUNK, true)).await;
        let Some(chunk) = chunk.map_err(|_| Error::Stalled)?? else { break };
        written = written.saturating_add(u64::try_from(chunk.bytes.len()).unwrap_or(u64::MAX));
        // S-101: no more is taken than was offered.
        if written > bundle.size {
            return Err(Error::Size { offered: bundle.size, served: written });
        }
        out.write_all(&chunk.bytes).await.map_err(|source| file(part, source))?;
    }
    out.flush().await.map_err(|source| file(part, source))?;
    out.sync_all().await.map_err(|source| file(part, source))?;
    connection.close(code::DONE, b"");
    Ok(())
}

/// Size and SHA-256 in hex of a file, reading no more than `limit` bytes.
pub async fn hash(path: &Path, limit: u64) -> Result<(u64, String), Error> {
    let opened = fs::File::open(path).await.map_err(|source| file(path, source))?;
    let mut input = opened.take(limit);
    let mut context = Context::new(&SHA256);
    let mut buffer = vec![0; 256 * 1024];
    let mut size = 0_u64;
    loop {
        let count = input.read(&mut buffer).await.map_err(|source| file(path, source))?;
        if count == 0 {
            return Ok((size, hex::encode(context.finish())));
        }
        context.update(buffer.get(..count).unwrap_or_default());
        size = size.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
    }
}

/// Serves one request from `folder`; all transfers share the bucket, whose tokens are bytes.
pub async fn serve(mut arrival: BulkArrival, folder: &Path, pace: &Mutex<Bucket>) -> Result<u64, Error> {
    let path = folder.join(&arrival.name);
    let found = if bundle_version(&arrival.name).is_some() { fs::File::open(&path).await.ok() } else { None };
    let size = match &found {
        Some(opened) => opened.metadata().await.ok().filter(|meta| meta.is_file()).map(|meta| meta.len()),
        None => None,
    };
    let (Some(mut input), Some(size)) = (found, size.filter(|size| arrival.offset <= *size)) else {
        arrival.refuse(Refusal::NoSuchBundle).await;
        return Ok(0);
    };
    opening::write(&mut arrival.send, &Answer::Ready { size }).await.map_err(client::Error::from)?;
    input.seek(std::io::SeekFrom::Start(arrival.offset)).await.map_err(|source| file(&path, source))?;
    let mut buffer = vec![0; CHUNK];
    let mut sent = 0_u64;
    loop {
        let count = input.read(&mut buffer).await.map_err(|source| file(&path, source))?;
        if count == 0 {
            break;
        }
        wait(pace, count).await;
        let chunk = buffer.get(..count).unwrap_or_default();
        arrival.send.write_all(chunk).await.map_err(|e| client::Error::Opening(e.into()))?;
        sent = sent.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
    }
    let _ = arrival.send.finish();
    let _ = tokio::time::timeout(STALL_MAX, arrival.connection.closed()).await;
    Ok(sent)
}

async fn wait(pace: &Mutex<Bucket>, bytes: usize) {
    // A chunk is far below 2^52 bytes.
    let count = f64::from(u32::try_from(bytes).unwrap_or(u32::MAX));
    loop {
        let delay = match pace.lock().await.take(Instant::now(), count) {
            Ok(()) => return,
            Err(delay) => delay,
        };
        tokio::time::sleep(delay.min(Duration::from_secs(1))).await;
    }
}

async fn sync_folder(path: &Path) -> Result<(), Error> {
    let folder = fs::File::open(path).await.map_err(|source| file(path, source))?;
    folder.sync_all().await.map_err(|source| file(path, source))
}

fn file(path: &Path, source: std::io::Error) -> Error {
    Error::File { path: path.to_owned(), source }
}
