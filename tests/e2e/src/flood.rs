//! Floods: of a stranger from elsewhere, and of a telephone of the house whose password somebody has.

use std::{
    net::UdpSocket,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use sip::auth::Algorithm;

/// Sends without a pause until it is dropped.
pub struct Flood {
    on: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Flood {
    /// INVITEs for help and REGISTERs of a stranger, each of its own, about ten thousand a second.
    pub fn of_a_stranger(target: &str) -> Self {
        let socket = UdpSocket::bind("127.0.0.66:0").expect("a stranger's port");
        socket.connect(target).expect("the box's port");
        let from = socket.local_addr().expect("an address");
        let target = target.to_owned();
        Self::of(100, move |n| {
            let (method, to) = if n.is_multiple_of(2) { ("INVITE", "112@") } else { ("REGISTER", "") };
            let request = format!(
                "{method} sip:{to}{target} SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{n}\r\nFrom: <sip:{n}@{from}>\
                 ;tag={n}\r\nTo: <sip:112@{target}>\r\nCall-ID: {n}@{from}\r\nCSeq: 1 {method}\r\nContact: <sip:{from}>\r\n\
                 Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
            );
            // A full socket is the box's business.
            let _ = socket.send(request.as_bytes());
        })
    }

    /// A registered telephone goes mad: about four thousand proved messages a second, a REGISTER and an INVITE to `number`
    /// in turn. It takes no call back and acknowledges nothing.
    pub fn of_a_phone(phone: Known) -> Self {
        let mut phone = phone.registered();
        Self::of(250, move |n| phone.send(n))
    }

    /// Calls `send` with 1, 2, … every so many microseconds.
    fn of(every_us: u64, mut send: impl FnMut(u64) + Send + 'static) -> Self {
        let (on, sent) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicU64::new(0)));
        let (flag, count) = (on.clone(), sent.clone());
        let thread = std::thread::spawn(move || {
            let began = Instant::now();
            while flag.load(Ordering::Relaxed) {
                let us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
                let n = count.load(Ordering::Relaxed);
                if n >= us.checked_div(every_us).unwrap_or(0) {
                    std::thread::yield_now();
                    continue;
                }
                let n = n.saturating_add(1);
                send(n);
                count.store(n, Ordering::Relaxed);
            }
        });
        Self { on, sent, thread: Some(thread) }
    }

    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        self.on.store(false, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A telephone whose password is known.
pub struct Known {
    /// `127.0.0.1:5060` of the box.
    pub target: String,
    pub domain: String,
    pub user: &'static str,
    pub password: &'static str,
    /// What it calls.
    pub number: &'static str,
}

/// The same with its socket, and the nonce that it was given last.
struct Registered {
    phone: Known,
    socket: UdpSocket,
    nonce: String,
    algorithm: Algorithm,
    /// Uses of the nonce.
    count: u32,
}

impl Known {
    fn registered(self) -> Registered {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a phone's port");
        socket.connect(&self.target).expect("the box's port");
        socket.set_read_timeout(Some(Duration::from_secs(5))).expect("a socket");
        let algorithm = Algorithm::Sha256;
        let mut phone = Registered { phone: self, socket, nonce: String::new(), algorithm, count: 0 };
        for n in 0.. {
            phone.say("REGISTER", u64::MAX - n);
            match phone.hear() {
                Some(200) => break,
                Some(401) if n < 3 => {}
                other => panic!("the phone does not register: {other:?}"),
            }
        }
        phone.socket.set_nonblocking(true).expect("a socket");
        phone
    }
}

impl Registered {
    fn send(&mut self, n: u64) {
        self.say(if n.is_multiple_of(2) { "INVITE" } else { "REGISTER" }, n);
        while self.hear().is_some() {}
    }

    fn say(&mut self, method: &str, n: u64) {
        let Known { domain, user, password, number, .. } = &self.phone;
        let from = self.socket.local_addr().expect("an address");
        let (uri, to, body) = match method {
            "INVITE" => (
                format!("sip:{number}@{domain}"),
                *number,
                format!(
                    "v=0\r\no=mad 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {} RTP/AVP 0\r\n",
                    from.port()
                ),
            ),
            _ => (format!("sip:{domain}"), *user, String::new()),
        };
        self.count = self.count.saturating_add(1);
        let nc = format!("{:08x}", self.count);
        let ha1 = self.algorithm.hash(&[user, domain, password]);
        let ha2 = self.algorithm.hash(&[method, &uri]);
        let response = self.algorithm.hash(&[&ha1, &self.nonce, &nc, "mad", "auth", &ha2]);
        let proof = if self.nonce.is_empty() {
            String::new()
        } else {
            format!(
                "Authorization: Digest username=\"{user}\",realm=\"{domain}\",nonce=\"{}\",uri=\"{uri}\",response=\"{response}\",\
                 algorithm={},qop=auth,nc={nc},cnonce=\"mad\"\r\n",
                self.nonce, self.algorithm
            )
        };
        let length = body.len();
        let request = format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bKk{n};rport\r\nFrom: <sip:{user}@{domain}>;tag=k{n}\r\n\
             To: <sip:{to}@{domain}>\r\nCall-ID: k{n}@{from}\r\nCSeq: 1 {method}\r\nContact: <sip:{user}@{from}>\r\n{proof}\
             Max-Forwards: 70\r\nContent-Type: application/sdp\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        let _ = self.socket.send(request.as_bytes());
    }

    /// The status of the next reply, if one is there; a fresh nonce is taken from it.
    fn hear(&mut self) -> Option<u16> {
        let mut buffer = [0; 4096];
        let length = self.socket.recv(&mut buffer).ok()?;
        let text = String::from_utf8_lossy(buffer.get(..length)?).into_owned();
        let field = |name: &str| text.split(name).nth(1)?.split('"').next().map(str::to_owned);
        if let Some(nonce) = field("nonce=\"") {
            self.nonce = nonce;
            self.count = 0;
            self.algorithm = if text.contains("algorithm=MD5") { Algorithm::Md5 } else { Algorithm::Sha256 };
        }
        Some(text.strip_prefix("SIP/2.0 ").and_then(|rest| rest.get(..3)?.parse().ok()).unwrap_or(0))
    }
}
