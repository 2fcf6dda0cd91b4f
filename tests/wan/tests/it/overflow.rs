//! A call between two branches: keys box to box, and nothing clear in the cloud.

use std::{net::SocketAddr, time::Duration};

use boxd::sync::local::Wake;
use link::{client::Client, identity::Identity};
use model::{
    OverflowId, QueueId,
    config::Locality,
    overflow::{Kind, Passport, PublicKey, Refusal, Signal},
};
use tokio::net::UdpSocket;
use wan::{
    branch::{Branch, media},
    cloud::Cloud,
};

const CALL: OverflowId = OverflowId(0x1234_5678_9abc_def0_0fed_cba9_8765_4321);
const SPOKEN: &[u8] = b"these words are spoken by the caller and heard by nobody else";

fn empty() -> PublicKey {
    PublicKey { key: String::new(), signature: String::new(), certificate: String::new() }
}

fn offer(locality: Locality) -> Kind {
    let passport = Passport { locality, show_number: true, may_record: false, hops: 0 };
    Kind::Offer { queue: QueueId::new("sales").unwrap(), passport, key: empty() }
}

fn signal(from: &Branch, to: &Branch, kind: Kind) -> Wake {
    Wake::Signal { signal: Signal { overflow: CALL, from: from.site.clone(), to: to.site.clone(), kind } }
}

async fn heard(branch: &mut Branch) -> Kind {
    let pick = |wake| if let Wake::Signal { signal } = wake { Some(signal.kind) } else { None };
    branch.hear("a signal", pick).await
}

async fn tunnel(branch: &mut Branch, caller: Option<&str>) -> (UdpSocket, SocketAddr) {
    let (socket, media) = media().await;
    let caller = caller.map(|number| number.parse().unwrap());
    branch.say(Wake::TunnelOpen { overflow: CALL, media, caller }).await;
    let ready = |wake| if let Wake::TunnelReady { addr, .. } = wake { Some(addr) } else { None };
    let address = branch.hear("a tunnel", ready).await;
    (socket, address)
}

/// Two linked branches with an accepted call and open tunnels.
struct Talking {
    cloud: Cloud,
    north: Branch,
    south: Branch,
    north_media: (UdpSocket, SocketAddr),
    south_media: (UdpSocket, SocketAddr),
}

async fn talking() -> Talking {
    let cloud = Cloud::start().await;
    let mut north = Branch::open(&cloud, "north").await;
    let mut south = Branch::open(&cloud, "south").await;
    cloud.linked(2).await;
    cloud.media(2).await;
    let wake = signal(&north, &south, offer(Locality::MayLeave));
    north.say(wake).await;
    assert!(matches!(heard(&mut south).await, Kind::Offer { key, .. } if !key.key.is_empty()));
    let north_media = tunnel(&mut north, Some("+4930123456")).await;
    let wake = signal(&south, &north, Kind::Ringing);
    south.say(wake).await;
    assert_eq!(heard(&mut north).await, Kind::Ringing);
    let south_media = tunnel(&mut south, None).await;
    let wake = signal(&south, &north, Kind::Accept { key: empty() });
    south.say(wake).await;
    assert!(matches!(heard(&mut north).await, Kind::Accept { .. }));
    Talking { cloud, north, south, north_media, south_media }
}

/// Says something every 20 ms until the other side has heard it.
async fn crosses(from: &(UdpSocket, SocketAddr), to: &(UdpSocket, SocketAddr), words: &[u8]) {
    let mut buffer = [0; 2000];
    for _ in 0..500 {
        from.0.send_to(words, from.1).await.unwrap();
        let received = tokio::time::timeout(Duration::from_millis(20), to.0.recv(&mut buffer)).await;
        if let Ok(Ok(count)) = received {
            assert_eq!(&buffer[..count], words);
            return;
        }
    }
    panic!("nothing was heard");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn words_cross_both_ways_and_the_number_follows_the_passport() {
    let mut call = talking().await;
    crosses(&call.north_media, &call.south_media, SPOKEN).await;
    crosses(&call.south_media, &call.north_media, b"and the agent answers").await;
    let caller = |wake| if let Wake::Caller { number, .. } = wake { Some(number) } else { None };
    assert_eq!(call.south.hear("the number", caller).await.as_str(), "+4930123456");
    let wake = signal(&call.north, &call.south, Kind::End);
    call.north.say(wake).await;
    assert_eq!(heard(&mut call.south).await, Kind::End);
    call.north.ledger.reader().unwrap().egress_verify().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_passes_the_cloud_is_sealed() {
    let call = talking().await;
    crosses(&call.north_media, &call.south_media, SPOKEN).await;
    // Another connection in the helper's name gets exactly what the hub holds in its hands.
    let identity = Identity::load(&call.south.path("identity")).unwrap();
    let tap = Client::new(&call.cloud.address.to_string(), &identity).unwrap().media().await.unwrap();
    let mut tapped = 0;
    while tapped < 20 {
        call.north_media.0.send_to(SPOKEN, call.north_media.1).await.unwrap();
        let read = tokio::time::timeout(Duration::from_secs(5), tap.read_datagram()).await.expect("datagrams");
        let Ok(datagram) = read else { break };
        assert!(!datagram.windows(6).any(|bytes| SPOKEN.windows(6).any(|words| words == bytes)), "clear words");
        assert!(!datagram.windows(6).any(|bytes| bytes == b"493012"), "a clear number");
        tapped += 1;
    }
    assert!(tapped > 0, "the tap heard something");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_path_is_told_to_both_within_seconds() {
    let mut call = talking().await;
    crosses(&call.north_media, &call.south_media, SPOKEN).await;
    call.cloud.fall().await;
    let lost = |wake| if let Wake::PathLost { overflow } = wake { Some(overflow) } else { None };
    let cut = std::time::Instant::now();
    assert_eq!(call.north.hear("the path is lost", lost).await, CALL);
    assert!(cut.elapsed() < Duration::from_secs(5), "{:?}", cut.elapsed());
    assert_eq!(call.south.hear("the path is lost", lost).await, CALL);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_may_not_leave_or_has_nobody_to_go_to_is_refused() {
    let mut cloud = Cloud::start().await;
    let mut north = Branch::open(&cloud, "north").await;
    let south = Branch::open(&cloud, "south").await;
    cloud.linked(2).await;
    let local = signal(&north, &south, offer(Locality::LocalOnly));
    north.say(local).await;
    assert_eq!(heard(&mut north).await, Kind::Refuse { reason: Refusal::NotAllowed });

    let (from, to, kind) = (north.site.clone(), "west".parse().unwrap(), offer(Locality::MayLeave));
    north.say(Wake::Signal { signal: Signal { overflow: OverflowId(7), from, to, kind } }).await;
    assert_eq!(heard(&mut north).await, Kind::Refuse { reason: Refusal::NotLinked });

    cloud.fall().await;
    north.hear("the link is down", |wake| (wake == Wake::LinkDown).then_some(())).await;
    let unlinked = signal(&north, &south, offer(Locality::MayLeave));
    north.say(unlinked).await;
    assert_eq!(heard(&mut north).await, Kind::Refuse { reason: Refusal::NotLinked });
}
