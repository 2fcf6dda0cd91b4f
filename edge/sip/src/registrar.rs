//! Who is where (RFC 3261 §10.3): the bindings of every phone, their order, their end. Whose password was proved is
//! known before a request comes here; that the AOR is the prover's own is checked here (S-03).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::context::Context;
use crate::endpoint::{Binding, Event, Flow, Transport};
use crate::message::{Address, Contacts, Request, Response};
use crate::timers::Timers;
use crate::uri::Uri;

/// Below this a phone would do nothing but register (RFC 3261 §10.3 step 7, 423).
const EXPIRES_S_MIN: u32 = 60;
const EXPIRES_S_MAX: u32 = 3_600;
const EXPIRES_S_DEFAULT: u32 = 3_600;
/// Characters kept of a User-Agent.
const USER_AGENT_MAX: usize = 120;

#[derive(Default)]
pub struct Registrar {
    users: BTreeMap<String, Bindings>,
    timers: Timers<(String, String)>,
}

/// One phone's contacts: `shown` and `kept` belong together, place by place, the most wanted first.
#[derive(Default)]
struct Bindings {
    shown: Vec<Binding>,
    kept: Vec<Kept>,
}

#[derive(Clone)]
struct Kept {
    uri: Uri,
    call_id: String,
    cseq: u32,
    /// Thousandths (RFC 3261 §20.10).
    q: u16,
    expires_at: Instant,
}

/// One contact of a REGISTER, read.
struct Wish {
    uri: Uri,
    expires_s: u32,
    q: u16,
}

impl Registrar {
    pub fn bindings(&self, user: &str) -> &[Binding] {
        self.users.get(user).map_or(&[], |bindings| &bindings.shown)
    }

    /// RFC 3261 §10.3 steps 5 to 8, for a proved user.
    pub fn register(&mut self, cx: &mut Context<'_>, user: &str, request: &Request, flow: Flow, tag: &str) -> Response {
        let aor = &request.head.to.uri;
        if aor.user().as_deref() != Some(user) || request.head.from.uri.user().as_deref() != Some(user) {
            return cx.response(request, 403, tag);
        }
        if !aor.host().is_some_and(|host| cx.is_us(host, flow)) {
            return cx.response(request, 404, tag);
        }
        let refused = match &request.head.contacts {
            Contacts::None => None,
            Contacts::Star if request.head.field("Expires") == Some("0") => self.remove_all(cx, user, request),
            Contacts::Star => Some(400),
            Contacts::List(list) => self.bind(cx, user, request, list, flow),
        };
        match refused {
            None => self.listing(cx, user, request, tag),
            Some(423) => cx.response(request, 423, tag).with("Min-Expires", EXPIRES_S_MIN.to_string()),
            Some(status) => cx.response(request, status, tag),
        }
    }

    /// From before a restart. A TCP connection of then is gone, and its phone knows: it registers anew.
    pub fn restore(&mut self, cx: &mut Context<'_>, user: &str, binding: Binding) {
        let known = cx.config.phones.contains_key(user) && binding.flow.transport == Transport::Udp;
        let Ok(uri) = Uri::parse(&binding.contact) else { return };
        let left = Duration::from_secs(binding.expires_s.min(EXPIRES_S_MAX).into());
        let Some(expires_at) = cx.now.checked_add(left) else { return };
        if known {
            let kept = Kept { uri, call_id: String::new(), cseq: 0, q: 1_000, expires_at };
            self.put(cx, user, binding, kept);
        }
    }

    pub fn closed(&mut self, cx: &mut Context<'_>, flow: Flow) {
        let on_it = |binding: &Binding| binding.flow.transport == Transport::Tcp && binding.flow == flow;
        self.drop_where(cx, |_, binding| on_it(binding));
    }

