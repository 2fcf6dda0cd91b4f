//! Questions to DNS servers and their answers (RFC 1035; `hickory-proto` reads and writes the messages): by UDP from a
//! port and under a number that nobody can guess (RFC 5452), by TCP when the answer is longer.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use hickory_proto::{
    op::{Message, MessageType, OpCode, Query, ResponseCode},
    rr::{Name, RData, RecordType},
};
use sip::locate::{Answer, Kind, Question, Record};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UdpSocket},
    time::{Instant, timeout_at},
};
use tracing::debug;

/// For one server, each time.
const PATIENCE: Duration = Duration::from_secs(2);
/// Each server is asked so often.
const ROUNDS: usize = 2;
/// RFC 1035 §4.2.1 without extensions.
const DATAGRAM_MAX: usize = 512;
/// `resolv.conf(5)` reads three.
const SERVERS_MAX: usize = 3;
const RESOLV_CONF: &str = "/etc/resolv.conf";
const DNS_PORT: u16 = 53;
/// How often a name may point to another one.
const ALIASES_MAX: usize = 8;
/// How long a denial holds that does not say (RFC 2308 §5).
const DENIAL_S: u32 = 300;

pub struct Asker {
    servers: Vec<SocketAddr>,
}

#[derive(Debug, PartialEq, Eq)]
enum Reply {
    Answer(Answer),
    /// There is more, by TCP.
    Cut,
    /// The server cannot or will not.
    Refused,
}

impl Asker {
    pub fn new(servers: Vec<SocketAddr>) -> Self {
        Self { servers }
    }

    /// None: nobody answered.
    pub async fn ask(&self, question: &Question) -> Option<Answer> {
        let read = || std::fs::read_to_string(RESOLV_CONF).map(|text| nameservers(&text)).unwrap_or_default();
        let servers = if self.servers.is_empty() { read() } else { self.servers.clone() };
        for server in servers.iter().cycle().take(servers.len().saturating_mul(ROUNDS)) {
            match ask_one(*server, question).await {
                Ok(Some(answer)) => return Some(answer),
                Ok(None) => debug!(%server, "a DNS server refuses"),
                Err(error) => debug!(%server, %error, "a DNS server is not reached"),
            }
        }
        None
    }
}

fn nameservers(text: &str) -> Vec<SocketAddr> {
    let lines = text.lines().filter_map(|line| line.split_whitespace().collect::<Vec<_>>().try_into().ok());
    let named = lines.filter_map(|[word, address]: [&str; 2]| (word == "nameserver").then(|| address.parse().ok())?);
    named.map(|ip: IpAddr| SocketAddr::new(ip, DNS_PORT)).take(SERVERS_MAX).collect()
}

async fn ask_one(server: SocketAddr, question: &Question) -> anyhow::Result<Option<Answer>> {
    let id = rand::random();
    let bytes = query(id, question)?;
    let until = Instant::now() + PATIENCE;
    let any = if server.is_ipv4() { IpAddr::V4(Ipv4Addr::UNSPECIFIED) } else { IpAddr::V6(Ipv6Addr::UNSPECIFIED) };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0)).await?;
    socket.connect(server).await?;
    socket.send(&bytes).await?;
    let mut buffer = [0; DATAGRAM_MAX];
    loop {
        let length = timeout_at(until, socket.recv(&mut buffer)).await??;
        match buffer.get(..length).and_then(|bytes| read(id, question, bytes)) {
            Some(Reply::Answer(answer)) => return Ok(Some(answer)),
            Some(Reply::Refused) => return Ok(None),
            Some(Reply::Cut) => break,
            // Not the answer to this question.
            None => {}
        }
    }
    let whole = timeout_at(Instant::now() + PATIENCE, by_stream(server, &bytes)).await??;
    match read(id, question, &whole) {
        Some(Reply::Answer(answer)) => Ok(Some(answer)),
        _ => Ok(None),
    }
}

/// RFC 1035 §4.2.2: two bytes of length before each message.
async fn by_stream(server: SocketAddr, query: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server).await?;
    let mut framed = u16::try_from(query.len())?.to_be_bytes().to_vec();
    framed.extend_from_slice(query);
    stream.write_all(&framed).await?;
    let length = stream.read_u16().await?;
    let mut whole = vec![0; length.into()];
    stream.read_exact(&mut whole).await?;
    Ok(whole)
}

