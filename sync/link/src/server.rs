//! The cloud's side: takes connections at a bounded rate, and gives them out by what they are for. Nobody is given out
//! who did not prove what the kind asks for.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use quinn::{ConnectionId, ConnectionIdGenerator, EndpointConfig, crypto::rustls::HandshakeData};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::sync::mpsc;
use wire::{bucket::Bucket, session::Peer};

use crate::{
    ALPN_BOX, ALPN_ENROL, code,
    frames::{FrameReader, FrameWriter},
    identity,
    opening::{self, Answer, EnrolAnswer, EnrolRequest, Opening, Refusal},
    tls, transport,
};

/// From the first packet to the opening's last byte.
const OPENING_MAX: Duration = Duration::from_secs(10);
/// Connections given out and not yet taken by the hub.
const ARRIVALS_MAX: usize = 64;
/// Between two resets of connections that nobody knows: ten thousand boxes of a process that was killed hear of it
/// within the 5 s in which each of them says something, and a flood is answered with no more than this.
const RESET_EVERY: Duration = Duration::from_micros(400);
const CONNECTION_ID_LEN: usize = 8;

/// What a server needs.
pub struct Options {
    pub listen: SocketAddr,
    pub ca: CertificateDer<'static>,
    pub certificate: CertificateDer<'static>,
    pub key: PrivateKeyDer<'static>,
    /// Handshakes cost a signature each: more than this per second are refused before one is made.
    pub handshakes_per_second: f64,
    pub handshakes_burst: f64,
    /// With this many handshakes under way, an address must first prove itself by a retry (S-80).
    pub retry_above: usize,
}

impl Options {
    pub fn new(
        listen: SocketAddr,
        ca: CertificateDer<'static>,
        certificate: CertificateDer<'static>,
        key: PrivateKeyDer<'static>,
    ) -> Self {
        let (handshakes_per_second, handshakes_burst, retry_above) = (400.0, 800.0, 64);
        Self { listen, ca, certificate, key, handshakes_per_second, handshakes_burst, retry_above }
    }
}

/// Counters since the start.
#[derive(Debug, Default)]
pub struct Counts {
    pub accepted: AtomicU64,
    /// By the token bucket.
    pub refused: AtomicU64,
    pub retried: AtomicU64,
    /// No certificate, or a broken opening.
    pub failed: AtomicU64,
}

/// A connection that said what it is for.
pub enum Arrival {
    Control(ControlArrival),
    Media(MediaArrival),
    Bulk(BulkArrival),
    Enrol(EnrolArrival),
}

pub struct ControlArrival {
    pub peer: Peer,
    /// The certificate is past its end: this box may only renew itself.
    pub expired: bool,
    pub connection: quinn::Connection,
    pub reader: FrameReader,
    pub writer: FrameWriter,
}

pub struct MediaArrival {
    pub peer: Peer,
    pub expired: bool,
    pub connection: quinn::Connection,
    send: quinn::SendStream,
}

pub struct BulkArrival {
    pub peer: Peer,
    pub expired: bool,
    pub connection: quinn::Connection,
    pub name: String,
    pub offset: u64,
    pub(crate) send: quinn::SendStream,
}

pub struct EnrolArrival {
    pub request: EnrolRequest,
    pub connection: quinn::Connection,
    send: quinn::SendStream,
}

impl MediaArrival {
    /// Datagrams may flow.
    pub async fn accept(mut self) -> Result<quinn::Connection, opening::Error> {
        opening::write(&mut self.send, &Answer::Ready { size: 0 }).await?;
        let _ = self.send.finish();
        Ok(self.connection)
    }

    pub async fn refuse(self, reason: Refusal, retry_after: Duration) {
        refuse(self.send, &self.connection, &Answer::Refused { reason, retry_after_ms: millis(retry_after) }).await;
    }
}

impl BulkArrival {
    pub async fn refuse(self, reason: Refusal) {
        refuse(self.send, &self.connection, &Answer::Refused { reason, retry_after_ms: 0 }).await;
    }
}

impl EnrolArrival {
    pub async fn answer(self, answer: EnrolAnswer) {
        refuse(self.send, &self.connection, &answer).await;
    }
}

