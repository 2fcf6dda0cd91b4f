//! A media process within the test, and calls through it.

use std::{
    io::{Read, Write},
    net::{SocketAddr, UdpSocket},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use boxd::media::MediaConfig;
use media::{
    plane::{Codec, Command, Event, PortId, Remote, Security},
    srtp::{Keys, Master, Opener, RTP_ROOM, Sealer, Suite},
};

/// The box's end of the plane.
pub struct Plane {
    stream: UnixStream,
    pub folder: tempfile::TempDir,
}

impl Plane {
    /// Starts the process with these RTP ports at an address of loopback.
    pub fn start(ip: [u8; 4], ports: std::ops::RangeInclusive<u16>, io_uring: bool) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("prompts")).expect("a folder");
        let config = MediaConfig {
            socket: at("media.sock"),
            rtp_ip: ip.into(),
            rtp_ports: ports,
            prompts: at("prompts"),
            speech: None,
            recordings: at("recordings"),
            keys: boxd::keys::Keys::new(at("branch.key"), std::sync::Arc::new(boxd::keys::Plain)),
            site: "branch-a".into(),
            metrics: "127.0.0.1:0".parse().expect("an address"),
            io_uring,
            level: true,
        };
        let socket = config.socket.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(boxd::media::run(config)).expect("the media process runs");
        });
        let stream = connect(&socket);
        let mut plane = Self { stream, folder };
        plane.send(&Command::Hello { generation: 1 });
        plane
    }

    pub fn send(&mut self, command: &Command) {
        let body = serde_json::to_vec(command).expect("JSON");
        let length = u32::try_from(body.len()).expect("small");
        self.stream.write_all(&length.to_be_bytes()).and_then(|()| self.stream.write_all(&body)).expect("written");
    }

    /// The next event within a time.
    pub fn event(&mut self, within: Duration) -> Option<Event> {
        self.stream.set_read_timeout(Some(within.max(Duration::from_millis(1)))).expect("a socket");
        let mut length = [0; 4];
        self.stream.read_exact(&mut length).ok()?;
        self.stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a socket");
        let mut body = vec![0; u32::from_be_bytes(length) as usize];
        self.stream.read_exact(&mut body).expect("a whole event");
        Some(serde_json::from_slice(&body).expect("an event"))
    }

    /// Waits for an event that `wanted` takes.
    pub fn wait<T>(&mut self, wanted: impl Fn(&Event) -> Option<T>) -> T {
        let until = Instant::now() + Duration::from_secs(20);
        while Instant::now() < until {
            if let Some(found) = self.event(Duration::from_secs(1)).and_then(|event| wanted(&event)) {
                return found;
            }
        }
        panic!("it does not come");
    }

    pub fn open(&mut self, port: PortId) -> SocketAddr {
        self.send(&Command::Open { port, loopback: false });
        self.wait(|event| match event {
            Event::Opened { port: opened, local } if *opened == port => Some(*local),
            Event::Failed { port: failed, why } if *failed == port => panic!("{why}"),
            _ => None,
        })
    }

    pub fn recordings(&self) -> PathBuf {
        self.folder.path().join("recordings")
    }
}

fn connect(socket: &Path) -> UnixStream {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        match UnixStream::connect(socket) {
            Ok(stream) => return stream,
            Err(error) => assert!(Instant::now() < until, "the media process does not listen: {error}"),
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A telephone.
pub struct Phone {
    pub socket: UdpSocket,
    pub box_at: SocketAddr,
    pub port: PortId,
    voice: u8,
    sequence: u16,
    secure: Option<(Sealer, Opener)>,
}

impl Phone {
    /// Takes a port and tells the box where it is; `voice` is every byte of what it says.
    pub fn new(plane: &mut Plane, port: PortId, voice: u8) -> Self {
        Self::with(plane, port, voice, None)
    }

    /// One that speaks SRTP alone.
    pub fn secured(plane: &mut Plane, port: PortId, voice: u8, suite: Suite) -> Self {
        let master = |seed: u8| Master::new(suite, &vec![seed; suite.master_len()]).expect("the right length");
        Self::with(plane, port, voice, Some(Keys { ours: master(voice), theirs: master(voice ^ 0x80) }))
    }

    fn with(plane: &mut Plane, port: PortId, voice: u8, keys: Option<Keys>) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback");
        socket.set_nonblocking(true).expect("a socket");
        let box_at = plane.open(port);
        let addr = socket.local_addr().expect("an address");
        let secure = keys.as_ref().and_then(|keys| Some((Sealer::new(&keys.theirs)?, Opener::new(&keys.ours)?)));
        let security = keys.map_or(Security::Clear, |keys| Security::Keys(Box::new(keys)));
        let remote = Remote { security, ..Remote::clear(addr, Codec::Pcma, Some(101)) };
        plane.send(&Command::Connect { port, remote });
        Self { socket, box_at, port, voice, sequence: 0, secure }
    }

    pub fn say(&mut self) {
        self.sequence = self.sequence.wrapping_add(1);
        let mut packet = rtp(8, self.sequence, u32::from(self.voice), &[self.voice; 160]);
        if let Some((sealer, _)) = &mut self.secure {
            let length = packet.len();
            packet.resize(length + RTP_ROOM, 0);
            let length = sealer.rtp(&mut packet, length).expect("sealed");
            packet.truncate(length);
        }
        let _ = self.socket.send_to(&packet, self.box_at);
    }

    /// What was heard: the payload's bytes that are not `expected`, and how many packets.
    pub fn hear(&mut self, expected: u8) -> (usize, usize) {
        let (mut foreign, mut count, mut buffer) = (0, 0, [0; 2_000]);
        while let Ok((length, _)) = self.socket.recv_from(&mut buffer) {
            // RFC 5761 §4: a report to the phone one number below, whose second socket this would be.
            if (192..224).contains(&buffer[1]) {
                continue;
            }
            count += 1;
            let length = match &mut self.secure {
                Some((_, opener)) => opener.rtp(&mut buffer[..length]).expect("sealed with the box's key"),
                None => length,
            };
            foreign += buffer[12..length].iter().filter(|byte| **byte != expected).count();
        }
        (foreign, count)
    }
}

pub fn rtp(payload_type: u8, sequence: u16, ssrc: u32, payload: &[u8]) -> Vec<u8> {
    let timestamp = u32::from(sequence) * 160;
    let header = media::rtp::Header { marker: false, payload_type, sequence, timestamp, ssrc };
    let mut packet = media::rtp::write(&header).to_vec();
    packet.extend(payload);
    packet
}
