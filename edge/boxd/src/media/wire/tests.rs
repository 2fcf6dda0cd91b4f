//! Both ways carry the same packets between real sockets.

use std::{os::fd::AsFd, time::Instant};

use nix::sys::eventfd::{EfdFlags, EventFd};

use super::*;

const SLOT: Slot = Slot { index: 3, generation: 7 };

fn wires(check: impl Fn(&mut Wire)) {
    let wake = EventFd::from_value_and_flags(0, EfdFlags::EFD_NONBLOCK).expect("eventfd");
    check(&mut Wire::polled(wake.as_fd()).expect("epoll"));
    // Where io_uring is forbidden this is epoll again.
    check(&mut Wire::new(wake.as_fd()).expect("a way"));
}

fn bound() -> (UdpSocket, SocketAddr) {
    let any = UdpSocket::bind("127.0.0.1:0").expect("loopback").local_addr().expect("an address");
    // By number: one that the system chose would be lost when a socket is unlocked.
    let socket = UdpSocket::bind(any).expect("free");
    socket.set_read_timeout(Some(Duration::from_secs(5))).expect("a socket");
    let address = socket.local_addr().expect("an address");
    (socket, address)
}

/// Waits until so many packets came, five seconds at most.
fn collect(wire: &mut Wire, count: usize) -> Vec<(Slot, Lane, SocketAddr, Vec<u8>)> {
    let (mut packet, mut got, until) = (Packet::new(), Vec::new(), Instant::now() + Duration::from_secs(5));
    while got.len() < count && Instant::now() < until {
        wire.wait(1, Duration::from_millis(50));
        while wire.next(&mut packet) {
            got.push((packet.slot, packet.lane, packet.source, packet.bytes().unwrap_or_default().to_vec()));
        }
    }
    got
}

#[test]
fn packets_come_with_their_slot_lane_and_source_and_go_where_they_should() {
    wires(|wire| {
        let ((rtp, rtp_at), (rtcp, rtcp_at), (phone, phone_at)) = (bound(), bound(), bound());
        wire.add(SLOT, Lane::Rtp, rtp).expect("added");
        wire.add(SLOT, Lane::Rtcp, rtcp).expect("added");
        phone.send_to(b"one", rtp_at).expect("sent");
        phone.send_to(b"two", rtcp_at).expect("sent");
        let mut got = collect(wire, 2);
        got.sort_by_key(|(.., bytes)| bytes.clone());
        assert_eq!(got[0], (SLOT, Lane::Rtp, phone_at, b"one".to_vec()));
        assert_eq!(got[1], (SLOT, Lane::Rtcp, phone_at, b"two".to_vec()));
        assert!(wire.send(SLOT, Lane::Rtp, phone_at, b"back"));
        wire.wait(1, Duration::ZERO);
        let mut buffer = [0; 10];
        assert_eq!(phone.recv_from(&mut buffer).expect("answered"), (4, rtp_at));
        let stale = Slot { generation: 6, ..SLOT };
        assert!(!wire.send(stale, Lane::Rtp, phone_at, b"back"), "a slot of the past sends nothing");
    });
}

#[test]
fn a_locked_socket_hears_its_peer_alone_until_it_is_unlocked() {
    wires(|wire| {
        let ((rtp, rtp_at), (phone, phone_at), (stranger, _)) = (bound(), bound(), bound());
        wire.add(SLOT, Lane::Rtp, rtp).expect("added");
        wire.lock(SLOT, Lane::Rtp, phone_at);
        stranger.send_to(b"bleed", rtp_at).expect("sent");
        phone.send_to(b"voice", rtp_at).expect("sent");
        assert_eq!(collect(wire, 1), [(SLOT, Lane::Rtp, phone_at, b"voice".to_vec())]);
        assert!(wire.send(SLOT, Lane::Rtp, phone_at, b"back"));
        wire.wait(1, Duration::ZERO);
        assert_eq!(phone.recv_from(&mut [0; 10]).expect("answered").0, 4);
        wire.unlock(SLOT);
        stranger.send_to(b"seen", rtp_at).expect("sent");
        assert_eq!(collect(wire, 1).len(), 1);
    });
}

