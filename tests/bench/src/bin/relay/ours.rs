//! The box's *media* process as `boxd run` starts it, told over its own socket what *calls* would tell it.

use std::{
    io::{Read, Write},
    net::SocketAddr,
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

use anyhow::{Context, bail};
use bench::cpu;
use harness::process::{Program, ours, wait_for};
use media::plane::{Codec, Command, Event, PortId, Remote};

use super::{PORTS, Subject};

pub fn start(dir: &Path, calls: usize, phones: SocketAddr, record: bool) -> anyhow::Result<Subject> {
    // Below those of the calls, which thousands of sockets hold.
    let (sip, desk, metrics) = (20_100, 20_102, 20_104);
    let config = dir.join("box.toml");
    std::fs::create_dir_all(dir.join("run"))?;
    std::fs::create_dir_all(dir.join("data"))?;
    std::fs::create_dir_all(dir.join("prompts"))?;
    let text = format!(
        "site = \"bench\"\ndata = \"data\"\nrun = \"run\"\nprompts = \"prompts\"\n[sip]\ndomain = \"bench.example\"\n\
         listen = [\"udp:127.0.0.1:{sip}\"]\n[rtp]\nip = \"127.0.0.1\"\nports = [{}, {}]\n\
         [desk]\nlisten = \"127.0.0.1:{desk}\"\n[metrics]\nlisten = \"127.0.0.1:{metrics}\"\n",
        PORTS.start(),
        PORTS.end()
    );
    std::fs::write(&config, text)?;
    let mut command = cpu::measured(&ours("boxd")?);
    command.arg("--config").arg(&config).arg("media");
    let program = Program::start("boxd media", command, &dir.join("media.log"))?;
    let stream = wait_for("the media process's socket", Duration::from_secs(10), || {
        UnixStream::connect(dir.join("run/media.sock")).ok()
    })
    .with_context(|| program.tail())?;
    // What it does once, at its start, is over.
    std::thread::sleep(Duration::from_secs(1));
    let idle = cpu::memory(program.pid())?;
    let mut control = Control { stream };
    control.tell(&Command::Hello { generation: 1 })?;
    let mut to = Vec::new();
    for call in 0..calls as u64 {
        let legs = [PortId(call * 2 + 1), PortId(call * 2 + 2)];
        for port in legs {
            to.push(control.open(port, phones).with_context(|| program.tail())?);
        }
        control.tell(&Command::Join { a: legs[0], b: legs[1] })?;
        if record {
            let recording = model::RecordingId(call.into()).to_string();
            control.tell(&Command::Record { recording, port: legs[0] })?;
        }
    }
    // Events of the rest of the run are nobody's: the socket is kept open and read.
    let rest = control.stream.try_clone()?;
    std::thread::spawn(move || {
        let mut rest = rest;
        let _ = std::io::copy(&mut rest, &mut std::io::sink());
    });
    Ok(Subject { pid: program.pid(), to, idle, _program: program, _control: Some(control.stream) })
}

struct Control {
    stream: UnixStream,
}

impl Control {
    fn tell(&mut self, command: &Command) -> anyhow::Result<()> {
        let body = serde_json::to_vec(command)?;
        self.stream.write_all(&u32::try_from(body.len())?.to_be_bytes())?;
        Ok(self.stream.write_all(&body)?)
    }

    fn open(&mut self, port: PortId, phones: SocketAddr) -> anyhow::Result<SocketAddr> {
        self.tell(&Command::Open { port, loopback: false })?;
        let local = loop {
            let mut length = [0; 4];
            self.stream.read_exact(&mut length)?;
            let mut body = vec![0; u32::from_be_bytes(length) as usize];
            self.stream.read_exact(&mut body)?;
            match serde_json::from_slice(&body)? {
                Event::Opened { port: of, local } if of == port => break local,
                Event::Failed { port, why } => bail!("{port:?}: {why}"),
                _ => {}
            }
        };
        let remote = Remote::clear(phones, Codec::Pcmu, Some(101));
        self.tell(&Command::Connect { port, remote })?;
        Ok(local)
    }
}
