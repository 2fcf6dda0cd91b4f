//! The strict front door: bytes become one message with one meaning, or a refusal that RFC 3261 names, or silence.
//! Nothing is repaired. Who sent it, and whether they may, is decided behind this door.

mod lines;
mod typed;

use std::net::SocketAddr;

use bytes::Bytes;

use crate::lex;
use crate::message::{Address, Message, Value, Via, reason};
use lines::Lines;

/// Header lines in one message; a call through ten proxies has some forty.
pub const HEADERS_MAX: usize = 200;
/// Bytes of one unfolded header line.
pub const HEADER_BYTES_MAX: usize = 8_192;

/// Bytes of one address or Via; printed again it is a little longer, and still a line.
pub const MEMBER_BYTES_MAX: usize = 8_000;

/// What we understand, for Allow (RFC 3261 §20.5).
pub const ALLOW: &str =
    "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, PRACK, UPDATE, INFO, REFER, NOTIFY, SUBSCRIBE, MESSAGE";

/// Why a message was not let in; `cause` is for the counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{cause} ({status})")]
pub struct Fault {
    pub status: u16,
    pub cause: &'static str,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Opened {
    Message(Box<Message>),
    /// A request to be answered with `refusal.status`.
    Refused(Refusal),
    /// Nothing to answer: a bad response, a bad ACK, or no SIP at all.
    Dropped {
        cause: &'static str,
    },
    /// Blank lines that hold a NAT open (RFC 5626 §3.5.1).
    KeepAlive,
}

/// What a bad request still gives for its answer: the lines as they came, free of control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub status: u16,
    pub cause: &'static str,
    echoed: Vec<(&'static str, String)>,
    retry_after_s: Option<u32>,
}

/// How the bytes came: a datagram ends itself, a stream's message ends where Content-Length says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    Datagram,
    Stream,
}

pub fn open(bytes: &Bytes, carrier: Carrier, bytes_max: usize) -> Opened {
    let blank = bytes.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
    if blank == bytes.len() || bytes.iter().all(|b| *b == 0) {
        return Opened::KeepAlive;
    }
    // RFC 3261 §7.5: blank lines before the start-line are skipped.
    let (lines, body) = match Lines::split(bytes, blank) {
        Ok(split) => split,
        Err(cause) => return Opened::Dropped { cause },
    };
    let checked = match lines.fault {
        Some(fault) => Err(fault),
        None if bytes.len() > bytes_max => Err(Fault { status: 513, cause: "size" }),
        None => typed::message(&lines, body, carrier),
    };
    match checked {
        Ok(message) => Opened::Message(Box::new(message)),
        Err(fault) if lines.is_response() || lines.is_ack() => Opened::Dropped { cause: fault.cause },
        Err(fault) => Opened::Refused(Refusal::new(&lines, fault)),
    }
}

/// The 503 to a request that is not read further, and where a datagram of it goes; None when it cannot be answered.
pub fn overloaded(
    bytes: &Bytes,
    source: SocketAddr,
    tag: &str,
    product: &str,
    retry_after_s: u32,
) -> Option<(SocketAddr, Bytes)> {
    let (lines, _) = Lines::split(bytes, 0).ok()?;
    let refusal = Refusal::new(&lines, Fault { status: 503, cause: "overload" });
    Refusal { retry_after_s: Some(retry_after_s), ..refusal }.reply(source, tag, product)
}

impl Refusal {
    fn new(lines: &Lines, fault: Fault) -> Self {
        const ECHOED: [&str; 5] = ["Via", "From", "To", "Call-ID", "CSeq"];
        let echoed = ECHOED.iter().flat_map(|name| {
            let found = lines.all(name).map(|value| (*name, value.to_string()));
            // Two To headers are one fault, not two recipients of the answer.
            found.take(if *name == "Via" { usize::MAX } else { 1 })
        });
        Self { status: fault.status, cause: fault.cause, echoed: echoed.collect(), retry_after_s: None }
    }

    /// The answer and where a datagram of it goes; None when nothing says whom to answer.
    pub fn reply(mut self, source: SocketAddr, tag: &str, product: &str) -> Option<(SocketAddr, Bytes)> {
        let mut to_addr = source;
        let (_, top) = self.echoed.iter_mut().find(|(name, _)| *name == "Via")?;
        let first = lex::split_outside(top, b',').and_then(|vias| vias.first().map(|via| via.len()));
        if let Some((mut via, rest)) =
            first.and_then(|len| top.split_at_checked(len)).and_then(|(via, rest)| Some((Via::parse(via).ok()?, rest)))
        {
            to_addr = via.reply_to(source);
            via.stamp(source);
            *top = format!("{via}{rest}");
        }
        if let Some((_, to)) = self.echoed.iter_mut().find(|(name, _)| *name == "To")
            && let Ok(address) = Address::parse("To", to)
            && address.tag().is_none()
        {
            to.push_str(&format!(";tag={tag}"));
        }
        let mut text = format!("SIP/2.0 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.echoed {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if matches!(self.status, 405 | 501) {
            text.push_str(&format!("Allow: {ALLOW}\r\n"));
        }
        if let Some(seconds) = self.retry_after_s {
            text.push_str(&format!("Retry-After: {seconds}\r\n"));
        }
        let product = Value::cleaned(product);
        text.push_str(&format!("Server: {product}\r\nContent-Length: 0\r\n\r\n"));
        Some((to_addr, text.into()))
    }
}

#[cfg(test)]
mod tests;
