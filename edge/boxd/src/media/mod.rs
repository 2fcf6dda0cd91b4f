//! The *media* process: RTP sockets, the 20 ms tick, the recorder. It decides nothing: `media::engine` does. It never
//! has a route to the cloud, and it goes on when *calls* dies.

mod control;
mod numbers;
mod pace;
mod prompts;
mod recorder;
mod relay;
pub mod selftest;
mod speech;
mod wire;

use std::{net::IpAddr, ops::RangeInclusive, path::PathBuf, sync::Arc};

use anyhow::Context;
use prometheus::Registry;
use tracing::{error, warn};

use crate::{keys::Keys, observe};
pub use numbers::{QUARANTINE, of_range};
use prompts::Shelf;
use speech::Espeak;
pub use speech::version as voice_of;

/// What the media process needs to know.
#[derive(Debug, Clone)]
pub struct MediaConfig {
    /// The Unix socket on which *calls* finds it.
    pub socket: PathBuf,
    pub rtp_ip: IpAddr,
    pub rtp_ports: RangeInclusive<u16>,
    pub prompts: PathBuf,
    /// The program that says words; None: nothing is said that is no file.
    pub speech: Option<PathBuf>,
    pub recordings: PathBuf,
    pub keys: Keys,
    pub site: String,
    pub metrics: std::net::SocketAddr,
    /// False: epoll, even where io_uring is to be had.
    pub io_uring: bool,
    /// Who is decoded, of two who share no codec or of several who talk together, is brought near one loudness.
    pub level: bool,
}

/// Runs until the process is told to end.
pub async fn run(config: MediaConfig) -> anyhow::Result<()> {
    // The allocator asks for pages of 2 MB, of which a hundred calls touch many and fill none.
    if let Err(error) = nix::sys::prctl::set_thp_disable(true) {
        warn!(%error, "calls will take more memory than they need");
    }
    std::fs::create_dir_all(&config.recordings).context("the recordings' folder")?;
    // Calls are heard without it, and not recorded.
    let key = config.keys.load_or_create().inspect_err(|error| error!("nothing is recorded: {error:#}")).ok();
    if let Some(key) = &key {
        recorder::recover_all(&config.recordings, key);
    }
    let registry = Registry::new();
    let counters = Arc::new(relay::Counters::new(&registry)?);
    let (to_relay, relay_in) = relay::channel()?;
    let (events_out, events) = tokio::sync::mpsc::channel(relay::EVENTS_MAX);
    let recorder = recorder::start(
        config.recordings.clone(),
        config.site.clone(),
        key.clone(),
        to_relay.clone(),
        counters.unrecorded.clone(),
    )?;
    let (voice, say) =
        config.speech.clone().map(|program| speech::start(Espeak::new(program), to_relay.clone())).unzip();
    let shelf = Shelf::new(config.prompts.clone(), voice, to_relay.clone())?;
    relay::start(&config, relay_in, events_out, recorder, shelf, counters.clone())?;
    let tested = selftest::start(&config, key);
    let status: observe::Status = Arc::new(move || {
        let (audio, recording) = tested.results();
        serde_json::json!({ "audio": audio, "recording": recording, "ports": counters.ports() })
    });
    tokio::select! {
        ended = control::serve(&config.socket, to_relay, events) => ended,
        () = async { match say { Some(say) => say.await, None => std::future::pending().await } } => Ok(()),
        ended = observe::serve(config.metrics, registry, status) => ended,
    }
}
