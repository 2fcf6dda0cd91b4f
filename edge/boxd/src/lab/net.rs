//! The lab's sockets: UDP, two ports for audio, TCP and TLS on demand, and the loop that feeds the engine.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use super::registrar::{Found, Registrar};
use anyhow::Context;
use bytes::Bytes;
use lab::{
    engine::{Input, Lab, Output},
    plan::{Link, Plan, Socket},
    report::Findings,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpStream, UdpSocket},
    sync::mpsc,
    time::{sleep_until, timeout},
};

const DATAGRAM_MAX: usize = 65_535;
const CONNECT: Duration = Duration::from_secs(3);
/// Reads of streams that wait for the engine.
const QUEUE: usize = 64;

pub struct Sockets {
    sip: UdpSocket,
    audio: UdpSocket,
    second: UdpSocket,
    pub local: SocketAddr,
    pub rtp: SocketAddr,
    pub second_rtp: SocketAddr,
    registrar: Option<Registrar>,
}

impl Sockets {
    /// Where a phone will register.
    pub async fn listen(local: SocketAddr) -> anyhow::Result<Self> {
        let bind = async |port| {
            let bound = UdpSocket::bind((local.ip(), port)).await;
            bound.with_context(|| format!("{} port {port} cannot be used", local.ip()))
        };
        let (sip, audio, second) = (bind(local.port()).await?, bind(0).await?, bind(0).await?);
        Self::of(sip, audio, second)
    }

    fn of(sip: UdpSocket, audio: UdpSocket, second: UdpSocket) -> anyhow::Result<Self> {
        let (local, rtp, second_rtp) = (sip.local_addr()?, audio.local_addr()?, second.local_addr()?);
        Ok(Self { sip, audio, second, local, rtp, second_rtp, registrar: None })
    }

    /// Waits for the phone to register; its later REGISTERs are answered while it is tested.
    pub async fn registrar(&mut self, account: lab::plan::Account) -> anyhow::Result<Found> {
        let mut registrar = Registrar::new(account, self.local);
        let found = registrar.wait(&self.sip).await?;
        self.registrar = Some(registrar);
        Ok(found)
    }

    /// True: the datagram was the registrar's.
    async fn is_registration(&mut self, from: SocketAddr, bytes: &Bytes) -> bool {
        let Some(registrar) = self.registrar.as_mut().filter(|_| Registrar::is_for(bytes)) else { return false };
        let (replies, _) = registrar.hear(Instant::now(), from, bytes.clone());
        for (bytes, to) in replies {
            let _ = self.sip.send_to(&bytes, to).await;
        }
        true
    }

    /// On `from`, or on the address from which the target is reached.
    pub async fn bind(target: SocketAddr, from: Option<IpAddr>) -> anyhow::Result<Self> {
        let ip = match from {
            Some(ip) => ip,
            None => {
                let any: SocketAddr = if target.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" }.parse()?;
                let probe = UdpSocket::bind(any).await.context("no UDP")?;
                probe.connect(target).await.with_context(|| format!("there is no way to {target}"))?;
                probe.local_addr()?.ip()
            }
        };
        let bind = async || UdpSocket::bind((ip, 0)).await.with_context(|| format!("{ip} cannot be used"));
        let (sip, audio, second) = (bind().await?, bind().await?, bind().await?);
        Self::of(sip, audio, second)
    }
}

enum FromStream {
    Opened(Link, mpsc::Sender<Bytes>),
    Failed(Link, String),
    Bytes(Link, Bytes),
    Closed(Link),
}

