//! The calls process' end of the socket to *media*: commands out, events in, reconnect for ever. When *media* died the
//! engine is told, so that legs get fresh ports.

use std::{path::PathBuf, time::Duration};

use media::plane::{Command, Event};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, BufReader},
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::mpsc,
    time::sleep,
};
use tracing::{info, warn};

/// Longest frame, either way.
const FRAME_BYTES_MAX: u32 = 64 * 1024;
/// Commands waiting for the socket; a full queue means *media* hangs, and the connection is made anew.
const COMMANDS_MAX: usize = 4_096;
const EVENTS_MAX: usize = 4_096;
/// Commands that leave in one write.
const WRITE_MAX: usize = 64;
const RETRY: Duration = Duration::from_millis(50);

/// What arrives from the media process.
#[derive(Debug)]
pub enum FromMedia {
    /// A connection stands. `fresh` is false for the first of this process' life.
    Connected {
        fresh: bool,
    },
    Event(Event),
}

pub struct MediaClient {
    commands: mpsc::Sender<Command>,
}

impl MediaClient {
    /// Starts the connection's task. `generation` tells *media* which life of *calls* is speaking.
    pub fn start(socket: PathBuf, generation: u64) -> (Self, mpsc::Receiver<FromMedia>) {
        let (commands, commands_in) = mpsc::channel(COMMANDS_MAX);
        let (events_out, events) = mpsc::channel(EVENTS_MAX);
        tokio::spawn(keep_connected(socket, generation, commands_in, events_out));
        (Self { commands }, events)
    }

    /// Hands over a command; false when the queue is full (the media process does not read).
    pub fn send(&self, command: Command) -> bool {
        self.commands.try_send(command).is_ok()
    }
}

async fn keep_connected(
    socket: PathBuf,
    generation: u64,
    mut commands: mpsc::Receiver<Command>,
    events: mpsc::Sender<FromMedia>,
) {
    let mut fresh = false;
    while !events.is_closed() {
        let Ok(stream) = UnixStream::connect(&socket).await else {
            sleep(RETRY).await;
            continue;
        };
        // What was queued for a dead process means nothing to a new one: its ports are gone.
        while fresh && commands.try_recv().is_ok() {}
        let (reader, writer) = stream.into_split();
        let hello = Command::Hello { generation };
        info!("connected to the media process");
        if events.send(FromMedia::Connected { fresh }).await.is_err() {
            return;
        }
        fresh = true;
        tokio::select! {
            end = read(reader, &events) => warn!(why = %end, "the media process is gone"),
            end = write(writer, hello, &mut commands) => warn!(why = %end, "the media process does not read"),
        }
    }
}

async fn read(reader: OwnedReadHalf, events: &mpsc::Sender<FromMedia>) -> String {
    let mut reader = BufReader::new(reader);
    loop {
        let frame = match read_frame(&mut reader).await {
            Ok(frame) => frame,
            Err(error) => return error.to_string(),
        };
        match serde_json::from_slice(&frame) {
            Ok(event) => {
                if events.send(FromMedia::Event(event)).await.is_err() {
                    return "the calls engine ended".into();
                }
            }
            Err(error) => return format!("a frame that is no event: {error}"),
        }
    }
}

async fn write(mut writer: OwnedWriteHalf, hello: Command, commands: &mut mpsc::Receiver<Command>) -> String {
    let mut frames = Vec::new();
    let mut next = Some(hello);
    while let Some(command) = next {
        frames.clear();
        let mut written = append_frame(&mut frames, &command);
        for _ in 1..WRITE_MAX {
            let Ok(command) = commands.try_recv() else { break };
            written = written.and_then(|()| append_frame(&mut frames, &command));
        }
        if let Err(error) = written {
            return error.to_string();
        }
        if let Err(error) = writer.write_all(&frames).await {
            return error.to_string();
        }
        next = commands.recv().await;
    }
    "the calls engine ended".into()
}

async fn read_frame(reader: &mut BufReader<OwnedReadHalf>) -> std::io::Result<Vec<u8>> {
    let length = reader.read_u32().await?;
    if length > FRAME_BYTES_MAX {
        return Err(std::io::Error::other(format!("a frame of {length} bytes, {FRAME_BYTES_MAX} at most")));
    }
    let mut frame = vec![0; length as usize];
    reader.read_exact(&mut frame).await?;
    Ok(frame)
}

fn append_frame(frames: &mut Vec<u8>, command: &Command) -> std::io::Result<()> {
    let body = serde_json::to_vec(command)?;
    let length = u32::try_from(body.len()).map_err(std::io::Error::other)?;
    frames.extend_from_slice(&length.to_be_bytes());
    frames.extend_from_slice(&body);
    Ok(())
}