fn query(id: u16, question: &Question) -> anyhow::Result<Vec<u8>> {
    let name = Name::from_ascii(format!("{}.", question.name))?;
    let mut message = Message::new(id, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(name, kind_of(question.kind)));
    Ok(message.to_vec()?)
}

fn kind_of(kind: Kind) -> RecordType {
    match kind {
        Kind::Naptr => RecordType::NAPTR,
        Kind::Srv => RecordType::SRV,
        Kind::A => RecordType::A,
        Kind::Aaaa => RecordType::AAAA,
    }
}

/// None: bytes that are no answer to the question.
fn read(id: u16, question: &Question, bytes: &[u8]) -> Option<Reply> {
    let message = Message::from_vec(bytes).ok()?;
    let asked = Name::from_ascii(format!("{}.", question.name)).ok()?;
    let [query] = message.queries.as_slice() else { return None };
    let same = query.query_type == kind_of(question.kind) && query.name.eq_ignore_root(&asked);
    if message.metadata.id != id || message.metadata.message_type != MessageType::Response || !same {
        return None;
    }
    match message.metadata.response_code {
        ResponseCode::NoError | ResponseCode::NXDomain => {}
        _ => return Some(Reply::Refused),
    }
    if message.metadata.truncation {
        return Some(Reply::Cut);
    }
    let mut names = vec![asked];
    let mut ttl_s = u32::MAX;
    for _ in 0..ALIASES_MAX {
        let of = |name: &Name| names.last().is_some_and(|last| last.eq_ignore_root(name));
        let alias = message.answers.iter().find_map(|record| match &record.data {
            RData::CNAME(target) if of(&record.name) => Some((record.ttl, target.0.clone())),
            _ => None,
        });
        let Some((ttl, target)) = alias else { break };
        ttl_s = ttl_s.min(ttl);
        names.push(target);
    }
    let last = names.pop()?;
    let mut records = Vec::new();
    for record in message.answers.iter().filter(|record| record.name.eq_ignore_root(&last)) {
        if let Some(read) = record_of(question.kind, &record.data) {
            ttl_s = ttl_s.min(record.ttl);
            records.push(read);
        }
    }
    if records.is_empty() {
        let denial = message.authorities.iter().find_map(|record| match &record.data {
            RData::SOA(soa) => Some(record.ttl.min(soa.minimum)),
            _ => None,
        });
        ttl_s = denial.unwrap_or(DENIAL_S);
    }
    Some(Reply::Answer(Answer { records, ttl_s }))
}

fn record_of(kind: Kind, data: &RData) -> Option<Record> {
    match (kind, data) {
        (Kind::A, RData::A(ip)) => Some(Record::Address(ip.0.into())),
        (Kind::Aaaa, RData::AAAA(ip)) => Some(Record::Address(ip.0.into())),
        (Kind::Srv, RData::SRV(srv)) => {
            let target = dotless(&srv.target);
            Some(Record::Srv { priority: srv.priority, weight: srv.weight, port: srv.port, target })
        }
        (Kind::Naptr, RData::NAPTR(rule)) if rule.regexp.is_empty() => {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let (flags, service) = (text(&rule.flags), text(&rule.services));
            let (order, preference) = (rule.order, rule.preference);
            Some(Record::Naptr { order, preference, flags, service, replacement: dotless(&rule.replacement) })
        }
        _ => None,
    }
}