/// Runs all probes; progress is printed unless `quiet`.
pub async fn drive(plan: Plan, sockets: &mut Sockets, quiet: bool) -> anyhow::Result<Findings> {
    let mut lab = Lab::new(Instant::now(), plan.clone());
    let (streams, mut from_streams) = mpsc::channel(QUEUE);
    let mut writers: Vec<(Link, mpsc::Sender<Bytes>)> = Vec::new();
    let (mut sip, mut audio, mut second) = (vec![0; DATAGRAM_MAX], vec![0; 2_048], vec![0; 2_048]);
    loop {
        while let Some(output) = lab.poll_output() {
            match output {
                Output::Sip { link: Link::Udp, to, bytes } => {
                    // What cannot be sent is as lost as what is not answered: the probe says so.
                    if let Err(error) = sockets.sip.send_to(&bytes, to).await {
                        tracing::debug!(%error, "not sent");
                    }
                }
                Output::Sip { link, bytes, .. } => {
                    if let Some((_, writer)) = writers.iter().find(|(one, _)| *one == link) {
                        let _ = writer.send(bytes).await;
                    }
                }
                Output::Open { link, to } => {
                    tokio::spawn(open(link, to, streams.clone()));
                }
                Output::Close { link } => writers.retain(|(one, _)| *one != link),
                Output::Media { socket, to, bytes } => {
                    let out = if socket == Socket::Rtp { &sockets.audio } else { &sockets.second };
                    let _ = out.send_to(&bytes, to).await;
                }
                Output::Began { at, of, probe } if !quiet => eprintln!("[{at}/{of}] {} …", probe.title.en),
                Output::Ended(outcome) if !quiet => {
                    eprintln!("        {}: {}", outcome.mark.word(), outcome.said.en);
                }
                Output::Began { .. } | Output::Ended(_) => {}
                Output::Done(findings) => return Ok(*findings),
            }
        }
        let due = lab.poll_timeout().unwrap_or_else(|| Instant::now() + Duration::from_secs(1));
        tokio::select! {
            biased;
            got = sockets.sip.recv_from(&mut sip) => {
                if let Ok((length, from)) = got {
                    let bytes = Bytes::copy_from_slice(sip.get(..length).unwrap_or_default());
                    if !sockets.is_registration(from, &bytes).await {
                        lab.handle_input(Instant::now(), Input::Sip { link: Link::Udp, from, bytes });
                    }
                }
            }
            got = sockets.audio.recv_from(&mut audio) => media(&mut lab, Socket::Rtp, &audio, got),
            got = sockets.second.recv_from(&mut second) => media(&mut lab, Socket::Second, &second, got),
            Some(got) = from_streams.recv() => {
                let now = Instant::now();
                match got {
                    FromStream::Opened(link, writer) => {
                        writers.push((link, writer));
                        lab.handle_input(now, Input::Opened { link, result: Ok(()) });
                    }
                    FromStream::Failed(link, why) => lab.handle_input(now, Input::Opened { link, result: Err(why) }),
                    FromStream::Bytes(link, bytes) => {
                        lab.handle_input(now, Input::Sip { link, from: plan.address_of(link), bytes });
                    }
                    FromStream::Closed(link) => {
                        // One that we closed ourselves is no news.
                        if writers.iter().any(|(one, _)| *one == link) {
                            writers.retain(|(one, _)| *one != link);
                            lab.handle_input(now, Input::Closed { link });
                        }
                    }
                }
            }
            () = sleep_until(due.into()) => {}
        }
        // Also after an input: a flood from the device must not keep our own time from passing.
        lab.handle_timeout(Instant::now());
    }
}

fn media(lab: &mut Lab, socket: Socket, buffer: &[u8], got: std::io::Result<(usize, SocketAddr)>) {
    if let Ok((length, from)) = got {
        let bytes = Bytes::copy_from_slice(buffer.get(..length).unwrap_or_default());
        lab.handle_input(Instant::now(), Input::Media { socket, from, bytes });
    }
}

async fn open(link: Link, to: SocketAddr, streams: mpsc::Sender<FromStream>) {
    let opened = timeout(CONNECT, TcpStream::connect(to)).await;
    let stream = match opened {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return failed(link, error.to_string(), streams).await,
        Err(_) => return failed(link, "no answer".into(), streams).await,
    };
    if link == Link::Tcp {
        return carry(link, stream, streams).await;
    }
    let name = rustls::pki_types::ServerName::IpAddress(to.ip().into());
    let connector = match any_certificate() {
        Ok(config) => tokio_rustls::TlsConnector::from(Arc::new(config)),
        Err(error) => return failed(link, error.to_string(), streams).await,
    };
    match timeout(CONNECT, connector.connect(name, stream)).await {
        Ok(Ok(stream)) => carry(link, stream, streams).await,
        Ok(Err(error)) => failed(link, error.to_string(), streams).await,
        Err(_) => failed(link, "the handshake was not finished".into(), streams).await,
    }
}

async fn failed(link: Link, why: String, streams: mpsc::Sender<FromStream>) {
    let _ = streams.send(FromStream::Failed(link, why)).await;
}

async fn carry(link: Link, stream: impl AsyncRead + AsyncWrite, streams: mpsc::Sender<FromStream>) {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let (sender, mut wanted) = mpsc::channel::<Bytes>(QUEUE);
    if streams.send(FromStream::Opened(link, sender)).await.is_err() {
        return;
    }
    let mut buffer = vec![0; 16_384];
    let mut reader = std::pin::pin!(&mut reader);
    loop {
        tokio::select! {
            got = reader.read(&mut buffer) => match got {
                Ok(length) if length > 0 => {
                    let bytes = Bytes::copy_from_slice(buffer.get(..length).unwrap_or_default());
                    if streams.send(FromStream::Bytes(link, bytes)).await.is_err() {
                        return;
                    }
                }
                _ => break,
            },
            bytes = wanted.recv() => match bytes {
                Some(bytes) => if writer.write_all(&bytes).await.is_err() { break },
                None => return,
            },
        }
    }
    let _ = streams.send(FromStream::Closed(link)).await;
}

/// Whether TLS is spoken at all is the question; no secret travels over it, so any certificate will do.
fn any_certificate() -> Result<rustls::ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider.clone());
    let builder = builder.with_safe_default_protocol_versions()?;
    Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody(provider))).with_no_client_auth())
}

#[derive(Debug)]
struct Anybody(Arc<rustls::crypto::CryptoProvider>);

impl rustls::client::danger::ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &[rustls::pki_types::CertificateDer<'_>],
        _: &rustls::pki_types::ServerName<'_>,
        _: &[u8],
        _: rustls::pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &rustls::pki_types::CertificateDer<'_>,
        dss: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &rustls::pki_types::CertificateDer<'_>,
        dss: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