    /// Phones that are configured no more lose their bindings.
    pub fn configured(&mut self, cx: &mut Context<'_>) {
        let config = cx.config;
        self.drop_where(cx, |user, _| !config.phones.contains_key(user));
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    pub fn handle_timeout(&mut self, cx: &mut Context<'_>) {
        while let Some((user, contact)) = self.timers.due(cx.now) {
            self.drop_where(cx, |other, binding| other == user && binding.contact == contact);
        }
    }

    fn bind(
        &mut self,
        cx: &mut Context<'_>,
        user: &str,
        request: &Request,
        list: &[Address],
        flow: Flow,
    ) -> Option<u16> {
        let wishes = match list.iter().map(|contact| wish(request, contact)).collect::<Result<Vec<_>, u16>>() {
            Ok(wishes) if wishes.len() <= cx.config.limits.bindings_per_user => wishes,
            Ok(_) => return Some(403),
            Err(status) => return Some(status),
        };
        let call_id = request.head.call_id.as_str();
        let stale = wishes.iter().any(|wish| self.is_out_of_order(user, &wish.uri, call_id, request.head.cseq));
        if stale {
            // RFC 3261 §10.3 step 7: all or nothing.
            return Some(500);
        }
        for wish in wishes {
            if wish.expires_s == 0 {
                self.drop_where(cx, |other, binding| other == user && is_contact(binding, &wish.uri));
                continue;
            }
            let user_agent = request.head.field("User-Agent").map(|text| text.chars().take(USER_AGENT_MAX).collect());
            let contact = wish.uri.to_string();
            let binding = Binding { contact, flow, expires_s: wish.expires_s, user_agent };
            let Some(expires_at) = cx.now.checked_add(Duration::from_secs(wish.expires_s.into())) else { continue };
            let (call_id, cseq) = (call_id.to_string(), request.head.cseq);
            self.put(cx, user, binding, Kept { uri: wish.uri, call_id, cseq, q: wish.q, expires_at });
        }
        None
    }

    fn remove_all(&mut self, cx: &mut Context<'_>, user: &str, request: &Request) -> Option<u16> {
        let call_id = request.head.call_id.as_str();
        let kept = self.users.get(user).map(|bindings| bindings.kept.as_slice()).unwrap_or_default();
        if kept.iter().any(|kept| kept.call_id == call_id && request.head.cseq <= kept.cseq) {
            return Some(500);
        }
        self.drop_where(cx, |other, _| other == user);
        None
    }

    fn is_out_of_order(&self, user: &str, uri: &Uri, call_id: &str, cseq: u32) -> bool {
        let kept = self.users.get(user).map(|bindings| bindings.kept.as_slice()).unwrap_or_default();
        kept.iter().any(|kept| kept.uri.same_target(uri) && kept.call_id == call_id && cseq <= kept.cseq)
    }

    /// Adds or renews; over the limit the one that ends soonest gives way: it is the phone's former self.
    fn put(&mut self, cx: &mut Context<'_>, user: &str, binding: Binding, kept: Kept) {
        let bindings = self.users.entry(user.to_string()).or_default();
        let mut gone = bindings.take(|other| other.uri.same_target(&kept.uri));
        let before = gone.take();
        if before.is_none() && bindings.shown.len() >= cx.config.limits.bindings_per_user {
            let soonest = bindings.kept.iter().map(|kept| kept.expires_at).min();
            gone = bindings.take(|other| Some(other.expires_at) == soonest);
        }
        for old in before.iter().chain(&gone) {
            self.timers.clear(&(user.to_string(), old.contact.clone()));
        }
        self.timers.set((user.to_string(), binding.contact.clone()), kept.expires_at);
        let place = bindings.kept.iter().position(|other| other.q < kept.q).unwrap_or(bindings.kept.len());
        bindings.kept.insert(place, kept);
        bindings.shown.insert(place, binding.clone());
        if let Some(old) = gone {
            cx.event(Event::Unregistered { user: user.to_string(), contact: old.contact });
        }
        cx.event(Event::Registered { user: user.to_string(), binding });
    }

    fn drop_where(&mut self, cx: &mut Context<'_>, gone: impl Fn(&str, &Binding) -> bool) {
        let mut dropped = Vec::new();
        for (user, bindings) in &mut self.users {
            let (shown, kept) = (std::mem::take(&mut bindings.shown), std::mem::take(&mut bindings.kept));
            for (binding, kept) in shown.into_iter().zip(kept) {
                if gone(user, &binding) {
                    dropped.push((user.clone(), binding.contact));
                } else {
                    bindings.shown.push(binding);
                    bindings.kept.push(kept);
                }
            }
        }
        self.users.retain(|_, bindings| !bindings.shown.is_empty());
        for (user, contact) in dropped {
            self.timers.clear(&(user.clone(), contact.clone()));
            cx.event(Event::Unregistered { user, contact });
        }
    }

    /// RFC 3261 §10.3 step 8: every binding with the seconds it has left.
    fn listing(&self, cx: &Context<'_>, user: &str, request: &Request, tag: &str) -> Response {
        let mut response = cx.response(request, 200, tag);
        let kept = self.users.get(user).map(|bindings| bindings.kept.as_slice()).unwrap_or_default();
        let contacts = kept.iter().map(|kept| {
            let left = kept.expires_at.saturating_duration_since(cx.now).as_secs();
            let mut contact = Address::new(kept.uri.clone());
            contact.params.set("expires", Some(&left.to_string()));
            contact
        });
        response.head.contacts = Contacts::List(contacts.collect());
        response
    }
}

impl Bindings {
    fn take(&mut self, which: impl Fn(&Kept) -> bool) -> Option<Binding> {
        let at = self.kept.iter().position(which)?;
        self.kept.remove(at);
        Some(self.shown.remove(at))
    }
}

fn is_contact(binding: &Binding, uri: &Uri) -> bool {
    Uri::parse(&binding.contact).is_ok_and(|own| own.same_target(uri))
}

/// Err is the status to refuse the whole REGISTER with.
fn wish(request: &Request, contact: &Address) -> Result<Wish, u16> {
    if contact.uri.as_sip().is_none_or(|uri| uri.secure) {
        return Err(400);
    }
    // RFC 3261 §10.2.1.1: the parameter before the header; what is no number counts as the default (§20.19).
    let asked = contact.params.get("expires").or_else(|| request.head.field("Expires"));
    let expires_s = asked.map_or(EXPIRES_S_DEFAULT, |text| crate::lex::number(text).unwrap_or(EXPIRES_S_DEFAULT));
    if (1..EXPIRES_S_MIN).contains(&expires_s) {
        return Err(423);
    }
    let q = contact.params.get("q").map_or(Some(1_000), thousandths).ok_or(400_u16)?;
    Ok(Wish { uri: contact.uri.clone(), expires_s: expires_s.min(EXPIRES_S_MAX), q })
}

/// RFC 3261 §25.1: qvalue, `0` to `1` with up to three decimals.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let fits = decimals.len() <= 3 && decimals.bytes().all(|b| b.is_ascii_digit());
    let part = format!("{decimals:0<3}").parse::<u16>().ok().filter(|_| fits)?;
    match whole {
        "0" => Some(part),
        "1" if part == 0 => Some(1_000),
        _ => None,
    }
}
