//! Control and media, and who may open them.

use std::sync::{Arc, atomic::Ordering};

use bytes::Bytes;
use link::{
    ALPN_BOX, CLOUD_NAME,
    client::{Client, Error},
    opening::Refusal,
    server::{Arrival, Options, Server},
};
use quinn::crypto::rustls::QuicClientConfig;
use rustls::{RootCertStore, pki_types::PrivateKeyDer};
use wire::frame::Frame;

use crate::authority::{Authority, EXPIRED, SOUND, peer, soon};

fn config(size: usize) -> Frame {
    Frame::Config { doc: serde_doc(), bytes: vec![7; size].into() }
}

/// A frame's document kind, by way of its own name: this crate knows `wire` alone.
fn serde_doc<T: for<'de> serde::Deserialize<'de>>() -> T {
    let mut bytes = Vec::new();
    ciborium::into_writer("local", &mut bytes).unwrap();
    ciborium::from_reader(bytes.as_slice()).unwrap()
}

#[tokio::test]
async fn frames_pass_both_ways_also_when_both_ends_write_much_at_once() {
    let authority = Authority::new();
    let (mut server, address) = authority.cloud();
    let dir = tempfile::tempdir().unwrap();
    let client = Client::new(&address, &authority.enrolled(dir.path(), &peer("north"), SOUND)).unwrap();
    let cloud = tokio::spawn(async move {
        let Some(Arrival::Control(mut arrival)) = server.next().await else { panic!("no control") };
        assert_eq!(arrival.peer, peer("north"));
        assert!(!arrival.expired);
        arrival.writer.push(&config(3_000_000)).unwrap();
        arrival.writer.flush().await.unwrap();
        let frame = arrival.reader.next().await.unwrap().unwrap();
        arrival.writer.finish().await;
        (frame, server)
    });
    let mut control = soon(client.control()).await.unwrap();
    control.writer.push(&config(3_500_000)).unwrap();
    soon(control.writer.flush()).await.unwrap();
    assert_eq!(soon(control.reader.next()).await.unwrap().unwrap(), config(3_000_000));
    assert_eq!(soon(cloud).await.unwrap().0, config(3_500_000));
}

#[tokio::test]
async fn datagrams_flow_once_media_is_accepted_and_a_refusal_is_heard() {
    let authority = Authority::new();
    let (mut server, address) = authority.cloud();
    let dir = tempfile::tempdir().unwrap();
    let client = Client::new(&address, &authority.enrolled(dir.path(), &peer("north"), SOUND)).unwrap();
    tokio::spawn(async move {
        let Some(Arrival::Media(first)) = server.next().await else { panic!("no media") };
        first.refuse(Refusal::NotLinked, std::time::Duration::from_secs(4)).await;
        let Some(Arrival::Media(second)) = server.next().await else { panic!("no media") };
        let connection = second.accept().await.unwrap();
        while let Ok(datagram) = connection.read_datagram().await {
            connection.send_datagram(datagram).unwrap();
        }
    });
    let refused = soon(client.media()).await.err();
    assert!(matches!(refused, Some(Error::Refused { reason: Refusal::NotLinked, .. })), "{refused:?}");
    let media = soon(client.media()).await.unwrap();
    assert!(media.max_datagram_size().unwrap() >= 1100, "an RTP packet fits");
    media.send_datagram(Bytes::from_static(b"rtp")).unwrap();
    assert_eq!(soon(media.read_datagram()).await.unwrap().as_ref(), b"rtp");
}

#[tokio::test]
async fn an_expired_certificate_is_marked() {
    let authority = Authority::new();
    let (mut server, address) = authority.cloud();
    let dir = tempfile::tempdir().unwrap();
    let client = Client::new(&address, &authority.enrolled(dir.path(), &peer("north"), EXPIRED)).unwrap();
    let _control = soon(client.control()).await.unwrap();
    let Some(Arrival::Control(arrival)) = soon(server.next()).await else { panic!("no control") };
    assert!(arrival.expired);
}

#[tokio::test]
async fn a_box_of_another_organisation_is_not_let_in() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let (server, address) = ours.cloud();
    let dir = tempfile::tempdir().unwrap();
    theirs.enrolled(dir.path(), &peer("north"), SOUND);
    std::fs::write(dir.path().join("ca.pem"), &ours.pem).unwrap();
    let stranger = link::identity::Identity::load(dir.path()).unwrap();
    let client = Client::new(&address, &stranger).unwrap();
    // TLS 1.3: the client may believe itself in until the cloud's alert arrives.
    if let Ok(mut control) = soon(client.control()).await {
        assert!(soon(control.reader.next()).await.is_err());
    }
    assert_eq!(server.counts().accepted.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn nobody_without_a_certificate_gets_a_box_connection() {
    let authority = Authority::new();
    let (server, address) = authority.cloud();
    let mut roots = RootCertStore::empty();
    roots.add(authority.der.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![ALPN_BOX.to_vec()];
    let config = quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).unwrap()));
    let endpoint = quinn::Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap();
    let connecting = endpoint.connect_with(config, address.parse().unwrap(), CLOUD_NAME).unwrap();
    let connection = soon(connecting).await.unwrap();
    let quinn::ConnectionError::ApplicationClosed(close) = soon(connection.closed()).await else {
        panic!("closed for another reason")
    };
    assert_eq!(close.error_code, link::code::IDENTITY);
    assert_eq!(server.counts().accepted.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn more_handshakes_than_the_bucket_holds_are_refused_and_later_ones_pass() {
    let authority = Authority::new();
    let key = rcgen::KeyPair::generate().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let identity = authority.enrolled(dir.path(), &peer("north"), SOUND);
    let certificate = authority.cloud_certificate(&key);
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let mut options = Options::new("127.0.0.1:0".parse().unwrap(), authority.der.clone(), certificate, key);
    (options.handshakes_per_second, options.handshakes_burst) = (5.0, 3.0);
    let server = Server::bind(options).unwrap();
    let client = Client::new(&server.local_address().unwrap().to_string(), &identity).unwrap();
    let mut kept = Vec::new();
    let mut refused = 0;
    for _ in 0..8 {
        match soon(client.control()).await {
            Ok(control) => kept.push(control),
            Err(_) => refused += 1,
        }
    }
    assert!(kept.len() >= 3 && refused >= 1, "{} and {refused}", kept.len());
    tokio::time::sleep(std::time::Duration::from_millis(800)).await;
    assert!(soon(client.control()).await.is_ok());
}
