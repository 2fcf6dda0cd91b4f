//! nats-server with JetStream as a yardstick: the same rows as messages of a file-backed stream that syncs each of them
//! to the disk, published by as many connections, each waiting for all acknowledgements of its batch.
//!
//! `NATS_SERVER` names the program; otherwise it is looked for on the path. A server before 2.10 has no
//! `sync_interval: always`: it acknowledges what is not on the disk, and is no yardstick for what is durable.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use harness::process::{Program, free_ports, wait_for};

use crate::rows::Pool;

const PATIENCE: Duration = Duration::from_secs(20);

pub struct Nats {
    program: PathBuf,
    pub version: String,
}

impl Nats {
    /// The program, or why there is none to compare with.
    pub fn find(dir: &Path) -> Result<Self, String> {
        let program = std::env::var_os("NATS_SERVER").map_or_else(|| "nats-server".into(), PathBuf::from);
        let told = Command::new(&program).arg("--version").output().map_err(|_| "not installed".to_owned())?;
        let version = String::from_utf8_lossy(&told.stdout).trim().trim_start_matches("nats-server: ").to_owned();
        let config = dir.join("nats-try.conf");
        fs::write(&config, text(dir, 1)).map_err(|error| error.to_string())?;
        let tried = Command::new(&program).arg("-t").arg("-c").arg(&config).output();
        match tried {
            Ok(tried) if tried.status.success() => Ok(Self { program, version }),
            _ => Err(format!("{version} does not know sync_interval: always")),
        }
    }

    /// Messages acknowledged a second.
    pub fn measure(&self, dir: &Path, rows: usize, pools: &[Pool], time: Duration) -> anyhow::Result<f64> {
        let (port, config) = (free_ports(1), dir.join("nats.conf"));
        fs::write(&config, text(dir, port))?;
        let mut command = Command::new(&self.program);
        command.arg("-c").arg(&config);
        let mut server = Program::start("nats-server", command, &dir.join("nats.log"))?;
        wait_for("nats-server listens", PATIENCE, || TcpStream::connect(("127.0.0.1", port)).ok())?;
        let mut founder = Publisher::connect(port, 1_000_000)?;
        founder.stream().with_context(|| server.tail())?;
        let start = Instant::now();
        let published = std::thread::scope(|scope| {
            let senders: Vec<_> = (0..)
                .zip(pools)
                .map(|(n, pool)| {
                    scope.spawn(move || -> anyhow::Result<u64> {
                        let mut publisher = Publisher::connect(port, n)?;
                        let mut mark = 0;
                        for bodies in pool.chunks(rows) {
                            if start.elapsed() >= time {
                                break;
                            }
                            publisher.publish(bodies)?;
                            mark += bodies.len() as u64;
                        }
                        Ok(mark)
                    })
                })
                .collect();
            senders.into_iter().try_fold(0, |sum, sender| {
                anyhow::Ok(sum + sender.join().map_err(|_| anyhow::anyhow!("a publisher panicked"))??)
            })
        })?;
        let rate = published as f64 / start.elapsed().as_secs_f64();
        server.stop();
        Ok(rate)
    }
}

fn text(dir: &Path, port: u16) -> String {
    let store = dir.join("jetstream");
    format!(
        "listen: \"127.0.0.1:{port}\"\njetstream {{\n store_dir: \"{}\"\n sync_interval: always\n}}\n",
        store.display()
    )
}

/// One connection with a subject of its own and an inbox for the acknowledgements.
struct Publisher {
    stream: TcpStream,
    reader: BufReader<TcpStream>,
    number: u32,
}

impl Publisher {
    fn connect(port: u16, number: u32) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut publisher = Self { reader: BufReader::new(stream.try_clone()?), stream, number };
        let mut info = String::new();
        publisher.reader.read_line(&mut info)?;
        ensure!(info.starts_with("INFO "), "not a NATS server: {info}");
        let hello = format!("CONNECT {{\"verbose\":false,\"pedantic\":false}}\r\nSUB _INBOX.{number} 1\r\n");
        publisher.stream.write_all(hello.as_bytes())?;
        Ok(publisher)
    }

    /// Makes the stream that keeps everything.
    fn stream(&mut self) -> anyhow::Result<()> {
        let body = r#"{"name":"ROWS","subjects":["rows.*"],"storage":"file","retention":"limits","num_replicas":1}"#;
        let request = format!("PUB $JS.API.STREAM.CREATE.ROWS _INBOX.{} {}\r\n{body}\r\n", self.number, body.len());
        self.stream.write_all(request.as_bytes())?;
        let answer = self.message()?;
        ensure!(!answer.contains("\"error\""), "{answer}");
        Ok(())
    }

    fn publish(&mut self, bodies: &[Vec<u8>]) -> anyhow::Result<()> {
        let mut bytes = Vec::new();
        for body in bodies {
            write!(bytes, "PUB rows.{0} _INBOX.{0} {1}\r\n", self.number, body.len())?;
            bytes.extend_from_slice(body);
            bytes.extend_from_slice(b"\r\n");
        }
        self.stream.write_all(&bytes)?;
        for _ in bodies {
            let answer = self.message()?;
            ensure!(answer.contains("\"seq\"") && !answer.contains("\"error\""), "{answer}");
        }
        Ok(())
    }

    /// The next message to our inbox.
    fn message(&mut self) -> anyhow::Result<String> {
        loop {
            let mut line = String::new();
            ensure!(self.reader.read_line(&mut line)? > 0, "the server has gone");
            let mut words = line.split_whitespace();
            match words.next() {
                Some("MSG") => {
                    let length: usize = words.next_back().and_then(|word| word.parse().ok()).context("a length")?;
                    let mut body = vec![0; length + 2];
                    self.reader.read_exact(&mut body)?;
                    return Ok(String::from_utf8_lossy(&body).trim_end().to_owned());
                }
                Some("PING") => self.stream.write_all(b"PONG\r\n")?,
                Some("-ERR") => bail!("{line}"),
                _ => {}
            }
        }
    }
}
