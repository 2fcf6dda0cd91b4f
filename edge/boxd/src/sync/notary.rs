//! Signs the checkpoints of the egress ledger and shows them to the customer's own witnesses, whether there is a link or
//! not. The cloud sees them over the link (`linked`).

use std::{io::Write, sync::Arc, time::Duration};

use anyhow::Context;
use gate::Checkpoint;
use ledger::{Testimony, Witness};
use link::identity::Identity;
use model::Millis;
use serde_json::json;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpStream, UdpSocket},
    time::{MissedTickBehavior, interval, timeout},
};

use super::{figures::Figures, memory::Memory, now};
use crate::config::Sink;

const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Checkpoints in one step.
const STEP: usize = 200;
/// A sink that takes longer is tried again at the next look.
const PATIENCE: Duration = Duration::from_secs(5);
/// RFC 5424 §6.2.1: log audit (13), informational (6).
const PRIORITY: u32 = 13 * 8 + 6;

pub struct Notary {
    identity: Arc<Identity>,
    memory: Memory,
    sinks: Vec<Sink>,
    figures: Figures,
    /// The ledger's version that was looked at.
    version: Option<u64>,
}

impl Notary {
    pub fn new(identity: Arc<Identity>, memory: Memory, sinks: Vec<Sink>, figures: Figures) -> Self {
        Self { identity, memory, sinks, figures, version: None }
    }

    pub async fn forever(mut self) {
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut failing = false;
        loop {
            look.tick().await;
            match self.look().await {
                Ok(()) => failing = false,
                Err(error) => {
                    if !failing {
                        tracing::warn!(error = format!("{error:#}"), "what left is not witnessed for now");
                    }
                    // The same again at the next look, whether anything was written or not.
                    (failing, self.version) = (true, None);
                }
            }
        }
    }

    async fn look(&mut self) -> anyhow::Result<()> {
        let version = self.memory.version().await?;
        if self.version == Some(version) {
            return Ok(());
        }
        while self.step().await? {}
        self.version = Some(version);
        Ok(())
    }

    /// Whether there may be more.
    async fn step(&self) -> anyhow::Result<bool> {
        let origin = self.memory.egress_origin().await?;
        let unsigned = self.memory.unseen(Witness::Box, STEP).await?;
        let testimonies = unsigned.iter().map(|checkpoint| self.sign(checkpoint, &origin));
        self.memory.testify(testimonies.collect::<anyhow::Result<_>>()?).await?;
        if self.sinks.is_empty() {
            return Ok(unsigned.len() >= STEP);
        }
        let untold = self.memory.unseen(Witness::Customer, STEP).await?;
        self.figures.witness_waiting.set(i64::try_from(untold.len()).unwrap_or(i64::MAX));
        let mut lines = Vec::with_capacity(untold.len());
        for checkpoint in &untold {
            let signed = self.memory.testimony(checkpoint.first, Witness::Box).await?.context("a signature")?;
            lines.push(self.line(checkpoint, &origin, &signed.signature));
        }
        if !lines.is_empty() {
            for sink in &self.sinks {
                timeout(PATIENCE, tell(sink, &lines)).await.context("no answer").flatten().with_context(|| at(sink))?;
            }
        }
        let told = |checkpoint: &Checkpoint| Testimony {
            first: checkpoint.first,
            witness: Witness::Customer,
            at: now(),
            signature: Vec::new(),
        };
        self.memory.testify(untold.iter().map(told).collect()).await?;
        self.figures.witness_waiting.set(0);
        Ok(unsigned.len() >= STEP || untold.len() >= STEP)
    }

    fn sign(&self, checkpoint: &Checkpoint, origin: &[u8; 32]) -> anyhow::Result<Testimony> {
        let signature = self.identity.sign(&checkpoint.statement(self.identity.peer.box_id, origin))?;
        Ok(Testimony { first: checkpoint.first, witness: Witness::Box, at: now(), signature })
    }

    fn line(&self, checkpoint: &Checkpoint, origin: &[u8; 32], signature: &[u8]) -> String {
        json!({
            "box": self.identity.peer.box_id,
            "site": self.identity.peer.site,
            "origin": hex::encode(origin),
            "first": checkpoint.first,
            "count": checkpoint.count,
            "at": checkpoint.at,
            "root": hex::encode(checkpoint.root),
            "signature": hex::encode(signature),
        })
        .to_string()
    }
}

fn at(sink: &Sink) -> String {
    match sink {
        Sink::File(path) => format!("the witness at {}", path.display()),
        Sink::Datagram(at) | Sink::Stream(at) => format!("the witness at {at}"),
    }
}

async fn tell(sink: &Sink, lines: &[String]) -> anyhow::Result<()> {
    match sink {
        Sink::File(path) => {
            let (path, text) = (path.clone(), lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect::<String>());
            let write = move || -> std::io::Result<()> {
                let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path)?;
                file.write_all(text.as_bytes())?;
                file.sync_all()
            };
            Ok(tokio::task::spawn_blocking(write).await??)
        }
        Sink::Datagram(at) => {
            let own = if at.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
            let socket = UdpSocket::bind(own).await?;
            for line in lines {
                socket.send_to(syslog(line, now()).as_bytes(), at).await?;
            }
            Ok(())
        }
        Sink::Stream(at) => {
            let mut stream = TcpStream::connect(at).await?;
            for line in lines {
                let message = syslog(line, now());
                stream.write_all(format!("{} {message}", message.len()).as_bytes()).await?;
            }
            Ok(stream.shutdown().await?)
        }
    }
}

/// RFC 5424 §6: no host name and no structured data; the message is JSON.
fn syslog(line: &str, at: Millis) -> String {
    let time = OffsetDateTime::from_unix_timestamp(at.0 / 1_000).ok().and_then(|time| time.format(&Rfc3339).ok());
    format!("<{PRIORITY}>1 {} - branchline - egress - {line}", time.as_deref().unwrap_or("-"))
}
