//! The way through io_uring: every socket has one standing receive, the kernel copies what comes into buffers that we
//! provide, and one system call sends what is waiting and sleeps until enough has come. What the kernel reads or writes
//! outside of a call lies in memory that lives as long as the process.
#![allow(unsafe_code)]

use std::{
    io,
    net::{SocketAddr, UdpSocket},
    os::fd::{AsRawFd, BorrowedFd, RawFd},
    sync::atomic::{AtomicU16, Ordering},
    time::Duration,
};

use io_uring::{
    IoUring, cqueue, opcode, squeue,
    types::{BufRingEntry, Fd, Fixed, RecvMsgOut, SubmitArgs, Timespec},
};
use media::engine::{GENERATION_MAX, PACKET_MAX, Slot};

use super::{DATAGRAM_MAX, LANES, Lane, Lines, NAME_LEN, Packet, read_name, write_name};

/// Packets that wait for one system call to be sent.
const SENDS_MAX: usize = 512;
const SUBMISSIONS: u32 = 2_048;
const COMPLETIONS: u32 = 16_384;
/// Buffers for what came and was not read yet; a power of two. As many are in use as there are sockets, and a few: the
/// kernel takes them in turn, so that all that are lent are touched.
const BUFFERS: u16 = 4_096;
const BUFFERS_MIN: u16 = 256;
/// Sizes of the table of descriptors that are looked up once and not with each packet; the largest that the system
/// allows. Beyond it descriptors are looked up.
const TABLES: [u32; 6] = [65_536, 32_768, 16_384, 8_192, 4_096, 1_024];
/// The kernel's head of a received message, an address, a datagram; a multiple of a cache line.
const BUFFER_LEN: usize = (16 + NAME_LEN + DATAGRAM_MAX).next_multiple_of(64);
const GROUP: u16 = 0;

/// What a completion is about, in the topmost bits of its user data; below: 28 bits of the generation, index.
const KIND_RTP: u64 = 0;
const KIND_RTCP: u64 = 1;
const KIND_WAKE: u64 = 2;
/// A send that failed, and a cancellation.
const KIND_OTHER: u64 = 3;

pub struct Ring {
    pub(super) lines: Lines,
    ring: IoUring,
    wake: RawFd,
    /// Entries of the table of descriptors.
    table: u32,
    sockets: u16,
    buffers: Buffers,
    /// What a standing receive asks for: the source, and no control data.
    header: &'static libc::msghdr,
    sends: &'static mut [Send],
    queued: usize,
}

#[repr(C, align(64))]
struct Send {
    packet: [u8; PACKET_MAX],
    name: [u8; NAME_LEN],
}

/// The ring of provided buffers (io_uring_register_buf_ring(3)): entries that the kernel takes from, and their memory.
struct Buffers {
    entries: *mut BufRingEntry,
    memory: *mut u8,
    tail: u16,
    /// How many the kernel was ever given.
    lent: u16,
}

// SAFETY: the pointers are to leaked memory that nobody else holds.
unsafe impl std::marker::Send for Buffers {}

impl Ring {
    pub fn new(wake: BorrowedFd<'_>) -> io::Result<Self> {
        let ring = IoUring::builder()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_cqsize(COMPLETIONS)
            .setup_submit_all()
            .build(SUBMISSIONS)?;
        let buffers = Buffers::new(&ring)?;
        let table = TABLES.into_iter().find(|size| ring.submitter().register_files_sparse(*size).is_ok()).unwrap_or(0);
        // SAFETY: a message header of zeroes is valid.
        let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
        header.msg_namelen = libc::socklen_t::try_from(NAME_LEN).unwrap_or(28);
        let sends = (0..SENDS_MAX).map(|_| Send { packet: [0; PACKET_MAX], name: [0; NAME_LEN] }).collect::<Vec<_>>();
        let mut made = Self {
            lines: Lines::default(),
            ring,
            wake: wake.as_raw_fd(),
            table,
            sockets: 0,
            buffers,
            header: Box::leak(Box::new(header)),
            sends: Box::leak(sends.into_boxed_slice()),
            queued: 0,
        };
        made.watch_wake();
        made.submit();
        Ok(made)
    }

    pub fn add(&mut self, slot: Slot, lane: Lane, socket: UdpSocket) -> io::Result<()> {
        let descriptor = socket.as_raw_fd();
        if let Some(place) = self.seat(slot, lane) {
            self.ring.submitter().register_files_update(place, &[descriptor])?;
        }
        self.lines.insert(slot, lane, socket);
        self.sockets = self.sockets.saturating_add(1);
        self.buffers.lend(self.sockets);
        self.receive(slot, lane, descriptor);
        Ok(())
    }

