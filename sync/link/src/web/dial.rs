//! A WebSocket is opened: TCP to its host, or a proxy's way there, then TLS, then the handshake of RFC 6455.

use std::{io, net::SocketAddr, sync::Arc};

use rustls::{
    ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::WebSocketStream;
use tungstenite::{
    client::IntoClientRequest,
    http::{HeaderValue, header::SEC_WEBSOCKET_PROTOCOL},
    protocol::WebSocketConfig,
};

use super::PACKET_LEN_MAX;
use crate::endpoint::{Proxy, SUBPROTOCOL, Url, Web};

/// A proxy's answer to CONNECT.
const ANSWER_LEN_MAX: usize = 8 * 1_024;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the proxy {proxy}: {source}")]
    Proxy { proxy: String, source: io::Error },
    #[error("the proxy {proxy} answers {status}: {hint}")]
    ProxyRefused { proxy: String, status: u16, hint: &'static str },
    #[error("{host}: {source}")]
    Tcp { host: String, source: io::Error },
    #[error("TLS: {0}")]
    Tls(#[source] io::Error),
    #[error("the WebSocket's handshake: {0}")]
    Handshake(#[from] Box<tungstenite::Error>),
    #[error("the server speaks WebSocket, and not {SUBPROTOCOL}")]
    Subprotocol,
}

pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

pub struct Opened {
    pub socket: WebSocketStream<Box<dyn Stream>>,
    pub local: SocketAddr,
    pub remote: SocketAddr,
}

pub async fn dial(web: &Web) -> Result<Opened, Error> {
    let url = &web.url;
    let stream = match &web.proxy {
        Some(proxy) => through(proxy, url).await?,
        None => {
            let host = url.host.trim_matches(['[', ']']);
            let source = TcpStream::connect((host, url.port)).await;
            source.map_err(|source| Error::Tcp { host: url.host.clone(), source })?
        }
    };
    let of = |source| Error::Tcp { host: url.host.clone(), source };
    // A packet must not wait for the next one.
    stream.set_nodelay(true).map_err(of)?;
    let (local, remote) = (stream.local_addr().map_err(of)?, stream.peer_addr().map_err(of)?);
    let stream: Box<dyn Stream> = if url.tls { Box::new(tls(stream, url).await?) } else { Box::new(stream) };
    let mut request = url.text.as_str().into_client_request().map_err(Box::new)?;
    request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    let config = WebSocketConfig::default()
        .max_message_size(Some(PACKET_LEN_MAX))
        .max_frame_size(Some(PACKET_LEN_MAX))
        .write_buffer_size(0);
    let opened = tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await;
    let (socket, response) = opened.map_err(|error| match error {
        tungstenite::Error::Protocol(tungstenite::error::ProtocolError::SecWebSocketSubProtocolError(_)) => {
            Error::Subprotocol
        }
        error => Error::Handshake(Box::new(error)),
    })?;
    let agreed = response.headers().get(SEC_WEBSOCKET_PROTOCOL).is_some_and(|agreed| agreed == SUBPROTOCOL);
    if agreed { Ok(Opened { socket, local, remote }) } else { Err(Error::Subprotocol) }
}

/// RFC 9110 §9.3.6.
async fn through(proxy: &Proxy, url: &Url) -> Result<TcpStream, Error> {
    let fail = |source| Error::Proxy { proxy: proxy.address.clone(), source };
    let mut stream = TcpStream::connect(&proxy.address).await.map_err(fail)?;
    let target = format!("{}:{}", url.host, url.port);
    let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
    if let Some(authorization) = proxy.authorization() {
        request.push_str(&format!("Proxy-Authorization: {authorization}\r\n"));
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).await.map_err(fail)?;
    let status = answer(&mut stream).await.map_err(fail)?;
    let hint = match status {
        200..300 => return Ok(stream),
        401 | 403 => "it does not let us through: its list must name the cloud",
        407 => "it asks for a name and a password: cloud.proxy_credentials names the file that holds them",
        _ => "it could not reach the cloud",
    };
    Err(Error::ProxyRefused { proxy: proxy.address.clone(), status, hint })
}

/// The status of a head without a body; not one byte behind it is read.
async fn answer(stream: &mut TcpStream) -> io::Result<u16> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= ANSWER_LEN_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "its answer has no end"));
        }
        head.push(stream.read_u8().await?);
    }
    let text = std::str::from_utf8(&head).ok();
    let status = text.and_then(|text| text.strip_prefix("HTTP/1.")).and_then(|text| text.get(2..5));
    let status = status.and_then(|status| status.parse().ok());
    status.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "it does not answer in HTTP"))
}

async fn tls(stream: TcpStream, url: &Url) -> Result<impl Stream + use<>, Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Tls(io::Error::other(error)))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody(provider)))
        .with_no_client_auth();
    let name = ServerName::try_from(url.host.trim_matches(['[', ']']).to_owned());
    let name = name.map_err(|error| Error::Tls(io::Error::other(error)))?;
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(Error::Tls)
}

/// The wrapping is not what is trusted: within it QUIC proves the cloud by the organisation's CA, and a firm's proxy that
/// opens the wrapping sees QUIC's packets.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
