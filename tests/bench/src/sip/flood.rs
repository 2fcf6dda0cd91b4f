//! Strangers by the thousand: INVITE, REGISTER and OPTIONS with tags of chance, from many addresses, none of which waits
//! for an answer.

use std::{
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use super::{socket, text::body};

/// Addresses of loopback that the strangers have.
const SOURCES: u8 = 200;
/// How often a burst leaves.
const TICK: Duration = Duration::from_millis(5);

pub struct Flood {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Flood {
    pub fn start(server: SocketAddr, domain: &str, per_second: u32) -> anyhow::Result<Self> {
        let sockets: Vec<UdpSocket> =
            (1..=SOURCES).map(|n| socket(Ipv4Addr::new(127, 9, 9, n), 0)).collect::<anyhow::Result<_>>()?;
        let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stopped, count, domain) = (stop.clone(), sent.clone(), domain.to_owned());
        let thread = std::thread::spawn(move || {
            let began = Instant::now();
            while !stopped.load(Ordering::Relaxed) {
                let due = (began.elapsed().as_secs_f64() * f64::from(per_second)) as u64;
                while count.load(Ordering::Relaxed) < due {
                    let n = count.fetch_add(1, Ordering::Relaxed);
                    let socket = &sockets[n as usize % sockets.len()];
                    if let Ok(at) = socket.local_addr() {
                        let _ = socket.send_to(message(n, at, server, &domain).as_bytes(), server);
                    }
                    while socket.recv(&mut [0; 2_048]).is_ok() {}
                }
                std::thread::sleep(TICK);
            }
        });
        Ok(Self { stop, sent, thread: Some(thread) })
    }

    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn message(n: u64, at: SocketAddr, server: SocketAddr, domain: &str) -> String {
    let method = ["INVITE", "REGISTER", "OPTIONS"][n as usize % 3];
    // Of chance enough, and another one each time.
    let tag = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let uri =
        if method == "REGISTER" { format!("sip:{domain}") } else { format!("sip:{}@{server}", 20_000 + n % 1_000) };
    format!(
        "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {at};rport;branch=z9hG4bK{tag:x}\r\nFrom: <sip:{n}@{domain}>;tag={tag:x}\r\n\
         To: <sip:{n}@{domain}>\r\nCall-ID: {tag:x}\r\nCSeq: 1 {method}\r\nContact: <sip:{n}@{at}>\r\nMax-Forwards: 70\r\n{}",
        body(None)
    )
}
