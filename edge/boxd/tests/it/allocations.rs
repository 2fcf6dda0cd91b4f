//! No allocation per packet: every allocation of the relay's thread is counted while packets go through it. A recording's
//! buffer is not a packet's: one more is taken while the disk is slow, and used again.
#![allow(unsafe_code)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicI32, AtomicU64, Ordering},
    time::{Duration, Instant},
};

use media::{
    plane::{Command, MixId, PortId, Seat},
    record::BATCH_BYTES,
    srtp::Suite,
};

use crate::rig::{Phone, Plane};

struct Counting;

/// The thread that is watched; 0 is none.
static WATCHED: AtomicI32 = AtomicI32::new(0);
static COUNT: AtomicU64 = AtomicU64::new(0);
/// Of them, buffers of recordings.
static BUFFERS: AtomicU64 = AtomicU64::new(0);
const CALLS: u64 = 5;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: the system's allocator does the work.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let watched = WATCHED.load(Ordering::Relaxed);
        if watched != 0 && nix::unistd::gettid().as_raw() == watched {
            let buffer = layout.size() == BATCH_BYTES;
            if buffer { &BUFFERS } else { &COUNT }.fetch_add(1, Ordering::Relaxed);
        }
        // SAFETY: as promised to us.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as promised to us.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[test]
fn packets_of_recorded_calls_go_through_the_relay_without_an_allocation() {
    for (io_uring, first) in [(true, 27_000_u16), (false, 27_200)] {
        let mut plane = Plane::start([127, 0, 65, 1], first..=first + 99, io_uring);
        let (mut phones, mut servers) = (Vec::new(), Vec::new());
        for n in 0..CALLS {
            let (a, b) = (PortId(2 * n + 1), PortId(2 * n + 2));
            // Every other call has a leg under each cipher.
            phones.push(match n {
                1 => Phone::secured(&mut plane, a, 1, Suite::AesCm128HmacSha1_80),
                3 => Phone::secured(&mut plane, a, 1, Suite::AeadAes128Gcm),
                _ => Phone::new(&mut plane, a, 1),
            });
            phones.push(Phone::new(&mut plane, b, 2));
            // And one is decoded and mixed.
            plane.send(&match n {
                4 => {
                    let seats = vec![Seat { port: a, hears: vec![b] }, Seat { port: b, hears: vec![a] }];
                    Command::Mix { mix: MixId(1), seats }
                }
                _ => Command::Join { a, b },
            });
            plane.send(&Command::Record { recording: format!("{n:032x}"), port: a });
            // A recording server has each of them too.
            let (caller, agent) = (PortId(2 * n + 101), PortId(2 * n + 102));
            servers.extend([caller, agent].map(|port| Phone::new(&mut plane, port, 3)));
            plane.send(&Command::Copy { recording: format!("copy-{n}"), port: a, caller, agent });
        }
        // Buffers reach their sizes, and the pool has its batches; then two seconds are watched, which end before the
        // first verdicts.
        let began = Instant::now();
        let (mut heard, mut copied) = (0, 0);
        for round in 0..160_u32 {
            if round == 60 {
                WATCHED.store(relay_thread(), Ordering::Relaxed);
            }
            for phone in &mut phones {
                phone.say();
                heard += phone.hear(0).1;
            }
            copied += servers.iter_mut().map(|server| server.hear(0).1).sum::<usize>();
            std::thread::sleep((began + Duration::from_millis(20) * round).saturating_duration_since(Instant::now()));
        }
        WATCHED.store(0, Ordering::Relaxed);
        assert!(heard > 1_400, "{heard} packets came through");
        assert!(copied > 1_400, "{copied} packets reached the recording server");
        assert_eq!(
            COUNT.swap(0, Ordering::Relaxed),
            0,
            "allocations while 1,000 packets went through (io_uring: {io_uring})"
        );
        let buffers = BUFFERS.swap(0, Ordering::Relaxed);
        assert!(buffers <= CALLS, "{buffers} buffers for {CALLS} recordings (io_uring: {io_uring})");
        for phone in phones.iter().chain(&servers) {
            plane.send(&Command::Close { port: phone.port });
        }
        drop(plane);
    }
}

/// The newest thread of this name.
fn relay_thread() -> i32 {
    let tasks = std::fs::read_dir("/proc/self/task").expect("the threads of this process");
    tasks
        .flatten()
        .filter(|task| std::fs::read_to_string(task.path().join("comm")).is_ok_and(|name| name.trim() == "relay"))
        .filter_map(|task| task.file_name().to_str()?.parse::<i32>().ok())
        .max()
        .expect("a relay")
}
