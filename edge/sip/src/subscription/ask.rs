//! SUBSCRIBE requests (RFC 6665 §4.2.1): new ones, refreshes, fetches and farewells; which are refused, and with what.

use std::time::{Duration, Instant};

use super::{ALLOW_EVENTS, PER_PHONE_MAX, Package, SUBSCRIPTIONS_MAX, Subscription, Subscriptions, Timer, Why};
use crate::context::Context;
use crate::dialog::Dialogs;
use crate::dialog::peer::Peer;
use crate::endpoint::Flow;
use crate::lex;
use crate::message::{Params, Request};
use crate::transaction::TxId;

/// Below this a phone would do nothing but subscribe (RFC 6665 §4.2.1.1).
const EXPIRES_S_MIN: u32 = 60;
const EXPIRES_S_MAX: u32 = 3_600;
const EXPIRES_S_DEFAULT: u32 = 3_600;
/// Seconds after which a phone that met a limit may ask again.
const RETRY_AFTER_S: &str = "60";

/// What a SUBSCRIBE wants, read.
struct Wish {
    package: Package,
    id: Option<String>,
    expires_s: u32,
}

impl Subscriptions {
    /// A SUBSCRIBE outside a dialog, of a proved phone, with its open transaction.
    pub fn subscribe(
        &mut self,
        cx: &mut Context<'_>,
        dialogs: &Dialogs,
        tx: TxId,
        (request, flow): (Request, Flow),
        subscriber: &str,
    ) {
        let wish = wish(&request);
        let resource = request.uri.user().unwrap_or_default();
        let refused = match &wish {
            _ if !request.uri.host().is_some_and(|host| cx.is_us(host, flow)) => Some(404),
            Err(status) => Some(*status),
            Ok(_) if !cx.config.phones.contains_key(&resource) => Some(404),
            // Its own mailbox only.
            Ok(wish) if wish.package == Package::Summary && resource != subscriber => Some(403),
            Ok(_) => None,
        };
        let (Ok(wish), None) = (wish, refused) else { return respond(cx, tx, &request, refused.unwrap_or(400)) };
        let tag = cx.ids.tag();
        let (Some(peer), Some(contact)) = (Peer::of_invite(&request, &tag, flow), request.head.contacts.first()) else {
            return respond(cx, tx, &request, 400);
        };
        let contact = contact.uri.to_string();
        self.drop_former_self(&contact, flow, |held| {
            held.subscriber == subscriber && held.package == wish.package && held.resource == resource
        });
        let of_it = self.held.values().filter(|held| held.subscriber == subscriber).count();
        if self.held.len() >= SUBSCRIPTIONS_MAX || of_it >= PER_PHONE_MAX {
            return respond(cx, tx, &request, 503);
        }
        self.last_id = self.last_id.wrapping_add(1);
        let id = self.last_id;
        self.by_tag.insert((peer.call_id.as_str().to_string(), tag), id);
        let held = Subscription {
            package: wish.package,
            id: wish.id,
            subscriber: subscriber.to_string(),
            resource: resource.clone(),
            contact,
            peer,
            version: 0,
            expires_at: cx.now,
            sending: None,
            owed: false,
        };
        self.held.insert(id, held);
        self.watching = self.watching.saturating_add(usize::from(wish.package == Package::Dialog));
        if wish.package == Package::Dialog && !self.lines.contains_key(&resource) {
            self.lines.extend(dialogs.lines(|user| user == resource));
        }
        self.accept(cx, id, tx, &request, wish.expires_s);
    }

    /// A SUBSCRIBE within its dialog.
    pub fn resubscribe(&mut self, cx: &mut Context<'_>, id: u64, tx: TxId, request: &Request, flow: Flow) {
        let Some(held) = self.held.get_mut(&id) else { return respond(cx, tx, request, 481) };
        if !held.peer.takes(request.head.cseq) {
            // RFC 3261 §12.2.2.
            return respond(cx, tx, request, 500);
        }
        match wish(request) {
            Err(status) => respond(cx, tx, request, status),
            // RFC 6665 §4.4.1: another event would be another subscription.
            Ok(wish) if wish.package != held.package || wish.id != held.id => respond(cx, tx, request, 489),
            Ok(wish) => {
                held.peer.refresh(&request.head);
                held.peer.flow = flow;
                self.accept(cx, id, tx, request, wish.expires_s);
            }
        }
    }

    /// 200, and the state that RFC 6665 §4.2.1.2 wants told at once.
    fn accept(&mut self, cx: &mut Context<'_>, id: u64, tx: TxId, request: &Request, expires_s: u32) {
        let Some(held) = self.held.get_mut(&id) else { return };
        let mut response = cx.response(request, 200, held.peer.local_tag());
        response.head.record_route = request.head.record_route.clone();
        cx.introduce(&mut response.head, held.peer.flow);
        response.head.set("Allow-Events", ALLOW_EVENTS);
        response.head.set("Expires", expires_s.to_string());
        cx.tx.respond(cx.now, tx, &response);
        held.expires_at = expires_at(cx.now, expires_s);
        if expires_s == 0 {
            // RFC 6665 §4.4.3: a fetch, or a farewell.
            return self.end(cx, id, Why::Timeout);
        }
        self.timers.set(Timer::Expired(id), held.expires_at);
        self.notify(cx, id);
    }

    /// A phone that has restarted knows nothing of its subscriptions: the new one takes the old one's place.
    fn drop_former_self(&mut self, contact: &str, flow: Flow, same: impl Fn(&Subscription) -> bool) {
        let hit = |held: &Subscription| same(held) && (held.contact == contact || held.peer.flow == flow);
        let ids: Vec<u64> = self.held.iter().filter(|(_, held)| hit(held)).map(|(id, _)| *id).collect();
        ids.into_iter().for_each(|id| self.forget(id));
    }
}

fn expires_at(now: Instant, expires_s: u32) -> Instant {
    now.checked_add(Duration::from_secs(expires_s.into())).unwrap_or(now)
}

/// Err is the status to refuse with.
fn wish(request: &Request) -> Result<Wish, u16> {
    let head = &request.head;
    let mut pieces = head.field("Event").ok_or(489_u16)?.split(';');
    let name = pieces.next().unwrap_or_default().trim();
    let package = Package::of(name).ok_or(489_u16)?;
    let id = Params::parse("Event", pieces.map(str::trim)).map_err(|_| 400_u16)?.get("id").map(str::to_string);
    let accepts = head.list("Accept");
    let readable = accepts.iter().any(|range| {
        let range = range.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        range == package.media_type() || range == "application/*" || range == "*/*"
    });
    if !accepts.is_empty() && !readable {
        return Err(406);
    }
    let asked = head.field("Expires").map(|text| lex::number(text.trim()).ok_or(400_u16)).transpose()?;
    let expires_s = asked.unwrap_or(EXPIRES_S_DEFAULT).min(EXPIRES_S_MAX);
    if (1..EXPIRES_S_MIN).contains(&expires_s) { Err(423) } else { Ok(Wish { package, id, expires_s }) }
}

fn respond(cx: &mut Context<'_>, tx: TxId, request: &Request, status: u16) {
    let tag = cx.ids.tag();
    let mut response = cx.response(request, status, &tag);
    match status {
        // RFC 6665 §8.3.2.
        489 => response.head.set("Allow-Events", ALLOW_EVENTS),
        423 => response.head.set("Min-Expires", EXPIRES_S_MIN.to_string()),
        503 => response.head.set("Retry-After", RETRY_AFTER_S),
        _ => {}
    }
    cx.tx.respond(cx.now, tx, &response);
}