fn dotless(name: &Name) -> String {
    name.to_ascii().trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use hickory_proto::rr::{
        self,
        rdata::{A, CNAME, NAPTR, SOA, SRV},
    };

    use super::*;

    fn name(text: &str) -> Name {
        Name::from_ascii(text).unwrap()
    }

    fn reply(question: &Question, change: impl FnOnce(&mut Message)) -> Vec<u8> {
        let mut message = Message::from_vec(&query(7, question).unwrap()).unwrap().into_response();
        message.metadata.message_type = MessageType::Response;
        change(&mut message);
        message.to_vec().unwrap()
    }

    fn add(message: &mut Message, owner: &str, ttl: u32, data: RData) {
        message.add_answer(rr::Record::from_rdata(name(owner), ttl, data));
    }

    #[test]
    fn an_answer_is_read_through_its_aliases_and_strangers_records_are_left() {
        let question = Question { name: "c.example".into(), kind: Kind::A };
        let bytes = reply(&question, |message| {
            add(message, "C.example.", 50, RData::CNAME(CNAME(name("b.example."))));
            add(message, "b.example.", 40, RData::A(A::new(192, 0, 2, 1)));
            add(message, "evil.example.", 1, RData::A(A::new(192, 0, 2, 66)));
        });
        let records = vec![Record::Address("192.0.2.1".parse().unwrap())];
        assert_eq!(read(7, &question, &bytes), Some(Reply::Answer(Answer { records, ttl_s: 40 })));
        assert_eq!(read(8, &question, &bytes), None, "another number");
        let other = Question { name: "d.example".into(), kind: Kind::A };
        assert_eq!(read(7, &other, &bytes), None, "another question");
        assert_eq!(read(7, &question, &query(7, &question).unwrap()), None, "an echo");
        for length in 0..bytes.len() {
            let _any = read(7, &question, &bytes[..length]);
        }
    }

    #[test]
    fn services_and_rules_are_read_and_a_rule_with_an_expression_is_not() {
        let question = Question { name: "_sip._udp.c.example".into(), kind: Kind::Srv };
        let bytes = reply(&question, |message| {
            let here = SRV::new(1, 2, 5070, name("S1.c.example."));
            add(message, "_sip._udp.c.example.", 60, RData::SRV(here));
            add(message, "_sip._udp.c.example.", 60, RData::SRV(SRV::new(1, 2, 0, Name::root())));
        });
        let srv = |port, target: &str| Record::Srv { priority: 1, weight: 2, port, target: target.into() };
        let records = vec![srv(5070, "S1.c.example"), srv(0, "")];
        assert_eq!(read(7, &question, &bytes), Some(Reply::Answer(Answer { records, ttl_s: 60 })));

        let question = Question { name: "c.example".into(), kind: Kind::Naptr };
        let rule = |regexp: &[u8]| {
            let (flags, services) = (b"s".to_vec().into(), b"SIP+D2U".to_vec().into());
            RData::NAPTR(NAPTR::new(1, 2, flags, services, regexp.to_vec().into(), name("_sip._udp.c.example.")))
        };
        let bytes = reply(&question, |message| {
            add(message, "c.example.", 60, rule(b""));
            add(message, "c.example.", 60, rule(b"!.*!sip:x@y!"));
        });
        let Some(Reply::Answer(answer)) = read(7, &question, &bytes) else { panic!("no answer") };
        let (flags, service, replacement) = ("s".into(), "SIP+D2U".into(), "_sip._udp.c.example".into());
        assert_eq!(answer.records, [Record::Naptr { order: 1, preference: 2, flags, service, replacement }]);
    }

    #[test]
    fn a_denial_has_a_time_of_its_own_and_a_server_that_fails_has_denied_nothing() {
        let question = Question { name: "c.example".into(), kind: Kind::A };
        let denied = |code| {
            reply(&question, |message| {
                message.metadata.response_code = code;
                let soa = SOA::new(name("ns.example."), name("root.example."), 1, 2, 3, 4, 90);
                message.add_authority(rr::Record::from_rdata(name("example."), 600, RData::SOA(soa)));
            })
        };
        let none = Some(Reply::Answer(Answer { records: Vec::new(), ttl_s: 90 }));
        assert_eq!(read(7, &question, &denied(ResponseCode::NXDomain)), none);
        assert_eq!(read(7, &question, &denied(ResponseCode::NoError)), none);
        assert_eq!(read(7, &question, &denied(ResponseCode::ServFail)), Some(Reply::Refused));
        let cut = reply(&question, |message| message.metadata.truncation = true);
        assert_eq!(read(7, &question, &cut), Some(Reply::Cut));
    }

    #[test]
    fn servers_are_read_from_resolv_conf() {
        let text =
            "# made\nsearch example\nnameserver 192.0.2.53\noptions edns0\nnameserver 2001:db8::53\nnameserver x\n";
        let servers: Vec<String> = nameservers(text).iter().map(SocketAddr::to_string).collect();
        assert_eq!(servers, ["192.0.2.53:53", "[2001:db8::53]:53"]);
    }
}
