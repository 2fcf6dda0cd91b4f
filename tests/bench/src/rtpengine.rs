//! rtpengine as a yardstick: started in user space, asked for calls over its `ng` protocol (bencoded dictionaries in
//! datagrams, each behind a cookie).

use std::{
    net::{SocketAddr, UdpSocket},
    path::Path,
    process::Command,
    time::Duration,
};

use anyhow::{Context, ensure};
use harness::process::{Program, free_ports, wait_for};

use crate::cpu;

pub struct Rtpengine {
    pub program: Program,
    pub control: SocketAddr,
    socket: UdpSocket,
    cookie: u64,
}

impl Rtpengine {
    /// Starts it on the measured core, with `ports` for RTP.
    pub fn start(folder: &Path, ports: std::ops::RangeInclusive<u16>) -> anyhow::Result<Self> {
        let control = SocketAddr::from(([127, 0, 0, 1], free_ports(2)));
        let mut command: Command = cpu::measured(Path::new("rtpengine"));
        command
            .args(["--foreground", "--table=-1", "--interface=127.0.0.1", "--log-stderr", "--log-level=3"])
            .args(["--config-file=none", "--endpoint-learning=immediate"])
            .arg(format!("--listen-ng={control}"))
            .arg(format!("--port-min={}", ports.start()))
            .arg(format!("--port-max={}", ports.end()));
        let program = Program::start("rtpengine", command, &folder.join("rtpengine.log"))?;
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.set_read_timeout(Some(Duration::from_millis(200)))?;
        let mut engine = Self { program, control, socket, cookie: 0 };
        wait_for("rtpengine answers", Duration::from_secs(10), || engine.ask(&dictionary(&[("command", "ping")])).ok())
            .with_context(|| engine.program.tail())?;
        Ok(engine)
    }

    /// A call between two legs that both send from `phones`; the two addresses to send to.
    pub fn call(&mut self, id: u64, phones: SocketAddr) -> anyhow::Result<[SocketAddr; 2]> {
        let sdp = format!(
            "v=0\r\no=bench 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {} RTP/AVP 0\r\n\
             a=rtpmap:0 PCMU/8000\r\na=rtcp:9 IN IP4 127.0.0.1\r\n",
            phones.port()
        );
        let call = format!("bench-{id}");
        let offer = dictionary(&[("call-id", &call), ("command", "offer"), ("from-tag", "a"), ("sdp", &sdp)]);
        let towards_b = port(&self.ask(&offer)?)?;
        let answer =
            dictionary(&[("call-id", &call), ("command", "answer"), ("from-tag", "a"), ("sdp", &sdp), ("to-tag", "b")]);
        let towards_a = port(&self.ask(&answer)?)?;
        Ok([towards_a, towards_b].map(|port| SocketAddr::from(([127, 0, 0, 1], port))))
    }

    fn ask(&mut self, body: &str) -> anyhow::Result<String> {
        self.cookie += 1;
        let cookie = format!("{}_{} ", std::process::id(), self.cookie);
        self.socket.send_to(format!("{cookie}{body}").as_bytes(), self.control)?;
        let mut buffer = [0; 8_192];
        loop {
            let length = self.socket.recv(&mut buffer).context("rtpengine does not answer")?;
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            let Some(answer) = text.strip_prefix(&cookie) else { continue };
            ensure!(!answer.contains("5:error"), "rtpengine refuses: {answer}");
            return Ok(answer.into());
        }
    }
}

/// Bencoding; the keys must be sorted.
fn dictionary(pairs: &[(&str, &str)]) -> String {
    let text = |text: &str| format!("{}:{text}", text.len());
    let body: String = pairs.iter().map(|(key, value)| text(key) + &text(value)).collect();
    format!("d{body}e")
}

/// The port of the first audio stream in an answer's SDP.
fn port(answer: &str) -> anyhow::Result<u16> {
    let at = answer.split("m=audio ").nth(1).with_context(|| format!("no SDP in {answer}"))?;
    at.split(' ').next().and_then(|port| port.parse().ok()).context("a port")
}
