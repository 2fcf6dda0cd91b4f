//! TLS and WebSocket over loopback: who gets in, who is refused and why, and what a crowd of silent strangers costs.

use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Instant;

use futures_util::{SinkExt, StreamExt};
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::tungstenite::{self, Message, client::IntoClientRequest};

use super::*;
use crate::config::TlsTrunk;
use crate::tls::{self, Own};

mod domains;

const MESSAGE: &str = "OPTIONS sip:a SIP/2.0\r\nCall-ID: 1\r\n\r\n";
const NAME: &str = "sip.carrier.example";
const PATIENCE: Duration = Duration::from_secs(10);

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
}

fn key() -> KeyPair {
    KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap()
}

fn params(name: &str, ca: IsCa) -> CertificateParams {
    let mut params = CertificateParams::new(vec![name.to_string()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = ca;
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2060, 1, 1);
    params
}

fn root(name: &str, constraint: BasicConstraints) -> Authority {
    let (key, params) = (key(), params(name, IsCa::Ca(constraint)));
    let certificate = params.self_signed(&key).unwrap().der().clone();
    Authority { issuer: Issuer::new(params, key), certificate }
}

impl Authority {
    fn leaf(&self, params: CertificateParams) -> Own {
        let key = key();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().der().clone();
        Own { chain: vec![certificate], key: PrivateKeyDer::Pkcs8(key.serialize_der().into()) }
    }

    fn below(&self, name: &str, ca: IsCa) -> Authority {
        let (key, params) = (key(), params(name, ca));
        let certificate = params.signed_by(&key, &self.issuer).unwrap().der().clone();
        Authority { issuer: Issuer::new(params, key), certificate }
    }

    fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        Arc::new(roots)
    }
}

/// What a peer that connects with these expectations says to a server that shows `own`; Ok: it talks.
async fn meet(own: Own, name: &str, pin: Option<[u8; 32]>, roots: Arc<RootCertStore>) -> Result<(), String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let acceptor = TlsAcceptor::from(tls::server(&own).unwrap());
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut byte = [0; 1];
        match acceptor.accept(stream).await {
            Ok(mut stream) => stream.read_exact(&mut byte).await.is_ok(),
            Err(_) => false,
        }
    });
    let peer = Peer::new(name, pin, roots, None).unwrap();
    let met = peer.connect(TcpStream::connect(addr).await.unwrap()).await;
    let told = match met {
        Ok(mut stream) => stream.write_all(b"x").await.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    let heard = timeout(PATIENCE, server).await.unwrap().unwrap();
    assert_eq!(told.is_ok(), heard, "nothing of ours reaches a server that we refuse: {told:?}");
    told
}

/// What it is, what it shows, the pin, and the roots we hold.
type Case = (&'static str, Own, Option<[u8; 32]>, Arc<RootCertStore>);

#[tokio::test]
async fn a_trunk_that_cannot_prove_itself_is_refused_in_twelve_ways() {
    let open = BasicConstraints::Unconstrained;
    let (ca, other) = (root("CA", open), root("Other", open));
    let good = || params(NAME, IsCa::NoCa);
    let with = |edit: &dyn Fn(&mut CertificateParams)| {
        let mut params = good();
        edit(&mut params);
        params
    };
    let pin = tls::spki_sha256(&ca.leaf(good()).chain[0]).unwrap();
    let self_made = {
        let key = key();
        let certificate = good().self_signed(&key).unwrap().der().clone();
        Own { chain: vec![certificate], key: PrivateKeyDer::Pkcs8(key.serialize_der().into()) }
    };
    let chained = |issuer: Authority| {
        let mut own = issuer.leaf(good());
        own.chain.push(issuer.certificate);
        own
    };
    let narrow = ca.below("Narrow", IsCa::Ca(BasicConstraints::Constrained(0)));
    let mut below_narrow = chained(narrow.below("Too deep", IsCa::Ca(open)));
    below_narrow.chain.push(narrow.certificate);
    let dated = |from: i32, to: i32| {
        with(&move |params: &mut CertificateParams| {
            params.not_before = rcgen::date_time_ymd(from, 1, 1);
            params.not_after = rcgen::date_time_ymd(to, 1, 1);
        })
    };
    let cases: Vec<Case> = vec![
        ("another name", ca.leaf(params("sip.other.example", IsCa::NoCa)), None, ca.roots()),
        ("expired", ca.leaf(dated(2020, 2021)), None, ca.roots()),
        ("not yet valid", ca.leaf(dated(2050, 2060)), None, ca.roots()),
        ("made by itself", self_made, None, ca.roots()),
        ("an unknown CA", other.leaf(good()), None, ca.roots()),
        ("a missing link", ca.below("Link", IsCa::Ca(open)).leaf(good()), None, ca.roots()),
        ("signed by a leaf", chained(ca.below("Leaf", IsCa::ExplicitNoCa)), None, ca.roots()),
        ("too deep", below_narrow, None, ca.roots()),
        ("a wildcard of the wrong level", ca.leaf(params("*.example", IsCa::NoCa)), None, ca.roots()),
        ("a name in the subject only", ca.leaf(with(&|params| params.subject_alt_names.clear())), None, ca.roots()),
        (
            "for clients only",
            ca.leaf(with(&|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth])),
            None,
            ca.roots(),
        ),
        ("another key than the pinned one", ca.leaf(good()), Some(pin), ca.roots()),
    ];
    assert_eq!(cases.len(), 12);
    for (case, own, pin, roots) in cases {
        let why = meet(own, NAME, pin, roots).await.expect_err(case);
        assert!(why.contains("certificate"), "{case}: {why}");
    }
    let own = ca.leaf(good());
    let pin = tls::spki_sha256(&own.chain[0]);
    assert_eq!(meet(own, NAME, pin, ca.roots()).await, Ok(()));
    assert_eq!(
        meet(chained(ca.below("Link", IsCa::Ca(BasicConstraints::Constrained(0)))), NAME, None, ca.roots()).await,
        Ok(())
    );
    assert_eq!(meet(ca.leaf(params("127.0.0.1", IsCa::NoCa)), "127.0.0.1", None, ca.roots()).await, Ok(()));
}

