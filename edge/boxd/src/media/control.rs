//! The socket to *calls*: one connection at a time, length-prefixed JSON both ways. When the connection ends, audio goes
//! on; the next connection's `Hello` says whose ports are orphans.

use std::path::Path;

use anyhow::Context;
use media::plane::{Command, Event};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
};
use tracing::{info, warn};

use super::relay::{Request, ToRelay};

const FRAME_BYTES_MAX: u32 = 64 * 1024;
/// Events that leave in one write.
const WRITE_MAX: usize = 64;

pub async fn serve(
    path: &Path,
    commands: ToRelay,
    mut events: tokio::sync::mpsc::Receiver<Event>,
) -> anyhow::Result<()> {
    let _ = std::fs::remove_file(path);
    let listener = UnixListener::bind(path).with_context(|| format!("cannot listen on {}", path.display()))?;
    loop {
        let (stream, _) = listener.accept().await.context("the media socket")?;
        info!("the calls process is connected");
        // Events of a time when nobody listened mean nothing to a new life of *calls*.
        while events.try_recv().is_ok() {}
        commands.send(Request::Announce);
        let why = talk(stream, &commands, &mut events).await;
        warn!(%why, "the calls process is gone; audio goes on");
    }
}

async fn talk(stream: UnixStream, commands: &ToRelay, events: &mut tokio::sync::mpsc::Receiver<Event>) -> String {
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    let read = async {
        loop {
            match read_command(&mut reader).await {
                Ok(command) => {
                    if !commands.send(Request::Command(command)) {
                        return "more commands than the relay can take".to_owned();
                    }
                }
                Err(error) => return error.to_string(),
            }
        }
    };
    let write = async {
        let mut frames = Vec::new();
        while let Some(event) = events.recv().await {
            frames.clear();
            let mut written = append_event(&mut frames, &event);
            for _ in 1..WRITE_MAX {
                let Ok(event) = events.try_recv() else { break };
                written = written.and_then(|()| append_event(&mut frames, &event));
            }
            if let Err(error) = written {
                return error.to_string();
            }
            if let Err(error) = writer.write_all(&frames).await {
                return error.to_string();
            }
        }
        "the relay ended".to_owned()
    };
    tokio::select! { why = read => why, why = write => why }
}

async fn read_command(reader: &mut (impl AsyncReadExt + Unpin)) -> std::io::Result<Command> {
    let length = reader.read_u32().await?;
    if length > FRAME_BYTES_MAX {
        return Err(std::io::Error::other(format!("a frame of {length} bytes, {FRAME_BYTES_MAX} at most")));
    }
    let mut frame = vec![0; length as usize];
    reader.read_exact(&mut frame).await?;
    serde_json::from_slice(&frame).map_err(std::io::Error::other)
}

fn append_event(frames: &mut Vec<u8>, event: &Event) -> std::io::Result<()> {
    let body = serde_json::to_vec(event)?;
    let length = u32::try_from(body.len()).map_err(std::io::Error::other)?;
    frames.extend_from_slice(&length.to_be_bytes());
    frames.extend_from_slice(&body);
    Ok(())
}
