//! Two of the box's local proofs, run again every minute away from any call: audio crosses a join between two ports of a
//! real engine over real sockets, and a test recording is written, sealed, read back and verified.

use std::{
    net::UdpSocket,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use ledger::BranchKey;
use media::{
    engine::{Awaited, Engine, Prompts, Sink, Slot, TapeId},
    plane::{Codec, Command, PortId, Remote},
    record::{self, Batch, Heard},
    rtp::{self, Header},
};
use rand::Rng;
use tracing::warn;

use super::MediaConfig;

const EVERY: Duration = Duration::from_secs(60);
const RETRY: Duration = Duration::from_secs(5);

pub struct SelfTest {
    audio: AtomicBool,
    recording: AtomicBool,
}

impl SelfTest {
    /// (audio, recording)
    pub fn results(&self) -> (bool, bool) {
        (self.audio.load(Ordering::Relaxed), self.recording.load(Ordering::Relaxed))
    }
}

/// Starts the thread that tests.
pub fn start(config: &MediaConfig, key: Option<BranchKey>) -> Arc<SelfTest> {
    let results = Arc::new(SelfTest { audio: AtomicBool::new(false), recording: AtomicBool::new(false) });
    let (shared, config) = (results.clone(), config.clone());
    let spawned = std::thread::Builder::new().name("selftest".into()).spawn(move || {
        loop {
            let audio = told("audio", audio(&config));
            let recording = told("recording", recording(&config.recordings, key.as_ref()));
            shared.audio.store(audio, Ordering::Relaxed);
            shared.recording.store(recording, Ordering::Relaxed);
            std::thread::sleep(if audio && recording { EVERY } else { RETRY });
        }
    });
    if let Err(error) = spawned {
        warn!(%error, "the self-test cannot start");
    }
    results
}

fn told(what: &str, result: anyhow::Result<()>) -> bool {
    result.map_err(|error| warn!(what, "the self-test failed: {error:#}")).is_ok()
}

/// Sends packets into one side of a join and hears them on the other, through sockets on the box's own RTP address.
fn audio(config: &MediaConfig) -> anyhow::Result<()> {
    let bind = || UdpSocket::bind((config.rtp_ip, 0)).context("a socket on the RTP address");
    let (speaker, in_port, out_port, listener) = (bind()?, bind()?, bind()?, bind()?);
    for socket in [&in_port, &listener] {
        socket.set_read_timeout(Some(Duration::from_secs(1)))?;
    }
    let (a, b) = (PortId(1), PortId(2));
    let mut engine = Engine::new(2, [1; 32]);
    let mut net = OneWay { out: &out_port };
    let mut slots = Vec::new();
    for (port, peer) in [(a, &speaker), (b, &listener)] {
        slots.extend(engine.open(Instant::now(), port));
        let remote = Remote::clear(peer.local_addr()?, Codec::Pcma, None);
        engine.handle_command(Instant::now(), Command::Connect { port, remote }, &mut Nothing, &mut net);
    }
    engine.handle_command(Instant::now(), Command::Join { a, b }, &mut Nothing, &mut net);
    let first = *slots.first().context("a port")?;
    for n in 0..10_u8 {
        let header =
            Header { marker: n == 0, payload_type: 8, sequence: n.into(), timestamp: u32::from(n) * 160, ssrc: 1 };
        let mut packet = rtp::write(&header).to_vec();
        packet.extend([n.wrapping_mul(13); 160]);
        speaker.send_to(&packet, in_port.local_addr()?)?;
        let mut buffer = [0; 400];
        let (length, source) = in_port.recv_from(&mut buffer)?;
        engine.handle_packet(Instant::now(), first, source, buffer.get(..length).unwrap_or_default(), &mut net);
        let length = listener.recv(&mut buffer).context("nothing crossed the join")?;
        let heard = rtp::parse(buffer.get(..length).unwrap_or_default()).context("what crossed is no RTP")?.1;
        ensure!(heard == [n.wrapping_mul(13); 160], "the audio changed on its way");
    }
    Ok(())
}

struct OneWay<'a> {
    out: &'a UdpSocket,
}

impl Sink for OneWay<'_> {
    fn send(&mut self, _slot: Slot, to: std::net::SocketAddr, packet: &[u8]) {
        let _ = self.out.send_to(packet, to);
    }

    fn send_report(&mut self, _slot: Slot, _to: std::net::SocketAddr, _packet: &[u8]) {}

    fn lock(&mut self, _slot: Slot, _to: std::net::SocketAddr) {}

    fn unlock(&mut self, _slot: Slot) {}

    fn record_begin(&mut self, _tape: TapeId, _recording: &str) {}

    fn batch(&mut self, _tape: TapeId, batch: &mut Batch) {
        batch.clear();
    }

    fn batches_end(&mut self) {}

    fn record_end(&mut self, _tape: TapeId) {}

    fn close(&mut self, _slot: Slot) {}
}

struct Nothing;

impl Prompts for Nothing {
    fn prompt(&mut self, _name: &str) -> Option<Awaited> {
        None
    }
}

/// One second of a test recording through the real disk and the real key.
fn recording(folder: &Path, key: Option<&BranchKey>) -> anyhow::Result<()> {
    let key = key.context("there is no branch key")?;
    let mut random = [0; 44];
    rand::rng().fill_bytes(&mut random);
    let (mut writer, mut bytes) = record::Writer::begin("selftest", "selftest", 0, key.bytes(), &random)?;
    let mut batch = Batch::default();
    for n in 0..50_u32 {
        let (side, codec) = (media::plane::Side::Caller, Codec::Pcma);
        let heard = Heard { side, codec, timestamp: n * 160, at_ms: n * 20, payload: &[0x2a; 160] };
        if !batch.push(&heard) || n == 49 {
            bytes.extend(writer.seal(&mut batch)?);
            batch.clear();
        }
        if n < 49 && batch.is_empty() {
            ensure!(batch.push(&heard), "a frame finds no room");
        }
    }
    let (last, trailer) = writer.end()?;
    bytes.extend(last);
    let path = folder.join(".selftest");
    {
        let mut file = std::fs::File::create(&path)?;
        std::io::Write::write_all(&mut file, &bytes)?;
        file.sync_all()?;
    }
    let journal = record::read(&std::fs::read(&path)?, key.bytes())?;
    std::fs::remove_file(&path)?;
    ensure!(
        journal.fault.is_none() && journal.trailer.as_ref() == Some(&trailer),
        "the recording does not prove itself"
    );
    ensure!(journal.frames.len() == 50, "frames are missing");
    Ok(())
}