#[test]
fn a_removed_slot_is_silent_and_its_number_is_free() {
    wires(|wire| {
        let ((rtp, rtp_at), (phone, _)) = (bound(), bound());
        wire.add(SLOT, Lane::Rtp, rtp).expect("added");
        phone.send_to(b"late", rtp_at).expect("sent");
        wire.remove(SLOT);
        let (mut packet, until) = (Packet::new(), Instant::now() + Duration::from_secs(5));
        loop {
            wire.wait(1, Duration::from_millis(10));
            assert!(!wire.next(&mut packet), "a packet of a closed port");
            if UdpSocket::bind(rtp_at).is_ok() {
                break;
            }
            assert!(Instant::now() < until, "the number is never free");
        }
    });
}

#[test]
fn a_flood_within_one_wait_loses_nothing_that_the_socket_holds() {
    wires(|wire| {
        let ((rtp, rtp_at), (phone, phone_at)) = (bound(), bound());
        wire.add(SLOT, Lane::Rtp, rtp).expect("added");
        wire.lock(SLOT, Lane::Rtp, phone_at);
        for n in 0..100_u8 {
            phone.send_to(&[n; 172], rtp_at).expect("sent");
        }
        let got = collect(wire, 100);
        assert!(got.iter().map(|(.., bytes)| bytes[0]).eq(0..100), "in order");
        phone.send_to(&[1; PACKET_MAX + 1], rtp_at).expect("sent");
        assert_eq!(collect(wire, 1)[0].3, b"", "larger than any packet of ours");
    });
}

#[test]
fn more_sockets_than_buffers_at_the_start_all_hear_and_their_seats_are_used_again() {
    wires(|wire| {
        let (phone, _) = bound();
        for generation in 0..2 {
            let mut all = Vec::new();
            for index in 0..600 {
                let (rtp, at) = bound();
                wire.add(Slot { index, generation }, Lane::Rtp, rtp).expect("added");
                all.push(at);
            }
            for at in &all {
                phone.send_to(b"voice", at).expect("sent");
            }
            let mut heard: Vec<Slot> = collect(wire, all.len()).into_iter().map(|(slot, ..)| slot).collect();
            heard.sort_by_key(|slot| slot.index);
            assert!(heard.iter().copied().eq((0..600).map(|index| Slot { index, generation })), "life {generation}");
            for index in 0..600 {
                wire.remove(Slot { index, generation });
            }
            wire.wait(1, Duration::from_millis(1));
        }
    });
}

#[test]
fn a_refusal_by_the_peer_s_host_does_not_end_the_hearing() {
    wires(|wire| {
        let ((rtp, rtp_at), (phone, phone_at)) = (bound(), bound());
        wire.add(SLOT, Lane::Rtp, rtp).expect("added");
        wire.lock(SLOT, Lane::Rtp, phone_at);
        drop(phone);
        for _ in 0..3 {
            wire.send(SLOT, Lane::Rtp, phone_at, b"nobody there");
            wire.wait(1, Duration::from_millis(10));
            assert!(!wire.next(&mut Packet::new()));
        }
        let phone = UdpSocket::bind(phone_at).expect("free again");
        phone.send_to(b"back", rtp_at).expect("sent");
        assert_eq!(collect(wire, 1).len(), 1);
    });
}

#[test]
fn names_are_read_as_they_are_written() {
    for address in ["192.0.2.7:4000", "[2001:db8::7]:65535"] {
        let address: SocketAddr = address.parse().expect("an address");
        let (name, length) = write_name(address);
        assert_eq!(read_name(&name[..length as usize]), Some(address));
    }
    assert_eq!(read_name(&[1, 0, 0]), None);
}
