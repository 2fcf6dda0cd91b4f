//! Phones that register over TLS (RFC 3261 §26.2.1), each with a connection of its own that stays open and says nothing.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};

use super::{
    GIVE_UP, digest,
    phones::Registered,
    text::{Text, body},
};

/// How a phone without ears keeps its line: it holds the connection.
type Line = StreamOwned<ClientConnection, TcpStream>;

/// The longest answer to a REGISTER, in bytes.
const ANSWER_MAX: usize = 8_192;

/// Phones whose lines are open; dropping it closes them all.
pub struct SecurePhones {
    pub registered: Registered,
    _lines: Vec<Line>,
}

/// Where phones are registered, and what proves it.
pub struct Registrar<'a> {
    pub at: SocketAddr,
    pub domain: &'a str,
    config: Arc<ClientConfig>,
}

impl<'a> Registrar<'a> {
    /// `ca`: a PEM file of the certificates that the box's own is signed by.
    pub fn new(at: SocketAddr, domain: &'a str, ca: &Path) -> anyhow::Result<Self> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(ca)? {
            roots.add(certificate?)?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let config = builder.with_root_certificates(roots).with_no_client_auth();
        Ok(Self { at, domain, config: Arc::new(config) })
    }

    /// Registers all of them, `at_once` at one time.
    pub fn register(&self, numbers: &[String], password: &str, at_once: usize) -> anyhow::Result<SecurePhones> {
        let (began, next) = (Instant::now(), AtomicUsize::new(0));
        let work = || -> anyhow::Result<Vec<(Line, Duration)>> {
            let mut done = Vec::new();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(number) = numbers.get(at) else { return Ok(done) };
                let began = Instant::now();
                let line = self.one(at, number, password).with_context(|| format!("phone {number}"))?;
                done.push((line, began.elapsed()));
            }
        };
        let done = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..at_once).map(|_| scope.spawn(work)).collect();
            let all: Result<Vec<_>, _> =
                threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| bail!("a thread ended"))).collect();
            all
        })?;
        let (mut lines, mut registered) = (Vec::new(), Registered::default());
        for (line, took) in done.into_iter().flatten() {
            lines.push(line);
            registered.each_us.push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
        }
        registered.each_us.sort_unstable();
        registered.count = lines.len();
        registered.whole = began.elapsed();
        Ok(SecurePhones { registered, _lines: lines })
    }

    /// Each phone comes from an address of its own: what a box gives one address is limited.
    fn one(&self, at: usize, number: &str, password: &str) -> anyhow::Result<Line> {
        let [.., high, low] = u32::try_from(at)?.to_be_bytes();
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
        socket.bind(&SocketAddr::from((Ipv4Addr::new(127, 1, high, low), 0)).into())?;
        socket.connect_timeout(&self.at.into(), GIVE_UP)?;
        let stream = TcpStream::from(socket);
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(GIVE_UP))?;
        let own = stream.local_addr()?;
        let name = ServerName::try_from(self.domain.to_owned())?;
        let mut line = StreamOwned::new(ClientConnection::new(Arc::clone(&self.config), name)?, stream);
        let challenged = ask(&mut line, &self.text(number, own, "", 1))?;
        let challenged = Text(&challenged);
        ensure!(challenged.status() == 401, "challenged, not {}", challenged.status());
        let uri = format!("sip:{}", self.domain);
        let proof = digest::proof(challenged, "REGISTER", &uri, number, password, 1).context("a challenge")?;
        let answer = ask(&mut line, &self.text(number, own, &proof, 2))?;
        ensure!(Text(&answer).status() == 200, "registered, not {}", Text(&answer).status());
        Ok(line)
    }

    fn text(&self, number: &str, own: SocketAddr, proof: &str, cseq: u32) -> String {
        let (domain, port) = (self.domain, own.port());
        format!(
            "REGISTER sip:{domain} SIP/2.0\r\nVia: SIP/2.0/TLS {own};rport;branch=z9hG4bKs{number}.{cseq}.{port}\r\n\
             From: <sip:{number}@{domain}>;tag=s{number}\r\nTo: <sip:{number}@{domain}>\r\nCall-ID: s{number}-{port}\r\n\
             CSeq: {cseq} REGISTER\r\nContact: <sip:{number}@{own};transport=tls>\r\n{proof}Max-Forwards: 70\r\n\
             Expires: 3600\r\nUser-Agent: bench\r\n{body}",
            body = body(None)
        )
    }
}

/// Says it and reads the answer, which has no body.
fn ask(line: &mut Line, text: &str) -> anyhow::Result<String> {
    line.write_all(text.as_bytes())?;
    line.flush()?;
    let (mut heard, mut some) = (Vec::new(), [0; 2_048]);
    while !heard.ends_with(b"\r\n\r\n") {
        let count = line.read(&mut some)?;
        ensure!(count > 0 && heard.len() < ANSWER_MAX, "no whole answer in {} bytes", heard.len());
        heard.extend_from_slice(some.get(..count).unwrap_or_default());
    }
    Ok(String::from_utf8(heard)?)
}
