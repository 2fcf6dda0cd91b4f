//! The sockets over loopback.

use std::net::Ipv4Addr;
use std::time::Instant;

use sip::arrivals::Turn;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::time::timeout;

use super::tcp::FirstHeader;
use super::*;

const MESSAGE: &[u8] = b"OPTIONS sip:a SIP/2.0\r\nCall-ID: 1\r\n\r\n";

fn any_port() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

pub fn reception() -> Arc<Reception> {
    Arc::new(Reception::new(Instant::now(), 7, "Branchline"))
}

async fn sockets(limits: Limits) -> Sockets {
    Sockets::bind(
        &[(Transport::Udp, any_port()), (Transport::Tcp, any_port())],
        limits,
        Security::default(),
        &reception(),
    )
    .await
    .unwrap()
}

async fn next(sockets: &mut Sockets) -> Input {
    timeout(Duration::from_secs(5), sockets.recv()).await.expect("an input in time").unwrap()
}

async fn received(sockets: &mut Sockets) -> (Flow, Bytes) {
    match next(sockets).await {
        Input::Received { flow, bytes } => (flow, bytes),
        other => panic!("{other:?}"),
    }
}

async fn closed(sockets: &mut Sockets) -> Flow {
    match next(sockets).await {
        Input::Closed { flow } => flow,
        other => panic!("{other:?}"),
    }
}

fn tcp_addr(sockets: &Sockets) -> SocketAddr {
    sockets.listening()[1].1
}

#[tokio::test]
async fn a_datagram_comes_in_and_its_answer_goes_back() {
    let reception = reception();
    let listen = [(Transport::Udp, any_port())];
    let mut sockets = Sockets::bind(&listen, Limits::default(), Security::default(), &reception).await.unwrap();
    let peer = UdpSocket::bind(any_port()).await.unwrap();
    peer.send_to(MESSAGE, sockets.listening()[0].1).await.unwrap();
    timeout(Duration::from_secs(5), reception.wait()).await.expect("a datagram in time");
    let Some(Turn::Serve { flow, bytes }) = reception.next(Instant::now(), false) else { panic!("it is its turn") };
    assert_eq!(bytes, MESSAGE);
    assert_eq!((flow.transport, flow.connection), (Transport::Udp, 0));
    assert_eq!(flow.remote, peer.local_addr().unwrap());
    sockets.send(flow, Bytes::from_static(b"SIP/2.0 200 OK\r\n\r\n"));
    sockets.flush();
    let mut buffer = [0; 100];
    let (length, from) = peer.recv_from(&mut buffer).await.unwrap();
    assert_eq!((&buffer[..length], from), (b"SIP/2.0 200 OK\r\n\r\n".as_slice(), flow.local));
}

#[tokio::test]
async fn an_accepted_connection_has_a_number_and_says_when_it_ends() {
    let mut sockets = sockets(Limits::default()).await;
    let mut peer = TcpStream::connect(tcp_addr(&sockets)).await.unwrap();
    peer.write_all(MESSAGE).await.unwrap();
    let (flow, bytes) = received(&mut sockets).await;
    assert_eq!(bytes, MESSAGE);
    assert_eq!((flow.connection, flow.local), (1, tcp_addr(&sockets)));
    sockets.send(flow, Bytes::from_static(b"one"));
    // Without a number, the connection to that address is found.
    sockets.send(Flow { connection: 0, ..flow }, Bytes::from_static(b"two"));
    let mut buffer = [0; 6];
    peer.read_exact(&mut buffer).await.unwrap();
    assert_eq!(&buffer, b"onetwo");
    drop(peer);
    assert_eq!(closed(&mut sockets).await, flow);
    assert_eq!(sockets.connections(), 0);
    sockets.send(flow, Bytes::from_static(b"three"));
    assert_eq!(closed(&mut sockets).await, flow);
}

#[tokio::test]
async fn a_connection_is_opened_on_demand_and_used_again() {
    let mut sockets = sockets(Limits::default()).await;
    let peer = TcpListener::bind(any_port()).await.unwrap();
    let remote = peer.local_addr().unwrap();
    let flow = Flow { transport: Transport::Tcp, local: tcp_addr(&sockets), remote, connection: 0 };
    sockets.send(flow, Bytes::from_static(b"one"));
    sockets.send(flow, Bytes::from_static(b"two"));
    let (mut stream, _) = peer.accept().await.unwrap();
    let mut buffer = [0; 6];
    stream.read_exact(&mut buffer).await.unwrap();
    assert_eq!(&buffer, b"onetwo");
    assert_eq!(sockets.connections(), 1);
    stream.write_all(b"SIP/2.0").await.unwrap();
    let (back, _) = received(&mut sockets).await;
    assert_eq!(back, Flow { connection: 1, ..flow });
}

#[tokio::test]
async fn a_connection_that_cannot_be_opened_is_closed_with_number_0() {
    let mut sockets = sockets(Limits::default()).await;
    let nobody = TcpListener::bind(any_port()).await.unwrap().local_addr().unwrap();
    let flow = Flow { transport: Transport::Tcp, local: tcp_addr(&sockets), remote: nobody, connection: 0 };
    sockets.send(flow, Bytes::from_static(b"one"));
    assert_eq!(closed(&mut sockets).await, flow);
    assert_eq!(sockets.connections(), 0);
}