/// Says the last word and waits a little until it is heard.
async fn refuse<T: serde::Serialize>(mut send: quinn::SendStream, connection: &quinn::Connection, answer: &T) {
    if opening::write(&mut send, answer).await.is_ok() && send.finish().is_ok() {
        let _ = tokio::time::timeout(Duration::from_secs(3), connection.closed()).await;
    }
    connection.close(code::DONE, b"");
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

pub struct Server {
    endpoint: quinn::Endpoint,
    arrivals: mpsc::Receiver<Arrival>,
    counts: Arc<Counts>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Tls(#[from] rustls::Error),
    #[error("listening at {address}: {source}")]
    Listen { address: SocketAddr, source: std::io::Error },
}

impl Server {
    /// Listens. Must be called within a tokio runtime.
    pub fn bind(options: Options) -> Result<Self, Error> {
        let tls = tls::server(&options.ca, options.certificate.clone(), options.key.clone_key())?;
        let mut config = quinn::ServerConfig::with_crypto(Arc::new(tls));
        config.transport_config(Arc::new(transport::ours())).max_incoming(4096);
        let address = options.listen;
        let endpoint = listen(address, resets(&options.key), config);
        let endpoint = endpoint.map_err(|source| Error::Listen { address, source })?;
        let (sender, arrivals) = mpsc::channel(ARRIVALS_MAX);
        let counts = Arc::new(Counts::default());
        let bucket = Bucket::new(Instant::now(), options.handshakes_per_second, options.handshakes_burst);
        let door = Arc::new(Door {
            sender,
            counts: counts.clone(),
            bucket: Mutex::new(bucket),
            under_way: AtomicUsize::new(0),
            retry_above: options.retry_above,
        });
        tokio::spawn(door.stand(endpoint.clone()));
        Ok(Self { endpoint, arrivals, counts })
    }

    pub fn local_address(&self) -> std::io::Result<SocketAddr> {
        self.endpoint.local_addr()
    }

    pub fn counts(&self) -> Arc<Counts> {
        self.counts.clone()
    }

    /// The next connection; None after the endpoint was closed.
    pub async fn next(&mut self) -> Option<Arrival> {
        self.arrivals.recv().await
    }

    /// A handle that closes the server from elsewhere.
    pub fn endpoint(&self) -> quinn::Endpoint {
        self.endpoint.clone()
    }
}

/// RFC 9000 §10.3.2: one static key makes every reset token. It follows from the cloud's own key, so a process that was
/// killed is succeeded by one that tells its boxes at their next packet that their connections are gone; they do not
/// wait until their idle time is over.
fn resets(key: &PrivateKeyDer<'_>) -> EndpointConfig {
    let secret = hmac::Key::new(HMAC_SHA256, key.secret_der());
    let tokens = hmac::Key::new(HMAC_SHA256, hmac::sign(&secret, b"stateless resets").as_ref());
    let mut config = EndpointConfig::new(Arc::new(tokens));
    config.cid_generator(|| Box::new(Ids)).min_reset_interval(RESET_EVERY);
    config
}

/// Random connection ids, none of which is foreign: the predecessor's must be answered.
struct Ids;

impl ConnectionIdGenerator for Ids {
    fn generate_cid(&mut self) -> ConnectionId {
        let mut id = [0; CONNECTION_ID_LEN];
        // Without randomness all ids are the same, and the transport refuses the second connection.
        let _ = aws_lc_rs::rand::fill(&mut id);
        ConnectionId::new(&id)
    }

    fn cid_len(&self) -> usize {
        CONNECTION_ID_LEN
    }

    fn cid_lifetime(&self) -> Option<Duration> {
        None
    }
}

fn listen(
    address: SocketAddr,
    config: EndpointConfig,
    server: quinn::ServerConfig,
) -> std::io::Result<quinn::Endpoint> {
    let socket = std::net::UdpSocket::bind(address)?;
    let runtime = quinn::default_runtime().ok_or_else(|| std::io::Error::other("no runtime"))?;
    quinn::Endpoint::new(config, Some(server), socket, runtime)
}

struct Door {
    sender: mpsc::Sender<Arrival>,
    counts: Arc<Counts>,
    bucket: Mutex<Bucket>,
    under_way: AtomicUsize,
    retry_above: usize,
}

impl Door {
    async fn stand(self: Arc<Self>, endpoint: quinn::Endpoint) {
        while let Some(incoming) = endpoint.accept().await {
            if incoming.may_retry() && self.under_way.load(Ordering::Relaxed) > self.retry_above {
                self.counts.retried.fetch_add(1, Ordering::Relaxed);
                let _ = incoming.retry();
            } else if !self.has_token() {
                self.counts.refused.fetch_add(1, Ordering::Relaxed);
                incoming.refuse();
            } else {
                let door = self.clone();
                tokio::spawn(async move { door.open(incoming).await });
            }
        }
    }

    fn has_token(&self) -> bool {
        let mut bucket = self.bucket.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        bucket.take(Instant::now(), 1.0).is_ok()
    }

    async fn open(&self, incoming: quinn::Incoming) {
        self.under_way.fetch_add(1, Ordering::Relaxed);
        let address = incoming.remote_address();
        let arrival = tokio::time::timeout(OPENING_MAX, arrive(incoming)).await;
        self.under_way.fetch_sub(1, Ordering::Relaxed);
        match arrival {
            Ok(Ok(arrival)) => {
                self.counts.accepted.fetch_add(1, Ordering::Relaxed);
                let _ = self.sender.send(arrival).await;
            }
            Ok(Err(error)) => {
                self.counts.failed.fetch_add(1, Ordering::Relaxed);
                tracing::info!(%address, %error, "a connection was not opened");
            }
            Err(_) => {
                self.counts.failed.fetch_add(1, Ordering::Relaxed);
                tracing::info!(%address, "a connection said nothing");
            }
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum NoArrival {
    #[error("handshake: {0}")]
    Connection(#[from] quinn::ConnectionError),
    #[error("opening: {0}")]
    Opening(#[from] opening::Error),
    #[error("no certificate")]
    Nobody,
    #[error("certificate: {0}")]
    Identity(#[from] identity::Error),
    #[error("no protocol")]
    Protocol,
}

async fn arrive(incoming: quinn::Incoming) -> Result<Arrival, NoArrival> {
    let connection = incoming.await?;
    let data = connection.handshake_data().and_then(|data| data.downcast::<HandshakeData>().ok());
    let result = match data.and_then(|data| data.protocol).as_deref() {
        Some(ALPN_BOX) => arrive_box(&connection).await,
        Some(ALPN_ENROL) => arrive_nobody(&connection).await,
        _ => Err(NoArrival::Protocol),
    };
    match &result {
        Err(NoArrival::Nobody | NoArrival::Identity(_)) => connection.close(code::IDENTITY, b"certificate"),
        Err(_) => connection.close(code::PROTOCOL, b"opening"),
        Ok(_) => {}
    }
    result
}

async fn arrive_nobody(connection: &quinn::Connection) -> Result<Arrival, NoArrival> {
    let (send, mut receive) = connection.accept_bi().await?;
    let request = opening::read(&mut receive).await?;
    Ok(Arrival::Enrol(EnrolArrival { request, connection: connection.clone(), send }))
}

async fn arrive_box(connection: &quinn::Connection) -> Result<Arrival, NoArrival> {
    let (peer, expired) = proven(connection)?;
    let (send, mut receive) = connection.accept_bi().await?;
    let connection = connection.clone();
    Ok(match opening::read(&mut receive).await? {
        Opening::Control => {
            let (reader, writer) = (FrameReader::new(receive), FrameWriter::new(send));
            Arrival::Control(ControlArrival { peer, expired, connection, reader, writer })
        }
        Opening::Media => Arrival::Media(MediaArrival { peer, expired, connection, send }),
        Opening::Bulk { name, offset } => Arrival::Bulk(BulkArrival { peer, expired, connection, name, offset, send }),
    })
}

/// TLS has verified the certificate when there is one; here there must be one, and it must name a box.
fn proven(connection: &quinn::Connection) -> Result<(Peer, bool), NoArrival> {
    let chain = connection.peer_identity().and_then(|id| id.downcast::<Vec<CertificateDer<'static>>>().ok());
    let certificate = chain.as_ref().and_then(|chain| chain.first()).ok_or(NoArrival::Nobody)?;
    let peer = identity::peer_of(certificate)?;
    let (_, not_after) = identity::validity(certificate)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    Ok((peer, i64::try_from(now).unwrap_or(i64::MAX) > not_after))
}