    /// The socket's place in the table of descriptors.
    fn seat(&self, slot: Slot, lane: Lane) -> Option<u32> {
        let place = slot.index.checked_mul(2)?.checked_add(u32::from(lane == Lane::Rtcp))?;
        (place < self.table).then_some(place)
    }

    pub fn remove(&mut self, slot: Slot) {
        // What is queued for it leaves before.
        self.submit();
        for lane in LANES {
            let taken = self
                .lines
                .place(slot.index, lane)
                .and_then(|line| line.take_if(|line| line.generation == slot.generation));
            if taken.is_some() {
                self.sockets = self.sockets.saturating_sub(1);
                // The table and the standing receive hold the socket: without this its port would never be free.
                if let Some(place) = self.seat(slot, lane) {
                    let _ = self.ring.submitter().register_files_update(place, &[-1]);
                }
                let cancel = opcode::AsyncCancel::new(token(slot, lane)).build();
                self.push(&cancel.user_data(KIND_OTHER << 60));
            }
        }
    }

    pub fn send(&mut self, slot: Slot, lane: Lane, to: SocketAddr, packet: &[u8]) -> bool {
        if self.queued == SENDS_MAX {
            self.submit();
        }
        let seat = self.seat(slot, lane);
        let Some(line) = self.lines.get(slot, lane) else { return false };
        let Some(send) = self.sends.get_mut(self.queued) else { return false };
        let Some(place) = send.packet.get_mut(..packet.len()) else { return false };
        place.copy_from_slice(packet);
        let length = u32::try_from(packet.len()).unwrap_or(0);
        let mut entry = match seat {
            Some(place) => opcode::Send::new(Fixed(place), send.packet.as_ptr(), length),
            None => opcode::Send::new(Fd(line.socket.as_raw_fd()), send.packet.as_ptr(), length),
        }
        .flags(libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL);
        if line.locked != Some(to) {
            let (name, length) = write_name(to);
            send.name = name;
            entry = entry.dest_addr(send.name.as_ptr().cast()).dest_addr_len(length);
        }
        self.queued += 1;
        let entry = entry.build().flags(squeue::Flags::SKIP_SUCCESS).user_data(KIND_OTHER << 60);
        self.push(&entry);
        true
    }

    pub fn wait(&mut self, packets: usize, timeout: Duration) {
        if !self.ring.completion().is_empty() {
            self.submit();
            return;
        }
        let time = Timespec::new().sec(timeout.as_secs()).nsec(timeout.subsec_nanos());
        // A timeout (ETIME) and a signal (EINTR) are ends of a wait like any other.
        let _ = self.ring.submitter().submit_with_args(packets.max(1), &SubmitArgs::new().timespec(&time));
        self.submitted();
    }

    pub fn next(&mut self, packet: &mut Packet) -> bool {
        loop {
            let Some(done) = self.ring.completion().next() else { return false };
            if self.take(&done, packet) {
                return true;
            }
        }
    }

    /// True when a packet was there.
    fn take(&mut self, done: &cqueue::Entry, packet: &mut Packet) -> bool {
        let again = !cqueue::more(done.flags());
        let (slot, lane) = match done.user_data() >> 60 {
            KIND_RTP => (place(done.user_data()), Lane::Rtp),
            KIND_RTCP => (place(done.user_data()), Lane::Rtcp),
            KIND_WAKE => {
                if again {
                    self.watch_wake();
                }
                return false;
            }
            _ => return false,
        };
        let mut found = false;
        if let Some(buffer) = cqueue::buffer_select(done.flags()) {
            found = done.result() > 0 && self.read(buffer, done.result(), packet);
            self.buffers.give(buffer);
            (packet.slot, packet.lane) = (slot, lane);
        }
        let line = self.lines.get(slot, lane);
        // After an error (an ICMP message, no buffer left) the receive stands up again; a closed socket's does not.
        if again && let Some(descriptor) = line.map(|line| line.socket.as_raw_fd()) {
            self.receive(slot, lane, descriptor);
        }
        found && self.lines.get(slot, lane).is_some()
    }

    fn read(&self, buffer: u16, length: i32, packet: &mut Packet) -> bool {
        let bytes = usize::try_from(length).ok().and_then(|length| self.buffers.get(buffer)?.get(..length));
        let Some(message) = bytes.and_then(|bytes| RecvMsgOut::parse(bytes, self.header).ok()) else { return false };
        let Some(source) = read_name(message.name_data()) else { return false };
        let payload = message.payload_data();
        let payload = payload.get(..DATAGRAM_MAX).unwrap_or(payload);
        let Some(place) = packet.bytes.get_mut(..payload.len()) else { return false };
        place.copy_from_slice(payload);
        packet.source = source;
        packet.length = payload.len();
        true
    }

