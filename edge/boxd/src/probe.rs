//! The local proofs behind the health file: asks the registrar with a real OPTIONS, and *calls* and *media* for their
//! status. Nothing here needs the WAN, and nothing here may disturb a call.

use std::{net::SocketAddr, time::Duration};

use model::leaving::Alone;
use serde_json::Value;
use sip::endpoint::Transport;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UdpSocket},
    sync::watch,
    time::{interval, timeout},
};

use crate::{config::BoxConfig, health::Checks};

const EVERY: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(1);
/// A status document is small.
const STATUS_BYTES_MAX: u64 = 64 * 1024;

/// What the last look saw.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    pub checks: Checks,
    /// Calls in progress.
    pub calls: u32,
    /// Whether a call for help can go out, as *calls* says; None while it says nothing.
    pub help: Option<String>,
    /// How long the box can run cut off, by each thing that ends.
    pub alone: Vec<Alone>,
}

/// Looks every two seconds until the receiver is gone.
pub async fn run(config: BoxConfig, seen: watch::Sender<Seen>) {
    let mut rounds = interval(EVERY);
    let mut round: u32 = 0;
    while !seen.is_closed() {
        rounds.tick().await;
        round = round.wrapping_add(1);
        let _ = seen.send(look(&config, round).await);
    }
}

async fn look(config: &BoxConfig, round: u32) -> Seen {
    let calls = status(config.metrics_of(0)).await;
    let media = status(config.metrics_of(1)).await;
    let checks = Checks {
        config: truth(&calls, "config"),
        ledger: truth(&calls, "ledger"),
        registrar: registrar(config, round).await,
        audio: truth(&media, "audio"),
        recording: truth(&media, "recording"),
    };
    let in_progress = calls.get("calls").and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
    let help = calls.get("help").and_then(Value::as_str).map(str::to_owned);
    let alone = calls.get("alone").cloned().and_then(|alone| serde_json::from_value(alone).ok()).unwrap_or_default();
    Seen { checks, calls: in_progress.unwrap_or(0), help, alone }
}

async fn registrar(config: &BoxConfig, round: u32) -> bool {
    for (transport, address) in &config.sip.listen {
        let answer = match transport {
            Transport::Udp => timeout(PATIENCE, options(*address, &config.sip.domain, round)).await,
            _ => timeout(PATIENCE, async { TcpStream::connect(address).await.map(drop) }).await,
        };
        if !answer.is_ok_and(|answer| answer.is_ok()) {
            return false;
        }
    }
    true
}

fn truth(status: &Value, key: &str) -> bool {
    status.get(key).and_then(Value::as_bool).unwrap_or(false)
}

/// RFC 3261 §11: an OPTIONS to the box itself; any final answer proves that the endpoint is at work.
async fn options(address: SocketAddr, domain: &str, round: u32) -> std::io::Result<()> {
    let socket = UdpSocket::bind(SocketAddr::new(address.ip(), 0)).await?;
    let local = socket.local_addr()?;
    let pid = std::process::id();
    let message = format!(
        "OPTIONS sip:{domain} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bKprobe{pid}x{round};rport\r\n\
         Max-Forwards: 0\r\nFrom: <sip:probe@{domain}>;tag=p{round}\r\nTo: <sip:{domain}>\r\n\
         Call-ID: probe-{pid}-{round}\r\nCSeq: {round} OPTIONS\r\nContent-Length: 0\r\n\r\n"
    );
    socket.send_to(message.as_bytes(), address).await?;
    let mut buffer = [0; 2048];
    loop {
        let (length, from) = socket.recv_from(&mut buffer).await?;
        if from == address && buffer.get(..length).is_some_and(|bytes| bytes.starts_with(b"SIP/2.0 ")) {
            return Ok(());
        }
    }
}

/// GET /status; Null when there is no answer.
pub async fn status(address: SocketAddr) -> Value {
    timeout(PATIENCE, fetch(address)).await.ok().and_then(Result::ok).unwrap_or(Value::Null)
}

async fn fetch(address: SocketAddr) -> anyhow::Result<Value> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(format!("GET /status HTTP/1.0\r\nHost: {address}\r\n\r\n").as_bytes()).await?;
    let mut body = Vec::new();
    stream.take(STATUS_BYTES_MAX).read_to_end(&mut body).await?;
    let start = body.windows(4).position(|window| window == b"\r\n\r\n").map_or(0, |at| at + 4);
    Ok(serde_json::from_slice(body.get(start..).unwrap_or_default())?)
}