#[tokio::test]
async fn a_silent_connection_ends_at_the_deadline_and_a_talking_one_does_not() {
    let limits = Limits { first_header: Duration::from_millis(200), ..Limits::default() };
    let mut sockets = sockets(limits).await;
    let mut talking = TcpStream::connect(tcp_addr(&sockets)).await.unwrap();
    talking.write_all(MESSAGE).await.unwrap();
    let (flow, _) = received(&mut sockets).await;
    let mut silent = TcpStream::connect(tcp_addr(&sockets)).await.unwrap();
    silent.write_all(b"OPTIONS sip:a SIP/2.0\r\n").await.unwrap();
    let (slow, _) = received(&mut sockets).await;
    assert_eq!(closed(&mut sockets).await, slow);
    assert_eq!(silent.read(&mut [0; 1]).await.unwrap(), 0);
    talking.write_all(MESSAGE).await.unwrap();
    assert_eq!(received(&mut sockets).await.0, flow);
}

#[tokio::test]
async fn an_idle_connection_ends() {
    let limits = Limits { idle: Duration::from_millis(200), ..Limits::default() };
    let mut sockets = sockets(limits).await;
    let mut peer = TcpStream::connect(tcp_addr(&sockets)).await.unwrap();
    peer.write_all(MESSAGE).await.unwrap();
    let (flow, _) = received(&mut sockets).await;
    assert_eq!(closed(&mut sockets).await, flow);
}

#[tokio::test]
async fn a_stranger_has_few_connections_and_a_trunk_always_finds_one() {
    let limits = Limits { connections: 3, connections_reserved: 1, per_source: 2, ..Limits::default() };
    let mut sockets = sockets(limits).await;
    let mut peers = Vec::new();
    for _ in 0..2 {
        let mut peer = TcpStream::connect(tcp_addr(&sockets)).await.unwrap();
        peer.write_all(MESSAGE).await.unwrap();
        received(&mut sockets).await;
        peers.push(peer);
    }
    let mut third = TcpStream::connect(tcp_addr(&sockets)).await.unwrap();
    assert_eq!(third.read(&mut [0; 1]).await.unwrap_or(0), 0, "one too many of this source");
    sockets.trust(BTreeSet::from([Ipv4Addr::LOCALHOST.into()]));
    for _ in 0..2 {
        let mut peer = TcpStream::connect(tcp_addr(&sockets)).await.unwrap();
        peer.write_all(MESSAGE).await.unwrap();
        received(&mut sockets).await;
        peers.push(peer);
    }
    let mut last = TcpStream::connect(tcp_addr(&sockets)).await.unwrap();
    assert_eq!(last.read(&mut [0; 1]).await.unwrap_or(0), 0, "even a trunk has a limit");
    assert_eq!(sockets.connections(), 4);
}

#[tokio::test]
async fn a_peer_that_takes_nothing_is_closed_and_nobody_waits() {
    let limits = Limits { patience: Duration::from_millis(300), ..Limits::default() };
    let mut sockets = sockets(limits).await;
    let mut peer = TcpStream::connect(tcp_addr(&sockets)).await.unwrap();
    peer.write_all(MESSAGE).await.unwrap();
    let (flow, _) = received(&mut sockets).await;
    let flood = Bytes::from(vec![b'x'; 60_000]);
    for _ in 0..2_000 {
        sockets.send(flow, flood.clone());
    }
    assert_eq!(closed(&mut sockets).await, flow);
}

#[tokio::test]
async fn a_wildcard_address_and_a_taken_port_are_refused() {
    let wildcard = Sockets::bind(
        &[(Transport::Udp, "0.0.0.0:0".parse().unwrap())],
        Limits::default(),
        Security::default(),
        &reception(),
    )
    .await;
    assert!(wildcard.err().unwrap().to_string().contains("0.0.0.0"));
    let taken = sockets(Limits::default()).await;
    for (transport, addr) in taken.listening() {
        let again = Sockets::bind(&[(*transport, *addr)], Limits::default(), Security::default(), &reception()).await;
        assert!(again.err().unwrap().to_string().contains(&addr.to_string()), "{transport:?}");
    }
}

#[test]
fn the_first_header_is_found_in_any_cut_and_keep_alives_are_not_it() {
    let whole = [b"\r\n\r\n\r\n".as_slice(), MESSAGE].concat();
    for cut in 0..=whole.len() {
        let (a, b) = whole.split_at(cut);
        let mut header = FirstHeader::default();
        let first = header.ends_in(a);
        assert_eq!(first, cut == whole.len(), "{cut}");
        assert!(first || header.ends_in(b), "{cut}");
    }
    assert!(!FirstHeader::default().ends_in(b"\r\n\r\n\r\n\r\n"));
    assert!(!FirstHeader::default().ends_in(b"OPTIONS sip:a SIP/2.0\r\nTo: b\r\n"));
}