    fn receive(&mut self, slot: Slot, lane: Lane, descriptor: RawFd) {
        let entry = match self.seat(slot, lane) {
            Some(place) => opcode::RecvMsgMulti::new(Fixed(place), self.header, GROUP).build(),
            None => opcode::RecvMsgMulti::new(Fd(descriptor), self.header, GROUP).build(),
        };
        self.push(&entry.user_data(token(slot, lane)));
    }

    fn watch_wake(&mut self) {
        let events = u32::try_from(libc::POLLIN).unwrap_or(1);
        let entry = opcode::PollAdd::new(Fd(self.wake), events).multi(true).build();
        self.push(&entry.user_data(KIND_WAKE << 60));
    }

    fn push(&mut self, entry: &squeue::Entry) {
        // SAFETY: what entries point to is leaked memory: the header, the sends; and descriptors that are open now. A
        // send's place is written again only after a submission, which carries it out at once (MSG_DONTWAIT).
        if unsafe { self.ring.submission().push(entry) }.is_err() {
            self.submit();
            // SAFETY: as above.
            let _ = unsafe { self.ring.submission().push(entry) };
        }
    }

    fn submit(&mut self) {
        let _ = self.ring.submit();
        self.submitted();
    }

    /// The places of sends are free again once the kernel has taken every entry, and not before.
    fn submitted(&mut self) {
        if self.ring.submission().is_empty() {
            self.queued = 0;
        }
    }
}

impl Buffers {
    fn new(ring: &IoUring) -> io::Result<Self> {
        let count = usize::from(BUFFERS);
        let memory = Box::leak(vec![0_u8; count * BUFFER_LEN].into_boxed_slice()).as_mut_ptr();
        let layout =
            std::alloc::Layout::from_size_align(count * size_of::<BufRingEntry>(), 4_096).map_err(io::Error::other)?;
        // SAFETY: the layout is not empty.
        let entries: *mut BufRingEntry = unsafe { std::alloc::alloc_zeroed(layout) }.cast();
        if entries.is_null() {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        // SAFETY: page-aligned, of the length that goes with the count, and never freed.
        unsafe { ring.submitter().register_buf_ring_with_flags(entries as u64, BUFFERS, GROUP, 0)? };
        let mut buffers = Self { entries, memory, tail: 0, lent: 0 };
        buffers.lend(0);
        Ok(buffers)
    }

    /// So many sockets are open: more buffers, where there are fewer. None is taken back.
    fn lend(&mut self, sockets: u16) {
        while self.lent < sockets.clamp(BUFFERS_MIN, BUFFERS) {
            self.give(self.lent);
            self.lent += 1;
        }
    }

    fn get(&self, buffer: u16) -> Option<&[u8]> {
        if buffer >= BUFFERS {
            return None;
        }
        // SAFETY: within the leaked memory; the kernel writes a buffer only while it is given, and this one was taken.
        Some(unsafe { std::slice::from_raw_parts(self.memory.add(usize::from(buffer) * BUFFER_LEN), BUFFER_LEN) })
    }

    /// Gives a buffer (back) to the kernel.
    fn give(&mut self, buffer: u16) {
        if buffer >= BUFFERS {
            return;
        }
        // SAFETY: the index is within the ring, the address within the memory. The tail lies in the first entry's unused
        // bytes, as io_uring(7) lays it out, and is the only word that both sides use: it is stored last (release).
        unsafe {
            let entry = &mut *self.entries.add(usize::from(self.tail & (BUFFERS - 1)));
            entry.set_addr(self.memory.add(usize::from(buffer) * BUFFER_LEN) as u64);
            entry.set_len(u32::try_from(BUFFER_LEN).unwrap_or(0));
            entry.set_bid(buffer);
            self.tail = self.tail.wrapping_add(1);
            let tail: *const u16 = BufRingEntry::tail(self.entries);
            AtomicU16::from_ptr(tail.cast_mut()).store(self.tail, Ordering::Release);
        }
    }
}

fn token(slot: Slot, lane: Lane) -> u64 {
    let kind = match lane {
        Lane::Rtp => KIND_RTP,
        Lane::Rtcp => KIND_RTCP,
    };
    kind << 60 | u64::from(slot.generation & GENERATION_MAX) << 32 | u64::from(slot.index)
}

fn place(token: u64) -> Slot {
    #[allow(clippy::cast_possible_truncation)]
    Slot { index: token as u32, generation: (token >> 32) as u32 & GENERATION_MAX }
}
