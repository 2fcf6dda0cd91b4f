//! QUIC within a WebSocket, on a real TCP connection.

use std::net::SocketAddr;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt, future::ready};
use link::{
    client::{Client, Error},
    endpoint::{Endpoint, Proxy, SUBPROTOCOL, Web},
    server::{Arrival, Server},
    web::{self, relay},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};
use tungstenite::{
    Message,
    client::IntoClientRequest,
    handshake::server::{Request, Response},
};
use wire::frame::Frame;

use crate::authority::{Authority, SOUND, peer, soon};

/// A web server whose every WebSocket leads to the QUIC server, and says that it speaks `subprotocol`.
async fn web_server(server: &Server, subprotocol: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, quic) = (listener.local_addr().unwrap(), server.local_address().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                #[expect(clippy::result_large_err, reason = "the handshake's refusal is tungstenite's type")]
                let agree = |_: &Request, mut response: Response| {
                    response.headers_mut().insert("Sec-WebSocket-Protocol", subprotocol.parse().unwrap());
                    Ok(response)
                };
                let Ok(socket) = tokio_tungstenite::accept_hdr_async(stream, agree).await else { return };
                let (sink, stream) = socket.split();
                let packets = stream.filter_map(|message| {
                    ready(match message {
                        Ok(Message::Binary(packet)) => Some(packet),
                        _ => None,
                    })
                });
                let answers = sink.with(|packet: Bytes| ready(Ok::<_, tungstenite::Error>(Message::Binary(packet))));
                relay(packets, answers, quic).await.unwrap();
            });
        }
    });
    address
}

fn at(address: SocketAddr, proxy: Option<Proxy>) -> Endpoint {
    Endpoint::Web(Web { url: format!("ws://{address}/link").parse().unwrap(), proxy })
}

#[tokio::test]
async fn a_box_enrols_speaks_and_sends_datagrams_where_no_udp_passes() {
    let authority = Authority::new();
    let (mut server, _) = authority.cloud();
    let address = web_server(&server, SUBPROTOCOL).await;
    let dir = tempfile::tempdir().unwrap();
    let identity = authority.enrolled(dir.path(), &peer("north"), SOUND);
    let client = Client::new(at(address, None), &identity).unwrap();
    let cloud = tokio::spawn(async move {
        let Some(Arrival::Control(mut control)) = server.next().await else { panic!("no control") };
        assert_eq!(control.peer, peer("north"));
        let heard = control.reader.next().await.unwrap().unwrap();
        control.writer.push(&heard).unwrap();
        control.writer.flush().await.unwrap();
        let Some(Arrival::Media(media)) = server.next().await else { panic!("no media") };
        let media = media.accept().await.unwrap();
        let datagram = media.read_datagram().await.unwrap();
        media.send_datagram(datagram).unwrap();
        (server, control, media)
    });
    let mut control = soon(client.control()).await.unwrap();
    // Many packets each way, more than wait at once.
    let much = Frame::Renew { csr: vec![7; 30_000].into() };
    control.writer.push(&much).unwrap();
    soon(control.writer.flush()).await.unwrap();
    assert_eq!(soon(control.reader.next()).await.unwrap().unwrap(), much);
    let media = soon(client.media()).await.unwrap();
    assert!(media.max_datagram_size().unwrap() >= 1_100, "an RTP packet fits");
    media.send_datagram(Bytes::from_static(b"rtp")).unwrap();
    assert_eq!(soon(media.read_datagram()).await.unwrap().as_ref(), b"rtp");
    drop(soon(cloud).await.unwrap());
}

#[tokio::test]
async fn the_end_of_the_web_socket_is_the_end_of_the_connection() {
    let authority = Authority::new();
    let (mut server, _) = authority.cloud();
    let address = web_server(&server, SUBPROTOCOL).await;
    let (front, cut) = proxy(None).await;
    let proxied = Some(Proxy { address: front.to_string(), credentials: None });
    let dir = tempfile::tempdir().unwrap();
    let client = Client::new(at(address, proxied), &authority.enrolled(dir.path(), &peer("north"), SOUND)).unwrap();
    let taken = tokio::spawn(async move { server.next().await.map(|arrival| (server, arrival)) });
    let control = soon(client.control()).await.unwrap();
    let _taken = soon(taken).await.unwrap();
    cut.send(()).unwrap();
    soon(control.connection.closed()).await;
}

#[tokio::test]
async fn a_proxy_that_asks_for_a_password_gets_it_and_says_no_without() {
    let authority = Authority::new();
    let (mut server, _) = authority.cloud();
    let address = web_server(&server, SUBPROTOCOL).await;
    let (front, _cut) = proxy(Some("Basic Ym94OnNlY3JldA==")).await;
    let dir = tempfile::tempdir().unwrap();
    let identity = authority.enrolled(dir.path(), &peer("north"), SOUND);
    let through = |credentials: Option<&str>| {
        let proxy = Proxy { address: front.to_string(), credentials: credentials.map(str::to_owned) };
        Client::new(at(address, Some(proxy)), &identity).unwrap()
    };
    let refused = soon(through(None).control()).await.err();
    assert!(matches!(refused, Some(Error::Web(web::Error::ProxyRefused { status: 407, .. }))), "{refused:?}");
    let taken = tokio::spawn(async move { server.next().await.map(|arrival| (server, arrival)) });
    let _control = soon(through(Some("box:secret")).control()).await.unwrap();
    assert!(soon(taken).await.unwrap().is_some());
}

#[tokio::test]
async fn a_web_socket_of_somebody_else_is_refused_and_a_stranger_learns_nothing() {
    let authority = Authority::new();
    let (server, _) = authority.cloud();
    let address = web_server(&server, "graphql-ws").await;
    let dir = tempfile::tempdir().unwrap();
    let identity = authority.enrolled(dir.path(), &peer("north"), SOUND);
    let refused = soon(Client::new(at(address, None), &identity).unwrap().control()).await.err();
    assert!(matches!(refused, Some(Error::Web(web::Error::Subprotocol))), "{refused:?}");
    // Whoever speaks WebSocket but no QUIC hears nothing at all.
    let address = web_server(&server, SUBPROTOCOL).await;
    let mut request = format!("ws://{address}/link").into_client_request().unwrap();
    request.headers_mut().insert("Sec-WebSocket-Protocol", SUBPROTOCOL.parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    socket.send(Message::Binary(Bytes::from_static(b"who is there?"))).await.unwrap();
    socket.send(Message::Text("who is there?".into())).await.unwrap();
    socket.close(None).await.unwrap();
    let heard = soon(async { socket.filter(|message| ready(matches!(message, Ok(Message::Binary(_))))).count().await });
    assert_eq!(heard.await, 0);
}

/// An HTTP proxy that knows CONNECT; its ways end when it is told.
async fn proxy(password: Option<&'static str>) -> (SocketAddr, tokio::sync::broadcast::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (cut, _) = tokio::sync::broadcast::channel(1);
    let ends = cut.clone();
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let mut end = ends.subscribe();
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(near.read_u8().await.unwrap());
                }
                let head = String::from_utf8(head).unwrap();
                let may =
                    password.is_none_or(|password| head.contains(&format!("Proxy-Authorization: {password}\r\n")));
                if !may {
                    near.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await.unwrap();
                    return;
                }
                let target = head.strip_prefix("CONNECT ").unwrap().split(' ').next().unwrap();
                let mut far = TcpStream::connect(target).await.unwrap();
                near.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
                tokio::select! {
                    _ = copy_bidirectional(&mut near, &mut far) => {}
                    _ = end.recv() => {}
                }
            });
        }
    });
    (address, cut)
}
