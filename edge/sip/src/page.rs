//! MESSAGE between phones (RFC 3428): what a proved phone says is said again, in a message of our own, to every contact
//! of another, and the sender hears what became of it. Never to a trunk, nor from one.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::context::{self, Context, Parties};
use crate::dialog::rank;
use crate::endpoint::{Binding, Flow};
use crate::lex;
use crate::message::{self, Address, Method, Request, Value};
use crate::timers::Timers;
use crate::transaction::{self, TxId};
use crate::uri::Uri;

/// RFC 3428 §8: 1,300 bytes a message; the head is ours, the rest of that is theirs.
pub const BODY_BYTES_MAX: usize = 1_000;
/// Messages on their way at once.
pub const PAGES_MAX: usize = 500;
/// The same, of one phone.
pub const PAGES_PER_PHONE_MAX: usize = 10;
/// A little less than the sender's own Timer F (RFC 3261 §17.1.2.2): it hears our answer, not silence (RFC 4320 §4).
const PATIENCE: Duration = Duration::from_secs(25);
/// What a message may be.
const ACCEPT: &str = "text/plain";
/// Seconds after which a sender at a limit may try again.
const RETRY_AFTER_S: &str = "5";

#[derive(Default)]
pub struct Pages {
    open: BTreeMap<u64, Page>,
    legs: BTreeMap<TxId, u64>,
    timers: Timers<u64>,
    last_id: u64,
}

/// One message on its way.
struct Page {
    tx: TxId,
    request: Request,
    sender: String,
    /// Contacts that have not answered.
    left: usize,
    /// The most telling refusal.
    best: Option<u16>,
}

impl Pages {
    pub fn len(&self) -> usize {
        self.open.len()
    }

    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// A MESSAGE of a proved phone, with its open transaction, for the phone `to` and its contacts. Err is the status
    /// that it was refused with.
    pub fn send(
        &mut self,
        cx: &mut Context<'_>,
        tx: TxId,
        request: Request,
        sender: &str,
        (to, bindings): (&str, &[Binding]),
    ) {
        let refused = match text_of(&request) {
            Err(status) => Some(status),
            Ok(_) if !cx.config.phones.contains_key(to) => Some(404),
            Ok(_) if bindings.is_empty() => Some(480),
            Ok(_) if self.is_full(sender) => Some(503),
            Ok(_) => None,
        };
        if let Some(status) = refused {
            return respond(cx, tx, &request, status);
        }
        self.last_id = self.last_id.wrapping_add(1);
        let id = self.last_id;
        let home = context::domain(cx.config);
        let reachable = bindings.iter().filter_map(|one| Some((one.flow, Uri::parse(&one.contact).ok()?)));
        let contacts: Vec<(Flow, Uri)> = reachable.collect();
        let mut left = 0_usize;
        for (flow, uri) in contacts {
            let mut from = Address::new(Uri::sip(Some(sender), home.clone(), None));
            from.display = request.head.from.display.clone().filter(|name| lex::is_clean(name) && !name.is_empty());
            from.set_tag(&cx.ids.tag());
            let call_id = Value::cleaned(&cx.ids.call_id());
            let addressee = Address::new(Uri::sip(Some(to), home.clone(), None));
            let parties = Parties { uri, from, to: addressee, call_id, cseq: 1 };
            let message = cx.request(Method::Message, flow, parties);
            let message = message.with_body("text/plain;charset=utf-8", request.body.clone());
            if let Ok(leg) = cx.tx.request(cx.now, flow, message) {
                self.legs.insert(leg, id);
                left = left.saturating_add(1);
            }
        }
        if left == 0 {
            return respond(cx, tx, &request, 503);
        }
        self.open.insert(id, Page { tx, request, sender: sender.to_string(), left, best: None });
        if let Some(at) = cx.now.checked_add(PATIENCE) {
            self.timers.set(id, at);
        }
    }

    fn is_full(&self, sender: &str) -> bool {
        let of_it = self.open.values().filter(|page| page.sender == sender).count();
        self.open.len() >= PAGES_MAX || of_it >= PAGES_PER_PHONE_MAX
    }

    /// News from a transaction; false when it is none of ours.
    pub fn transaction(&mut self, cx: &mut Context<'_>, event: &transaction::Event) -> bool {
        use transaction::Event as Tx;
        let (Tx::Response { tx, .. } | Tx::TimedOut { tx } | Tx::TransportFailed { tx } | Tx::Ended { tx }) = event;
        let Some(id) = self.legs.get(tx).copied() else { return false };
        match event {
            Tx::Response { response, .. } => match response.status {
                0..200 => {}
                // RFC 3428 §7: 200, or 202 from who keeps it for later.
                200..300 => self.settle(cx, id, response.status),
                status => self.refused(cx, id, told(status)),
            },
            Tx::TimedOut { .. } | Tx::TransportFailed { .. } => self.refused(cx, id, 480),
            Tx::Ended { tx } => drop(self.legs.remove(tx)),
        }
        true
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    pub fn handle_timeout(&mut self, cx: &mut Context<'_>) {
        while let Some(id) = self.timers.due(cx.now) {
            let best = self.open.get(&id).and_then(|page| page.best);
            self.settle(cx, id, best.unwrap_or(480));
        }
    }

    fn refused(&mut self, cx: &mut Context<'_>, id: u64, status: u16) {
        let Some(page) = self.open.get_mut(&id) else { return };
        page.left = page.left.saturating_sub(1);
        let best = page.best.filter(|before| rank(*before) <= rank(status)).unwrap_or(status);
        page.best = Some(best);
        if page.left == 0 {
            self.settle(cx, id, best);
        }
    }

    fn settle(&mut self, cx: &mut Context<'_>, id: u64, status: u16) {
        self.timers.clear(&id);
        if let Some(page) = self.open.remove(&id) {
            respond(cx, page.tx, &page.request, status);
        }
    }
}

/// What the sender hears of a contact's refusal: nobody is redirected (S-140), a phone's challenge is no challenge of
/// ours, and another's overload is not ours.
fn told(status: u16) -> u16 {
    match status {
        300..=399 | 401 | 407 | 408 | 503 => 480,
        other => other,
    }
}

/// The text of a message; Err is the status to refuse it with.
fn text_of(request: &Request) -> Result<&Bytes, u16> {
    let head = &request.head;
    let written = head.content_type.as_ref().map(Value::as_str).unwrap_or_default();
    let charset = written.split(';').skip(1).find_map(|param| {
        let (name, value) = param.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"').to_ascii_lowercase())
    });
    let readable = charset.is_none_or(|charset| matches!(charset.as_str(), "utf-8" | "us-ascii"));
    let plain = message::media_type(head) == ACCEPT && readable;
    let encoded = head.field("Content-Encoding").is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity"));
    match &request.body {
        body if body.len() > BODY_BYTES_MAX => Err(413),
        _ if !plain || encoded => Err(415),
        body if body.is_empty() || std::str::from_utf8(body).is_err() => Err(400),
        body => Ok(body),
    }
}

fn respond(cx: &mut Context<'_>, tx: TxId, request: &Request, status: u16) {
    let tag = cx.ids.tag();
    let mut response = cx.response(request, status, &tag);
    match status {
        415 => response.head.set("Accept", ACCEPT),
        503 => response.head.set("Retry-After", RETRY_AFTER_S),
        _ => {}
    }
    cx.tx.respond(cx.now, tx, &response);
}