/// The box with TLS, WS and WSS on free ports, and a CA that made its certificate.
async fn secured(limits: Limits) -> (Sockets, Authority, [SocketAddr; 3]) {
    let ca = root("CA", BasicConstraints::Unconstrained);
    let own = ca.leaf(params("127.0.0.1", IsCa::NoCa));
    let origins = vec!["https://desk.example".to_string()];
    let security = Security { server: Some(tls::server(&own).unwrap()), callers: None, origins };
    let any: SocketAddr = (Ipv4Addr::LOCALHOST, 0).into();
    let listen = [(Transport::Tls, any), (Transport::Ws, any), (Transport::Wss, any)];
    let sockets = Sockets::bind(&listen, limits, security, &tests::reception()).await.unwrap();
    let addrs = [0, 1, 2].map(|at| sockets.listening()[at].1);
    (sockets, ca, addrs)
}

async fn next(sockets: &mut Sockets) -> Input {
    timeout(PATIENCE, sockets.recv()).await.expect("an input in time").unwrap()
}

async fn heard(sockets: &mut Sockets) -> (Flow, Bytes) {
    match next(sockets).await {
        Input::Received { flow, bytes } => (flow, bytes),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_phone_speaks_over_tls_and_a_trunk_of_ours_is_reached_by_it() {
    let (mut sockets, ca, [addr, ..]) = secured(Limits::default()).await;
    let phone = Peer::new("127.0.0.1", None, ca.roots(), None).unwrap();
    let mut stream = phone.connect(TcpStream::connect(addr).await.unwrap()).await.unwrap();
    stream.write_all(MESSAGE.as_bytes()).await.unwrap();
    let (flow, bytes) = heard(&mut sockets).await;
    assert_eq!((flow.transport, flow.local, bytes.as_ref()), (Transport::Tls, addr, MESSAGE.as_bytes()));
    sockets.send(flow, Bytes::from_static(b"SIP/2.0 200 OK\r\n\r\n"));
    let mut answer = [0; 18];
    timeout(PATIENCE, stream.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(&answer, b"SIP/2.0 200 OK\r\n\r\n");
    // The other way: to itself, as to a trunk. First without a word of what the peer must prove.
    let away = Flow { remote: addr, connection: 0, ..flow };
    sockets.send(away, Bytes::from_static(MESSAGE.as_bytes()));
    assert!(matches!(next(&mut sockets).await, Input::Closed { flow } if flow == away));
    sockets.secure(BTreeMap::from([(addr, phone)]));
    sockets.send(away, Bytes::from_static(MESSAGE.as_bytes()));
    assert_eq!(heard(&mut sockets).await.1.as_ref(), MESSAGE.as_bytes());
}

#[tokio::test]
async fn why_a_trunk_is_refused_is_remembered_until_it_is_believed() {
    let (mut sockets, ca, _) = secured(Limits::default()).await;
    let mut expired = params(NAME, IsCa::NoCa);
    expired.not_after = rcgen::date_time_ymd(2021, 1, 1);
    for (shown, said) in [
        (params("other.example", IsCa::NoCa), "not valid for name \"sip.carrier.example\""),
        (expired, "expired"),
        (params(NAME, IsCa::NoCa), ""),
    ] {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let remote = listener.local_addr().unwrap();
        let acceptor = TlsAcceptor::from(tls::server(&ca.leaf(shown)).unwrap());
        let server = tokio::spawn(async move {
            let accepted = acceptor.accept(listener.accept().await.unwrap().0).await;
            if let Ok(mut stream) = accepted {
                stream.read_exact(&mut [0; 1]).await.unwrap();
            }
        });
        sockets.secure(BTreeMap::from([(remote, Peer::new(NAME, None, ca.roots(), None).unwrap())]));
        let local = (Ipv4Addr::LOCALHOST, 0).into();
        sockets.send(Flow { transport: Transport::Tls, local, remote, connection: 0 }, Bytes::from_static(b"x"));
        server.await.unwrap();
        if said.is_empty() {
            assert_eq!(sockets.faults(), BTreeMap::new());
            continue;
        }
        assert!(matches!(next(&mut sockets).await, Input::Closed { .. }));
        let faults = sockets.faults();
        assert!(faults.get(&remote).is_some_and(|fault| fault.contains(said)), "{faults:?}");
    }
}

#[tokio::test]
async fn who_connects_is_a_trunk_by_its_certificate_and_by_nothing_less() {
    let open = BasicConstraints::Unconstrained;
    let (ca, other) = (root("CA", open), root("Other", open));
    let own = ca.leaf(params("127.0.0.1", IsCa::NoCa));
    let both = |name: &str| {
        let mut params = params(name, IsCa::NoCa);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params
    };
    let expired = {
        let mut params = both(NAME);
        params.not_after = rcgen::date_time_ymd(2021, 1, 1);
        params
    };
    let servers_alone = {
        let mut params = both(NAME);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params
    };
    let right = ca.leaf(both(NAME));
    let pinned = ca.leaf(both("pinned.example"));
    let known = |name: Option<&str>, pin| TlsTrunk { name: name.map(str::to_owned), pin, by_certificate: true };
    let pin = tls::spki_sha256(&pinned.chain[0]);
    let trunks = [("carrier", known(Some(NAME), None)), ("gateway", known(None, pin))];
    let security = Security { server: Some(tls::server(&own).unwrap()), ..Security::default() };
    let known = trunks.iter().map(|(id, of)| ((*id).to_owned(), of));
    let security = security.asking(known, &own, ca.roots()).unwrap();
    assert!(security.callers.is_some());
    let listen = [(Transport::Tls, (Ipv4Addr::LOCALHOST, 0).into())];
    let mut sockets = Sockets::bind(&listen, Limits::default(), security, &tests::reception()).await.unwrap();
    let addr = sockets.listening()[0].1;
    let cases = [
        ("the right one", Some(right), Some("carrier")),
        ("the pinned key", Some(pinned), Some("gateway")),
        ("none", None, None),
        ("another name", Some(ca.leaf(both("sip.other.example"))), None),
        ("another key than the pinned one", Some(ca.leaf(both("pinned.example"))), None),
        ("expired", Some(ca.leaf(expired)), None),
        ("another CA's", Some(other.leaf(both(NAME))), None),
        ("for servers only", Some(ca.leaf(servers_alone)), None),
    ];
    for (case, shown, trunk) in cases {
        let caller = Peer::new("127.0.0.1", None, ca.roots(), shown.as_ref()).unwrap();
        let mut stream = caller.connect(TcpStream::connect(addr).await.unwrap()).await.unwrap();
        stream.write_all(MESSAGE.as_bytes()).await.unwrap();
        let proved = match (trunk, next(&mut sockets).await) {
            (Some(_), Input::Proved { trunk, .. }) => {
                assert_eq!(heard(&mut sockets).await.1.as_ref(), MESSAGE.as_bytes(), "{case}");
                Some(trunk)
            }
            (_, Input::Received { bytes, .. }) => {
                assert_eq!(bytes.as_ref(), MESSAGE.as_bytes(), "{case}: a stranger is served");
                None
            }
            (_, other) => panic!("{case}: {other:?}"),
        };
        assert_eq!(proved.as_deref(), trunk, "{case}");
        drop(stream);
        assert!(matches!(next(&mut sockets).await, Input::Closed { .. }), "{case}");
    }
}

#[tokio::test]
async fn a_page_of_ours_opens_a_websocket_and_another_s_does_not() {
    let (mut sockets, _, [_, addr, _]) = secured(Limits::default()).await;
    let connect = async |origin: Option<&str>, protocol: Option<&str>| {
        let mut request = format!("ws://{addr}/").into_client_request().unwrap();
        let headers = request.headers_mut();
        origin.map(|origin| headers.insert("Origin", origin.parse().unwrap()));
        protocol.map(|protocol| headers.insert("Sec-WebSocket-Protocol", protocol.parse().unwrap()));
        let stream = TcpStream::connect(addr).await.unwrap();
        match tokio_tungstenite::client_async(request, stream).await {
            Ok((socket, response)) => Ok((socket, response.headers().get("Sec-WebSocket-Protocol").cloned())),
            Err(tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    };
    // S-110: null, another scheme, a sub-domain, a suffix, a prefix, a port, a path.
    for origin in [
        "null",
        "http://desk.example",
        "https://evil.example",
        "https://a.desk.example",
        "https://desk.example.evil.example",
        "https://evildesk.example",
        "https://desk.example:8443",
        "https://desk.example/",
    ] {
        assert_eq!(connect(Some(origin), Some("sip")).await.err(), Some(403), "{origin}");
    }
    assert_eq!(connect(Some("https://desk.example"), None).await.err(), Some(400));
    assert_eq!(connect(Some("https://desk.example"), Some("msrp")).await.err(), Some(400));
    for _ in 0..10 {
        assert!(matches!(next(&mut sockets).await, Input::Closed { .. }), "nothing of the refused is heard");
    }
    let (mut socket, protocol) = connect(Some("https://desk.example"), Some("msrp, sip")).await.unwrap();
    assert_eq!(protocol.unwrap(), "sip");
    socket.send(Message::text(MESSAGE)).await.unwrap();
    let (flow, bytes) = heard(&mut sockets).await;
    assert_eq!((flow.transport, bytes.as_ref()), (Transport::Ws, MESSAGE.as_bytes()));
    socket.send(Message::binary(MESSAGE)).await.unwrap();
    assert_eq!(heard(&mut sockets).await, (flow, Bytes::from_static(MESSAGE.as_bytes())));
    sockets.send(flow, Bytes::from_static(b"SIP/2.0 200 OK\r\n\r\n"));
    let answer = timeout(PATIENCE, socket.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(answer, Message::text("SIP/2.0 200 OK\r\n\r\n"));
    socket.send(Message::text("x".repeat(65_536))).await.unwrap();
    assert!(matches!(next(&mut sockets).await, Input::Closed { flow: gone } if gone == flow), "too large");
    // Nobody calls a browser: its connection is gone.
    let away = Flow { connection: 0, ..flow };
    sockets.send(away, Bytes::from_static(MESSAGE.as_bytes()));
    assert!(matches!(next(&mut sockets).await, Input::Closed { flow } if flow == away));
}

#[tokio::test]
async fn a_handshake_or_a_first_message_that_does_not_come_ends_at_the_deadline() {
    let limits = Limits { first_header: Duration::from_millis(300), ..Limits::default() };
    let (sockets, _, addrs) = secured(limits).await;
    for addr in addrs {
        let mut silent = TcpStream::connect(addr).await.unwrap();
        silent.write_all(b"G").await.unwrap();
        let ended = timeout(PATIENCE, silent.read_to_end(&mut Vec::new())).await;
        assert!(ended.is_ok(), "{addr}");
    }
    assert_eq!(sockets.connections(), 0);
}

/// Connections that may be open at a time: each takes two descriptors here.
fn room() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let files = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    let files = files.split_whitespace().next().unwrap().parse().unwrap_or(usize::MAX);
    (files - 500) / 2
}

/// S-07.
#[tokio::test]
async fn twenty_thousand_silent_strangers_do_not_keep_a_trunk_out() {
    const SILENT: usize = 20_000;
    let limits = Limits { first_header: Duration::from_secs(60), ..Limits::default() };
    let (mut sockets, ca, [addr, ..]) = secured(limits).await;
    let trunk: IpAddr = [127, 9, 9, 9].into();
    sockets.trust(BTreeSet::from([trunk]));
    let mut strangers: Vec<TcpStream> = Vec::new();
    let room = room();
    for n in 0..SILENT {
        // Whom the box has shown out needs no descriptor any more.
        while strangers.len() >= room {
            strangers.retain(|stranger| {
                stranger.try_read(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
            });
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let source = [127, 1, u8::try_from(n / 100).unwrap(), 1];
        strangers.push(from(source.into(), addr).await);
    }
    let began = Instant::now();
    let peer = Peer::new("127.0.0.1", None, ca.roots(), None).unwrap();
    let mut stream = peer.connect(from(trunk, addr).await).await.unwrap();
    stream.write_all(MESSAGE.as_bytes()).await.unwrap();
    loop {
        let (flow, _) = heard(&mut sockets).await;
        if flow.remote.ip() == trunk {
            break;
        }
    }
    let took = began.elapsed();
    assert!(took <= Duration::from_secs(1), "{took:?}");
    assert!(sockets.connections() <= Limits::default().connections + 1);
    drop(strangers);
}

async fn from(source: IpAddr, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind((source, 0).into()).unwrap();
    socket.connect(to).await.unwrap()
}
