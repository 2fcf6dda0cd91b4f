//! The 503 to what is not read, at a price that can be paid ten times for every call that is carried: the few lines that
//! it echoes are found in one pass and copied. Whatever is written in an unusual way (folded, several hops in one line,
//! a quoted name with its own rules) is left to the front door, which gives the same answer more slowly.

use std::io::Write;
use std::net::SocketAddr;

use bytes::Bytes;

use crate::message::Via;

/// Bytes of a 503 beside what it echoes.
const OURS: usize = 192;
/// Hops that are echoed here.
const HOPS_MAX: usize = 4;

/// What a refusal says beside what it echoes.
pub struct Says<'a> {
    /// For To, when it has none.
    pub tag: &'a str,
    pub product: &'a str,
    pub retry_after_s: u32,
}

/// The answer and where a datagram of it goes; None: not for here.
pub fn plain(bytes: &[u8], source: SocketAddr, says: &Says<'_>) -> Option<(SocketAddr, Bytes)> {
    let found = Found::in_head(bytes)?;
    let (top, below) = found.via.get(..found.hops)?.split_first()?;
    let mut via = Via::parse(top).ok()?;
    let to_addr = via.reply_to(source);
    via.stamp(source);
    let mut text = Vec::with_capacity(OURS.saturating_add(found.bytes));
    write!(text, "SIP/2.0 503 Service Unavailable\r\nVia: {via}\r\n").ok()?;
    for via in below {
        write!(text, "Via: {via}\r\n").ok()?;
    }
    write!(text, "From: {}\r\nTo: {}", found.from?, found.to?).ok()?;
    if !has_tag(found.to?)? {
        write!(text, ";tag={}", says.tag).ok()?;
    }
    write!(
        text,
        "\r\nCall-ID: {}\r\nCSeq: {}\r\nRetry-After: {}\r\nServer: {}\r\nContent-Length: 0\r\n\r\n",
        found.call_id?, found.cseq?, says.retry_after_s, says.product
    )
    .ok()?;
    Some((to_addr, text.into()))
}

#[derive(Default)]
struct Found<'a> {
    via: [&'a str; HOPS_MAX],
    hops: usize,
    from: Option<&'a str>,
    to: Option<&'a str>,
    call_id: Option<&'a str>,
    cseq: Option<&'a str>,
    /// Of all these.
    bytes: usize,
}

impl<'a> Found<'a> {
    fn in_head(bytes: &'a [u8]) -> Option<Self> {
        let mut found = Self::default();
        for line in bytes.split(|byte| *byte == b'\n').skip(1) {
            let line = line.strip_suffix(b"\r")?;
            if line.is_empty() {
                return Some(found);
            }
            if matches!(line, [b' ' | b'\t', ..]) {
                return None;
            }
            let colon = line.iter().position(|byte| *byte == b':')?;
            let (name, value) = line.split_at_checked(colon)?;
            found.take(name, value.get(1..)?)?;
        }
        None
    }

    fn take(&mut self, name: &[u8], value: &'a [u8]) -> Option<()> {
        let is = |long: &[u8], short: &[u8]| name.eq_ignore_ascii_case(long) || name.eq_ignore_ascii_case(short);
        let slot = if is(b"Via", b"v") {
            self.hops = self.hops.checked_add(1)?;
            let slot = self.via.get_mut(self.hops.checked_sub(1)?)?;
            *slot = plain_text(value).filter(|via| !via.contains([',', '"']))?;
            self.bytes = self.bytes.saturating_add(slot.len());
            return Some(());
        } else if is(b"From", b"f") {
            &mut self.from
        } else if is(b"To", b"t") {
            &mut self.to
        } else if is(b"Call-ID", b"i") {
            &mut self.call_id
        } else if name.eq_ignore_ascii_case(b"CSeq") {
            &mut self.cseq
        } else if name.is_empty() || name.ends_with(b" ") || name.ends_with(b"\t") {
            return None;
        } else {
            return Some(());
        };
        // Two of one are for the front door to judge.
        if slot.is_some() {
            return None;
        }
        *slot = Some(plain_text(value)?);
        self.bytes = self.bytes.saturating_add(value.len());
        Some(())
    }
}

fn plain_text(value: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(value).ok()?.trim_matches([' ', '\t']);
    (!text.is_empty() && text.bytes().all(|byte| matches!(byte, 0x20..0x7f))).then_some(text)
}

/// Whether To has a tag; None: a way of writing that asks for a closer look.
fn has_tag(to: &str) -> Option<bool> {
    let (address, params) = to.rsplit_once('>')?;
    if address.contains('"') || params.contains(['"', ' ', '<']) || !address.contains('<') {
        return None;
    }
    Some(params.split(';').any(|param| param.split('=').next().is_some_and(|name| name.eq_ignore_ascii_case("tag"))))
}
