//! The cloud's end: the packets of one WebSocket go to the QUIC server from a socket of their own, and back.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use tokio::{net::UdpSocket, time::timeout};

use super::PACKET_LEN_MAX;
use crate::transport::IDLE;

/// QUIC's own idle time and a little more: who says nothing for longer has no connection.
const SILENCE: Duration = IDLE.saturating_add(Duration::from_secs(5));

/// Until the WebSocket ends, or is silent. `server` is where the QUIC server listens.
pub async fn relay(
    mut packets: impl Stream<Item = Bytes> + Unpin,
    mut answers: impl Sink<Bytes> + Unpin,
    server: SocketAddr,
) -> std::io::Result<()> {
    let socket = towards(server).await?;
    let mut buffer = vec![0; PACKET_LEN_MAX];
    loop {
        let turn = async {
            tokio::select! {
                packet = packets.next() => {
                    // As on any path a packet may be lost, or refused while the server begins anew.
                    let _ = socket.send(&packet?).await;
                    Some(())
                }
                read = socket.recv(&mut buffer) => match read.ok().and_then(|len| buffer.get(..len)) {
                    Some(packet) => answers.send(Bytes::copy_from_slice(packet)).await.ok(),
                    None => Some(()),
                },
            }
        };
        if timeout(SILENCE, turn).await.ok().flatten().is_none() {
            break;
        }
    }
    let _ = answers.close().await;
    Ok(())
}

async fn towards(server: SocketAddr) -> std::io::Result<UdpSocket> {
    let any: IpAddr = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let near = if server.ip().is_unspecified() {
        let loopback: IpAddr = if server.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() };
        SocketAddr::new(loopback, server.port())
    } else {
        server
    };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(near).await?;
    Ok(socket)
}
