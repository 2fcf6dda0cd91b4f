//! A name server with zones of our own, by UDP and TCP, that can change its mind and die.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, UdpSocket},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use anyhow::Context;
use hickory_proto::{
    op::{Message, MessageType, ResponseCode},
    rr::{
        Name, RData, Record,
        rdata::{A, NAPTR, SRV},
    },
};

/// How often a thread looks whether it is to end.
const LOOK: Duration = Duration::from_millis(50);

pub struct NameServer {
    pub address: SocketAddr,
    zone: Arc<Mutex<String>>,
    asked: Arc<AtomicUsize>,
    ends: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl NameServer {
    /// One record a line: `NAME TTL A address`, `NAME TTL SRV priority weight port target`,
    /// `NAME TTL NAPTR order preference service replacement`. A line `cut` makes it answer by TCP alone.
    pub fn start(zone: &str) -> anyhow::Result<Self> {
        let stream = TcpListener::bind("127.0.0.1:0")?;
        let address = stream.local_addr()?;
        let socket = UdpSocket::bind(address).context("the same port by UDP")?;
        socket.set_read_timeout(Some(LOOK))?;
        stream.set_nonblocking(true)?;
        let zone = Arc::new(Mutex::new(zone.to_owned()));
        let (asked, ends) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let datagrams = {
            let (zone, asked, ends) = (Arc::clone(&zone), Arc::clone(&asked), Arc::clone(&ends));
            std::thread::spawn(move || {
                let mut buffer = [0; 512];
                while !ends.load(Ordering::Relaxed) {
                    let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
                    asked.fetch_add(1, Ordering::Relaxed);
                    let zone = zone.lock().expect("no panic while held").clone();
                    let cut = zone.lines().any(|line| line.trim() == "cut");
                    if let Some(bytes) = answer(&zone, &buffer[..length], cut) {
                        let _gone = socket.send_to(&bytes, from);
                    }
                }
            })
        };
        let streams = {
            let (zone, ends) = (Arc::clone(&zone), Arc::clone(&ends));
            std::thread::spawn(move || {
                while !ends.load(Ordering::Relaxed) {
                    let Ok((mut stream, _)) = stream.accept() else {
                        std::thread::sleep(LOOK);
                        continue;
                    };
                    let _broken = stream.set_nonblocking(false).and_then(|()| {
                        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
                        let mut length = [0; 2];
                        stream.read_exact(&mut length)?;
                        let mut query = vec![0; u16::from_be_bytes(length).into()];
                        stream.read_exact(&mut query)?;
                        let zone = zone.lock().expect("no panic while held").clone();
                        let bytes = answer(&zone, &query, false).unwrap_or_default();
                        let length = u16::try_from(bytes.len()).unwrap_or(0);
                        stream.write_all(&length.to_be_bytes())?;
                        stream.write_all(&bytes)
                    });
                }
            })
        };
        Ok(Self { address, zone, asked, ends, threads: vec![datagrams, streams] })
    }

    pub fn change(&self, zone: &str) {
        zone.clone_into(&mut self.zone.lock().expect("no panic while held"));
    }

    /// Questions so far, by UDP.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    /// The port is closed: whoever asks hears nothing.
    pub fn stop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        self.threads.drain(..).for_each(|thread| drop(thread.join()));
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn answer(zone: &str, query: &[u8], cut: bool) -> Option<Vec<u8>> {
    let query = Message::from_vec(query).ok()?;
    let asked = query.queries.first()?.clone();
    let mut reply = Message::new(query.metadata.id, MessageType::Response, query.metadata.op_code);
    reply.add_query(asked.clone());
    let records = zone.lines().filter_map(|line| record(&line.split_whitespace().collect::<Vec<_>>()));
    let (mine, others): (Vec<Record>, Vec<Record>) =
        records.partition(|record| record.name.eq_ignore_root(&asked.name));
    let fit = |record: &&Record| record.data.record_type() == asked.query_type;
    if cut {
        reply.metadata.truncation = true;
    } else {
        reply.add_answers(mine.iter().filter(fit).cloned());
    }
    if mine.is_empty() && !others.is_empty() {
        reply.metadata.response_code = ResponseCode::NXDomain;
    }
    // A zone without records stands for a server that cannot reach its own.
    if mine.is_empty() && others.is_empty() {
        reply.metadata.response_code = ResponseCode::ServFail;
    }
    reply.to_vec().ok()
}

fn record(words: &[&str]) -> Option<Record> {
    let name = |text: &str| Name::from_ascii(format!("{}.", text.trim_end_matches('.'))).ok();
    let number = |text: &str| text.parse::<u16>().ok();
    let data = match *words.get(2)? {
        "A" => RData::A(A(words.get(3)?.parse().ok()?)),
        "SRV" => RData::SRV(SRV::new(number(words[3])?, number(words[4])?, number(words[5])?, name(words.get(6)?)?)),
        "NAPTR" => {
            let (flags, service) = (b"s".to_vec().into(), words[5].as_bytes().to_vec().into());
            let (order, preference) = (number(words[3])?, number(words[4])?);
            RData::NAPTR(NAPTR::new(order, preference, flags, service, Box::default(), name(words.get(6)?)?))
        }
        _ => return None,
    };
    Some(Record::from_rdata(name(words[0])?, words[1].parse().ok()?, data))
}
