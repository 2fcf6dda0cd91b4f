//! A box's side: one endpoint, up to three connections to the cloud.

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use quinn::crypto::rustls::QuicClientConfig;

use crate::{
    CLOUD_NAME, code,
    endpoint::Endpoint,
    frames::{FrameReader, FrameWriter},
    identity::Identity,
    opening::{self, Answer, Opening, Refusal},
    tls, transport, web,
};

/// Name, handshake and answer together.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0} has no address")]
    NoAddress(String),
    #[error("the name {name}: {source}")]
    Name { name: String, source: std::io::Error },
    #[error("a local socket: {0}")]
    Socket(#[source] std::io::Error),
    #[error("connecting: {0}")]
    Connect(#[from] quinn::ConnectError),
    #[error("the connection: {0}")]
    Connection(#[from] quinn::ConnectionError),
    #[error(transparent)]
    Opening(#[from] opening::Error),
    #[error("the cloud refused: {reason:?}")]
    Refused { reason: Refusal, retry_after: Duration },
    #[error("no answer in time")]
    Silent,
    #[error(transparent)]
    Web(#[from] web::Error),
    #[error(transparent)]
    Tls(#[from] rustls::Error),
}

impl Error {
    /// Nothing came back: as if somebody on the way let no UDP pass.
    pub fn is_silence(&self) -> bool {
        matches!(self, Self::Silent | Self::Connection(quinn::ConnectionError::TimedOut))
    }
}

/// The *control* connection. Dropping it closes it.
pub struct Control {
    pub connection: quinn::Connection,
    pub reader: FrameReader,
    pub writer: FrameWriter,
}

/// Where the cloud is and who we are.
pub struct Client {
    cloud: Endpoint,
    tls: Arc<QuicClientConfig>,
}

impl Client {
    pub fn new(cloud: impl Into<Endpoint>, identity: &Identity) -> Result<Self, Error> {
        Ok(Self { cloud: cloud.into(), tls: Arc::new(tls::client(identity)?) })
    }

    pub async fn control(&self) -> Result<Control, Error> {
        patiently(async { control(self.connect(transport::ours()).await?).await }).await
    }

    /// The *control* connection from a socket that other boxes of this process use, too.
    pub async fn control_from(&self, endpoint: &quinn::Endpoint) -> Result<Control, Error> {
        patiently(async {
            let Endpoint::Udp(cloud) = &self.cloud else { return Err(Error::NoAddress(self.cloud.to_string())) };
            let address = resolve(cloud).await?;
            control(self.connect_from(endpoint, address, transport::ours()).await?).await
        })
        .await
    }

    /// The *media* connection: datagrams may flow when this returns. It lives as long as the returned value.
    pub async fn media(&self) -> Result<quinn::Connection, Error> {
        patiently(async {
            let connection = self.connect(transport::ours()).await?;
            let (mut send, mut receive) = connection.open_bi().await?;
            opening::write(&mut send, &Opening::Media).await?;
            ready(opening::read(&mut receive).await?)?;
            Ok(connection)
        })
        .await
    }

    /// A *bulk* connection for one bundle, from an offset on: the whole size, and the stream with the rest.
    pub async fn bulk(&self, name: &str, offset: u64) -> Result<(quinn::Connection, u64, quinn::RecvStream), Error> {
        patiently(async {
            let connection = self.connect(transport::yielding()).await?;
            let (mut send, mut receive) = connection.open_bi().await?;
            opening::write(&mut send, &Opening::Bulk { name: name.to_owned(), offset }).await?;
            let size = ready(opening::read(&mut receive).await?)?;
            Ok((connection, size, receive))
        })
        .await
    }

    /// A socket of its own for each connection: a path that a middlebox broke is not taken again.
    async fn connect(&self, transport: quinn::TransportConfig) -> Result<quinn::Connection, Error> {
        let (endpoint, address) = endpoint(&self.cloud).await?;
        self.connect_from(&endpoint, address, transport).await
    }

    async fn connect_from(
        &self,
        endpoint: &quinn::Endpoint,
        address: SocketAddr,
        transport: quinn::TransportConfig,
    ) -> Result<quinn::Connection, Error> {
        let mut config = quinn::ClientConfig::new(self.tls.clone());
        config.transport_config(Arc::new(transport));
        handshake(endpoint, config, address, CLOUD_NAME).await
    }
}

async fn control(connection: quinn::Connection) -> Result<Control, Error> {
    let (mut send, receive) = connection.open_bi().await?;
    opening::write(&mut send, &Opening::Control).await?;
    Ok(Control { connection, reader: FrameReader::new(receive), writer: FrameWriter::new(send) })
}

fn ready(answer: Answer) -> Result<u64, Error> {
    match answer {
        Answer::Ready { size } => Ok(size),
        Answer::Refused { reason, retry_after_ms } => {
            Err(Error::Refused { reason, retry_after: Duration::from_millis(retry_after_ms) })
        }
    }
}

async fn patiently<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    tokio::time::timeout(PATIENCE, work).await.unwrap_or(Err(Error::Silent))
}

async fn resolve(name: &str) -> Result<SocketAddr, Error> {
    let mut found =
        tokio::net::lookup_host(name).await.map_err(|source| Error::Name { name: name.to_owned(), source })?;
    found.next().ok_or_else(|| Error::NoAddress(name.to_owned()))
}

/// A socket of its own, or a WebSocket, and the address of the cloud there.
pub(crate) async fn endpoint(cloud: &Endpoint) -> Result<(quinn::Endpoint, SocketAddr), Error> {
    match cloud {
        Endpoint::Udp(cloud) => {
            let towards = resolve(cloud).await?;
            let any: SocketAddr =
                if towards.is_ipv4() { (Ipv4Addr::UNSPECIFIED, 0).into() } else { (Ipv6Addr::UNSPECIFIED, 0).into() };
            Ok((quinn::Endpoint::client(any).map_err(Error::Socket)?, towards))
        }
        Endpoint::Web(web) => web::endpoint(web).await,
    }
}

pub(crate) fn config(tls: QuicClientConfig, transport: quinn::TransportConfig) -> quinn::ClientConfig {
    let mut config = quinn::ClientConfig::new(Arc::new(tls));
    config.transport_config(Arc::new(transport));
    config
}

pub(crate) async fn handshake(
    endpoint: &quinn::Endpoint,
    config: quinn::ClientConfig,
    address: SocketAddr,
    name: &str,
) -> Result<quinn::Connection, Error> {
    Ok(endpoint.connect_with(config, address, name)?.await?)
}

impl Drop for Control {
    fn drop(&mut self) {
        self.connection.close(code::DONE, b"");
    }
}
