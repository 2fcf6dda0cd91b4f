//! Keys sent by INFO: `application/dtmf-relay` (`Signal=5`) and `application/dtmf` (`5`), as phones send them.

use super::respond;
use crate::context::Context;
use crate::endpoint::{DialogId, Event};
use crate::message::{Request, media_type};
use crate::transaction::TxId;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Info {
    Digit(char),
    /// Of an Info Package (RFC 6086): none was agreed on.
    Package,
    /// Nothing in it: a probe.
    Empty,
    /// A type or a key that we do not know.
    Unknown,
}

pub fn read(request: &Request) -> Info {
    if request.head.field("Info-Package").is_some() {
        return Info::Package;
    }
    let Ok(text) = std::str::from_utf8(&request.body) else { return Info::Unknown };
    let signal = match media_type(&request.head).as_str() {
        "application/dtmf-relay" => text.lines().find_map(|line| {
            let (name, value) = line.split_once('=')?;
            name.trim().eq_ignore_ascii_case("Signal").then(|| value.trim())
        }),
        "application/dtmf" => Some(text.trim()),
        _ if text.is_empty() => return Info::Empty,
        _ => None,
    };
    signal.and_then(digit).map_or(Info::Unknown, Info::Digit)
}

/// RFC 4733 §3.2 numbers 10 and 11 as some phones write them, else the key itself.
fn digit(signal: &str) -> Option<char> {
    let key = match signal {
        "10" => '*',
        "11" => '#',
        _ => signal.chars().next().filter(|_| signal.len() == 1)?.to_ascii_uppercase(),
    };
    matches!(key, '0'..='9' | 'A'..='D' | '*' | '#').then_some(key)
}

/// Answers an INFO and tells its key.
pub fn answer(cx: &mut Context<'_>, dialog: DialogId, tx: TxId, request: &Request) {
    match read(request) {
        Info::Digit(digit) => {
            respond(cx, tx, request, 200);
            cx.event(Event::Digit { dialog, digit });
        }
        Info::Empty => respond(cx, tx, request, 200),
        Info::Unknown => respond(cx, tx, request, 415),
        Info::Package => respond(cx, tx, request, 469),
    }
}
